"""Builds the run of a command: sorted results, the commits that set values, removed definitions, and notes."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from reconciler.core.base import Entry
from reconciler.core.definition import is_definition_file
from reconciler.core.outcome import Outcome, Status
from reconciler.core.overrides import warn_of_expiry, warn_of_unmatched
from reconciler.core.ports import Assistants
from reconciler.core.run import AppliedRecord, Failure, RemovedDefinition, Result, Run
from reconciler.core.settings import now
from reconciler.usecases.project.project import Project


def make_run(
    command: str,
    project: Project,
    results: Sequence[Result],
    *,
    api: Assistants | None = None,
    notes: Sequence[str] = (),
) -> Run:
    """Return the run of a command that ends now, with the invalid definitions."""
    invalid = [Result(entry, error=Failure(entry.kind, entry.message)) for entry in project.loaded.invalid]
    base, record = project.base, project.record
    return Run(
        command=command,
        started_at=project.started_at,
        finished_at=now(),
        results=tuple(sorted([*results, *invalid], key=lambda result: result.definition.file)),
        problems=project.loaded.problems,
        notes=(*_list_notes(project, results), *notes),
        api_url=api.url if api else None,
        environment=project.settings.environment,
        api_calls=dict(api.calls) if api else {},
        head=project.head or None,
        base={"ref": base.ref, "commit": base.commit} if base.commit else None,
        record=AppliedRecord(project.ref, record.commit, record.applied, record.date) if record.commit else None,
        next_expiry=project.settings.next_expiry,
        removed=tuple(RemovedDefinition(entry.file, entry.id) for entry in find_removed(project, results)),
        selection=None if project.loaded.whole else "changed" if project.fork is not None else "named",
        options=project.policy.options,
        sensitive=project.settings.sensitive,
    )


def find_removed(project: Project, results: Sequence[Result]) -> Iterator[Entry]:
    """Yield the entries of the base whose definitions the run's folder no longer has, by path."""
    entries = project.base.entries
    # A file without a readable id may belong to any assistant. So may an id that the base does not know, until live was
    # read: it may be an assistant's other id.
    unread = {each.definition.id for each in results if each.live is None and each.status in (None, Status.ERROR)}
    if not all(entry.id for entry in project.loaded.invalid) or any(entries.find([name]) is None for name in unread):
        return
    # An assistant has two ids, and a definition may have changed from the one to the other.
    ids = {entry.id for entry in project.loaded.every} | {result.live["id"] for result in results if result.live}
    # A run of selected files knows only the files that git has removed.
    files = [file for file in sorted(entries.by_file) if project.loaded.whole or file in project.removed]
    candidates = [entries.by_file[file] for file in files if project.covers(file)]
    removed = [entry for entry in candidates if ids.isdisjoint(entries.ids_of(entry))]
    # A definition that has moved to another folder is still managed there.
    mentioned = project.snapshot(project.head).find_mentioned([entry.id for entry in removed]).by_file
    elsewhere = {entry.id for file, entry in mentioned.items() if not is_definition_file(file, project.below)}
    yield from (entry for entry in removed if entry.id not in elsewhere)


def _list_notes(project: Project, results: Sequence[Result]) -> Iterator[str]:
    yield from project.notes
    yield from project.base.entries.warnings
    yield from warn_of_expiry(project.settings)
    if project.loaded.whole:
        lives = [result.live for result in results if result.live]
        yield from warn_of_unmatched(project.settings, project.loaded.every, lives)


def stop_run(run: Run, because: str) -> Run:
    """Return a planned run with every assistant skipped, and a note that says why."""
    return end_run(run, (result.end(Outcome.SKIPPED) for result in run.results), f"Nothing was sent: {because}.")


def end_run(run: Run, results: Iterable[Result], *notes: str) -> Run:
    """Return a planned run with its results and notes. It ends now."""
    sorted_results = tuple(sorted(results, key=lambda result: result.definition.file))
    return dataclasses.replace(run, results=sorted_results, notes=(*run.notes, *notes), finished_at=now())
