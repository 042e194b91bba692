"""Write live edits back into the definitions: only the values that drifted; in an environment into its overlay."""

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.assistant.fields import ID
from reconciler.assistant.paths import FieldPath, dotted
from reconciler.assistant.plain_words import list_some
from reconciler.core.canonical import equal_exactly
from reconciler.core.definition import Definition, Layer, TextFile, find_declaring_layer, merge_layers
from reconciler.core.importing import explain_omission, warn_of_reordering
from reconciler.core.origin import Change
from reconciler.core.outcome import Kind
from reconciler.core.plan import Plan
from reconciler.core.run import Result
from reconciler.core.tree import MISSING, value_at
from reconciler.dataclass import dataclass
from reconciler.files.write import rewrite
from reconciler.usecases.project.project import Project
from reconciler.usecases.pull_values import (
    Conflicts,
    SkippedField,
    TextEdits,
    choose_values,
    divide_edits,
    keep_ignored,
)
from reconciler.yamltext.edit import EditRefused, NewValues, edit_yaml

_NAMES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Pulled:
    """One file before and after, the fields that are pulled, and those that are left, with the reason."""

    file: str
    before: str
    after: str
    fields: tuple[FieldPath, ...] = ()
    skipped: tuple[SkippedField, ...] = ()
    notes: tuple[str, ...] = ()
    overwritten: tuple[Change, ...] = ()  # conflicts in which live's value replaces git's

    @property
    def differs(self) -> bool:
        """Return whether there is anything to write."""
        return self.before != self.after


