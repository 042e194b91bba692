"""The base as data: each assistant's definition as it was last applied, from whatever source."""

import dataclasses
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.assistant.paths import FieldPath
from reconciler.core.canonical import digest_of, equal, equal_exactly
from reconciler.core.definition import Definition
from reconciler.core.origin import Base, find_leaf
from reconciler.core.tree import MISSING, put_at, value_at
from reconciler.dataclass import dataclass

Writes = Mapping[str, Sequence[tuple[FieldPath, Any]]]  # by the assistant's id


@dataclass(frozen=True, slots=True)
class Entry:
    """One assistant's definition as it was applied; `files` are the paths that declared it, texts too."""

    id: str
    file: str
    declared: Mapping[str, Any]
    files: tuple[str, ...] = ()


def are_same(one: Entry | Definition | None, other: Entry | Definition | None) -> bool:
    """Return whether both exist, and declare the same for the same assistant."""
    if one is None or other is None:
        return False
    return one.id == other.id and equal_exactly(one.declared, other.declared)


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of a record or a commit by path, with warnings for those that cannot be read."""

    by_file: Mapping[str, Entry] = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    # The ids that GET gave, for entries that have the assistant's other id.
    other_ids: Mapping[str, str] = dataclasses.field(default_factory=dict)
    _by_id: dict[str, list[Entry]] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for file in sorted(self.by_file):
            for name in self.ids_of(self.by_file[file]):
                self._by_id.setdefault(name, []).append(self.by_file[file])

    def ids_of(self, entry: Entry) -> set[str]:
        """Return the ids by which an entry's assistant is known."""
        return {entry.id, self.other_ids.get(entry.id, entry.id)}

    def find(self, ids: Iterable[str], file: str = "") -> Entry | None:
        """Return the entry of an assistant by the first of its ids that is known.

        Of several the nearest to the definition counts: folders that share a record may declare parts of one assistant.
        """
        matches = next((self._by_id[name] for name in ids if name in self._by_id), ())
        # Not `commonpath`, which refuses an absolute path, and a report may have one.
        parts = file.split("/")
        return max(matches, key=lambda each: len(posixpath.commonprefix([each.file.split("/"), parts])), default=None)

    def find_at(self, file: str, name: str) -> Entry | None:
        """Return the entry at a path, if its assistant is known by an id."""
        entry = self.by_file.get(file)
        return entry if entry is not None and name in self.ids_of(entry) else None

    def find_all(self, ids: Iterable[str]) -> list[Entry]:
        """Return all entries that have one of some ids; one that has two of them comes twice."""
        return [entry for name in ids for entry in self._by_id.get(name, ())]


@dataclass(frozen=True, kw_only=True, slots=True)
class BaseDefinitions:
    """What a run compares with: a revision as it was named, its commit (empty if it is none), and its entries."""

    ref: str
    commit: str
    entries: Entries = Entries()
    # Values that a write without a clear answer may have left. If live shows one, nobody edited it.
    unclear_writes: Writes = dataclasses.field(default_factory=dict)
    # Digests of the values that a rollback restored. A live value that matches its digest is not somebody's edit.
    undone: Mapping[str, Mapping[FieldPath, str]] = dataclasses.field(default_factory=dict)

    def find_declared(self, ids: Sequence[str], file: str, live: Mapping[str, Any], desired: Mapping[str, Any]) -> Base:
        """Return what the base declared for an assistant, `MISSING` where it had no definition."""
        entry = self.entries.find(ids, file)
        if entry is None:
            return MISSING
        declared = entry.declared
        writes = [write for name in ids for write in self.unclear_writes.get(name, ())]
        for path in self.list_undone(ids, live):
            if not equal(value_at(desired, path), value_at(declared, path), path):
                live_value = value_at(live, path)
                writes.append((path, None if live_value is MISSING else live_value))
        # Otherwise our own write would look like drift, and be left alone. What base lacks is a change in any case.
        for path, value in writes:
            is_declared = value is not MISSING and find_leaf(declared, path)[1] is not MISSING
            if is_declared and equal(value, value_at(live, path), path):
                declared = put_at(declared, path, value)
        return declared

    def list_undone(self, ids: Sequence[str], live: Mapping[str, Any]) -> list[FieldPath]:
        """Return the fields of an assistant in which live still has what a rollback has left."""
        left = {path: digest for name in ids for path, digest in self.undone.get(name, {}).items()}
        return [path for path, digest in left.items() if digest == digest_of(value_at(live, path))]


NO_BASE: Final = BaseDefinitions(ref="", commit="")
