"""The input of a run, read only once: settings, definitions, git's history, and the policy.

Every use case takes a `Project`. What counts as the base is data in it, so a rollback or a resumed apply is the
same run with another base.
"""

import dataclasses
import datetime
import functools
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.assistant.paths import FieldPath, dotted, parse_pointer
from reconciler.core.base import NO_BASE, BaseDefinitions, Entries
from reconciler.core.canonical import align_line_ends, normalize_live
from reconciler.core.definition import (
    SUFFIXES,
    Definition,
    Layer,
    defaults_above,
    is_definition_file,
    path_in,
    write_command,
)
from reconciler.core.outcome import Kind
from reconciler.core.overrides import Overrides, find_overrides
from reconciler.core.plan import DEFAULT_POLICY, Plan, Planner, Policy
from reconciler.core.settings import FILE_NAME, Settings, now
from reconciler.dataclass import dataclass
from reconciler.errors import DefinitionError, UsageError
from reconciler.files.definitions import Loaded
from reconciler.files.folders import folder_in_git, locate_overlays, shown_path
from reconciler.git.merge_file import merge_texts
from reconciler.git.record import NO_RECORD, Record, applied_ref, find_created, read_entries
from reconciler.git.repository import Repository
from reconciler.git.snapshot import Snapshot

