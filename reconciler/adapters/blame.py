"""Which commit set a value: the versions of definition files between two commits, read in one pass."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.adapters.git import Git
from reconciler.adapters.yaml_nodes import YamlProblems
from reconciler.adapters.yaml_reader import read_yaml

_FORMAT = "--format=%x01%H%x02%an%x02%aI"


@dataclasses.dataclass(frozen=True, slots=True)
class Version:
    """A file as one commit left it; `declared` is None where it could not be read, or was removed."""

    commit: str
    author: str
    date: str
    declared: Mapping[str, Any] | None


def versions(git: Git, base: str, files: Sequence[str]) -> dict[str, list[Version]]:
    """Return the versions of each file in `base..HEAD`, the newest first, under the names that it had then.

    Commits beyond the end of a shallow history are not there, and the commit at which it ends shows no
    change of its own.
    """
    log = git.run(
        "log", "--topo-order", "--diff-merges=first-parent", "--raw", "-z", "-M", "--no-abbrev", _FORMAT,
        f"{base}..HEAD", "--", "*.yaml", "*.yml",
    )  # fmt: skip
    shallow = git.shallow_commits()
    names = {file: file for file in files}  # the name as the walk goes back -> the name now
    steps: dict[str, list[tuple[tuple[str, str, str], str]]] = {file: [] for file in files}
    for commit, entries in _commits(log):
        if commit[0] in shallow:
            continue
        for blob, before, after in entries:
            file = names.get(after)
            if file is None:
                continue
            steps[file].append((commit, blob))
            if before != after:
                names[before] = names.pop(after)
    contents = git.blobs(blob for found in steps.values() for _, blob in found if blob.strip("0"))
    parsed = {blob: _declared(content) for blob, content in contents.items()}
    return {file: [Version(*commit, parsed.get(blob)) for commit, blob in found] for file, found in steps.items()}


def _commits(log: str) -> Iterator[tuple[tuple[str, str, str], list[tuple[str, str, str]]]]:
    """Yield each commit of a log with (object, old name, new name) of each file that it touched."""
    for part in log.split("\x01")[1:]:
        head, *fields = part.split("\0")
        name, author, date = head.split("\x02")
        entries: list[tuple[str, str, str]] = []
        rest = iter(fields)
        for field in rest:
            if not field.lstrip("\n").startswith(":"):
                continue
            blob, status = field.split(" ")[3:5]
            before = next(rest)
            after = next(rest) if status[0] in "RC" else before
            entries.append((blob, before, after))
        yield (name, author, date.strip()), entries


def _declared(content: bytes) -> Mapping[str, Any] | None:
    try:
        document = read_yaml(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, YamlProblems):
        return None
    return document if isinstance(document, dict) else None
