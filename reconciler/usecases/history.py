"""What was applied when: the records with the commit behind each, and the fields whose applied values it changed."""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping

from reconciler.assistant.paths import FieldPath
from reconciler.core.compare import differing_declarations
from reconciler.git.commit_layers import parse_definition
from reconciler.git.record import Record, records
from reconciler.git.repository import Repository


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """A record with the author and the subject of the commit that was applied; None where this clone lacks it.

    `changed` are the fields that got another value than the record before has, by the file of their entry.
    """

    record: Record
    author: str | None
    subject: str | None
    changed: Mapping[str, tuple[FieldPath, ...]]


def list_applied(repository: Repository, ref: str, *, most: int) -> Iterator[Applied]:
    """Yield what was applied, the newest first. Raises RepositoryError for a ref that is no record."""
    found = list(records(repository, ref, most=most + 1))  # one more: what the last of them changed shows in it
    for record, previous in itertools.islice(itertools.zip_longest(found, found[1:]), most):
        commit = repository.commit(record.applied) if repository.has(record.applied) else None
        yield Applied(
            record=record,
            author=commit.author if commit is not None else None,
            subject=commit.message.strip().partition("\n")[0] if commit is not None else None,
            changed=_find_changed(repository, record, previous),
        )


def _find_changed(repository: Repository, record: Record, previous: Record | None) -> dict[str, tuple[FieldPath, ...]]:
    # The tree of a record of the older form has no entries, and the first record has nothing to compare with.
    if previous is None or not (record.resolved and previous.resolved):
        return {}
    now, before = repository.files(record.commit), repository.files(previous.commit)
    found: dict[str, tuple[FieldPath, ...]] = {}
    for file in sorted(now.keys() & before.keys()):
        if now[file].name == before[file].name:
            continue
        new, old = (parse_definition(repository.read(file, tree[file])) for tree in (now, before))
        if new is not None and old is not None:
            found[file] = differing_declarations(new, old)
    return found