@dataclass(frozen=True)
class Puller:
    """Turns the results of a run, planned as for `drift`, into edits of the project's files."""

    project: Project
    conflicts: Conflicts | None = None
    # Who takes a value from which file, by path. Asked once, since a shared value may have drifted everywhere.
    takers: dict[FieldPath, dict[str, list[str]]] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @functools.cached_property
    def everything(self) -> tuple[Definition, ...]:
        """All definitions, pulled or not: they may share a value."""
        return self.project.loaded.read_all()

    def pull(self, results: Iterable[Result]) -> list[Pulled]:
        """Return what to write, one entry for each file; nothing is written yet."""
        return [pulled for result in results for pulled in self._pull_one(result)]

    def write(self, pulled: Pulled) -> None:
        """Write one file. Raises ReconcilerError if it changed meanwhile, or cannot be written."""
        rewrite(self.project.root / pulled.file, pulled.before, pulled.after)

    def _pull_one(self, result: Result) -> Iterator[Pulled]:
        definition, plan = result.definition, result.plan
        # An id that only the record knows so far: the file says `id: new`.
        ids = {ID.path: definition.id} if definition.says_new and definition.id else {}
        changes = [change for change in plan.changes if change.kind is not Kind.CHANGE] if plan is not None else []
        if plan is None or not (changes or ids):
            return
        layer, file = self.project.find_edited(definition)
        text = layer.text if layer is not None else ""
        values, left_out, overwritten = choose_values(changes, self.conflicts, self.project.merge_texts)
        edits = ids | dict(self._make_edits(definition, layer, changes, values))
        # The other reasons advise an option, and none writes a sensitive value.
        edits |= {skip.path: None for skip in left_out if not self.project.settings.may_show(skip.path)}
        skips = *left_out, *self._find_skips(definition, edits, layer), *self._find_enforced(definition, plan)
        skipped = {field.path: field for field in skips}
        written_edits = {path: value for path, value in edits.items() if path not in skipped}
        divided = divide_edits(layer, written_edits, self._find_reason)
        new_text, rejected = _try_edits(text, divided.edits)
        skipped |= {path: SkippedField(path, reason) for path, reason in (divided.reasons | rejected).items()}
        # If the YAML file refuses a field, its text file is left too.
        for path, text_file, content in (each for each in divided.files if each[0] not in skipped):
            old, new = (side.removeprefix("\ufeff") for side in (text_file.content, content))
            yield Pulled(text_file.file, old, new, (path,), notes=(*warn_of_reordering(path, new),))
        written = layer.as_written if layer is not None else {}
        kept = (path for path in divided.edits if path not in skipped)
        fields = tuple(path for path in kept if not equal_exactly(value_at(written, path), divided.edits[path]))
        lost_changes = tuple(change for change in overwritten if change.path not in skipped)
        if fields or skipped or lost_changes or new_text != text:
            notes = tuple(self._list_notes(definition, plan, {path: edits[path] for path in fields}, divided))
            yield Pulled(file, text, new_text, fields, tuple(sorted(skipped.values())), notes, lost_changes)

    def _make_edits(
        self, definition: Definition, layer: Layer | None, changes: Iterable[Change], values: Mapping[FieldPath, Any]
    ) -> Iterator[tuple[FieldPath, Any]]:
        """Yield what a layer is to say, so that all layers together give the values that live has."""
        ignore = self.project.overrides_for(definition.key).ignore
        # Lower layers still apply, so a key that live lacks must be written as null.
        lower_values = merge_layers(lower for lower in definition.layers if lower is not layer)
        for change in (each for each in changes if each.path in values):
            path, declared = change.path, value_at(definition.declared, change.path)
            value = keep_ignored(change, values[path], declared, ignore)
            yield path, None if value is MISSING else _make_overlay_value(value_at(lower_values, path), value)

    def _list_notes(
        self, definition: Definition, plan: Plan, values: Mapping[FieldPath, Any], divided: TextEdits
    ) -> Iterator[str]:
        """Yield what people should know of the values that a pull writes into a layer."""
        unused = (text_file for path in values for text_file in divided.unused.get(path, ()))
        yield from (f"{each.file} was kept; {dotted(each.path)} no longer uses it" for each in unused)
        yield from filter(None, (self._describe_sharing(definition, path) for path in values))
        yield from (note for path, value in values.items() for note in warn_of_reordering(path, value))
        if plan.freeze is not None:
            yield f"the assistant is frozen ({plan.freeze.describe()})"

    def _find_enforced(self, definition: Definition, plan: Plan) -> Iterator[SkippedField]:
        for path, rule in plan.enforced.items():
            reason = f"it is enforced ({rule.reason}): every apply restores git's value"
            yield SkippedField(path, reason, fails=False)
        # A list is pulled as a whole, but an enforced part of it must not be pulled.
        overrides = self.project.overrides_for(definition.key)
        for change in (each for each in plan.changes if each.kind is Kind.DRIFT and each.path not in plan.enforced):
            for path in overrides.find_enforced_inside(change):
                yield SkippedField(change.path, f"{dotted(path)} in it is enforced; edit the rest by hand")

    def _describe_sharing(self, definition: Definition, path: FieldPath) -> str:
        """Return who else uses a value from its defaults; empty if it is not from defaults."""
        layer = find_declaring_layer(definition.layers, path)
        if layer is None or layer.kind != "defaults":
            return ""
        if path not in self.takers:
            keys_by_file: dict[str, list[str]] = {}
            for other in self.everything:
                if declaring_layer := find_declaring_layer(other.layers, path):
                    keys_by_file.setdefault(declaring_layer.file, []).append(other.key)
            self.takers[path] = keys_by_file
        others = [key for key in self.takers[path].get(layer.file, ()) if key != definition.key]
        shared = f" for {list_some(others, _NAMES_SHOWN)}" if others else ""
        return f"{dotted(path)} came from {layer.file}, which keeps its value{shared}"

    def _find_reason(self, text: TextFile) -> str | None:
        """Return why a text file is not written: empty if it is, None if the overlay takes the text itself."""
        layers = (layer for definition in self.everything for layer in definition.layers)
        times = [text_file.file for layer in layers for text_file in layer.texts].count(text.file)
        if self.project.settings.environment is not None:
            is_own = any(text.file.startswith(f"{upper}/") for upper in self.project.places[1:])
            # A file with the definitions may be another environment's text as well.
            return "" if times == 1 and is_own else None
        if self.project.settings.environments:
            return f"{text.file} is shared by all environments; pull with --environment, or change it by hand"
        several = f"{text.file} is used {times} times; change it by hand, or give this field its own text file"
        return several if times > 1 else ""

    def _find_skips(self, definition: Definition, edits: NewValues, layer: Layer | None) -> Iterator[SkippedField]:
        """Yield the fields whose live value is not written, each with the reason."""
        settings = self.project.settings
        for path, value in edits.items():
            declaring_layer = find_declaring_layer(definition.layers, path)
            elsewhere = declaring_layer.file if declaring_layer is not None and declaring_layer is not layer else ""
            # The id is written even if all fields are sensitive: without it, the file describes no assistant.
            is_id = path == ID.path
            reason = "" if is_id else explain_omission(path, value, settings, declared_in=elsewhere)
            if not reason and settings.environment is not None and not settings.overlay:
                reason = "the environment has no overlay folder to write it into"
            if reason:
                # Nobody asked to write a sensitive value.
                yield SkippedField(path, reason, fails=is_id or settings.may_show(path))


def _make_overlay_value(shared: Any, live: Any) -> Any:
    """Return the overlay's value that gives live's on top of a shared one: keys that live lacks become null."""
    if not isinstance(shared, Mapping) or not isinstance(live, Mapping):
        return live
    fields = {key: _make_overlay_value(shared.get(key), value) for key, value in live.items()}
    return {**fields, **{key: None for key in shared if key not in live}}


def _try_edits(text: str, edits: NewValues) -> tuple[str, dict[FieldPath, str]]:
    """Return a file's text with all edits that are possible, and the reasons for those that are not."""
    pending, rejected = {**edits}, dict[FieldPath, str]()
    while True:
        try:
            return edit_yaml(text, pending), rejected
        except EditRefused as error:
            named = error.path
            refused = next(path for path in pending if path[: len(named)] == named[: len(path)])
            # The reason is shown after the field's name.
            reason = error.message.removeprefix(f"{dotted(refused)} ")
            rejected[refused] = f"{reason}; {error.hint}" if error.hint else reason
            del pending[refused]
