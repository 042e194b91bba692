"""Send once more what an earlier run sent without a clear answer: of its report, only the names of the fields count.

The values are today's: the definition's, merged on top of fresh live. Where live shows neither the old nor the new
value, somebody else has changed it since, and nothing is sent over that.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath, dotted
from reconciler.core.canonical import equal
from reconciler.core.definition import Definition
from reconciler.core.outcome import Outcome
from reconciler.core.reviewed import Applied
from reconciler.core.run import Failure, Result, Run
from reconciler.core.tree import MISSING, value_at
from reconciler.errors import UsageError
from reconciler.usecases.project.new_assistants import LOOK_FIRST
from reconciler.usecases.project.project import Project


def resume_project(project: Project, unclear: Sequence[Applied]) -> Project:
    """Return the project of the assistants whose writes are unclear, in which their fields are sent again.

    What those writes may have left live counts as our own. Raises UsageError where one has no definition any more:
    what to send is not known then.
    """
    by_id = {entry.id: entry for entry in unclear if entry.id}
    new = {entry.file for entry in unclear if not entry.id}
    chosen = tuple(
        definition
        for definition in project.loaded.definitions
        if definition.id in by_id or (definition.is_new and definition.file in new)
    )
    gone = sorted(by_id.keys() - {definition.id for definition in chosen})
    if gone and not project.loaded.invalid:
        raise UsageError(
            f"the write to {gone[0]} is unclear, and no definition has that id any more",
            hint="put the definition back, or look at the assistant in the web application",
        )
    # What live shows may be our own unclear write: with its values added to the base it is no drift and no conflict.
    base = project.base
    if base is not None:
        ours = {entry.id: (*base.written.get(entry.id, ()), *_known_values(entry)) for entry in unclear}
        base = dataclasses.replace(base, written={**base.written, **ours})
    return dataclasses.replace(
        project,
        loaded=dataclasses.replace(project.loaded, definitions=chosen, whole=False),
        resend={entry.id: tuple(field.path for field in entry.fields) for entry in unclear},
        base=base,
    )


def only_known(planned: Run, unclear: Sequence[Applied]) -> Run:
    """Return a planned run in which an assistant is refused where live shows a third value."""
    by_id = {entry.id: entry for entry in unclear}
    results = tuple(_checked(result, by_id[result.definition.id or ""]) for result in planned.results)
    return dataclasses.replace(planned, results=results)


def _checked(result: Result, entry: Applied) -> Result:
    if not entry.id:
        failure = Failure(
            "conflict",
            "a request that creates is never sent again, and whether this one did is not known",
            hint=LOOK_FIRST.format(file=result.definition.file),
        )
        return result.end(Outcome.REFUSED, failure, left=False, warnings=())
    if result.plan is None or result.live is None or not isinstance(result.definition, Definition):
        return result
    names = ", ".join(_strange(entry, result.live, result.definition.declared))
    if not names:
        return result
    failure = Failure(
        "conflict",
        f"{names} shows neither the old value nor the one that was sent: somebody else has changed it since",
        hint="look at the difference (`reconciler plan`), and apply it as a change of its own",
    )
    return result.end(Outcome.REFUSED, failure, left=False)


def _known_values(entry: Applied) -> Iterator[tuple[FieldPath, Any]]:
    """Yield the values that a field had before the write or got from it; a sensitive one is not in the report."""
    for field in entry.fields:
        for value in () if field.masked else (field.old, field.new, field.sent):
            yield field.path, None if value is MISSING else value


def _strange(entry: Applied, live: Mapping[str, Any], declared: Mapping[str, Any]) -> Iterator[str]:
    """Yield the fields that live shows neither as before the write, nor as sent, nor as declared today."""
    known = [*_known_values(entry), *((field.path, value_at(declared, field.path)) for field in entry.fields)]
    for field in entry.fields:
        values = [value for path, value in known if path == field.path and value is not MISSING]
        if not any(equal(value, value_at(live, field.path), field.path) for value in values):
            yield dotted(field.path)
