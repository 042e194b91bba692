"""The plain words of every report: what became of an assistant, what is said beside its differences, notes.

One place for them, so that two formats never say it differently. Pure, and free of any format's syntax.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

from reconciler.core.outcome import Kind, Outcome, Severity, Status, Unsent
from reconciler.report.report import AssistantEntry, ErrorEntry, ProblemEntry, Report
from reconciler.report.values import escape, field_name

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
KIND: dict[Kind, str] = {Kind.CONFLICT: "conflict", Kind.DRIFT: "drifted", Kind.CHANGE: "to change"}
OUTCOME: dict[Outcome, str] = {
    Outcome.UNCHANGED: "unchanged",
    Outcome.APPLIED: "applied",
    Outcome.CREATED: "created",
    Outcome.DELETED: "deleted",
    Outcome.FROZEN: "frozen, nothing was sent",
    Outcome.FAILED: "failed, nothing was changed",
    Outcome.REFUSED: "refused, nothing was sent",
    Outcome.INDETERMINATE: "indeterminate, may have been written",
    Outcome.NOT_CONVERGED: "not converged, live does not show it",
    Outcome.SKIPPED: "skipped, never started",
}
ERROR: dict[str, str] = {
    "not_found": "the API knows no such assistant",
    "auth": "the credentials were refused",
    "forbidden": "not allowed",
    "rate_limited": "too many requests",
    "server": "the API failed",
    "network": "the API could not be reached",
    "timeout": "the API took too long",
    "protocol": "the API's answer makes no sense",
    "conflict": "git and live both moved",
    "stale": "live changed in the meantime",
    "duplicate": "two definitions are one assistant",
    "invalid": "the definition is not valid",
}
SENSITIVE_DIFFERS = "(differs in a sensitive part, which is not shown)"
NOT_SHOWN = "the two differ in what is not shown"
RELEASED = "no longer in the definition, left as it is"
GONE = "definition removed, the assistant is left as it is"


@dataclasses.dataclass(frozen=True, slots=True)
class Remark:
    """A sentence about an assistant: text, then names of fields, then an aside. Each renderer has its own order."""

    label: str
    text: str = ""
    fields: tuple[str, ...] = ()
    aside: str = ""


def count_noun(number: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun: `1 conflict`, `0 conflicts`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def tell_standing(entry: AssistantEntry) -> str:
    """Return in words where an assistant stands: its outcome, else all that differs, else its status."""
    if entry.outcome is not None:
        return OUTCOME[entry.outcome]
    if entry.unread or entry.status is Status.NEW or not entry.open_kinds:
        return STATUS[entry.status] if entry.status else "not read"
    return ", ".join(KIND[kind] for kind in Kind if kind in entry.kinds)


def choose_title(entry: AssistantEntry) -> str:
    """Return what people call an assistant: its name, else the definition's key. Nothing in it is escaped."""
    return entry.name or entry.key


def is_worth_showing(entry: AssistantEntry) -> bool:
    """Tell whether a report has anything to say about an assistant beyond counting it as in sync."""
    # To `drift` an assistant that is still to be created has no differences, and no more is to be said of it.
    calm = entry.status in (Status.IN_SYNC, Status.NEW) and entry.outcome in (None, Outcome.UNCHANGED)
    if not calm:
        return True
    return bool(entry.changes or entry.error or _has_remarks(entry))


def group_equal_errors(entries: Iterable[AssistantEntry]) -> list[list[AssistantEntry]]:
    """Return the entries in groups, each where its first stands: those with the same error and nothing else are one.

    A wrong password is one thing to say, not one for each of a thousand assistants. Every other entry stands for
    itself: merged reports have one file several times.
    """
    groups: dict[tuple[str, ...], list[AssistantEntry]] = {}
    for number, entry in enumerate(entries):
        # Its own number keeps every other entry apart.
        error = () if entry.changes or _has_remarks(entry) else tell_error(entry)
        groups.setdefault((tell_standing(entry), *error) if error else (str(number),), []).append(entry)
    return list(groups.values())


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


