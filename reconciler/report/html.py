"""The report as one HTML file, for people who would rather look than read: filters, search, before beside after.

The file needs no network and loads nothing: its style and script stand in it, and its content security policy
allows those two texts and nothing else. Jinja2 escapes whatever a definition or the API wrote; before that
`escape` makes it visible. It is imported when a page is written: other runs do not pay for it.

The template gets plain dicts, free of markup: an undefined name in it is an error, so the golden files check both.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from reconciler.core.outcome import Kind, Outcome, Status
from reconciler.report import direction, wording
from reconciler.report.commands import Sides
from reconciler.report.report import AssistantEntry, ChangeEntry, Report
from reconciler.report.section import tell_difference
from reconciler.report.side_by_side import compare_sides, show_whole
from reconciler.report.totals import tell_totals
from reconciler.report.values import escape, field_name, fits_on_a_line

ORIGINS: dict[Kind, str] = {Kind.CONFLICT: "conflict", Kind.DRIFT: "edited live", Kind.CHANGE: "changed in git"}

_NOT_READ, _VALID = "not_read", "valid"
# From what needs a person to what needs nobody; also the order of the filters.
_TONES: dict[Status | Outcome | str, str] = {
    Status.ERROR: "bad",
    Status.MISSING: "bad",
    Outcome.FAILED: "bad",
    Outcome.INDETERMINATE: "bad",
    Outcome.NOT_CONVERGED: "bad",
    Outcome.REFUSED: "bad",
    Status.CONFLICTED: "bad",
    Status.DRIFTED: "drift",
    _NOT_READ: "drift",
    Outcome.SKIPPED: "drift",
    Status.NEW: "change",
    Status.PENDING: "change",
    Outcome.APPLIED: "change",
    Outcome.CREATED: "change",
    Outcome.DELETED: "change",
    Status.FROZEN: "calm",  # the outcome, too, which is the same word
    Outcome.UNCHANGED: "calm",
    Status.IN_SYNC: "calm",
    _VALID: "calm",
}
_REMARKS = ("error", "not shown live", "warning", "set by", "released", "ignored", "enforced", "frozen")
_BAD_REMARKS = _REMARKS[:2]


def render_html(report: Report) -> str:
    """Return the report as a page that ends in a newline."""
    import jinja2
    import markupsafe

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
    # As they stand: neither is a template itself.
    style, script = (loader.get_source(templates, name)[0] for name in ("report.css", "report.js"))
    allowed = f"style-src {_allow(style)}; script-src {_allow(script)}"
    return templates.get_template("report.html").render(
        page=make_page(report),
        policy=f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'",
        style=markupsafe.Markup(style),  # noqa: S704 - ours
        script=markupsafe.Markup(script),  # noqa: S704 - ours
        nothing_shown=wording.SENSITIVE_DIFFERS,
        gone=wording.GONE,
    )


def _allow(text: str) -> str:
    """Return the source of a content security policy that allows one inline text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def make_page(report: Report) -> dict[str, Any]:
    """Return what the page of a report shows, the most severe first. Nothing from outside is made visible yet."""
    ranks = {category: rank for rank, category in enumerate(_TONES)}

    def rank(entry: AssistantEntry) -> tuple[Any, ...]:
        category = ranks[_categorise(entry, report)]
        return not wording.is_worth_showing(entry), wording.rank_severity(entry), category, entry.file, entry.key

    cards = [_make_card(entry, report) for entry in sorted(report.assistants, key=rank)]
    categories = Counter(card["category"] for card in cards)
    origins = Counter(origin for card in cards for origin in card["origins"])
    # In the order of the table, not of the cards, so that a filter stands where people look for it.
    labels = ((_label(category), tone) for category, tone in _TONES.items())
    return {
        "command": report.command,
        "summary": tell_totals(report),
        "notes": wording.list_notes(report),
        "warnings": report.warnings,
        "gone": wording.list_gone(report),
        "facts": list(_list_facts(report)),
        "problems": report.problems,
        "categories": [
            {"label": label, "tone": tone, "count": categories[label]} for label, tone in labels if categories[label]
        ],
        "origins": [
            {"value": kind, "label": label, "tone": kind, "count": origins[kind]}
            for kind, label in ORIGINS.items()
            if origins[kind]
        ],
        "cards": cards,
    }


