"""What faults do to an assistant's values: normalise them, drop undocumented keys, edit one. No input is changed."""

import json
from collections.abc import Mapping
from typing import Any

from reconciler.sandbox.fault_rules import DropUnknown, Edit, Normalise
from reconciler.sandbox.schemas import component_schemas
from reconciler.sandbox.seed import now
from reconciler.sandbox.store import Assistant, Store


def kept(rule: Normalise | DropUnknown, assistant: Assistant, body: Mapping[str, Any]) -> Assistant:
    """Return what a rule leaves of an assistant's top-level fields that a body has just set."""
    sent = {name: value for name, value in assistant.items() if name in body}
    if isinstance(rule, DropUnknown):
        return {**assistant, **{name: _documented(name, value) for name, value in sent.items()}}
    return {**assistant, **_normalised(rule, sent, rule.field)}


def _known_keys() -> dict[str, frozenset[str]]:
    """Return the documented keys of every field that is an object with a schema of its own."""
    schemas = component_schemas(nested="merge", strict=False)
    names = {
        field: rule.get("$ref", "").rpartition("/")[2] for field, rule in schemas["Assistant"]["properties"].items()
    }
    return {field: frozenset(schemas[name]["properties"]) for field, name in names.items() if name}


_KNOWN = _known_keys()


def _documented(name: str, value: Any) -> Any:
    if name not in _KNOWN or not isinstance(value, dict):
        return value
    return {key: inner for key, inner in value.items() if key in _KNOWN[name]}


def _normalised(rule: Normalise, value: Any, path: tuple[str, ...]) -> Any:
    """Return a value with what lies at and below a path normalised."""
    if path:
        if not isinstance(value, dict) or path[0] not in value:
            return value
        return {**value, path[0]: _normalised(rule, value[path[0]], path[1:])}
    if isinstance(value, dict):
        return {key: _normalised(rule, inner, ()) for key, inner in value.items()}
    if isinstance(value, list):
        several = [_normalised(rule, inner, ()) for inner in value]
        return sorted(several, key=_sort_key) if rule.how == "sort" else several
    if rule.how == "trim" and isinstance(value, str):
        return value.strip()
    if rule.how == "round" and isinstance(value, float):
        return round(value, rule.digits or None)
    return value


def _sort_key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def edit(store: Store, any_id: str, rule: Edit) -> bool:
    """Carry out an edit in both stores, given either id; tell whether there was such an assistant."""
    with store.lock:
        provider_id = store.find(any_id)
        if provider_id is None:
            return False
        for read, write in (
            (store.provider_copy, store.write_provider),
            (store.database_copy, store.write_database),
        ):
            assistant = read(provider_id)
            if assistant is not None:
                write({**_with(assistant, rule.field, rule.value), "updatedAt": now(after=assistant.get("updatedAt"))})
    return True


def _with(value: Any, path: tuple[str, ...], new: Any) -> Any:
    """Return a value with another one at a path; what stands in the way and is no object becomes one."""
    if not path:
        return new
    before = value if isinstance(value, dict) else {}
    return {**before, path[0]: _with(before.get(path[0]), path[1:], new)}
