"""The plain words of every report: outcomes, notes and totals, in one place, so that two formats never differ. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from reconciler.core.origin import describe_last_update
from reconciler.core.outcome import Kind, Outcome, Status, Unsent, Urgency
from reconciler.core.run import RemovedDefinition
from reconciler.report.differences.values import escape, show_name
from reconciler.report.report import AssistantEntry, ErrorEntry, ProblemEntry, Report

# Most of them are called by their own name; the rows say what is unusual.
STATUS: dict[Status, str] = {status: status.replace("_", " ") for status in Status} | {
    Status.NEW: "to create",
    Status.CONFLICTED: "conflict",
    Status.PENDING: "to change",
}
OUTCOME: dict[Outcome, str] = {outcome: outcome.value for outcome in Outcome} | {
    Outcome.FROZEN: "frozen, nothing was sent",
    Outcome.FAILED: "failed, nothing was changed",
    Outcome.REFUSED: "refused, nothing was sent",
    Outcome.INDETERMINATE: "indeterminate, may have been written",
    Outcome.NOT_CONVERGED: "not converged, live has another value",
    Outcome.SKIPPED: "skipped, not started",
}
ERROR: dict[str, str] = {
    "not_found": "the API has no such assistant",
    "auth": "the credentials were rejected",
    "forbidden": "not allowed",
    "rate_limited": "too many requests",
    "server": "the API failed",
    "network": "the API could not be reached",
    "timeout": "the API took too long",
    "protocol": "the API's response is invalid",
    "conflict": "both sides changed",
    "stale": "live changed in the meantime",
    "duplicate": "two definitions for one assistant",
    "invalid": "the definition is not valid",
}
LEFT = "left as it is"
UNCLEAR = "unclear, the last write may not have arrived"
_REQUEST = re.compile(r"^([A-Z]+ /assistants/)[^ :]+(?: (\(after \d+ attempts\)))?")
_LONGEST_NAME = 20  # characters, of a command that no version has


def count_noun(number: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun: `1 conflict`, `0 conflicts`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def describe_standing(entry: AssistantEntry) -> str:
    """Return an assistant's state in words: its outcome, else all that differs, else its status."""
    # One that was to be created, and was not, is unchanged only in a sense.
    if entry.outcome is not None and (entry.status, entry.outcome) != (Status.NEW, Outcome.UNCHANGED):
        return OUTCOME[entry.outcome]
    if is_unclear(entry):
        return UNCLEAR
    if entry.is_unread or entry.status is Status.NEW or not entry.open_kinds:
        return STATUS[entry.status] if entry.status else "not read"
    return ", ".join(STATUS[kind.status] for kind in Kind if kind in entry.kinds)


def is_unclear(entry: AssistantEntry) -> bool:
    """Return whether live shows what git says, while the outcome of the last write is unclear."""
    return entry.status is Status.IN_SYNC and bool(entry.unclear)


def choose_title(entry: AssistantEntry) -> str:
    """Return what people call an assistant: its name, else the definition's key, with every character visible."""
    return show_in(entry, entry.name if entry.name and entry.name.strip() else entry.key)


def show_in(entry: AssistantEntry | RemovedDefinition, name: str) -> str:
    """Return a name, and where a report has several environments, in which: `Desk in staging`."""
    return show_name(name) + (f" in {show_name(entry.environment)}" if entry.environment else "")


def rank_urgency(entry: AssistantEntry) -> Urgency:
    """Return how much attention an assistant needs: the most severe of all reasons."""
    status = [entry.status.urgency] if entry.status else []
    urgencies = [kind.status.urgency for kind in entry.open_kinds] or status
    urgencies += [Urgency.PROBLEM] if entry.error else []
    urgencies += [Urgency.CHANGE] if is_unclear(entry) else []
    urgencies += [entry.outcome.urgency] if entry.outcome else []
    return min(urgencies, default=Urgency.CALM)


def describe_error(entry: AssistantEntry) -> list[str]:
    """Return an assistant's error as lines of visible characters; without a message, what its kind means."""
    if not (error := entry.error):
        return []
    message = error.message.strip() or describe_kind(error)
    return [escape(line.strip()) for line in message.splitlines() if line.strip()] or [escape(message)]


def generalize(message: str) -> str:
    """Return an error without the id in its request and how often it was sent, as it is for all with this answer."""
    return _REQUEST.sub(lambda found: f"{found[1]}ID{' (after several attempts)' if found[2] else ''}", message)


def describe_kind(error: ErrorEntry) -> str:
    """Return what the kind of an error means. A definition that is valid may still be refused by the API."""
    is_refused = error.kind == "invalid" and error.status is not None
    return "the API does not accept it" if is_refused else ERROR.get(error.kind, error.kind)


def describe_last_edit(entry: AssistantEntry) -> str:
    """Return when live was last updated, for an assistant that somebody edited live; else nothing."""
    return escape(describe_last_update(entry.live_updated_at)) if entry.kinds - {Kind.CHANGE} else ""


def list_notes(report: Report) -> Iterator[str]:
    """Yield what a reader must know about the whole run to read its differences right."""
    if names := report.environments:
        yield escape(f"{'Environment' if len(names) == 1 else 'Environments'}: {', '.join(names)}.")
    if not report.traits.reads_live:
        return
    if report.offline:
        yield "Offline: compared with the base, not with what is live. This report can't be applied."
    # Without a base, a live edit would be overwritten like an old value; say so before it happens.
    if report.base is None and report.traits.without_base:
        yield report.traits.without_base
    yield from _explain_options(report)
    # If a creation is unclear, its error says what to do.
    outcomes = {entry.outcome for entry in report.assistants if entry.status is not Status.NEW}
    if Outcome.INDETERMINATE in outcomes and report.traits.settle:
        yield report.traits.settle
    if Outcome.NOT_CONVERGED in outcomes:
        yield "Where a write did not converge, plan shows which values are live."


