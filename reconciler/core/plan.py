"""The plan for one assistant: a value, built from desired, live and base."""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from reconciler.assistant.fields import CLOSED_OBJECTS
from reconciler.assistant.paths import FieldPath, covers, dotted, to_pointer
from reconciler.core.canonical import digest_of, equal, equal_exactly
from reconciler.core.line_merge import MergeTexts, never_merge
from reconciler.core.origin import Base, Change, find_changes, find_leaf, find_released
from reconciler.core.outcome import Kind, Status, Unsent
from reconciler.core.overrides import NO_OVERRIDES, Ignored, Overrides, keep_in_lists, rule_for, split_ignored
from reconciler.core.patch import build_patch, find_lost_keys, warn_of_leftovers
from reconciler.core.settings import EnforceRule, Freeze, OnDrift
from reconciler.core.tree import MISSING, item_at, paths_matching, prune, put_at, replace_covered, value_at
from reconciler.dataclass import dataclass

# The other reasons why a change is not sent concern that change alone.
_REFUSALS: dict[Unsent | None, Kind] = {Unsent.CONFLICT: Kind.CONFLICT, Unsent.DRIFT: Kind.DRIFT}


@dataclass(frozen=True, slots=True)
class Policy:
    """What to do with fields that somebody else changed."""

    on_drift: OnDrift = "keep"
    force_conflicts: bool = False
    always_send: tuple[str, ...] = ()
    read_only: bool = False  # nothing at all is sent
    create: bool = False  # new assistants are created
    only_unclear: bool = False  # nothing but fields whose last write is unclear is sent, and what is enforced

    @property
    def options(self) -> dict[str, Any]:
        """The options that a report names, by which its differences are sent or left."""
        return {"on_drift": self.on_drift, "force_conflicts": self.force_conflicts}


DEFAULT_POLICY = Policy()


