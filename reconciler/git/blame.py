"""Which commit set a value: the changes of all commits since the base, read in one pass.

A definition is followed by its id: a file may be moved, renamed, or rewritten from one to the next. The other layers,
text files, and definitions that still say `id: new`, have none, and are followed by their place.
"""

import functools
import posixpath
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from reconciler.core.definition import NEW, SUFFIXES
from reconciler.core.line_merge import count_equal_ends
from reconciler.core.origin import Since
from reconciler.core.tree import MISSING, Missing
from reconciler.dataclass import dataclass
from reconciler.errors import RepositoryError
from reconciler.git.commit_layers import parse_definition, parse_file
from reconciler.git.objects import Blob
from reconciler.git.repository import Repository

# The log has this form in any configuration. The author is last, since a name may contain anything.
_LOG = (
    *("--topo-order", "--diff-merges=first-parent", "--raw", "-z", "--no-renames", "--no-abbrev", "--root"),
    *("--no-color", "--no-show-signature", "--no-relative", "--encoding=UTF-8"),
    "--format=%H%x02%P%x02%aI%x02%an",
)
_MOST_PATHS = 1_000  # a command line has an end
# What one file holds: the fields as they are written in it, or the text of a text file.
Declared = Mapping[str, Any] | str | Missing


@dataclass(frozen=True, slots=True)
class LoggedCommit:
    """A commit of the log, and who made it when."""

    age: int  # counts the commits from the newest on
    since: Since
    is_merge: bool  # what it shows is what the other history brought


# The objects that a commit replaced, by path: the old one and the new one, empty where there is none.
Swaps = dict[str, tuple[str, str]]
Log = Sequence[tuple[LoggedCommit, Swaps]]


@dataclass(frozen=True, slots=True)
class FileChange:
    """What one commit did to a file; `MISSING` if there was no file, or none that could be read."""

    commit: LoggedCommit
    before: Declared
    after: Declared


@dataclass(frozen=True, slots=True)
class FileHistory:
    """A file as `HEAD` has it, and what the commits before did to it, the newest first."""

    now: Declared = MISSING
    changes: tuple[FileChange, ...] = ()


Histories = Mapping[str, FileHistory]  # by the file's path at `HEAD`


def read_histories(
    repository: Repository,
    revisions: str,
    definitions: Mapping[str, str],
    others: Collection[str],
    head_commit: str,
    paths: Sequence[str] = (),
) -> Histories:
    """Return what commits such as `base..HEAD` did to some definitions, and to some files that need no id, by file.

    `definitions` are files by their id, `others` the paths of layers and text files, `head_commit` the commit of which
    they are files. If there are `paths`, only commits that touch them are looked at. Commits beyond the end of a
    shallow history are not there, and the commit at which it ends is left out: it seems to have set everything. Raises
    RepositoryError for a log that cannot be read.
    """
    literal_paths = [f":(literal){path}" for path in paths] if len(paths) <= _MOST_PATHS else ()
    # A file that has moved is found again by its kind. One without a suffix could have been any file before.
    suffixes = sorted({*SUFFIXES, *(posixpath.splitext(path)[1] or posixpath.basename(path) for path in others)})
    # A backslash makes git take a character of a pattern literally.
    patterns = [":(glob)**/*" + re.sub(r"([*?\[\\])", r"\\\1", suffix) for suffix in suffixes]
    text = repository.log(*_LOG, revisions, "--", *(literal_paths or patterns))
    # Where a shallow history ends its last commit shows all files as new.
    shallow = repository.shallow_commits()
    try:
        log = [(commit, swaps) for commit, swaps in _read_log(text) if commit.since.commit not in shallow]
    except (ValueError, IndexError) as error:
        hint = (
            "run `git log -1` here: if its output is unusual, check which git is on PATH, and whether an alias wraps it"
        )
        raise RepositoryError("git log: its output cannot be read", hint=hint) from error
    files = sorted({*definitions.values(), *others})
    head = {file: blob for file in files for blob in repository.files(head_commit, file).values()}
    with_ids = {name: (file, head[file].name) for name, file in definitions.items() if file in head}
    without = {file: head[file].name for file in others if file in head}
    return {**_follow_ids(repository, log, with_ids), **_follow_files(repository, log, without)}


