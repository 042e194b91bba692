"""Write definition files for live assistants. Each new file is in sync, and no existing file is lost."""

import dataclasses
import functools
import itertools
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.assistant.checks import check_definition
from reconciler.assistant.fields import may_hold_text
from reconciler.assistant.file_names import choose_stem, same_name
from reconciler.assistant.paths import FieldPath
from reconciler.assistant.texts import FORBIDDEN, TEXT_KEY, clean_text
from reconciler.core.canonical import normalize_live, use_line_feeds
from reconciler.core.definition import MAX_BYTES, SUFFIXES, Definition, InvalidDefinition, drop_id, merge_layers
from reconciler.core.importing import NewDefinition, NewOverlay, build_definition, build_overlay, leave_out_shared
from reconciler.core.ports import Assistants
from reconciler.core.settings import Settings
from reconciler.core.tree import merge_overlay, put_all, walk_leaves
from reconciler.dataclass import dataclass
from reconciler.errors import DefinitionError, ReconcilerError, SettingsError
from reconciler.files.definitions import load, load_defaults
from reconciler.files.folders import locate_overlays, repository_root, shown_path
from reconciler.files.write import rewrite, write_whole
from reconciler.usecases.project.environments import drop_missing_overlay
from reconciler.yamltext.writer import write_definition

# A text with this many line ends, or more characters than this, is long.
_LINES = 2
_CHARACTERS = 200
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Import:
    """The result of one id: the files that were written, the file that has it already, or why there is none."""

    assistant_id: str
    files: tuple[Path, ...] = ()  # the one with the id last
    texts: tuple[Path, ...] = ()  # the text files that they use
    definition_file: str = ""  # the file that others share, where only an overlay was written
    declared: NewDefinition = NewDefinition({})
    overlaid: NewOverlay = NewOverlay({})  # on top of the defaults and the definition
    existing: str | None = None
    error: ReconcilerError | None = None


