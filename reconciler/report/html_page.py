"""What the HTML report shows, as values for its template: cards, filters and facts. Pure, and free of markup."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.report import wording
from reconciler.report.build import STATUSES
from reconciler.report.direction import Sides, fields_in_brief, group_title, sides
from reconciler.report.document import AssistantEntry, ChangeEntry, ChangeKind, Document, ProblemEntry
from reconciler.report.section import in_words
from reconciler.report.side_by_side import Cell, Row, side_by_side, whole
from reconciler.report.values import field_name, field_names, fits_on_a_line

ORIGINS: dict[ChangeKind, str] = {"conflict": "conflict", "drift": "edited live", "change": "changed in git"}

_NOT_READ, _VALID = "not_read", "valid"
# From what needs a person to what needs nobody; also the order of the filters.
_CATEGORIES: dict[str, str] = {
    **dict.fromkeys(("error", "missing", "failed", "indeterminate", "not_converged", "refused", "conflicted"), "bad"),
    **dict.fromkeys(("drifted", _NOT_READ, "skipped"), "drift"),
    **dict.fromkeys(("pending", "applied"), "change"),
    **dict.fromkeys(("unchanged", "in_sync", _VALID), "calm"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """Two values beside each other."""

    left: str
    right: str
    rows: Sequence[Row]


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One differing field: what the difference means, the base of a short conflict with its name, and the values."""

    name: str
    meaning: str
    moved_from: tuple[str, Cell] | None
    comparisons: Sequence[Comparison]


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """The fields whose difference comes from one side."""

    kind: ChangeKind
    title: str
    aside: str
    fields: Sequence[Field]


@dataclasses.dataclass(frozen=True, slots=True)
class Remark:
    """A sentence about an assistant, with a word before it."""

    label: str
    text: str
    more: Sequence[str] = ()  # lines below it
    bad: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Card:
    """One assistant; without groups and remarks there is nothing to unfold."""

    entry: AssistantEntry
    title: str
    category: str
    tone: str
    standing: str
    origins: Mapping[ChangeKind, str]
    brief: str
    groups: Sequence[Group]
    remarks: Sequence[Remark]


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """One filter, and how many cards it leaves."""

    value: str
    label: str
    tone: str
    count: int


@dataclasses.dataclass(frozen=True, slots=True)
class HtmlPage:
    """The whole page, the most severe first."""

    command: str
    summary: str
    notes: Sequence[str]
    warnings: Sequence[str]
    gone: Sequence[str]
    facts: Sequence[tuple[str, str]]
    problems: Sequence[ProblemEntry]
    categories: Sequence[Choice]
    origins: Sequence[Choice]
    cards: Sequence[Card]


def html_page(document: Document) -> HtmlPage:
    """Return what the page of a document shows. What comes from outside is not made visible yet."""
    entries = sorted(document["assistants"], key=lambda entry: (_rank(entry, document), entry["file"], entry["key"]))
    cards = [_card(entry, document) for entry in entries]
    categories = Counter(card.category for card in cards)
    origins = Counter(origin for card in cards for origin in card.origins)
    return HtmlPage(
        command=document["command"],
        summary=wording.summary_line(document),
        notes=[] if document["command"] == "validate" else wording.notes(document),
        warnings=document["warnings"],
        gone=wording.gone(document),
        facts=list(_facts(document)),
        problems=document["problems"],
        categories=[
            Choice(label, label, tone, categories[label])
            for label, tone in ((_label(value), tone) for value, tone in _CATEGORIES.items())
            if categories[label]
        ],
        origins=[Choice(kind, label, kind, origins[kind]) for kind, label in ORIGINS.items() if origins[kind]],
        cards=cards,
    )


def _rank(entry: AssistantEntry, document: Document) -> tuple[bool, int, int]:
    category = list(_CATEGORIES).index(_category(entry, document))
    return not wording.is_worth_showing(entry), wording.importance(entry), category


