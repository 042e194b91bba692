"""Write definition files for live assistants: each is in sync at once, and nothing that exists is lost."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from reconciler.assistant.checks import check_definition
from reconciler.assistant.file_names import file_stem, same_name
from reconciler.core.canonical import see_live, use_line_feeds
from reconciler.core.definition import Definition, InvalidDefinition
from reconciler.core.importing import Declared
from reconciler.core.ports import Assistants
from reconciler.core.settings import Settings
from reconciler.errors import ReconcilerError, SettingsError
from reconciler.files.definitions import Loaded
from reconciler.files.folders import repository_root, shown_path
from reconciler.usecases.import_files import DefinitionFiles, ImportFiles, OverlayFiles, Written


@dataclasses.dataclass(frozen=True, slots=True)
class Import:
    """What became of one id: what was written, the file that has it already, or why there is none."""

    assistant_id: str
    written: Written | None = None
    existing: str | None = None
    error: ReconcilerError | None = None

    @property
    def file(self) -> Path | None:
        """The file that has the id now."""
        return self.written.files[-1] if self.written is not None else None

    @property
    def declared(self) -> Declared | None:
        """What of live definitions can declare, and what not."""
        return self.written.declared if self.written is not None else None


@dataclasses.dataclass
class Importer:
    """Imports one assistant after another into a folder; `loaded` are the definitions that are there already.

    In an environment the ids go into its overlay, and `shared` are the definitions without any. `text_files` says that
    long texts get files of their own. Raises SettingsError for an environment that has no folder for overlays.
    """

    api: Assistants
    folder: Path
    settings: Settings
    loaded: Loaded | None
    force: bool = False
    shared: Loaded | None = None
    text_files: bool = False

    def __post_init__(self) -> None:
        self._files: dict[str, str] = {}
        self._own: dict[str, Definition | InvalidDefinition] = {}
        self._writer = self._chosen()
        self._stems = {same_name(stem) for stem in self._writer.taken()}
        if self.loaded is not None:
            entries: list[Definition | InvalidDefinition] = [*self.loaded.invalid, *self.loaded.definitions]
            named = {entry.id: entry for entry in entries if entry.id is not None}
            self._files = {
                name: entry.id_file if isinstance(entry, Definition) else entry.file for name, entry in named.items()
            }
            if self.force:
                self._own = {name: entry for name, entry in named.items() if self._writer.may_replace(entry)}

    def all_ids(self) -> Sequence[str] | None:
        """Return the ids of all assistants, or None where the API does not list them. Raises ApiError."""
        listed = self.api.list_assistants()
        return None if listed is None else [assistant["id"] for assistant in listed]

    def one(self, assistant_id: str) -> Import:
        """Write the definition of one assistant, unless a definition has it already; forced, that one anew."""
        existing = self._find_existing(assistant_id)
        if existing is not None:
            return existing
        for fault in check_definition({"id": assistant_id}):
            return Import(assistant_id, error=ReconcilerError(fault.message))
        try:
            live = see_live(self.api.get(assistant_id), {}, self.settings)
            if self.settings.line_endings == "any":
                live = use_line_feeds(live)
            if existing := self._find_existing(live["id"]):
                return existing
            own = self._own.get(assistant_id) or self._own.get(live["id"])
            name = own.key if own is not None else self._stem(assistant_id, live.get("name"))
            written = self._writer.write(assistant_id, live, name, own)
        except ReconcilerError as error:
            return Import(assistant_id, error=error)
        for known in (assistant_id, live["id"]):
            self._files[known] = str(written.files[-1])
            # What this run has written it has written from today's live.
            self._own.pop(known, None)
        return Import(assistant_id, written)

    def _find_existing(self, assistant_id: str) -> Import | None:
        """Return the definition that has an id, None where there is none, or where it is to be written anew."""
        if assistant_id in self._own or assistant_id not in self._files:
            return None
        return Import(assistant_id, existing=self._files[assistant_id])

    def _stem(self, assistant_id: str, name: object) -> str:
        stem = file_stem(name if isinstance(name, str) else None, assistant_id, self._stems)
        self._stems.add(same_name(stem))
        return stem

    def _chosen(self) -> ImportFiles:
        root = repository_root(self.folder)
        if self.settings.environment is None:
            return DefinitionFiles(self.folder, self.settings, root, self.text_files)
        if self.settings.overlay is None:
            raise SettingsError(
                f"the environment {self.settings.environment} has no overlay folder for the ids",
                hint=f"give it one in reconciler.yaml: overlay: environments/{self.settings.environment}",
            )
        overlays = self.folder.resolve().parent / self.settings.overlay
        if not self.folder.is_absolute():
            overlays = Path(shown_path(overlays, Path.cwd()))
        return OverlayFiles(
            self.folder, overlays, self.settings, self.loaded, self.shared, root, self.force, self.text_files
        )
