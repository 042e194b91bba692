"""Cards: one for each assistant that needs attention, and one for each change that several assistants share."""

import dataclasses
import functools
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.core.outcome import Kind, Outcome, Status, Urgency
from reconciler.dataclass import dataclass
from reconciler.report import wording
from reconciler.report.differences.sentences import Field
from reconciler.report.differences.values import escape, show_name
from reconciler.report.remarks import ALSO, Remark, list_remarks, list_setters
from reconciler.report.report import AssistantEntry, ChangeEntry, Report

NAMED_FIELDS = 3  # fields that a closed card shows
SHARED = 3  # assistants; a change that so many share is shown only once


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Fields with one origin and their title. `number` and `place` describe a change that many assistants share."""

    kind: Kind
    title: str = ""
    # What happens to live edits: they are left, or git's values are restored.
    fate: str = ""
    aside: str = ""
    fields: tuple[Field, ...]
    change: ChangeEntry | None = None
    number: int = 1
    place: str = ""

    @property
    def location(self) -> str:
        """How many assistants have it, and where it is declared: `in 41 assistants (assistants/_defaults.yaml:3)`."""
        place = f" ({self.place})" if self.place else ""
        return f"in {self.number} assistants{place}" if self.number > 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One assistant, or several with the same changes or error, whose names are `members`."""

    # Without groups, remarks and an error, the first line says everything.
    title: str
    file: str = ""
    id: str = ""
    standing: str
    urgency: Urgency
    entries: tuple[AssistantEntry, ...] = ()
    groups: tuple[Group, ...] = ()
    remarks: tuple[Remark, ...] = ()
    error: tuple[str, ...] = ()
    error_in_brief: str = ""
    origin: str = ""  # replaces the origin of differences, for commands that do not look at it
    members: tuple[str, ...] = ()

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of its differences."""
        return frozenset(group.kind for group in self.groups)

    @property
    def fields(self) -> tuple[Field, ...]:
        """Its differences, in order."""
        return tuple(field for group in self.groups for field in group.fields)

    @property
    def changed_lines(self) -> Counter[str]:
        """How many lines of which field differ, in order."""
        lines = Counter[str]()
        for field in self.fields:
            lines[field.name] += field.changed_lines
        return lines

    @property
    def files(self) -> list[str]:
        """The definition's file, or the file that declares a shared change."""
        return [self.file] if self.file else [*dict.fromkeys(group.place for group in self.groups if group.place)]

    @property
    def first_fields(self) -> list[tuple[str, list[Field], int]]:
        """The first fields, each group with words before it or "", and how many more there are."""
        # The fields of a deleted assistant no longer matter.
        if any(entry.outcome is Outcome.DELETED for entry in self.entries):
            return []
        # Live edits are grouped by what happens to them, because the assistant's outcome does not say it.
        by_fate: dict[str, dict[str, Field]] = {"": {}}
        for group in self.groups:
            for field in group.fields:
                by_fate.setdefault(group.fate, {}).setdefault(field.name, field)
        return [
            (f"{fate}: " if fate else "", [*fields.values()][:NAMED_FIELDS], max(len(fields) - NAMED_FIELDS, 0))
            for fate, fields in by_fate.items()
            if fields
        ]


Key = tuple[Any, ...]  # equal for differences that read the same


@dataclass(frozen=True)
class Difference:
    """A part of one assistant's change, with its title and what happens to a live edit."""

    entry: AssistantEntry
    change: ChangeEntry
    field: Field
    title: str
    fate: str

    @functools.cached_property
    def key(self) -> Key:
        """A key that is equal for differences that read exactly the same."""
        return self.title, self.entry.outcome, self.field.key

    @property
    def place(self) -> str:
        """Where its value is declared: `assistants/_defaults.yaml:3`."""
        line = f":{self.change.line}" if self.change.line else ""
        return show_name(self.change.file or self.entry.file) + line


# A report may contain an assistant twice, so each object is equal only to itself.
@dataclass(frozen=True, eq=False)
class AssistantView:
    """An assistant, its differences, and the cards that show it (none if there is nothing to show)."""

    entry: AssistantEntry
    differences: tuple[Difference, ...]
    cards: tuple[Card, ...] = ()


Sharing = Mapping[tuple[AssistantView, ...], Sequence[Key]]


def make_cards(assistants: Sequence[AssistantView], report: Report) -> list[Card]:
    """Return the cards of assistants, the most severe first. The assistants are already sorted."""
    sharing = _find_shared_changes(assistants)
    cards = [*_make_shared_cards(sharing, report), *_make_own_cards(assistants, sharing, report)]
    # The sort is stable, so shared cards come first within an urgency.
    return sorted(cards, key=lambda card: (card.urgency, not card.members))


def _find_shared_changes(assistants: Sequence[AssistantView]) -> Sharing:
    """Return the changes that enough assistants share, with these assistants as the keys."""
    having: dict[Key, list[AssistantView]] = {}
    for assistant in assistants:
        for key in dict.fromkeys(difference.key for difference in assistant.differences):
            having.setdefault(key, []).append(assistant)
    sharing: dict[tuple[AssistantView, ...], list[Key]] = {}
    for key, members in having.items():
        # A merged report may contain an assistant more than once.
        if len({(member.entry.file, member.entry.environment) for member in members}) >= SHARED:
            sharing.setdefault(tuple(members), []).append(key)
    return sharing


