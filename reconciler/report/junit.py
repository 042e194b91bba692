"""The report as JUnit XML, for CI systems that show tests: one case per assistant. Pure.

An assistant that could not be read, or of which nobody knows what became, is an error. One that was not
brought to its desired state, or is in conflict, is a failure. A difference is a failure where it was asked
for: in `drift`, whatever was edited live; with `--detailed-exitcode`, whatever makes that exit code 2.

What a run never started or never read is skipped, which most readers take for good; so such a run has one more
case, an error, for itself.

The elements are those that Jenkins' and GitLab's readers share.
"""

import datetime
from collections.abc import Iterator, Sequence
from typing import Literal
from xml.etree import ElementTree

from reconciler.report import wording
from reconciler.report.document import AssistantEntry, Document, ProblemEntry
from reconciler.report.text import assistant_text
from reconciler.report.values import escape

Verdict = Literal["error", "failure", "skipped"]

_OUTCOMES: dict[str, Verdict] = {
    "failed": "failure",
    "refused": "failure",
    "not_converged": "failure",
    "indeterminate": "error",
    "skipped": "skipped",
}


def render_junit(document: Document) -> str:
    """Return the report as an XML document that ends in a newline.

    Every text goes through `escape`, so that nothing is left in it that XML does not allow.
    """
    cases = [_case(entry, document) for entry in document["assistants"]]
    cases += _cases_of_other_files(document)
    cases += _case_of_the_run(document, cases)
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": str(sum(case.find("error") is not None for case in cases)),
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
        "time": _seconds(document),
    }
    name = escape(" ".join(["reconciler", document["command"], *filter(None, [document["environment"]])]))
    suites = ElementTree.Element("testsuites", {"name": name, **counts})
    started = escape(document["started_at"].removesuffix("Z"))
    suite = ElementTree.SubElement(suites, "testsuite", {"name": name, **counts, "timestamp": started})
    suite.extend(cases)
    _add_text(suite, "system-out", [*_notes(document), wording.summary_line(document)])
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _case(entry: AssistantEntry, document: Document) -> ElementTree.Element:
    problems = [problem for problem in document["problems"] if problem["file"] == entry["file"]]
    verdict = _verdict(entry, problems, document)
    case = _named(entry["file"], wording.title(entry))
    if verdict == "skipped":
        ElementTree.SubElement(case, "skipped", {"message": wording.standing(entry)})
        return case
    told = [*map(_problem_line, problems), *_told(entry, document)]
    if verdict is None:
        _add_text(case, "system-out", told)
        return case
    kind = entry["error"]["kind"] if entry["error"] else entry["outcome"] or entry["status"] or "invalid"
    message = (wording.error_lines(entry) or [wording.standing(entry)])[0]
    _add_text(case, verdict, told, message=message, type=escape(kind))
    return case


def _verdict(entry: AssistantEntry, problems: Sequence[ProblemEntry], document: Document) -> Verdict | None:
    """Return what is to be said of an assistant's case beside that it ran; None where all is well."""
    if entry["outcome"] in _OUTCOMES:
        return _OUTCOMES[entry["outcome"]]
    if entry["error"] or entry["status"] in ("error", "missing"):
        return "error"
    if entry["outcome"] is None and entry["status"] is None and document["command"] != "validate":
        return "skipped"
    if any(problem["severity"] == "error" for problem in problems):
        return "error"
    if problems and document["options"].get("strict"):
        return "failure"
    return "failure" if entry["outcome"] is None and _differs_too_much(entry, document) else None


def _differs_too_much(entry: AssistantEntry, document: Document) -> bool:
    kinds = {change["kind"] for change in entry["changes"]}
    if document["command"] == "drift":
        return bool(kinds & {"drift", "conflict"})
    if "conflict" in kinds and not document["options"].get("force_conflicts"):
        return True
    return bool(kinds) and document["options"].get("detailed_exitcode") is True


def _cases_of_other_files(document: Document) -> Iterator[ElementTree.Element]:
    """Yield a case for each file with a problem that is no assistant's own, such as the settings."""
    known = {entry["file"] for entry in document["assistants"]}
    for file in sorted({problem["file"] for problem in document["problems"]} - known):
        problems = [problem for problem in document["problems"] if problem["file"] == file]
        case = _named(file, file)
        failing = any(problem["severity"] == "error" for problem in problems) or document["options"].get("strict")
        if failing:
            attributes = {"message": wording.counted(len(problems), "problem"), "type": "invalid"}
            _add_text(case, "error", map(_problem_line, problems), **attributes)
        else:
            _add_text(case, "system-out", map(_problem_line, problems))
        yield case


def _case_of_the_run(document: Document, cases: Sequence[ElementTree.Element]) -> Iterator[ElementTree.Element]:
    """Yield a case for the run as a whole, an error, where it left assistants out."""
    if all(case.find("skipped") is None for case in cases):
        return
    skipped = sum(entry["outcome"] == "skipped" for entry in document["assistants"])
    unread = wording.not_read(document)
    left_out = (
        f"{wording.counted(skipped, 'assistant')} {wording.OUTCOME['skipped']}" if skipped else "",
        f"{wording.counted(unread, 'assistant')} not read" if unread else "",
    )
    attributes = {"classname": "reconciler", "name": escape(document["command"]), "time": "0"}
    case = ElementTree.Element("testcase", attributes)
    told = [*_notes(document), wording.summary_line(document)]
    _add_text(case, "error", told, message="; ".join(filter(None, left_out)), type="unfinished")
    yield case


def _named(file: str, name: str) -> ElementTree.Element:
    """Return a case without a verdict; its class is the file without its suffix, which is unique and has the folder."""
    classname = file.removesuffix(".yaml").removesuffix(".yml")
    attributes = {"classname": escape(classname), "name": escape(name), "file": escape(file), "time": "0"}
    return ElementTree.Element("testcase", attributes)


def _told(entry: AssistantEntry, document: Document) -> list[str]:
    only_validated = document["command"] == "validate" and not entry["error"]
    return assistant_text(entry, document).split("\n") if wording.is_worth_showing(entry) and not only_validated else []


def _problem_line(problem: ProblemEntry) -> str:
    prefix = "warning: " if problem["severity"] == "warning" else ""
    return f"{problem['file']}:{problem['line']}:{problem['column']}: {prefix}{problem['message'].strip()}"


def _add_text(parent: ElementTree.Element, tag: str, lines: Iterator[str] | Sequence[str], **attributes: str) -> None:
    """Add an element with lines of text, each made visible; none without lines, unless it has attributes."""
    text = "\n".join(map(escape, lines))
    if text or attributes:
        ElementTree.SubElement(parent, tag, attributes).text = text


def _notes(document: Document) -> list[str]:
    run = [f"warning: {warning}" for warning in document["warnings"]]
    return run if document["command"] == "validate" else [*run, *wording.notes(document)]


def _seconds(document: Document) -> str:
    """Return how long the run took; 0 where a report's times are none, since anybody may have written it."""
    try:
        ended, began = map(datetime.datetime.fromisoformat, (document["finished_at"], document["started_at"]))
        return str(max(0, int((ended - began).total_seconds())))
    except (TypeError, ValueError):
        return "0"
