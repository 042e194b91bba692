"""What a later run needs of an earlier report: which writes were reviewed, which fields were applied."""

from typing import Any

from reconciler.core.missing import MISSING
from reconciler.core.paths import parse_pointer
from reconciler.core.reviewed import Applied, AppliedField, Reviewed
from reconciler.report.document import AssistantEntry, ChangeEntry, Document
from reconciler.report.values import SENSITIVE

WRITTEN = ("applied", "indeterminate", "not_converged")


def reviewed_plan(document: Document) -> Reviewed:
    """Return what of a plan's report `apply --plan` relies on."""
    return Reviewed(
        command=document["command"],
        offline=document["offline"],
        api_url=document["api_url"],
        environment=document["environment"],
        head=document["head"],
        options=document["options"],
        digests={entry["id"]: entry["digest"] for entry in document["assistants"] if entry["id"] is not None},
    )


def applied_fields(document: Document) -> tuple[Applied, ...]:
    """Return the assistants that an apply or a rollback changed, or may have, with the fields that were sent."""
    return tuple(
        Applied(
            entry["key"],
            entry["file"],
            entry["id"],
            tuple(_field(change) for change in entry["changes"] if _was_sent(change, document)),
        )
        for entry in document["assistants"]
        if entry["id"] is not None and _was_written(entry)
    )


def _was_written(entry: AssistantEntry) -> bool:
    return entry["outcome"] in WRITTEN and bool(entry["changes"])


def _was_sent(change: ChangeEntry, document: Document) -> bool:
    options = document["options"]
    return (
        change["kind"] == "change"
        or (change["kind"] == "drift" and options.get("on_drift") == "revert")
        or (change["kind"] == "conflict" and options.get("force_conflicts") is True)
    )


def _field(change: ChangeEntry) -> AppliedField:
    old = change.get("live", MISSING)
    masked = _is_masked(old) or _is_masked(change["desired"])
    return AppliedField(parse_pointer(change["path"]), old, change["desired"], masked)


def _is_masked(value: Any) -> bool:
    """Tell whether a value, or part of one, was hidden when the report was written."""
    if isinstance(value, dict):
        return any(map(_is_masked, value.values()))
    if isinstance(value, list):
        return any(map(_is_masked, value))
    return bool(value == SENSITIVE)
