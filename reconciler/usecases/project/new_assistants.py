"""New assistants: which ids the entries of a commit have by now, and whether one may be created now.

There must never be two assistants for one file. A run announces in the record what it is about to create, so that
it leaves a trace even if it is killed before it knows the id.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

from reconciler.core.base import Entries, Entry
from reconciler.core.definition import NEW, Definition
from reconciler.core.ports import Assistants
from reconciler.core.run import Failure, Result, Run
from reconciler.errors import ApiError, RepositoryError
from reconciler.git.record import Record, Unclear, read_record, write_record
from reconciler.git.repository import Repository
from reconciler.usecases.project.project import Project

LOOK_FIRST = (
    "look for it in the dashboard: if it is there, put its id into the file as `id: ...`; if it is not, run {command}"
)


def resolve_entries(entries: Entries, current: Sequence[Definition], find_id: Callable[[str], str | None]) -> Entries:
    """Return the entries of a commit with the ids that are known by now for files that said `id: new` then."""
    if not any(entry.id in ("", NEW) for entry in entries.by_file.values()):
        return entries
    # Today's file comes first: somebody may have corrected the id of the record.
    ids = {definition.file: definition.id for definition in current}

    def resolve(entry: Entry) -> Entry:
        entry_id = ids.get(entry.file) or find_id(entry.file) or ""
        return dataclasses.replace(entry, id=entry_id) if entry.id in ("", NEW) else entry

    # Assistants that do not exist yet are left out: nothing of them was ever applied.
    resolved = {file: resolve(entry) for file, entry in entries.by_file.items()}
    return Entries({file: entry for file, entry in resolved.items() if entry.id}, entries.warnings, entries.other_ids)


def explain_no_creation(project: Project, definition: Definition) -> Failure | None:
    """Return why an assistant must not be created now, although its file says `id: new`."""
    if project.may_create is not None and definition.file in project.may_create:
        return None
    create = project.write_command("create", definition.file)
    if _find_unclear_creations(project, definition):
        message = (
            "an earlier run may have created this assistant, but its outcome is unclear: nothing is created from this "
            "file until somebody has checked"
        )
        hint = LOOK_FIRST.format(command=create)
    elif project.may_create is not None:
        message = "this run has not announced that it creates this assistant, so nothing is sent"
        hint = "start the whole workflow again: a job that is re-run alone creates nothing"
    elif (entry := next(find_orphans(project, definition), None)) is not None:
        message = (
            f"the record has an assistant with this name, {entry.id} of {entry.file}, but no definition has that id "
            "any more: this file may be the same one, renamed"
        )
        hint = f"if it is, put `id: {entry.id}` into it; if it is not, run {create}"
    else:
        return None
    return Failure("conflict", message, hint=hint)


def forget_unclear_creation(project: Project, definition: Definition) -> Project:
    """Return the project without the unclear creations of a file: the user has checked, and creates it now."""
    looked_at = _find_unclear_creations(project, definition)
    unclear = tuple(entry for entry in project.record.unclear if entry not in looked_at)
    return dataclasses.replace(project, record=dataclasses.replace(project.record, unclear=unclear))


def _find_unclear_creations(project: Project, definition: Definition) -> list[Unclear]:
    """Return the unclear creations of a file, or of a removed file with this name."""
    unclear = [entry for entry in project.record.unclear if entry.is_creation]
    return [entry for entry in unclear if entry.file == definition.file or _is_renamed(project, entry, definition)]


def refuse_namesakes(api: Assistants, project: Project, results: Sequence[Result]) -> list[Result]:
    """Return results in which nothing is created that already exists live, if the API lists its assistants."""
    # If the record was lost, nothing says what was created. So a live assistant with the same name and no definition
    # counts.
    names = {name for result in results if (name := _name_to_create(result)) is not None}
    try:
        listing = api.list_assistants() if names else None
    except ApiError:
        # The API's reference has no list. Without one, only the record prevents a second assistant.
        listing = None
    named = ((each.get("name"), str(each["id"])) for each in listing or ())
    namesakes = [(name, other) for name, other in named if isinstance(name, str) and name in names]
    others = project.loaded.read_all() if namesakes else ()
    defined = {each.id for each in others}.union(*(result.ids for result in results))
    unknown = [(name, other) for name, other in namesakes if other not in defined]
    # In any environment: several may share the API.
    snapshot = dataclasses.replace(project.snapshot(project.head), environment=None)
    mentioned = snapshot.find_mentioned({other for _, other in unknown})
    found = {name: other for name, other in unknown if mentioned.find([other]) is None}
    return [
        _refuse(project, each, other) if (other := found.get(_name_to_create(each) or "")) else each for each in results
    ]


def _refuse(project: Project, result: Result, namesake: str) -> Result:
    message = f"an assistant with this name is already live, {namesake}, but no definition has that id"
    command = project.write_command("create", result.definition.file)
    hint = f"if it is this one, put `id: {namesake}` into the file; if it is not, run {command}"
    return dataclasses.replace(result, error=Failure("conflict", message, hint=hint))


def _name_to_create(result: Result) -> str | None:
    body = result.plan.patch if result.plan and result.creates else None
    return str(body["name"]) if body and body.get("name") is not None else None


def announce(project: Project, planned: Run) -> Project:
    """Write into the record which assistants a run is about to create, and return the updated project."""
    files = [result.definition.file for result in planned.results if result.creates]
    if not files or project.may_create is not None:
        return project
    return dataclasses.replace(project, announced=_write_announcement(project, files))


def announce_for(project: Project, token: str) -> list[str]:
    """Write into the record what a later `apply --create --announced TOKEN` may create, and return the files.

    Raises RepositoryError without a record.
    """
    # This is for a pipeline whose apply cannot push. If its record is lost, the announcement stops the next run.
    if not project.record.commit:
        start = project.write_command("apply", "--record", "--base", "none")
        message = f"there is no record {project.ref} here, and announcements are stored in the record"
        raise RepositoryError(message, hint=f"{project.how_to_fetch}, or start one: {start}")
    definitions = project.loaded.definitions
    new = [each for each in definitions if each.is_new and project.overrides_for(each.key).freeze is None]
    # A user who names a file has looked.
    files = [each.file for each in new if not project.loaded.whole or explain_no_creation(project, each) is None]
    # An apply sends nothing if a definition is not valid.
    if project.loaded.invalid or not files:
        return []
    _write_announcement(project, files, token)
    return files


def adopt_announcement(project: Project, token: str) -> Project:
    """Return the project of the run that may create what was announced with a token, and nothing else."""
    record = project.record
    announced, others = _divide_announced(record, token)
    return dataclasses.replace(
        project,
        may_create=frozenset(entry.file for entry in announced),
        record=dataclasses.replace(record, unclear=others),
        announced=record.commit if announced else "",
    )


def withdraw(repository: Repository, ref: str, token: str) -> list[str]:
    """Withdraw what was announced with a token and never sent, and return the files."""
    record = read_record(repository, ref)
    announced, others = _divide_announced(record, token)
    if announced:
        keeps = dataclasses.replace(record, unclear=others)
        write_record(repository, ref, record, head=record.applied, message="Apply: nothing was created", keeps=keeps)
    return [entry.file for entry in announced]


def _divide_announced(record: Record, token: str) -> tuple[tuple[Unclear, ...], tuple[Unclear, ...]]:
    """Split a record's unclear writes: those that were announced with a token, and the others."""
    announced = tuple(entry for entry in record.unclear if entry.is_creation and entry.token == token)
    return announced, tuple(entry for entry in record.unclear if entry not in announced)


