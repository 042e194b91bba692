"""Whether a run may begin, and may be recorded: it must not undo a newer run, or record what is not in git."""

from collections.abc import Iterator, Mapping

from reconciler.core.base import Entry, are_same
from reconciler.core.canonical import equal_exactly
from reconciler.core.definition import NEW, Definition, is_definition_file, key_of
from reconciler.errors import RepositoryError
from reconciler.files.folders import is_there
from reconciler.git.commit_layers import object_name, parse_file
from reconciler.git.objects import Blob
from reconciler.git.record import FETCH
from reconciler.git.repository import SHALLOW, Repository
from reconciler.usecases.project.changed import has_changed
from reconciler.usecases.project.project import Project
from reconciler.usecases.project.reading import OFF


def records_by_default(project: Project) -> bool:
    """Return whether an apply records by default: if there is a record, or the settings ask for one."""
    settings = project.settings.record
    return settings if settings is not None else bool(project.record.commit)


def check_order(project: Project) -> None:
    """Refuse a HEAD that does not descend from what was applied last: a late run must not undo a newer one."""
    if not project.is_behind:
        return
    hint = "use the newest commit; to go back on purpose, or if history was rewritten, apply with --allow-older"
    if project.repository.is_shallow:
        hint = f"{SHALLOW}, or apply with --allow-older"
    head = project.head[:12] or "has no commit yet, so it"
    commits = f"HEAD {head} does not descend from {project.record.applied[:12]}"
    raise RepositoryError(f"{commits}, which was applied last", hint=hint)


def check_unmoved(project: Project) -> None:
    """Refuse a record that another run has replaced since it was read. Called under the clone's lock."""
    if project.repository.ref(project.ref) != project.record.commit:
        hint = "another run has just ended: run this again"
        raise RepositoryError(f"{project.ref} moved while this run began", hint=hint)


def check_recordable(project: Project) -> None:
    """Refuse to record what is not committed, or a first record without `--base none`. Raises RepositoryError."""
    if not project.head:
        hint = "commit the definitions first, or apply with --no-record"
        raise RepositoryError("recording needs a git repository with a commit", hint=hint)
    for difference in _find_uncommitted(project):
        raise RepositoryError(difference, hint="commit it, or apply with --no-record")
    if not project.record.commit and project.base.ref != OFF:
        hint = f"fetch it: {FETCH}; for the first run, pass --base none; otherwise apply with --no-record"
        raise RepositoryError(f"there is no record {project.ref} here", hint=hint)


def is_committed(project: Project, definition: Definition) -> bool:
    """Return whether `HEAD` declares what was read for a definition."""
    if not project.head:
        return False
    entry = project.snapshot(project.head).read({definition.key}).by_file.get(definition.file)
    return entry is not None and _is_same(project, definition, entry)


def _find_uncommitted(project: Project) -> Iterator[str]:
    """Yield what differs from `HEAD`. Raises RepositoryError for a file with a filter."""
    repository, head = project.repository, project.head
    # Compared as they were read, since git may have been told to ignore changes of a file. Comments do not count: only
    # what a file declares is recorded.
    definitions = project.loaded.definitions
    # Files that are the same objects need no parsing; of those that say `id: new` two may be one object.
    current, files = [each for each in definitions if not each.says_new], repository.files(head)
    places = project.places if project.loaded.whole else []
    committed = [path for path in files if any(is_definition_file(path, place) for place in places)]
    keys = {*(each.key for each in definitions), *(key_of(path, project.below) for path in committed)}
    declared = project.snapshot(head, current).read(keys).by_file
    for definition in definitions:
        _check_unfiltered(repository, files, definition)
        entry = declared.get(definition.file)
        if entry is None or not _is_same(project, definition, entry):
            file = _find_differing_file(project, definition)
            yield f"{file} differs from HEAD, but the record would contain HEAD's version"
    # A whole run drops the entries of removed definitions, and only a commit removes one for good.
    present = {each.file for each in project.loaded.every}
    for path in committed:
        if path not in present and not is_there(project.root / path):
            yield f"{path} differs from HEAD: it was removed here, and the record would drop it"
    # In an environment, a definition without an id is not part of it.
    for path in sorted(declared.keys() - present):
        yield f"{path} differs from HEAD: it has no id here, and the record would drop it"
    path = project.settings_path
    # A file above the repository is in none of its commits.
    if not path.startswith("../") and has_changed(project.root / path, repository, head, path):
        yield f"{path} differs from HEAD, but the record would use HEAD's version"


def _is_same(project: Project, definition: Definition, entry: Entry) -> bool:
    """Return whether `HEAD` declares what was read. An id that is not in git is not a difference."""
    if entry.id != NEW:
        return are_same(entry, definition)
    # While `HEAD` says `id: new`, the file may already have the new id. It differs from the record's only by somebody's
    # mistake.
    has_known_id = project.find_created_id(definition.file) in (None, definition.id)
    return has_known_id and equal_exactly(entry.declared, definition.declared)


def _check_unfiltered(repository: Repository, at_head: Mapping[str, Blob], definition: Definition) -> None:
    # A git filter may encrypt a file. The record would show it in plain text.
    for file, content in definition.contents.items():
        blob = at_head.get(file)
        converted = blob is not None and object_name(content, len(blob.name)) != blob.name
        if converted and (name := repository.filters.find(file)) is not None:
            message = f"{file} goes through git's filter {name!r}, and the record would store it as plain text"
            hint = "apply with --no-record, or keep the definitions out of the filter (.gitattributes)"
            raise RepositoryError(message, hint=hint)


def _find_differing_file(project: Project, definition: Definition) -> str:
    """Return the file of a definition that differs from `HEAD`; its own file if that is unknown."""
    repository, head = project.repository, project.head
    for file, text in reversed([*definition.contents.items()]):
        blob = repository.files(head, file).get(file)
        content = repository.read(file, blob) if blob is not None else None
        # A comment is no difference.
        if content is None or not equal_exactly(parse_file(file, content), parse_file(file, text.encode())):
            return file
    # Else a layer beside the definition is missing: `HEAD` has it, and the working tree does not.
    places = (path for path in project.list_layers(definition.key) if path not in definition.contents)
    return next((path for path in places if repository.files(head, path)), definition.file)
