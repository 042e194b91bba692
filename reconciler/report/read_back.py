"""Reads what a later run needs from an earlier report, which may contain several runs. Decides nothing itself."""

import dataclasses

from reconciler.assistant.paths import FieldPath, parse_pointer, to_pointer
from reconciler.core.definition import write_command
from reconciler.core.outcome import Kind, Outcome, Status
from reconciler.core.reviewed import Applied, AppliedField, Origin, Reviewed, UndoableApply, check_apart, combine_writes
from reconciler.core.tree import MISSING, value_at, walk_leaves
from reconciler.errors import ReportError
from reconciler.report.differences.values import SENSITIVE
from reconciler.report.report import AssistantEntry, ChangeEntry, Report


def check_kind(report: Report, *, fits: bool, command: str) -> None:
    """Refuse a report of another command than the one that is needed, or of several. Raises ReportError."""
    # An entry has a command only if the report was merged from several.
    if commands := sorted({f"`{entry.command}`" for entry in report.assistants if entry.command and not fits}):
        hint = "pass the report of each run by itself, the latest first"
        raise ReportError(f"this report is merged from runs of {' and '.join(commands)}", hint=hint)
    if not fits:
        raise ReportError(f"this is a report of `{report.command}`", hint=f"pass what `{command} --report` wrote")


def read_origin(report: Report) -> Origin:
    """Return what the run of a report covered. Raises ReportError if it has several environments."""
    # In another environment, the same id is another assistant, with other settings.
    if any(entry.environment for entry in report.assistants):
        hint = "pass the report of one environment"
        raise ReportError(f"the report is of several environments: {', '.join(report.environments)}", hint=hint)
    return Origin(api_url=report.api_url, environment=report.environment)


def read_plan(report: Report) -> Reviewed:
    """Return what `apply --plan` uses of a plan's report. Raises ReportError for any other report."""
    check_kind(report, fits=report.traits.is_plan, command="plan")
    if report.offline:
        hint = "plan without --offline, review it, and apply that plan"
        raise ReportError("an offline plan cannot be applied: it was made without reading live", hint=hint)
    by_id = {entry.id: entry for entry in report.by_run if entry.id is not None}  # the latest plan counts
    return Reviewed(
        origin=read_origin(report),
        head=report.head,
        options=report.options,
        digests={name: entry.digest for name, entry in by_id.items()},
        sent={name: [parse_pointer(each.path) for each in entry.changes if each.sent] for name, entry in by_id.items()},
        new=frozenset(entry.file for entry in report.assistants if entry.status is Status.NEW),
    )


def read_apply(report: Report) -> UndoableApply:
    """Return the parts of an apply's report that `rollback` uses. Raises ReportError for any other report."""
    check_kind(report, fits=report.traits.writes, command="apply")
    return UndoableApply(
        origin=read_origin(report),
        applied=list_applied(report),
        head=report.head,
        follows_git=report.traits.follows_git,
        irreversible=_list_irreversible(report),
    )


def read_unclear(report: Report) -> tuple[Origin, tuple[Applied, ...]]:
    """Return what `apply --resume` uses of a report: its origin, and the unclear writes. Raises like `read_apply`."""
    check_kind(report, fits=report.traits.writes, command="apply")
    # An apply sends fields, and none of them tells whether an assistant is gone.
    if any(entry.last is not None for entry in report.assistants):
        hint = "check whether the assistant is gone; if it is not, run the deletion again"
        raise ReportError("this is the report of a deletion, which cannot be resumed", hint=hint)
    return read_origin(report), list_unclear(report)


def list_applied(report: Report) -> tuple[Applied, ...]:
    """Return the assistants that an apply or a rollback changed, or may have, with the fields that were sent.

    Raises ReportError if the report does not say what was sent, or if one run of an assistant has a field twice, or a
    field inside another one: then it is unclear what to restore.
    """
    combined = [combine_writes([_read_write(entry) for entry in entries]) for entries in _group_writes(report)]
    return tuple(applied for applied in combined if applied.fields)


