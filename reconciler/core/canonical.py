"""The one canonical form that every comparison runs on (docs/reference.md, "When two values are equal").

Live is first reduced to what a definition declares. In the canonical form, numbers are compared by value, fractions as
32-bit floats, booleans never equal numbers, and null equals a missing key. A list is one leaf: its elements in order,
or sorted if the order means nothing. `normalize_live` applies the settings earlier, when live is read. A difference is
the path of the shallowest leaf at which two sides are not equal.
"""

import contextlib
import itertools
import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.assistant.fields import UNORDERED, WHOLE_NUMBERS
from reconciler.assistant.paths import FieldPath
from reconciler.core.settings import Settings
from reconciler.core.tree import MISSING, Missing, paths_matching, put_all, value_at

_SINGLE: Final = struct.Struct("f")
# Returns a text that is equal only for values that are sent the same; a missing value is not null. One for all: lists
# may be long, and a fleet has many values.
exact_text: Final = json.JSONEncoder(sort_keys=True, default=lambda missing: {"": repr(missing)}).encode


class Whole(list[Any]):
    """A list that requires exactly its elements: a live list with more keys in an element differs, and is replaced."""


def normalize_live(live: Mapping[str, Any], declared: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return live in the form that is compared with a definition, and that goes along in a body."""
    # Without these keys, no body contains them, no check misses them, and no plan becomes stale by them.
    managed = ((path, MISSING) for pattern in settings.never_send for path in paths_matching(live, pattern))
    # A definition cannot declare `600.0` where the API takes whole numbers, but a server may write them so.
    numbers = ((path, value_at(live, path)) for path in WHOLE_NUMBERS)
    whole = ((path, int(value)) for path, value in numbers if isinstance(value, float) and value.is_integer())
    aligned = align_line_ends(put_all(live, (*managed, *whole)), declared, settings)
    # Most fields are in sync. To save memory, an identical live value is replaced by the definition's own object.
    return {key: _choose_same(declared.get(key, MISSING), value) for key, value in aligned.items()}


def align_line_ends(value: Any, declared: Any, settings: Settings) -> Any:
    """Return a value of live or of the base, with the definition's line ends where the settings ask for that."""
    return _align(value, declared) if settings.line_endings == "any" else value


def use_line_feeds(value: Any) -> Any:
    """Return a value in which all texts, at any depth, have LF where they had CRLF."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n")
    if isinstance(value, Mapping):
        return {key: use_line_feeds(item) for key, item in value.items()}
    return [use_line_feeds(item) for item in value] if isinstance(value, list) else value


def equal(declared: Any, live: Any, path: FieldPath = ()) -> bool:
    """Return whether live has what is declared at a path; undeclared live keys do not count, at any depth."""
    if declared is live or holds_exactly(declared, live):
        return True
    return bool(canonical(declared, path) == canonical(restrict_to_declared(declared, live), path))


def holds_exactly(declared: Any, live: Any) -> bool:
    """Return whether live has every declared value exactly as written. If not, the values may still be equal."""
    # Most fields are in sync, and this takes a tenth of two canonical forms. By type, because True == 1 in Python.
    if type(declared) is not type(live):
        return False
    if type(declared) is dict:
        return all(key in live and holds_exactly(value, live[key]) for key, value in declared.items())
    if type(declared) is list:
        return len(declared) == len(live) and all(map(holds_exactly, declared, live))
    return bool(declared == live) and type(declared) is not Whole


def _choose_same(declared: Any, live: Any) -> Any:
    return declared if holds_exactly(declared, live) and holds_exactly(live, declared) else live


def equal_completely(left: Any | Missing, right: Any | Missing, path: FieldPath = ()) -> bool:
    """Return whether two live values are equal in every part, declared or not; a missing key is null."""
    first, second = (None if value is MISSING else value for value in (left, right))
    # Nearly always they are equal, and mostly written alike, which is far cheaper to check.
    return exact_text(first) == exact_text(second) or bool(canonical(first, path) == canonical(second, path))


def equal_exactly(left: Any, right: Any) -> bool:
    """Return whether two values are sent the same; a missing value is not null."""
    # Usually they are the same object, and comparing a fleet's texts takes long.
    return left is right or exact_text(left) == exact_text(right)


def digest_of(value: Any) -> str:
    """Return a fingerprint that is the same only for values that are sent the same; a missing value is null."""
    import hashlib  # it loads OpenSSL, and `validate` needs neither

    text = exact_text(None if value is MISSING else value)
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def restrict_to_declared(declared: Any, live: Any) -> Any:
    """Return live with the declared keys only. Where nothing is asked for, what is declared."""
    # `metadata: {}` is in sync with every live metadata: it names no key that could differ.
    if not asks_anything(declared):
        return declared
    if isinstance(declared, dict):
        # An object that live lacks is compared key by key, so that each key is a leaf.
        if live is None or live is MISSING:
            live = {}
        if isinstance(live, dict):
            return {key: restrict_to_declared(value, live.get(key)) for key, value in declared.items()}
    # Elements are matched by index, which is only possible in lists of the same length.
    pairs = isinstance(declared, list) and isinstance(live, list) and len(declared) == len(live)
    if pairs and not isinstance(declared, Whole):
        return [restrict_to_declared(*pair) for pair in zip(declared, live, strict=True)]
    return None if live is MISSING else live


def asks_anything(declared: Any) -> bool:
    """Return whether a declared value asks for anything. An object that contains only empty objects does not."""
    return any(map(asks_anything, declared.values())) if isinstance(declared, dict) else True


def canonical(value: Any, path: FieldPath = ()) -> Any:
    """Return the canonical form of a JSON value at a path; objects stay dicts, without their nulls."""
    # Lists and booleans become tagged tuples, which no JSON value is. Texts come first, since most values are texts.
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return ("boolean", str(value))
    if isinstance(value, float):
        number = value if value.is_integer() else _round_to_single(value)
        return int(number) if number.is_integer() else number
    if isinstance(value, dict):
        return {key: canonical(item, (*path, key)) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        elements = map(_make_element, value)
        # In one text, since a list may have very many elements; those without an order need one each.
        return ("list", tuple(sorted(map(exact_text, elements))) if path in UNORDERED else exact_text([*elements]))
    return value


def find_differing_leaves(declared: Mapping[str, Any], live: Mapping[str, Any]) -> tuple[FieldPath, ...]:
    """Return the sorted paths of the shallowest leaves at which live does not have what is declared."""
    # Field by field, so that deepdiff sees only those that differ: it takes far longer than `==`.
    declared_forms: dict[str, Any] = {}
    live_forms: dict[str, Any] = {}
    for field, value in declared.items():
        if holds_exactly(value, live.get(field, MISSING)):
            continue
        declared_form = canonical(value, (field,))
        live_form = canonical(restrict_to_declared(value, live.get(field)), (field,))
        if declared_form != live_form:
            declared_forms[field], live_forms[field] = declared_form, live_form
    return tuple(sorted(_find_leaves(declared_forms, live_forms))) if declared_forms else ()


def find_differing_declarations(left: Mapping[str, Any], right: Mapping[str, Any]) -> tuple[FieldPath, ...]:
    """Return the sorted paths of the shallowest leaves at which two definitions do not declare the same."""
    # A field that only one of them declares is a difference, a null too.
    return tuple(sorted(_find_differences(left, right, ())))


def find_only_difference(declared: Any, live: Any, path: FieldPath) -> FieldPath:
    """Return the only place that differs from live, with the definition's indices; `path` if there are several."""
    paths = list(_find_differences(declared, restrict_to_declared(declared, live), path, in_lists=True))
    return paths[0] if len(paths) == 1 else path


def find_differing_line(text: Any, other: Any) -> int:
    """Return the first line, from 1, that differs from another value; the last one if lines were only removed."""
    if not (isinstance(text, str) and isinstance(other, str)):
        return 1
    lines, other_lines = (side.replace("\r\n", "\n").split("\n") for side in (text, other))
    alike = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(lines, other_lines, strict=False))
    return min(sum(1 for _ in alike) + 1, len(lines))


