"""What is to be done about one assistant: a plan is a value, made from desired, live and base."""

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from reconciler.assistant.fields import CLOSED_OBJECTS
from reconciler.assistant.paths import FieldPath, covers, dotted, to_pointer
from reconciler.core.canonical import equal, same
from reconciler.core.ignore import Ignored, accepted, kept_in_lists, rule_for
from reconciler.core.origin import Base, Change, changes, released
from reconciler.core.outcome import Kind, Status, Unsent
from reconciler.core.patch import Kept, build_patch, lost_keys
from reconciler.core.settings import IgnoreRule, OnDrift
from reconciler.core.tree import MISSING, prune, value_at

_REFUSALS: dict[Unsent | None, Kind] = {Unsent.CONFLICT: Kind.CONFLICT, Unsent.DRIFT: Kind.DRIFT}


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """What to do with fields that somebody else moved, and which fields every patch carries.

    Under a `read_only` policy nothing is sent, whatever differs.
    """

    on_drift: OnDrift = "keep"
    force_conflicts: bool = False
    always_send: tuple[str, ...] = ()
    read_only: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """The differences of one assistant and the patch that settles them.

    `patch` is None where nothing is to be sent. `resent` are leaves that the patch sends once more although live
    shows them already.
    """

    changes: tuple[Change, ...] = ()
    released: tuple[FieldPath, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    patch: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    resent: frozenset[FieldPath] = frozenset()

    @property
    def status(self) -> Status:
        """The status of the gravest difference."""
        kinds = [change.kind.status for change in self.changes]
        return min(kinds, key=lambda status: status.severity, default=Status.IN_SYNC)

    @property
    def replaced(self) -> tuple[tuple[FieldPath, Any], ...]:
        """The leaves that the patch changes, each with the live value that it loses."""
        return tuple((change.path, change.live) for change in self.changes if change.sent)

    @property
    def left(self) -> frozenset[FieldPath]:
        """The differing leaves that keep their live value."""
        return frozenset(change.path for change in self.changes if not change.sent)

    @property
    def refusal(self) -> Kind | None:
        """The kind of difference for which a policy refuses the whole assistant."""
        return next((refusal for change in self.changes if (refusal := _REFUSALS.get(change.unsent))), None)

    def stop(self) -> "Plan":
        """Return the plan of an assistant for which no request left: what was to be sent was not."""
        changes = tuple(
            dataclasses.replace(change, unsent=Unsent.STOPPED) if change.sent else change for change in self.changes
        )
        return dataclasses.replace(self, changes=changes, patch=None, resent=frozenset())

    def same_write(self, other: "Plan") -> bool:
        """Tell whether another plan sends the same patch over the same live values."""
        return _exact((self.patch, self.replaced)) == _exact((other.patch, other.replaced))


def make_plan(
    desired: Mapping[str, Any],
    live: Mapping[str, Any],
    base: Base = MISSING,
    *,
    policy: Policy = Policy(),
    ignore: Sequence[IgnoreRule] = (),
    resend: Collection[FieldPath] = (),
) -> Plan:
    """Return what is to be done about one assistant.

    `base` is the definition as last applied, `MISSING` without one; `ignore` are the rules that concern
    this assistant. `resend` are fields whose last write is unclear: as far as they are declared they are sent
    even where live shows them. Raises IncompleteObject where the definition cannot be sent.
    """
    desired, base, inside = _kept_in_lists(desired, base, live, ignore)
    found, ignored = accepted(changes(desired, live, base, ignored=_is_ignored(ignore)), ignore, inside)
    found = decide_sent(found, policy)
    plan = Plan(changes=found, released=released(desired, base), ignored=ignored)
    differing = {*(change.path for change in found), *(entry.path for entry in ignored)}
    resent = frozenset() if plan.refusal or policy.read_only else _resent(desired, resend, differing)
    touched = {path[0] for path in (*(path for path, _ in plan.replaced), *resent)}
    patch = build_patch(
        desired,
        live,
        [field for field in desired if field in touched],
        kept=_kept(plan.left, ignored, ignore),
        always_send=policy.always_send,
    )
    warnings = (
        *_warnings(desired, live, patch or {}),
        *map(_sent_again, sorted(resent)),
        *map(_left_unclear, sorted(plan.left & set(resend))),
    )
    return dataclasses.replace(plan, patch=patch, warnings=warnings, resent=resent)


def decide_sent(found: Sequence[Change], policy: Policy) -> tuple[Change, ...]:
    """Return the differences of one assistant, each with the reason why it is not sent, if it is not.

    This is the one place that decides it. A refusal concerns the whole assistant: half of a change that was
    reviewed together must not go live alone.
    """
    kinds = {change.kind for change in found}
    refusal: Unsent | None = None
    if Kind.CONFLICT in kinds and not policy.force_conflicts:
        refusal = Unsent.CONFLICT
    elif Kind.DRIFT in kinds and policy.on_drift == "fail":
        refusal = Unsent.DRIFT
    if policy.read_only:
        refusal = Unsent.READ_ONLY
    return tuple(
        dataclasses.replace(
            change,
            unsent=refusal or (Unsent.KEPT if change.kind is Kind.DRIFT and policy.on_drift == "keep" else None),
        )
        for change in found
    )


def plan_offline(
    desired: Mapping[str, Any], base: Base, *, policy: Policy = Policy(), ignore: Sequence[IgnoreRule] = ()
) -> Plan:
    """Return what a definition changes since the base, which stands in for live; nobody can say what to send."""
    live = {} if base is MISSING else base
    desired, base, inside = _kept_in_lists(desired, base, live, ignore)
    found, ignored = accepted(changes(desired, live, base, ignored=_is_ignored(ignore)), ignore, inside)
    return Plan(changes=decide_sent(found, policy), released=released(desired, base), ignored=ignored)


def patch_again(
    plan: Plan,
    desired: Mapping[str, Any],
    live: Mapping[str, Any],
    *,
    policy: Policy = Policy(),
    ignore: Sequence[IgnoreRule] = (),
) -> dict[str, Any] | None:
    """Return the patch that sends a plan's fields once more, over fresh live, even where live already shows them.

    None where live shows a third value, neither the old one nor ours: somebody else has been there since.
    """
    desired, _ = kept_in_lists(desired, live, ignore)
    for path, old in plan.replaced:
        fresh = value_at(live, path)
        ours = prune(value_at(desired, path), _is_ignored(ignore), path)
        if _exact(fresh) != _exact(old) and not equal(ours, fresh, path):
            return None
    touched = {path[0] for path in (*(path for path, _ in plan.replaced), *plan.resent)}
    return build_patch(
        desired,
        live,
        [field for field in desired if field in touched],
        kept=_kept(plan.left, plan.ignored, ignore),
        always_send=policy.always_send,
    )


def remaining(plan: Plan, after: Plan) -> tuple[FieldPath, ...]:
    """Return the paths at which live, planned again after a write, does not show what was sent."""
    return tuple(change.path for change in after.changes if change.path not in plan.left)


def undeclared_changes(
    declared: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any], path: FieldPath = ()
) -> Iterator[FieldPath]:
    """Yield the paths that no definition declares and that changed between two readings; null is a missing key."""
    for key in sorted(before.keys() | after.keys()):
        old, new, below = before.get(key), after.get(key), (*path, key)
        if key not in declared:
            if below != ("updatedAt",) and not same(old, new):
                yield below
        elif isinstance(declared[key], Mapping) and isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from undeclared_changes(declared[key], old, new, below)


