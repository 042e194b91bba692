"""Create an assistant from a definition without an id, and write the id that it gets into the file.

The POST is sent once. Where its outcome is unclear nothing is written, and the error says how to find out.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from reconciler.assistant.paths import FieldPath, dotted
from reconciler.core.definition import Definition
from reconciler.core.plan import make_plan
from reconciler.core.ports import Assistants
from reconciler.core.settings import Settings
from reconciler.core.tree import value_at
from reconciler.errors import ApiError, DefinitionError, ReconcilerError, UnclearWrite
from reconciler.files.write import check_unchanged, rewrite
from reconciler.yamltext.edit import insert_first
from reconciler.yamltext.writer import write_definition

NEEDED = (("model", "provider"), ("model", "model"), ("voice", "provider"), ("voice", "voiceId"))


@dataclasses.dataclass(frozen=True, slots=True)
class Created:
    """A new assistant: its id, the file that has it now, and the declared paths that live does not show."""

    id: str
    file: str
    remaining: tuple[FieldPath, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Creator:
    """Creates assistants from the definitions of a folder; files are named from the repository's root."""

    api: Assistants
    root: Path
    folder: Path
    settings: Settings

    def create(self, definition: Definition, others: Sequence[Definition], *, force: bool = False) -> Created:
        """Return the assistant that was made of a definition. Raises ReconcilerError, and nothing is created then.

        `others` are all definitions there are; one with the same name stands in the way, unless forced.
        """
        check_new(definition, others, force=force)
        file, text = self._takes_id(definition)
        path = self.root / file
        check_unchanged(path, text)
        _with_id(text, "asst_to_come")  # where an id cannot be written, nothing is created
        # A token that has run out is renewed here: the POST itself is never repeated.
        self.api.me()
        try:
            answer = self.api.create({key: value for key, value in definition.declared.items() if value is not None})
        except UnclearWrite as error:
            raise UnclearWrite(
                error.kind,
                f"whether the assistant was created is not known: {error.message}",
                status=error.status,
                hint=f"look in the dashboard for {definition.declared.get('name')!r}: if it is there, put its id into "
                f"{file} as `id: ...`; if it is not, create it again",
            ) from error
        try:
            rewrite(path, text, _with_id(text, answer["id"]))
        except ReconcilerError as error:
            raise ReconcilerError(
                f"the assistant {answer['id']} was created, but its id could not be written: {error}",
                where=file,
                hint=f"put `id: {answer['id']}` into the file by hand",
            ) from error
        return Created(answer["id"], file, self._remaining(definition, answer["id"]))

    def _takes_id(self, definition: Definition) -> tuple[str, str]:
        """Return the file that takes the id, and its text: in an environment the overlay, which may have to be made."""
        layer = definition.own if self.settings.environment is None else definition.overlay
        if layer is not None:
            return layer.file, layer.text
        if not self.settings.overlay:
            raise DefinitionError(f"the environment {self.settings.environment} has no overlay folder for the id")
        folder = self.folder.resolve().parent / self.settings.overlay
        return (folder / f"{definition.key}.yaml").relative_to(self.root).as_posix(), ""

    def _remaining(self, definition: Definition, assistant_id: str) -> tuple[FieldPath, ...]:
        try:
            # What GET reads may learn of a new assistant later than POST has answered.
            live = self.api.get_after_write(assistant_id, lambda found: found is None)
        except ApiError as error:
            raise ReconcilerError(
                f"the assistant {assistant_id} was created and its id written, but live could not be read: {error}",
                where=definition.file,
                hint="run `reconciler plan` later",
            ) from error
        return tuple(change.path for change in make_plan(definition.declared, live).changes)


def check_new(definition: Definition, others: Sequence[Definition], *, force: bool) -> None:
    """Refuse a definition that has an id, lacks what a new assistant needs, or has another's name."""
    if definition.id:
        raise DefinitionError(
            f"the definition has the id {definition.id} already",
            where=definition.id_file,
            hint="`reconciler apply` updates it",
        )
    lacking = [dotted(path) for path in NEEDED if not value_at(definition.declared, path)]
    if lacking:
        raise DefinitionError(
            f"a new assistant needs {', '.join(lacking)}", where=definition.file, hint="declare what is missing"
        )
    name = definition.declared.get("name")
    same = [other.file for other in others if other.file != definition.file and other.declared.get("name") == name]
    if name is not None and same and not force:
        raise DefinitionError(
            f"{same[0]} has the name {name!r} too",
            where=definition.file,
            hint="choose another name, or give --force to have two assistants of one name",
        )


def _with_id(text: str, assistant_id: str) -> str:
    return insert_first(text, "id", assistant_id) if text else write_definition({"id": assistant_id})
