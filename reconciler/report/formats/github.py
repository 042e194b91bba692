"""The report as annotations of a GitHub workflow: errors and warnings next to the lines of the YAML.

GitHub shows ten annotations of each kind for a step, so the most severe come first, and the rest is counted. Changes
in git get none, because the pull request shows them anyway. Pure.
"""

import dataclasses
import itertools
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from reconciler.assistant.plain_words import list_some
from reconciler.core.outcome import Kind, Outcome, Unsent
from reconciler.report import wording
from reconciler.report.build import STATUSES
from reconciler.report.cards import SHARED, Card
from reconciler.report.differences.diffs import DiffLine
from reconciler.report.differences.sentences import Field, describe_missing_lines
from reconciler.report.differences.values import escape, field_name
from reconciler.report.formats.inert import cut
from reconciler.report.formats.page import fit_lines
from reconciler.report.formats.workflow_commands import disarm, write_command
from reconciler.report.report import AssistantEntry, ChangeEntry, Report
from reconciler.report.view import RunView

MOST_OF_A_KIND = 10
_LONGEST_TITLE = 120
_LONGEST_LINE = 1_000
_LONGEST_DIFF = 8_000  # characters of a text in an annotation
_WHERE_THE_REST_IS = "The job's summary shows as much as fits. The JSON and HTML reports show everything."
# What happens to a live edit when git's value is sent: after the apply, and in a plan.
_OVERWRITTEN = ("Git's value was sent: the live edit was overwritten.", "apply would overwrite the live edit.")
_RESTORED = ("Git's value was restored.", "apply would restore git's value.")
Level = Literal["error", "warning"]


@dataclasses.dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Annotation:
    """One annotation. They are sorted by severity (errors, conflicts, live edits, warnings), then by place."""

    level: Level  # "error" sorts before "warning"
    rank: int
    file: str = ""  # "" for the whole run
    line: int = 0  # 0 for the whole file
    column: int = 0
    title: str
    text: str
    lines: tuple[tuple[str, int], ...] = dataclasses.field(default=(), compare=False)  # that differ, for each field


def render_github(view: RunView) -> str:
    """Return the annotations, a count of those that are left out, and the totals, as lines for the runner."""
    lines: list[str] = []
    counts: Counter[str] = Counter()
    # Changes in git get no annotation, but the report says how many lines they have.
    lacks = Counter({field.name: 0 for card in view.cards for field in card.fields})
    for card in view.cards:
        for group in card.groups:
            if group.change is None or describe_consequence(group.change, card.entries[0], view.report) is None:
                for field in group.fields:
                    lacks[field.name] += field.changed_lines
    # A difference that several assistants share is annotated once.
    for annotation in sorted(set(list_annotations(view))):
        counts[annotation.level] += 1
        if counts[annotation.level] <= MOST_OF_A_KIND:
            lines.append(_write_line(annotation))
        else:
            for name, number in annotation.lines:
                lacks[name] += number
    over = [(number - MOST_OF_A_KIND, level) for level, number in sorted(counts.items()) if number > MOST_OF_A_KIND]
    if omitted := [wording.count_noun(number, f"more {level}") for number, level in over]:
        text = f"{' and '.join(omitted)} not shown here. {_WHERE_THE_REST_IS}"
        lines.append(write_command("notice", {"title": wording.name_command(view.report)}, text))
    notes = [*view.sentences, view.totals]
    if lacks := +lacks:
        notes.insert(0, f"Differences not shown here: {describe_missing_lines(lacks)}. {_WHERE_THE_REST_IS}")
    return "\n".join([*lines, *map(disarm, notes)]) + "\n"


