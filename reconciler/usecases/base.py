"""Which commit is the base, what it declared, and what of it is no longer managed or not settled.

The base is the definitions as last applied, against which git's and live's moves are told apart.
"""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.assistant.paths import FieldPath, parse_pointer
from reconciler.core.definition import Definition
from reconciler.core.origin import Base, acknowledged
from reconciler.core.tree import MISSING, value_at
from reconciler.errors import RepositoryError
from reconciler.files.folders import folder_in_git
from reconciler.git.record import Record, Unclear
from reconciler.git.repository import Git
from reconciler.git.snapshot import BaseDefinitions, read_base

OFF = "none"
NO_DEFINITIONS = BaseDefinitions({})


def applied_ref(environment: str | None) -> str:
    """Return the ref of the applied record; each environment has its own."""
    return f"refs/reconciler/{environment}/applied" if environment else "refs/reconciler/applied"


def how_to_fetch(ref: str) -> str:
    """Return what to do where a clone lacks the applied record, as part of a hint."""
    return f"fetch the applied record (git fetch origin {ref}:{ref})"


@dataclasses.dataclass(frozen=True, slots=True)
class BaseRevision:
    """A base: the revision as it was named, and the commit that it is."""

    ref: str
    commit: str


@dataclasses.dataclass(frozen=True, slots=True)
class History:
    """What git knows of a run's definitions: the commit that is checked out, the base and the newest record.

    Each part is None where there is none; a base of None means that there are two versions only.
    `attempted` are the definitions of the commits from which writes without a clear answer were made.
    `removed` are files that git has removed, as far as a run that does not look at everything can tell.
    """

    git: Git | None = None
    head: str | None = None
    base: BaseRevision | None = None
    definitions: BaseDefinitions = NO_DEFINITIONS
    record: Record | None = None
    attempted: Mapping[str, BaseDefinitions] = dataclasses.field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    environment: str | None = None

    @property
    def ref(self) -> str:
        """The ref of the applied record."""
        return applied_ref(self.environment)

    def declared(self, definition: Definition, live: Mapping[str, Any]) -> Base:
        """Return what the base declared for an assistant, by the definition's id or the one that GET gives."""
        if self.base is None:
            return MISSING
        ids = (definition.id, str(live.get("id")))
        found = self.definitions.find(*ids)
        return MISSING if found is None else acknowledged(found.declared, live, self._ours(ids))

    def unclear(self, ids: Collection[str]) -> Iterator[Unclear]:
        """Yield what the record says of an assistant, by its ids, whose last write had no clear answer."""
        yield from (entry for entry in (self.record.unclear if self.record else ()) if entry.id in ids)

    def _ours(self, ids: Sequence[str]) -> Iterator[tuple[FieldPath, Any]]:
        for entry in self.unclear(ids):
            for head in entry.heads:
                attempted = self.attempted.get(head, NO_DEFINITIONS).find(*ids)
                if attempted is not None:
                    yield from ((path, value_at(attempted.declared, path)) for path in map(parse_pointer, entry.fields))


def read_history(
    git: Git | None,
    base: BaseRevision | None,
    record: Record | None,
    folder: Path,
    current: Sequence[Definition],
    environment: str | None = None,
) -> History:
    """Return what git knows of the definitions of a folder; the base's are read from its objects."""
    if git is None:
        return History(environment=environment)
    below = folder_in_git(folder, git.root)
    definitions = NO_DEFINITIONS
    if base is not None:
        definitions = read_base(git, base.commit, below, current, environment)
    heads = {head for entry in (record.unclear if record else ()) for head in entry.heads}
    attempted = {
        head: read_base(git, commit, below, current, environment)
        for head in sorted(heads)
        if (commit := git.resolve(head)) is not None
    }
    return History(git, git.resolve("HEAD"), base, definitions, record, attempted, environment=environment)


def find_base(git: Git | None, asked: str | None, ref: str, *, or_head: bool = False) -> BaseRevision | None:
    """Return the base that was asked for, else the record that a ref holds; None without one, or for `none`.

    With `or_head` the commit that is checked out comes after the record. A base that was asked for and
    cannot be had is a RepositoryError: two versions in place of three would call somebody's live edit a
    change.
    """
    if asked == OFF:
        return None
    if asked is not None:
        return BaseRevision(asked, commit_of(git, asked))
    if git is None:
        return None
    for name in (ref, *(["HEAD"] if or_head else [])):
        commit = git.resolve(name)
        if commit is not None:
            return BaseRevision(name, commit)
    return None


def commit_of(git: Git | None, revision: str) -> str:
    """Return the commit that a revision names. Raises RepositoryError that says what to do."""
    if git is None:
        raise RepositoryError(
            f"there is no git repository to read {revision!r} from",
            hint="run this inside the repository, with git installed, or give --base none",
        )
    commit = git.resolve(revision)
    if commit is not None:
        return commit
    if git.resolve("HEAD") is None:
        raise RepositoryError(
            f"{revision!r} cannot be read: the repository has no commit yet",
            hint="commit the definitions first, or give --base none",
        )
    hint = f"git fetch origin {revision}, or check the name" if revision else "is it a variable that is not set?"
    if git.is_shallow():
        hint = "this clone is shallow: fetch its history (fetch-depth: 0 in CI, git fetch --unshallow)"
    raise RepositoryError(f"there is no revision {revision!r} here", hint=hint)