@dataclass()
class Importer:
    """Imports one assistant after another. Raises SettingsError for an environment without a folder for overlays."""

    api: Assistants
    folder: Path
    settings: Settings
    force: bool = False
    text_files: bool = False  # long texts get files of their own

    def __post_init__(self) -> None:
        self._root = repository_root(self.folder)
        self._overlays = self._find_overlays()
        self._existing = self._load_existing(drop_missing_overlay(self.settings, self.folder))
        entries = [entry for entry in self._existing if entry.id]
        self._files = {entry.id: entry.id_file for entry in entries}
        self._replaceable = {entry.id: entry for entry in entries if self.force and self._may_replace(entry)}
        if self._overlays is not None:
            # The overlays have the ids. A definition without an id gets one.
            used_stems = [entry.key for entry in entries]
            bare = dataclasses.replace(self.settings, overlay=None)
            self._shared = {each.key: each for each in self._load_existing(bare, without_ids=True)}
        else:
            self._shared = {}
            # An existing file could belong to any assistant.
            existing = self.folder.iterdir() if self.folder.is_dir() else ()
            used_stems = [file.stem for file in existing if file.suffix.lower() in SUFFIXES]
        self._stems = set(map(same_name, used_stems))

    def list_ids(self) -> Sequence[str] | None:
        """Return the ids of all assistants, or None if the API does not list them. Raises ApiError."""
        assistants = self.api.list_assistants()
        return None if assistants is None else [assistant["id"] for assistant in assistants]

    def import_one(self, assistant_id: str) -> Import:
        """Write the definition of one assistant. An existing one is written again only if forced."""
        if self._is_defined(assistant_id):
            return Import(assistant_id, existing=self._files[assistant_id])
        # The id is checked before it becomes part of a URL.
        for problem in check_definition({"id": assistant_id}):
            return Import(assistant_id, error=ReconcilerError(problem.message))
        try:
            live = normalize_live(self.api.get(assistant_id), {}, self.settings)
            if self.settings.line_endings == "any":
                live = use_line_feeds(live)
            # The definition may have the assistant's other id.
            if self._is_defined(live["id"]):
                return Import(assistant_id, existing=self._files[live["id"]])
            old = self._replaceable.get(assistant_id) or self._replaceable.get(live["id"])
            key = old.key if old is not None else choose_stem(live.get("name"), assistant_id, self._stems)
            self._stems.add(same_name(key))
            result = self._write(assistant_id, live, key, old)
        except ReconcilerError as error:
            return Import(assistant_id, error=error)
        for name in (assistant_id, live["id"]):
            self._files[name] = str(result.files[-1])
            # Files that this run wrote are up to date.
            self._replaceable.pop(name, None)
        return result

    def _is_defined(self, assistant_id: str) -> bool:
        return assistant_id in self._files and assistant_id not in self._replaceable

    def _load_existing(self, settings: Settings, *, without_ids: bool = False) -> list[Definition]:
        try:
            loaded = load(self.folder, (), root=self._root, settings=settings, without_ids=without_ids)
        except DefinitionError:
            return []  # the first import creates the folder
        # If several have one id, the valid one counts, so it comes last.
        return [*loaded.invalid, *loaded.definitions]

    def _find_overlays(self) -> Path | None:
        """Return the folder of the environment's overlays, None without an environment."""
        environment = self.settings.environment
        if environment is None:
            return None
        overlays = locate_overlays(self.folder, self.settings)
        if overlays is None:
            hint = f"add one in reconciler.yaml: overlay: environments/{environment}"
            raise SettingsError(f"the environment {environment} has no overlay folder for the ids", hint=hint)
        return overlays if self.folder.is_absolute() else Path(shown_path(overlays, Path.cwd()))

    def _may_replace(self, entry: Definition) -> bool:
        """Return whether the file that has an id can be written again: only this assistant uses it."""
        if self._overlays is None:
            return not isinstance(entry, InvalidDefinition) or entry.kind == "invalid"
        # Any file but the overlay may serve other environments, too.
        return entry.overlay is not None and entry.overlay.file == entry.id_file

    def _write(self, assistant_id: str, live: Mapping[str, Any], key: str, old: Definition | None) -> Import:
        """Write what an assistant lacks: a definition with its id, or in an environment an overlay with the id.

        The overlay contains the differences from its definition, which is written as well if there is none.
        """
        declared, definition = build_definition(assistant_id, live, self.settings), self._find_shared(key, old)
        own_fields, overlaid = self._divide_fields(declared, live, key, definition)
        suffix = Path(old.id_file).suffix if old is not None else ".yaml"
        file = (self._overlays or self.folder) / f"{key}{suffix}"
        files: dict[Path, Mapping[str, Any]] = {file: overlaid.fields}
        if self._overlays is None:
            files[file] = merge_overlay({"id": assistant_id, **own_fields}, overlaid.fields)
        elif definition is None:
            if not own_fields:
                raise DefinitionError(f"{assistant_id} has no field that a definition can contain; nothing was written")
            # The definition comes first. Without its overlay it does no harm, but an overlay alone is an error.
            files = {self.folder / f"{key}.yaml": own_fields, **files}
        texts: dict[Path, str] = {}
        is_replaced = old is not None if self._overlays is None else self.force
        replaced = {each for each in files if os.path.lexists(each)}
        for each in files:
            _check_free(each, assistant_id, force=is_replaced and each == file)
            files[each], own_texts = _divide_texts(files[each], each, enabled=self.text_files)
            texts |= own_texts
        replaced |= {each for each in texts if os.path.lexists(each)}
        _check_texts(texts, assistant_id, self._root, old)
        _write_files(texts, files, assistant_id, replaced)
        shared_file = definition.file if definition is not None else ""
        return Import(assistant_id, (*files,), (*texts,), shared_file, declared, overlaid)

    def _divide_fields(
        self, declared: NewDefinition, live: Mapping[str, Any], key: str, definition: Definition | None
    ) -> tuple[Mapping[str, Any], NewOverlay]:
        """Return the fields of a new definition, which has no id yet, and the overlay on top of it or of an old one."""
        load = functools.partial(load_defaults, self.folder, key, root=self._root)
        layers = [*load(settings=self.settings), *([definition.own_layer] if definition is not None else [])]
        shared, own_fields = drop_id(merge_layers(layers)), dict[str, Any]()
        if definition is None:
            # All environments share this file, so it must not rely on the defaults of one of them.
            for_all = merge_layers(load(settings=dataclasses.replace(self.settings, overlay=None)))
            own_fields = drop_id(leave_out_shared(declared.fields, for_all))
            shared = merge_overlay(shared, own_fields)
        # Where live lacks a value of the defaults, the new file says null, or the report names the difference.
        return own_fields, build_overlay(shared, declared.fields["id"], live, self.settings, layers)

    def _find_shared(self, key: str, old: Definition | None) -> Definition | None:
        """Return the definition of a key that environments share, None if there is none yet."""
        existing = [each for each in self._existing if each.key == key and each.id]
        if existing and old is None:
            message = f"has the id {existing[0].id} in {self.settings.environment} already; nothing was written"
            hint = "rename that definition, and its overlays with it"
            raise DefinitionError(message, where=existing[0].id_file, hint=hint)
        shared = self._shared.get(key)
        if isinstance(shared, InvalidDefinition):
            message = f"nothing can be merged on top of this definition: {shared.message}"
            hint = "correct it first, then import again"
            raise DefinitionError(message, where=shared.file, hint=hint)
        return shared