def list_outputs(report: Report) -> dict[str, str]:
    """Return the outputs of the step: whether there are changes, drift, conflicts and errors, then the totals."""
    kinds = {"has_changes": Kind.CHANGE, "has_drift": Kind.DRIFT, "has_conflicts": Kind.CONFLICT}
    answers = {**{name: kind in report.kinds for name, kind in kinds.items()}, "has_errors": report.has_failed}
    # Otherwise, a job that applies only if something has changed would never settle it.
    answers["has_changes"] |= any(entry.unclear and entry.patch is not None for entry in report.assistants)
    # All names and values come from this program, so no text of a definition or the API can become an output.
    counts = {str(name): report.summary.get(name, 0) for name in ("total", *STATUSES, *Outcome)}
    return {name: str(value).lower() for name, value in {**answers, **counts}.items()}


def list_annotations(view: RunView) -> Iterator[Annotation]:
    """Yield all annotations, in no particular order."""
    report = view.report
    yield from _annotate_problems(report)
    # Many assistants may share one place. Its annotation is then about all of them.
    several = {
        id(field): card.title for card in view.cards for group in card.groups if group.place for field in group.fields
    }
    # An invalid file is also an assistant with an error, but its problems already have annotations.
    invalid = {problem.file for problem in report.problems if problem.severity == "error"}
    # An error that many share is one annotation with their names. Ten for one wrong password would hide the others.
    united = [card for card in view.cards if card.error and len(card.members) >= SHARED]
    shared_cards = {id(entry): card for card in united for entry in card.entries}
    for assistant in view.assistants:
        entry = assistant.entry
        card = shared_cards.get(id(entry))
        is_first = card is None or card.entries[0] is entry
        if is_first and not (entry.file in invalid and entry.error and entry.error.kind in ("invalid", "duplicate")):
            yield from (_combine(end, card) if card else end for end in _annotate_end(entry, report))
        for change, parts in itertools.groupby(assistant.differences, lambda difference: difference.change):
            fields = [part.field for part in parts]
            title = several.get(id(fields[0])) or wording.choose_title(entry)
            yield from _annotate_change(change, fields, entry, report, title)
        for warning in entry.warnings:
            yield _annotate("warning", 3, entry.file, _make_title("Warning", wording.choose_title(entry)), [warning])
    if skipped := report.summary.get(Outcome.SKIPPED):
        text = f"{wording.count_noun(skipped, 'assistant')} {wording.OUTCOME[Outcome.SKIPPED]}."
        yield _annotate("error", 0, "", wording.name_command(report), [text])
    for warning in report.warnings:
        yield _annotate("warning", 3, "", "Warning", [warning])


def _annotate_problems(report: Report) -> Iterator[Annotation]:
    for problem in report.problems:
        is_error = problem.severity == "error"
        level: Level = "error" if is_error or report.options.get("strict") is True else "warning"
        rank, title = (0, "The definition is not valid") if is_error else (3, "Probably a mistake")
        yield _annotate(level, rank, problem.file, title, [problem.message], line=problem.line, column=problem.column)


def _write_line(annotation: Annotation) -> str:
    line = (annotation.line or 1) if annotation.file else ""
    place = {"file": annotation.file, "line": line, "col": annotation.column or ""}
    return write_command(annotation.level, {**place, "title": annotation.title}, annotation.text)


def _annotate_end(entry: AssistantEntry, report: Report) -> Iterator[Annotation]:
    """Yield what went wrong with an assistant as a whole. A conflict is annotated at its fields instead."""
    of_fields = report.traits_of(entry).follows_git and Kind.CONFLICT in entry.kinds
    if entry.error and entry.error.kind == "conflict" and of_fields:
        return
    lines, line = wording.describe_error(entry), 0
    if entry.remaining:
        # Only lines of the definition's own file: a line of an overlay would point into the wrong file.
        own_changes = (change for change in entry.changes if change.file is None and change.path in entry.remaining)
        line = min((change.line or 0 for change in own_changes), default=0)
        lines.append(f"Not live: {', '.join(map(field_name, entry.remaining))}")
    standing = wording.describe_standing(entry)
    if lines or (entry.status and entry.status.is_unread) or (entry.outcome and entry.outcome.failed):
        title = _make_title(standing, wording.choose_title(entry))
        yield _annotate("error", 0, entry.file, title, lines or [standing], line=line)


