"""Plans every assistant, and finds live edits. Each assistant is read once; nothing is written."""

import dataclasses
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from reconciler.assistant.paths import FieldPath, dotted
from reconciler.core.base import Entries, Entry
from reconciler.core.definition import Definition
from reconciler.core.origin import Change
from reconciler.core.outcome import Status
from reconciler.core.patch import IncompleteObject
from reconciler.core.plan import Planner, Policy
from reconciler.core.ports import Assistants
from reconciler.core.run import Failure, Result, Run, check_organisation, to_failure
from reconciler.core.tree import walk_leaves
from reconciler.errors import ApiError, UsageError
from reconciler.usecases.project.environments import read_neighbours
from reconciler.usecases.project.new_assistants import explain_no_creation, refuse_namesakes
from reconciler.usecases.project.project import Project
from reconciler.usecases.project.since import name_setters
from reconciler.usecases.runs import make_run
from reconciler.usecases.workers import Control, for_each

_VARIABLE = re.compile(r"\{\{\s*([^\s{}](?:[^{}]*[^\s{}])?)\s*\}\}")  # in a text: {{name}}


def plan(api: Assistants, project: Project, control: Control) -> Run:
    """Return what `apply` would do, after one GET per definition. An assistant that could not be read has an error."""
    run = compare(api, project, control, command="plan")
    # An apply goes by its own options, and says so itself.
    return dataclasses.replace(run, notes=(*run.notes, *_warn_of_limit(project, run.results)))


def compare(api: Assistants, project: Project, control: Control, *, command: str) -> Run:
    """Return the run of a command that has read every assistant, and has written nothing yet."""
    # Duplicates and namesakes show only when all are read; who set a value is asked of git once for all of them.
    definitions = [definition for definition in project.loaded.definitions if not definition.is_new]
    results = for_each(definitions, lambda each: _plan_one(api, project, each), control, skipped=Result)
    # What is new is looked up in git, whose answers only one thread may wait for.
    results += [_plan_new(project, definition) for definition in project.loaded.definitions if definition.is_new]
    results = _warn_of_shared(project, _refuse_duplicates(project, results))
    results = _refuse_elsewhere(project, refuse_namesakes(api, project, results))
    results = name_setters(results, project)
    return make_run(command, project, results, api=api)


def drift(api: Assistants, project: Project, control: Control) -> Run:
    """Return what was edited live. Without a base, the definitions themselves are the base."""
    # A read-only policy: the report says of each difference that it is not sent, and why, and there is no patch.
    based = dataclasses.replace(project, policy=Policy(read_only=True))
    if not project.base.commit:
        entries = {each.file: Entry(each.id, each.file, each.declared) for each in project.loaded.definitions}
        based = dataclasses.replace(based, base=dataclasses.replace(project.base, entries=Entries(entries)))
    return compare(api, based, control, command="drift")


def plan_offline(project: Project) -> Run:
    """Return what the definitions change since the base. Raises UsageError without one."""
    if not project.base.commit:
        message = "plan --offline needs a base, which it compares with instead of live"
        raise UsageError(message, hint=project.how_to_get_base)
    results = [_plan_offline(project, definition) for definition in project.loaded.definitions]
    return dataclasses.replace(make_run("plan", project, name_setters(results, project)), offline=True)


def _plan_offline(project: Project, definition: Definition) -> Result:
    if definition.is_new:
        return Result(definition, plan=Planner().plan_creation(definition.declared))
    declared_then = project.base.find_declared((definition.id,), definition.file, {}, definition.declared)
    planned = project.planner_for(definition.key).plan_offline(definition.declared, declared_then)
    warnings = tuple(describe_variables(planned.changes, project.settings.may_show))
    return Result(definition, plan=planned, warnings=warnings)


def _plan_one(api: Assistants, project: Project, definition: Definition) -> Result:
    live = None
    try:
        live = project.normalize(definition, api.get(definition.id))
        # Before anything is compared: the values of another organisation must not appear in a report.
        if (foreign := check_organisation(live, project.settings)) is not None:
            return Result(definition, live, error=foreign)
        planned = project.plan_for(definition, live)
    except (ApiError, IncompleteObject) as error:
        failure = to_failure(error)
        if failure.kind == "not_found" and definition.says_new:
            create = project.write_command("create", definition.file)
            hint = f"the record has this id for the file; if the assistant was deleted, {create} makes a new one"
            failure = dataclasses.replace(failure, hint=hint)
        return Result(definition, live, error=failure)
    warnings = tuple(describe_variables(planned.changes, project.settings.may_show))
    return Result(definition, live, planned, warnings=warnings)


