"""Cards: one for each assistant of which something is to be said, and one for what several have in common. Pure.

What three assistants or more have in common is one card, and so is an error of several.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from reconciler.core.outcome import Kind, Outcome, Severity, Status
from reconciler.report import wording
from reconciler.report.differences.sentences import Field
from reconciler.report.differences.values import escape, show_name
from reconciler.report.remarks import ALSO, Remark, list_remarks, tell_setters
from reconciler.report.report import AssistantEntry, ChangeEntry, ProblemEntry, Report

NAMED_FIELDS = 3  # of a card that is closed
SHARED = 3  # assistants that have one and the same change before it is shown once for all


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Fields of one origin, with what stands above them; `number` and `place` are of a change that many share.

    `fate` is what becomes of live edits: they are left, or git's values are put back.
    """

    kind: Kind
    title: str = ""
    fate: str = ""
    aside: str = ""
    fields: tuple[Field, ...]
    change: ChangeEntry | None = None
    number: int = 1
    place: str = ""

    @property
    def where(self) -> str:
        """How many have it, and where it is declared: `in 41 assistants (assistants/_defaults.yaml:3)`."""
        place = f" ({self.place})" if self.place else ""
        return f"in {self.number} assistants{place}" if self.number > 1 else ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One assistant, or several of which the same is to be said: those are `members`, each with its name.

    Without groups, remarks and an error the first line says everything.
    """

    title: str
    file: str = ""
    id: str = ""
    standing: str
    severity: Severity
    entries: tuple[AssistantEntry, ...] = ()
    groups: tuple[Group, ...] = ()
    remarks: tuple[Remark, ...] = ()
    error: tuple[str, ...] = ()
    error_in_brief: str = ""
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
    def first_fields(self) -> list[tuple[str, list[Field], int]]:
        """The first fields, with words before them or none, and how many more there are.

        Live edits stand apart, by what becomes of them: what became of the assistant is not said of those. Of one
        that is deleted no field is worth a name.
        """
        if any(entry.outcome is Outcome.DELETED for entry in self.entries):
            return []
        named: dict[str, dict[str, Field]] = {"": {}}
        for group in self.groups:
            for field in group.fields:
                named.setdefault(group.fate, {}).setdefault(field.name, field)
        return [
            (f"{fate}: " if fate else "", [*found.values()][:NAMED_FIELDS], max(len(found) - NAMED_FIELDS, 0))
            for fate, found in named.items()
            if found
        ]


Key = tuple[Any, ...]  # of what reads alike


class Difference(NamedTuple):
    """A part of a change of one assistant; parts that read alike in every word have one key."""

    key: Key
    change: ChangeEntry
    field: Field
    title: str
    fate: str = ""


Found = Sequence[Sequence[Difference]]  # of each assistant
Sharing = Mapping[tuple[int, ...], Sequence[Key]]


def make_cards(entries: Sequence[AssistantEntry], found: Found, report: Report) -> list[Card]:
    """Return the cards of assistants, the gravest first; `found` has what differs in each of them."""
    sharing = _find_shared(entries, found)
    cards = [*_make_shared_cards(entries, found, sharing), *_make_own_cards(report, entries, found, sharing)]
    # Sorted for good: of one severity, what many share comes first.
    return sorted(cards, key=lambda card: (card.severity, not card.members))


def _find_shared(entries: Sequence[AssistantEntry], found: Found) -> dict[tuple[int, ...], list[Key]]:
    """Return the changes that enough assistants have in common, under the numbers of those that have them."""
    having: dict[Key, list[int]] = {}
    for number, differences in enumerate(found):
        for key in dict.fromkeys(one.key for one in differences):
            having.setdefault(key, []).append(number)
    sharing: dict[tuple[int, ...], list[Key]] = {}
    for key, numbers in having.items():
        # Several reports shown as one have an assistant more than once.
        if len(numbers) >= SHARED and len({entries[number].file for number in numbers}) >= SHARED:
            sharing.setdefault(tuple(numbers), []).append(key)
    return sharing


def _make_shared_cards(
    entries: Sequence[AssistantEntry],
    found: Found,
    sharing: Sharing,
) -> Iterator[Card]:
    for numbers, keys in sharing.items():
        members = [entries[number] for number in numbers]
        places: dict[Key, list[str]] = {}
        for number in numbers:
            for one in found[number]:
                places.setdefault(one.key, []).append(tell_place(one.change, entries[number]))
        shared = [one for one in found[numbers[0]] if one.key in keys]
        one_place = all(len({*places[key]}) == 1 for key in keys)
        first = members[0]
        # Who has other differences, too, stands elsewhere for them: here only this counts.
        kinds = [kind for kind in Kind if any(one.change.kind is kind for one in shared)]
        yield Card(
            title=f"{len(members)} assistants",
            standing=_tell_shared_standing(first, kinds),
            severity=_rank_shared(first, kinds),
            entries=tuple(members),
            groups=tuple(_group(shared, number=len(members), places=places if one_place else None)),
            remarks=tuple(tell_setters([one.change for number in numbers for one in found[number] if one.key in keys])),
            members=tuple(_name_members(members, [] if one_place else places[keys[0]])),
        )


def _rank_shared(entry: AssistantEntry, kinds: Sequence[Kind]) -> Severity:
    if entry.status is Status.FROZEN:
        return wording.rank_severity(entry)
    return min([kind.status.severity for kind in kinds] + ([entry.outcome.severity] if entry.outcome else []))


def _tell_shared_standing(entry: AssistantEntry, kinds: Sequence[Kind]) -> str:
    if entry.outcome is not None or entry.status in (Status.NEW, Status.FROZEN):
        return wording.tell_standing(entry)
    return ", ".join(wording.KIND[kind] for kind in kinds)


def _name_members(members: Sequence[AssistantEntry], places: Sequence[str]) -> Iterator[str]:
    """Yield names in the order of their places, if those are not one; the last of several says the place of all."""
    titles = [wording.choose_title(entry) for entry in members]
    order = sorted(range(len(members)), key=lambda number: places[number]) if places else range(len(members))
    for number, following in itertools.zip_longest(order, order[1:]):
        name = titles[number] if titles.count(titles[number]) == 1 else show_name(members[number].key)
        if not places or (following is not None and places[following] == places[number]):
            yield name
        else:
            several = places.count(places[number]) > 1
            yield f"{'and ' if several else ''}{name} ({places[number]})"


def _make_own_cards(
    report: Report,
    entries: Sequence[AssistantEntry],
    found: Found,
    sharing: Sharing,
) -> Iterator[Card]:
    shared: list[dict[Key, int]] = [{} for _ in entries]
    for numbers, keys in sharing.items():
        for number in numbers:
            shared[number] |= dict.fromkeys(keys, len(numbers))
    problems: dict[str, list[ProblemEntry]] = {}
    # Of a check of files alone the problems are the report, and are listed.
    for problem in report.problems if report.traits.reads_live else ():
        if problem.severity == "error":
            problems.setdefault(problem.file, []).append(problem)
    grouped: dict[tuple[str, ...], list[Card]] = {}
    for number, entry in enumerate(entries):
        own = [one for one in found[number] if one.key not in shared[number]]
        also = {one.field.name: shared[number][one.key] for one in found[number] if one.key in shared[number]}
        card = _make_own_card(entry, own, also, problems.get(entry.file, ()), report)
        if card is None:
            continue
        # An error that several have, and nothing else, is one thing to say: a wrong password is no news 1,000 times.
        alone = card.error and not card.groups and not [one for one in card.remarks if one.label != ALSO]
        key = (card.standing, *card.error, *map(str, card.remarks)) if alone else (str(number),)
        grouped.setdefault(key, []).append(card)
    for cards in grouped.values():
        yield cards[0] if len(cards) == 1 else _unite(cards)


def _make_own_card(
    entry: AssistantEntry,
    own: Sequence[Difference],
    also: Mapping[str, int],
    problems: Sequence[ProblemEntry],
    report: Report,
) -> Card | None:
    """Return what is to be said of one assistant alone; None where that is nothing, or told of many together.

    `also` are the fields that are told of many together, with the number of assistants. `problems` are those of its
    file: a card says all of them, so that no list has to repeat them.
    """
    listed = (escape(f"line {problem.line}: {problem.message.strip()}") for problem in problems)
    error = tuple(listed if problems and entry.error else wording.tell_error(entry))
    remarks = [*tell_setters([one.change for one in own]), *list_remarks(entry)]
    if not (own or error or remarks) and (also or not wording.is_worth_showing(entry)):
        return None
    remarks += [Remark(ALSO, f"{name}, as in {number} assistants") for name, number in also.items()]
    updated = wording.tell_last_edit(entry)
    return Card(
        title=wording.choose_title(entry),
        file=show_name(entry.file),
        id=entry.id or "",
        standing=wording.tell_standing(entry),
        severity=wording.rank_severity(entry),
        entries=(entry,),
        groups=tuple(_group(own, aside=updated)),
        remarks=tuple(remarks),
        error=error,
        error_in_brief=wording.tell_error_in_brief(entry.error, report) if entry.error else "",
    )


def _unite(cards: Sequence[Card]) -> Card:
    names = [card.file + (f" ({escape(card.id)})" if card.id else "") for card in cards]
    return dataclasses.replace(
        cards[0],
        title=f"{len(cards)} assistants",
        file="",
        id="",
        entries=tuple(entry for card in cards for entry in card.entries),
        members=tuple(names),
    )


def _group(
    differences: Sequence[Difference],
    *,
    aside: str = "",
    number: int = 1,
    places: Mapping[Key, Sequence[str]] | None = None,
) -> Iterator[Group]:
    """Yield differences in groups, conflicts first: those of one kind that go the same way, in one place, together."""
    groups: dict[tuple[Kind, str, str], list[Difference]] = {}
    for kind in Kind:
        for one in differences:
            if one.change.kind is kind:
                place = places[one.key][0] if places else ""
                groups.setdefault((kind, one.title, place), []).append(one)
    for (kind, title, place), found in groups.items():
        yield Group(
            kind=kind,
            title=title,
            fate=found[0].fate,
            aside="" if kind is Kind.CHANGE else aside,
            fields=tuple(one.field for one in found),
            change=found[0].change,
            number=number,
            place=place,
        )


def tell_place(change: ChangeEntry, entry: AssistantEntry) -> str:
    """Return where a value is declared: `assistants/_defaults.yaml:3`."""
    return show_name(change.file or entry.file) + (f":{change.line}" if change.line else "")
