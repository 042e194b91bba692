"""What the HTML report shows, as values for its template: cards, filters and facts. Pure, and free of markup."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from reconciler.core.outcome import Kind, Outcome, Status
from reconciler.report import wording
from reconciler.report.commands import Sides
from reconciler.report.direction import group_changes, name_first_fields, name_group, name_sides
from reconciler.report.report import AssistantEntry, ChangeEntry, ProblemEntry, Report
from reconciler.report.section import tell_difference
from reconciler.report.side_by_side import Cell, Row, compare_sides, show_whole
from reconciler.report.totals import tell_totals
from reconciler.report.values import field_name, fits_on_a_line

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
    Status.PENDING: "change",
    Outcome.APPLIED: "change",
    Outcome.UNCHANGED: "calm",
    Status.IN_SYNC: "calm",
    _VALID: "calm",
}
_REMARKS = ("error", "not shown live", "warning", "set by", "released", "ignored")
_BAD = ("error", "not shown live")


@dataclasses.dataclass(frozen=True, slots=True)
class Columns:
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
    comparisons: Sequence[Columns]


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """The fields whose difference comes from one side."""

    kind: Kind
    title: str
    aside: str
    fields: Sequence[Field]


@dataclasses.dataclass(frozen=True, slots=True)
class Sentence:
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
    origins: Mapping[Kind, str]
    brief: str
    groups: Sequence[Group]
    remarks: Sequence[Sentence]


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


def make_html_page(report: Report) -> HtmlPage:
    """Return what the page of a report shows. What comes from outside is not made visible yet."""
    entries = sorted(report.assistants, key=lambda entry: (_rank(entry, report), entry.file, entry.key))
    cards = [_make_card(entry, report) for entry in entries]
    categories = Counter(card.category for card in cards)
    origins = Counter(origin for card in cards for origin in card.origins)
    return HtmlPage(
        command=report.command,
        summary=tell_totals(report),
        notes=wording.list_notes(report),
        warnings=report.warnings,
        gone=wording.list_gone(report),
        facts=list(_list_facts(report)),
        problems=report.problems,
        categories=[
            Choice(label, label, tone, categories[label])
            for label, tone in ((_label(category), tone) for category, tone in _TONES.items())
            if categories[label]
        ],
        origins=[Choice(kind, label, kind, origins[kind]) for kind, label in ORIGINS.items() if origins[kind]],
        cards=cards,
    )


def _rank(entry: AssistantEntry, report: Report) -> tuple[bool, int, int]:
    category = list(_TONES).index(_categorise(entry, report))
    return not wording.is_worth_showing(entry), wording.rank_severity(entry), category


def _make_card(entry: AssistantEntry, report: Report) -> Card:
    category = _categorise(entry, report)
    kinds = frozenset[Kind]() if report.traits.origin else entry.kinds
    return Card(
        entry=entry,
        title=wording.choose_title(entry),
        category=_label(category),
        tone=_TONES[category],
        standing=category if category == _VALID else wording.tell_standing(entry),
        origins={kind: words for kind, words in ORIGINS.items() if kind in kinds},
        brief=_tell_in_brief(entry, report),
        groups=list(_make_groups(entry, report)),
        remarks=_list_remarks(entry),
    )


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
        for words, names, more in name_first_fields(entry, report)
    )


def _make_groups(entry: AssistantEntry, report: Report) -> Iterator[Group]:
    updated = wording.tell_last_update(entry)
    for group in group_changes(entry):
        fields = [_make_field(change, name_sides(change, entry, report)) for change in group]
        aside = "" if group[0].kind is Kind.CHANGE else updated
        yield Group(group[0].kind, name_group(group, entry, report), aside, fields)


def _make_field(change: ChangeEntry, names: Sides) -> Field:
    old, new, base = change.before, change.desired, change.moved_from
    before, after, moved = names.before, names.after, names.moved_from
    moved_from: tuple[str, Cell] | None = None
    pairs = [(before, old, after, new)]
    if base is not None and all(map(fits_on_a_line, (old, new, base))):
        moved_from = moved, show_whole(base)
    elif base is not None:
        # In long texts nobody sees who moved what, unless each side stands beside what both moved from.
        pairs = [(moved, base, before, old), (moved, base, after, new)]
    return Field(
        name=field_name(change.path),
        meaning=tell_difference(change),
        moved_from=moved_from,
        comparisons=[Columns(left, right, compare_sides(one, other)) for left, one, right, other in pairs],
    )


def _list_remarks(entry: AssistantEntry) -> list[Sentence]:
    found = [(remark.label, [wording.write_remark(remark)]) for remark in wording.list_remarks(entry)]
    if lines := wording.tell_error(entry):
        found.append(("error", lines))
    return [
        Sentence(label.capitalize(), text, more, bad=label in _BAD)
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
