"""The layers of definitions in a commit: defaults and text files are read once, and merged like today's."""

import contextlib
import functools
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.assistant.texts import TEXT_KEY, clean_text, find_references, resolve_reference
from reconciler.core.definition import SUFFIXES, Definition, defaults_above, get_shared, is_defaults_file, path_in
from reconciler.core.tree import merge_overlay, put_all
from reconciler.git.objects import Blob
from reconciler.git.repository import Repository
from reconciler.yamltext.nodes import UnreadableText
from reconciler.yamltext.reader import read_yaml

# The files of one definition with their objects, the lowest layer first.
Layers = Mapping[str, Blob]


def parse_definition(content: bytes | None) -> dict[str, Any] | None:
    """Return the fields in a file, None if it cannot be read as fields."""
    try:
        # Layout that is rejected today still shows what was applied then.
        document = read_yaml((content or b"").decode("utf-8-sig"), checks_layout=False)
    except (UnicodeDecodeError, UnreadableText):
        return None
    return document if isinstance(document, dict) else None


def parse_file(file: str, content: bytes) -> dict[str, Any] | str | None:
    """Return what one file declares: fields, None if it cannot be read as fields, or the text of a text file."""
    return parse_definition(content) if file.endswith(SUFFIXES) else clean_text(content.decode("utf-8", "replace"))


# A thousand definitions may take one text, which is hashed once.
@functools.lru_cache(maxsize=16_384)
def object_name(text: str, length: int) -> str:
    """Return the name of `length` digits that git gives to a file of this text: SHA-1's or SHA-256's."""
    content = text.encode("utf-8", "surrogatepass")
    header = b"blob %d\0" % len(content)
    return (hashlib.sha256 if length == 64 else hashlib.sha1)(header + content, usedforsecurity=False).hexdigest()


class CommitLayers:
    """One commit's files as layers of definitions; a file with today's content (`current`) is not parsed again."""

    def __init__(self, repository: Repository, commit: str, current: Sequence[Definition] = ()) -> None:
        self._repository = repository
        self._commit = commit
        self._current = current
        # Many definitions have the same defaults and mention the same texts: each is looked up and read once.
        self._find = functools.cache(lambda path: repository.files(commit, path).get(path))
        self._parse = functools.cache(self._read_fields)
        self._read_text = functools.cache(self._read_text_file)

    @functools.cached_property
    def _today(self) -> dict[str, Mapping[str, Any]]:
        """The content of today's files, by the name of the object that each would be."""
        # Where a shared value has changed, most definitions are still, word for word, what they were.
        layers = (layer for definition in self._current for layer in definition.layers if layer.kind != "defaults")
        return {object_name(layer.text, len(self._commit)): layer.as_written for layer in layers}

    def find_defaults(self, folders: Sequence[str], key: str) -> Layers:
        """Return the defaults of a definition in some folders, the lowest first."""
        paths = [path_in(folder, name) for folder in folders for name in defaults_above(key)]
        return {path: blob for path in paths if (blob := self._find(path)) is not None}

    def has_texts_of(self, definition: Definition, files: Layers) -> bool:
        """Return whether this commit has the text files of today's definition, whose layers it has."""
        texts = [text for layer in definition.layers for text in layer.texts]
        # From another place the same words may name other files.
        if texts and [*files] != [layer.file for layer in definition.layers]:
            return False
        blobs = ((self._find(text.file), object_name(text.content, len(self._commit))) for text in texts)
        return all(blob is not None and blob.name == name for blob, name in blobs)

    def merge(self, files: Layers) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
        """Return a definition of all its layers (None if one cannot be read), and its files."""
        merged: Any = {}
        names: list[str] = []
        # One file that cannot be read makes the whole definition unknown: half of it would read as fields released.
        for file, blob in files.items():
            layer = self._parse(file, blob)
            texts = {path: self._text(mention, file) for path, mention in find_references(layer)}
            if layer is None or None in texts.values():
                return None, ()
            texts_read = [(path, text) for path, text in texts.items() if text is not None]
            merged = merge_overlay(merged, put_all(layer, [(path, text) for path, (_, text) in texts_read]))
            names += [file, *(name for _, (name, _) in texts_read)]
        return dict(merged), tuple(names)

    def _read_fields(self, file: str, blob: Blob) -> Mapping[str, Any] | None:
        fields = self._today.get(blob.name) or parse_definition(self._repository.read(file, blob))
        return get_shared(fields) if fields is not None and is_defaults_file(file) else fields

    def _text(self, mention: Mapping[str, Any], file: str) -> tuple[str, str] | None:
        """Return the text file that a file mentions, and its text; None if this commit does not have it."""
        reference = mention[TEXT_KEY]
        return self._read_text(resolve_reference(reference, file)) if isinstance(reference, str) else None

    def _read_text_file(self, name: str) -> tuple[str, str] | None:
        blob = self._find(name)
        content = self._repository.read(name, blob) if blob is not None else None
        with contextlib.suppress(UnicodeDecodeError):
            return (name, clean_text(content.decode("utf-8"))) if content is not None else None
        return None
