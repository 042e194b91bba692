"""What a later run needs of an earlier report: which writes were reviewed, which fields were applied."""

import itertools
from collections.abc import Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath, parse_pointer, to_pointer
from reconciler.core.origin import Since
from reconciler.core.reviewed import Applied, AppliedField, Reviewed
from reconciler.core.tree import MISSING, value_at
from reconciler.errors import ReportError
from reconciler.report.direction import is_sent
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
    """Return the assistants that an apply or a rollback changed, or may have, with the fields that were sent.

    Raises ReportError for one that names a field twice: nobody could say what to put back.
    """
    found = (
        Applied(entry["key"], entry["file"], entry["id"], _fields(entry, document))
        for entry in document["assistants"]
        if entry["id"] is not None and entry["outcome"] in WRITTEN
    )
    return tuple(applied for applied in found if applied.fields)


def unclear_writes(document: Document) -> tuple[Applied, ...]:
    """Return the assistants that a report lists as `indeterminate`, with the fields that were sent.

    What went along without differing, in a field of its own, was sent again: live showed it already. Raises
    ReportError as `applied_fields` does.
    """
    found = []
    for entry in document["assistants"]:
        if entry["id"] is not None and entry["outcome"] == "indeterminate":
            fields = _fields(entry, document)
            patch = entry["patch"] or {}
            again = sorted(patch.keys() - {field.path[0] for field in fields})
            fields += tuple(
                AppliedField((key,), patch[key], patch[key], patch[key], _is_masked(patch[key])) for key in again
            )
            found.append(Applied(entry["key"], entry["file"], entry["id"], fields))
    return tuple(found)


def _fields(entry: AssistantEntry, document: Document) -> tuple[AppliedField, ...]:
    fields = [_field(change, entry) for change in entry["changes"] if is_sent(change["kind"], document)]
    _check_apart(sorted(field.path for field in fields))
    return tuple(fields)


def _check_apart(paths: Sequence[FieldPath]) -> None:
    for path, following in itertools.pairwise(paths):
        if following[: len(path)] == path:
            raise ReportError(f"the report names {to_pointer(path)} and {to_pointer(following)}, one inside the other")


def _field(change: ChangeEntry, entry: AssistantEntry) -> AppliedField:
    path, old, new = parse_pointer(change["path"]), change.get("live", MISSING), change["desired"]
    sent = value_at(entry["patch"], path)
    masked = any(map(_is_masked, (old, new, sent)))
    since = Since(**change["since"]) if "since" in change else None
    return AppliedField(path, old, new, new if sent is MISSING else sent, masked, since)


def _is_masked(value: Any) -> bool:
    """Tell whether a value, or part of one, was hidden when the report was written."""
    if isinstance(value, dict):
        return any(map(_is_masked, value.values()))
    if isinstance(value, list):
        return any(map(_is_masked, value))
    return bool(value == SENSITIVE)