def _round_to_single(value: float) -> float:
    """Return the fraction that a server keeps which stores numbers in 32 bits: 0.4000000059604645 for 0.4."""
    with contextlib.suppress(OverflowError):
        value = _SINGLE.unpack(_SINGLE.pack(value))[0]
    return value


def _make_element(value: Any) -> Any:
    """Return the canonical form of what is inside a list, lists in lists as they nest."""
    # As a text, as in `canonical`, each level would quote the one inside once more and double its length.
    if isinstance(value, dict):
        return {key: _make_element(item) for key, item in value.items() if item is not None}
    return ["list", *map(_make_element, value)] if isinstance(value, list) else canonical(value)


def _align(value: Any, declared: Any) -> Any:
    if isinstance(value, str):
        # A text that differs in its line ends alone is the same. Any other gets LF, or it would differ in every line.
        same = isinstance(declared, str) and use_line_feeds(declared) == use_line_feeds(value)
        return declared if same else use_line_feeds(value)
    # What nobody declared keeps its line ends: it is sent back as it came.
    if isinstance(value, Mapping) and isinstance(declared, Mapping):
        return {key: _align(item, declared[key]) if key in declared else item for key, item in value.items()}
    if isinstance(value, list) and isinstance(declared, list):
        return [*_align_items(value, declared)]
    return value


def _align_items(items: list[Any], declared: list[Any]) -> Iterator[Any]:
    texts = {use_line_feeds(item): item for item in declared if isinstance(item, str)}
    for index, item in enumerate(items):
        if isinstance(item, str):
            # A text may have another place live.
            yield texts.get(use_line_feeds(item), use_line_feeds(item))
        else:
            # An element that the definition lacks is not sent back.
            yield _align(item, declared[index]) if index < len(declared) else use_line_feeds(item)


def _find_differences(
    left: Any | Missing, right: Any | Missing, path: FieldPath, *, in_lists: bool = False
) -> Iterator[FieldPath]:
    # An object that one side lacks is compared key by key, so that `{}` on the other side is no difference.
    if left is MISSING and isinstance(right, Mapping):
        left = {}
    elif right is MISSING and isinstance(left, Mapping):
        right = {}
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in left.keys() | right.keys():
            items = left.get(key, MISSING), right.get(key, MISSING)
            yield from _find_differences(*items, (*path, key), in_lists=in_lists)
    elif in_lists and isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, items in enumerate(zip(left, right, strict=True)):
            yield from _find_differences(*items, (*path, str(index)), in_lists=True)
    elif canonical(left, path) != canonical(right, path):
        yield path


def _find_leaves(declared: dict[str, Any], live: dict[str, Any]) -> set[FieldPath]:
    # It takes a fifth of a second to import, and a run in which nothing differs never needs it.
    from deepdiff import DeepDiff

    # By default deepdiff takes objects with few keys in common as one difference, and skips keys that begin with `__`.
    difference = DeepDiff(declared, live, view="tree", threshold_to_diff_deeper=0, ignore_private_variables=False)
    # A key inside a tagged tuple (a list, a boolean) is an integer: the leaf ends before it.
    paths = (level.path(output_format="list") for levels in difference.values() for level in levels)
    return {tuple(itertools.takewhile(lambda key: isinstance(key, str), path)) for path in paths}
