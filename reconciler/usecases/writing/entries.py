"""The new entry of one assistant in the record: its definition, except for what the run did not settle."""

import contextlib
import re
from collections.abc import Mapping
from typing import Any

from reconciler.assistant.paths import FieldPath
from reconciler.core.base import Entry, are_same
from reconciler.core.canonical import equal, restrict_to_declared
from reconciler.core.definition import MAX_RESOLVED, Definition
from reconciler.core.outcome import Kind, Unsent
from reconciler.core.plan import Plan
from reconciler.core.run import Result
from reconciler.core.tree import MISSING, Missing, item_at, paths_matching, put_at, value_at
from reconciler.git.commit_layers import object_name
from reconciler.git.objects import Blob
from reconciler.usecases.project.project import Project
from reconciler.yamltext.writer import write_definition

_NOT_PLAIN = re.compile(r"(?:^|\s)[#&*]|\r")


def make_entry(project: Project, result: Result, old: Entry | None) -> Entry | None:
    """Return an assistant's new entry in the record; None if it does not exist yet."""
    # The entry is the definition, except for what the run did not settle. An ignored field keeps the value of the old
    # entry, or is absent if there is none. A field that did not converge gets the value that live showed. So the next
    # plan, or the end of the ignore, shows git's move as a change, and not as somebody's edit.
    definition, plan, last_read = result.definition, result.plan or Plan(), result.live_after or result.live
    if not definition.id:
        return None
    declared: Any = definition.declared
    old_fields = old.declared if old is not None else {}
    # First what live did not show, then what is ignored: an ignored path never counts as not converged.
    # What was not in the body somebody else has changed since: git's value stays, and the next plan says drift.
    for path in (path for path in result.remaining if path[0] in (plan.patch or {})):
        if (desired := value_at(declared, path)) is not MISSING:
            # A missing key is recorded as null, so that a later edit that sets it is seen. If live's value may not be
            # written, the field is left out: it is a change next time, too.
            live = restrict_to_declared(desired, value_at(last_read, path))
            declared = put_at(declared, path, _leave_out_unwritable(project, path, live))
    for path in sorted(_find_kept(project, definition, plan, old_fields)):
        value = item_at(old_fields, path)
        # An element of a list cannot be left out, or the others would move up: it gets the live value instead.
        if value is MISSING and isinstance(item_at(declared, path[:-1]), list):
            value = _leave_out_unwritable(project, path, item_at(last_read, path))
        declared = put_at(declared, path, value)
    return Entry(definition.id, definition.file, declared)


def _find_kept(project: Project, definition: Definition, plan: Plan, old_fields: Mapping[str, Any]) -> set[FieldPath]:
    """Return the paths that keep the value of the old entry."""
    # The declared places that an ignore rule names, and the leaves that it accepts as a whole.
    rules = project.overrides_for(definition.key).ignore
    kept = {path for rule in rules for path in paths_matching(definition.declared, rule.path)}
    kept |= {entry.path for entry in plan.ignored}
    # A resumed apply leaves what else git has changed for the next one. With an older base, what was applied last looks
    # like a live edit.
    for change in (change for change in plan.changes if change.unsent is Unsent.KEPT):
        previous = item_at(old_fields, change.path)
        if change.kind is not Kind.DRIFT or not (previous is MISSING or equal(previous, change.desired, change.path)):
            kept.add(change.path)
    return kept


def find_in_head(entry: Entry, definition: Definition, at_head: Mapping[str, Blob]) -> Blob | None:
    """Return the file of `HEAD` with the same content as an entry, in plain YAML; None if there is none."""
    # Then nothing needs to be written, and a later run need not read the same file again.
    blob = at_head.get(definition.file)
    if blob is None or not definition.stands_alone or not are_same(entry, definition):
        return None
    # The record is read by people, line by line: no flow, no comments, no aliases.
    if not definition.own_layer.text.startswith("id: ") or _NOT_PLAIN.search(definition.own_layer.text):
        return None
    # The file that was read may differ from `HEAD`'s in comments, and git may convert line ends.
    return Blob("100644", blob.name) if object_name(definition.own_layer.text, len(blob.name)) == blob.name else None


def write_entry(entry: Entry) -> str:
    """Return an entry as YAML. With the texts of a definition's files in it, it may be larger than the definition."""
    return write_definition({"id": entry.id, **entry.declared}, most=MAX_RESOLVED)


def _leave_out_unwritable(project: Project, path: FieldPath, value: Any | Missing) -> Any | Missing:
    """Return a live value, `MISSING` if an entry may not contain it: it is sensitive, or YAML cannot express it."""
    with contextlib.suppress(ValueError):
        if value is not MISSING and project.settings.may_show(path):
            write_definition({"shown": value}, most=MAX_RESOLVED)
            return value
    return MISSING
