"""The report as one HTML file with filters and a search box. It loads nothing from elsewhere."""

import base64
import hashlib
from collections import Counter
from typing import Any

from reconciler.core.outcome import Kind, Outcome, Status, Urgency
from reconciler.report import wording
from reconciler.report.cards import Card
from reconciler.report.differences.values import escape, show_name
from reconciler.report.remarks import ALSO, NOT_LIVE
from reconciler.report.report import AssistantEntry, Report
from reconciler.report.view import RunView

ORIGINS: dict[Kind, str] = {
    Kind.CONFLICT: "both sides changed",
    Kind.DRIFT: "edited in the dashboard",
    Kind.CHANGE: "changed in git",
}
_NOT_READ, _UNCLEAR, _VALID = "not_read", "unclear", "valid"
# First what needs a person, last what is fine; also the order of the filters. `frozen` is a status and an outcome.
_CATEGORIES: dict[str, tuple[Status | Outcome | str, ...]] = {
    "bad": (
        *(Status.ERROR, Status.MISSING),
        *(Outcome.FAILED, Outcome.INDETERMINATE, Outcome.NOT_CONVERGED, Outcome.REFUSED, Status.CONFLICTED),
    ),
    "drift": (Status.DRIFTED, _NOT_READ, Outcome.SKIPPED),
    "change": (Status.NEW, Status.PENDING, _UNCLEAR, Outcome.APPLIED, Outcome.CREATED, Outcome.DELETED),
    "calm": (Status.FROZEN, Outcome.UNCHANGED, Status.IN_SYNC, _VALID),
}
_TONES = {category: tone for tone, categories in _CATEGORIES.items() for category in categories}


def render_html(view: RunView) -> str:
    """Return the report as a page that ends in a newline."""
    # Imported only if a page is written, because it takes time to load.
    import jinja2
    import markupsafe

    # Texts of definitions and the API are made visible first, then Jinja2 escapes them.
    def show(value: object) -> object:
        return escape(value) if isinstance(value, str) and not isinstance(value, markupsafe.Markup) else value

    loader = jinja2.PackageLoader("reconciler.report")
    templates = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=show,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Read as they are: neither is a template.
    style, script = (loader.get_source(templates, name)[0] for name in ("report.css", "report.js"))
    allowed = f"style-src {_allow(style)}; script-src {_allow(script)}"
    return templates.get_template("report.html").render(
        **make_page(view),
        policy=f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'",
        style=markupsafe.Markup(style),  # noqa: S704 - ours
        script=markupsafe.Markup(script),  # noqa: S704 - ours
    )


def _allow(text: str) -> str:
    """Return the source of a content security policy that allows one inline text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def make_page(view: RunView) -> dict[str, Any]:
    """Return the values for the page of a report. Texts from outside are not made visible yet."""
    # An assistant counts for its own card, or else for the first card that it shares.
    homes = Counter(
        id(next((card for card in assistant.cards if not card.members), assistant.cards[0]))
        for assistant in view.assistants
        if assistant.cards
    )
    quiet_entries = [assistant.entry for assistant in view.assistants if not assistant.cards]
    numbered = [(card, homes[id(card)]) for card in view.cards] + [(_make_row(entry), 1) for entry in quiet_entries]
    categories = Counter(_categorise(assistant.entry, view.report) for assistant in view.assistants)
    # A command with its own origin, such as rollback, is not counted here.
    entries = [assistant.entry for assistant in view.assistants if not view.report.traits_of(assistant.entry).origin]
    origins = Counter(kind for entry in entries for kind in entry.kinds)
    return {
        "view": view,
        "bad_label": NOT_LIVE,  # of a remark that says what went wrong
        "cards": [{"card": card, "number": number, **_describe(card, view.report)} for card, number in numbered],
        "categories": [(_label(key), tone, categories[key]) for key, tone in _TONES.items() if categories[key]],
        "origins": [(kind, label, origins[kind]) for kind, label in ORIGINS.items() if origins[kind]],
    }


def _describe(card: Card, report: Report) -> dict[str, Any]:
    """Return the values of a card that only the page needs."""
    category = _categorise(card.entries[0], report)
    label, tone = _label(category), _TONES[category]
    # A shared card shows what its assistants have in common. Everything else is on their own cards.
    if card.members and card.groups and not card.entries[0].outcome:
        gravest = min((kind.status for kind in card.kinds), key=lambda status: status.urgency)
        label, tone = card.standing, _TONES[gravest]
    brief = [
        words + "; ".join(field.brief for field in fields) + (f"; and {omitted} more" if omitted else "")
        for words, fields, omitted in card.first_fields
    ]
    # Otherwise the first line would not say why an assistant is to change whose own card has only live edits.
    brief += [f"{ALSO} {remark.write()}" for remark in card.remarks if remark.label == ALSO]
    return {
        "category": label,
        "tone": tone,
        "statuses": sorted({_label(_categorise(entry, report)) for entry in card.entries}),
        "origins": {kind: words for kind, words in ORIGINS.items() if kind in card.kinds and not card.origin},
        "brief": card.error_in_brief or "; ".join(brief),
    }


def _make_row(entry: AssistantEntry) -> Card:
    title, file = wording.choose_title(entry), show_name(entry.file)
    return Card(title=title, file=file, standing="", urgency=Urgency.CALM, entries=(entry,))


def _categorise(entry: AssistantEntry, report: Report) -> Status | Outcome | str:
    if not report.traits.reads_live:
        return Status.ERROR if entry.error else _VALID
    if wording.is_unclear(entry):
        return _UNCLEAR
    return entry.outcome or entry.status or _NOT_READ


def _label(category: Status | Outcome | str) -> str:
    return wording.STATUS[category] if isinstance(category, Status) else category.replace("_", " ")
