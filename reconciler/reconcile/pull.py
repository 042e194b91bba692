"""Write live edits back into the definitions: the values that drifted, and nothing else of the files.

In an environment they go into its overlay, never into the file that others share.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from reconciler.adapters.files import rewrite
from reconciler.adapters.yaml_edit import Edit, EditRefused, edit_yaml
from reconciler.adapters.yaml_writer import write_definition
from reconciler.core.assistant import find_faults
from reconciler.core.definition import Definition
from reconciler.core.fields import takes_null
from reconciler.core.missing import MISSING
from reconciler.core.origin import Change
from reconciler.core.paths import FieldPath
from reconciler.core.run import Result, Run
from reconciler.core.settings import Settings


@dataclasses.dataclass(frozen=True, slots=True)
class Pulled:
    """One file before and after, the fields that are pulled, and those that are left, with the reason."""

    file: str
    before: str
    after: str
    fields: tuple[FieldPath, ...] = ()
    left: tuple[tuple[FieldPath, str], ...] = ()

    @property
    def differs(self) -> bool:
        """Tell whether there is anything to write."""
        return self.before != self.after


@dataclasses.dataclass(frozen=True, slots=True)
class Puller:
    """Turns a run, planned as for `drift`, into edits of the files below the repository's root."""

    root: Path
    folder: Path
    settings: Settings
    conflicts: bool = False

    def pull(self, run: Run) -> list[Pulled]:
        """Return what is to be written, a file each; nothing is written yet."""
        return [pulled for result in run.results if (pulled := self._one(result)) is not None]

    def write(self, pulled: Pulled) -> None:
        """Write one file. Raises ReconcilerError where it changed meanwhile, or cannot be written."""
        rewrite(self.root / pulled.file, pulled.before, pulled.after)

    def _one(self, result: Result) -> Pulled | None:
        if result.plan is None or not isinstance(result.definition, Definition):
            return None
        kinds = ("drift", "conflict") if self.conflicts else ("drift",)
        changes = [change for change in result.plan.changes if change.kind in kinds]
        if not changes:
            return None
        left = dict(self._left(result.definition, changes))
        edits = [
            Edit(change.path, None if change.live is MISSING else change.live)
            for change in changes
            if change.path not in left
        ]
        file, text = self._written_in(result.definition)
        try:
            after = edit_yaml(text, edits) if text else _new_overlay(edits)
        except EditRefused as error:
            left |= {edit.path: str(error) for edit in edits}
            edits, after = [], text
        return Pulled(file, text, after, tuple(edit.path for edit in edits), tuple(sorted(left.items())))

    def _written_in(self, definition: Definition) -> tuple[str, str]:
        """Return the file that takes a definition's live values, and its text; an overlay may have to be made."""
        if self.settings.environment is None:
            return definition.file, definition.text
        if definition.overlay is not None:
            return definition.overlay.file, definition.overlay.text
        folder = self.folder.resolve().parent / (self.settings.overlay or "")
        return (folder / f"{definition.key}.yaml").relative_to(self.root).as_posix(), ""

    def _left(self, definition: Definition, changes: Sequence[Change]) -> Iterator[tuple[FieldPath, str]]:
        """Yield the fields whose live value is not written, each with the reason."""
        for change in changes:
            if not self.settings.may_show(change.path):
                yield change.path, "named under sensitive in reconciler.yaml: such values are never written"
            elif change.live in (None, MISSING) and not takes_null(change.path):
                yield change.path, "live has no value, and a definition cannot say so: remove the line to release it"
            elif self.settings.environment is not None and not self.settings.overlay:
                yield change.path, "the environment has no overlay folder to write it into"
            else:
                faults = find_faults(_alone(change), self.settings.extra_fields, needs_id=False)
                if faults:
                    yield change.path, f"a definition may not hold what live has: {faults[0].message}"


def _alone(change: Change) -> dict[str, object]:
    """Return a definition that declares the live value of one change, and nothing else."""
    value: object = None if change.live is MISSING else change.live
    for key in reversed(change.path[1:]):
        value = {key: value}
    return {change.path[0]: value}


def _new_overlay(edits: Sequence[Edit]) -> str:
    fields: dict[str, object] = {}
    for edit in edits:
        inner = fields
        for key in edit.path[:-1]:
            inner = inner.setdefault(key, {})  # type: ignore[assignment]
        inner[edit.path[-1]] = edit.value
    return write_definition(fields) if edits else ""
