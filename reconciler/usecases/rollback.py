"""Undo an apply: planned like anything else, with the old values as desired and the applied ones as the base."""

import dataclasses
import datetime
import functools
import re
from collections.abc import Callable, Collection, Iterator, Sequence

from reconciler.assistant.checks import check_definition
from reconciler.assistant.paths import covers
from reconciler.core.base import NO_BASE, Entries, Entry
from reconciler.core.canonical import equal, equal_completely
from reconciler.core.definition import Definition, key_of
from reconciler.core.origin import Since
from reconciler.core.overrides import find_overrides
from reconciler.core.plan import Policy
from reconciler.core.reviewed import Applied, AppliedField, UndoableApply, combine_writes
from reconciler.core.run import Result, Run
from reconciler.core.settings import FILE_NAME, Settings
from reconciler.core.tree import MISSING, value_at
from reconciler.errors import ReportError, RepositoryError, UsageError
from reconciler.files.definitions import Loaded
from reconciler.git.lock import Lock, hold_lock
from reconciler.git.record import NO_RECORD, read_record
from reconciler.git.repository import Repository
from reconciler.usecases.apply import Start, ask_and_write
from reconciler.usecases.earlier_reports import check_origin
from reconciler.usecases.plan import compare
from reconciler.usecases.project.project import Project
from reconciler.usecases.writing.recording import record_rollback

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MOST_NAMED = 5


def rollback(lock: Lock, read: Callable[[], Project], report: UndoableApply, start: Start) -> Run:
    """Undo what a report says was applied, and return the run; the record keeps all its entries, and notes what it did.

    `lock`, `read` and `start` are as for `apply`. Raises ReconcilerError before anything is sent, and after that
    only if the run could not be published or recorded.
    """
    with hold_lock(*lock):
        project = read()
        _check_place(project)
        project = dataclasses.replace(project, record=read_record(project.repository, project.ref))
        # Before anything is sent, since git may fail.
        defined = project.snapshot(project.head).read()
        at_head = Entries(defined.by_file, defined.warnings, project.record.other_ids)
        reported = _follow_definitions(report.applied, at_head, project.below)
        undoing = _undo_project(project, reported)
        with start(undoing) as session:
            check_origin(report.origin, project, session.api.url)
            planned = compare(session.api, undoing, session.control, command="rollback")
            applied = _combine_ids(planned, reported)
            if applied != reported:
                undoing = _undo_project(project, applied)
                planned = compare(session.api, undoing, session.control, command="rollback")
            # No `max_changes`: the apply was allowed to write as many, and a share would be one of these assistants
            # only.
            run, _ = ask_and_write(_refuse_obstacles(planned, applied, project.settings), undoing, session)
            outcomes = [(result.definition.id, result.outcome) for result in run.results if result.outcome]
            undone = {name for name, outcome in outcomes if outcome.settled or outcome.may_be_live}
            notes = _list_notes(project, report, [entry for entry in applied if entry.id in undone], at_head)
            run = dataclasses.replace(run, notes=(*run.notes, *notes))
            # A value that the apply replaced may have been a live edit. Restored, it counts as one again.
            restored = {
                entry.id: [field.path for field in entry.fields if report.follows_git and not field.replaces_edit]
                for entry in applied
            }
            write_record = functools.partial(record_rollback, run, project, restored)
            session.end(run, write_record if undone and project.record.commit else None)
    return run


def _list_notes(project: Project, report: UndoableApply, undone: Sequence[Applied], at_head: Entries) -> Iterator[str]:
    """Yield what this rollback did not undo, or leaves for people to do."""
    yield from report.irreversible
    if report.follows_git:
        in_git = _leave_out_reverted(undone, at_head) if project.head else undone
        # What was sent must be reported, even if git fails now.
        try:
            yield from _name_reverts([field for entry in in_git for field in entry.fields], report.head, project)
        except RepositoryError as error:
            yield f"git still has this change, but the commits to revert could not be found: {error}"
    if undone and project.settings.record and not project.record.commit:
        way_out = f"{project.how_to_fetch}, and run the same rollback again"
        yield f"this rollback is not recorded, so it looks like a live edit: {way_out}"


