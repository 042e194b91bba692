"""Records what an apply brought live, so that the next plan knows who moved since (docs/reference.md, "The record")."""

import dataclasses
from collections.abc import Collection, Mapping

from reconciler.core.base import Entries, Entry
from reconciler.core.definition import NEW, InvalidDefinition, is_definition_file
from reconciler.core.outcome import Outcome
from reconciler.core.run import Run
from reconciler.errors import RepositoryError
from reconciler.git.commit_layers import parse_definition
from reconciler.git.objects import Blob
from reconciler.git.record import Record, Trailers, write_record
from reconciler.git.repository import Repository
from reconciler.git.snapshot import find_mentioned, read_everything, read_snapshot
from reconciler.usecases.project.new_assistants import find_orphans
from reconciler.usecases.project.project import Project
from reconciler.usecases.writing.entries import are_same, find_in_head, make_entry, write_entry
from reconciler.usecases.writing.runs import find_removed
from reconciler.usecases.writing.unclear import find_late, find_unclear


def record(run: Run, project: Project, *, with_entries: bool = True) -> str | None:
    """Add what an apply did to the record and return the commit; None where the record says it already.

    Entries are replaced for what this run settled and kept for everything else; without `with_entries` all are kept,
    and what was applied last stays what it was. Raises RepositoryError.
    """
    try:
        return _record(run, project, with_entries=with_entries)
    except RepositoryError as error:
        wrote = any(result.outcome is not None and result.outcome.may_be_live for result in run.results)
        text = "what was applied is live, but not recorded" if wrote else "this run wrote nothing and is not recorded"
        raise RepositoryError(
            f"{text}: {error.message}",
            hint=f"{error.hint or 'fix that'}. Then apply again{' to record what is live' if wrote else ''}",
        ) from error


def forget(run: Run, project: Project) -> str | None:
    """Drop the entries of the assistants that a run has deleted, and return the record's commit."""
    repository, head, previous = project.repository, project.head, project.record
    if repository is None or head is None or previous is None:
        return None
    entries, blobs = _read_previous(project, repository)
    names = {name for result in run.results if result.outcome is Outcome.DELETED for name in result.ids}
    deleted = {entry.file for name in names for entry in entries.find_all(name)}
    return write_record(
        repository,
        project.ref,
        head=head,
        previous=previous.commit,
        files={file: blob for file, blob in blobs.items() if file not in deleted},
        message=_write_message(run),
        # Which file they were created from stays known: while git says `id: new` there, nothing is created anew.
        keeps=dataclasses.replace(
            previous,
            unclear=tuple(entry for entry in previous.unclear if entry.id not in names),
            late=tuple(entry for entry in previous.late if entry.id not in names),
            outdated=_find_outdated(project, head, {}, deleted & repository.files(head).keys()),
        ),
    )


def _record(run: Run, project: Project, *, with_entries: bool) -> str | None:
    repository, head, previous = project.repository, project.head, project.record
    if repository is None or head is None:
        return None
    entries, blobs = _read_previous(project, repository)
    files = dict(blobs)
    applied: Mapping[str, bool] = {}
    if with_entries:
        files, applied = _replace_entries(run, project, repository, head, entries, files)
    elif previous is not None:  # nothing new counts as applied, so the first parent must not move on
        head = previous.applied
    # A run of selected files does not know what is gone elsewhere.
    if project.loaded.whole:
        # What a file that is still to be created may be, renamed, stays: without it the next run would create a second.
        new = [definition for definition in project.loaded.definitions if definition.is_new]
        orphans = {entry.file for definition in new for entry in find_orphans(project, definition)}
        for removed in find_removed(project, run.results):
            # Where the entry is another one, another assistant has its path by now.
            if removed.file not in orphans and files.get(removed.file) == blobs.get(removed.file):
                files.pop(removed.file, None)
    changed = {path for path, _ in files.items() ^ blobs.items() if path not in applied} & repository.files(head).keys()
    keeps = _find_trailers(run, previous, entries, _find_outdated(project, head, applied, changed))
    wrote = project.announced is not None or any(result.outcome is Outcome.APPLIED for result in run.results)
    # A run that wrote is recorded even if the entries are equal: it reverted a live edit.
    same = previous and previous.resolved and previous.applied == head and previous.keeps_same(keeps)
    if same and not wrote and files == blobs:
        return None
    return write_record(
        repository,
        project.ref,
        head=head,
        previous=previous.commit if previous else None,
        files=files,
        message=_write_message(run),
        keeps=keeps,
        replaces=project.announced,
    )


def _find_trailers(
    run: Run, previous: Record | None, entries: Entries, outdated: Mapping[str, frozenset[str]]
) -> Trailers:
    """Return what a record's message keeps after a run."""
    recorded = [result for result in run.results if result.outcome and result.outcome.is_recorded]
    created = dict(previous.created) if previous else {}
    created |= {
        result.definition.file: result.definition.id
        for result in recorded
        if result.plan and result.plan.creates and result.definition.id
    }
    # By the id of their entries the ids that GET gave: a definition may change to the assistant's other id.
    ids = {entry.id for entry in entries.by_file.values()}
    other_ids = {name: live_id for name, live_id in entries.other_ids.items() if name in ids}
    other_ids |= {result.ids[0]: result.ids[1] for result in recorded if len(result.ids) > 1}
    # What an older run has not settled is kept: a later run may settle it, and nothing else stores it.
    return Trailers(
        unclear=find_unclear(run, previous),
        late=find_late(run, previous),
        created=created,
        other_ids=other_ids,
        outdated=outdated,
    )


