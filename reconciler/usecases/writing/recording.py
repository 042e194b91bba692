"""Records what an apply made live, so that the next plan can tell who changed it (docs/reference.md, "The record")."""

import contextlib
import dataclasses
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from reconciler.core.base import Entries, Entry, are_same
from reconciler.core.definition import NEW, is_definition_file
from reconciler.core.outcome import Outcome
from reconciler.core.run import Result, Run
from reconciler.errors import RepositoryError
from reconciler.git.objects import Blob
from reconciler.git.record import Trailers, write_record
from reconciler.usecases.project.new_assistants import find_orphans, resolve_entries
from reconciler.usecases.project.project import Project
from reconciler.usecases.runs import find_removed
from reconciler.usecases.writing.entries import find_in_head, make_entry, write_entry
from reconciler.usecases.writing.unclear import Restored, find_late, find_unclear, find_undone


def record(run: Run, project: Project, *, with_entries: bool = True) -> str | None:
    """Add what an apply did to the record and return the commit; None where the record says it already.

    Entries are replaced for what this run settled and kept for everything else; without `with_entries` all are kept,
    and what was applied last stays what it was. Raises RepositoryError.
    """
    # Without entries nothing new counts as applied, so the first parent must not move on.
    head = project.head if with_entries else project.record.applied or project.head
    wrote = any(result.outcome is not None and result.outcome.may_be_live for result in run.results)
    text = "what was applied is live, but not recorded" if wrote else "this run wrote nothing and is not recorded"
    with _explain(text, f"apply again{' to record what is live' if wrote else ''}"):
        return _Update(run, project, head).add_run(with_entries=with_entries)


def record_rollback(run: Run, project: Project, restored: Restored) -> str | None:
    """Record what a rollback has restored, and leave all entries as they are; return the commit.

    `restored` is as for `find_undone`. None where the record says it already. Raises RepositoryError.
    """
    with _explain("the rollback ended as reported, but it is not recorded", "run the same rollback again"):
        return _Update(run, project, project.record.applied, restored).add_run(with_entries=False)


def forget(run: Run, project: Project) -> str:
    """Drop the entries of the assistants that a run has deleted; return the record's commit. Raises RepositoryError."""
    text = "the assistant is deleted, but the record still has its entry"
    with _explain(text, "apply the whole folder, which drops the entry"):
        return _Update(run, project, project.head).drop_deleted()


@contextlib.contextmanager
def _explain(text: str, remedy: str) -> Iterator[None]:
    """Make an error of git begin with what has happened, and end with what to do."""
    try:
        yield
    except RepositoryError as error:
        hint = f"{error.hint or 'fix that'}. Then {remedy}"
        raise RepositoryError(f"{text}: {error.message}", hint=hint) from error


