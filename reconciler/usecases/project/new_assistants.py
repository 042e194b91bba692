"""Assistants that are still to be created: which id the record knows of a file, and whether one may be created now.

There must never be two assistants for one file. What a run is about to create it announces in the record, so that a
run that is killed before it knows the id leaves a trace.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

from reconciler.core.base import Entries, Entry
from reconciler.core.definition import NEW, Definition, key_of
from reconciler.core.run import Failure, Run
from reconciler.errors import RepositoryError
from reconciler.git.record import Record, Unclear, find_created, read_entries, write_record
from reconciler.git.repository import Repository
from reconciler.git.snapshot import find_mentioned, read_snapshot
from reconciler.usecases.project.project import Project

LOOK_FIRST = (
    "look for it in the dashboard: if it is there, put its id into the file as `id: ...`; if it is not, run "
    "`reconciler create {file}`"
)


def id_finder(repository: Repository | None, record: Record | None) -> Callable[[str], str | None]:
    """Return what gives the id that a record knows for a file that says `id: new`."""
    if repository is None or record is None:
        return lambda _file: None
    return lambda file: find_created(repository, record, file)


def resolve_entries(entries: Entries, current: Sequence[Definition], find_id: Callable[[str], str | None]) -> Entries:
    """Return the entries of a commit with the ids that are known by now for files that said `id: new` then.

    Those of assistants that are still to be created are left out: nothing of them was ever applied.
    """
    if not any(entry.id in ("", NEW) for entry in entries.by_file.values()):
        return entries
    # The file of today comes first: somebody may have corrected the id that the record knows.
    ids = {definition.file: definition.id for definition in current}

    def resolve(entry: Entry) -> Entry:
        known = ids.get(entry.file) or find_id(entry.file) or ""
        return dataclasses.replace(entry, id=known) if entry.id in ("", NEW) else entry

    found = {file: resolve(entry) for file, entry in entries.by_file.items()}
    return Entries({file: entry for file, entry in found.items() if entry.id}, entries.warnings)


def object_to_creation(project: Project, definition: Definition) -> Failure | None:
    """Return why an assistant must not be created now, although its file says `id: new`."""
    if _find_unclear(project, definition):
        return Failure(
            "conflict",
            "an earlier run may have created this assistant, and had no clear answer: nothing is created from this "
            "file again until somebody has looked",
            hint=LOOK_FIRST.format(file=definition.file),
        )
    for entry in _find_orphans(project, definition):
        return Failure(
            "conflict",
            f"the record has an assistant of this name, {entry.id} of {entry.file}, and no definition has that id any "
            "more: this file may be the same one, renamed",
            hint=f"if it is, put `id: {entry.id}` into it; if it is not, run `reconciler create {definition.file}`",
        )
    return None


def announce(project: Project, planned: Run) -> Project:
    """Write into the record which assistants a run is about to create, and return the project that knows it.

    The entries stay as they are. The record of the run replaces the announcement. Raises RepositoryError: nothing
    has been sent yet.
    """
    files = [
        result.definition.file for result in planned.results if result.pending and result.plan and result.plan.creates
    ]
    repository, head, record = project.repository, project.head, project.record
    if not files:
        return project
    if repository is None or head is None:
        raise RepositoryError("to create assistants needs a git repository with a commit")
    ours = tuple(Unclear(NEW, file, (), (head,)) for file in files)
    commit = write_record(
        repository,
        project.ref,
        # Nothing else is applied yet: what was applied last stays what it was.
        head=record.applied if record is not None else head,
        previous=record.commit if record is not None else None,
        files=repository.files(record.commit) if record is not None else {},
        message="\n".join([f"Apply: {len(files)} about to be created", "", *(f"to create: {file}" for file in files)]),
        unclear=(*(record.unclear if record is not None else ()), *ours),
        created=record.created if record is not None else {},
        late=record.late if record is not None else (),
        resolved=record is None or record.resolved,
    )
    return dataclasses.replace(project, announced=commit)


def _find_unclear(project: Project, definition: Definition) -> bool:
    """Tell whether an earlier creation from a file is unclear: this one, or one of this name that is gone."""
    unclear = [entry for entry in (project.record.unclear if project.record else ()) if entry.is_creation]
    return any(entry.file == definition.file or _is_renamed(project, entry, definition) for entry in unclear)


def _is_renamed(project: Project, unclear: Unclear, definition: Definition) -> bool:
    """Tell whether a file that is gone declared the same name in a commit that it may have been created from."""
    repository, head = project.repository, project.head
    if repository is None or head is None or unclear.file in repository.files(head):
        return False
    key = {key_of(unclear.file, project.below)}
    for commit in filter(repository.has, unclear.heads):
        tried = read_snapshot(repository, commit, project.below, project.settings.environment, keys=key)
        if any(_is_namesake(entry.declared, definition) for entry in tried.by_file.values()):
            return True
    return False


def _find_orphans(project: Project, definition: Definition) -> Iterator[Entry]:
    """Yield the record's entries of the same name whose file is gone and whose id no definition has."""
    repository, head, record = project.repository, project.head, project.record
    if repository is None or head is None or record is None or not record.resolved:
        return
    at_head = repository.files(head)
    entries = read_entries(repository, record, project.loaded.definitions).by_file
    alike = [
        entry for entry in entries.values() if entry.file not in at_head and _is_namesake(entry.declared, definition)
    ]
    here = {one.id for one in project.loaded.definitions}
    elsewhere = find_mentioned(repository, head, [entry.id for entry in alike]) if alike else Entries()
    yield from (entry for entry in alike if entry.id not in here and elsewhere.find([entry.id]) is None)


def _is_namesake(declared: Mapping[str, object], definition: Definition) -> bool:
    name = definition.declared.get("name")
    return name is not None and declared.get("name") == name
