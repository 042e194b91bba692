"""The totals of a report as one sentence, `Plan: 1 to change, 0 drifted, 0 conflicts, 3 in sync, 0 errors.` Pure."""

from collections.abc import Sequence

from reconciler.core.outcome import Kind, Outcome, Status
from reconciler.report.differences.values import escape
from reconciler.report.report import ProblemEntry, Report
from reconciler.report.wording import count_noun

_LONGEST_NAME = 20  # characters, of a command that somebody made up


def name_command(report: Report) -> str:
    """Return the command as a title: `Plan`."""
    return escape(report.command[:_LONGEST_NAME]).capitalize()


def tell_totals(report: Report) -> str:
    """Return the totals; a run that was stopped names how many it has not read."""
    if not report.traits.reads_live:
        return _tell_problems(report)
    if not report.summary.get("total"):
        return f"{name_command(report)}: no definitions to look at, nothing to do."
    # Reports of runs that wrote, shown as one with others, have outcomes, too; who is asked before a run sees none yet.
    written = any(entry.outcome for entry in report.assistants)
    parts = _count_outcomes(report) if written else _count_statuses(report)
    if unread := sum(entry.left_out for entry in report.assistants):
        parts.append(f"{unread} not read")
    return f"{name_command(report)}: {', '.join(parts)}."


def _count_statuses(report: Report) -> list[str]:
    counts = {status: report.summary.get(status, 0) for status in Status}
    conflicts, errors = counts[Status.CONFLICTED], sum(counts[status] for status in Status if status.unread)
    # `missing` is a status of its own, and to a reader an error like any other.
    new = [f"{counts[Status.NEW]} to create"] if counts[Status.NEW] else []
    frozen = [f"{counts[Status.FROZEN]} frozen"] if counts[Status.FROZEN] else []
    fixed = count_noun(conflicts, "conflict"), *frozen, f"{counts[Status.IN_SYNC]} in sync"
    changed, drifted = counts[Status.PENDING], counts[Status.DRIFTED]
    if not report.traits.counts_edits:
        return [*new, f"{changed} to change", f"{drifted} drifted", *fixed, count_noun(errors, "error")]
    # Who looks for live edits wants each that has one, and a pending assistant may have one, too.
    edited = sum(Kind.DRIFT in entry.kinds for entry in report.assistants if entry.status is Status.PENDING)
    waiting = sum(entry.status is Status.PENDING for entry in report.assistants) - edited
    later = [f"{waiting} not applied yet"] if waiting else []
    return [f"{drifted + edited} drifted", *fixed, *later, *new, count_noun(errors, "error")]


def _count_outcomes(report: Report) -> list[str]:
    # A reader looks for these even if they are none; any other is named where it occurred.
    always = report.traits.always_named
    rare = [outcome for outcome in Outcome if outcome not in always and report.summary.get(outcome)]
    return [f"{report.summary.get(outcome, 0)} {outcome.replace('_', ' ')}" for outcome in (*always, *rare)]


def _tell_problems(report: Report) -> str:
    errors = [problem for problem in report.problems if problem.severity == "error"]
    warned = [problem for problem in report.problems if problem.severity == "warning"]
    total = report.summary.get("total", 0)
    valid = count_noun(total - report.summary.get(Status.ERROR, 0), "definition is", "definitions are") + " valid"
    if errors and not total:
        valid = "no definition was checked"
    strict = ", and --strict allows none" if warned and report.options.get("strict") else ""
    warnings = count_noun(len(warned), "warning") if warned else ""
    if not errors:
        return f"{valid}, with {warnings} in {_count_files(warned)}{strict}." if warned else f"{valid}."
    problems = count_noun(len(errors), "problem") + (f" and {warnings}" if warned else "")
    return f"Validate: {problems} in {_count_files([*errors, *warned])}, {valid}{strict}."


def _count_files(problems: Sequence[ProblemEntry]) -> str:
    return count_noun(len({problem.file for problem in problems}), "file")