class _Update:
    """One new commit of the record. `head` becomes its first parent; `blobs` are the objects of the entries so far.

    `restored` are the fields that a rollback has put back.
    """

    def __init__(self, run: Run, project: Project, head: str, restored: Restored | None = None) -> None:
        self.run, self.project, self.head, self.restored = run, project, head, restored or {}
        self.repository, self.previous = project.repository, project.record
        self.snapshot, self.at_head = project.snapshot(head), self.repository.files(head)
        self.entries, self.blobs = self._read_previous()
        self.removed = self._find_removed()
        self.recorded = dict[str, Entry | None]()  # by the definition's file: the entries of this run's assistants now

    def add_run(self, *, with_entries: bool) -> str | None:
        files = self._replace_entries() if with_entries else dict(self.blobs)
        # If the entry at its path is another one, another assistant has the path by now.
        files = {file: blob for file, blob in files.items() if file not in self.removed or blob != self.blobs.get(file)}
        changed = {path for path, _ in files.items() ^ self.blobs.items() if path not in self.recorded}
        keeps = self._find_trailers(self._find_outdated(changed))
        # A run that wrote is recorded even if the entries are equal: it reverted a live edit.
        wrote = self.project.announced or any(result.outcome is Outcome.APPLIED for result in self.run.results)
        # A run that failed everywhere is recorded, too: a later plan with --changed-since shows what it left unsettled.
        previous = self.previous
        same = previous.resolved and previous.applied == self.head and previous.keeps_same(keeps)
        return None if same and not wrote and files == self.blobs else self._write(files, keeps)

    def drop_deleted(self) -> str:
        previous = self.previous
        names = {name for result in self.run.results if result.outcome is Outcome.DELETED for name in result.ids}
        deleted = {entry.file for entry in self.entries.find_all(names)}
        # The record still knows from which file they were created: while git says `id: new` there, nothing is created
        # again. Where git has the id, a later file of that name is another assistant's.
        definitions = [result.definition for result in self.run.results]
        at_head = self.snapshot.read({each.key for each in definitions}).by_file
        new = {file for file, entry in at_head.items() if entry.id == NEW}
        # A definition that environments share says it again once the overlay with the id is gone.
        new |= {each.file for each in definitions if each.own_layer.fields.get("id") == NEW}
        keeps = dataclasses.replace(
            previous,
            created={file: name for file, name in previous.created.items() if file in new or name not in names},
            unclear=tuple(entry for entry in previous.unclear if entry.id not in names),
            late=tuple(entry for entry in previous.late if entry.id not in names),
            undone=tuple(entry for entry in previous.undone if entry.id not in names),
            outdated=self._find_outdated(deleted),
        )
        return self._write({file: blob for file, blob in self.blobs.items() if file not in deleted}, keeps)

    def _write(self, files: Mapping[str, Blob], keeps: Trailers) -> str:
        return write_record(
            self.repository,
            self.project.ref,
            self.previous,
            head=self.head,
            message=_write_message(self.run),
            keeps=keeps,
            files=files,
            replaces=self.project.announced,
        )

    def _read_previous(self) -> tuple[Entries, Mapping[str, Blob]]:
        """Return the current entries of the record, with their objects."""
        if self.previous.resolved:
            return self.project.record_entries, self.repository.files(self.previous.commit)
        # A record of the older form has none. Its definitions are written out as entries once.
        project = self.project
        entries = project.snapshot(self.previous.commit).read_everything()
        entries = resolve_entries(entries, project.loaded.definitions, project.find_created_id)
        texts = {entry.file: write_entry(entry) for entry in entries.by_file.values()}
        return entries, self.repository.write_files(texts)

    def _replace_entries(self) -> dict[str, Blob]:
        """Return the objects of the entries, with new ones for the assistants whose fields this run knows."""
        # An assistant has one entry, at the path of its definition. The entry follows a file that has moved, whatever
        # the outcome.
        left, placed, texts = set[str](), dict[str, Blob](), dict[str, str]()
        for result in self.run.results:
            definition, file = result.definition, result.definition.file
            old = self.entries.find(result.ids, file)
            left |= {each.file for each in self.entries.find_all(result.ids) if self._leaves(each, old, result)}
            if old is not None and old.file in self.blobs:
                placed[file] = self.blobs[old.file]
            entry = make_entry(self.project, result, old) if result.is_recorded else None
            self.recorded[file] = entry or old
            # An equal entry keeps its object, so that a changed comment is not a change of the entry.
            if entry is None or (old is not None and old.file == file and are_same(entry, old)):
                continue
            if (as_in_head := find_in_head(entry, definition, self.at_head)) is not None:
                placed[file] = as_in_head
            else:
                texts[file] = write_entry(entry)
        remaining = {file: blob for file, blob in self.blobs.items() if file not in left}
        blobs = self._move_displaced(remaining, {*placed, *texts})
        return {**blobs, **placed, **self.repository.write_files(texts)}

    def _leaves(self, entry: Entry, old: Entry | None, result: Result) -> bool:
        """Return whether an entry of an assistant leaves its path. `old` is the one that the new entry follows."""
        if entry.file == result.definition.file:
            return True
        # An entry that stays at the old path would be the base of any later file there. One of another folder, which
        # declares a part of the assistant, waits for a run of that folder.
        is_ours = entry is old or self.project.covers(entry.file)
        # The record may have the id of a file that `HEAD` still has.
        ids = {*result.ids, entry.id, NEW}
        return is_ours and not (entry.file in self.at_head and entry.file in self.snapshot.find_mentioned(ids).by_file)

    def _move_displaced(self, blobs: dict[str, Blob], used: set[str]) -> dict[str, Blob]:
        """Return the remaining entries. One whose path is taken moves to the path of its own definition."""
        entries = {file: entry for file, entry in self.entries.by_file.items() if file in blobs}
        displaced = sorted((entries.keys() & used) - self.removed)
        at_head = self.snapshot.read() if displaced else Entries()
        moved, used = dict(blobs), {*used}
        while displaced:
            file = displaced.pop()
            ids = sorted(self.entries.ids_of(entries[file]))
            defined = at_head.find(ids) or self.snapshot.find_mentioned(ids).find(ids)
            # Nobody knows whether its definition is gone, or has the assistant's other id.
            place = defined.file if defined is not None else f"{file}.{entries[file].id}.yaml"
            occupant = entries.get(place)
            if place not in used and (occupant is None or occupant.id != entries[file].id):
                # Files may have been renamed in a circle. Then the entry at the new path moves as well.
                displaced += [place] if occupant is not None and place not in self.removed else []
                moved[place] = blobs[file]
                used.add(place)
        return moved

    def _find_removed(self) -> set[str]:
        """Return the paths of the entries whose definitions are gone."""
        # A run of selected files does not know what is gone elsewhere.
        if not self.project.loaded.whole:
            return set()
        # A new file may be a removed one, renamed. Its entry stays, or the next run would create a second assistant.
        new = [definition for definition in self.project.loaded.definitions if definition.is_new]
        orphans = {entry.file for definition in new for entry in find_orphans(self.project, definition)}
        # Another base than the record may have had another assistant at the path.
        removed = find_removed(self.project, self.run.results)
        return {entry.file for entry in removed if self.entries.find_at(entry.file, entry.id)} - orphans

    def _find_declared(self, result: Result) -> Mapping[str, Any]:
        """Return what the entry of an assistant declares after the run."""
        file = result.definition.file
        entry = self.recorded.get(file) or self.entries.find(result.ids, file)
        return entry.declared if entry is not None else {}

    def _find_outdated(self, changed: Collection[str]) -> dict[str, frozenset[str]]:
        """Return, by their folder, the definitions whose entry is not what `head` declares.

        `changed` are entries that this run has changed besides those of its definitions. A folder of which it is not
        known is left out.
        """
        previous, below = self.previous, self.project.below
        known = dict(previous.outdated) if previous.applied == self.head else {}
        # With --changed, every definition that the two commits do not declare alike is part of the run.
        if previous.applied == self.project.fork and below in previous.outdated:
            known[below] = previous.outdated[below]
        if self.project.loaded.whole:
            known[below] = frozenset()
        if below in known:
            definitions = [each.definition for each in self.run.results if each.definition.file in self.recorded]
            differing = {each.file for each in definitions if not are_same(self.recorded[each.file], each)}
            known[below] = (known[below] - self.recorded.keys()) | differing
        defined = changed & self.at_head.keys()
        return {
            folder: files | {file for file in defined if is_definition_file(file, folder)}
            for folder, files in known.items()
        }

    def _find_trailers(self, outdated: Mapping[str, frozenset[str]]) -> Trailers:
        """Return what a record's message stores after a run."""
        recorded = [result for result in self.run.results if result.is_recorded]
        creations = (result.definition for result in recorded if result.plan and result.plan.creates)
        created = {definition.file: definition.id for definition in creations if definition.id}
        # The ids that GET gave, by the ids of the entries: a definition may change to the assistant's other id.
        ids = {entry.id for entry in self.entries.by_file.values()}
        other_ids = {name: live_id for name, live_id in self.entries.other_ids.items() if name in ids}
        other_ids |= {result.ids[0]: result.ids[1] for result in recorded if len(result.ids) > 1}
        # Unsettled writes of older runs are kept, since nothing else stores them for a later run.
        return Trailers(
            unclear=find_unclear(self.run, self.previous),
            late=find_late(self.run, self.previous, self.recorded),
            undone=find_undone(self.run, self.previous, self.restored, self.project.settings, self._find_declared),
            created={**self.previous.created, **created},
            other_ids=other_ids,
            outdated=outdated,
        )


def _write_message(run: Run) -> str:
    """Return the totals as a subject, then the outcome of each assistant that is not unchanged."""
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