def list_unclear(report: Report) -> tuple[Applied, ...]:
    """Return the assistants whose last write of a field is `indeterminate`, with those fields.

    This includes whole fields that were sent although live already showed their values. An assistant that may have been
    created has no id and no fields. Raises ReportError like `list_applied`.
    """
    new = {entry.file: entry for entry in report.assistants if entry.status is Status.NEW}
    writes = [Applied(entry.key, file, "", ()) for file, entry in new.items() if entry.outcome is Outcome.INDETERMINATE]
    for entries in _group_writes(report):
        unclear: dict[FieldPath, AppliedField] = {}
        last_write = None
        for entry in entries:
            if entry.outcome is Outcome.INDETERMINATE:
                last_write = _read_write(entry, resent=True)
                unclear |= {field.path: field for field in last_write.fields}
            else:  # a later write with a clear outcome settles its fields
                unclear = {path: field for path, field in unclear.items() if value_at(entry.patch, path) is MISSING}
        if last_write is not None and (unclear or not last_write.fields):
            undoes = not report.traits.follows_git
            writes.append(dataclasses.replace(last_write, fields=tuple(unclear.values()), undoes=undoes))
    return tuple(writes)


def _list_irreversible(report: Report) -> tuple[str, ...]:
    """Return a text for each file whose assistant was created or deleted, which no rollback undoes."""
    messages: dict[str, str] = {}
    for entry in report.assistants:
        if entry.outcome is Outcome.DELETED:
            remedy = "that report has its values under `last`"
            messages[entry.file] = f"{entry.file}: the assistant was deleted, and a rollback creates nothing; {remedy}"
        elif entry.status is Status.NEW and entry.outcome and entry.outcome.may_be_live:
            remedy = f"{write_command('delete', entry.file)} does"
            messages[entry.file] = f"{entry.file}: the assistant was new, and a rollback deletes nothing; {remedy}"
    return tuple(messages.values())


def _group_writes(report: Report) -> list[list[AssistantEntry]]:
    """Return the entries of each assistant that was written, or may have been, in the order of the runs.

    Raises ReportError if `sent` is missing.
    """
    groups: dict[str, list[AssistantEntry]] = {}
    for entry in report.by_run:
        was_written = entry.outcome is not None and entry.outcome.may_be_live
        # A new assistant has no old values. Replacing each value with nothing would empty it, but not delete it.
        if entry.id is None or not was_written or entry.status is Status.NEW:
            continue
        # A guess could undo a change that was never sent, or keep one that was.
        if any(change.sent is None for change in entry.changes):
            message = "the report does not say which changes were sent (`sent`): an earlier version wrote it"
            hint = "apply again with this version and use its report, or restore the values by hand"
            raise ReportError(message, hint=hint)
        groups.setdefault(entry.id, []).append(entry)
    return list(groups.values())


def _read_write(entry: AssistantEntry, *, resent: bool = False) -> Applied:
    """Return the fields that one run sent to an assistant. `resent` adds fields that were sent without a difference."""
    fields = [_read_field(entry, change) for change in entry.changes if change.sent]
    check_apart(fields)
    if resent:
        # A resumed apply sends fields that do not differ, because live already showed them. Only the patch has them.
        patch = entry.patch or {}
        resent_fields = sorted(patch.keys() - {field.path[0] for field in fields})
        same = [
            ChangeEntry(path=to_pointer((key,)), kind=Kind.CHANGE, line=None, desired=patch[key], live=patch[key])
            for key in resent_fields
        ]
        fields += [_read_field(entry, change) for change in same]
    return Applied(entry.key, entry.file, str(entry.id), tuple(fields))


def _read_field(entry: AssistantEntry, change: ChangeEntry) -> AppliedField:
    path, old, new = parse_pointer(change.path), change.live, change.desired
    sent = value_at(entry.patch, path)
    return AppliedField(
        path=path,
        old=old,
        new=new,
        # If a masked parent hides it in the patch, take the declared value.
        sent=new if sent is MISSING else sent,
        # A value, or a part of it, was hidden when the report was written.
        masked=any(leaf == SENSITIVE for value in (old, new, sent) for _, leaf in walk_leaves(value)),
        since=change.since,
        replaces_edit=change.kind is not Kind.CHANGE,
        # The API accepted these values, and they may still appear.
        unclear=entry.outcome is Outcome.INDETERMINATE or change.path in entry.remaining,
    )
