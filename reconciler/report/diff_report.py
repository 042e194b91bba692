"""Compares the definitions of two environments, except for ids (docs/configuration.md, "environments")."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from reconciler import __version__
from reconciler.assistant.fields import UNORDERED
from reconciler.assistant.paths import FieldPath, parse_pointer, to_pointer
from reconciler.core.canonical import align_line_ends, find_differing_declarations
from reconciler.core.definition import Definition, InvalidDefinition
from reconciler.core.outcome import Kind, Urgency
from reconciler.core.settings import Settings
from reconciler.core.tree import MISSING, value_at
from reconciler.dataclass import dataclass
from reconciler.report.cards import Card, Group
from reconciler.report.differences.parts import split_difference
from reconciler.report.differences.sentences import Field, show_parts
from reconciler.report.differences.values import escape, field_name, show_name
from reconciler.report.masking import mask_value
from reconciler.report.report import FORMAT_VERSION
from reconciler.report.view import View
from reconciler.report.wording import count_noun

_Environment = tuple[str, Sequence[Definition]]  # its name, and its definitions
Standing = Literal["differs", "alike", "only_in_environment", "only_in_against", "error"]


@dataclass(frozen=True, slots=True)
class DeclaredEntry:
    """A value, and the file and line that declare it. The line is null if it is unknown."""

    value: Any
    file: str
    line: int | None

    @property
    def place(self) -> str:
        """Where the value is declared: `assistants/a.yaml:3`."""
        return escape(self.file) + (f":{self.line}" if self.line is not None else "")


@dataclass(frozen=True, slots=True)
class DifferenceEntry:
    """One leaf that differs. An environment that declares nothing there is null."""

    path: str
    environment: DeclaredEntry | None
    against: DeclaredEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionEntry:
    """One definition; `error` says why it could not be compared."""

    key: str
    file: str
    standing: Standing
    differences: tuple[DifferenceEntry, ...]
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffReport:
    """The whole report, without a time. `definitions` is sorted by file, and includes those that are alike."""

    format_version: int
    tool_version: str
    command: str
    environment: str
    against: str
    summary: dict[str, int]
    definitions: tuple[DefinitionEntry, ...]


def build_diff_report(
    environment: _Environment, against: _Environment, settings: Settings, *, sensitive: Sequence[FieldPath] = ()
) -> DiffReport:
    """Return how two environments, each with its definitions, differ under the `settings` of the first.

    Values at `sensitive` paths are masked.
    """
    first, second = ({each.file: each for each in definitions} for _, definitions in (environment, against))
    definitions = tuple(
        _build_definition(file, first.get(file), second.get(file), settings, sensitive)
        for file in sorted({*first, *second})
    )
    standings = [entry.standing for entry in definitions]
    return DiffReport(
        format_version=FORMAT_VERSION,
        tool_version=__version__,
        command="diff",
        environment=environment[0],
        against=against[0],
        summary={
            "total": len(standings),
            "differ": standings.count("differs"),
            **{name: standings.count(name) for name in ("alike", "only_in_environment", "only_in_against", "error")},
        },
        definitions=definitions,
    )


def _build_definition(
    file: str, first: Definition | None, second: Definition | None, settings: Settings, sensitive: Sequence[FieldPath]
) -> DefinitionEntry:
    for each in (second, first):
        if isinstance(each, InvalidDefinition):
            return DefinitionEntry(key=each.key, file=file, standing="error", differences=(), error=each.message)
    if first is None or second is None:
        standing: Standing = "only_in_against" if first is None else "only_in_environment"
        key = first.key if first else second.key if second else ""
        return DefinitionEntry(key=key, file=file, standing=standing, differences=(), error=None)
    # If line ends do not count, they are no difference here either.
    second = dataclasses.replace(second, declared=align_line_ends(second.declared, first.declared, settings))
    differences = tuple(
        DifferenceEntry(
            to_pointer(path), _declare(path, first, second, sensitive), _declare(path, second, first, sensitive)
        )
        for path in find_differing_declarations(first.declared, second.declared)
    )
    standing = "differs" if differences else "alike"
    return DefinitionEntry(key=first.key, file=file, standing=standing, differences=differences, error=None)


def _declare(
    path: FieldPath, definition: Definition, other: Definition, sensitive: Sequence[FieldPath]
) -> DeclaredEntry | None:
    if (value := value_at(definition.declared, path)) is MISSING:
        return None
    place = definition.find_line(path, value, value_at(other.declared, path)) or (definition.file, None)
    return DeclaredEntry(mask_value(value, path, sensitive), *place)


def make_diff_view(report: DiffReport) -> View:
    """Return the view of a comparison, with a card for each definition that differs."""
    cards = [_make_card(entry, report) for entry in report.definitions if entry.standing != "alike"]
    summary = report.summary
    alike = summary["total"] == summary["alike"]
    sentence = f"{report.environment} and {report.against} do not differ."
    return View(
        title="Diff",
        all_is_well=alike,
        totals=_write_totals(report) if summary["total"] else "Diff: no definitions selected, nothing to do.",
        cards=tuple(sorted(cards, key=lambda card: card.urgency)),
        sentences=(sentence,) if alike and report.definitions else (),
        tells_origins=False,
    )


def _write_totals(report: DiffReport) -> str:
    """Return `1 differs, 0 only in staging, 1 only in production, 2 alike, 0 errors` as a sentence."""
    summary = report.summary
    differ, errors = count_noun(summary["differ"], "differs", "differ"), count_noun(summary["error"], "error")
    environment_only = f"{summary['only_in_environment']} only in {report.environment}"
    against_only = f"{summary['only_in_against']} only in {report.against}"
    return f"Diff: {differ}, {environment_only}, {against_only}, {summary['alike']} alike, {errors}."


def _make_card(entry: DefinitionEntry, report: DiffReport) -> Card:
    environment, against = report.environment, report.against
    standings: dict[Standing, str] = {
        "differs": count_noun(len(entry.differences), "field differs", "fields differ"),
        "error": "error",
        "only_in_environment": f"only in {environment}: it has no id in {against}",
        "only_in_against": f"only in {against}: it has no id in {environment}",
    }
    fields = tuple(field for difference in entry.differences for field in _show_difference(difference, report))
    return Card(
        title=show_name(entry.key),
        file=show_name(entry.file),
        standing=standings[entry.standing],
        urgency=Urgency.PROBLEM if entry.standing == "error" else Urgency.CHANGE,
        groups=(Group(kind=Kind.CHANGE, fields=fields),) if fields else (),
        error=(escape(entry.error),) if entry.error else (),
        error_in_brief=entry.error or "",
    )


def _show_difference(difference: DifferenceEntry, report: DiffReport) -> Iterator[Field]:
    """Return a difference as it reads: `production has 0.7 (assistants/a.yaml:9), staging has 0.3 (...:4)`."""
    sides = difference.against, difference.environment
    values = (side.value if side else None for side in sides)
    # A field that is declared as null is still declared.
    before, after = (f"{'null at ' if side.value is None else ''}{side.place}" if side else "" for side in sides)
    words = f"{report.against} has", f"{report.environment} has"
    unordered = parse_pointer(difference.path) in UNORDERED
    parts = split_difference(*values, unordered=unordered, declared="both")
    return show_parts(field_name(difference.path), parts, words, asides=(before, after))
