"""The report as annotations of a GitHub workflow: errors and warnings on the YAML's own lines.

Pure: a document goes in, lines for the runner come out. GitHub shows ten annotations of a kind for each
step, so the most severe come first and the rest is counted. A change that git asks for is no annotation: it
is what a pull request is for.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from reconciler.report import wording
from reconciler.report.document import AssistantEntry, ChangeEntry, Document, ProblemEntry
from reconciler.report.inert import cut
from reconciler.report.values import escape, field_name, field_names, literal
from reconciler.report.workflow_commands import disarmed, workflow_command

MOST_OF_A_KIND = 10

_LONGEST_TITLE = 120
_LONGEST_LINE = 1_000
_LONGEST_VALUE = 200
_WAYS_OUT = (
    "Ways out: --force-conflicts lets git win; remove the field from the definition; or pull the live value into it."
)
_WHERE_THE_REST_IS = "The job's summary and the other reports have them all."

Level = Literal["error", "warning"]


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Annotation:
    """One remark, sorted from the most severe: errors, conflicts, live edits, warnings; then by place.

    `line` and `column` are 0 where a file as a whole is meant, `file` is empty where the whole run is.
    """

    level: Level  # "error" sorts before "warning"
    rank: int
    file: str
    line: int
    column: int
    title: str
    text: str


def render_github(document: Document) -> str:
    """Return the annotations, a count of those that are left out, and the totals, as lines for the runner."""
    lines: list[str] = []
    seen: Counter[str] = Counter()
    for annotation in sorted(set(annotations(document))):
        seen[annotation.level] += 1
        if seen[annotation.level] <= MOST_OF_A_KIND:
            lines.append(_line(annotation))
    more = [
        wording.counted(number - MOST_OF_A_KIND, f"more {level}", f"more {level}s")
        for level, number in sorted(seen.items())
        if number > MOST_OF_A_KIND
    ]
    if more:
        text = f"{' and '.join(more)} not shown here. {_WHERE_THE_REST_IS}"
        lines.append(workflow_command("notice", {"title": wording.heading(document)}, text))
    lines += map(disarmed, [*_notes(document), wording.summary_line(document)])
    return "\n".join(lines) + "\n"


def annotations(document: Document) -> Iterator[Annotation]:
    """Yield everything that is worth an annotation, in no order."""
    for problem in document["problems"]:
        yield _of_problem(problem, strict=document["options"].get("strict") is True)
    told = {problem["file"] for problem in document["problems"] if problem["severity"] == "error"}
    for entry in document["assistants"]:
        if not (entry["file"] in told and entry["error"] and entry["error"]["kind"] in ("invalid", "duplicate")):
            yield from _of_outcome(entry, document)
        for change in entry["changes"]:
            yield from _of_change(change, entry, document)
        for warning in entry["warnings"]:
            yield _of_entry(entry, "warning", 3, "Warning", [warning])
    if skipped := document["summary"].get("skipped"):
        text = f"{wording.counted(skipped, 'assistant')} {wording.OUTCOME['skipped']}."
        yield Annotation("error", 0, "", 0, 0, wording.heading(document), text)
    for warning in document["warnings"]:
        yield Annotation("warning", 3, "", 0, 0, "Warning", _text([warning]))


def _line(annotation: Annotation) -> str:
    places: dict[str, str | int] = {"file": annotation.file}
    if annotation.file:
        places["line"] = annotation.line or 1
    if annotation.column:
        places["col"] = annotation.column
    return workflow_command(annotation.level, {**places, "title": annotation.title}, annotation.text)


def _of_problem(problem: ProblemEntry, *, strict: bool) -> Annotation:
    wrong = problem["severity"] == "error"
    return Annotation(
        level="error" if wrong or strict else "warning",
        rank=0 if wrong else 3,
        file=escape(problem["file"]),
        line=problem["line"],
        column=problem["column"],
        title="The definition is not valid" if wrong else "Probably not what was meant",
        text=_text([problem["message"]]),
    )


def _of_outcome(entry: AssistantEntry, document: Document) -> Iterator[Annotation]:
    """Yield what went wrong with an assistant as a whole, unless that is a conflict: its fields say that themselves."""
    told = any(change["kind"] == "conflict" and _consequence(change, entry, document) for change in entry["changes"])
    if entry["error"] and entry["error"]["kind"] == "conflict" and told:
        return
    lines, line = wording.error_lines(entry), 0
    if entry["remaining"]:
        line = min((change["line"] or 0 for change in _own(entry) if change["path"] in entry["remaining"]), default=0)
        lines.append(f"Not shown live: {field_names(entry['remaining'])}")
    if lines or entry["status"] in ("error", "missing") or entry["outcome"] in wording.TROUBLE:
        yield _of_entry(entry, "error", 0, wording.standing(entry), lines or [wording.standing(entry)], line)


def _own(entry: AssistantEntry) -> list[ChangeEntry]:
    """Return the changes of which the definition's own file declares the value, and no overlay."""
    return [change for change in entry["changes"] if change.get("file", entry["file"]) == entry["file"]]


