"""Cards: one for each assistant of which something is to be said, and one for what several have in common. Pure."""

import dataclasses
import functools
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.core.outcome import Kind, Outcome, Severity, Status
from reconciler.report import wording
from reconciler.report.differences.sentences import Field
from reconciler.report.differences.values import escape, show_name
from reconciler.report.remarks import ALSO, Remark, list_remarks, tell_setters
from reconciler.report.report import AssistantEntry, ChangeEntry, Report

NAMED_FIELDS = 3  # of a card that is closed
SHARED = 3  # assistants that have one and the same change before it is shown once for all


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Fields of one origin, with what is above them; `number` and `place` are of a change that many share."""

    kind: Kind
    title: str = ""
    # What becomes of live edits: they are left, or git's values are put back.
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
    """One assistant, or several of which the same is to be said: those are `members`, each with its name."""

    # Without groups, remarks and an error the first line says everything.
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
    origin: str = ""  # instead of where a difference comes from, for a command that asks nobody
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
    def changed(self) -> Counter[str]:
        """How many lines of which field differ, in order."""
        lines = Counter[str]()
        for field in self.fields:
            lines[field.name] += field.changed
        return lines

    @property
    def files(self) -> list[str]:
        """The definition, or where that which many share is declared."""
        return [self.file] if self.file else [*dict.fromkeys(group.place for group in self.groups if group.place)]

    @property
    def first_fields(self) -> list[tuple[str, list[Field], int]]:
        """The first fields, with words before them or none, and how many more there are."""
        # Of one that is deleted no field is worth a name.
        if any(entry.outcome is Outcome.DELETED for entry in self.entries):
            return []
        # Live edits are apart, by what will happen to them: the assistant's outcome says nothing about those.
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


@dataclasses.dataclass(frozen=True)
class Difference:
    """A part of a change of one assistant, with what is said above it and what becomes of a live edit."""

    entry: AssistantEntry
    change: ChangeEntry
    field: Field
    title: str
    fate: str

    @functools.cached_property
    def key(self) -> Key:
        """What two have in common that read alike in every word."""
        return self.title, self.entry.outcome, self.field.key

    @property
    def place(self) -> str:
        """Where its value is declared: `assistants/_defaults.yaml:3`."""
        line = f":{self.change.line}" if self.change.line else ""
        return show_name(self.change.file or self.entry.file) + line


# A report may have an assistant twice, so each is equal to itself alone.
@dataclasses.dataclass(frozen=True, eq=False)
class Told:
    """An assistant, what differs in it, and the cards that tell of it: none for a quiet one."""

    entry: AssistantEntry
    differences: tuple[Difference, ...]
    cards: tuple[Card, ...] = ()


Sharing = Mapping[tuple[Told, ...], Sequence[Key]]


def make_cards(told: Sequence[Told], report: Report) -> list[Card]:
    """Return the cards of assistants, which come sorted, the gravest first."""
    sharing = _find_shared(told)
    cards = [*_make_shared_cards(sharing, report), *_make_own_cards(told, sharing, report)]
    # Sorted for good: of one severity, what many share comes first.
    return sorted(cards, key=lambda card: (card.severity, not card.members))


def _find_shared(told: Sequence[Told]) -> Sharing:
    """Return the changes that enough assistants have in common, under those that have them."""
    having: dict[Key, list[Told]] = {}
    for one in told:
        for key in dict.fromkeys(difference.key for difference in one.differences):
            having.setdefault(key, []).append(one)
    sharing: dict[tuple[Told, ...], list[Key]] = {}
    for key, members in having.items():
        # Several reports shown as one have an assistant more than once.
        if len({(one.entry.file, one.entry.environment) for one in members}) >= SHARED:
            sharing.setdefault(tuple(members), []).append(key)
    return sharing


def _make_shared_cards(sharing: Sharing, report: Report) -> Iterator[Card]:
    for members, keys in sharing.items():
        entries = [one.entry for one in members]
        all_shared = [difference for one in members for difference in one.differences if difference.key in keys]
        places: dict[Key, list[str]] = {}
        for difference in all_shared:
            places.setdefault(difference.key, []).append(difference.place)
        one_place = all(len({*found}) == 1 for found in places.values())
        shared = [one for one in members[0].differences if one.key in keys]
        # An assistant with other differences has another card for them: here only these count.
        first, kinds = entries[0], {one.change.kind for one in shared}
        standing, severities = wording.name_kinds(kinds), [kind.status.severity for kind in kinds]
        if first.outcome is not None or first.status in (Status.NEW, Status.FROZEN):
            standing = wording.tell_standing(first)
        if first.status is Status.FROZEN:
            severities = [wording.rank_severity(first)]
        elif first.outcome is not None:
            severities.append(first.outcome.severity)
        yield Card(
            title=f"{len(members)} assistants",
            standing=standing,
            severity=min(severities),
            entries=tuple(entries),
            groups=tuple(_group(shared, number=len(members), in_place=one_place)),
            remarks=tuple(tell_setters([one.change for one in all_shared])),
            origin=report.traits_of(first).origin,
            members=tuple(_name_members(entries, [] if one_place else places[keys[0]])),
        )


def _name_members(members: Sequence[AssistantEntry], places: Sequence[str]) -> Iterator[str]:
    """Yield names in the order of their places, if those are not one; the last of several says the place of all."""
    titles = [wording.choose_title(entry) for entry in members]
    keys = [wording.show_in(entry, entry.key) for entry in members]
    order = sorted(range(len(members)), key=lambda number: places[number]) if places else range(len(members))
    for number, following in itertools.zip_longest(order, order[1:]):
        name = titles[number] if titles.count(titles[number]) == 1 else keys[number]
        if not places or (following is not None and places[following] == places[number]):
            yield name
        else:
            several = places.count(places[number]) > 1
            yield f"{'and ' if several else ''}{name} ({places[number]})"


def _make_own_cards(told: Sequence[Told], sharing: Sharing, report: Report) -> Iterator[Card]:
    shared: dict[Told, dict[Key, int]] = {}
    for members, keys in sharing.items():
        for one in members:
            shared.setdefault(one, {}).update(dict.fromkeys(keys, len(members)))
    # A card has all problems of its file. Of a check of files alone they are the report, and are listed there.
    problems: dict[str, list[str]] = {}
    for problem in report.problems if report.traits.reads_live else ():
        if problem.severity == "error":
            said = escape(f"line {problem.line}: {problem.message.strip()}")
            problems.setdefault(problem.file, []).append(said)
    grouped: dict[tuple[str, ...], list[Card]] = {}
    for number, one in enumerate(told):
        card = _make_own_card(one, shared.get(one, {}), problems.get(one.entry.file, ()), report)
        if card is None:
            continue
        # An error that several have, and nothing else, is one thing to say: a wrong password is no news 1,000 times.
        alone = card.error and not card.groups and all(remark.label == ALSO for remark in card.remarks)
        key = (card.standing, *card.error, *map(str, card.remarks)) if alone else (str(number),)
        grouped.setdefault(key, []).append(card)
    for cards in grouped.values():
        yield cards[0] if len(cards) == 1 else _unite(cards)


def _make_own_card(told: Told, shared: Mapping[Key, int], problems: Sequence[str], report: Report) -> Card | None:
    """Return what is to be said of one assistant alone; None where that is nothing, or told of many together."""
    entry = told.entry
    # What is told of many together is named alone, with the number of assistants.
    own = [one for one in told.differences if one.key not in shared]
    traits = report.traits_of(entry)
    error = tuple(problems if problems and entry.error else wording.tell_error(entry))
    remarks = [*tell_setters([one.change for one in own]), *list_remarks(entry)]
    # To `drift` an assistant that is still to be created has no differences, and no more is to be said of it.
    calm = entry.status in (Status.IN_SYNC, Status.NEW) and entry.outcome in (None, Outcome.UNCHANGED)
    calm = calm and not wording.is_unclear(entry)
    if not (own or error or remarks) and (shared or calm):
        return None
    kind = entry.error.kind if entry.error else ""
    also = {one.field.name: shared[one.key] for one in told.differences if one.key in shared}
    remarks += [Remark(ALSO, f"{name}, as in {number} assistants") for name, number in also.items()]
    return Card(
        title=wording.choose_title(entry),
        file=show_name(entry.file),
        id=entry.id or "",
        standing=wording.tell_standing(entry),
        severity=wording.rank_severity(entry),
        entries=(entry,),
        groups=tuple(_group(own, aside=wording.tell_last_edit(entry))),
        remarks=tuple(remarks),
        error=error,
        error_in_brief=traits.errors.get(kind) or wording.ERROR.get(kind, kind),
        origin=traits.origin,
    )


def _unite(cards: Sequence[Card]) -> Card:
    entries = [entry for card in cards for entry in card.entries]
    names = [wording.show_in(entry, entry.file) + (f" ({escape(entry.id)})" if entry.id else "") for entry in entries]
    return dataclasses.replace(
        cards[0],
        title=f"{len(cards)} assistants",
        file="",
        id="",
        entries=tuple(entries),
        members=tuple(names),
    )


def _group(
    differences: Sequence[Difference], *, aside: str = "", number: int = 1, in_place: bool = False
) -> Iterator[Group]:
    """Yield differences in groups, conflicts first: those of one kind that go the same way, in one place, together."""
    groups: dict[tuple[Kind, str, str], list[Difference]] = {}
    for kind in Kind:
        for one in differences:
            if one.change.kind is kind:
                groups.setdefault((kind, one.title, one.place if in_place else ""), []).append(one)
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
