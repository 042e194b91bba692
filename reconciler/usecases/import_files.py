"""The files that an import writes: whether one may be written, what texts get files of their own, and the writing."""

import itertools
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reconciler.assistant.fields import may_hold_text
from reconciler.assistant.paths import FieldPath
from reconciler.assistant.texts import FORBIDDEN, TEXT_KEY, clean_text
from reconciler.core.definition import MAX_BYTES, Definition
from reconciler.core.tree import put_all, walk_leaves
from reconciler.errors import ReconcilerError
from reconciler.files.write import write_whole
from reconciler.yamltext.writer import write_definition

# From how many line ends or characters on a text is a long one.
_LINES = 2
_CHARACTERS = 200
_LONGEST_NAME = 80


def check_free(file: Path, assistant_id: str, *, force: bool) -> None:
    """Refuse to write where a file is, or one that differs in its ending alone; with `force` only the latter."""
    replace_hint = "rename that file, or pass --force to replace it"
    for existing, hint in ((file, replace_hint), (file.with_suffix(".yml"), "rename that file")):
        if existing.exists() and not (force and existing == file):
            raise ReconcilerError(f"{existing} exists, and nothing was written for {assistant_id}", hint=hint)


def check_texts(texts: Mapping[Path, str], assistant_id: str, root: Path, old: Definition | None) -> None:
    """Refuse to write over a text that is there, unless the definition that is replaced mentions it."""
    layers = old.layers if old is not None else ()
    old_texts = {(root / text.file).resolve() for layer in layers for text in layer.texts}
    for file in texts:
        if os.path.lexists(file) and file.resolve() not in old_texts:
            raise ReconcilerError(f"{file} exists, and nothing was written for {assistant_id}", hint="rename that file")


def divide_texts(fields: Mapping[str, Any], file: Path, *, enabled: bool) -> tuple[Mapping[str, Any], dict[Path, str]]:
    """Return a file's fields with `$file` instead of their long texts, and these with the files that take them."""
    references: list[tuple[FieldPath, Any]] = []
    texts: dict[Path, str] = {}
    for path, text in _find_long_texts(fields) if enabled else ():
        # Keys may hold anything, file names not; two that look alike get two files.
        name = re.sub(r"[^\w.-]+", "-", ".".join(path))[:_LONGEST_NAME].strip(".-") or "text"
        used_names = {text_file.name.casefold() for text_file in texts}
        names = itertools.chain([f"{name}.md"], (f"{name}-{number}.md" for number in itertools.count(2)))
        place = file.with_suffix("") / next(each for each in names if each.casefold() not in used_names)
        texts[place] = f"{text}\n"
        references.append((path, {TEXT_KEY: f"{file.stem}/{place.name}"}))
    return put_all(fields, references), texts


def _find_long_texts(value: Any) -> Iterator[tuple[FieldPath, str]]:
    """Yield the texts that are better read in a file of their own, and that such a file gives back to the letter."""
    for path, text in walk_leaves(value):
        if isinstance(text, str) and (text.count("\n") >= _LINES or len(text) > _CHARACTERS):
            keeps = clean_text(f"{text}\n") == text and not FORBIDDEN.search(text)
            if keeps and may_hold_text(path) and len(text.encode()) < MAX_BYTES:
                yield path, text


def write_files(texts: Mapping[Path, str], files: Mapping[Path, Mapping[str, Any]], assistant_id: str) -> None:
    """Write text files, then the YAML files of some fields. Raises ReconcilerError."""
    try:
        contents = {file: write_definition(fields) for file, fields in files.items()}
    except ValueError:
        raise ReconcilerError(
            f"{assistant_id} cannot be written as a definition: live is nested too deeply, or too large",
            hint="write the definition by hand, with the fields that git is to manage",
        ) from None
    # Texts first: an unused text file does no harm, but a definition without its text is invalid.
    for file, text in {**texts, **contents}.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReconcilerError(f"cannot be created: {error.strerror}", where=str(file.parent)) from error
        write_whole(file, text)
