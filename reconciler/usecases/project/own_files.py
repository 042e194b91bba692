"""The files of a project that one assistant alone uses: what goes when it is deleted."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from reconciler.core.definition import Definition, Layer
from reconciler.core.settings import Settings
from reconciler.errors import DefinitionError, ReconcilerError
from reconciler.files.definitions import load
from reconciler.files.find import find_all
from reconciler.files.text_files import mentions
from reconciler.files.write import check_unchanged
from reconciler.usecases.project.environments import with_overlays_to_come
from reconciler.usecases.project.project import Project

# A file by its path from the repository's root, with what it held when it was read.
OwnFile = tuple[str, str]


def find_own_files(project: Project, definition: Definition) -> list[OwnFile]:
    """Return the overlay, the definition where no other environment uses it, and the texts that only these mention.

    Raises DefinitionError where environments use a definition and none was chosen.
    """
    settings = project.settings
    users = [name for name in sorted(settings.environments) if name != settings.environment]
    users = [name for name in users if _uses(project, settings, name, definition)]
    if settings.environment is None and users:
        raise DefinitionError(
            f"the environments {', '.join(users)} use this definition, too, and nothing was deleted",
            where=definition.file,
            hint="give --environment NAME for each of them first",
        )
    own = definition.own
    # An id of its own that the environment's overlay replaces is another assistant's.
    keeps = users or (definition.overlay is not None and "id" in own.fields and definition.id_file != own.file)
    going = [layer for layer in definition.layers if layer.kind == "overlay" or (layer is own and not keeps)]
    return [*((layer.file, layer.text) for layer in going), *_own_texts(project, going)]


def remove_files(root: Path, files: Sequence[OwnFile], removed: Callable[[str], None]) -> tuple[str, ...]:
    """Remove files that still hold what was read, and return what is to be said of those that stay."""
    left = []
    for file, content in files:
        try:
            check_unchanged(root / file, content)
            (root / file).unlink()
            removed(file)
        except (ReconcilerError, OSError) as error:
            left.append(f"the assistant is deleted, but {file} stays ({error}): remove it by hand")
    return tuple(left)


def _uses(project: Project, settings: Settings, environment: str, definition: Definition) -> bool:
    """Tell whether an environment has an assistant of this definition."""
    chosen = with_overlays_to_come(settings.choose(environment), project.folder)
    # Whether it is valid there does not matter; to be part of the environment it needs an id, or `id: new`.
    loaded = load(project.folder, (project.root / definition.file,), root=project.root, settings=chosen)
    return bool(loaded.definitions or loaded.invalid)


def _own_texts(project: Project, going: Sequence[Layer]) -> Iterator[OwnFile]:
    """Yield the text files that the layers mention and no other file of the project does."""
    texts = {text.file: text.content.removeprefix("\ufeff") for layer in going for text in layer.texts}
    if not texts:
        return
    names = {layer.file for layer in going}
    found = find_all(project.folder, project.root, *_all_settings(project))
    others = {layer for one in found.definitions for layer, _ in found.stack(one)}
    others |= {one for files in found.overlays.values() for one in files}
    others |= {one for shared in found.defaults for one in shared.values()}
    for file, content in sorted(texts.items()):
        if not any(mentions(other, {file}) for other in others if other.file not in names):
            yield file, content


def _all_settings(project: Project) -> Iterator[Settings]:
    for name in sorted(project.settings.environments):
        yield with_overlays_to_come(project.settings.choose(name), project.folder)
