"""The plain words of every report: the outcome of an assistant, what is said beside its differences, notes.

It is in one place, so that two formats never differ. Pure, and independent of the formats' syntax.
"""

from collections.abc import Collection, Iterator

from reconciler.core.origin import tell_last_update
from reconciler.core.outcome import Kind, Outcome, Severity, Status, Unsent
from reconciler.core.run import Gone
from reconciler.report.differences.values import escape, show_name
from reconciler.report.report import AssistantEntry, ErrorEntry, Report

STATUS: dict[Status, str] = {
    Status.ERROR: "error",
    Status.MISSING: "missing",
    Status.NEW: "to create",
    Status.FROZEN: "frozen",
    Status.CONFLICTED: "conflict",
    Status.PENDING: "to change",
    Status.DRIFTED: "drifted",
    Status.IN_SYNC: "in sync",
}
OUTCOME: dict[Outcome, str] = {
    Outcome.UNCHANGED: "unchanged",
    Outcome.APPLIED: "applied",
    Outcome.CREATED: "created",
    Outcome.DELETED: "deleted",
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


def count_noun(number: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun: `1 conflict`, `0 conflicts`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def tell_standing(entry: AssistantEntry) -> str:
    """Return in words where an assistant stands: its outcome, else all that differs, else its status."""
    if entry.outcome is not None:
        return OUTCOME[entry.outcome]
    if entry.unread or entry.status is Status.NEW or not entry.open_kinds:
        return STATUS[entry.status] if entry.status else "not read"
    return name_kinds(entry.kinds)


def name_kinds(kinds: Collection[Kind]) -> str:
    """Return kinds of differences as the statuses that they are, the gravest first."""
    return ", ".join(STATUS[kind.status] for kind in Kind if kind in kinds)


def choose_title(entry: AssistantEntry) -> str:
    """Return what people call an assistant: its name, else the definition's key, with every character visible."""
    return show_in(entry, entry.name or entry.key)


def show_in(entry: AssistantEntry | Gone, name: str) -> str:
    """Return a name, and where a report has several environments, in which: `Desk in staging`."""
    return show_name(name) + (f" in {show_name(entry.environment)}" if entry.environment else "")


def is_worth_showing(entry: AssistantEntry) -> bool:
    """Return whether a report has anything to say about an assistant beyond counting it as in sync."""
    # To `drift` an assistant that is still to be created has no differences, and no more is to be said of it.
    calm = entry.status in (Status.IN_SYNC, Status.NEW) and entry.outcome in (None, Outcome.UNCHANGED)
    return not calm or bool(entry.changes or entry.error or entry.remaining)


def rank_severity(entry: AssistantEntry) -> Severity:
    """Return how much an assistant needs a person, whatever says so."""
    found = [kind.status.severity for kind in entry.open_kinds]
    found += [Severity.TROUBLE] if entry.error else []
    found += [entry.status.severity] if entry.status else []
    found += [entry.outcome.severity] if entry.outcome else []
    return min(found, default=Severity.CALM)


def tell_error(entry: AssistantEntry) -> list[str]:
    """Return an assistant's error as lines of visible characters; without a message, what its kind means."""
    if not (error := entry.error):
        return []
    message = error.message.strip() or ERROR.get(error.kind, error.kind)
    return [escape(line.strip()) for line in message.splitlines() if line.strip()] or [escape(message)]


def tell_error_in_brief(error: ErrorEntry, report: Report) -> str:
    """Return what the kind of an error means."""
    return report.traits.errors.get(error.kind) or ERROR.get(error.kind, error.kind)


def tell_last_edit(entry: AssistantEntry) -> str:
    """Return when live was last updated, for an assistant that somebody edited live; else nothing."""
    moved = entry.kinds - {Kind.CHANGE}
    return escape(tell_last_update(entry.live_updated_at)) if moved else ""


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


def _explain_options(report: Report) -> Iterator[str]:
    """Yield what the options mean for what was edited live, where something was."""
    kinds, on_drift = report.kinds, report.options.get("on_drift")
    is_left = any(change.unsent is Unsent.KEPT for entry in report.assistants for change in entry.changes)
    if is_left and on_drift == "keep" and report.traits.leaves_drift:
        yield "Drift is left as it is; --on-drift revert puts git's values back."
    if not report.traits.is_plan:
        return
    if Kind.DRIFT in kinds and on_drift == "fail":
        yield "With --on-drift fail, an assistant that was edited live is refused: nothing is sent to it."
    if Kind.DRIFT in kinds and on_drift == "revert":
        yield "With --on-drift revert, live edits are replaced by git's values."
    if Kind.CONFLICT in kinds and report.options.get("force_conflicts"):
        yield "With --force-conflicts, git's values replace the live ones where both changed."
    elif Kind.CONFLICT in kinds:
        yield (
            "An assistant with a conflict is refused, and nothing is sent to it: reconciler pull --conflicts writes "
            "the live edits into the definition; --force-conflicts lets git win; or remove the field from the "
            "definition."
        )