def _card(entry: AssistantEntry, document: Document) -> Card:
    category = _category(entry, document)
    undone = document["command"] == "rollback"  # which asks nobody where a difference comes from
    kinds = {change["kind"] for change in entry["changes"] if not undone}
    return Card(
        entry=entry,
        title=wording.title(entry),
        category=_label(category),
        tone=_CATEGORIES[category],
        standing="valid" if category == _VALID else wording.standing(entry),
        origins={kind: words for kind, words in ORIGINS.items() if kind in kinds},
        brief=_brief(entry, document),
        groups=list(_groups(entry, document)),
        remarks=list(_remarks(entry)),
    )


def _category(entry: AssistantEntry, document: Document) -> str:
    if document["command"] == "validate":
        return "error" if entry["error"] else _VALID
    return entry["outcome"] or entry["status"] or _NOT_READ


def _label(category: str) -> str:
    return next((wording.STATUS[status] for status in STATUSES if status == category), category.replace("_", " "))


def _brief(entry: AssistantEntry, document: Document) -> str:
    """Return the first fields that differ, or what is wrong, for a card that is closed."""
    if error := entry["error"]:
        return wording.error_in_brief(error, document)
    return "; ".join(
        words + ", ".join(names) + (f" and {more} more" if more else "")
        for words, names, more in fields_in_brief(entry, document)
    )


def _groups(entry: AssistantEntry, document: Document) -> Iterator[Group]:
    updated = wording.last_updated(entry)
    for kind in ORIGINS:
        names = sides(kind, entry, document)
        fields = [_field(change, names) for change in entry["changes"] if change["kind"] == kind]
        if fields:
            yield Group(kind, group_title(kind, entry, document), "" if kind == "change" else updated, fields)


def _field(change: ChangeEntry, names: Sides) -> Field:
    old, new = change.get("live"), change["desired"]
    base = change.get("base") if change["kind"] == "conflict" else None
    moved_from: tuple[str, Cell] | None = None
    comparisons: list[tuple[str, Any, str, Any]] = [(names.before, old, names.after, new)]
    if base is not None and all(map(fits_on_a_line, (old, new, base))):
        moved_from = names.moved_from, whole(base)
    elif base is not None:
        moved = names.moved_from
        comparisons = [(moved, base, names.before, old), (moved, base, names.after, new)]
    return Field(
        name=field_name(change["path"]),
        meaning=in_words(change),
        moved_from=moved_from,
        comparisons=[
            Comparison(left, right, side_by_side(before, after)) for left, before, right, after in comparisons
        ],
    )


def _remarks(entry: AssistantEntry) -> Iterator[Remark]:
    if lines := wording.error_lines(entry):
        yield Remark("Error", lines[0], lines[1:], bad=True)
    if entry["remaining"]:
        yield Remark("Not shown live", field_names(entry["remaining"]), bad=True)
    for warning in entry["warnings"]:
        yield Remark("Warning", warning.strip())
    for who, fields in wording.set_by(entry):
        yield Remark("Set by", who + (f": {field_names(fields)}" if fields else ""))
    if entry["released"]:
        yield Remark("Released", f"{field_names(entry['released'])} ({wording.RELEASED})")
    for ignored in entry["ignored"]:
        reason = wording.ignored_reason(ignored["reason"], ignored["expires"])
        yield Remark("Ignored", field_name(ignored["path"]) + (f" ({reason})" if reason else ""))


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    """Yield where, when and against what the run was; nothing for what is not known."""
    base = document["base"] or {}
    ref, commit = base.get("ref", ""), base.get("commit", "")
    facts = {
        "API": document["api_url"],
        "Environment": document["environment"],
        "Git": (document["head"] or "")[:12],
        "Base": commit[:12] if ref == commit else f"{ref} {commit[:12]}".strip(),
        "Finished": document["finished_at"].replace("T", " ").replace("Z", " UTC"),
        "Version": document["tool_version"],
    }
    return ((name, value) for name, value in facts.items() if value)