@dataclass(frozen=True, slots=True)
class Plan:
    """The differences of one assistant and the patch that settles them, None if nothing is to be sent."""

    changes: tuple[Change, ...] = ()
    released: tuple[FieldPath, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    patch: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    resent: frozenset[FieldPath] = frozenset()  # what the patch sends once more although live shows it already
    unclear: frozenset[FieldPath] = frozenset()  # what live shows, and the provider may lack: those, or none is sent
    creates: bool = False  # the patch is the body of the request that creates the assistant
    enforced: Mapping[FieldPath, EnforceRule] = dataclasses.field(default_factory=dict)  # live edits that are reverted
    freeze: Freeze | None = None  # set if it holds something back

    @property
    def status(self) -> Status:
        """The first status, in the order of the enum, that one of the differences asks for."""
        if self.creates:
            return Status.NEW
        statuses = {Status.FROZEN if self.freeze is not None else change.kind.status for change in self.changes}
        return next((status for status in Status if status in statuses), Status.IN_SYNC)

    @property
    def replaced(self) -> tuple[tuple[FieldPath, Any], ...]:
        """The leaves that the patch changes, each with the live value that it loses."""
        # The check right before a write compares these with fresh live values.
        return tuple((change.path, change.live) for change in self.changes if change.sent)

    @property
    def sent_paths(self) -> tuple[FieldPath, ...]:
        """The leaves that the patch changes."""
        return tuple(change.path for change in self.changes if change.sent)

    @property
    def unsent_paths(self) -> frozenset[FieldPath]:
        """The differing leaves that keep their live value."""
        return frozenset(change.path for change in self.changes if not change.sent)

    @property
    def refusal(self) -> Kind | None:
        """The kind of difference for which a policy refuses the whole assistant."""
        return next((refusal for change in self.changes if (refusal := _REFUSALS.get(change.unsent))), None)

    def stop(self) -> "Plan":
        """Return the plan for an assistant to which no request was sent."""
        changes = tuple(
            dataclasses.replace(change, unsent=Unsent.STOPPED) if change.sent else change for change in self.changes
        )
        return dataclasses.replace(self, changes=changes, patch=None, resent=frozenset())

    def same_write(self, other: "Plan") -> bool:
        """Return whether another plan sends the same patch over the same live values."""
        return equal_exactly((self.patch, self.replaced), (other.patch, other.replaced))

    def digest(
        self, assistant_id: str, *, sensitive: Sequence[FieldPath] = (), live_updated_at: str | None = None
    ) -> str | None:
        """Return the fingerprint of the write, None if nothing is sent; `updatedAt` stands for sensitive values."""
        if self.patch is None:
            return None
        write = [self.patch, [[to_pointer(path), live] for path, live in self.replaced]]

        # Others read the report, and could guess a short value from its digest. `MISSING` takes its place, so that its
        # key still counts.
        def hide(value: Any, path: FieldPath = ()) -> Any:
            return replace_covered(value, path, sensitive, lambda _: MISSING)

        visible = [hide(self.patch), [[to_pointer(path), hide(live, path)] for path, live in self.replaced]]
        # Without the hidden values, two writes could look the same; `updatedAt` changes whenever one of them is edited.
        is_hidden = visible != write
        return digest_of([assistant_id, *visible, live_updated_at if is_hidden else None])


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Plans one assistant. `overrides` are the settings' entries that apply to it, `merge_texts` merges two edits."""

    policy: Policy = DEFAULT_POLICY
    overrides: Overrides = NO_OVERRIDES
    merge_texts: MergeTexts = never_merge

    def plan(
        self,
        desired: Mapping[str, Any],
        live: Mapping[str, Any],
        base: Base = MISSING,
        *,
        resend: Collection[FieldPath] = (),
    ) -> Plan:
        """Return the plan. Raises IncompleteObject if the definition cannot be sent.

        `base` is the definition as last applied, `MISSING` without one. `resend` are fields whose last write is
        unclear: where they are declared they are sent even if live shows them.
        """
        policy, overrides = self.policy, self.overrides
        desired, plan = self._compare(desired, live, base, resend)
        # A difference stays a difference, even after an unclear write: by now it may be somebody's edit.
        differing = {*(change.path for change in plan.changes), *(entry.path for entry in plan.ignored)}
        # What is ignored stays unclear until the ignore ends: only then can its entry say what was sent. A refused
        # assistant is not written at all.
        undeclared = {path: "no longer declared" for path in resend if find_leaf(desired, path)[1] is MISSING}
        held = undeclared | dict.fromkeys(filter(self._is_ignored, resend), "now ignored")
        unclear = frozenset(path for path in resend if path not in {*differing, *held} and not plan.refusal)
        may_write = overrides.freeze is None and not policy.read_only
        freeze = overrides.freeze if unclear and not policy.read_only else plan.freeze
        plan = dataclasses.replace(plan, unclear=unclear, resent=unclear if may_write else frozenset(), freeze=freeze)
        patch = self._build_patch(plan, desired, live)
        warnings = (*overrides.warn_of_kept(plan.changes), *_list_warnings(plan, desired, live, patch or {}, resend))
        note = "the outcome of the last write of {}, which is {}, is unclear"
        notes = (note.format(dotted(path), reason) for path, reason in sorted(held.items()))
        return dataclasses.replace(plan, patch=patch, warnings=(*warnings, *notes))

    def plan_creation(self, desired: Mapping[str, Any]) -> Plan:
        """Return the plan for an assistant that does not exist yet. Raises IncompleteObject."""
        body = build_patch(desired, {}, list(desired), keeps_live=lambda _: False) or {}
        # For a command that looks for live edits, a new assistant has none.
        if self.policy.read_only:
            return Plan(creates=True)
        # Reviewers learn of the freeze before the apply.
        freeze = self.overrides.freeze
        unsent = Unsent.FROZEN if freeze is not None else None if self.policy.create else Unsent.NEW
        changes = tuple(dataclasses.replace(change, unsent=unsent) for change in find_changes(desired, {}, MISSING))
        # A new assistant needs no nulls.
        body = {field: value for field, value in body.items() if value is not None}
        return Plan(changes=changes, patch=body if unsent is None else None, creates=True, freeze=freeze)

    def plan_offline(self, desired: Mapping[str, Any], base: Base) -> Plan:
        """Return what a definition changes since the base, which replaces live; the patch is unknown."""
        return self._compare(desired, {} if base is MISSING else base, base)[1]

    def rebuild_patch(self, plan: Plan, desired: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the patch that sends a plan's fields once more, over fresh live; None if live shows a third value."""
        # A third value is neither the old one nor ours: somebody else has changed it since. If live shows ours, it is
        # sent anyway: a read shows only the database's copy, and the provider may lack it.
        desired, _ = keep_in_lists(desired, live, self.overrides.ignore)
        for path, old in plan.replaced:
            fresh = value_at(live, path)
            ours = prune(value_at(desired, path), self._is_ignored, path)
            # Exactly the old value: any other one, even an equal one, was written after the last read.
            if not equal_exactly(fresh, old) and not equal(ours, fresh, path):
                return None
        return self._build_patch(plan, desired, live)

    def _compare(
        self, desired: Mapping[str, Any], live: Mapping[str, Any], base: Base, resend: Collection[FieldPath] = ()
    ) -> tuple[Mapping[str, Any], Plan]:
        """Return desired with what its lists keep of live, and the plan without a patch."""
        ignore, declared, recorded = self.overrides.ignore, desired, base
        desired, inside_lists = keep_in_lists(desired, live, ignore)
        # In base too. Otherwise an edit at an ignored place would look like a change of the whole list.
        base, _ = keep_in_lists(base, live, ignore)
        # A value that was always ignored is not in the base. Inside a list, every edit would then be a conflict.
        for path in (path for rule in ignore for path in paths_matching(desired, rule.path)):
            if item_at(base, path) is MISSING and isinstance(item_at(base, path[:-1]), Mapping):
                base = put_at(base, path, item_at(desired, path))
        changes = find_changes(desired, live, base, ignored=self._is_ignored, merge_texts=self.merge_texts)
        changes, ignored = split_ignored(changes, ignore, inside_lists)

        # A path that was always ignored is not in the record.
        def has_moved(path: FieldPath) -> bool:
            old = item_at(recorded, path)
            return old is not MISSING and not equal(item_at(declared, path), old, path)

        enforced = self.overrides.find_enforced(changes)
        return desired, Plan(
            changes=self._decide_sent(changes, enforced.keys(), resend),
            released=find_released(desired, base),
            ignored=tuple(dataclasses.replace(entry, changed_in_git=has_moved(entry.path)) for entry in ignored),
            enforced=enforced,
            freeze=self.overrides.freeze if changes else None,
        )

    def _decide_sent(
        self, changes: Sequence[Change], enforced: Collection[FieldPath], resend: Collection[FieldPath]
    ) -> tuple[Change, ...]:
        """Return the differences with why each is not sent; `enforced` are live edits that are reverted anyway."""
        # Only this function decides. A command that never writes refuses nothing, and a freeze asks for nothing.
        policy = self.policy
        if policy.read_only or self.overrides.freeze is not None:
            general = Unsent.READ_ONLY if policy.read_only else Unsent.FROZEN
            return tuple(dataclasses.replace(change, unsent=general) for change in changes)
        kept: set[FieldPath] = set()
        for change in (change for change in changes if change.path not in enforced):
            # A resumed apply leaves the other fields of an assistant to the next one, whoever has changed them.
            is_later = policy.only_unclear and not any(covers(field, change.path) for field in resend)
            if is_later or (change.kind is Kind.DRIFT and policy.on_drift == "keep"):
                kept.add(change.path)
        kinds = {change.kind for change in changes if change.path not in {*enforced, *kept}}
        # People reviewed the changes together, so one refusal stops all that are not kept in any case. A conflict comes
        # before drift: allowing one does not allow the other, and the more severe one is named.
        refusal: Unsent | None = None
        if Kind.CONFLICT in kinds and not policy.force_conflicts:
            refusal = Unsent.CONFLICT
        elif Kind.DRIFT in kinds and policy.on_drift == "fail":
            refusal = Unsent.DRIFT
        return tuple(
            dataclasses.replace(change, unsent=Unsent.KEPT if change.path in kept else refusal) for change in changes
        )

    def _build_patch(self, plan: Plan, desired: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any] | None:
        # The API takes top-level fields, so a change inside one sends the whole field.
        touched = {path[0] for path in (*plan.sent_paths, *plan.resent)}
        # An object is sent whole, so unsent parts of it must get their live value.
        kept_paths = {*plan.unsent_paths, *(entry.path for entry in plan.ignored)}
        return build_patch(
            desired,
            live,
            [field for field in desired if field in touched],
            keeps_live=lambda path: path in kept_paths or self._is_ignored(path),
            always_send=self.policy.always_send,
        )

    def _is_ignored(self, path: FieldPath) -> bool:
        return rule_for(path, self.overrides.ignore) is not None


def find_remaining(plan: Plan, replanned: Plan) -> tuple[FieldPath, ...]:
    """Return the paths at which live, planned again after a write, does not show what was sent."""
    # Fields that keep their live value on purpose still differ, and must not count against the write.
    return tuple(change.path for change in replanned.changes if change.path not in plan.unsent_paths)


def _list_warnings(
    plan: Plan,
    desired: Mapping[str, Any],
    live: Mapping[str, Any],
    patch: Mapping[str, Any],
    resend: Collection[FieldPath],
) -> Iterator[str]:
    for field in sorted(patch.keys() & desired.keys()):
        declared, old, new = desired[field], live.get(field), patch[field]
        for path in find_lost_keys(new, old, (field,)):
            yield f"{dotted(path)} is live but not declared, and sending its list element removes it"
        if field in CLOSED_OBJECTS and isinstance(declared, Mapping) and isinstance(old, Mapping):
            yield from warn_of_leftovers(field, declared, old, new)
    for path in sorted(plan.unclear):
        if path in plan.resent:
            yield f"{dotted(path)} is sent again although it is live: the outcome of its last write is unclear"
        else:
            yield (
                f"the outcome of the last write of {dotted(path)} is unclear: live shows git's value, but the provider "
                "may have another until an apply sends it again"
            )
    for path in sorted(plan.unsent_paths & set(resend)):
        yield (
            f"the outcome of the last write of {dotted(path)} is unclear: live may show a value that the provider "
            "does not have; an apply with --on-drift revert and --force-conflicts sends git's"
        )