def _of_entry(
    entry: AssistantEntry, level: Level, rank: int, what: str, lines: Sequence[str], line: int = 0
) -> Annotation:
    return Annotation(level, rank, escape(entry["file"]), line, 0, _title(what, entry), _text(lines))


def _of_change(change: ChangeEntry, entry: AssistantEntry, document: Document) -> Iterator[Annotation]:
    """Yield an annotation for a conflict, and for a live edit that a plan would revert or that drift found."""
    consequence = _consequence(change, entry, document)
    if consequence is None:
        return
    conflict = change["kind"] == "conflict"
    level: Level = "error" if conflict and not document["options"].get("force_conflicts") else "warning"
    sides = [f"live {_value(change.get('live'))}", f"definition {_value(change['desired'])}"]
    if conflict and "base" in change:
        before = change["base"]
        sides.append("was not set before" if before is None else f"both moved from {_value(before)}")
    yield Annotation(
        level=level,
        rank=1 if conflict else 2,
        file=escape(change.get("file", entry["file"])),
        line=change["line"] or 0,
        column=0,
        title=_title("Conflict" if conflict else "Edited live", entry),
        text=_text([f"{field_name(change['path'])}: {', '.join(sides)}.", consequence]),
    )


def _consequence(change: ChangeEntry, entry: AssistantEntry, document: Document) -> str | None:
    """Return what follows from a difference; None where it is no reason for an annotation."""
    options, on_drift = document["options"], document["options"].get("on_drift")
    done = entry["outcome"] == "applied"
    if document["command"] == "rollback":
        return None  # there are no ways out for a field; the outcome says why nothing was undone
    if change["kind"] == "conflict":
        if options.get("force_conflicts"):
            return "Git won: the live edit was overwritten." if done else "apply would overwrite the live edit."
        return f"Git and live both moved; nothing of this assistant is sent. {_WAYS_OUT}"
    if change["kind"] != "drift":
        return None
    if on_drift == "revert":
        return "Git's value was put back." if done else "apply would put git's value back."
    if on_drift == "fail":
        return "With --on-drift fail, nothing of this assistant is sent."
    return "reconciler pull takes the live value into the definition." if document["command"] == "drift" else None


def _notes(document: Document) -> list[str]:
    notes = [] if document["command"] == "validate" else wording.notes(document)
    return [*wording.environment(document), *notes]


def _title(what: str, entry: AssistantEntry) -> str:
    return cut(f"{what[:1].upper()}{what[1:]}: {escape(wording.title(entry))}", _LONGEST_TITLE)


def _text(lines: Sequence[str]) -> str:
    """Return lines as one text; each shows what it is made of, and only their ends are line ends."""
    return "\n".join(cut(escape(line.strip()), _LONGEST_LINE) for line in lines)


def _value(value: object) -> str:
    return "is not set" if value is None else cut(literal(value), _LONGEST_VALUE)
