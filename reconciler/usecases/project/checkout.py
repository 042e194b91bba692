"""Whether the working tree has all files of a project in `HEAD`: a hidden file must not look like a removed one."""

import functools
import os
import posixpath
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from reconciler.assistant.plain_words import list_some
from reconciler.core.definition import SUFFIXES, is_defaults_file, is_definition_file
from reconciler.core.settings import FILE_NAME
from reconciler.errors import RepositoryError
from reconciler.files.folders import folder_in_git, is_there, repository_root
from reconciler.git.repository import Repository
from reconciler.usecases.project.project import Project


def check_checkout(project: Project, folders: Sequence[str]) -> None:
    """Refuse a working tree in which a sparse checkout or a submodule hides the settings or files of some folders."""
    repository, head, settings = project.repository, project.head, project.settings_path
    # The settings protect ignored fields, sensitive values and other organisations. Hidden settings would protect
    # nothing.
    tracked = list(repository.files(head, settings))
    for folder in folders:
        for submodule in repository.submodules(head, folder):
            if _may_hold_definitions(repository, head, submodule, folder):
                raise RepositoryError(
                    f"{submodule} is a submodule, so this repository's history does not contain the definitions in it",
                    hint="keep the definitions in this repository, or run reconciler inside the submodule",
                )
        tracked += repository.files(head, folder)
    # Only what is not there can be hidden, and git is asked about that alone. One look at a folder shows all it has.
    names_in = functools.cache(lambda folder: _list_names(repository.root / folder))
    parts = ((path, *path.rpartition("/")) for path in tracked)
    absent = [path for path, folder, _, name in parts if name not in names_in(folder)]
    hidden = repository.hidden_paths(absent)
    # Any file may be beside the definitions. Only one that a definition mentions is a text.
    mentioned = _find_mentioned(repository, head, folders, hidden)
    hidden = [path for path in hidden if path.endswith(SUFFIXES) or path in mentioned]
    if hidden:
        raise RepositoryError(
            f"a sparse checkout hides {list_some(hidden, 1)}, which HEAD has",
            hint="check everything out (git sparse-checkout disable), or add the definitions' folder and "
            "reconciler.yaml to it (git sparse-checkout add)",
        )


def check_nested(repository: Repository, folder: Path) -> None:
    """Refuse a repository inside another one that contains the definitions too, and so probably has their record."""
    around = repository_root(repository.root.parent)
    try:
        outer = Repository(around)
        head = outer.head()
    except RepositoryError:  # what holds this repository by chance, such as a home folder, need not be readable
        return
    if outer.files(head, folder_in_git(folder, around)):
        # A `git init` in the wrong folder would otherwise hide the history, and live edits would be overwritten.
        raise RepositoryError(
            f"{repository.root} is a git repository inside {around}, and both contain these definitions",
            hint=f"remove {repository.root / '.git'} if it was made by mistake; otherwise remove the definitions from "
            "the outer repository",
        )


def check_settings_moved(project: Project) -> None:
    """Refuse definitions that have all moved away from their settings, which stayed behind and have no effect."""
    path = project.settings_path
    repository, base = project.repository, project.base
    commit = project.record.applied or base.commit
    # A shallow clone may lack what was applied.
    if os.path.lexists(project.root / path) or not repository.has(commit):
        return
    entries = (base.entries.find([definition.id], definition.file) for definition in project.loaded.definitions)
    moved = {entry.file for entry in entries if entry is not None and not is_there(project.root / entry.file)}
    staying = [PurePosixPath(file) for file in base.entries.by_file if is_there(project.root / file)] if moved else []
    for folder in sorted({folder for file in moved for folder in PurePosixPath(file).parents}):
        old_path = (folder / FILE_NAME).as_posix()
        # If other definitions have stayed, the settings belong to them.
        is_theirs = any(file.is_relative_to(folder) for file in staying)
        if repository.files(commit, old_path) and (project.root / old_path).is_file() and not is_theirs:
            raise RepositoryError(
                f"the definitions have moved, but their settings are still in {old_path}, where they have no effect",
                hint=f"move them as well (git mv {old_path} {path}), or write a new {path}",
            )


def _list_names(folder: Path) -> frozenset[str]:
    """Return the names in a folder; none if it cannot be listed."""
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208 - a Path for each name takes ten times as long
    except OSError:
        return frozenset()


def _may_hold_definitions(repository: Repository, head: str, submodule: str, folder: str) -> bool:
    # A submodule that was not fetched is empty here, and may contain anything.
    place = repository.root / submodule
    if not place.is_dir() or not any(place.iterdir()):
        return True
    paths = [path.relative_to(repository.root).as_posix() for path in place.rglob("*")]
    return any(is_definition_file(path, folder) or is_defaults_file(path) for path in paths) or bool(
        _find_mentioned(repository, head, [folder], paths)
    )


def _find_mentioned(repository: Repository, head: str, folders: Sequence[str], paths: Sequence[str]) -> set[str]:
    """Return the files whose name occurs in a definition of `HEAD`: they may be its text files."""
    mentioned: set[str] = set()
    files = {path: blob for folder in folders for path, blob in repository.files(head, folder).items()} if paths else {}
    for path, blob in files.items():
        if path.endswith(SUFFIXES):
            content = repository.read(path, blob) or b""
            mentioned |= {name for name in paths if os.fsencode(posixpath.basename(name)) in content}
    return mentioned
