"""Definitions as they are in a commit: read from git's objects, never from a checkout.

They are parsed but not validated, since they were applied once. They contain the texts of that commit, and
in an environment its overlays are merged on top, as the settings of that commit say.
"""

import dataclasses
import functools
import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from reconciler.core.base import Entries, Entry
from reconciler.core.definition import (
    NEW,
    SUFFIXES,
    Definition,
    drop_id,
    is_defaults_file,
    is_definition_file,
    key_of,
    path_in,
)
from reconciler.core.settings import FILE_NAME
from reconciler.dataclass import dataclass
from reconciler.errors import RepositoryError
from reconciler.git.commit_layers import CommitLayers, Layers, object_name
from reconciler.git.objects import Blob
from reconciler.git.repository import Repository
from reconciler.yamltext.reader import read_tolerantly

Files = Mapping[str, Blob]


@dataclass(frozen=True)
class Snapshot:
    """The definitions of one commit below a folder, in one environment. Every method may raise RepositoryError.

    A file with today's content (`current`) is not parsed again. A file that cannot be read causes a warning, and its
    assistant has no base.
    """

    repository: Repository
    commit: str
    folder: str
    environment: str | None
    current: Sequence[Definition] = ()

    def read(self, keys: Collection[str] | None = None) -> Entries:
        """Return the definitions below the folder; with `keys` only those."""
        # This history lacks the content of a submodule, so its definitions would look removed.
        if keys is None and (hidden := self.repository.submodules(self.commit, self.folder)):
            raise RepositoryError(
                f"{hidden[0]} of the commit {self.commit[:12]} is a submodule, so the definitions in it are not part "
                "of this repository's history",
                hint="keep the definitions in this repository, or run reconciler inside the submodule",
            )
        return self.read_layers(self.find_layers(self.folder, keys))

    def read_base(self, *, still_there: Callable[[Entry], bool]) -> Entries:
        """Return the definitions below the folder, and those of today's that were elsewhere then.

        `still_there` tells whether the file of an entry is there today and still that assistant's: it has not moved
        then, and is no other definition's history.
        """
        entries = self.read()
        by_file = dict(entries.by_file)
        warnings = list(entries.warnings)
        ids = {entry.id for entry in by_file.values()}
        # A definition keeps its history by its id, wherever its file was; one that said `id: new` then, by its path.
        known = {path for path, entry in by_file.items() if entry.id == NEW}
        missing = {each.id: each.key for each in self.current if each.id not in {"", *ids} and each.file not in known}
        others = self.find_mentioned(missing).by_file
        moved = {path: entry for path, entry in others.items() if path not in by_file and not still_there(entry)}
        # If the whole folder was renamed, what was in it and is nowhere now is gone.
        if not any(is_definition_file(path, self.folder) for path in self._files):
            for folder in _find_earlier_folders(moved.values(), missing):
                earlier = dataclasses.replace(self, folder=folder).read()
                warnings += earlier.warnings
                moved |= {path: entry for path, entry in earlier.by_file.items() if not still_there(entry)}
        by_file |= moved
        # If the environment is new or renamed, nothing distinguishes its live edits from changes in git.
        has_missing = bool(missing.keys() - {entry.id for entry in by_file.values()})
        if self.environment is not None and not self.settings_folders and has_missing:
            warnings.append(
                f"{FILE_NAME} of commit {self.commit[:12]} has no environment {self.environment}, or cannot be read, "
                "so an assistant whose id is only in an overlay has no base: its live edits look like changes in git"
            )
        return Entries(by_file, tuple(warnings))

    def read_everything(self) -> Entries:
        """Return all definitions of the commit, in whatever folder: the entries of a record of the older form."""
        layers = self._find_all_layers()
        return self.read_layers(
            {path: files for path, files in layers.items() if not self.is_overlay(path)}, warn=False
        )

    def find_unchanged(self) -> dict[str, Definition]:
        """Return today's definitions that the commit declares with the same files, by path. Parses none."""
        layers = self.find_layers(self.folder, {definition.key for definition in self.current})
        unchanged = {path: self.find_same(files) for path, files in layers.items()}
        return {path: same for path, same in unchanged.items() if same is not None and same.file == path}

    @functools.cached_property
    def layers(self) -> CommitLayers:
        """The files of this commit as layers of definitions."""
        return CommitLayers(self.repository, self.commit, self.current)

    @functools.cached_property
    def _files(self) -> Files:
        return self.repository.files(self.commit)

    def find_layers(self, folder: str, keys: Collection[str] | None) -> dict[str, Layers]:
        """Return the files of each definition below a folder, the lowest layer first; with `keys` only those."""
        parent = posixpath.dirname(folder)
        overlay_folder = self.overlay_folders(parent).get(self.environment or "")
        overlay_files = self._definition_files(overlay_folder, keys) if overlay_folder is not None else ()
        overlays = {key: {path: blob} for key, path, blob in overlay_files}
        shared = [folder, *([overlay_folder] if overlay_folder is not None else [])]
        return {
            path: {**self.layers.find_defaults(shared, key), path: blob, **overlays.get(key, {})}
            for key, path, blob in self._definition_files(folder, keys)
        }

    def _definition_files(self, folder: str, keys: Collection[str] | None) -> Iterator[tuple[str, str, Blob]]:
        """Yield the keys of the definitions below a folder, each with its file; with `keys` only those."""
        files = self.repository.files(self.commit, folder)
        paths = [path_in(folder, key + suffix) for key in keys for suffix in SUFFIXES] if keys is not None else files
        for path in sorted(paths):
            if path in files and is_definition_file(path, folder):
                yield key_of(path, folder), path, files[path]

    def read_layers(self, layers: Mapping[str, Layers], *, warn: bool = True) -> Entries:
        """Return the entries of some files; without `warn`, a file that is not a definition is skipped."""
        entries: dict[str, Entry] = {}
        warnings: list[str] = []
        without_id = {definition.file for definition in self.current if not definition.id}
        for path, files in layers.items():
            if (same := self.find_same(files)) is not None:
                # Two files that say `id: new` may be one object.
                entries[path] = Entry(NEW if same.says_new else same.id, path, same.declared, (*same.contents,))
                continue
            document, names = self.layers.merge(files)
            # A definition that is about to be created has no id in the commit either.
            name = document.get("id", "" if path in without_id else None) if document is not None else None
            if document is not None and isinstance(name, str):
                entries[path] = Entry(name, path, drop_id(document), names)
            # In an environment, a definition without an id is simply not part of it.
            elif warn and (document is None or self.environment is None or "id" in document):
                warnings.append(
                    f"{path} of commit {self.commit[:12]} cannot be read as a definition, so its assistant has no base"
                )
        return Entries(entries, tuple(warnings))

    def find_same(self, files: Layers) -> Definition | None:
        """Return today's definition with exactly the same files, including texts."""
        same = self._by_blobs.get(tuple(blob.name for blob in files.values()))
        return same if same is not None and self.layers.has_texts_of(same, files) else None

    @functools.cached_property
    def _by_blobs(self) -> dict[tuple[str, ...], Definition]:
        length = len(self.commit)
        return {tuple(object_name(layer.text, length) for layer in each.layers): each for each in self.current}

    def _find_all_layers(self) -> dict[str, Layers]:
        """Return the files of each definition in whatever folder; in an environment, beside settings that name it."""
        if self.environment is None:
            # As if the definitions' folder were the repository's root.
            return self.find_layers("", None)
        parents = self.settings_folders
        paths = self.repository.folders(self.commit)
        folders = sorted(path for path in paths if path and posixpath.dirname(path) in parents)
        layers = {path: files for folder in folders for path, files in self.find_layers(folder, None).items()}
        # The overlays of other environments are of other assistants, even if they have the same ids.
        return {path: files for path, files in layers.items() if not self.is_overlay(path)}

    @functools.cached_property
    def _overlays(self) -> dict[str, dict[str, str | None]]:
        parents = sorted({posixpath.dirname(path) for path in self._files if posixpath.basename(path) == FILE_NAME})
        return {place: self.overlay_folders(place) for place in parents}

    @property
    def settings_folders(self) -> list[str]:
        """The folders whose settings name the environment."""
        return [place for place, overlays in self._overlays.items() if self.environment in overlays]

    def is_overlay(self, path: str) -> bool:
        """Tell whether a file is in the overlays of any environment."""
        folders = [folder for overlays in self._overlays.values() for folder in overlays.values() if folder is not None]
        return any(is_definition_file(path, folder) for folder in folders)

    def find_mentioned(self, ids: Collection[str]) -> Entries:
        """Return the definitions of the commit, in whatever folder, that have one of some ids."""
        needles = [name.encode() for name in ids]

        # Those whose text does not hold an id are not worth parsing. Defaults have none.
        def mentions_id(files: Layers) -> bool:
            own = (self.repository.read(*file) or b"" for file in files.items() if not is_defaults_file(file[0]))
            return any(needle in content for content in own for needle in needles)

        found = self._find_all_layers().items() if ids else ()
        entries = self.read_layers({path: files for path, files in found if mentions_id(files)}, warn=False)
        return Entries({path: entry for path, entry in entries.by_file.items() if entry.id in ids})

    def overlay_folders(self, parent: str) -> dict[str, str | None]:
        """Return the folder of each environment's overlays, or None, as the settings in a folder name them."""
        place = posixpath.join(parent, FILE_NAME)
        blob = self.repository.files(self.commit, place).get(place)
        content = self.repository.read(place, blob) if blob is not None else None
        # Less strictly than a definition: settings contain dates, which must not hide the rest.
        settings = read_tolerantly((content or b"").decode("utf-8", "replace")).value
        environments = settings.get("environments") if isinstance(settings, dict) else None
        entries = environments.items() if isinstance(environments, dict) else ()
        overlays = {name: entry.get("overlay") for name, entry in entries if isinstance(entry, dict)}
        return {
            name: posixpath.normpath(posixpath.join(parent, overlay)) if isinstance(overlay, str) else None
            for name, overlay in overlays.items()
        }


def _find_earlier_folders(moved: Iterable[Entry], keys: Mapping[str, str]) -> list[str]:
    """Return the folders in which definitions had the keys that they have now in another one. `keys` are by id."""
    stems = [(f"/{entry.file.rpartition('.')[0]}", f"/{keys[entry.id]}") for entry in moved]
    return sorted({stem.removesuffix(key).strip("/") or "." for stem, key in stems if stem.endswith(key)})
