"""What people see of a report: cards, the gravest first, then notes. The formats only render it. Pure."""

import dataclasses
from collections.abc import Iterable, Iterator

from reconciler.core.outcome import Kind, Status, Unsent
from reconciler.report import wording
from reconciler.report.cards import Card, Difference, Key, Told, make_cards
from reconciler.report.differences.sentences import Field, freeze, is_written, show_change
from reconciler.report.differences.values import escape, reveal_alike
from reconciler.report.remarks import Note, collect_notes, tell_freeze
from reconciler.report.report import AssistantEntry, ChangeEntry, ProblemEntry, Report


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What every format shows: a title, cards, and what comes after them."""

    title: str
    totals: str
    problems: tuple[ProblemEntry, ...] = ()
    lists_problems: bool = False  # it is about files alone
    cards: tuple[Card, ...] = ()
    tells_origins: bool = True
    notes: tuple[Note, ...] = ()  # equal ones together
    comment_notes: tuple[Note, ...] = ()  # those for a pull request
    sentences: tuple[str, ...] = ()  # how to read it all


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunView(View):
    """What people see of a run; `assistants` has all of them, in order."""

    report: Report
    assistants: tuple[Told, ...]


def make_view(report: Report) -> RunView:
    """Return what people see of a report."""
    entries = sorted(report.assistants, key=lambda one: (wording.rank_severity(one), one.file, one.key))
    told = list(_list_differences(entries, report))
    cards = make_cards(told, report)
    cards_of: dict[int, list[Card]] = {}
    for card in cards:
        for entry in card.entries:
            cards_of.setdefault(id(entry), []).append(card)
    only_checked = not report.traits.reads_live
    told_on_cards = {entry.file for card in cards if card.error for entry in card.entries}
    names = ", ".join(report.environments)
    return RunView(
        title=wording.name_command(report) + (f": {escape(names)}" if names else ""),
        totals=wording.tell_totals(report),
        problems=tuple(
            problem
            for problem in report.problems
            if only_checked or (problem.severity == "error" and problem.file not in told_on_cards)
        ),
        cards=tuple(cards),
        assistants=tuple(dataclasses.replace(one, cards=tuple(cards_of.get(id(one.entry), ()))) for one in told),
        notes=tuple(collect_notes(report)),
        comment_notes=tuple(collect_notes(report, of_changed=True)),
        sentences=tuple(wording.list_notes(report)),
        lists_problems=only_checked,
        report=report,
    )


def _list_differences(entries: Iterable[AssistantEntry], report: Report) -> Iterator[Told]:
    # What several have in common is looked at once.
    known: dict[Key, list[Field]] = {}
    for entry in entries:
        found = []
        for change in entry.changes:
            fate = _tell_fate(change, entry, report)
            title = _choose_title(change, entry, fate, report)
            base = change.base if change.kind is Kind.CONFLICT else None
            key = title, entry.outcome, change.path, *map(freeze, (change.before, change.desired, base))
            if key not in known:
                known[key] = show_change(change, entry, report)
            found += [Difference(entry, change, field, title, fate) for field in known[key]]
        apart = reveal_alike(one.field.name for one in found)
        for place, one in enumerate(found):
            if one.field.name in apart:
                field = dataclasses.replace(one.field, name=apart[one.field.name])
                found[place] = dataclasses.replace(one, field=field)
        yield Told(entry, tuple(found))


def _choose_title(change: ChangeEntry, entry: AssistantEntry, fate: str, report: Report) -> str:
    if entry.status is Status.NEW:
        return "A new assistant"
    title = report.traits_of(entry).titles[is_written(change, entry)][change.kind]
    title += f", frozen ({tell_freeze(entry)})" if entry.frozen else ""
    return f"{title}, {fate}" if fate else title


def _tell_fate(change: ChangeEntry, entry: AssistantEntry, report: Report) -> str:
    """Return what happens to a live edit; nothing if that is not said, and for what git alone changed."""
    if change.unsent is Unsent.KEPT:
        return wording.LEFT
    return report.traits_of(entry).put_back if change.kind is not Kind.CHANGE and is_written(change, entry) else ""
