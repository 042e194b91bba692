"""Which commit set a value: what the commits since the base did to definitions, read in one pass.

A definition is followed by its id: a file may be moved, renamed, or rewritten from one to the next. The files that an
environment lays together may have none, and are followed by their place.
"""

import dataclasses
import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from reconciler.core.tree import MISSING, Missing
from reconciler.git.repository import Git
from reconciler.yamltext.nodes import YamlProblems
from reconciler.yamltext.reader import read_yaml

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


@dataclasses.dataclass(frozen=True, slots=True)
class AllEdits:
    """The edits of definitions by their id, and of the files that environments lay together by their path."""

    by_id: Mapping[str, Edits]
    by_file: Mapping[str, Edits]


def read_edits(
    git: Git,
    revisions: str,
    definitions: Mapping[str, str],
    layers: Collection[str],
    known: Mapping[str, tuple[str, Mapping[str, Any]]],
    paths: Sequence[str] = (),
) -> AllEdits:
    """Return what commits such as `base..HEAD` did to some definitions, and to some files that need no id.

    `definitions` are files by their id, `layers` the paths of the others. `known` are objects that have been read
    already: an id, and what it declares. Where there are `paths`, only commits that touch them are looked at.

    Commits beyond the end of a shallow history are not there, and the commit at which it ends is left out: it
    seems to have set everything.
    """
    chosen = [f":(literal){path}" for path in paths] if len(paths) <= _MOST_PATHS else ()
    log = git.run(*_LOG, revisions, "--", *(chosen or _ANY_DEFINITION))
    shallow = git.shallow_commits()
    steps = [(commit, swaps) for commit, swaps in _commits(log) if commit.name not in shallow]
    head = git.files("HEAD")
    return AllEdits(
        _edits_by_id(git, steps, {name: head[file].name for name, file in definitions.items() if file in head}, known),
        _edits_by_file(git, steps, {file: head[file].name for file in layers if file in head}),
    )


def _edits_by_id(
    git: Git,
    steps: Sequence["_Step"],
    at_head: Mapping[str, str],
    known: Mapping[str, tuple[str, Mapping[str, Any]]],
) -> dict[str, Edits]:
    """Return the edits of definitions, whose objects at `HEAD` are named, wherever their files stood."""
    if not at_head:
        return {}
    names = {name for _, swaps in steps for pair in swaps.values() for name in pair if name.strip("0")}
    names |= {*at_head.values()}
    parsed = {name: known[name] for name in names & known.keys()}
    parsed |= _with_ids(git.blobs(sorted(names - known.keys())), at_head.keys())
    found: dict[str, list[Edit]] = {name: [] for name in at_head}
    for commit, swaps in steps:
        before, after = (_by_id(parsed, side) for side in zip(*swaps.values(), strict=True))
        for name in (before.keys() | after.keys()) & found.keys():
            found[name].append(commit.edit(before.get(name, MISSING), after.get(name, MISSING)))
    now = _by_id(parsed, [*at_head.values()])
    return {name: Edits(now.get(name, MISSING), tuple(edits)) for name, edits in found.items()}


def _edits_by_file(git: Git, steps: Sequence["_Step"], at_head: Mapping[str, str]) -> dict[str, Edits]:
    """Return the edits of files, whose objects at `HEAD` are named, also at the places that they moved from."""
    found: dict[str, list[tuple[_Commit, str, str]]] = {file: [] for file in at_head}
    for file, swaps_of_it in found.items():
        place = file
        for commit, swaps in steps:
            if place in swaps:
                old, new = swaps[place]
                if not old.strip("0"):
                    place = _moved_from(place, swaps)
                    old = swaps[place][0]
                swaps_of_it.append((commit, old, new))
    names = {name for swaps_of_it in found.values() for _, *pair in swaps_of_it for name in pair}
    parsed = {name: _document(content) for name, content in git.blobs(sorted({*names, *at_head.values()})).items()}
    return {
        file: Edits(
            parsed.get(at_head[file], MISSING),
            tuple(commit.edit(parsed.get(old, MISSING), parsed.get(new, MISSING)) for commit, old, new in swaps_of_it),
        )
        for file, swaps_of_it in found.items()
    }


def _moved_from(place: str, swaps: Mapping[str, tuple[str, str]]) -> str:
    """Return where a file that is new in a commit stood before it, or its place where it stood nowhere.

    Among the files that went, one with the same text is most likely, then one that has most of the path.
    """

    def likeness(path: str) -> tuple[bool, int]:
        pairs = zip(reversed(path.split("/")), reversed(place.split("/")), strict=False)
        alike = itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
        return swaps[path][0] == swaps[place][1], len(list(alike))

    gone = [path for path, (_, new) in swaps.items() if not new.strip("0") and any(likeness(path))]
    return max(sorted(gone), key=likeness, default=place)


@dataclasses.dataclass(frozen=True, slots=True)
class _Commit:
    name: str
    author: str
    date: str
    merge: bool

    def edit(self, before: Declared, after: Declared) -> Edit:
        """Return what the commit did to a definition."""
        return Edit(self.name, self.author, self.date, self.merge, before, after)


_Step = tuple[_Commit, dict[str, tuple[str, str]]]


def _commits(log: str) -> Iterator[_Step]:
    """Yield each commit of a log with the objects that it replaced, by path: (old, new), nothing being all zeros."""
    commit: _Commit | None = None
    swaps: dict[str, tuple[str, str]] = {}
    parts = iter(log.split("\0"))
    for part in map(str.lstrip, parts):
        if part.startswith(":"):
            words = part.split(" ")
            swaps[next(parts)] = words[2], words[3]  # the path may look like anything
        elif part:
            if commit and swaps:
                yield commit, swaps
            name, parents, date, author = part.split("\x02", 3)
            commit, swaps = _Commit(name, author, date, " " in parents), {}
    if commit and swaps:
        yield commit, swaps


def _with_ids(contents: Mapping[str, bytes], ids: Collection[str]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return the definitions among some contents that have one of the ids; others are not worth parsing."""
    mentioned = re.compile(b"|".join(re.escape(name.encode()) for name in sorted(ids)))
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for blob, content in contents.items():
        document = _document(content) if mentioned.search(content) else MISSING
        if document is not MISSING and document.get("id") in ids:
            found[blob] = document["id"], document
    return found


def _document(content: bytes) -> Declared:
    try:
        document = read_yaml(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, YamlProblems):
        return MISSING
    return document if isinstance(document, dict) else MISSING


def _by_id(parsed: Mapping[str, tuple[str, Mapping[str, Any]]], blobs: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    return dict(parsed[blob] for blob in blobs if blob in parsed)