def list_remarks(entry: AssistantEntry) -> Iterator[Remark]:
    """Yield what is to be said of an assistant beside its differences and its error."""
    for who, fields in tell_setters(entry):
        yield Remark("set by", who, fields)
    if entry.released:
        yield Remark("released", fields=entry.released, aside=RELEASED)
    for ignored in entry.ignored:
        until = f"until {ignored.expires}" if ignored.expires else ""
        reason = escape(", ".join(filter(None, (ignored.reason, until))))
        yield Remark("ignored", fields=(ignored.path,), aside=reason)
    for enforced in entry.enforced or ():
        yield Remark("enforced", fields=(enforced.path,), aside=escape(enforced.reason))
    if entry.frozen:
        until = f"until {entry.frozen.expires}" if entry.frozen.expires else ""
        yield Remark("frozen", ", ".join(filter(None, (entry.frozen.reason, until))))
    if entry.remaining:
        yield Remark("not shown live", fields=entry.remaining)
    for warning in entry.warnings:
        yield Remark("warning", warning.strip())


def write_remark(remark: Remark, write: Callable[[str], str] = str, name: Callable[[str], str] = field_name) -> str:
    """Return a remark without its label; `write` makes text of a format, `name` names of fields."""
    fields = ", ".join(map(name, remark.fields))
    said = ": ".join(filter(None, (write(remark.text), fields)))
    return f"{said} ({write(remark.aside)})" if remark.aside else said


def tell_setters(entry: AssistantEntry) -> list[tuple[str, tuple[str, ...]]]:
    """Return who set the values that git asks for: `4f1c0de, Ada, 2026-11-20`, each with the fields meant.

    The newest comes first. The fields are left out where one commit set all that differ.
    """
    moved = [change for change in entry.changes if change.kind is not Kind.DRIFT]
    fields: dict[tuple[str, str, str], list[str]] = {}
    for change in moved:
        if since := change.since:
            fields.setdefault((since.date, since.author, since.commit), []).append(change.path)
    return [
        (escape(f"{commit[:7]}, {author}, {date[:10]}"), () if len(paths) == len(moved) else tuple(paths))
        for (date, author, commit), paths in sorted(fields.items(), reverse=True)
    ]


def tell_last_update(entry: AssistantEntry) -> str:
    """Return when live was last updated, for an assistant that somebody edited live; else nothing."""
    moved = entry.kinds - {Kind.CHANGE}
    return f"live last updated {escape(entry.live_updated_at)}" if moved and entry.live_updated_at else ""


def tell_place(problem: ProblemEntry) -> str:
    """Return where a problem stands: `assistants/a.yaml:3:1`. Nothing in it is escaped."""
    return f"{problem.file}:{problem.line}:{problem.column}"


def list_gone(report: Report) -> list[str]:
    """Return the definitions that the base had and that are gone: `assistants/old.yaml (asst_old)`."""
    return [escape(f"{entry.file} ({entry.id})") for entry in report.no_longer_managed]


def list_notes(report: Report) -> list[str]:
    """Return what a reader must know about the whole run to read its differences right."""
    if not report.traits.reads_live:
        return []
    found: list[str] = []
    if report.offline:
        found.append("Offline: compared with the base, not with what is live. This report can't be applied.")
    # Then a live edit is overwritten as if it were old news; nobody should learn that afterwards.
    if report.base is None and report.traits.without_base:
        found.append(report.traits.without_base)
    return [*found, *_explain_options(report)]


def name_environment(report: Report) -> list[str]:
    """Return which environment a run was about, as a sentence; nothing where there is only one."""
    return [escape(f"Environment: {report.environment}.")] if report.environment else []


def _has_remarks(entry: AssistantEntry) -> bool:
    return bool(entry.released or entry.ignored or entry.enforced or entry.frozen or entry.remaining or entry.warnings)


def _explain_options(report: Report) -> Iterator[str]:
    """Yield what the options mean for what was edited live, where something was."""
    kinds, on_drift = report.kinds, report.options.get("on_drift")
    is_left = any(change.unsent is Unsent.KEPT for entry in report.assistants for change in entry.changes)
    if is_left and on_drift == "keep" and report.traits.leaves_drift:
        yield "Drift is left as it is; --on-drift revert puts git's values back."
    if not report.traits.explains_options:
        return
    if Kind.DRIFT in kinds and on_drift == "fail":
        yield "With --on-drift fail, an assistant that was edited live is refused: nothing of it is sent."
    if Kind.DRIFT in kinds and on_drift == "revert":
        yield "With --on-drift revert, git's values are put back over what was edited live."
    if Kind.CONFLICT in kinds and report.options.get("force_conflicts"):
        yield "With --force-conflicts, git's values replace the live ones where both moved."
    elif Kind.CONFLICT in kinds:
        yield (
            "An assistant with a conflict is refused, and nothing of it is sent: --force-conflicts lets git win; or "
            "remove the field from the definition, or pull the live value into it."
        )
