"""Definitions as they stand in a commit: read from git's objects, never from a checkout.

They are parsed, not validated: whatever was applied once is what was applied (contract, section 4). In an
environment that commit's own overlays are laid over them.
"""

import collections
import dataclasses
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from reconciler.core.definition import Definition, is_definition_file, key_of
from reconciler.core.merge import laid_over
from reconciler.core.settings import FILE_NAME
from reconciler.git.repository import Blob, Git
from reconciler.yamltext.nodes import YamlProblems
from reconciler.yamltext.reader import read_yaml

Files = Mapping[str, Blob]


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """A file as a commit keeps it: its path from the repository's root, and its object."""

    path: str
    blob: Blob


@dataclasses.dataclass(frozen=True, slots=True)
class BaseDefinition:
    """One definition of a commit, with the file that it is kept in, and its overlay's where there is one."""

    id: str
    declared: Mapping[str, Any]
    shared: Kept
    overlay: Kept | None = None

    @property
    def file(self) -> str:
        """The path of the definition from the repository's root."""
        return self.shared.path


@dataclasses.dataclass(frozen=True, slots=True)
class BaseDefinitions:
    """The definitions of one commit, by their id, and what of them could not be read."""

    by_id: Mapping[str, BaseDefinition]
    warnings: tuple[str, ...] = ()

    def find(self, *ids: str) -> BaseDefinition | None:
        """Return the definition that has the first of the ids that is known."""
        return next((self.by_id[name] for name in ids if name in self.by_id), None)


def read_base(
    git: Git,
    commit: str,
    folder: str,
    current: Sequence[Definition],
    environment: str | None = None,
    *,
    others: Iterable[BaseDefinition] = (),
) -> BaseDefinitions:
    """Return the definitions below a folder of a commit, and wherever else those of today stood then.

    `others` are definitions of today that are looked for as well, though nobody has read them for this run. A file
    that reads as it does today is not parsed again. One that cannot be read is a warning, and no base.
    """
    files = git.files(commit)
    inside = {path for path in files if is_definition_file(path, folder)}
    found, warnings = _below(git, commit, files, folder, current, environment)
    lost = {definition.id: definition.key for definition in current if definition.id not in found}
    lost |= {other.id: key_of(other.file, folder) for other in others if other.id not in found}
    for earlier in _earlier_folders(git, files, folder, lost.values(), environment) if lost else ():
        moved, complaints = _below(git, commit, files, earlier, current, environment)
        if not lost.keys() & moved.keys():
            continue
        if not inside:  # the whole folder has moved: what stood in it and is nowhere now is gone
            now = git.files("HEAD") if git.resolve("HEAD") else {}
            found |= {name: definition for name, definition in moved.items() if definition.file not in now}
            warnings += complaints
        found |= {name: moved[name] for name in lost if name in moved}
        lost = {name: key for name, key in lost.items() if name not in moved}
    if lost and environment is None:
        outside = {path: blob for path, blob in files.items() if path not in inside and is_definition_file(path, "")}
        moved, _ = _read(git, commit, [(kept, None) for kept in _mentioning(git, outside, lost)], {})
        found |= {name: definition for name, definition in moved.items() if name in lost}
    return BaseDefinitions(found, tuple(warnings))


def _below(
    git: Git, commit: str, files: Files, folder: str, current: Sequence[Definition], environment: str | None
) -> tuple[dict[str, BaseDefinition], list[str]]:
    """Return the definitions below one folder of a commit, by their id, and what of them could not be read."""
    below = _overlay_folders(git, files, PurePosixPath(folder).parent).get(environment or "")
    overlays = {
        key_of(path, below): Kept(path, blob)
        for path, blob in sorted(files.items())
        if below is not None and is_definition_file(path, below)
    }
    pairs = [
        (Kept(path, blob), overlays.get(key_of(path, folder)))
        for path, blob in sorted(files.items())
        if is_definition_file(path, folder)
    ]
    known = {_names(definition, _name_length(files)): definition for definition in current}
    return _read(git, commit, pairs, known, partial=environment is not None)