def _write_announcement(project: Project, files: Sequence[str], token: str = "") -> str:
    head, record = project.head, project.record
    if not head:
        raise RepositoryError("creating assistants needs a git repository with a commit")
    announced = tuple(Unclear(NEW, file, (), (head,), token) for file in files)
    lines = [f"Apply: {len(files)} about to be created", "", *(f"to create: {file}" for file in files)]
    # Unclear writes of earlier runs stay, since this announcement may be withdrawn. Such a record changes only what is
    # unclear, not what was applied last.
    keeps = dataclasses.replace(record, unclear=(*record.unclear, *announced))
    head, message = record.applied or head, "\n".join(lines)
    return write_record(project.repository, project.ref, record, head=head, message=message, keeps=keeps)


def _is_renamed(project: Project, unclear: Unclear, definition: Definition) -> bool:
    """Return whether a removed file declared the same name in a commit from which it may have been created."""
    if unclear.file in project.repository.files(project.head):
        return False
    # In any folder, since the definitions' folder may have been renamed as well.
    commits = filter(project.repository.has, unclear.heads)
    snapshots = (project.snapshot(commit).read_everything() for commit in commits)
    declared = [snapshot.by_file[unclear.file].declared for snapshot in snapshots if unclear.file in snapshot.by_file]
    return any(_is_namesake(fields, definition) for fields in declared)


def find_orphans(project: Project, definition: Definition) -> Iterator[Entry]:
    """Yield the record's entries whose renamed file a new file may be: the same name, and their file was removed."""
    entries = project.record_entries.by_file.values()
    at_head = project.repository.files(project.head) if entries else {}
    alike = [entry for entry in entries if entry.file not in at_head and _is_namesake(entry.declared, definition)]
    defined_ids = {each.id for each in project.loaded.definitions}
    elsewhere = project.snapshot(project.head).find_mentioned([entry.id for entry in alike])
    yield from (entry for entry in alike if entry.id not in defined_ids and elsewhere.find([entry.id]) is None)


def _is_namesake(declared: Mapping[str, object], definition: Definition) -> bool:
    name = definition.declared.get("name")
    return name is not None and declared.get("name") == name
