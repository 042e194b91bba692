"""Which values of a live assistant a new definition or overlay declares, and which it leaves out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from reconciler.assistant.checks import check_definition
from reconciler.assistant.fields import READ_ONLY, is_documented, keys_inside, takes_null
from reconciler.assistant.invisible import name_reordering
from reconciler.assistant.paths import FieldPath, covers, dotted
from reconciler.assistant.texts import TEXT_KEY, find_references
from reconciler.core.canonical import find_differing_declarations, find_differing_leaves
from reconciler.core.definition import LARGEST, Layer, drop_id, find_declaring_layer
from reconciler.core.settings import Settings
from reconciler.core.tree import MISSING, Missing, build_tree, prune, value_at, walk_leaves
from reconciler.dataclass import dataclass

_HALF_CHARACTER = "[\ud800-\udfff]"


@dataclass(frozen=True, slots=True)
class NewDefinition:
    """The fields of a new definition, `id` first, and the live paths that it leaves out, by reason."""

    fields: Mapping[str, Any]
    undocumented: tuple[FieldPath, ...] = ()
    rejected: tuple[FieldPath, ...] = ()  # with a value that a definition may not hold
    hidden: tuple[FieldPath, ...] = ()  # `sensitive`


@dataclass(frozen=True, slots=True)
class NewOverlay:
    """The fields of a new overlay, `id` first; the declared paths that it leaves out, each with the reason."""

    fields: Mapping[str, Any]
    omitted: tuple[tuple[FieldPath, str], ...] = ()
    unmanaged: tuple[FieldPath, ...] = ()  # live paths that the definition below could declare, and does not


def build_definition(assistant_id: str, live: Mapping[str, Any], settings: Settings) -> NewDefinition:
    """Return the definition that is in sync with a live assistant: documented fields in the API's order, no nulls."""
    # Nobody can set fields that the API manages itself, so a definition that declared one would always differ.
    writable = {key: value for key, value in live.items() if key not in READ_ONLY}
    leaves = list(_sort_leaves(writable, (), settings))
    declared = [(path, value) for path, kind, value in leaves if kind == "declared"]
    rejected = {path for path, value in declared if not _has_yaml([*path, value]) or _would_mention_a_file(path, value)}
    # Built from what is kept, because the key of an object that would be left empty may be rejected as well.
    fields: dict[str, Any] = build_tree([(path, value) for path, value in declared if path not in rejected])
    # Removing a rejected value may remove an object with another problem, so each removal checks again.
    while invalid := _find_invalid(fields, settings):
        rejected |= invalid
        fields = prune(fields, invalid.__contains__)
    unknown, hidden = (sorted(path for path, kind, _ in leaves if kind == other) for other in ("unknown", "hidden"))
    return NewDefinition({"id": assistant_id, **fields}, tuple(unknown), tuple(sorted(rejected)), tuple(hidden))


def build_overlay(
    shared: Mapping[str, Any],
    assistant_id: str,
    live: Mapping[str, Any],
    settings: Settings,
    layers: Sequence[Layer] = (),
) -> NewOverlay:
    """Return the overlay that brings a shared definition (in `layers`) in sync with a live assistant."""
    fields: list[tuple[FieldPath, Any]] = [(("id",), assistant_id)]
    omitted: list[tuple[FieldPath, str]] = []
    for path in find_differing_leaves(shared, live):
        value = value_at(live, path)
        # The overlay does not mention it, so every plan shows the difference.
        layer = find_declaring_layer(layers, path)
        if reason := explain_omission(path, value, settings, declared_in=layer.file if layer is not None else ""):
            omitted.append((path, reason))
        else:
            # Only null removes what the definition below declares.
            fields.append((path, None if value is MISSING else value))
    # Reported but not written: an overlay with them would manage fields in one environment only.
    importable = drop_id(build_definition(assistant_id, live, settings).fields)
    unmanaged = (path for path in find_differing_declarations(shared, importable) if value_at(shared, path) is MISSING)
    return NewOverlay(build_tree(fields), tuple(omitted), tuple(unmanaged))