NOTHING_LOADED = Loaded((), (), (), whole=False)
# deepdiff parses what it compares, and in several threads Python 3.11's parser sometimes fails
# (https://github.com/python/cpython/issues/106905). One thread at a time compares: a request takes far longer.
_COMPARING = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Project:
    """One run's settings, definitions, history and policy.

    The name of a commit that is not there is empty: of `head` before the first one, of `record` and `base` without one.
    """

    folder: Path
    root: Path
    settings: Settings
    named_by: tuple[str, ...] = ()  # the options of the command line that tell it from other projects
    loaded: Loaded = NOTHING_LOADED
    policy: Policy = DEFAULT_POLICY
    repository: Repository
    head: str = ""
    record: Record = NO_RECORD
    base: BaseDefinitions = NO_BASE  # without one live edits cannot be told from changes
    removed: frozenset[str] = frozenset()  # files that git has removed, as far as a run of selected files can tell
    # All definitions that differ from this commit are part of the run; None if they were chosen otherwise.
    fork: str | None = None
    announced: str = ""  # the commit in which this run has told the record what it is about to create
    may_create: frozenset[str] | None = None  # files that an earlier command has announced; None: the run does it
    notes: tuple[str, ...] = ()
    # Fields that are sent even if live shows them, by the assistant's id.
    resend: Mapping[str, tuple[FieldPath, ...]] = dataclasses.field(default_factory=dict)
    # The clock is read once. The report shows this time, and the settings judge their dates by its day.
    started_at: datetime.datetime = dataclasses.field(default_factory=now)

    @property
    def ref(self) -> str:
        """The ref of the applied record; each environment has its own."""
        return applied_ref(self.settings.environment)

    @property
    def how_to_fetch(self) -> str:
        """What to do where a clone lacks the record, as part of a hint."""
        return f"fetch the applied record (git fetch origin {self.ref}:{self.ref})"

    @property
    def how_to_get_base(self) -> str:
        """What to do where a run needs a base and has none, as part of a hint."""
        # Only `--base none` hides a record that is there.
        if self.record.commit:
            return "leave out --base none (or RECONCILER_BASE)"
        return f"pass --base REV, or {self.how_to_fetch}"

    def write_command(self, name: str, *words: str) -> str:
        """Return a command about this project, ready to be pasted into a shell."""
        return write_command(name, *self.named_by, *words)

    @functools.cached_property
    def below(self) -> str:
        """The definitions' folder as git knows it."""
        return folder_in_git(self.folder, self.root)

    @functools.cached_property
    def places(self) -> list[str]:
        """The folders of the definitions and, where the environment has one, of its overlays, as git knows them."""
        return [self.below, *([folder_in_git(self.overlays, self.root)] if self.overlays is not None else [])]

    @functools.cached_property
    def settings_path(self) -> str:
        """Where the settings are, or would be, from the repository's root."""
        return shown_path(self.folder.resolve().parent / FILE_NAME, self.root)

    @property
    def is_behind(self) -> bool:
        """Whether `HEAD` does not descend from what was applied last, as far as this clone knows."""
        return bool(self.record.commit) and not self.repository.is_ancestor(self.record.applied, self.head)

    def snapshot(self, commit: str, current: Sequence[Definition] = ()) -> Snapshot:
        """Return the definitions of a commit below the run's folder; files with `current` content are not parsed."""
        return Snapshot(self.repository, commit, self.below, self.settings.environment, current)

    @functools.cached_property
    def record_entries(self) -> Entries:
        """The record's entries; none without a record, or with one in the older form."""
        record = self.record
        if not (record.commit and record.resolved):
            return Entries()
        # Usually the record is the base, and its entries are already read. A run of selected files has read only some.
        if self.loaded.whole and self.base.commit == record.commit:
            return self.base.entries
        return read_entries(record, self.snapshot(record.applied, self.loaded.definitions))

    def find_created_id(self, file: str) -> str | None:
        """Return the id that the record knows for a file that says `id: new`."""
        return find_created(self.repository, self.record, file)

    @property
    def overlays(self) -> Path | None:
        """The folder of the environment's overlays, where it has one."""
        return locate_overlays(self.folder, self.settings)

    def list_layers(self, key: str) -> list[str]:
        """Return all paths at which layers of the definition with a key may be, whether there are files or not."""
        names = [*defaults_above(key), *(f"{key}{suffix}" for suffix in SUFFIXES)]
        return [path_in(place, name) for place in self.places for name in names]

    def covers(self, file: str) -> bool:
        """Return whether an entry of the base belongs to the run's folder, or to a folder that no longer exists."""
        # Several folders may share a record. Any other base was read for this folder only.
        if not self.record.commit or self.base.commit != self.record.commit or is_definition_file(file, self.below):
            return True
        return not self.repository.files(self.head, file.rpartition("/")[0])

    def find_edited(self, definition: Definition) -> tuple[Layer | None, str]:
        """Return the layer that takes live values and the new id, and its path; None if there is no such file yet."""
        # No command changes a file that environments share for only one of them.
        layer = definition.own_layer if self.settings.environment is None else definition.overlay
        if layer is not None:
            return layer, layer.file
        if self.overlays is None:
            return None, definition.file
        return None, (self.overlays / f"{definition.key}.yaml").relative_to(self.root).as_posix()

    def normalize(self, definition: Definition, live: Mapping[str, Any]) -> dict[str, Any]:
        """Return a reading of live in the form that is compared. Called right after live is read."""
        return normalize_live(live, definition.declared, self.settings)

    def overrides_for(self, key: str) -> Overrides:
        """Return what the settings say about the definition with a key on the day of the run."""
        return find_overrides(self.settings, key)

    def check_not_frozen(self, definition: Definition) -> None:
        """Refuse to create or delete the assistant of a definition while it is frozen. Raises DefinitionError."""
        freeze = self.overrides_for(definition.key).freeze
        if freeze is not None:
            hint = "wait, or change `frozen` in reconciler.yaml"
            raise DefinitionError(f"it is frozen ({freeze.describe()})", where=definition.file, hint=hint)

    def plan_for(self, definition: Definition, live: Mapping[str, Any]) -> Plan:
        """Return the plan for one assistant that was read. Raises IncompleteObject."""
        ids = (definition.id, str(live.get("id")))
        with _COMPARING:
            base = self.base.find_declared(ids, definition.file, live, definition.declared)
            base = align_line_ends(base, definition.declared, self.settings)
            planner, resend = self.planner_for(definition.key), self.unclear_fields(ids)
            plan = planner.plan(definition.declared, live, base, resend=resend)
            restored = self.base.list_undone(ids, live)
        # Otherwise people would look for somebody who has edited it.
        notes = (
            f"{dotted(change.path)} has this value since a rollback: revert the change in git, or write another value"
            for change in plan.changes
            if change.kind is Kind.DRIFT and change.path in restored
        )
        return dataclasses.replace(plan, warnings=(*plan.warnings, *notes))

    def planner_for(self, key: str) -> Planner:
        """Return the planner for the assistant of the definition with a key, on the day of the run."""
        return Planner(policy=self.policy, overrides=self.overrides_for(key), merge_texts=self.merge_texts)

    def merge_texts(self, base: str, live: str, desired: str) -> str | None:
        """Return two edits of a text merged line by line, None if they overlap. Raises RepositoryError."""
        return merge_texts(base, live, desired) if self.repository.exists else None

    def unclear_fields(self, ids: Collection[str]) -> tuple[FieldPath, ...]:
        """Return the fields of an assistant whose last write is unclear, according to the record or a report."""
        record_entries = (entry for entry in self.record.unclear if not {*ids}.isdisjoint(entry.ids))
        fields = [parse_pointer(field) for entry in record_entries for field in entry.fields]
        return tuple(dict.fromkeys([*fields, *(path for name in ids for path in self.resend.get(name, ()))]))


def check_policy(project: Project) -> None:
    """Refuse a policy that needs a base where there is none. Raises UsageError."""
    if project.policy.on_drift == "fail" and not project.base.commit:
        message = "--on-drift fail needs a base: without one a live edit cannot be told from a change"
        hint = f"{project.how_to_get_base}; without one, pass --on-drift keep"
        raise UsageError(message, hint=hint)
