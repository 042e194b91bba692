"""Write definition files for live assistants: each is in sync at once, and nothing that exists is lost."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from reconciler.adapters.api import AssistantsApi
from reconciler.adapters.definitions import Loaded
from reconciler.adapters.files import write_whole
from reconciler.adapters.yaml_writer import write_definition
from reconciler.core.assistant import find_faults
from reconciler.core.definition import Definition, InvalidDefinition
from reconciler.core.file_names import file_stem
from reconciler.core.importing import Declared, declare
from reconciler.core.settings import Settings
from reconciler.errors import ReconcilerError


@dataclasses.dataclass(frozen=True, slots=True)
class Import:
    """What became of one id: the file that was written, the one that has it already, or why there is none."""

    assistant_id: str
    file: Path | None = None
    declared: Declared | None = None
    existing: str | None = None
    error: ReconcilerError | None = None


@dataclasses.dataclass
class Importer:
    """Imports one assistant after another into a folder; `loaded` are the definitions that are there already."""

    api: AssistantsApi
    folder: Path
    settings: Settings
    loaded: Loaded | None
    force: bool = False

    def __post_init__(self) -> None:
        found: list[Definition | InvalidDefinition] = []
        if self.loaded is not None:
            found = [*self.loaded.definitions, *self.loaded.invalid]
        self._files: dict[str, str] = {entry.id: entry.file for entry in found if entry.id is not None}
        self._stems: set[str] = set()

    def all_ids(self) -> Sequence[str] | None:
        """Return the ids of all assistants, or None where the API does not list them. Raises ApiError."""
        listed = self.api.list_assistants()
        return None if listed is None else [assistant["id"] for assistant in listed]

    def one(self, assistant_id: str) -> Import:
        """Write the definition of one assistant, unless a definition has it already, or the file is there."""
        if assistant_id in self._files:
            return Import(assistant_id, existing=self._files[assistant_id])
        for fault in find_faults({"id": assistant_id}):
            return Import(assistant_id, error=ReconcilerError(fault.message))
        try:
            live = self.api.get(assistant_id)
            if live["id"] in self._files:
                return Import(assistant_id, existing=self._files[live["id"]])
            declared = declare(assistant_id, live, self.settings)
            file = self._write(assistant_id, declared)
        except ReconcilerError as error:
            return Import(assistant_id, error=error)
        for name in (assistant_id, live["id"]):
            self._files[name] = str(file)
        return Import(assistant_id, file, declared)

    def _write(self, assistant_id: str, declared: Declared) -> Path:
        name = declared.fields.get("name")
        stem = file_stem(name if isinstance(name, str) else None, assistant_id, self._stems)
        self._stems.add(stem)
        file = self.folder / f"{stem}.yaml"
        for there in (file, file.with_suffix(".yml")):
            if there.exists() and not (self.force and there == file):
                raise ReconcilerError(
                    f"{there} exists, and nothing was written for {assistant_id}",
                    hint="rename that file, or give --force to replace it",
                )
        try:
            text = write_definition(declared.fields)
        except ValueError:
            raise ReconcilerError(
                f"{assistant_id} cannot be written as a definition: live is nested too deeply",
                hint="write the definition by hand, with the fields that git is to manage",
            ) from None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReconcilerError(f"cannot be created: {error.strerror}", where=str(self.folder)) from error
        write_whole(file, text)
        return file
