"""The files that an import writes: a definition, or in an environment what makes a shared definition its own.

In an environment the id goes into the overlay; a file that environments share is written once and never
replaced.
"""

import dataclasses
import itertools
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reconciler.assistant.fields import may_hold_text
from reconciler.assistant.paths import FieldPath
from reconciler.assistant.texts import TEXT_KEY, text_of
from reconciler.core.definition import MAX_BYTES, SUFFIXES, Definition, InvalidDefinition, merge_layers
from reconciler.core.importing import Declared, Overlaid, declare, declare_over, leave_out_shared
from reconciler.core.settings import Settings
from reconciler.core.tree import merge_overlay, put_all
from reconciler.errors import DefinitionError, ReconcilerError
from reconciler.files.definitions import Loaded, load_defaults
from reconciler.files.write import write_whole
from reconciler.yamltext.writer import write_definition

# From how many line ends or characters on a text is a long one.
_LINES = 2
_CHARACTERS = 200
_LONGEST_NAME = 80
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    """The files that one import wrote, the one with the id last, and what they leave out.

    `texts` are the text files among them. `left` are fields that differ from what files of defaults say, and that no
    definition can put right, with the reason. `laid_over` is the file that others share, where only an overlay was
    written.
    """

    files: tuple[Path, ...]
    declared: Declared
    overlaid: Overlaid | None = None
    laid_over: str = ""
    texts: tuple[Path, ...] = ()
    left: tuple[tuple[FieldPath, str], ...] = ()


Entry = Definition | InvalidDefinition


@dataclasses.dataclass(frozen=True, slots=True)
class DefinitionFiles:
    """Without an environment: one file in the folder holds everything."""

    folder: Path
    settings: Settings
    root: Path
    text_files: bool

    def taken(self) -> Iterator[str]:
        """Yield the names of all files in the folder, whatever they hold: nothing says whose they are."""
        if self.folder.is_dir():
            yield from (file.stem for file in self.folder.iterdir() if file.suffix.lower() in SUFFIXES)

    def may_replace(self, entry: Entry) -> bool:
        """Return whether the file that has an id can be written anew: not where several have it."""
        return isinstance(entry, Definition) or entry.kind == "invalid"

    def write(self, assistant_id: str, live: Mapping[str, Any], key: str, own: Entry | None) -> Written:
        """Write the definition of one assistant; no other file is replaced."""
        declared = declare(assistant_id, live, self.settings)
        defaults = merge_layers(load_defaults(self.folder, key, root=self.root, settings=self.settings))
        held = leave_out_shared(declared.fields, defaults)
        # Where live lacks what the defaults say, only null or a difference that is named is true.
        more = declare_over(merge_overlay(defaults, _without_id(held)), assistant_id, live, self.settings)
        file = self.folder / f"{key}{_find_suffix(own)}"
        fields, texts = _divide_texts(merge_overlay(held, more.fields), file, enabled=self.text_files)
        if own is None:
            _check_free(file, assistant_id, force=False)
        _check_texts(texts, assistant_id, self.root, own)
        _write_all(texts, {file: _text(fields, assistant_id)})
        return Written((file,), declared, texts=(*texts,), left=more.left)


@dataclasses.dataclass(frozen=True, slots=True)
class OverlayFiles:
    """In an environment: its overlay holds the id and what differs from the definition that others share.

    `overlays` is the environment's folder, `loaded` are its definitions, and `shared` all there are, without
    any overlay.
    """

    folder: Path
    overlays: Path
    settings: Settings
    loaded: Loaded | None
    shared: Loaded | None
    root: Path
    force: bool
    text_files: bool

    def taken(self) -> Iterator[str]:
        """Yield the keys of what is a part of the environment already; a definition without an id waits for one."""
        yield from (entry.key for entry in _entries(self.loaded) if entry.id)

    def may_replace(self, entry: Entry) -> bool:
        """Return whether the file that has an id is an overlay: any other may serve other environments, too."""
        return isinstance(entry, Definition) and entry.overlay is not None and entry.overlay.file == entry.id_file

    def write(self, assistant_id: str, live: Mapping[str, Any], key: str, own: Entry | None) -> Written:
        """Write the overlay of one assistant, and the definition below it where there is none."""
        declared = declare(assistant_id, live, self.settings)
        overlay = self.overlays / f"{key}{_find_suffix(own)}"
        below = self._shared(key, own)
        shared = _without_id(below.own.fields) if below is not None else {}
        bare = dataclasses.replace(self.settings, overlay=None)
        if below is None:
            # Other environments have not the defaults of this one, so the file that they share must not lean on them.
            defaults = merge_layers(load_defaults(self.folder, key, root=self.root, settings=bare))
            shared = _without_id(leave_out_shared(declared.fields, defaults))
            if not shared:
                message = f"{assistant_id} has no field that a definition can hold, and nothing was written"
                raise DefinitionError(message)
        definition = self.folder / f"{key}.yaml"
        defaults = merge_layers(load_defaults(self.folder, key, root=self.root, settings=self.settings))
        overlaid = declare_over(merge_overlay(defaults, shared), assistant_id, live, self.settings)
        fields, texts = _divide_texts(overlaid.fields, overlay, enabled=self.text_files)
        files = {overlay: _text(fields, assistant_id)}
        if below is None:
            declared_there, shared_texts = _divide_texts(shared, definition, enabled=self.text_files)
            # In this order: without its overlay a definition is no part of the environment, and the next import
            # goes on from there. An overlay alone would be an error.
            files = {definition: _text(declared_there, assistant_id), **files}
            texts = {**shared_texts, **texts}
            _check_free(definition, assistant_id, force=False)
        _check_free(overlay, assistant_id, force=self.force)
        _check_texts(texts, assistant_id, self.root, own)
        _write_all(texts, files)
        if below is not None:
            return Written((overlay,), declared, overlaid, below.file, texts=(*texts,))
        return Written((*files,), declared, texts=(*texts,), left=overlaid.left)

    def _shared(self, key: str, own: Entry | None) -> Definition | None:
        """Return the definition of a key that others share, None where there is none yet."""
        for entry in _named(key, self.loaded):
            if entry.id and own is None:
                raise DefinitionError(
                    f"has the id {entry.id} in {self.settings.environment} already, and nothing was written",
                    where=entry.id_file if isinstance(entry, Definition) else entry.file,
                    hint="rename that definition, and its overlays with it",
                )
        for entry in _named(key, self.shared):
            if isinstance(entry, Definition):
                return entry
            raise DefinitionError(
                f"nothing can be merged on top of this definition: {entry.message}",
                where=entry.file,
                hint="correct it first, then import again",
            )
        return None