def _make_shared_cards(sharing: Sharing, report: Report) -> Iterator[Card]:
    for members, keys in sharing.items():
        entries = [member.entry for member in members]
        all_shared = [each for member in members for each in member.differences if each.key in keys]
        one_place = len({(difference.key, difference.place) for difference in all_shared}) == len(keys)
        places = [difference.place for difference in all_shared if difference.key == keys[0]]
        shared = [difference for difference in members[0].differences if difference.key in keys]
        # An assistant's other differences have another card. Here, only the shared ones count.
        part = dataclasses.replace(entries[0], changes=tuple(each.change for each in shared), error=None)
        yield Card(
            title=f"{len(members)} assistants",
            standing=wording.describe_standing(part),
            urgency=wording.rank_urgency(part),
            entries=tuple(entries),
            groups=tuple(_group_differences(shared, number=len(members), in_place=one_place)),
            remarks=tuple(list_setters([difference.change for difference in all_shared])),
            origin=report.traits_of(part).origin,
            members=tuple(_name_members(entries, [] if one_place else places)),
        )


def _name_members(members: Sequence[AssistantEntry], places: Sequence[str]) -> Iterator[str]:
    """Yield names. If there are several places, names are sorted by place, and the last name of each has the place."""
    titles = Counter(map(wording.choose_title, members))
    named = ((entry, wording.choose_title(entry)) for entry in members)
    names = [title if titles[title] == 1 else wording.show_in(entry, entry.key) for entry, title in named]
    by_place = sorted(zip(places or [""] * len(names), names, strict=True), key=lambda pair: pair[0])
    for place, pairs in itertools.groupby(by_place, key=lambda pair: pair[0]):
        *others, last = (name for _, name in pairs)
        yield from others
        yield f"{'and ' if others else ''}{last} ({place})" if place else last


def _make_own_cards(assistants: Sequence[AssistantView], sharing: Sharing, report: Report) -> Iterator[Card]:
    # How many assistants have a shared change. Whoever has the change is one of them.
    numbers = {key: len(members) for members, keys in sharing.items() for key in keys}
    # A card has all problems of its file. In a check of files, they are the report, and are listed there.
    problems: dict[str, list[str]] = {}
    for problem in report.problems if report.traits.reads_live else ():
        if problem.severity == "error":
            message = escape(f"line {problem.line}: {problem.message.strip()}")
            problems.setdefault(problem.file, []).append(message)
    grouped: dict[tuple[str, ...], list[Card]] = {}
    for number, assistant in enumerate(assistants):
        card = _make_card(assistant, numbers, problems.get(assistant.entry.file, ()), report)
        if card is None:
            continue
        # Assistants that have no differences, and the same error or none, share a card: a server that is down is shown
        # once, and a run that was stopped is not a list of what it has skipped.
        alone = not card.groups and all(remark.label == ALSO for remark in card.remarks)
        error = map(wording.generalize, card.error)
        key = (card.standing, *error, *map(str, card.remarks)) if alone else (str(number),)
        grouped.setdefault(key, []).append(card)
    for cards in grouped.values():
        yield cards[0] if len(cards) == 1 else _combine_cards(cards)


def _make_card(view: AssistantView, numbers: Mapping[Key, int], problems: Sequence[str], report: Report) -> Card | None:
    """Return the card of one assistant; None if there is nothing to show, or if other cards show all of it."""
    entry = view.entry
    # A change with a shared card is only mentioned here, with the number of assistants.
    elsewhere = {each.field.name: numbers[each.key] for each in view.differences if each.key in numbers}
    own_differences = [difference for difference in view.differences if difference.key not in numbers]
    traits = report.traits_of(entry)
    error = tuple(problems if problems and entry.error else wording.describe_error(entry))
    remarks = [*list_setters([difference.change for difference in own_differences]), *list_remarks(entry)]
    # For `drift`, an assistant that does not exist yet has no differences, so it needs no card.
    calm = entry.status in (Status.IN_SYNC, Status.NEW) and entry.outcome in (None, Outcome.UNCHANGED)
    calm = calm and not wording.is_unclear(entry)
    if not (own_differences or error or remarks) and (elsewhere or calm):
        return None
    remarks += [Remark(ALSO, f"{name}, as in {number} assistants") for name, number in elsewhere.items()]
    return Card(
        title=wording.choose_title(entry),
        file=show_name(entry.file),
        id=entry.id or "",
        standing=wording.describe_standing(entry),
        urgency=wording.rank_urgency(entry),
        entries=(entry,),
        groups=tuple(_group_differences(own_differences, aside=wording.describe_last_edit(entry))),
        remarks=tuple(remarks),
        error=error,
        error_in_brief=traits.errors.get(entry.error.kind) or wording.describe_kind(entry.error) if entry.error else "",
        origin=traits.origin,
    )


def _combine_cards(cards: Sequence[Card]) -> Card:
    entries = [entry for card in cards for entry in card.entries]
    names = [wording.show_in(entry, entry.file) + (f" ({escape(entry.id)})" if entry.id else "") for entry in entries]
    title = f"{len(cards)} assistants"
    error = tuple(map(wording.generalize, cards[0].error))
    return dataclasses.replace(
        cards[0], title=title, file="", id="", entries=tuple(entries), error=error, members=tuple(names)
    )


def _group_differences(
    differences: Sequence[Difference], *, aside: str = "", number: int = 1, in_place: bool = False
) -> Iterator[Group]:
    """Yield a group of differences for each kind, title and place, conflicts first."""
    groups: dict[tuple[Kind, str, str], list[Difference]] = {}
    for difference in sorted(differences, key=lambda each: [*Kind].index(each.change.kind)):
        place = difference.place if in_place else ""
        groups.setdefault((difference.change.kind, difference.title, place), []).append(difference)
    shown = ""
    for (kind, title, place), members in groups.items():
        yield Group(
            kind=kind,
            title="" if title == shown else title,
            fate=members[0].fate,
            aside="" if kind is Kind.CHANGE else aside,
            fields=tuple(difference.field for difference in members),
            change=members[0].change,
            number=number,
            place=place,
        )
        shown = title