def _check_place(project: Project) -> None:
    """Refuse to run where there is no project, as with a wrong `--directory`: `org_id` would protect nothing."""
    # All definitions may be gone. The place of the settings is still known then.
    has_place = project.repository.exists and project.folder.resolve().parent.is_dir()
    if project.settings.file is None and not project.folder.is_dir() and not has_place:
        hint = "run this in the project whose apply is to be undone, or correct --directory"
        raise UsageError(f"there is no project here: neither the folder {project.folder} nor {FILE_NAME}", hint=hint)


def _follow_definitions(applied: Sequence[Applied], at_head: Entries, below: str) -> tuple[Applied, ...]:
    """Return what was applied, with its files in `HEAD`, since the settings and the record use those."""
    followed = []
    for entry in applied:
        ids = entry.id, at_head.other_ids.get(entry.id, entry.id)
        file = (at_head.find(ids, entry.file) or entry).file
        followed.append(dataclasses.replace(entry, file=file, key=key_of(file, below)) if file != entry.file else entry)
    return tuple(followed)


def _leave_out_reverted(applied: Sequence[Applied], at_head: Entries) -> Sequence[Applied]:
    """Return what was applied without the fields to which the definitions of `HEAD` give the old value, or none."""
    remaining = []
    for entry in applied:
        defined = at_head.find((entry.id,), entry.file) or at_head.by_file.get(entry.file)
        declared = defined.declared if defined is not None else {}
        values = [(field, value_at(declared, field.path)) for field in entry.fields]
        fields = [field for field, value in values if value is not MISSING and not equal(value, field.old, field.path)]
        remaining.append(dataclasses.replace(entry, fields=tuple(fields)))
    return remaining


def _undo_project(project: Project, applied: Sequence[Applied]) -> Project:
    """Return the project in which the old values are what the definitions declare, and the applied ones the base."""
    # An id of the report becomes part of a URL.
    for entry in applied:
        for problem in check_definition({"id": entry.id}):
            raise ReportError(f"the report names an assistant {entry.id!r}: {problem.message}")
    definitions = tuple(Definition(entry.key, entry.file, entry.id, entry.declare_old()) for entry in applied)
    # Two definitions of a merged report may share a path, so the entries are keyed by id.
    applied_entries = {entry.id: Entry(entry.id, entry.file, entry.declare_new()) for entry in applied}
    left = {entry.id: tuple((field.path, value) for field in entry.fields for value in field.left) for entry in applied}
    # Where a write had no clear answer the provider may have the new value although live shows the old one. The record
    # tells it of an earlier rollback.
    recorded = {entry.id: project.unclear_fields([entry.id]) for entry in applied}
    unclear = {
        entry.id: tuple(field.path for field in entry.fields if field.unclear or field.path in recorded[entry.id])
        for entry in applied
    }
    # The record and freezes do not count: a rollback is for emergencies, and restores only what it was asked for.
    return dataclasses.replace(
        project,
        settings=dataclasses.replace(project.settings, frozen=(), enforce=()),
        policy=Policy(always_send=project.settings.always_send),
        loaded=Loaded(definitions, (), (), whole=False),
        record=NO_RECORD,
        base=dataclasses.replace(NO_BASE, entries=Entries(applied_entries), unclear_writes=left),
        resend=unclear,
    )


def _combine_ids(planned: Run, applied: Sequence[Applied]) -> Sequence[Applied]:
    """Return what was applied with one entry for each assistant that a merged report names by both of its ids."""
    # Only the API's answers show that two ids are one assistant's.
    live = {result.definition.id: result.live["id"] for result in planned.results if result.live is not None}
    by_live_id: dict[str, list[Applied]] = {}
    for entry in applied:
        by_live_id.setdefault(live.get(entry.id, entry.id), []).append(entry)
    return tuple(map(combine_writes, by_live_id.values()))


def _refuse_obstacles(planned: Run, applied: Sequence[Applied], settings: Settings) -> Run:
    """Return a planned rollback in which what cannot be undone is refused, with a warning for what is frozen."""
    by_id = {entry.id: entry for entry in applied}
    results = tuple(_judge(result, by_id[result.definition.id], settings) for result in planned.results)
    return dataclasses.replace(planned, results=results)


