"""What people see of a report: cards, the most severe first, then notes. The formats only render it. Pure."""

import dataclasses
from collections.abc import Iterable, Iterator

from reconciler.core.outcome import Kind, Status, Unsent
from reconciler.dataclass import dataclass
from reconciler.report import wording
from reconciler.report.cards import AssistantView, Card, Difference, Key, make_cards
from reconciler.report.differences.sentences import Field, freeze, is_written, show_change
from reconciler.report.differences.values import escape, reveal_alike
from reconciler.report.remarks import Note, collect_notes, write_reason
from reconciler.report.report import AssistantEntry, ChangeEntry, ProblemEntry, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What every format shows: a title, cards, and what comes after them."""

    title: str
    totals: str
    problems: tuple[ProblemEntry, ...] = ()
    lists_problems: bool = False  # it is about files alone
    all_is_well: bool  # nothing needs attention
    cards: tuple[Card, ...] = ()
    tells_origins: bool = True
    notes: tuple[Note, ...] = ()  # equal ones together
    comment_notes: tuple[Note, ...] = ()  # those for a pull request
    sentences: tuple[str, ...] = ()  # how to read it all


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView(View):
    """What people see of a run; `assistants` has all of them, in order."""

    report: Report
    assistants: tuple[AssistantView, ...]


def make_view(report: Report) -> RunView:
    """Return what people see of a report."""
    entries = sorted(report.assistants, key=lambda entry: (wording.rank_urgency(entry), entry.file, entry.key))
    assistants = list(_list_differences(entries, report))
    cards = make_cards(assistants, report)
    cards_of: dict[int, tuple[Card, ...]] = {}
    for card in cards:
        for entry in card.entries:
            cards_of[id(entry)] = (*cards_of.get(id(entry), ()), card)
    only_checked = not report.traits.reads_live
    files_on_cards = {entry.file for card in cards if card.error for entry in card.entries}
    views = (AssistantView(each.entry, each.differences, cards_of.get(id(each.entry), ())) for each in assistants)
    names = ", ".join(report.environments)
    return RunView(
        title=wording.name_command(report) + (f": {escape(names)}" if names else ""),
        totals=wording.write_totals(report),
        problems=tuple(
            problem
            for problem in report.problems
            if only_checked or (problem.severity == "error" and problem.file not in files_on_cards)
        ),
        cards=tuple(cards),
        assistants=tuple(views),
        notes=tuple(collect_notes(report)),
        comment_notes=tuple(collect_notes(report, of_changed=True)),
        sentences=tuple(wording.list_notes(report)),
        lists_problems=only_checked,
        all_is_well=report.all_is_well,
        report=report,
    )


def _list_differences(entries: Iterable[AssistantEntry], report: Report) -> Iterator[AssistantView]:
    # What several have in common is looked at once.
    cache: dict[Key, list[Field]] = {}
    for entry in entries:
        differences = []
        for change in entry.changes:
            fate = _describe_fate(change, entry, report)
            title = _choose_title(change, entry, fate, report)
            base = change.base if change.kind is Kind.CONFLICT else None
            key = title, entry.outcome, change.path, *map(freeze, (change.live_value, change.desired, base))
            if key not in cache:
                cache[key] = show_change(change, entry, report)
            differences += [Difference(entry, change, field, title, fate) for field in cache[key]]
        revealed = reveal_alike(difference.field.name for difference in differences)
        for place, difference in enumerate(differences):
            if difference.field.name in revealed:
                field = dataclasses.replace(difference.field, name=revealed[difference.field.name])
                differences[place] = dataclasses.replace(difference, field=field)
        yield AssistantView(entry, tuple(differences))


def _choose_title(change: ChangeEntry, entry: AssistantEntry, fate: str, report: Report) -> str:
    written, outcome = is_written(change, entry), entry.outcome
    # Nobody knows what a write without a clear outcome has done, and before the confirmation there was none.
    if written and (report.traits_of(entry).writes if outcome is None else not outcome.settled):
        written = None
    is_new = entry.status is Status.NEW
    title = "A new assistant" if is_new else report.traits_of(entry).titles[written][change.kind]
    title += f", frozen ({write_reason(entry.frozen)})" if entry.frozen else ""
    return f"{title}, {fate}" if fate else title


def _describe_fate(change: ChangeEntry, entry: AssistantEntry, report: Report) -> str:
    """Return what happens to a live edit; nothing if that is not said, and for what git alone changed."""
    if change.unsent is Unsent.KEPT:
        return wording.LEFT
    return report.traits_of(entry).overwrites.get(change.kind, "") if is_written(change, entry) else ""
