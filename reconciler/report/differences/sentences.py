"""Describes a difference for every format: its sign, its values in order, and a long text line by line."""

import dataclasses
import functools
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from reconciler.assistant.fields import UNORDERED
from reconciler.assistant.paths import parse_pointer
from reconciler.core.canonical import exact_text
from reconciler.core.outcome import Kind
from reconciler.core.tree import MISSING, walk_leaves
from reconciler.dataclass import dataclass
from reconciler.report.commands import Words
from reconciler.report.differences.diffs import DiffLine, Mark, count_changed_lines, diff_texts
from reconciler.report.differences.parts import Part, split_difference
from reconciler.report.differences.values import (
    NOTHING,
    SENSITIVE,
    field_name,
    fits_on_a_line,
    literal,
    literals,
    reveal_alike,
)
from reconciler.report.meaning import describe_meaning
from reconciler.report.report import AssistantEntry, ChangeEntry, Report
from reconciler.report.wording import count_noun

Sign = Literal["+", "-", "~"]
_OLD_AND_NEW: tuple[Mark, Mark] = ("old", "new")
NOT_SHOWN = "the hidden values differ"
SENSITIVE_DIFFERS = "(differs in a sensitive part, which is not shown)"
SENSITIVE_MAY_DIFFER = "(may also differ in a sensitive part, which is not shown)"


@dataclass(frozen=True, slots=True)
class Side:
    """One value in a sentence: the words before it, its side, the value, an aside and a comma after it."""

    words: str
    mark: Mark
    value: str
    comma: str = ""
    aside: str = ""

    @property
    def parts(self) -> list[str]:
        """The parts, as in `git has "A",`. A line may be broken between them."""
        phrase = " ".join(filter(None, (self.words, self.value)))
        return [phrase, f"({self.aside}){self.comma}"] if self.aside else [phrase + self.comma]

    @property
    def text(self) -> str:
        """The parts as one."""
        return " ".join(self.parts)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field that differs, or one part of it (`model.messages[0].content`)."""

    name: str
    sign: Sign
    sides: tuple[Side, ...] = ()  # short values, as a sentence
    label: str = ""  # how to read long values
    long: tuple[Any, Any] | None = None
    meaning: str = ""

    @functools.cached_property
    def lines(self) -> tuple[DiffLine, ...]:
        """The long values line by line, with the changed words marked. Computed when a format first shows them."""
        return diff_texts(*self.long) if self.long else ()

    @property
    def changed_lines(self) -> int:
        """How many lines differ, without comparing words. A sentence counts as one line."""
        return count_changed_lines(*self.long) if self.long else 1

    @property
    def sentence(self) -> str:
        """The short values, with words that say whose they are, or "" for long values."""
        return " ".join(side.text for side in self.sides)

    @property
    def brief(self) -> str:
        """The field in a few words: its short values, or how many lines differ."""
        summary = self.sentence or (count_noun(self.changed_lines, "line") if self.long else self.label)
        return f"{self.name}: {summary}" if summary else self.name

    @property
    def key(self) -> tuple[Any, ...]:
        """A key that is equal for fields that read the same."""
        return self.name, self.sign, self.sides, self.label, *map(freeze, self.long or ())


def freeze(value: Any) -> tuple[str, str]:
    """Return a JSON value as a key for a dictionary. Different values have different keys, and texts are not copied."""
    return ("text", value) if isinstance(value, str) else ("other", exact_text(value))


def describe_missing_lines(
    lacks: Counter[str], room: int = 1_000, *, name: Callable[[str], str] = str, measure: Callable[[str], int] = len
) -> str:
    """Return how many lines of which fields are missing, in about `room` as `measure` counts. `name` formats names."""
    phrases: list[str] = []
    for field, number in lacks.items():
        words = f"{count_noun(number, 'line')} of {name(field)}"
        if measure(words) > room:
            break
        room -= measure(words) + 2
        phrases.append(words)
    if others := [*lacks.values()][len(phrases) :]:
        lines = count_noun(sum(others), "line")
        phrases.append(f"{lines} of {count_noun(len(others), 'other field' if phrases else 'field')}")
    return ", ".join(phrases)


def is_written(change: ChangeEntry, entry: AssistantEntry) -> bool | None:
    """Return whether live has or may have what was sent (in a plan, whether it would), or None if that is unknown."""
    # A request that the API refused was sent, but wrote nothing.
    return change.sent if entry.outcome is None or entry.outcome.may_be_live or not change.sent else False


def show_change(change: ChangeEntry, entry: AssistantEntry, report: Report) -> list[Field]:
    """Return a difference as fields to show: one, or one for each part of a list or an object."""
    live, desired, words = change.live_value, change.desired, report.traits_of(entry).words
    name, unordered = field_name(change.path), parse_pointer(change.path) in UNORDERED
    was_written = is_written(change, entry)
    if change.kind is Kind.CONFLICT:
        is_done = entry.outcome is not None and bool(change.sent)
        fields = list(_show_conflict(name, change, words, is_done=is_done, unordered=unordered))
    # A live edit that is still there after the run, as far as the report says.
    elif change.kind is Kind.DRIFT and (was_written is False or (was_written is None and entry.outcome is None)):
        parts = split_difference(desired, live, unordered=unordered, declared="old")
        fields = list(show_parts(name, parts, words.stays, path=change.path))
    else:
        parts = split_difference(live, desired, unordered=unordered)
        fields = list(show_parts(name, parts, words.changes, path=change.path))
    # Masked values inside a list look the same on both sides, whether they differ or not.
    hides = all(
        isinstance(side, list | dict) and any(leaf == SENSITIVE for _, leaf in walk_leaves(side))
        for side in (live, desired)
    )
    if hides and all(SENSITIVE_DIFFERS not in field.label for field in fields):
        fields.append(Field(name=name, sign="~", label=SENSITIVE_MAY_DIFFER))
    return fields


def show_parts(
    name: str, parts: Sequence[Part], words: tuple[str, str], *, path: str = "", asides: tuple[str, str] = ("", "")
) -> Iterator[Field]:
    """Yield the parts of a difference of two values. `path` is the field's path, which decides what a change means."""
    if not parts:
        yield Field(name=name, sign="~", label=SENSITIVE_DIFFERS)
    # A removed element, and an added one in another place, take two sentences.
    short = [fits_on_a_line(part.old) and fits_on_a_line(part.new) for part in parts]
    alone = [part for part, fits in zip(parts, short, strict=True) if fits and None in (part.old, part.new)]
    revealed = reveal_alike(literal(part.old if part.new is None else part.new) for part in alone)
    for part, fits in zip(parts, short, strict=True):
        meaning = "" if part.name else _describe_difference(path, part.old, part.new)
        sign = _choose_sign(part.old, part.new)
        pair = part.old, part.new
        if fits:
            values = [revealed.get(value, value) for value in literals(*pair)]
        else:
            # For two texts, `-`, `+` and the marks show the direction. Other values need a label.
            marks = ("[-this-]", "{+this+}") if all(isinstance(value, str) for value in pair) else ("this", "this")
            values = [NOTHING if value is None else mark for value, mark in zip(pair, marks, strict=True)]
        commas = "," if words[0] else "", ""
        sides = tuple(itertools.starmap(Side, zip(words, _OLD_AND_NEW, values, commas, asides, strict=True)))
        if fits:
            yield Field(name=name + part.name, sign=sign, sides=sides, meaning=meaning)
        else:
            label = " ".join(side.text for side in sides) if words[0] or None in pair else ""
            yield Field(name=name + part.name, sign=sign, label=label, long=pair, meaning=meaning)