def _explain_options(report: Report) -> Iterator[str]:
    kinds, on_drift = report.kinds, report.options.get("on_drift")
    unsent = [{(change.kind, change.unsent) for change in entry.changes} for entry in report.assistants]
    left = sum((Kind.DRIFT, Unsent.KEPT) in reasons for reasons in unsent)
    if left and on_drift == "keep" and report.traits.overwrites:
        # An assistant that git changes as well does not count as drifted in the totals.
        yield f"Drift in {count_noun(left, 'assistant')} is left as it is; --on-drift revert restores git's values."
    # An assistant that was to be created looks like a change that the apply has forgotten.
    if report.traits.writes and any(reason is Unsent.NEW for reasons in unsent for _, reason in reasons):
        yield "New assistants are created only with --create."
    if not report.traits.is_plan:
        return
    refused = {kind for reasons in unsent for kind, reason in reasons if reason in (Unsent.CONFLICT, Unsent.DRIFT)}
    if Kind.DRIFT in refused and on_drift == "fail":
        yield "With --on-drift fail, nothing is sent to an assistant that was edited live."
    if (reverted := sum((Kind.DRIFT, None) in reasons for reasons in unsent)) and on_drift == "revert":
        yield f"With --on-drift revert, git's values replace live edits in {count_noun(reverted, 'assistant')}."
    if Kind.CONFLICT in kinds and report.options.get("force_conflicts"):
        yield "With --force-conflicts, git's values replace the live ones where both changed."
    elif Kind.CONFLICT in refused:
        entries = [entry for entry in report.assistants if Kind.CONFLICT in entry.open_kinds]
        ways_out = Kind.CONFLICT.explain_ways_out(*list_naming_options(report, entries))
        yield f"Nothing is sent to an assistant with a conflict. To resolve it, {ways_out}."


def list_naming_options(report: Report, entries: Iterable[AssistantEntry]) -> list[str]:
    """Return the options by which a command is about some assistants' environment, if they have the same one."""
    names = {entry.environment or report.environment for entry in entries}
    # A report may have any characters there, and a command in it is only text for people.
    return [word for name in names if name for word in ("--environment", escape(name))] if len(names) == 1 else []


def name_command(report: Report) -> str:
    """Return the command as a title: `Plan`."""
    return escape(report.command[:_LONGEST_NAME]).capitalize()


def write_totals(report: Report) -> str:
    """Return the totals; a run that was stopped names how many it has not read."""
    if not report.traits.reads_live:
        return _describe_problems(report)
    if not report.summary.get("total"):
        is_alike = report.selection == "changed" and not report.no_longer_managed
        nothing = "no definition has changed, nothing to do" if is_alike else report.traits.nothing
        return f"{name_command(report)}: {nothing}."
    # Merged reports may have outcomes too. The report before a confirmation has none yet.
    has_outcomes = any(entry.outcome for entry in report.assistants)
    parts = _count_outcomes(report) if has_outcomes else _count_statuses(report)
    if unread := sum(entry.left_out for entry in report.assistants):
        parts.append(f"{unread} not read")
    return f"{name_command(report)}: {', '.join(parts)}."


def _count_statuses(report: Report) -> list[str]:
    counts = {status: report.summary.get(status, 0) for status in Status}
    conflicts, errors = counts[Status.CONFLICTED], sum(counts[status] for status in Status if status.is_unread)
    # `missing` is a separate status, but readers see it as an error.
    new = [f"{counts[Status.NEW]} to create"] if counts[Status.NEW] else []
    frozen = [f"{counts[Status.FROZEN]} frozen"] if counts[Status.FROZEN] else []
    # The provider's value is unknown, so these do not count as in sync.
    unclear = sum(is_unclear(entry) for entry in report.assistants)
    frozen += [f"{unclear} unclear"] if unclear else []
    fixed = count_noun(conflicts, "conflict"), *frozen, f"{counts[Status.IN_SYNC] - unclear} in sync"
    changed, drifted = counts[Status.PENDING], counts[Status.DRIFTED]
    if not report.traits.is_about_edits:
        return [*new, f"{changed} to change", f"{drifted} drifted", *fixed, count_noun(errors, "error")]
    # Every assistant with a live edit counts here, and a pending one may have one too.
    edited = sum(Kind.DRIFT in entry.kinds for entry in report.assistants if entry.status is Status.PENDING)
    pending = sum(entry.status is Status.PENDING for entry in report.assistants) - edited
    later = [f"{pending} not applied yet"] if pending else []
    return [f"{drifted + edited} drifted", *fixed, *later, *new, count_noun(errors, "error")]


def _count_outcomes(report: Report) -> list[str]:
    # Some outcomes are always listed, even with 0; the others only if they occurred.
    always = report.traits.always_named
    # Not from the summary, in which `frozen` counts a status, too: a run that was stopped has skipped those.
    counts = Counter(entry.outcome for entry in report.assistants)
    rare = [outcome for outcome in Outcome if outcome not in always and counts[outcome]]
    return [f"{counts[outcome]} {outcome.replace('_', ' ')}" for outcome in (*always, *rare)]


def _describe_problems(report: Report) -> str:
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
