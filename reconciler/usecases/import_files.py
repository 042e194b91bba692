"""The files that an import writes: a definition, or in an environment what makes a shared definition its own.

In an environment the id goes into the overlay; a file that environments share is written once and never
replaced.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from reconciler.core.definition import Definition, InvalidDefinition
from reconciler.core.importing import Declared, Overlaid, declare, declare_over
from reconciler.core.settings import Settings
from reconciler.errors import DefinitionError, ReconcilerError
from reconciler.files.definitions import Loaded
from reconciler.files.write import write_whole
from reconciler.yamltext.writer import write_definition


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    """The files that one import wrote, the one with the id last, and what they leave out.

    `laid_over` is the file that others share, where only an overlay was written.
    """

    files: tuple[Path, ...]
    declared: Declared
    overlaid: Overlaid | None = None
    laid_over: str = ""


class ImportFiles(Protocol):
    """What an import writes for a live assistant."""

    def write(self, assistant_id: str, live: Mapping[str, Any], stem: str) -> Written:
        """Write the files of one assistant, which are named `stem`. Raises ReconcilerError where they cannot be."""


@dataclasses.dataclass(frozen=True, slots=True)
class DefinitionFiles:
    """Without an environment: one file in the folder holds everything."""

    folder: Path
    settings: Settings
    force: bool

    def write(self, assistant_id: str, live: Mapping[str, Any], stem: str) -> Written:
        """Write the definition of one assistant, unless another file has its name."""
        declared = declare(assistant_id, live, self.settings)
        file = self.folder / f"{stem}.yaml"
        _check_free(file, assistant_id, force=self.force)
        _write(file, _text(declared.fields, assistant_id))
        return Written((file,), declared)


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
    force: bool

    def write(self, assistant_id: str, live: Mapping[str, Any], stem: str) -> Written:
        """Write the overlay of one assistant, and the definition below it where there is none."""
        declared = declare(assistant_id, live, self.settings)
        overlay = self.overlays / f"{stem}.yaml"
        below = self._shared(stem)
        if below is not None:
            overlaid = declare_over(below.declared, assistant_id, live, self.settings)
            text = _text(overlaid.fields, assistant_id)
            _check_free(overlay, assistant_id, force=self.force)
            _write(overlay, text)
            return Written((overlay,), declared, overlaid, below.file)
        definition = self.folder / f"{stem}.yaml"
        fields = {key: value for key, value in declared.fields.items() if key != "id"}
        if not fields:
            raise DefinitionError(f"{assistant_id} has no field that a definition can hold, and nothing was written")
        texts = _text(fields, assistant_id), _text({"id": assistant_id}, assistant_id)
        _check_free(definition, assistant_id, force=False)
        _check_free(overlay, assistant_id, force=self.force)
        # In this order: without its overlay a definition is no part of the environment, and the next import
        # goes on from there. An overlay alone would be an error.
        _write(definition, texts[0])
        _write(overlay, texts[1])
        return Written((definition, overlay), declared)

    def _shared(self, stem: str) -> Definition | None:
        """Return the definition of a name that others share, None where there is none yet."""
        for entry in _named(stem, self.loaded):
            if entry.id:
                raise DefinitionError(
                    f"has the id {entry.id} in {self.settings.environment} already, and nothing was written",
                    where=entry.id_file if isinstance(entry, Definition) else entry.file,
                    hint="rename that definition, and its overlays with it",
                )
        for entry in _named(stem, self.shared):
            if isinstance(entry, Definition):
                return entry
            raise DefinitionError(
                f"nothing can be laid over this definition: {entry.message}",
                where=entry.file,
                hint="correct it first, then import again",
            )
        return None


def _named(stem: str, loaded: Loaded | None) -> list[Definition | InvalidDefinition]:
    if loaded is None:
        return []
    found: list[Definition | InvalidDefinition] = [*loaded.definitions, *loaded.invalid]
    return [entry for entry in found if entry.key == stem]


def _check_free(file: Path, assistant_id: str, *, force: bool) -> None:
    """Refuse to write where a file is, or one that differs in its ending alone; with `force` only the latter."""
    replaced = "rename that file, or give --force to replace it"
    for there, hint in ((file, replaced), (file.with_suffix(".yml"), "rename that file")):
        if there.exists() and not (force and there == file):
            raise ReconcilerError(f"{there} exists, and nothing was written for {assistant_id}", hint=hint)


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