def dropped_keys(
    patch: Mapping[str, Any], declared: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[FieldPath, ...]:
    """Return the undeclared keys that went along in an object that was sent, and that live no longer has.

    An API that drops what it does not know does that.
    """
    sent = {field: declared.get(field, {}) for field, value in patch.items() if isinstance(value, Mapping)}
    changed = undeclared_changes({**declared, **sent}, before, after)
    return tuple(path for path in changed if path[0] in sent and value_at(after, path) in (MISSING, None))


def digest(
    assistant_id: str, plan: Plan, *, sensitive: Sequence[FieldPath] = (), live_updated_at: str | None = None
) -> str | None:
    """Return the fingerprint of a plan's write: the assistant, the real patch and the live values that it replaces.

    Sensitive values are left out, or a digest of a short one could be guessed; the live `updatedAt` stands
    in for them. None where nothing is sent.
    """
    if plan.patch is None:
        return None
    patch = _without(plan.patch, (), sensitive)
    replaced = [[to_pointer(path), _without(live, path, sensitive)] for path, live in plan.replaced]
    hidden = _exact(patch) != _exact(plan.patch) or _exact(replaced) != _exact(
        [[to_pointer(path), live] for path, live in plan.replaced]
    )
    text = _exact([assistant_id, patch, replaced, live_updated_at if hidden else None])
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _kept_in_lists(
    desired: Mapping[str, Any], base: Base, live: Mapping[str, Any], ignore: Sequence[IgnoreRule]
) -> tuple[Mapping[str, Any], Base, tuple[Ignored, ...]]:
    """Return desired and base with live's values at the ignored places inside lists, and those that differ."""
    desired, inside = kept_in_lists(desired, live, ignore)
    return desired, base if base is MISSING else kept_in_lists(base, live, ignore)[0], inside


def _is_ignored(ignore: Sequence[IgnoreRule]) -> Kept:
    return lambda path: rule_for(path, ignore) is not None


def _kept(left: Collection[FieldPath], ignored: Sequence[Ignored], ignore: Sequence[IgnoreRule]) -> Kept:
    """Return which paths keep their live value: changes that are not sent, and what a rule accepts."""
    paths = {*left, *(entry.path for entry in ignored)}
    return lambda path: path in paths or rule_for(path, ignore) is not None


def _resent(
    desired: Mapping[str, Any], resend: Collection[FieldPath], differing: Collection[FieldPath]
) -> frozenset[FieldPath]:
    """Return the fields to send again that are still declared, and in sync as far as live can tell."""
    return frozenset(path for path in resend if path not in differing and value_at(desired, path) is not MISSING)


def _warnings(desired: Mapping[str, Any], live: Mapping[str, Any], patch: Mapping[str, Any]) -> Iterator[str]:
    for field in sorted(patch.keys() & desired.keys()):
        declared, old, new = desired[field], live.get(field), patch[field]
        for path in lost_keys(new, old, (field,)):
            yield f"{dotted(path)} is live but not declared, and goes with the list element that is sent"
        if field in CLOSED_OBJECTS and isinstance(declared, Mapping) and isinstance(old, Mapping):
            yield from _left_over(field, declared, old, new)


def _sent_again(path: FieldPath) -> str:
    return f"{dotted(path)} is sent again, though live shows it: the last write of it had no clear answer"


def _left_unclear(path: FieldPath) -> str:
    return (
        f"the last write of {dotted(path)} had no clear answer, so live may show our own value, or the provider hold "
        "another: --on-drift revert and --force-conflicts send git's"
    )


def _left_over(
    field: str, declared: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[str]:
    """Warn of live keys that stay when the provider changes: the new one may not understand them."""
    before, after = old.get("provider"), new.get("provider")
    staying = sorted(key for key, value in old.items() if key not in declared and value is not None)
    if after is not None and before is not None and before != after and staying:
        names = ", ".join(dotted((field, key)) for key in staying)
        yield (
            f"{field}.provider changes from {before} to {after}, and {names} of the old one "
            f"{'stays' if len(staying) == 1 else 'stay'}: declare what the new one needs"
        )


def _without(value: Any, path: FieldPath, sensitive: Sequence[FieldPath]) -> Any:
    if any(covers(pattern, path) for pattern in sensitive):
        return MISSING
    if isinstance(value, Mapping):
        return {key: _without(item, (*path, key), sensitive) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(item, (*path, str(index)), sensitive) for index, item in enumerate(value)]
    return value


def _exact(value: Any) -> str:
    """Return a text that is equal only for values that are sent alike; a missing value is no null."""
    return json.dumps(value, sort_keys=True, default=lambda missing: {"": repr(missing)})