def _check_free(file: Path, assistant_id: str, *, force: bool) -> None:
    """Refuse to write over a file, or beside one that differs only in its suffix; with `force`, only the latter."""
    replace_hint = "rename that file, or pass --force to replace it"
    for existing, hint in ((file, replace_hint), (file.with_suffix(".yml"), "rename that file")):
        if existing.exists() and not (force and existing == file):
            raise ReconcilerError(f"{existing} exists, and nothing was written for {assistant_id}", hint=hint)


def _check_texts(texts: Mapping[Path, str], assistant_id: str, root: Path, old: Definition | None) -> None:
    """Refuse to write over an existing text file, unless the definition that is replaced uses it."""
    layers = old.layers if old is not None else ()
    old_texts = {(root / text.file).resolve() for layer in layers for text in layer.texts}
    for file in texts:
        if os.path.lexists(file) and file.resolve() not in old_texts:
            raise ReconcilerError(f"{file} exists, and nothing was written for {assistant_id}", hint="rename that file")


def _divide_texts(fields: Mapping[str, Any], file: Path, *, enabled: bool) -> tuple[Mapping[str, Any], dict[Path, str]]:
    """Return a file's fields with `$file` instead of their long texts, and these with the files that take them."""
    references: list[tuple[FieldPath, Any]] = []
    texts: dict[Path, str] = {}
    for path, text in _find_long_texts(fields) if enabled else ():
        # A key may contain any character, a file name may not. Keys that look alike get different files.
        name = re.sub(r"[^\w.-]+", "-", ".".join(path))[:_LONGEST_NAME].strip(".-") or "text"
        used_names = {text_file.name.casefold() for text_file in texts}
        names = itertools.chain([f"{name}.md"], (f"{name}-{number}.md" for number in itertools.count(2)))
        place = file.with_suffix("") / next(each for each in names if each.casefold() not in used_names)
        texts[place] = f"{text}\n"
        references.append((path, {TEXT_KEY: f"{file.stem}/{place.name}"}))
    return put_all(fields, references), texts


def _find_long_texts(value: Any) -> Iterator[tuple[FieldPath, str]]:
    """Yield the texts that are easier to read in separate files, and that such a file represents exactly."""
    for path, text in walk_leaves(value):
        if isinstance(text, str) and (text.count("\n") >= _LINES or len(text) > _CHARACTERS):
            keeps = clean_text(f"{text}\n") == text and not re.search(FORBIDDEN, text)
            if keeps and may_hold_text(path) and len(text.encode()) < MAX_BYTES:
                yield path, text


def _write_files(
    texts: Mapping[Path, str], files: Mapping[Path, Mapping[str, Any]], assistant_id: str, replaced: Collection[Path]
) -> None:
    """Write text files, then the YAML files of some fields. Raises ReconcilerError."""
    try:
        contents = {file: write_definition(fields) for file, fields in files.items()}
    except ValueError:
        message = f"{assistant_id} cannot be written as a definition: live is nested too deeply, or too large"
        hint = "write the definition by hand, with the fields that git is to manage"
        raise ReconcilerError(message, hint=hint) from None
    # Texts first: an unused text file does no harm, but a definition without its text is invalid.
    for file, text in {**texts, **contents}.items():
        if file in replaced:
            write_whole(file, text)
        else:
            # It was free, but another import may have chosen the same name meanwhile.
            rewrite(file, "", text)
