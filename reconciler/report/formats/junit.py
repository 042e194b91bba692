"""The report as JUnit XML (Jenkins' `junit-10.xsd`, which GitLab also accepts): one case per assistant. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal
from xml.etree import ElementTree

from reconciler.core.outcome import Kind, Outcome, Status
from reconciler.report import wording
from reconciler.report.cards import AssistantView, Card
from reconciler.report.differences.values import escape
from reconciler.report.formats.layout import Style
from reconciler.report.formats.text import show_card
from reconciler.report.remarks import write_place
from reconciler.report.report import AssistantEntry, ProblemEntry, Report
from reconciler.report.view import RunView

Verdict = Literal["error", "failure", "skipped"]
_UNWRAPPED = Style(colour=False, width=1_000_000)  # readers of XML wrap lines themselves


def render_junit(view: RunView) -> str:
    """Return the report as an XML document that ends in a newline."""
    # Every text goes through `escape`, so that it contains nothing that XML does not allow.
    report = view.report
    cases = [_make_case(assistant, report) for assistant in view.assistants]
    cases += _make_cases_of_files(report)
    cases += _make_case_of_run(view)
    tags = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    name = escape(" ".join(["reconciler", report.command, *report.environments]))
    counts = {"name": name, "tests": str(len(cases))}
    counts |= {key: str(sum(case.find(tag) is not None for case in cases)) for key, tag in tags.items()}
    counts["time"] = str(max(0, int(report.duration_seconds or 0)))
    # Jenkins' schema has no count of skipped cases for all suites together.
    suites = ElementTree.Element("testsuites", {key: count for key, count in counts.items() if key != "skipped"})
    started = escape(report.started_at.removesuffix("Z"))
    suite = ElementTree.SubElement(suites, "testsuite", {**counts, "timestamp": started})
    suite.extend(cases)
    _add_text(suite, "system-out", _list_notes(view))
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _make_case(assistant: AssistantView, report: Report) -> ElementTree.Element:
    entry = assistant.entry
    problems = [problem for problem in report.problems if problem.file == entry.file]
    lines = [*map(_describe_problem, problems)]
    for card in assistant.cards if report.traits.reads_live or entry.error else ():
        lines += _describe_card(card, entry)
    kind = entry.error.kind if entry.error else entry.outcome or entry.status or "invalid"
    verdict, standing = _judge(entry, problems, report), wording.describe_standing(entry)
    # If it fails although nothing differs, a write will be sent again, as the warnings say.
    told = [each.message for each in problems] if entry.status is None else [] if entry.changes else entry.warnings
    reasons = wording.describe_error(entry) or [*map(escape, told)]
    facts = (
        {"message": standing} if verdict == "skipped" else {"message": [*reasons, standing][0], "type": escape(kind)}
    )
    return _write_case(entry.file, wording.choose_title(entry), verdict, lines, **facts)


def _describe_card(card: Card, entry: AssistantEntry) -> list[str]:
    """Return the text of a card for one assistant's case. Only the first case has a shared text in full."""
    first = card.entries[0]
    if not card.members or (card.groups and first is entry):
        return list(show_card(card, _UNWRAPPED))
    if not card.groups:
        return wording.describe_error(entry)
    place = wording.show_in(first, first.file)
    return [f"{card.title}, as in {place}:", *(f"  {field.sign} {field.name}" for field in card.fields)]


def _judge(entry: AssistantEntry, problems: Sequence[ProblemEntry], report: Report) -> Verdict | None:
    """Return the verdict on an assistant's test case, or None if it passed."""
    # Error: it could not be read, or its outcome is unknown. Failure: it did not reach its desired state, or has a
    # conflict. Skipped: the run did not start it or read it.
    if entry.outcome and not entry.outcome.settled:
        unclear = entry.outcome is Outcome.INDETERMINATE
        return "error" if unclear else "failure" if entry.outcome.failed else "skipped"
    # A command that only checks definitions reads no assistant.
    if entry.left_out and report.traits.reads_live:
        return "skipped"
    if entry.error or (entry.status and entry.status.is_unread) or any(each.severity == "error" for each in problems):
        return "error"
    if problems and report.options.get("strict"):
        return "failure"
    return "failure" if entry.outcome is None and _differs_too_much(entry, report) else None


def _differs_too_much(entry: AssistantEntry, report: Report) -> bool:
    # A difference is a failure if the user asked about it: in `drift`, every live edit; with `--detailed-exitcode`,
    # everything that makes the exit code of `plan` 2. An apply settles what it sends, and a frozen assistant waits.
    if entry.status is Status.FROZEN:
        return False
    failing = {Kind.CONFLICT, Kind.DRIFT} if report.traits_of(entry).is_about_edits else {Kind.CONFLICT}
    if any(change.kind in failing and not change.sent for change in entry.changes):
        return True
    return report.options.get("detailed_exitcode") is True and entry.asks_for_apply


def _make_cases_of_files(report: Report) -> Iterator[ElementTree.Element]:
    """Yield a case for each file with a problem that belongs to no assistant, such as the settings."""
    assistant_files = {entry.file for entry in report.assistants}
    for file in sorted({problem.file for problem in report.problems} - assistant_files):
        problems = [problem for problem in report.problems if problem.file == file]
        failing = any(problem.severity == "error" for problem in problems) or report.options.get("strict")
        facts = {"message": wording.count_noun(len(problems), "problem"), "type": "invalid"}
        yield _write_case(file, file, "error" if failing else None, map(_describe_problem, problems), **facts)


def _make_case_of_run(view: RunView) -> Iterator[ElementTree.Element]:
    """Yield a case with an error for the run as a whole, if it left out assistants."""
    report = view.report
    skipped = sum(entry.outcome is Outcome.SKIPPED for entry in report.assistants)
    unread = sum(entry.left_out for entry in report.assistants)
    counts = (skipped, wording.OUTCOME[Outcome.SKIPPED]), (unread, "not read")
    left_out = "; ".join(f"{wording.count_noun(number, 'assistant')} {word}" for number, word in counts if number)
    # Most tools ignore skipped cases. Without this case, such a run would be green.
    if left_out and report.traits.reads_live:
        yield _write_case("reconciler", report.command, "error", _list_notes(view), message=left_out, type="unfinished")


def _write_case(
    file: str, name: str, verdict: Verdict | None, lines: Iterable[str], **facts: str
) -> ElementTree.Element:
    """Return a case. Its class is the file without the suffix, which is unique."""
    classname = file.removesuffix(".yaml").removesuffix(".yml")
    case = ElementTree.Element("testcase", {"classname": escape(classname), "name": escape(name), "time": "0"})
    if verdict == "skipped":
        ElementTree.SubElement(case, verdict, facts)
    failing = verdict if verdict != "skipped" else None
    _add_text(case, failing or "system-out", lines, **(facts if failing else {}))
    return case


def _describe_problem(problem: ProblemEntry) -> str:
    prefix = "warning: " if problem.severity == "warning" else ""
    return f"{write_place(problem)}: {prefix}{problem.message.strip()}"


def _add_text(parent: ElementTree.Element, tag: str, lines: Iterable[str], **attributes: str) -> None:
    """Add an element with lines of text, made visible. Without lines and attributes, add nothing."""
    text = "\n".join(map(escape, lines))
    if text or attributes:
        ElementTree.SubElement(parent, tag, attributes).text = text


def _list_notes(view: RunView) -> list[str]:
    lines = []
    for note in view.notes:
        lines += [f"{note.label}: {note.write()}", *(f"  {subject}" for subject in note.listed_subjects)]
    return [*lines, *view.sentences, view.totals]