def _follow_ids(repository: Repository, log: Log, at_head: Mapping[str, tuple[str, str]]) -> dict[str, FileHistory]:
    """Return the edits of definitions, wherever their files were; by id, `at_head` names file and object at `HEAD`."""
    if not at_head:
        return {}
    # An object is read as a file at the path at which a commit had it, since filters go by the path.
    places = {name: path for _, swaps in log for path, pair in swaps.items() for name in pair if name}
    places |= {name: file for file, name in at_head.values()}
    parsed = _parse_with_ids(repository, places, at_head.keys())
    changes: dict[str, list[FileChange]] = {name: [] for name in at_head}
    following = {*at_head}
    for index, (commit, swaps) in enumerate(log):
        before, after = (_index_by_id(parsed, side) for side in zip(*swaps.values(), strict=True))
        paths = {parsed[new]["id"]: path for path, (_, new) in swaps.items() if new in parsed}
        for name in (before.keys() | after.keys()) & following:
            if name not in before and _says_new(repository, path := paths[name], swaps[path][0]):
                # This commit brought the id that the API gave. Before it, only the path tells which file it is.
                by_path = _follow_files(repository, log[index:], {path: swaps[path][1]})
                changes[name] += by_path[path].changes
                following.remove(name)
            else:
                changes[name].append(FileChange(commit, before.get(name, MISSING), after.get(name, MISSING)))
    now = _index_by_id(parsed, [name for _, name in at_head.values()])
    return {at_head[name][0]: FileHistory(now.get(name, MISSING), tuple(edits)) for name, edits in changes.items()}


def _follow_files(repository: Repository, log: Log, at_head: Mapping[str, str]) -> dict[str, FileHistory]:
    """Return the edits of files, given by their objects at `HEAD`, including those at earlier paths."""
    parse = functools.cache(functools.partial(_parse_file, repository))
    histories: dict[str, FileHistory] = {}
    for file, current in at_head.items():
        place, changes = file, list[FileChange]()
        for commit, swaps in log:
            if place in swaps:
                old, new = swaps[place]
                # The file is new in this commit. Before it, the file had another path.
                if not old:
                    place = _find_place_before(place, swaps)
                    old = swaps[place][0]
                changes.append(FileChange(commit, parse(file, old), parse(file, new)))
        histories[file] = FileHistory(parse(file, current), tuple(changes))
    return histories


def _find_place_before(place: str, swaps: Swaps) -> str:
    """Return the earlier path of a file new in a commit: that of the most similar removed file, else its own."""

    def likeness(path: str) -> tuple[bool, int]:
        alike, _ = count_equal_ends(path.split("/")[::-1], place.split("/")[::-1])
        return swaps[path][0] == swaps[place][1], alike

    removed = [path for path, (_, new) in swaps.items() if not new and any(likeness(path))]
    return max(sorted(removed), key=likeness, default=place)


def _read_log(text: str) -> Log:
    """Return each commit of a log with the objects that it replaced, by path."""
    log: list[tuple[LoggedCommit, Swaps]] = []
    parts = iter(text.split("\0"))
    for part in map(str.lstrip, parts):
        if part.startswith(":"):
            _, _, old, new, _ = part.split(" ")
            # No object is all zeros. The path may look like anything.
            log[-1][1][next(parts, "")] = old if old.strip("0") else "", new if new.strip("0") else ""
        elif part:
            name, parents, date, author = part.split("\x02", 3)
            log.append((LoggedCommit(len(log), Since(name, author, date), " " in parents), {}))
    return [(commit, swaps) for commit, swaps in log if swaps]


def _parse_with_ids(
    repository: Repository, places: Mapping[str, str], ids: Collection[str]
) -> dict[str, Mapping[str, Any]]:
    """Return the definitions among some objects that have one of the ids; others are not worth parsing."""
    # One search for all ids at once: a commit may have touched a thousand files.
    mentioned = re.compile(b"|".join(re.escape(name.encode()) for name in sorted(ids)))
    parsed: dict[str, Mapping[str, Any]] = {}
    for name, path in places.items():
        content = repository.read(path, Blob("100644", name)) or b""
        fields = parse_definition(content) if mentioned.search(content) else None
        # What is wrong may be a list, which a set cannot be asked for.
        if fields and isinstance(fields.get("id"), str) and fields["id"] in ids:
            parsed[name] = fields
    return parsed


def _parse_file(repository: Repository, path: str, name: str) -> Declared:
    if not name:
        return MISSING
    declared = parse_file(path, repository.read(path, Blob("100644", name)) or b"")
    return MISSING if declared is None else declared


def _says_new(repository: Repository, path: str, name: str) -> bool:
    declared = _parse_file(repository, path, name)
    return isinstance(declared, Mapping) and declared.get("id") == NEW


def _index_by_id(parsed: Mapping[str, Mapping[str, Any]], blobs: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    return {parsed[blob]["id"]: parsed[blob] for blob in blobs if blob in parsed}
