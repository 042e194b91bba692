"""Create the assistant of one definition at a user's request. The user has checked that it does not exist."""

import dataclasses
import functools
from collections.abc import Callable, Sequence

from reconciler.core.definition import Definition
from reconciler.core.patch import IncompleteObject
from reconciler.core.plan import Planner, Policy
from reconciler.core.ports import Assistants
from reconciler.core.run import Result, Run
from reconciler.errors import ApiError, DefinitionError, RepositoryError
from reconciler.files.write import check_writable
from reconciler.git.lock import Lock, hold_lock
from reconciler.usecases.apply import Start, ask_and_write
from reconciler.usecases.project.new_assistants import explain_no_creation, forget_unclear_creation
from reconciler.usecases.project.project import Project
from reconciler.usecases.runs import make_run
from reconciler.usecases.writing.creation import find_id_file
from reconciler.usecases.writing.recordable import check_order, check_recordable, records_by_default
from reconciler.usecases.writing.recording import record
from reconciler.yamltext.edit import edit_yaml


def create_from_file(
    lock: Lock, read_project: Callable[[], Project], start: Start, *, recording: bool | None, force: bool
) -> Run:
    """Create the assistant of the one definition of a project, and return the run.

    Another definition with the same name is an error, unless forced. Raises ReconcilerError, and nothing is created
    then.
    """
    with hold_lock(*lock):
        project = read_project()
        definition = project.loaded.definitions[0]
        _check_new(project, definition, force=force)
        project.check_not_frozen(definition)
        # Tried before anything is sent: if the file cannot take the id, the id would be lost.
        file, text = find_id_file(project, definition)
        check_writable(project.root / file, edit_yaml(text, {("id",): "asst_to_come"}))
        # The record knows the new id until git has it, so that no other run creates the assistant again.
        keeps = records_by_default(project) if recording is None else recording
        if keeps:
            check_order(project)
        unrecorded = _find_obstacles_to_record(project) if keeps else []
        with start(project) as session:
            planned = _plan(project, session.api, definition, unrecorded)
            project = forget_unclear_creation(project, definition)
            # Without a record there is nowhere to announce it.
            if not (keeps and project.record.commit):
                project = dataclasses.replace(project, may_create=frozenset((definition.file,)))
            run, applied = ask_and_write(planned, project, session)
            write_record = None
            if applied is not None and applied.announced:
                write_record = functools.partial(record, run, applied, with_entries=not unrecorded)
            session.end(run, write_record)
    return run


def _check_new(project: Project, definition: Definition, *, force: bool) -> None:
    """Refuse a definition that already has an id, or the name of another definition."""
    if definition.id and not definition.says_new:
        hint = f"{project.write_command('apply')} updates it"
        raise DefinitionError(f"the definition already has the id {definition.id}", where=definition.id_file, hint=hint)
    name = definition.declared.get("name")
    others = (other for other in project.loaded.read_all() if other.file != definition.file) if name is not None else ()
    same = [other.file for other in others if other.declared.get("name") == name]
    if same and not force:
        hint = "choose another name, or pass --force to have two assistants with the same name"
        raise DefinitionError(f"{same[0]} also has the name {name!r}", where=definition.file, hint=hint)


def _plan(project: Project, api: Assistants, definition: Definition, notes: Sequence[str]) -> Run:
    _check_not_created(api, definition)
    # An apply would stop here. A user who names the file has looked, so this is only a warning.
    bare = dataclasses.replace(definition, id="", says_new=True)
    objection = explain_no_creation(project, bare)
    remarks = (objection.message, "check that it does not exist before you continue") if objection is not None else ()
    try:
        plan = Planner(policy=Policy(create=True)).plan_creation(bare.declared)
    except IncompleteObject as error:
        raise DefinitionError(error.message, where=definition.file, hint=error.hint) from None
    result = Result(bare, plan=plan, warnings=remarks)
    return make_run("create", project, [result], api=api, notes=notes)


def _check_not_created(api: Assistants, definition: Definition) -> None:
    # The file still says `id: new`, but the record has an assistant for it. There must never be two.
    if not definition.id:
        return
    try:
        api.get(definition.id)
    except ApiError as error:
        if error.kind != "not_found":
            raise
        return
    message = f"the assistant of this file already exists: the record has its id, {definition.id}"
    hint = f"put `id: {definition.id}` into the file, in place of `id: new`"
    raise DefinitionError(message, where=definition.id_file, hint=hint)


def _find_obstacles_to_record(project: Project) -> list[str]:
    """Return why the new definition gets no entry in the record; nothing if it gets one."""
    try:
        check_recordable(project)
    except RepositoryError as error:
        # This is no reason not to create: a new file is rarely committed yet, and the record still gets the id.
        command = project.write_command("apply")
        return [f"Only the new id can be recorded: {error.message}. Commit it, and {command} records the rest."]
    return []