def _name_reverts(fields: Sequence[AppliedField], head: str | None, project: Project) -> Iterator[str]:
    """Yield a note that names the commits to revert, if git and live now differ in some fields."""
    repository = project.repository
    # No commit replaced a live edit that the apply reverted, so there is none to revert.
    from_git = [field for field in fields if any(field.setters) or not field.replaces_edit]
    pull = project.write_command("pull")
    if len(from_git) < len(fields):
        yield f"git does not have the live edits that were restored; to keep them, run {pull}"
    if not from_git:
        return
    # Anybody may have written the report, and people copy the command that it becomes part of.
    head = head if head is not None and _COMMIT.fullmatch(head) else ""
    commits = _find_commits_to_revert({since for field in from_git for since in field.setters}, head, repository)
    commands = []
    for commit in commits[:_MOST_NAMED]:
        is_merge = repository.has(commit) and len(repository.commit(commit).parents) > 1
        # To revert a merge, git must know which parent to keep.
        commands.append(f"git revert {'-m 1 ' if is_merge else ''}{commit}")
    command = " && ".join(commands) or "revert the commit that was applied"
    if len(commits) > _MOST_NAMED:
        command += f" and {len(commits) - _MOST_NAMED} more (named in the apply's report, under `since`)"
    yield "git still has this change, so a later apply may send it again"
    # On its own, so that a terminal of 80 columns does not break the line inside the command.
    yield f"to remove it: {command}"
    if project.settings.environment is not None:
        yield f"a revert can also change other environments; to keep the old values only in this one, run {pull}"


def _find_commits_to_revert(setters: Collection[Since | None], head: str, repository: Repository) -> list[str]:
    """Return the commits that set some values, the newest first: `head` where none is known, or it brought them."""
    valid = [since for since in setters if since is not None and _COMMIT.fullmatch(since.commit)]
    older = [since for since in valid if not _is_brought_by(head, since.commit, repository)]
    dates = {since.commit: _parse_time(since.date) for since in older}
    # A rebase keeps the dates, and not the order. Reverted in another order, commits of one file are in conflict.
    known = sorted(filter(repository.has, dates))
    history = repository.log("--topo-order", "--format=%H", *known, "--").split() if len(known) > 1 else []
    places = {commit: place for place, commit in enumerate(history)}
    newest_first = sorted(dates, key=lambda commit: (places.get(commit, len(places)), -dates[commit], commit))
    return [head, *newest_first] if head and len(older) < len(setters) else newest_first


def _is_brought_by(head: str, commit: str, repository: Repository) -> bool:
    """Return whether a commit is `head`, or came with it: a merge brought all that its first parent does not have."""
    if commit == head:
        return True
    if not repository.has(head) or not repository.is_ancestor(commit, head):
        return False
    parents = repository.commit(head).parents
    return not (parents and repository.is_ancestor(commit, parents[0]))


def _parse_time(date: str) -> float:
    # Anybody may have written the date into the report.
    try:
        return datetime.datetime.fromisoformat(date).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def _judge(result: Result, applied: Applied, settings: Settings) -> Result:
    """Return an assistant's result: refused if one of its fields cannot be undone, with a warning if it is frozen."""
    obstacle = "; ".join(applied.list_obstacles())
    if obstacle and result.error is None:
        return result.refuse("invalid", f"this cannot be undone: {obstacle}", hint="restore the old values by hand")
    if _has_moved_on(result, applied):
        return result.refuse(
            "conflict",
            "live has neither the value that was applied nor the old one: somebody changed it, or the API stores it "
            "differently",
            hint="look at the difference, and change the definition instead",
        )
    freeze = find_overrides(settings, result.definition.key).freeze
    if freeze is None or not result.pending:
        return result
    note = f"the assistant is frozen ({freeze.describe()}); rollback continues anyway"
    return dataclasses.replace(result, warnings=(*result.warnings, note))


def _has_moved_on(result: Result, applied: Applied) -> bool:
    """Return whether a field has neither the value that was sent nor the old one."""
    if result.plan is None or result.live is None:
        return False
    # What `ignore` accepts may hold anything; that it has moved says nothing of the field.
    accepted = [entry.path for entry in result.plan.ignored]
    for field in applied.fields:
        # Compared whole: a plan does not see what somebody added to an object or a list that is replaced in one piece.
        live_value = value_at(result.live, field.path)
        is_own = any(equal_completely(live_value, value, field.path) for value in (field.old, *field.own_values))
        if not is_own and not any(covers(path, field.path) for path in accepted):
            return True
    return False