def _warn_of_limit(project: Project, results: Sequence[Result]) -> Iterator[str]:
    limit = project.settings.max_changes
    # A share is one of all assistants, and a pipeline plans only those that a branch has changed.
    if limit is None or (limit.percent and not project.loaded.whole):
        return
    writes = sum(result.pending for result in results)
    new = [result.definition for result in results if result.status is Status.NEW]
    created = sum(explain_no_creation(project, definition) is None for definition in new)
    # Pipelines create; a run by hand has to be asked to.
    for apply, number in (("apply", writes), ("apply with --create", writes + created)):
        if objection := limit.find_objection(number, len(results)):
            yield f"An {apply} would send nothing: {objection}; if the plan is right, raise the limit."
            return


def _refuse_elsewhere(project: Project, results: list[Result]) -> list[Result]:
    """Return results in which nothing is created if the account belongs to another organisation than `org_id`."""
    owners = [check_organisation(result.live, project.settings) for result in results if result.live is not None]
    if not owners or None in owners:
        return results
    return [dataclasses.replace(result, error=owners[0]) if result.creates else result for result in results]


def _plan_new(project: Project, definition: Definition) -> Result:
    try:
        planned = project.planner_for(definition.key).plan_creation(definition.declared)
    except IncompleteObject as error:
        return Result(definition, error=to_failure(error))
    objection = explain_no_creation(project, definition)
    if objection is None or project.policy.create:
        return Result(definition, plan=planned, error=objection)
    # This command creates nothing, so it is not a failure, but the report should mention it.
    return Result(definition, plan=planned, warnings=(objection.message, objection.hint))


def find_shared_assistants(project: Project, results: Sequence[Result]) -> dict[str, str]:
    """Return a sentence for each assistant that another environment also writes, by the file of the result."""
    owners = {
        definition.id: f"the environment {form.environment} has the same URL and the same id, in {definition.id_file}"
        for form, loaded in read_neighbours(project.settings, project.folder)
        for definition in loaded.definitions
    }
    return {result.definition.file: owners[name] for result in results for name in result.ids if name in owners}


def _warn_of_shared(project: Project, results: Sequence[Result]) -> list[Result]:
    # No refusal: `validate` has an error for it, and what each of the two asks for is clear.
    messages = find_shared_assistants(project, results)
    return [
        dataclasses.replace(result, warnings=(*result.warnings, f"{message}: applying one overwrites the other"))
        if (message := messages.get(result.definition.file))
        else result
        for result in results
    ]


def _refuse_duplicates(project: Project, results: Sequence[Result]) -> list[Result]:
    # An assistant has two ids, so only the API's answers show that two definitions are of one.
    files: dict[str, set[str]] = defaultdict(set)
    for result in results:
        if result.live is not None:
            files[result.live["id"]].add(result.definition.file)
    # A definition that is not selected may have the id that GET returned.
    other_ids = files.keys() - {result.definition.id for result in results}
    for definition in project.loaded.read_all(other_ids) if other_ids and not project.loaded.whole else ():
        if definition.id in other_ids:
            files[definition.id].add(definition.file)
    checked = []
    for result in results:
        others = files[result.live["id"]] - {result.definition.file} if result.live is not None else ()
        message = f"the same assistant as in {', '.join(sorted(others))}, under another id"
        error = Failure("duplicate", message, hint="keep one of the definitions")
        checked.append(dataclasses.replace(result, plan=None, error=error) if others else result)
    return checked


def describe_variables(changes: Iterable[Change], may_show: Callable[[FieldPath], bool]) -> Iterator[str]:
    """Yield a sentence for each text that is sent and no longer mentions a variable, or mentions a new one."""
    for change in changes:
        old_texts, new_texts = _find_texts(change.live), _find_texts(change.desired)
        # A text that is new or removed shows its variables anyway.
        if not (change.sent and old_texts and new_texts and may_show(change.path)):
            continue
        old, new = ({name for text in texts for name in _VARIABLE.findall(text)} for texts in (old_texts, new_texts))
        if removed := old - new:
            yield f"{dotted(change.path)} no longer mentions {_list_names(removed)}"
        if added := new - old:
            yield f"{dotted(change.path)} mentions {_list_names(added)}, which is new: check that something fills it in"


def _list_names(variables: Iterable[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in sorted(variables))


def _find_texts(value: Any) -> list[str]:
    # All texts of a list together: a variable may move from one element to another.
    return [leaf for _, leaf in walk_leaves(value) if isinstance(leaf, str)]
