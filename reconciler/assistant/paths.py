"""Field paths: tuples of keys in the code, JSON Pointers (RFC 6901) or dotted names for users and files."""

import re
from collections.abc import Iterable, Sequence

FieldPath = tuple[str, ...]
_PLACE = re.compile(r"[0-9]+")  # in a list


def to_pointer(path: Iterable[str]) -> str:
    """Return the JSON Pointer of a path, `/metadata/a~1b` for `("metadata", "a/b")` (RFC 6901, section 3)."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path)


def parse_pointer(pointer: str) -> FieldPath:
    """Return the path that a JSON Pointer names. Raises ValueError for anything else, and for ""."""
    # "" would name the whole assistant.
    if not pointer.startswith("/"):
        raise ValueError("a JSON Pointer begins with '/', as in /metadata/crmKey")
    if re.search("~(?![01])", pointer):
        raise ValueError("in a JSON Pointer '~' is written ~0 and '/' inside a key ~1")
    # In this order: `~01` is a tilde and a 1, not a slash (RFC 6901, section 4).
    return tuple(key.replace("~1", "/").replace("~0", "~") for key in pointer[1:].split("/"))


def parse_path(text: str) -> FieldPath:
    """Return the path that a user wrote, as a JSON Pointer or dotted: `/metadata/crmKey` or `metadata.crmKey`.

    An element of a list may be `messages[0]` or `messages.0`. A key with a dot needs a pointer. Raises ValueError for
    anything ambiguous: a path that was misread would match nothing, and nobody would notice.
    """
    if text.startswith("/"):
        return parse_pointer(text)
    if "/" in text:
        raise ValueError(f"it contains slashes but does not begin with one; write /{text}, or use only dots")
    if not text.strip():
        raise ValueError("it is empty; write it like metadata.crmKey")
    keys = tuple(re.sub(r"\[([0-9]+|\*)\]", r".\1", text).split("."))
    if "" in keys:
        raise ValueError("it has a dot without a key next to it; write it like metadata.crmKey")
    return keys


def write_path(path: FieldPath) -> str:
    """Return a path as `parse_path` reads it: dotted, or as a JSON Pointer where a key has one of `./[`."""
    return to_pointer(path) if any(set(key) & {*"./["} or not key for key in path) else dotted(path)


def dotted(path: Sequence[str]) -> str:
    """Return a path as people write it: `model.temperature`, `model.messages[0].content`."""
    # The checks of a fleet name each field, and few of them are in a list.
    name = ".".join(path)
    if not _PLACE.search(name):
        return name
    first, *others = path
    return first + "".join(f"[{key}]" if _PLACE.fullmatch(key) else f".{key}" for key in others)


def covers(pattern: FieldPath, path: FieldPath) -> bool:
    """Return whether a pattern matches a path or something above it; `*` matches any one key."""
    return len(pattern) <= len(path) and meets(pattern, path)


def part_below(pattern: FieldPath, path: FieldPath) -> FieldPath | None:
    """Return the part of a pattern below a path, empty if it covers the path; None if it leads elsewhere."""
    return pattern[len(path) :] if covers(pattern[: len(path)], path) else None


def meets(pattern: FieldPath, path: FieldPath) -> bool:
    """Return whether a pattern matches a path, something above it, or something below it."""
    return all(part in ("*", key) for part, key in zip(pattern, path, strict=False))
