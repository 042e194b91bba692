"""What people see of a report: cards with groups of fields, then notes, in one order. Every format only renders it.

The gravest comes first. What concerns no difference (warnings, lints, ignored fields) comes after the differences,
equal notes together. Pure.
"""

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple

from reconciler.core.outcome import Kind, Status
from reconciler.report import wording
from reconciler.report.cards import Card, Difference, Key, make_cards
from reconciler.report.differences.sentences import Field, freeze, is_left, is_written, show_change
from reconciler.report.differences.values import escape, reveal_alike
from reconciler.report.remarks import Note, collect_notes, tell_freeze
from reconciler.report.report import AssistantEntry, ChangeEntry, ProblemEntry, Report
from reconciler.report.totals import name_command, tell_totals


class Told(NamedTuple):
    """An assistant, what differs in it, and the cards that tell of it: none for a quiet one."""

    entry: AssistantEntry
    differences: tuple[Difference, ...]
    cards: tuple[Card, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What every format shows: a title, cards, and what comes after them.

    `notes` concern no difference; those of `comment_notes` are for a pull request. `sentences` say how to read it all.
    """

    title: str
    totals: str
    problems: tuple[ProblemEntry, ...] = ()
    lists_problems: bool = False  # it is about files alone
    cards: tuple[Card, ...] = ()
    tells_origins: bool = True
    origin: str = ""  # instead of where a difference comes from, for a command that asks nobody
    notes: tuple[Note, ...] = ()
    comment_notes: tuple[Note, ...] = ()
    sentences: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunView(View):
    """What people see of a run; `assistants` has all of them, in order."""

    report: Report
    assistants: tuple[Told, ...]


def make_view(report: Report) -> RunView:
    """Return what people see of a report."""
    entries = sorted(report.assistants, key=lambda one: (wording.rank_severity(one), one.file, one.key))
    found = _list_differences(entries, report)
    cards = make_cards(entries, found, report)
    told: dict[int, list[Card]] = {}
    for card in cards:
        for entry in card.entries:
            told.setdefault(id(entry), []).append(card)
    environment = f": {report.environment}" if report.environment else ""
    only_checked = not report.traits.reads_live
    told_on_cards = {entry.file for card in cards if card.error for entry in card.entries}
    return RunView(
        title=name_command(report) + escape(environment),
        totals=tell_totals(report),
        problems=tuple(
            problem
            for problem in report.problems
            if only_checked or (problem.severity == "error" and problem.file not in told_on_cards)
        ),
        cards=tuple(cards),
        assistants=tuple(
            Told(entry, tuple(differences), tuple(told.get(id(entry), ())))
            for entry, differences in zip(entries, found, strict=True)
        ),
        notes=tuple(collect_notes(report)),
        comment_notes=tuple(collect_notes(report, of_changed=True)),
        sentences=(*wording.name_environment(report), *wording.list_notes(report)),
        lists_problems=only_checked,
        origin=report.traits.origin,
        report=report,
    )


def _list_differences(entries: Iterable[AssistantEntry], report: Report) -> list[list[Difference]]:
    """Return the differences of each assistant; what several have in common is looked at once."""
    known: dict[Key, list[tuple[Key, Field]]] = {}
    found = []
    for entry in entries:
        differences = []
        for change in entry.changes:
            title = _choose_title(change, entry, report)
            base = change.base if change.kind is Kind.CONFLICT else None
            values = map(freeze, (change.before, change.desired, base))
            key = title, entry.outcome, change.path, *values
            if key not in known:
                fields = show_change(change, entry, report)
                known[key] = [((title, entry.outcome, field.key), field) for field in fields]
            fate = _tell_fate(change, entry, report)
            differences += [Difference(part, change, field, title, fate) for part, field in known[key]]
        apart = reveal_alike(one.field.name for one in differences)
        found.append([_rename(one, apart[one.field.name]) if one.field.name in apart else one for one in differences])
    return found


def _rename(difference: Difference, name: str) -> Difference:
    key, change, field, title, fate = difference
    return Difference((*key, name), change, dataclasses.replace(field, name=name), title, fate)


def _choose_title(change: ChangeEntry, entry: AssistantEntry, report: Report) -> str:
    if entry.status is Status.NEW:
        return "A new assistant"
    title = report.traits.titles[is_written(change, entry)][change.kind]
    title += f", frozen ({tell_freeze(entry)})" if entry.frozen else ""
    return ", ".join(filter(None, (title, _tell_fate(change, entry, report))))


def _tell_fate(change: ChangeEntry, entry: AssistantEntry, report: Report) -> str:
    """Return what becomes of a live edit; nothing where that is not said, and for what git alone changed."""
    if is_left(change):
        return wording.LEFT
    return report.traits.put_back if change.kind is not Kind.CHANGE and is_written(change, entry) else ""
