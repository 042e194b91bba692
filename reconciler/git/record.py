"""The applied record: a ref whose commits say which definitions were live, read and written as git objects.

Each commit's first parent is the `HEAD` that was applied, the second the record before it; its tree is the
first parent's, but for definitions whose assistants did not get there. Trailers name writes whose outcome
is not clear.
"""

import dataclasses
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reconciler.assistant.paths import parse_pointer
from reconciler.errors import RepositoryError
from reconciler.git.repository import Blob, Git

TRAILER = "Reconciler-Indeterminate"


@dataclasses.dataclass(frozen=True, slots=True)
class Unclear:
    """A definition whose last write may have happened or not, with the JSON Pointers of the fields that were sent.

    `heads` are the commits that such writes were made from, the newest last: any of them may have landed.
    """

    id: str
    file: str
    fields: tuple[str, ...]
    heads: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """One commit of the record: what was applied (its first parent), when (ISO 8601), and what is not settled."""

    commit: str
    applied: str
    date: str
    message: str
    unclear: tuple[Unclear, ...] = ()


def read_record(git: Git, ref: str) -> Record | None:
    """Return the newest record, or None where there is none. Raises RepositoryError for a ref that is no record."""
    return next(records(git, ref, most=1), None)


def records(git: Git, ref: str, *, most: int) -> Iterator[Record]:
    """Yield the records of a ref, the newest first, as far back as a shallow clone has them."""
    commit = git.resolve(ref)
    while commit is not None and most > 0:
        parents = git.parents(commit)
        if not parents:
            raise RepositoryError(
                f"{ref} holds {commit[:12]}, which is no record of what was applied",
                hint=f"fetch the record again, or remove what is there: git update-ref -d {ref}",
            )
        date, _, message = git.run("log", "-1", "--format=%cI%x00%B", commit).partition("\0")
        try:
            unclear = tuple(_unclear(message))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _unreadable(ref, commit, parents) from error
        yield Record(commit, parents[0], date, message.strip(), unclear)
        most -= 1
        commit = parents[1] if most and len(parents) > 1 and commit not in git.shallow_commits() else None


def write_record(
    git: Git,
    ref: str,
    *,
    head: str,
    previous: str | None,
    replaced: Mapping[str, Blob | None],
    message: str,
    unclear: Sequence[Unclear],
) -> str:
    """Add a commit to the record and return it: `head`'s tree, in which some paths hold another file, or none.

    The ref moves only if it still is `previous`. Raises RepositoryError.
    """
    nothing = "0" * len(head)
    with tempfile.TemporaryDirectory(prefix="reconciler-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git.run("read-tree", head, environment=index)
        lines = [
            f"{blob.mode} {blob.name}\t{path}" if blob else f"0 {nothing}\t{path}" for path, blob in replaced.items()
        ]
        git.run("update-index", "-z", "--index-info", given="".join(line + "\0" for line in lines), environment=index)
        tree = git.run("write-tree", environment=index)
    trailers = [f"{TRAILER}: {json.dumps(dataclasses.asdict(entry), ensure_ascii=True)}" for entry in unclear]
    text = message.rstrip() + "\n" + ("\n" + "\n".join(trailers) + "\n" if trailers else "")
    parents = [head, *([previous] if previous else [])]
    commit = git.commit_tree(tree, parents, text)
    try:
        git.run("update-ref", "-m", "reconciler apply", ref, commit, previous or nothing)
    except RepositoryError as error:
        raise RepositoryError(
            f"{ref} moved while this ran ({error.message})" if git.resolve(ref) != previous else error.message,
            hint="fetch it and apply again: what is live already is recorded then",
        ) from error
    return commit


def _unclear(message: str) -> Iterator[Unclear]:
    for line in message.splitlines():
        name, _, value = line.partition(": ")
        if name != TRAILER:
            continue
        entry = json.loads(value)
        fields = tuple(map(str, entry["fields"]))
        for field in fields:
            parse_pointer(field)
        yield Unclear(str(entry["id"]), str(entry["file"]), fields, tuple(map(str, entry.get("heads", ()))))


def _unreadable(ref: str, commit: str, parents: Sequence[str]) -> RepositoryError:
    """Say how to get past a record of which nobody can tell which writes it leaves unclear."""
    way_out = f"remove it, and begin a new one with --base none: git update-ref -d {ref}"
    if len(parents) > 1:
        way_out = f"go back to the record before it: git update-ref {ref} {parents[1][:12]}"
    hint = f"fetch it again (git fetch origin +{ref}:{ref}); if it is damaged there too, {way_out}"
    return RepositoryError(
        f"the record {commit[:12]} of {ref} has a trailer {TRAILER} that cannot be read, so nobody knows which "
        "writes had no clear answer",
        hint=hint,
    )
