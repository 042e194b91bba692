"""The applied record: a ref whose commits say what was applied to each assistant, read and written as git objects.

The first parent of a record is the `HEAD` that was applied, the second the record before it. Its tree contains one
YAML file for each managed assistant, at the definition's own path, with everything resolved (docs/reference.md,
"The record"). Trailers name the writes whose outcome is unclear. A record in the older form has `HEAD`'s own
tree, and lacks the trailer with the form's number.
"""

import dataclasses
import datetime
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from reconciler.assistant.paths import FieldPath, parse_pointer
from reconciler.core.base import Entries, Entry
from reconciler.core.definition import MAX_RESOLVED, NEW, Definition, drop_id, is_definition_file
from reconciler.core.json_values import Pointer, from_json
from reconciler.dataclass import dataclass
from reconciler.errors import RepositoryError
from reconciler.git.commit_layers import object_name, parse_definition
from reconciler.git.objects import Blob, Commit
from reconciler.git.repository import Repository
from reconciler.git.snapshot import Snapshot

TRAILER: Final = "Reconciler-Indeterminate"
LATE: Final = "Reconciler-Late"
UNDONE: Final = "Reconciler-Rolled-Back"
CREATED: Final = "Reconciler-Created"
OTHER_IDS: Final = "Reconciler-Ids"
UNSETTLED: Final = "Reconciler-Unsettled"
FORM: Final = "Reconciler-Record: 2"
_ANY_FORM = re.compile("^Reconciler-Record: .*$", re.MULTILINE)
FETCH: Final = "git fetch origin 'refs/reconciler/*:refs/reconciler/*'"  # of the records of all environments
_ALL = (TRAILER, LATE, UNDONE, CREATED, OTHER_IDS, UNSETTLED)


@dataclass(frozen=True, slots=True)
class Unclear:
    """A definition whose last write may have happened or not, with the JSON Pointers of the fields that were sent.

    `heads` are the commits from which such writes were made, the newest last: any of these writes may have arrived. An
    assistant that may have been created has the id `new`, and no fields; `token` names the only run that may create it.
    `named` is the id in the definition, if that is the assistant's other id. `left` are the digests of the values that
    a rollback left in the fields.
    """

    id: str
    file: str
    fields: tuple[Pointer, ...]
    heads: tuple[str, ...] = ()
    token: str = ""
    named: str = ""
    left: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids that the assistant is known by: the one that GET gives, then the definition's."""
        return (self.id, self.named) if self.named else (self.id,)

    @property
    def digests(self) -> dict[FieldPath, str]:
        """The digests of what a rollback left live, by field."""
        return dict(zip(map(parse_pointer, self.fields), self.left, strict=False))

    @property
    def is_creation(self) -> bool:
        """Return whether this is about an assistant that may have been created."""
        return self.id == NEW


@dataclass(frozen=True, kw_only=True, slots=True)
class Trailers:
    """What the message of a record stores for later runs.

    `late` are writes that the API accepted but that were not visible in time. `undone` are fields that a rollback has
    restored while git has a newer value. `created` are the ids of the assistants that were created, by the file that
    said `id: new`; they stay when the entry is dropped. `other_ids` are the ids that GET returned for definitions that
    have the assistant's other id. `outdated` lists, for each definitions' folder, the definitions whose entry is not
    what the applied commit declares. For a folder that is not in it, this is unknown.
    """

    unclear: tuple[Unclear, ...] = ()
    late: tuple[Unclear, ...] = ()
    undone: tuple[Unclear, ...] = ()
    created: Mapping[str, str] = dataclasses.field(default_factory=dict)
    other_ids: Mapping[str, str] = dataclasses.field(default_factory=dict)
    outdated: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)

    def keeps_same(self, other: "Trailers") -> bool:
        """Return whether two records store the same, apart from what is derived from their tree."""
        names = [field.name for field in dataclasses.fields(Trailers) if field.name != "outdated"]
        return all(getattr(self, name) == getattr(other, name) for name in names)


@dataclass(frozen=True, kw_only=True, slots=True)
class Record(Trailers):
    """One commit of the record: what was applied (its first parent), when (ISO 8601), and what is not settled.

    `resolved` is false for a record in the older form, whose tree is that of `HEAD`.
    """

    commit: str = ""
    applied: str = ""
    date: str = ""
    message: str = ""
    resolved: bool = True

    @property
    def digests(self) -> dict[str, dict[FieldPath, str]]:
        """The digests of what rollbacks have left live, by the assistant's ids."""
        return {name: write.digests for write in self.undone for name in write.ids}