ImportFiles = DefinitionFiles | OverlayFiles


def _named(key: str, loaded: Loaded | None) -> list[Entry]:
    return [entry for entry in _entries(loaded) if entry.key == key]


def _entries(loaded: Loaded | None) -> list[Entry]:
    return [*loaded.definitions, *loaded.invalid] if loaded is not None else []


def _find_suffix(own: Entry | None) -> str:
    """Return the suffix of the file that an import writes: that of the one which it replaces."""
    if own is None:
        return ".yaml"
    return Path(own.id_file if isinstance(own, Definition) else own.file).suffix


def _check_free(file: Path, assistant_id: str, *, force: bool) -> None:
    """Refuse to write where a file is, or one that differs in its ending alone; with `force` only the latter."""
    replaced = "rename that file, or pass --force to replace it"
    for there, hint in ((file, replaced), (file.with_suffix(".yml"), "rename that file")):
        if there.exists() and not (force and there == file):
            raise ReconcilerError(f"{there} exists, and nothing was written for {assistant_id}", hint=hint)


def _without_id(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != "id"}


def _divide_texts(fields: Mapping[str, Any], file: Path, *, enabled: bool) -> tuple[Mapping[str, Any], dict[Path, str]]:
    """Return a file's fields with `$file` in place of their long texts, and these with the files that take them."""
    references: list[tuple[FieldPath, Any]] = []
    texts: dict[Path, str] = {}
    for path, text in _find_long_texts(fields) if enabled else ():
        # Keys may hold anything, file names not; two that look alike get two files.
        name = re.sub(r"[^\w.-]+", "-", ".".join(path))[:_LONGEST_NAME].strip(".-") or "text"
        taken = {one.name.casefold() for one in texts}
        names = itertools.chain([f"{name}.md"], (f"{name}-{number}.md" for number in itertools.count(2)))
        place = file.with_suffix("") / next(one for one in names if one.casefold() not in taken)
        texts[place] = f"{text}\n"
        references.append((path, {TEXT_KEY: f"{file.stem}/{place.name}"}))
    return put_all(fields, references), texts


def _find_long_texts(value: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, str]]:
    """Yield the texts that are better read in a file of their own, and that such a file gives back to the letter."""
    if isinstance(value, Mapping):
        for key, inside in value.items():
            yield from _find_long_texts(inside, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _find_long_texts(item, (*path, str(index)))
    elif isinstance(value, str) and (value.count("\n") >= _LINES or len(value) > _CHARACTERS):
        keeps = text_of(f"{value}\n") == value and not _HALF_CHARACTER.search(value)
        if keeps and may_hold_text(path) and len(value.encode()) < MAX_BYTES:
            yield path, value


def _check_texts(texts: Mapping[Path, str], assistant_id: str, root: Path, own: Entry | None) -> None:
    """Refuse to write over a text that is there, unless the definition that is replaced mentions it."""
    layers = own.layers if isinstance(own, Definition) else ()
    replaced = {(root / text.file).resolve() for layer in layers for text in layer.texts}
    for file in texts:
        if os.path.lexists(file) and file.resolve() not in replaced:
            raise ReconcilerError(f"{file} exists, and nothing was written for {assistant_id}", hint="rename that file")


def _write_all(texts: Mapping[Path, str], files: Mapping[Path, str]) -> None:
    """Write text files, then the files that mention them: a text that nobody mentions does no harm."""
    for file, text in {**texts, **files}.items():
        _write(file, text)


def _text(fields: Mapping[str, Any], assistant_id: str) -> str:
    try:
        return write_definition(fields)
    except ValueError:
        raise ReconcilerError(
            f"{assistant_id} cannot be written as a definition: live is nested too deeply, or too large",
            hint="write the definition by hand, with the fields that git is to manage",
        ) from None


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReconcilerError(f"cannot be created: {error.strerror}", where=str(file.parent)) from error
    write_whole(file, text)