def _show_conflict(name: str, change: ChangeEntry, words: Words, *, is_done: bool, unordered: bool) -> Iterator[Field]:
    base, live, desired = change.base, change.live_value, change.desired
    sign = _choose_sign(live, desired)
    meaning = _describe_difference(change.path, live, desired)
    was, git, now = words.both
    now = now.replace("now has", "had") if is_done else now
    has_base = base is not MISSING
    if all(map(fits_on_a_line, (live, desired, base if has_base else None))):
        values: list[tuple[str, Mark, Any]] = [(was, "same", base), (git, "new", desired), (now, "old", live)]
        values = values if has_base else values[1:]
        texts = literals(*(None if value is MISSING else value for *_, value in values))
        commas = [","] * (len(values) - 1) + [""]
        sides = tuple(Side(word, mark, *rest) for (word, mark, _), *rest in zip(values, texts, commas, strict=True))
        yield Field(name=name, sign=sign, sides=sides, meaning=meaning)
        return
    edits = [("", words.changes, split_difference(live, desired, unordered=unordered))]
    if has_base:
        # Show two diffs from the base, because one diff of both sides would not show who changed what.
        in_git = split_difference(base, desired, unordered=unordered, declared="both")
        in_live = split_difference(base, live, unordered=unordered, declared="old")
        edits = [(words.git_moved, (was, git), in_git), (words.live_moved, (was, now), in_live)]
        # Two edits that look the same would not look like a conflict. A third part shows how they differ.
        live_parts = {part.name: part.new for part in in_live}
        pairs = [Part(part.name, part.new, live_parts[part.name]) for part in in_git if part.name in live_parts]
        if alike := [part for part in pairs if reveal_alike(map(literal, (part.old, part.new)))]:
            edits.append(("", (git, now), alike))
    for label, sentence, parts in edits:
        for field in show_parts(name, parts, sentence, path=change.path):
            # For a long text, the label says whose it is. In a short sentence, each side says it.
            says_all = bool(label) and field.long is not None and None not in field.long
            labels = [label, "" if says_all else field.label]
            yield dataclasses.replace(field, label=": ".join(filter(None, labels)), meaning=meaning)


def _describe_difference(path: str, old: Any, new: Any) -> str:
    """Return what a difference means. If masked values make both sides look the same, it says that they differ."""
    words = describe_meaning(path, old, new)
    alike = old is not None and old == new and type(old) is type(new)
    return "; ".join(filter(None, [words, NOT_SHOWN if alike else ""]))


def _choose_sign(old: Any, new: Any) -> Sign:
    return "-" if new is None else "+" if old is None else "~"