NO_RECORD: Final = Record()  # it has no entry, and nothing is unclear


def applied_ref(environment: str | None) -> str:
    """Return the ref of the applied record; each environment has its own."""
    return f"refs/reconciler/{environment}/applied" if environment else "refs/reconciler/applied"


def read_record(repository: Repository, ref: str) -> Record:
    """Return the newest record, `NO_RECORD` without one. Raises RepositoryError for a ref that is not a record."""
    return next(read_records(repository, ref, limit=1), NO_RECORD)


def read_records(repository: Repository, ref: str, *, limit: int) -> Iterator[Record]:
    """Yield the records of a ref, the newest first, as far as a shallow clone has them. Raises like `read_record`."""
    name = repository.ref(ref)
    # A tag of a record is refused too: the next record could not replace it.
    if name and repository.resolve(name) != name and repository.has_object(name):
        raise _reject(ref, f"{ref} points to {name[:12]}, which is not a record")
    for _ in range(limit if name else 0):
        commit = repository.commit(name)
        yield _parse(commit, ref)
        # The second parent is the record before; the first leads into the project's own history.
        if len(commit.parents) < 2 or name in repository.shallow_commits():
            return
        name = commit.parents[1]


def read_entries(record: Record, applied: Snapshot, *, only: Collection[str] | None = None) -> Entries:
    """Return the entries of a record that holds them; with `only` those at some paths.

    `applied` is the commit that was applied. What reads as one of its definitions of today does is not parsed again.
    """
    repository, current, unchanged = applied.repository, applied.current, _find_unchanged_entries(record, applied)
    # Many others are, word for word, today's definitions. Their object names show that without parsing.
    candidates = (definition for definition in current if definition.stands_alone and definition.file not in unchanged)
    by_blob = {object_name(definition.own_layer.text, len(record.commit)): definition for definition in candidates}
    entries: dict[str, Entry] = {}
    warnings: list[str] = []
    for path, blob in repository.files(record.commit).items():
        if only is not None and path not in only:
            continue
        is_entry = is_definition_file(path, "")
        if is_entry and (definition := unchanged.get(path) or by_blob.get(blob.name)):
            entries[path] = Entry(definition.id, path, definition.declared, (path,))
            continue
        document = parse_definition(repository.read(path, blob, limit=MAX_RESOLVED))
        if not is_entry or document is None or not isinstance(document.get("id"), str):
            warnings.append(f"{path} of the record {record.commit[:12]} cannot be read, so its assistant has no base")
            continue
        entries[path] = Entry(document["id"], path, drop_id(document), (path,))
    return Entries(entries, tuple(warnings), record.other_ids)


def _find_unchanged_entries(record: Record, applied: Snapshot) -> dict[str, Definition]:
    """Return today's definitions that equal their entries, by path, without reading the entries."""
    outdated = record.outdated.get(applied.folder)
    if outdated is None or not applied.repository.has(record.applied):
        return {}
    # The id of a file that says `id: new` is in its entry.
    candidates = [each for each in applied.current if not each.says_new and each.file not in outdated]
    return dataclasses.replace(applied, current=candidates).find_unchanged()


def find_created(repository: Repository, record: Record, file: str) -> str | None:
    """Return the id that a record knows for a file that says `id: new`."""
    blob = repository.files(record.commit, file).get(file)
    document = parse_definition(repository.read(file, blob)) if blob is not None else None
    id_ = (document or {}).get("id")
    # The entry is removed with its definition. If a revert restores the definition, the trailer still has the id.
    return id_ if isinstance(id_, str) and id_ != NEW else record.created.get(file)