def _combine(end: Annotation, card: Card) -> Annotation:
    """Return one assistant's error as an annotation about all assistants of a card, with their names."""
    text = f"{wording.generalize(end.text)}\n{list_some(card.members, MOST_OF_A_KIND)}"
    return dataclasses.replace(end, title=_make_title(card.standing, card.title), text=text)


def _annotate(
    level: Level, rank: int, file: str, title: str, lines: Sequence[str], *, line: int = 0, column: int = 0
) -> Annotation:
    # Every character of a line is visible, and only the line ends that are added here end a line.
    text = "\n".join(cut(escape(line.strip()), _LONGEST_LINE) for line in lines)
    return Annotation(level=level, rank=rank, file=escape(file), line=line, column=column, title=title, text=text)


def _annotate_change(
    change: ChangeEntry, fields: Sequence[Field], entry: AssistantEntry, report: Report, name: str
) -> Iterator[Annotation]:
    """Yield an annotation for a conflict, and for a live edit that a plan would revert or that drift found."""
    consequence = describe_consequence(change, entry, report)
    if consequence is None:
        return
    conflict = change.kind is Kind.CONFLICT
    yield Annotation(
        level="error" if conflict and not _is_wanted(change) else "warning",
        rank=1 if conflict else 2,
        file=escape(change.file or entry.file),
        line=change.line or 0,
        title=_make_title("Conflict" if conflict else "Edited in the dashboard", name),
        text="\n".join([*(line for field in fields for line in _show_field(field)), consequence]),
        lines=tuple((field.name, field.changed_lines) for field in fields),
    )


def _show_field(field: Field) -> Iterator[str]:
    """Yield a field as lines. Of a very long text, only the first lines and the number of the others."""
    if field.sides:
        yield f"{field.name}: {field.sentence}."
        return
    yield f"{field.name}: {field.label}".rstrip(": ")
    lines, lacks, _ = fit_lines(field.lines, _LONGEST_DIFF, _write_diff_line)
    yield from lines
    if lacks:
        yield f"\u2026 {wording.count_noun(lacks, 'more line')} of {field.name}. {_WHERE_THE_REST_IS}"


def _write_diff_line(line: DiffLine, room: int | None) -> list[str]:
    text = f"{' ' if line.sign == 'gap' else line.sign} {line.text}"
    return [text if room is None else cut(text, room)]


def describe_consequence(change: ChangeEntry, entry: AssistantEntry, report: Report) -> str | None:
    """Return what a difference leads to, or None if it needs no annotation."""
    if change.kind not in entry.open_kinds - {Kind.CHANGE} or not report.traits_of(entry).follows_git:
        return None
    named_by = wording.list_naming_options(report, [entry])
    # "would" is for a plan, and for a run that stopped before this assistant.
    is_done = change.sent and entry.outcome is Outcome.APPLIED
    if _is_wanted(change):
        done, planned = _OVERWRITTEN if change.kind is Kind.CONFLICT else _RESTORED
        return done if is_done else planned
    if change.kind is Kind.CONFLICT:
        is_refused = change.sent is False and change.unsent is not Unsent.KEPT
        end = "; nothing is sent to this assistant" if is_refused else ""
        return f"Both sides changed{end}. To resolve it, {Kind.CONFLICT.explain_ways_out(*named_by)}."
    if report.options.get("on_drift") == "fail":
        return "With --on-drift fail, nothing is sent to this assistant."
    pull = shlex.join(["reconciler", "pull", *named_by])
    return f"{pull} writes the live value into the definition." if report.traits_of(entry).is_about_edits else None


def _is_wanted(change: ChangeEntry) -> bool:
    """Return whether git's value was to be sent, even if the run stopped before it."""
    return bool(change.sent) or change.unsent is Unsent.STOPPED


def _make_title(subject: str, name: str) -> str:
    return cut(f"{subject[:1].upper()}{subject[1:]}: {name}", _LONGEST_TITLE)
