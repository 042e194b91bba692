"""Whether the working tree shows all that `HEAD` has of a project: a hidden file must not read as a removed one."""

import os
from collections.abc import Sequence

from reconciler.core.definition import is_definition_file
from reconciler.errors import RepositoryError
from reconciler.git.repository import Repository


def check_checkout(repository: Repository, head: str, settings: str, folders: Sequence[str]) -> None:
    """Refuse a working tree in which a sparse checkout or a submodule hides the settings or files of some folders.

    Paths are from the repository's root. Raises RepositoryError.
    """
    # The settings say what is ignored, sensitive and of which organisation: hidden, they would protect nothing.
    tracked = list(repository.files(head, settings))
    for folder in folders:
        for submodule in repository.submodules(head, folder):
            if _may_hold_definitions(repository, submodule, folder):
                raise RepositoryError(
                    f"{submodule} is a submodule, so this repository's history does not hold the definitions in it",
                    hint="keep the definitions in this repository, or run reconciler inside the submodule",
                )
        tracked += (path for path in repository.files(head, folder) if is_definition_file(path, folder))
    # Only what is not there can be hidden, so git is asked about it only then.
    absent = [path for path in tracked if not os.path.lexists(repository.root / path)]
    if absent and (hidden := repository.hidden_paths(absent)):
        more = f" and {len(hidden) - 1} more" if len(hidden) > 1 else ""
        raise RepositoryError(
            f"a sparse checkout hides {hidden[0]}{more}, which HEAD has",
            hint="check everything out (git sparse-checkout disable), or add the definitions' folder and "
            "reconciler.yaml to it (git sparse-checkout add)",
        )


def _may_hold_definitions(repository: Repository, submodule: str, folder: str) -> bool:
    """Tell whether a submodule holds definitions; one that was not fetched is empty, and may hold anything."""
    place = repository.root / submodule
    if not place.is_dir() or not any(place.iterdir()):
        return True
    paths = (path.relative_to(repository.root).as_posix() for path in place.rglob("*"))
    return any(is_definition_file(path, folder) for path in paths)