def write_record(
    repository: Repository,
    ref: str,
    previous: Record,
    *,
    head: str,
    message: str,
    keeps: Trailers,
    files: Mapping[str, Blob] | None = None,
    replaces: str = "",
) -> str:
    """Add a commit to the record and return it; `files` are all its entries, None for the previous ones.

    The ref moves only if it still is the `previous` record, or `replaces`: what a run has announced there is not kept.
    Raises RepositoryError.
    """
    resolved = previous.resolved if files is None else True
    files = repository.files(previous.commit) if files is None else files
    # Trailers stand last, where `git interpret-trailers` and `git log --format=%(trailers)` look for them.
    text = "\n".join([message.rstrip(), "", *([FORM] if resolved else []), *_write_trailers(keeps)]) + "\n"
    commit = repository.write_commit(repository.write_tree(files), [head, *filter(None, [previous.commit])], text)
    # The next run relies on this tree. A broken git may write one that lacks entries, and say nothing.
    if repository.files(commit) != files:
        raise RepositoryError(f"git did not store the new content of {ref}")
    # Compare and swap: two runs that end together must not drop each other's entries.
    expected_commit = replaces or previous.commit
    try:
        repository.move_ref(ref, commit, expected_commit)
    except RepositoryError as error:
        if repository.ref(ref) == expected_commit:
            raise
        hint = f"look at what was recorded meanwhile: git log {ref}"
        raise RepositoryError(f"{ref} moved while this ran ({error.message})", hint=hint) from error
    if repository.resolve(ref) != commit:
        raise RepositoryError(f"git did not move {ref}")
    return commit


def _write_trailers(keeps: Trailers) -> Iterator[str]:
    for name, entries in ((TRAILER, keeps.unclear), (LATE, keeps.late), (UNDONE, keeps.undone)):
        yield from (f"{name}: {json.dumps(_to_json(entry), ensure_ascii=True)}" for entry in entries)
    for file, assistant_id in sorted(keeps.created.items()):
        yield f"{CREATED}: {json.dumps({'file': file, 'id': assistant_id})}"
    if keeps.other_ids:
        yield f"{OTHER_IDS}: {json.dumps(dict(keeps.other_ids), sort_keys=True)}"
    if keeps.outdated:
        outdated = {folder: sorted(names) for folder, names in keeps.outdated.items()}
        yield f"{UNSETTLED}: {json.dumps(outdated, sort_keys=True)}"


def _to_json(entry: Unclear) -> dict[str, Any]:
    # Empty fields that earlier records did not have are left out, so that all records look alike in `git log`.
    fields = dataclasses.asdict(entry).items()
    return {name: value for name, value in fields if name in ("id", "file", "fields") or value}


def _parse(commit: Commit, ref: str) -> Record:
    if not commit.parents:
        raise _reject(ref, f"{ref} points to {commit.name[:12]}, which is not a record")
    form = _ANY_FORM.search(commit.message)
    if form and form[0] != FORM:
        message = f"the record {commit.name[:12]} of {ref} has a format that this version cannot read ({form[0]})"
        raise RepositoryError(message, hint="use the version that wrote it, or a later one")
    try:
        keeps = _read_trailers(commit.message)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        message = (
            f"the record {commit.name[:12]} of {ref} has a trailer that cannot be read, so it is unknown which writes "
            "had an unclear outcome"
        )
        raise _reject(ref, message, *commit.parents[1:2]) from error
    date = datetime.datetime.fromtimestamp(commit.date, datetime.UTC)
    lines = commit.message.splitlines(keepends=True)
    return Record(
        commit=commit.name,
        applied=commit.parents[0],
        date=date.isoformat(),
        # These are for programs; people read the message in `history`.
        message="".join(line for line in lines if not line.startswith((FORM, UNDONE, UNSETTLED))).strip(),
        resolved=form is not None,
        **keeps,
    )


def _read_trailers(message: str) -> dict[str, Any]:
    """Return what the trailers of a record store, by the field of `Trailers`."""
    values: dict[str, list[dict[str, Any]]] = {name: [] for name in _ALL}
    for name, _, value in (line.partition(": ") for line in message.splitlines()):
        if name in values:
            values[name].append(dict(json.loads(value)))
    return {
        "unclear": tuple(from_json(Unclear, entry) for entry in values[TRAILER]),
        "late": tuple(from_json(Unclear, entry) for entry in values[LATE]),
        "undone": tuple(from_json(Unclear, entry) for entry in values[UNDONE]),
        "created": {str(entry["file"]): str(entry["id"]) for entry in values[CREATED]},
        "other_ids": {key: str(name) for group in values[OTHER_IDS] for key, name in group.items()},
        "outdated": {key: frozenset(map(str, files)) for group in values[UNSETTLED] for key, files in group.items()},
    }


def _reject(ref: str, message: str, previous: str = "") -> RepositoryError:
    """Return the error for a damaged record, with a way to repair it."""
    way_out = f"remove it, and start a new one with --base none: git update-ref -d {ref}"
    if previous:
        way_out = f"go back to the record before it: git update-ref {ref} {previous[:12]}"
    hint = f"fetch it again (git fetch origin +{ref}:{ref}); if it is damaged there too, {way_out}"
    return RepositoryError(message, hint=hint)
