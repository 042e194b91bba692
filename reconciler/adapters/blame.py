"""Which commit set a value: what the commits since the base did to definitions, read in one pass.

A definition is followed by its id: a file may be moved, renamed, or rewritten from one to the next.
"""

import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from reconciler.adapters.git import Git
from reconciler.adapters.yaml_nodes import YamlProblems
from reconciler.adapters.yaml_reader import read_yaml
from reconciler.core.missing import MISSING, Missing

# Whatever somebody's configuration says, the log has one form. The author stands last: a name may hold anything.
_LOG = (
    *("log", "--topo-order", "--diff-merges=first-parent", "--raw", "-z", "--no-renames", "--no-abbrev", "--root"),
    *("--no-color", "--no-show-signature", "--no-relative", "--encoding=UTF-8"),
    "--format=%H%x02%P%x02%aI%x02%an",
)
_ANY_DEFINITION = ("*.yaml", "*.yml")
_MOST_PATHS = 1_000  # a command line has an end

Declared = Mapping[str, Any] | Missing


@dataclasses.dataclass(frozen=True, slots=True)
class Edit:
    """What one commit did to a definition; `MISSING` where there was none, or none that could be read.

    `merge` tells a commit that joins two histories: what it shows is what the other one brought.
    """

    commit: str
    author: str
    date: str
    merge: bool
    before: Declared
    after: Declared


@dataclasses.dataclass(frozen=True, slots=True)
class Edits:
    """A definition as `HEAD` has it, and what the commits before did to it, the newest first."""

    now: Declared = MISSING
    found: tuple[Edit, ...] = ()


def read_edits(
    git: Git,
    revisions: str,
    files: Mapping[str, str],
    known: Mapping[str, tuple[str, Mapping[str, Any]]],
    paths: Sequence[str] = (),
) -> dict[str, Edits]:
    """Return what commits such as `base..HEAD` did to some definitions, by their id; `files` are theirs by id.

    `known` are objects that have been read already: an id, and what it declares. Where there are `paths`, only
    commits that touch them are looked at.

    Commits beyond the end of a shallow history are not there, and the commit at which it ends is left out: it
    seems to have set everything.
    """
    chosen = [f":(literal){path}" for path in paths] if len(paths) <= _MOST_PATHS else ()
    log = git.run(*_LOG, revisions, "--", *(chosen or _ANY_DEFINITION))
    shallow = git.shallow_commits()
    steps = [(commit, blobs) for commit, blobs in _commits(log) if commit.name not in shallow]
    head = git.files("HEAD")
    names = {name for _, blobs in steps for pair in blobs for name in pair if name.strip("0")}
    names |= {head[file].name for file in files.values() if file in head}
    parsed = {name: known[name] for name in names & known.keys()}
    parsed |= _parsed(git.blobs(sorted(names - known.keys())), files)
    found: dict[str, list[Edit]] = {name: [] for name in files}
    for commit, blobs in steps:
        before, after = (_by_id(parsed, side) for side in zip(*blobs, strict=True))
        for name in (before.keys() | after.keys()) & found.keys():
            edit = Edit(
                commit.name,
                commit.author,
                commit.date,
                commit.merge,
                before.get(name, MISSING),
                after.get(name, MISSING),
            )
            found[name].append(edit)
    at_head = _by_id(parsed, [head[file].name for file in files.values() if file in head])
    return {name: Edits(at_head.get(name, MISSING), tuple(found[name])) for name in files}


@dataclasses.dataclass(frozen=True, slots=True)
class _Commit:
    name: str
    author: str
    date: str
    merge: bool


def _commits(log: str) -> Iterator[tuple[_Commit, list[tuple[str, str]]]]:
    """Yield each commit of a log with the objects that it replaced: (old, new), nothing being all zeros."""
    commit: _Commit | None = None
    blobs: list[tuple[str, str]] = []
    parts = iter(log.split("\0"))
    for part in map(str.lstrip, parts):
        if part.startswith(":"):
            words = part.split(" ")
            blobs.append((words[2], words[3]))
            next(parts)  # the path, which may look like anything
        elif part:
            if commit and blobs:
                yield commit, blobs
            name, parents, date, author = part.split("\x02", 3)
            commit, blobs = _Commit(name, author, date, " " in parents), []
    if commit and blobs:
        yield commit, blobs


def _parsed(contents: Mapping[str, bytes], ids: Collection[str]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return the definitions among some contents that have one of the ids; others are not worth parsing."""
    mentioned = re.compile(b"|".join(re.escape(name.encode()) for name in sorted(ids)))
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for blob, content in contents.items():
        if not mentioned.search(content):
            continue
        try:
            document = read_yaml(content.decode("utf-8-sig"))
        except (UnicodeDecodeError, YamlProblems):
            continue
        if isinstance(document, dict) and document.get("id") in ids:
            found[blob] = document["id"], document
    return found


def _by_id(parsed: Mapping[str, tuple[str, Mapping[str, Any]]], blobs: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    return dict(parsed[blob] for blob in blobs if blob in parsed)
