"""What was applied when, and what was merged since: commits, with the fields or the files that each of them changed."""

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.core.canonical import align_line_ends, find_differing_declarations
from reconciler.core.settings import Settings
from reconciler.dataclass import dataclass
from reconciler.files.folders import repository_root
from reconciler.git.commit_layers import parse_definition
from reconciler.git.objects import Blob
from reconciler.git.record import NO_RECORD, Record, read_records
from reconciler.git.repository import Repository
from reconciler.usecases.project.reading import require_commit

_REVERTED = re.compile(r"^This reverts commit ([0-9a-f]{40,64})", re.MULTILINE)  # what `git revert` writes


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryEntry:
    """A record with the author and the subject of the commit that was applied; None if this clone lacks it."""

    record: Record
    author: str | None
    subject: str | None
    fields: Mapping[str, tuple[FieldPath, ...]]  # fields that got another value since the record before, by file
    reverts: tuple[str, ...] = ()  # commits that git's own reverts name, since the record before


def list_applied(repository: Repository, ref: str, *, limit: int, settings: Settings) -> Iterator[HistoryEntry]:
    """Yield what was applied, the newest first; `settings` say whether line ends count. Raises RepositoryError."""
    records = list(read_records(repository, ref, limit=limit + 1))  # one more, to see what the last one changed
    for record, previous in itertools.islice(itertools.zip_longest(records, records[1:], fillvalue=NO_RECORD), limit):
        # A shallow clone, or one after a branch was rewritten, may lack the commit that was applied.
        commit = repository.commit(record.applied) if repository.has(record.applied) else None
        yield HistoryEntry(
            record=record,
            author=commit.author if commit is not None else None,
            subject=commit.message.strip().partition("\n")[0] if commit is not None else None,
            fields=_find_changed(repository, record, previous, settings),
            reverts=_find_reverts(repository, record, previous) if commit is not None else (),
        )


def _find_reverts(repository: Repository, record: Record, previous: Record) -> tuple[str, ...]:
    # The revert that follows a rollback is applied later than the rollback, and shows here.
    if previous.applied == record.applied or not repository.has(previous.applied):
        return ()
    messages = repository.log("--format=%B", f"{previous.applied}..{record.applied}")
    return tuple(dict.fromkeys(_REVERTED.findall(messages)))


def _find_changed(
    repository: Repository, record: Record, previous: Record, settings: Settings
) -> dict[str, tuple[FieldPath, ...]]:
    # An older record has no entries, and the first record has nothing before it.
    if not previous.commit or not (record.resolved and previous.resolved):
        return {}
    newer, older = repository.files(record.commit), repository.files(previous.commit)

    def parse(files: Mapping[str, Blob], file: str) -> dict[str, Any] | None:
        document = parse_definition(repository.read(file, files[file]))
        return document if document is not None and isinstance(document.get("id"), str) else None

    # An entry belongs to its assistant, whatever its path. One whose id is new continues the entry at its path, if any.
    before = {file: parse(older, file) for file, blob in older.items() if blob != newer.get(file)}
    before_by_id = {entry["id"]: entry for entry in before.values() if entry is not None}
    fields: dict[str, tuple[FieldPath, ...]] = {}
    for file in sorted(file for file, blob in newer.items() if blob != older.get(file)):
        new = parse(newer, file)
        old = before_by_id.get(new["id"], before.get(file, {})) if new is not None else None
        # What cannot be read says nothing of its fields.
        if new is not None and old is not None:
            paths = find_differing_declarations(new, align_line_ends(old, new, settings))
            fields[file] = tuple(path for path in paths if path != ("id",))
    return fields


def list_merged(folder: Path, since: str, *, limit: int) -> dict[str, set[str]]:
    """Return the commits of the branch since a revision, the newest first, each with the paths that it changed."""
    repository = Repository(repository_root(folder))
    commit = require_commit(repository, since)
    # A merge counts with all that it brought: what its first parent does not have.
    options = ("-m", "--first-parent", f"-{limit}", "--name-only", "-z", "--format=%x02%H")
    entries = repository.log(*options, f"{commit}..HEAD", "--").split("\x02")[1:]
    # Between a commit and its paths git writes an empty line.
    commits = ([word.strip("\n") for word in entry.split("\0")] for entry in entries)
    return {commit: {path for path in paths if path} for commit, *paths in commits}