def _overlay_folders(git: Git, files: Files, beside: PurePosixPath) -> dict[str, str]:
    """Return the folder of each environment's overlays, as the commit's own settings in a folder name them."""
    settings = files.get((beside / FILE_NAME).as_posix())
    content: Any = _document(git.blobs([settings.name]).get(settings.name, b"")) if settings is not None else None
    environments = content.get("environments") if isinstance(content, dict) else None
    entries = environments.items() if isinstance(environments, dict) else ()
    named = {name: entry.get("overlay") for name, entry in entries if isinstance(entry, dict)}
    return {name: (beside / below).as_posix() for name, below in named.items() if isinstance(below, str)}


def _earlier_folders(git: Git, files: Files, folder: str, keys: Collection[str], environment: str | None) -> list[str]:
    """Return the other folders of a commit that hold files of these keys, those with the most first.

    In an environment only those beside settings that know it, and never a folder of overlays.
    """
    counts: collections.Counter[str] = collections.Counter()
    for path in files:
        if is_definition_file(path, ""):
            names = key_of(path, "").split("/")
            counts.update("/".join(names[:at]) or "." for at in range(len(names)) if "/".join(names[at:]) in keys)
    found = sorted(counts.keys() - {folder}, key=lambda earlier: (-counts[earlier], earlier))
    if environment is None:
        return found
    overlays = {earlier: _overlay_folders(git, files, PurePosixPath(earlier).parent) for earlier in found}
    return [name for name in found if environment in overlays[name] and name not in overlays[name].values()]


def _read(
    git: Git,
    commit: str,
    pairs: Sequence[tuple[Kept, Kept | None]],
    known: Mapping[tuple[str, str], Definition],
    *,
    partial: bool = False,
) -> tuple[dict[str, BaseDefinition], list[str]]:
    unknown = [pair for pair in pairs if _pair_names(pair) not in known]
    contents = git.blobs(kept.blob.name for pair in unknown for kept in pair if kept is not None)
    found: dict[str, BaseDefinition] = {}
    warnings: list[str] = []
    for pair in pairs:
        shared, overlay = pair
        same = known.get(_pair_names(pair))
        if same is not None:
            found.setdefault(same.id, BaseDefinition(same.id, same.declared, shared, overlay))
            continue
        document = _merged(pair, contents)
        has_id = document is not None and isinstance(document.get("id"), str)
        if not has_id and (document is None or not partial or "id" in document):
            name = f"{shared.path} of commit {commit[:12]}"
            warnings.append(f"{name} cannot be read as a definition, and counts as no base")
        if document is not None and has_id:
            declared = {key: value for key, value in document.items() if key != "id"}
            found.setdefault(document["id"], BaseDefinition(document["id"], declared, shared, overlay))
    return found, warnings


def _merged(pair: tuple[Kept, Kept | None], contents: Mapping[str, bytes]) -> dict[str, Any] | None:
    """Return a definition with its overlay laid over it; None where one of the files cannot be read."""
    document: Any = {}
    for kept in pair:
        layer = _document(contents.get(kept.blob.name, b"")) if kept is not None else {}
        if not isinstance(layer, dict):
            return None
        document = laid_over(document, layer)
    return dict(document)


def _document(content: bytes) -> Any:
    try:
        return read_yaml(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, YamlProblems):
        return None


def _mentioning(git: Git, files: Files, ids: Iterable[str]) -> list[Kept]:
    """Return the files that hold one of the ids somewhere in their text: the others are not worth parsing."""
    needles = [name.encode() for name in ids]
    contents = git.blobs(blob.name for blob in files.values())
    return [
        Kept(path, blob)
        for path, blob in sorted(files.items())
        if any(needle in contents.get(blob.name, b"") for needle in needles)
    ]


def _pair_names(pair: tuple[Kept, Kept | None]) -> tuple[str, str]:
    shared, overlay = pair
    return shared.blob.name, overlay.blob.name if overlay is not None else ""


def _names(definition: Definition, length: int) -> tuple[str, str]:
    """Return the names that git gives to the files of a definition."""
    overlay = definition.overlay
    return object_name(definition.text, length), object_name(overlay.text, length) if overlay is not None else ""


def _name_length(files: Files) -> int:
    """Return how long the names of this repository's objects are: 40 for SHA-1, 64 for SHA-256."""
    return next((len(blob.name) for blob in files.values()), 40)


def object_name(text: str, length: int) -> str:
    """Return the name that git gives to a file of this text."""
    content = text.encode("utf-8", "surrogatepass")
    header = b"blob %d\0" % len(content)
    return (hashlib.sha256 if length == 64 else hashlib.sha1)(header + content, usedforsecurity=False).hexdigest()