def leave_out_shared(fields: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a new definition without those that the defaults already give it."""
    own = [path for path in find_differing_declarations(fields, shared) if value_at(fields, path) is not MISSING]
    # An object that is entirely shared goes as well: it declares nothing of its own.
    return dict(prune(fields, lambda path: all(path[: len(leaf)] != leaf[: len(path)] for leaf in own)))


def warn_of_reordering(path: FieldPath, value: Any) -> Iterator[str]:
    """Yield a warning for each text in a value that people see in another order than it is stored."""
    for leaf, text in walk_leaves(value, path):
        if isinstance(text, str) and (characters := name_reordering(text)):
            yield f"{dotted(leaf)} contains {characters}, which makes it look like another text: check it"


def explain_omission(path: FieldPath, live: Any | Missing, settings: Settings, *, declared_in: str = "") -> str:
    """Return why a file cannot take a live value; empty if it can. `declared_in` is another file with the field."""
    if not settings.may_show(path):
        return "listed under sensitive in reconciler.yaml, so it is never written"
    if (live is None or live is MISSING) and not takes_null(path):
        # Nobody else must lose a shared value unasked, so the user decides about a shared file.
        remedy = "remove the line to release it"
        if declared_in:
            remedy = f"{declared_in} gives it one; to release it, move it from there into the definitions that need it"
        return f"live has no value, and a definition cannot express that: {remedy}"
    # Checked alone, so that no problem elsewhere in the file keeps this value out of it.
    alone = build_tree([(path, None if live is MISSING else live)])
    if _would_mention_a_file(path, live):
        return f"the live value is not allowed in a definition: {TEXT_KEY} as a key would refer to a text file"
    problems = check_definition(alone, settings.extra_fields, needs_id=False)
    if not problems and _has_yaml(live):
        return ""
    return "the live value is not allowed in a definition" + "".join(f": {problem.message}" for problem in problems[:1])


def _sort_leaves(
    live: Mapping[str, Any], path: FieldPath, settings: Settings
) -> Iterator[tuple[FieldPath, Literal["declared", "unknown", "hidden"], Any]]:
    """Yield each live value below a path, except for nulls, with what to do with it."""
    # In the order of the reference. Fields that it does not list are sorted by name.
    documented = [key for key in keys_inside(path) if key in live]
    for key in [*documented, *sorted(key for key in live if key not in documented)]:
        value, child = live[key], (*path, key)
        # A declared null would forbid a value that somebody may set tomorrow. An absent field is not managed.
        if value is None:
            continue
        # Undocumented fields may change their meaning between releases, so they are managed only on request.
        if not is_documented(child) and not any(covers(extra, child) for extra in settings.extra_fields):
            yield child, "unknown", value
        # An object that only holds something sensitive is declared except for that.
        elif isinstance(value, Mapping) and not any(covers(pattern, child) for pattern in settings.sensitive):
            yield from _sort_leaves(value, child, settings)
        else:
            yield child, "declared" if settings.may_show(child) else "hidden", value


def _has_yaml(value: Any) -> bool:
    # Some parsers do not keep a whole number above 64 bits, and UTF-8 has no half of a surrogate pair.
    if isinstance(value, Mapping):
        return all(_has_yaml(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return all(map(_has_yaml, value))
    if isinstance(value, str):
        return re.search(_HALF_CHARACTER, value) is None
    return not isinstance(value, int) or abs(value) <= LARGEST


def _would_mention_a_file(path: FieldPath, value: Any) -> bool:
    """Return whether a live value would read as the text of some file, once a definition has it."""
    return TEXT_KEY in path or next(find_references(value), None) is not None


def _find_invalid(fields: Mapping[str, Any], settings: Settings) -> set[FieldPath]:
    """Return the fields that the checks reject."""
    invalid: set[FieldPath] = set()
    for path in (problem.path for problem in check_definition(fields, settings.extra_fields, needs_id=False)):
        # Only a whole field can be left out. A list without one of its elements would be another list.
        inside = next(depth for depth in range(len(path), 0, -1) if value_at(fields, path[:depth]) is not MISSING)
        invalid.add(path[:inside])
    return invalid
