"""The plain words of every report: what became of an assistant, where a difference comes from, the totals.

One place for them, so that two formats never say it differently. Pure, and free of any format's syntax.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reconciler.report.document import AssistantEntry, ChangeKind, Document, ErrorEntry, Outcome, Status
from reconciler.report.values import escape

STATUS: dict[Status, str] = {
    "error": "error",
    "missing": "missing",
    "conflicted": "conflict",
    "pending": "to change",
    "drifted": "drifted",
    "in_sync": "in sync",
}
KIND: dict[ChangeKind, str] = {"conflict": "conflict", "drift": "drifted", "change": "to change"}
OUTCOME: dict[Outcome, str] = {
    "unchanged": "unchanged",
    "applied": "applied",
    "failed": "failed, nothing was changed",
    "refused": "refused, nothing was sent",
    "indeterminate": "indeterminate, may have been written",
    "not_converged": "not converged, live does not show it",
    "skipped": "skipped, never started",
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
MOVED_ON = "live shows neither the value that was applied nor the old one"
SENSITIVE_DIFFERS = "(differs in a sensitive part, which is not shown)"
NOT_SHOWN = "the two differ in what is not shown"
TROUBLE = ("failed", "indeterminate", "not_converged", "refused")
RELEASED = "no longer in the definition, left as it is"
GONE = "definition removed, the assistant is left as it is"

_WRITING = ("apply", "rollback")


def counted(number: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun: `1 conflict`, `0 conflicts`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def standing(entry: AssistantEntry) -> str:
    """Return in words where an assistant stands: its outcome, else all that differs, else its status."""
    if entry["outcome"] is not None:
        return OUTCOME[entry["outcome"]]
    if entry["status"] in ("error", "missing") or not entry["changes"]:
        return STATUS[entry["status"]] if entry["status"] else "not read"
    kinds = {change["kind"] for change in entry["changes"]}
    return ", ".join(words for kind, words in KIND.items() if kind in kinds)


def title(entry: AssistantEntry) -> str:
    """Return what people call an assistant: its name, else the definition's key. Nothing in it is escaped."""
    return entry["name"] or entry["key"]


def is_worth_showing(entry: AssistantEntry) -> bool:
    """Tell whether a report has anything to say about an assistant beyond counting it as in sync."""
    if entry["status"] != "in_sync" or entry["outcome"] not in (None, "unchanged"):
        return True
    return any(entry[key] for key in ("changes", "released", "ignored", "remaining", "warnings", "error"))


def told_together(entries: Iterable[AssistantEntry]) -> list[list[AssistantEntry]]:
    """Return the entries in groups, each where its first stands: those with the same error and nothing else are one.

    A wrong password is one thing to say, not one for each of a thousand assistants. Every other entry stands for
    itself: merged reports have one file several times.
    """
    groups: dict[tuple[str, ...], list[AssistantEntry]] = {}
    for number, entry in enumerate(entries):
        more = any(entry[key] for key in ("changes", "released", "ignored", "remaining", "warnings"))
        error = () if more else error_lines(entry)
        groups.setdefault((standing(entry), *error) if error else (str(number),), []).append(entry)
    return list(groups.values())


def importance(entry: AssistantEntry) -> int:
    """Return an assistant's rank: 0 for trouble, 1 conflicts, 2 drift, 3 changes, 4 whatever else."""
    kinds = {change["kind"] for change in entry["changes"]}
    if entry["error"] or entry["status"] in ("error", "missing") or entry["outcome"] in TROUBLE:
        return 0
    if entry["status"] == "conflicted" or "conflict" in kinds:
        return 1
    if "drift" in kinds:
        return 2
    return 3 if kinds else 4


def error_lines(entry: AssistantEntry) -> list[str]:
    """Return an assistant's error as lines of visible characters; without a message, what its kind means."""
    if not (error := entry["error"]):
        return []
    message = error["message"].strip() or ERROR.get(error["kind"], error["kind"])
    return [escape(line.strip()) for line in message.splitlines() if line.strip()] or [escape(message)]


def error_in_brief(error: ErrorEntry, document: Document) -> str:
    """Return what the kind of an error means; a rollback is in conflict with live alone, whatever git says."""
    if document["command"] == "rollback" and error["kind"] == "conflict":
        return MOVED_ON
    return ERROR.get(error["kind"], error["kind"])


def ignored_reason(reason: str, expires: str | None) -> str:
    """Return why a difference is ignored, and until when."""
    until = f"until {expires}" if expires else ""
    return escape(", ".join(part for part in (reason, until) if part))


def set_by(entry: AssistantEntry) -> list[tuple[str, list[str]]]:
    """Return who set the values that git asks for: `4f1c0de, Ada, 2026-11-20`, each with the fields meant.

    The newest comes first. The fields are left out where one commit set all that differ.
    """
    moved = [change for change in entry["changes"] if change["kind"] != "drift"]
    fields: dict[tuple[str, str, str], list[str]] = {}
    for change in moved:
        if since := change.get("since"):
            fields.setdefault((since["date"], since["author"], since["commit"]), []).append(change["path"])
    return [
        (escape(f"{commit[:7]}, {author}, {date[:10]}"), [] if len(paths) == len(moved) else paths)
        for (date, author, commit), paths in sorted(fields.items(), reverse=True)
    ]


def last_updated(entry: AssistantEntry) -> str:
    """Return when live was last updated, for an assistant that somebody edited live; else nothing."""
    moved = any(change["kind"] != "change" for change in entry["changes"])
    return f"live last updated {escape(entry['live_updated_at'])}" if moved and entry["live_updated_at"] else ""


