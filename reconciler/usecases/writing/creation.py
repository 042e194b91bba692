"""Create one assistant: one POST that is never repeated, its id written into the file, then live is read."""

import dataclasses
from collections.abc import Callable

from reconciler.core.definition import Definition, Layer
from reconciler.core.outcome import Outcome
from reconciler.core.ports import Assistants
from reconciler.core.run import Result, check_organisation, to_failure
from reconciler.errors import ApiError, DefinitionError, ReconcilerError, UnclearWrite
from reconciler.files.write import check_unchanged, rewrite
from reconciler.usecases.project.project import Project
from reconciler.yamltext.edit import edit_yaml
from reconciler.yamltext.nodes import find_places


def create(api: Assistants, project: Project, result: Result, *, stopping: Callable[[], bool]) -> Result:
    """Return the outcome of an assistant that was to be created; its plan has the body."""
    definition, planned = result.definition, result.plan
    if planned is None or planned.patch is None:
        raise TypeError(result)
    try:
        file, text = find_id_file(project, definition)
        check_unchanged(project.root / file, text)
        edit_yaml(text, {("id",): "asst_to_come"})
    except ReconcilerError as error:
        message = f"its id could not be written, so nothing was created: {error}"
        return result.refuse("invalid", message, hint=error.hint)
    is_sent = False
    try:
        # This renews an expired token, since the POST is never repeated.
        api.me()
        if stopping():
            return result.end(Outcome.SKIPPED)
        is_sent = True
        answer = api.create(planned.patch)
    except UnclearWrite as error:
        name = definition.declared.get("name")
        unclear = to_failure(
            error,
            f"it is unknown whether the assistant was created: {error.message}",
            hint=f"look in the dashboard for {name!r}: if it is there, put its id into {file} as `id: ...`; if it is "
            f"not, run {project.write_command('create', definition.file)}",
        )
        return result.end(Outcome.INDETERMINATE, unclear)
    except ApiError as error:
        return result.end(Outcome.FAILED, error, refused=is_sent and error.status is not None)
    # The id exists from here on, and only this process knows it. So it is saved before live is read, which may fail.
    known, warnings = _save_id(project, definition, file, text, answer["id"])
    result = dataclasses.replace(result, definition=known, warnings=(*result.warnings, *warnings))
    return _check_live(api, project, result, answer)


def find_id_file(project: Project, definition: Definition) -> tuple[str, str]:
    """Return the file that takes the id, and its text: in an environment the overlay, which may have to be made.

    Raises DefinitionError for an environment without an overlay folder.
    """
    # Before anything is created: an environment without overlays has no place for an id.
    layer, file = project.find_edited(definition)
    if layer is None and project.overlays is None:
        raise DefinitionError(f"the environment {project.settings.environment} has no overlay folder for the id")
    return file, layer.text if layer is not None else ""


def _save_id(
    project: Project, definition: Definition, file: str, text: str, assistant_id: str
) -> tuple[Definition, list[str]]:
    """Write the id into its file, and return the definition that has it, with what is to be done by hand."""
    created = dataclasses.replace(definition, id=assistant_id)
    after = edit_yaml(text, {("id",): assistant_id})
    try:
        rewrite(project.root / file, text, after)
    except ReconcilerError as error:
        # The assistant exists anyway. While the file says `id: new`, so does the definition.
        by_hand = f"its id could not be written: {error}; put `id: {assistant_id}` into the file by hand"
        return created, [f"the assistant {assistant_id} was created, but {by_hand}"]
    layers = {layer.file: layer for layer in definition.layers}
    old = layers.get(file) or Layer(file=file, text="", fields={}, kind="overlay", find_places=find_places)
    layers[file] = dataclasses.replace(old, text=after, fields={**old.fields, "id": assistant_id})
    return dataclasses.replace(created, layers=tuple(layers.values()), says_new=False), []


def _check_live(api: Assistants, project: Project, result: Result, answer: dict[str, object]) -> Result:
    """Return what live shows of a new assistant; where it cannot be read, what the answer shows of it."""
    definition = result.definition
    try:
        # GET may show a new assistant only some time after the POST.
        live, failure = api.get_after_write(definition.id, lambda reading: reading is None), None
    except ApiError as error:
        unread = f"the assistant {definition.id} was created, but live could not be read: {error}"
        live, failure = answer, to_failure(error, unread, hint=f"run {project.write_command('plan')}")
    # If nothing else was read, only this answer shows whose account it is.
    failure = failure or check_organisation(live, project.settings)
    live = project.normalize(definition, live)
    remaining = tuple(change.path for change in project.plan_for(definition, live).changes)
    outcome = Outcome.NOT_CONVERGED if remaining or failure else Outcome.CREATED
    return result.end(outcome, failure, live_after=live, remaining=remaining)
