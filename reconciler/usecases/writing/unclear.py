"""Which writes are not settled after a run: those with an unclear outcome, and those that live did not show in time."""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from reconciler.assistant.paths import FieldPath, parse_pointer, to_pointer
from reconciler.core.base import Entry
from reconciler.core.canonical import digest_of, equal, equal_completely
from reconciler.core.definition import NEW
from reconciler.core.outcome import Outcome
from reconciler.core.patch import shows_nothing_new
from reconciler.core.plan import Plan
from reconciler.core.run import Result, Run
from reconciler.core.settings import Settings
from reconciler.core.tree import MISSING, value_at
from reconciler.git.record import Record, Unclear
from reconciler.usecases.project.project import Project

MOST_HEADS = 20
Restored = Mapping[str, Collection[FieldPath]]  # by the assistant's id


def find_unclear(run: Run, previous: Record) -> tuple[Unclear, ...]:
    """Return the writes that are not clear: this run's, and what it did not settle of older ones."""
    unclear: dict[tuple[str, str], Unclear] = {}
    for entry in _list_unsettled(run, previous):
        # The first entry of a file counts: a later announcement may be withdrawn.
        unclear.setdefault(_make_key(entry), entry)
    for result in run.results:
        if result.outcome is Outcome.INDETERMINATE and result.plan is not None:
            write = _make_unclear(result)
            older = unclear.get(_make_key(write), write)
            written = () if write.is_creation else (*result.plan.sent_paths, *result.plan.resent)
            unclear[_make_key(write)] = dataclasses.replace(
                older,
                fields=tuple(sorted({*older.fields, *map(to_pointer, written)})),
                heads=_add_head(older.heads, run.head),
                token="",
                named=older.named or write.named,
            )
    return tuple(unclear[name] for name in sorted(unclear))


def _list_unsettled(run: Run, previous: Record) -> Iterator[Unclear]:
    """Yield what a run did not settle of the unclear writes of older runs."""
    by_id = {name: result for result in run.results for name in result.ids}
    by_file = {result.definition.file: result for result in run.results}
    for entry in previous.unclear:
        if entry.is_creation:
            creation = by_file.get(entry.file)
            # Once the file has an id that the API knows, somebody has looked.
            if creation is None or not (creation.ids and creation.is_recorded):
                yield entry
        elif (result := next((by_id[name] for name in entry.ids if name in by_id), None)) is None:
            yield entry
        # A field stays unclear until a run sends it, declared or not: it may be declared again.
        elif fields := _list_still_unclear(entry, result):
            yield dataclasses.replace(entry, file=result.definition.file, fields=fields)


def find_late(run: Run, previous: Record, recorded: Mapping[str, Entry | None]) -> tuple[Unclear, ...]:
    """Return the writes that the API accepted and live did not show: this run's, and older unsettled ones.

    `recorded` are the entries of this run's assistants after it, by the file of the definition.
    """
    late = {entry.id: entry for entry in previous.late}
    for result in run.results:
        earlier = _take_earlier(late, result)
        live, live_after, planned = result.live or {}, result.live_after or {}, result.plan or Plan()
        unsettled = [path for path in planned.sent_paths if path in result.remaining]
        unseen = [path for path in unsettled if shows_nothing_new([path], live, live_after)]
        fields = {*earlier.fields}
        if result.is_settled:
            # What is ignored or frozen keeps its older value in the record, so the late one must be known as ours.
            entry, declared = recorded.get(result.definition.file), result.definition.declared
            fields = {field for field in fields if not _has_declared(entry, declared, parse_pointer(field))}
        if fields := {*fields, *map(to_pointer, unseen)}:
            heads = _add_head(earlier.heads, run.head if unseen else None)
            write = dataclasses.replace(_make_unclear(result), fields=tuple(sorted(fields)), heads=heads)
            late[write.id] = write
    return tuple(sorted(late.values(), key=_make_key))


def find_undone(
    run: Run,
    previous: Record,
    restored: Restored,
    settings: Settings,
    declared_in: Callable[[Result], Mapping[str, Any]],
) -> tuple[Unclear, ...]:
    """Return the fields that have an older value since a rollback, while git has a newer one.

    `restored` are the fields that this run has put back; `declared_in` gives what the record says after it.
    """
    undone = {entry.id: entry for entry in previous.undone}
    for result in run.results:
        if not result.is_settled:
            continue
        earlier = _take_earlier(undone, result)
        live, live_after, declared = result.live or {}, result.live_after or result.live or {}, declared_in(result)
        paths = {path for path, digest in earlier.digests.items() if digest == digest_of(value_at(live, path))}
        left = {}
        for path in sorted(paths.union(restored.get(result.definition.id, ()))):
            desired, value = value_at(declared, path), value_at(live_after, path)
            # If live has git's value, there is nothing to note. A sensitive value gets no digest: a short one could be
            # guessed from it.
            if desired is not MISSING and not equal(desired, value, path) and settings.may_show(path):
                left[to_pointer(path)] = digest_of(value)
        if left:
            write = dataclasses.replace(_make_unclear(result), fields=tuple(left), left=tuple(left.values()))
            undone[write.id] = write
    return tuple(sorted(undone.values(), key=_make_key))


def _has_declared(entry: Entry | None, declared: Mapping[str, Any], path: FieldPath) -> bool:
    return entry is not None and equal_completely(value_at(entry.declared, path), value_at(declared, path), path)


def _make_unclear(result: Result) -> Unclear:
    """Return an unclear write of an assistant, still without fields."""
    # A definition may have the id of the local database. Only that id finds it in the commit of the write.
    live_id = result.ids[-1] if result.ids else NEW
    other_id = result.ids[0] if len(result.ids) > 1 else ""
    return Unclear(live_id, result.definition.file, (), named=other_id)


def _take_earlier(writes: dict[str, Unclear], result: Result) -> Unclear:
    """Take an assistant's write out of `writes` and return it; if there is none, one without fields."""
    return next((writes.pop(name) for name in result.ids if name in writes), _make_unclear(result))


def _make_key(entry: Unclear) -> tuple[str, str]:
    """Return the key of an unclear write: the assistant's id, or its file before it has an id."""
    return entry.id, entry.file if entry.is_creation else ""


def _add_head(heads: tuple[str, ...], head: str | None) -> tuple[str, ...]:
    # Their number is limited, since the next run reads each of them.
    older = (older_head for older_head in heads if older_head != head)
    return (*older, *([head] if head is not None else []))[-MOST_HEADS:]


def _list_still_unclear(entry: Unclear, result: Result) -> tuple[str, ...]:
    """Return the unclear fields that are not in what a run sent with success."""
    was_accepted = result.is_settled or result.outcome is Outcome.NOT_CONVERGED
    if not was_accepted or result.plan is None:
        return entry.fields
    # What live does not show of a write that did not converge is not in it.
    settled = (result.plan.patch or {}).keys() - {path[0] for path in result.remaining}
    return tuple(field for field in entry.fields if parse_pointer(field)[0] not in settled)


def find_undefined(project: Project, record: Record) -> tuple[Unclear, ...]:
    """Return the unclear writes of a record that no apply of `HEAD` repeats: it does not define the assistants."""
    if not (record.unclear and project.head):
        return ()
    entries = project.snapshot(project.head).read().by_file.values()
    names = {name for entry in entries for name in (entry.id, entry.file)} - {NEW}
    # A creation is never sent again, whatever is defined.
    return tuple(entry for entry in record.unclear if not entry.is_creation and not {*entry.ids, entry.file} & names)