def gone(document: Document) -> list[str]:
    """Return the definitions that the base had and that are gone: `assistants/old.yaml (asst_old)`."""
    return [escape(f"{entry['file']} ({entry['id']})") for entry in document.get("no_longer_managed", [])]


def notes(document: Document) -> list[str]:
    """Return what a reader must know about the whole run to read its differences right."""
    found: list[str] = []
    if document["offline"]:
        found.append("Offline: compared with the base, not with what is live. This report can't be applied.")
    if document["base"] is None and document["command"] in ("plan", "apply", "report"):
        found.append("Without a base, live edits can't be told from changes.")
    if document["base"] is None and document["command"] == "drift":
        found.append("The definitions themselves are the base, so every difference counts as drift.")
    return [*found, *_policy_notes(document)]


def _policy_notes(document: Document) -> Iterator[str]:
    """Yield what the options mean for what was edited live, where something was."""
    kinds = {change["kind"] for entry in document["assistants"] for change in entry["changes"]}
    options = document["options"]
    if "drift" in kinds and options.get("on_drift") == "keep" and document["command"] in ("plan", "apply"):
        yield "Drift is left as it is; --on-drift revert puts git's values back."
    if document["command"] != "plan":
        return
    if "drift" in kinds and options.get("on_drift") == "fail":
        yield "With --on-drift fail, an assistant that was edited live is refused: nothing of it is sent."
    if "drift" in kinds and options.get("on_drift") == "revert":
        yield "With --on-drift revert, git's values are put back over what was edited live."
    if "conflict" in kinds and options.get("force_conflicts"):
        yield "With --force-conflicts, git's values replace the live ones where both moved."
    elif "conflict" in kinds:
        yield (
            "An assistant with a conflict is refused, and nothing of it is sent: --force-conflicts lets git win; or "
            "remove the field from the definition, or pull the live value into it."
        )


def heading(document: Document) -> str:
    """Return the command as a title: `Plan`."""
    return escape(document["command"][:20]).capitalize()


def environment(document: Document) -> list[str]:
    """Return which environment a run was about, as a sentence; nothing where there is only one."""
    return [escape(f"Environment: {document['environment']}.")] if document["environment"] else []


def summary_line(document: Document) -> str:
    """Return the totals as one sentence.

    `Plan: 1 to change, 1 drifted, 0 conflicts, 1 in sync, 1 error.`: a missing assistant counts as an error.
    A run that writes always names applied, unchanged and failed, and any other outcome that occurred. Drift
    names changes that git alone made only where there are some; a run that was stopped names how many it has not read.
    """
    summary = document["summary"]
    if document["command"] == "validate":
        return _validated(document)
    if not summary.get("total"):
        return f"{heading(document)}: no definitions to look at, nothing to do."
    if document["command"] in _WRITING or _is_of_writing_runs(document):
        parts = _outcomes(summary)
    elif document["command"] == "drift":
        parts = _drift(document)
    else:
        parts = [f"{summary.get('pending', 0)} to change", f"{summary.get('drifted', 0)} drifted", *_rest(summary)]
    if unread := not_read(document):
        parts.append(f"{unread} not read")
    return f"{heading(document)}: {', '.join(parts)}."


def not_read(document: Document) -> int:
    """Return how many assistants a run has not looked at, since it was stopped."""
    return sum(entry["status"] is None and entry["outcome"] is None for entry in document["assistants"])


def _is_of_writing_runs(document: Document) -> bool:
    return document["command"] == "report" and any(document["summary"].get(key) for key in OUTCOME)


def _drift(document: Document) -> list[str]:
    """Return the totals of a drift run: an assistant that also waits for a change of git's has drifted all the same."""
    summary = document["summary"]
    pending = [entry for entry in document["assistants"] if entry["status"] == "pending"]
    moved = [entry for entry in pending if any(change["kind"] == "drift" for change in entry["changes"])]
    found = [f"{summary.get('drifted', 0) + len(moved)} drifted", *_rest(summary)]
    waiting = len(pending) - len(moved)
    return [*found[:-1], *([f"{waiting} not applied yet"] if waiting else []), found[-1]]


def _rest(summary: dict[str, int]) -> list[str]:
    errors = summary.get("error", 0) + summary.get("missing", 0)
    conflicts = counted(summary.get("conflicted", 0), "conflict")
    return [conflicts, f"{summary.get('in_sync', 0)} in sync", counted(errors, "error")]


def _outcomes(summary: dict[str, int]) -> list[str]:
    found = [f"{summary.get(key, 0)} {key}" for key in ("applied", "unchanged", "failed")]
    rare = ("refused", "indeterminate", "not_converged", "skipped")
    return found + [f"{summary[key]} {key.replace('_', ' ')}" for key in rare if summary.get(key)]


def _validated(document: Document) -> str:
    errors = [problem for problem in document["problems"] if problem["severity"] == "error"]
    warned = [problem for problem in document["problems"] if problem["severity"] == "warning"]
    total = document["summary"].get("total", 0)
    valid = counted(total - document["summary"].get("error", 0), "definition is", "definitions are") + " valid"
    if errors and not total:
        valid = "no definition was checked"
    strict = ", and --strict allows none" if warned and document["options"].get("strict") else ""
    warnings = counted(len(warned), "warning") if warned else ""
    if not errors:
        return f"{valid}, with {warnings} in {_files(warned)}{strict}." if warned else f"{valid}."
    problems = counted(len(errors), "problem") + (f" and {warnings}" if warned else "")
    return f"Validate: {problems} in {_files([*errors, *warned])}, {valid}{strict}."


def _files(problems: Sequence[Any]) -> str:
    return counted(len({problem["file"] for problem in problems}), "file")
