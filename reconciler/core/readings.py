"""What readings of an assistant show: whose it is, and what changed between two that nobody declares. Pure."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.core.canonical import equal_as_wholes, exact_text
from reconciler.core.run import Failure
from reconciler.core.settings import Settings
from reconciler.core.tree import MISSING, value_at


def find_undeclared_changes(
    declared: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any], path: FieldPath = ()
) -> Iterator[FieldPath]:
    """Yield the paths that no definition declares and that changed between two readings; null is a missing key."""
    for key in sorted(before.keys() | after.keys()):
        old, new, below = before.get(key), after.get(key), (*path, key)
        if key not in declared:
            # The API moves it with every write.
            if below != ("updatedAt",) and not equal_as_wholes(old, new):
                yield below
        # A declared value, a list too, is compared with what was sent, elsewhere.
        elif isinstance(declared[key], Mapping) and isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from find_undeclared_changes(declared[key], old, new, below)


def find_dropped_keys(
    patch: Mapping[str, Any], declared: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[FieldPath, ...]:
    """Return the undeclared keys that went along in an object that was sent, and that live no longer has."""
    # An API that drops what it does not know does that. A field that was sent without being declared counts as an
    # object of which nothing is declared.
    sent = {field: declared.get(field, {}) for field, value in patch.items() if isinstance(value, Mapping)}
    changed = find_undeclared_changes({**declared, **sent}, before, after)
    return tuple(path for path in changed if path[0] in sent and value_at(after, path) in (MISSING, None))


def shows_nothing_new(sent: Collection[FieldPath], before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether all that was sent to change has, in the reading after it, exactly the value that it had before."""
    pairs = [(value_at(before, path), value_at(after, path)) for path in sent]
    return bool(pairs) and all(exact_text(old) == exact_text(now) for old, now in pairs)


def check_organisation(live: Mapping[str, Any], settings: Settings) -> Failure | None:
    """Return why an assistant is not ours to write: it is of another organisation than `org_id`, or of none."""
    if settings.org_id is None or live.get("orgId") == settings.org_id:
        return None
    owner = f"organisation {live['orgId']!r}" if live.get("orgId") else "no organisation"
    return Failure(
        "forbidden",
        f"the assistant belongs to {owner}, and org_id in reconciler.yaml is {settings.org_id!r}",
        hint="check the id and the API's URL, or correct org_id",
    )
