"""Git's objects as values: a commit and a file in a tree, parsed from the bytes that `cat-file` prints."""

import os
import re

from reconciler.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Blob:
    """A file in a commit's tree: its mode and its object's name."""

    mode: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """A commit; its parents are named even if a shallow clone lacks them."""

    name: str
    tree: str
    parents: tuple[str, ...]
    author: str  # without the address
    date: int  # the committer's, in seconds
    message: str


def parse_commit(name: str, content: bytes) -> Commit:
    """Read a commit object (gitformat: headers, an empty line, the message)."""
    head, _, message = os.fsdecode(content).partition("\n\n")
    headers = [line.partition(" ") for line in head.split("\n")]
    # The first line of a name counts: a signature, or a tag that was merged, brings such lines of its own later.
    first = {key: value for key, _, value in reversed(headers)}
    # Old tools wrote commits without a date, or with one that no calendar has.
    seconds = re.search(r" (\d{1,11}) [+-]\d+$", first["committer"])
    return Commit(
        name=name,
        tree=first["tree"],
        parents=tuple(value for key, _, value in headers if key == "parent"),
        author=first["author"].partition(" <")[0],
        date=int(seconds[1]) if seconds else 0,
        message=message,
    )


def parse_tree(content: bytes, size: int) -> dict[str, Blob]:
    """Read a tree object: mode, space, name, NUL and the raw object name of `size` bytes, without separators."""
    entries = re.findall(rb"(\d+) ([^\0]+)\0(.{%d})" % size, content, re.DOTALL)
    return {os.fsdecode(name): Blob(mode.decode(), object_name.hex()) for mode, name, object_name in entries}
