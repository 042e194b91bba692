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
from reconciler.usecases.writing.entries import find_in_head, make_entry, says_same, write_entry
from reconciler.usecases.writing.runs import find_gone
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
        what = "what was applied is live, but not recorded" if wrote else "this run wrote nothing and is not recorded"
        raise RepositoryError(
            f"{what}: {error.message}",
            hint=f"{error.hint or 'fix that'}. Then apply again{' to record what is live' if wrote else ''}",
        ) from error


def forget(run: Run, project: Project) -> str | None:
    """Drop the entries of the assistants that a run has deleted, and return the record's commit."""
    repository, head, previous = project.repository, project.head, project.record
    if repository is None or head is None or previous is None:
        return None
    before, kept = _read_previous(project, repository)
    names = {name for result in run.results if result.outcome is Outcome.DELETED for name in result.ids}
    gone = {entry.file for name in names for entry in before.find_all(name)}
    return write_record(
        repository,
        project.ref,
        head=head,
        previous=previous.commit,
        files={file: blob for file, blob in kept.items() if file not in gone},
        message=_message(run),
        # Which file they were created from stays known: while git says `id: new` there, nothing is created anew.
        keeps=dataclasses.replace(
            previous,
            unclear=tuple(entry for entry in previous.unclear if entry.id not in names),
            late=tuple(entry for entry in previous.late if entry.id not in names),
            unsettled=_find_unsettled(project, head, {}, gone & repository.files(head).keys()),
        ),
    )


def _record(run: Run, project: Project, *, with_entries: bool) -> str | None:
    repository, head, previous = project.repository, project.head, project.record
    if repository is None or head is None:
        return None
    before, kept = _read_previous(project, repository)
    files = dict(kept)
    settled: Mapping[str, bool] = {}
    if with_entries:
        files, settled = _replace_entries(run, project, repository, head, before, files)
    elif previous is not None:  # nothing new counts as applied, so the first parent must not move on
        head = previous.applied
    # A run of selected files does not know what is gone elsewhere.
    if project.loaded.whole:
        # What a file that is still to be created may be, renamed, stays: without it the next run would create a second.
        new = [definition for definition in project.loaded.definitions if definition.is_new]
        held = {entry.file for definition in new for entry in find_orphans(project, definition)}
        for gone in find_gone(project, run.results):
            # Where the entry is another one, another assistant has its path by now.
            if gone.file not in held and files.get(gone.file) == kept.get(gone.file):
                files.pop(gone.file, None)
    others = {path for path, _ in files.items() ^ kept.items() if path not in settled} & repository.files(head).keys()
    keeps = _find_trailers(run, previous, before, _find_unsettled(project, head, settled, others))
    wrote = project.announced is not None or any(result.outcome is Outcome.APPLIED for result in run.results)
    # A run that wrote is recorded even where the entries are the same: it put something back.
    same = previous and previous.resolved and previous.applied == head and previous.says_same(keeps)
    if same and not wrote and files == kept:
        return None
    return write_record(
        repository,
        project.ref,
        head=head,
        previous=previous.commit if previous else None,
        files=files,
        message=_message(run),
        keeps=keeps,
        replaces=project.announced,
    )


def _find_trailers(
    run: Run, previous: Record | None, before: Entries, unsettled: Mapping[str, frozenset[str]]
) -> Trailers:
    """Return what a record's message keeps after a run."""
    recorded = [result for result in run.results if result.outcome and result.outcome.is_recorded]
    created = dict(previous.created) if previous else {}
    created |= {
        one.definition.file: one.definition.id
        for one in recorded
        if one.plan and one.plan.creates and one.definition.id
    }
    # By the id of their entries the ids that GET gave: a definition may change to the assistant's other id.
    ids = {entry.id for entry in before.by_file.values()}
    other_ids = {name: other for name, other in before.other_ids.items() if name in ids}
    other_ids |= {one.ids[0]: one.ids[1] for one in recorded if len(one.ids) > 1}
    # What an older run has not settled is kept: another run may know more of it, and nobody else remembers it.
    return Trailers(
        unclear=find_unclear(run, previous),
        late=find_late(run, previous),
        created=created,
        other_ids=other_ids,
        unsettled=unsettled,
    )


