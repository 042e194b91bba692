"""Write live edits back into the definitions: the values that drifted, and nothing else of the files.

In an environment they go into its overlay, never into the file that others share.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.assistant.paths import FieldPath, dotted
from reconciler.core.definition import Definition
from reconciler.core.importing import why_left
from reconciler.core.origin import Change
from reconciler.core.outcome import Kind
from reconciler.core.run import Result, Run
from reconciler.core.settings import Settings
from reconciler.core.tree import MISSING, build, value_at
from reconciler.files.write import rewrite
from reconciler.yamltext.edit import Edit, EditRefused, edit_yaml
from reconciler.yamltext.writer import write_definition

_IN_CONFLICT = "git changed it too; with --conflicts live's value is taken"


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
        changes = [change for change in result.plan.changes if change.kind is not Kind.CHANGE]
        if not changes:
            return None
        wanted = self._edits(result.definition, changes)
        left = dict(self._left(wanted))
        if not self.conflicts:
            left |= {change.path: _IN_CONFLICT for change in changes if change.kind is Kind.CONFLICT}
        file, text = self._written_in(result.definition)
        after, refused = _with_edits(text, [edit for edit in wanted if edit.path not in left])
        left |= refused
        fields = tuple(edit.path for edit in wanted if edit.path not in left)
        return Pulled(file, text, after, fields, tuple(sorted(left.items())))

    def _edits(self, definition: Definition, changes: Sequence[Change]) -> list[Edit]:
        """Return what is to stand at each path, so that the definition, overlay and all, declares what live has."""
        shared = definition.own.fields if self.settings.environment is not None else {}
        return [
            Edit(
                change.path,
                None if change.live is MISSING else _on_top(value_at(shared, change.path), change.live),
            )
            for change in changes
        ]

    def _written_in(self, definition: Definition) -> tuple[str, str]:
        """Return the file that takes a definition's live values, and its text; an overlay may have to be made."""
        layer = definition.own if self.settings.environment is None else definition.overlay
        if layer is not None:
            return layer.file, layer.text
        folder = self.folder.resolve().parent / (self.settings.overlay or "")
        return (folder / f"{definition.key}.yaml").relative_to(self.root).as_posix(), ""

    def _left(self, edits: Sequence[Edit]) -> Iterator[tuple[FieldPath, str]]:
        """Yield the fields whose live value is not written, each with the reason."""
        for edit in edits:
            reason = why_left(edit.path, edit.value, self.settings)
            if not reason and self.settings.environment is not None and not self.settings.overlay:
                reason = "the environment has no overlay folder to write it into"
            if reason:
                yield edit.path, reason


def _on_top(shared: Any, live: Any) -> Any:
    """Return what gives a live value when it is laid over a shared one: keys that live lacks become null."""
    if not isinstance(shared, Mapping) or not isinstance(live, Mapping):
        return live
    wanted = {key: _on_top(shared.get(key), value) for key, value in live.items()}
    return {**wanted, **{key: None for key in shared if key not in live}}


def _with_edits(text: str, edits: Sequence[Edit]) -> tuple[str, dict[FieldPath, str]]:
    """Return a file's text with as many edits as it takes, and the reasons of those that it does not."""
    try:
        return _edited(text, edits), {}
    except EditRefused:
        refused: dict[FieldPath, str] = {}
    after, made, waiting = text, list[Edit](), list(edits)
    while len(refused) < len(waiting):  # what is made may let another one be: the last alias of an anchor goes
        waiting, refused = [edit for edit in waiting if edit not in made], {}
        for edit in waiting:
            try:
                after = _edited(text, [*made, edit])
                made.append(edit)
            except EditRefused as error:
                refused[edit.path] = str(error)
    return after, refused


def _edited(text: str, edits: Sequence[Edit]) -> str:
    """Return a file's text with edits made; a file that is not there yet becomes an overlay. Raises EditRefused."""
    if text or not edits:
        return edit_yaml(text, edits) if edits else text
    fields = build((edit.path, edit.value) for edit in edits)
    try:
        return write_definition(fields)
    except ValueError:
        message = f"{dotted(edits[-1].path)} cannot be written into a new file so that it reads as intended"
        raise EditRefused(message, "unwritable", hint="") from None
