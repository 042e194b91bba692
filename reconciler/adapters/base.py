"""Definitions as they stand in a commit: read from git's objects, never from a checkout.

They are parsed, not validated: whatever was applied once is what was applied (contract, section 4).
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from reconciler.adapters.definition_files import SUFFIXES
from reconciler.adapters.git import Blob, Git
from reconciler.adapters.yaml_nodes import YamlProblems
from reconciler.adapters.yaml_reader import read_yaml
from reconciler.core.definition import Definition


@dataclasses.dataclass(frozen=True, slots=True)
class BaseDefinition:
    """One definition of a commit; `file` is its path from the repository's root, `blob` the object it is kept in."""

    file: str
    id: str
    declared: Mapping[str, Any]
    blob: Blob


@dataclasses.dataclass(frozen=True, slots=True)
class BaseDefinitions:
    """The definitions of one commit, by their id, and what of them could not be read."""

    by_id: Mapping[str, BaseDefinition]
    warnings: tuple[str, ...] = ()

    def find(self, *ids: str) -> BaseDefinition | None:
        """Return the definition that has the first of the ids that is known."""
        return next((self.by_id[name] for name in ids if name in self.by_id), None)


def read_base(
    git: Git, commit: str, folder: str, current: Sequence[Definition], *, others: Iterable[str] = ()
) -> BaseDefinitions:
    """Return the definitions below a folder of a commit, and wherever else those of today stood then.

    `others` are ids that are looked for outside the folder as well. A file that reads as it does today is not
    parsed again. One that cannot be read is a warning, and no base.
    """
    files = git.files(commit)
    inside = {path: blob for path, blob in files.items() if is_definition_file(path, folder)}
    known = {object_name(definition.text, blob_length(inside)): definition for definition in current}
    found, warnings = _read(git, commit, inside, known)
    lost = {*(definition.id for definition in current), *others} - found.keys()
    if lost:
        outside = {path: blob for path, blob in files.items() if path not in inside and is_definition_file(path, "")}
        moved, _ = _read(git, commit, _mentioning(git, outside, lost), {})
        found |= {name: definition for name, definition in moved.items() if name in lost}
    return BaseDefinitions(found, tuple(warnings))


def is_definition_file(path: str, folder: str) -> bool:
    """Tell whether a path from the root is that of a definition below a folder; dot files are none."""
    pure = PurePosixPath(path)
    below = PurePosixPath(folder)
    if pure.suffix not in SUFFIXES or not pure.is_relative_to(below):
        return False
    return not any(part.startswith(".") for part in pure.relative_to(below).parts)


def blob_length(files: Mapping[str, Blob]) -> int:
    """Return how long the names of this repository's objects are: 40 for SHA-1, 64 for SHA-256."""
    return next((len(blob.name) for blob in files.values()), 40)


def object_name(text: str, length: int) -> str:
    """Return the name that git gives to a file of this text."""
    content = text.encode("utf-8", "surrogatepass")
    header = b"blob %d\0" % len(content)
    return (hashlib.sha256 if length == 64 else hashlib.sha1)(header + content, usedforsecurity=False).hexdigest()


def _read(
    git: Git, commit: str, files: Mapping[str, Blob], known: Mapping[str, Definition]
) -> tuple[dict[str, BaseDefinition], list[str]]:
    contents = git.blobs(blob.name for blob in files.values() if blob.name not in known)
    found: dict[str, BaseDefinition] = {}
    warnings: list[str] = []
    for path, blob in sorted(files.items()):
        same = known.get(blob.name)
        if same is not None:
            found.setdefault(same.id, BaseDefinition(path, same.id, same.declared, blob))
            continue
        try:
            document = read_yaml(contents[blob.name].decode("utf-8-sig"))
        except (KeyError, UnicodeDecodeError, YamlProblems):
            document = None
        if isinstance(document, dict) and isinstance(document.get("id"), str):
            declared = {key: value for key, value in document.items() if key != "id"}
            found.setdefault(document["id"], BaseDefinition(path, document["id"], declared, blob))
        else:
            warnings.append(f"{path} of commit {commit[:12]} cannot be read as a definition, and counts as no base")
    return found, warnings


def _mentioning(git: Git, files: Mapping[str, Blob], ids: Iterable[str]) -> dict[str, Blob]:
    """Return the files that hold one of the ids somewhere in their text: the others are not worth parsing."""
    needles = [name.encode() for name in ids]
    contents = git.blobs(blob.name for blob in files.values())

    def chosen() -> Iterator[tuple[str, Blob]]:
        for path, blob in files.items():
            content = contents.get(blob.name, b"")
            if any(needle in content for needle in needles):
                yield path, blob

    return dict(chosen())