def _replace_entries(
    run: Run, project: Project, repository: Repository, head: str, before: Entries, files: dict[str, Blob]
) -> tuple[dict[str, Blob], dict[str, bool]]:
    """Return the entries' objects with those of the assistants whose fields this run knows replaced.

    By each definition's path as well: whether its entry is now what the definition declares.
    """
    # An assistant has one entry, at its definition's path. Where the file has moved the entry follows, whatever became
    # of the assistant.
    at_head = repository.files(head)
    left, placed, texts = dict(files), dict[str, Blob](), dict[str, str]()
    settled = {result.definition.file: False for result in run.results}
    for result in run.results:
        if isinstance(definition := result.definition, InvalidDefinition):
            continue
        file = definition.file
        old = before.find(result.ids, file)
        for other in (entry for name in result.ids for entry in before.find_all(name)):
            # An entry that is left behind at the old path would be the base of whatever comes to stand there.
            if other.file == file or not _still_has(repository, at_head, other.file, result.ids):
                left.pop(other.file, None)
        if old is not None and old.file in files:
            placed[file] = files[old.file]
        entry = make_entry(project, result, old) if result.outcome is not None and result.outcome.is_recorded else None
        settled[file] = says_same(entry or old, Entry(definition.id, file, definition.declared))
        # An entry that says the same keeps its object, so that a comment is no change of what was live.
        if entry is None or (old is not None and old.file == file and says_same(entry, old)):
            continue
        if (as_in_head := find_in_head(entry, definition, at_head)) is not None:
            placed[file] = as_in_head
        else:
            texts[file] = write_entry(entry)
    left = _move_displaced(project, repository, head, before, left, {*placed, *texts})
    return {**left, **placed, **repository.write_files(texts)}, settled


def _find_unsettled(
    project: Project, head: str, settled: Mapping[str, bool], others: Collection[str]
) -> dict[str, frozenset[str]]:
    """Return, by their folder, the definitions whose entry is not what `head` declares.

    `settled` tells it of the definitions of this run, `others` are entries that it has changed besides. A folder of
    which it is not known is left out.
    """
    previous, below = project.record, project.below
    known = dict(previous.unsettled) if previous is not None and previous.applied == head else {}
    # With --changed, every definition that the two commits do not declare alike is part of the run.
    if previous is not None and previous.applied == project.fork and below in previous.unsettled:
        known[below] = previous.unsettled[below]
    if project.loaded.whole:
        known[below] = frozenset()
    if below in known:
        known[below] = (known[below] - settled.keys()) | {file for file, is_so in settled.items() if not is_so}
    return {
        folder: files | {file for file in others if is_definition_file(file, folder)} for folder, files in known.items()
    }


def _still_has(repository: Repository, at_head: Mapping[str, Blob], file: str, ids: Collection[str]) -> bool:
    """Return whether a file of `HEAD` may be that of an assistant; an overlay or the record may have its id."""
    if file not in at_head:
        return False
    said = (parse_definition(repository.read(file, at_head[file])) or {}).get("id", NEW)
    return said == NEW or said in ids


def _move_displaced(
    project: Project, repository: Repository, head: str, before: Entries, left: dict[str, Blob], taken: set[str]
) -> dict[str, Blob]:
    """Return the entries that are left, those whose path is taken at the path of their own definition now."""
    displaced = [before.by_file[file] for file in sorted(left.keys() & taken) if file in before.by_file]
    if not displaced:
        return left
    snapshot = read_snapshot(repository, head, project.below, project.settings.environment)
    moved = dict(left)
    while displaced:
        entry = displaced.pop()
        now = snapshot.find([entry.id]) or find_mentioned(repository, head, [entry.id]).find([entry.id])
        there = before.by_file.get(now.file) if now is not None and now.file in left else None
        if now is None or now.file in taken or (there is not None and there.id == entry.id):
            continue
        # Files may have changed places in a circle: whose entry stands there moves on, too.
        displaced += [there] if there is not None else []
        moved[now.file] = left[entry.file]
        taken = {*taken, now.file}
    return moved


def _read_previous(project: Project, repository: Repository) -> tuple[Entries, Mapping[str, Blob]]:
    """Return the entries that the record holds so far, with their objects."""
    previous = project.record
    if previous is None:
        return Entries(), {}
    if previous.resolved:
        return project.recorded, repository.files(previous.commit)
    # A record of the older form has none: its definitions are written out as entries once.
    entries = read_everything(repository, previous.commit, project.settings.environment)
    texts = {entry.file: write_entry(entry) for entry in entries.by_file.values()}
    return entries, repository.write_files(texts)


def _message(run: Run) -> str:
    """Return the totals as a subject, then what became of each assistant that is not unchanged."""
    outcomes = [result.outcome for result in run.results]
    shown = [outcome for outcome in Outcome if outcome is not Outcome.UNCHANGED]
    totals = [f"{outcomes.count(outcome)} {outcome.replace('_', ' ')}" for outcome in shown if outcome in outcomes]
    totals.append(f"{outcomes.count(Outcome.UNCHANGED)} unchanged")
    told = [result for result in run.results if result.outcome in shown]
    lines = [f"{one.outcome}: {one.definition.file} ({one.definition.id or NEW})" for one in told]
    # The name of a file may hold a line end, and the lines below the subject are read again.
    printable = ["".join(char if char.isprintable() else "?" for char in line) for line in lines]
    body = "\n\n" + "\n".join(printable) if printable else ""
    return f"{run.command.capitalize()}: {', '.join(totals)}{body}"