def _make_card(entry: AssistantEntry, report: Report) -> dict[str, Any]:
    """Return one assistant; without groups and remarks there is nothing to unfold."""
    category = _categorise(entry, report)
    kinds = frozenset[Kind]() if report.traits.origin else entry.kinds
    return {
        "entry": entry,
        "title": wording.choose_title(entry),
        "category": _label(category),
        "tone": _TONES[category],
        "standing": category if category == _VALID else wording.tell_standing(entry),
        "origins": {kind: words for kind, words in ORIGINS.items() if kind in kinds},
        "brief": _tell_in_brief(entry, report),
        "groups": list(_make_groups(entry, report)),
        "remarks": _list_remarks(entry),
    }


def _categorise(entry: AssistantEntry, report: Report) -> Status | Outcome | str:
    if not report.traits.reads_live:
        return Status.ERROR if entry.error else _VALID
    return entry.outcome or entry.status or _NOT_READ


def _label(category: Status | Outcome | str) -> str:
    return wording.STATUS[category] if isinstance(category, Status) else category.replace("_", " ")


def _tell_in_brief(entry: AssistantEntry, report: Report) -> str:
    """Return the first fields that differ, or what is wrong, for a card that is closed."""
    if error := entry.error:
        return wording.tell_error_in_brief(error, report)
    return "; ".join(
        words + ", ".join(names) + (f" and {more} more" if more else "")
        for words, names, more in direction.name_first_fields(entry)
    )


def _make_groups(entry: AssistantEntry, report: Report) -> Iterator[dict[str, Any]]:
    updated = wording.tell_last_update(entry)
    for group in direction.group_changes(entry):
        kind, names = group[0].kind, direction.name_sides(group[0], entry, report)
        yield {
            "kind": kind,
            "title": direction.name_group(group, entry, report),
            "aside": "" if kind is Kind.CHANGE else updated,
            "fields": [_make_field(change, names) for change in group],
        }


def _make_field(change: ChangeEntry, names: Sides) -> dict[str, Any]:
    """Return one field: what its difference means, the base of a short conflict with its name, and the values."""
    old, new, base = change.before, change.desired, change.moved_from
    before, after, moved = names.before, names.after, names.moved_from
    short = all(map(fits_on_a_line, (old, new, base)))
    pairs = [(before, old, after, new)]
    # In long texts nobody sees who moved what, unless each side stands beside what both moved from.
    if base is not None and not short:
        pairs = [(moved, base, before, old), (moved, base, after, new)]
    return {
        "name": field_name(change.path),
        "meaning": tell_difference(change),
        "moved_from": (moved, show_whole(base)) if base is not None and short else None,
        "comparisons": [
            {"left": left, "right": right, "rows": compare_sides(one, other)} for left, one, right, other in pairs
        ],
    }


def _list_remarks(entry: AssistantEntry) -> list[dict[str, Any]]:
    found = [(remark.label, [wording.write_remark(remark)]) for remark in wording.list_remarks(entry)]
    if lines := wording.tell_error(entry):
        found.append(("error", lines))
    return [
        {"label": label.capitalize(), "text": text, "more": more, "bad": label in _BAD_REMARKS}
        for label, (text, *more) in sorted(found, key=lambda remark: _REMARKS.index(remark[0]))
    ]


def _list_facts(report: Report) -> Iterator[tuple[str, str]]:
    """Yield where, when and against what the run was; nothing for what is not known."""
    ref, commit = (report.base.ref, report.base.commit) if report.base else ("", "")
    facts = {
        "API": report.api_url,
        "Environment": report.environment,
        "Git": (report.head or "")[:12],
        "Base": commit[:12] if ref == commit else f"{ref} {commit[:12]}".strip(),
        "Finished": report.finished_at.replace("T", " ").replace("Z", " UTC"),
        "Version": report.tool_version,
    }
    return ((name, value) for name, value in facts.items() if value)