def _replace_entries(
    run: Run, project: Project, repository: Repository, head: str, entries: Entries, files: dict[str, Blob]
) -> tuple[dict[str, Blob], dict[str, bool]]:
    """Return the entries' objects with those of the assistants whose fields this run knows replaced.

    By each definition's path as well: whether its entry is now what the definition declares.
    """
    # An assistant has one entry, at its definition's path. Where the file has moved the entry follows, whatever became
    # of the assistant.
    at_head = repository.files(head)
    blobs, placed, texts = dict(files), dict[str, Blob](), dict[str, str]()
    applied = {result.definition.file: False for result in run.results}
    for result in run.results:
        if isinstance(definition := result.definition, InvalidDefinition):
            continue
        file = definition.file
        old = entries.find(result.ids, file)
        for other in (entry for name in result.ids for entry in entries.find_all(name)):
            # An entry that is left behind at the old path would be the base of whatever comes to stand there.
            if other.file == file or not _still_defines(repository, at_head, other.file, result.ids):
                blobs.pop(other.file, None)
        if old is not None and old.file in files:
            placed[file] = files[old.file]
        entry = make_entry(project, result, old) if result.outcome is not None and result.outcome.is_recorded else None
        applied[file] = are_same(entry or old, Entry(definition.id, file, definition.declared))
        # An equal entry keeps its object, so that a changed comment is not a change of the entry.
        if entry is None or (old is not None and old.file == file and are_same(entry, old)):
            continue
        if (as_in_head := find_in_head(entry, definition, at_head)) is not None:
            placed[file] = as_in_head
        else:
            texts[file] = write_entry(entry)
    blobs = _move_displaced(project, repository, head, entries, blobs, {*placed, *texts})
    return {**blobs, **placed, **repository.write_files(texts)}, applied


def _find_outdated(
    project: Project, head: str, applied: Mapping[str, bool], changed: Collection[str]
) -> dict[str, frozenset[str]]:
    """Return, by their folder, the definitions whose entry is not what `head` declares.

    `applied` tells it of the definitions of this run, `changed` are entries that it has changed besides. A folder of
    which it is not known is left out.
    """
    previous, below = project.record, project.below
    known = dict(previous.outdated) if previous is not None and previous.applied == head else {}
    # With --changed, every definition that the two commits do not declare alike is part of the run.
    if previous is not None and previous.applied == project.fork and below in previous.outdated:
        known[below] = previous.outdated[below]
    if project.loaded.whole:
        known[below] = frozenset()
    if below in known:
        known[below] = (known[below] - applied.keys()) | {file for file, is_so in applied.items() if not is_so}
    return {
        folder: files | {file for file in changed if is_definition_file(file, folder)}
        for folder, files in known.items()
    }


def _still_defines(repository: Repository, at_head: Mapping[str, Blob], file: str, ids: Collection[str]) -> bool:
    """Return whether a file of `HEAD` may be that of an assistant; an overlay or the record may have its id."""
    if file not in at_head:
        return False
    id_at_head = (parse_definition(repository.read(file, at_head[file])) or {}).get("id", NEW)
    return id_at_head == NEW or id_at_head in ids


def _move_displaced(
    project: Project, repository: Repository, head: str, entries: Entries, blobs: dict[str, Blob], used: set[str]
) -> dict[str, Blob]:
    """Return the remaining entries; one whose path is now used moves to the path of its own definition."""
    displaced = [entries.by_file[file] for file in sorted(blobs.keys() & used) if file in entries.by_file]
    if not displaced:
        return blobs
    snapshot = read_snapshot(repository, head, project.below, project.settings.environment)
    moved = dict(blobs)
    while displaced:
        entry = displaced.pop()
        defined = snapshot.find([entry.id]) or find_mentioned(repository, head, [entry.id]).find([entry.id])
        occupant = entries.by_file.get(defined.file) if defined is not None and defined.file in blobs else None
        if defined is None or defined.file in used or (occupant is not None and occupant.id == entry.id):
            continue
        # Files may have been renamed in a circle: then the entry at the new path moves as well.
        displaced += [occupant] if occupant is not None else []
        moved[defined.file] = blobs[entry.file]
        used = {*used, defined.file}
    return moved


def _read_previous(project: Project, repository: Repository) -> tuple[Entries, Mapping[str, Blob]]:
    """Return the entries that the record holds so far, with their objects."""
    previous = project.record
    if previous is None:
        return Entries(), {}
    if previous.resolved:
        return project.record_entries, repository.files(previous.commit)
    # A record of the older form has none: its definitions are written out as entries once.
    entries = read_everything(repository, previous.commit, project.settings.environment)
    texts = {entry.file: write_entry(entry) for entry in entries.by_file.values()}
    return entries, repository.write_files(texts)


def _write_message(run: Run) -> str:
    """Return the totals as a subject, then what became of each assistant that is not unchanged."""
    outcomes = [result.outcome for result in run.results]
    notable = [outcome for outcome in Outcome if outcome is not Outcome.UNCHANGED]
    totals = [f"{outcomes.count(outcome)} {outcome.replace('_', ' ')}" for outcome in notable if outcome in outcomes]
    totals.append(f"{outcomes.count(Outcome.UNCHANGED)} unchanged")
    results = [result for result in run.results if result.outcome in notable]
    lines = [f"{result.outcome}: {result.definition.file} ({result.definition.id or NEW})" for result in results]
    # The name of a file may hold a line end, and the lines below the subject are read again.
    printable = ["".join(char if char.isprintable() else "?" for char in line) for line in lines]
    body = "\n\n" + "\n".join(printable) if printable else ""
    return f"{run.command.capitalize()}: {', '.join(totals)}{body}"
