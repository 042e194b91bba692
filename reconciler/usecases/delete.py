"""Delete the assistant of one definition at a user's request, and then the files that only it uses.

There is no undo. So a deletion is refused if live has unknown edits, live is read again right before it, and the
report contains that reading. One DELETE is sent and never repeated. If its outcome is unclear, the files stay.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from reconciler.assistant.paths import dotted
from reconciler.core.base import BaseDefinitions, Entries, Entry
from reconciler.core.canonical import equal_exactly
from reconciler.core.definition import Definition, Layer
from reconciler.core.origin import Change
from reconciler.core.outcome import Kind, Outcome
from reconciler.core.plan import Policy
from reconciler.core.run import Failure, Result, Run, to_failure
from reconciler.core.tree import value_at
from reconciler.errors import ApiError, DefinitionError, ReconcilerError, UnclearWrite
from reconciler.files.definitions import load
from reconciler.files.find import find_all
from reconciler.files.text_files import mentions
from reconciler.files.write import check_unchanged
from reconciler.git.lock import Lock, hold_lock
from reconciler.usecases.apply import Session, Start, end_without_writing
from reconciler.usecases.plan import compare, find_shared_assistants
from reconciler.usecases.project.environments import drop_missing_overlay
from reconciler.usecases.project.project import Project
from reconciler.usecases.runs import end_run, stop_run
from reconciler.usecases.writing.recordable import check_order
from reconciler.usecases.writing.recording import forget

OwnFile = tuple[str, str]  # a path from the repository's root, and what the file held when it was read


def delete(
    lock: Lock,
    read_project: Callable[[], Project],
    start: Start,
    *,
    force_conflicts: bool = False,
    on_removed: Callable[[str], None] = lambda _file: None,
) -> tuple[Run, tuple[str, ...]]:
    """Delete the assistant of the one definition of a project; return the run, and what is to be done by hand.

    With `force_conflicts` also one that was edited live since it was applied. `on_removed` gets each removed file.
    Raises ReconcilerError before anything is sent, and after that only if the run could not be published or recorded.
    """
    with hold_lock(*lock):
        project = read_project()
        definition = _check_one(project)
        project.check_not_frozen(definition)
        check_order(project)
        # Determined before anything is sent: a project that cannot be read completely must not lose shared files.
        files = find_own_files(project, definition)
        with start(project) as session:
            run = _carry_out(project, definition, session, force_conflicts=force_conflicts)
            deleted = [result for result in run.results if result.outcome is Outcome.DELETED]
            by_hand = remove_files(project.root, files, on_removed) if deleted else ()
            kept = _note_kept_id(project, definition, dict(files)) if deleted else ()
            run = dataclasses.replace(run, notes=(*run.notes, *by_hand, *kept))
            has_entry = deleted and project.record.commit
            session.end(run, functools.partial(forget, run, project) if has_entry else None)
    return run, by_hand


def _check_one(project: Project) -> Definition:
    if project.loaded.invalid or len(project.loaded.definitions) != 1:
        hint = "pass one file, and correct what is wrong with it"
        raise DefinitionError("delete needs exactly one valid definition file; nothing was deleted", hint=hint)
    definition = project.loaded.definitions[0]
    if definition.is_new:
        message = "the assistant of this file has not been created yet, so there is nothing to delete"
        hint = "remove the file"
        raise DefinitionError(message, where=definition.file, hint=hint)
    return definition


def _carry_out(project: Project, definition: Definition, session: Session, *, force_conflicts: bool) -> Run:
    # A read-only policy: nothing of what differs is sent, whatever becomes of the assistant.
    based = dataclasses.replace(project, policy=Policy(read_only=True), base=_choose_base(project, definition))
    planned = compare(session.api, based, session.control, command="delete")
    planned = dataclasses.replace(planned, removed=())  # that others are gone is not what this run is about
    result = _refuse(project, planned.results[0], force_conflicts=force_conflicts)
    if result.outcome is None and (shared := find_shared_assistants(project, [result])):
        hint = "remove the overlay instead, or correct the id or the URL of one of them"
        result = result.refuse("duplicate", f"{shared[definition.file]}; nothing was deleted", hint=hint)
    if result.outcome is None:
        # Even a run that is killed leaves behind what the assistant was.
        planned = dataclasses.replace(planned, results=(result,))
        if (reason := session.consent(planned)) is not None:
            return stop_run(planned, reason)
        result = dataclasses.replace(result, last_reading=result.live)
        with session.save_first(planned, [result]):
            pass  # there is nothing to announce
        result = _delete(based, session, result)
    return dataclasses.replace(end_run(planned, [result]), api_calls=dict(session.api.calls))


def _choose_base(project: Project, definition: Definition) -> BaseDefinitions:
    # Where the base has nothing of the assistant, what git says now must be all that live holds.
    base = project.base
    if base.entries.find([definition.id], definition.file) is not None:
        return base
    entry = Entry(definition.id, definition.file, definition.declared)
    return dataclasses.replace(base, entries=Entries({**base.entries.by_file, definition.file: entry}))


def _refuse(project: Project, result: Result, *, force_conflicts: bool) -> Result:
    if result.error is not None and result.error.kind == "not_found":
        hint = "nothing was deleted; if the provider does not have it either, remove the file"
        return result.end(Outcome.FAILED, dataclasses.replace(result.error, hint=hint))
    if result.error is not None or result.plan is None:
        return end_without_writing(project, result)
    if force_conflicts:
        return result
    anyway = "to delete it anyway, pass --force-conflicts"
    if edited := [dotted(change.path) for change in result.plan.changes if change.kind is not Kind.CHANGE]:
        message = f"{', '.join(edited)} was edited live since it was applied, so nothing was deleted"
        return result.refuse("conflict", message, hint=f"look at it with {project.write_command('drift')}; {anyway}")
    if uncommitted := _find_uncommitted(project, result.definition, result.plan.changes):
        message = f"{', '.join(uncommitted)} is neither committed nor live and would be lost, so nothing was deleted"
        return result.refuse("conflict", message, hint=f"commit it; {anyway}")
    return result


def _find_uncommitted(project: Project, definition: Definition, changes: Sequence[Change]) -> list[str]:
    """Return the fields whose value is neither in a commit nor live, so that deleting the files would lose it."""
    if not (changes and project.head):
        return []
    entry = project.snapshot(project.head).read({definition.key}).by_file.get(definition.file)
    declared = entry.declared if entry is not None else {}
    differing = (each for each in changes if not equal_exactly(value_at(declared, each.path), each.desired))
    return [dotted(change.path) for change in differing]


def _delete(project: Project, session: Session, result: Result) -> Result:
    """Read an assistant again, delete it with one request, check that it is gone, and return its result."""
    api, definition = session.api, result.definition
    name = definition.id
    try:
        before = api.get(name)
        # What goes is kept as it was, keys that the server manages included.
        result = dataclasses.replace(result, last_reading=before)
        if not equal_exactly(project.normalize(definition, before), result.live):
            message = "live changed since it was shown, and nothing was deleted"
            return result.refuse("stale", message, hint="look at it, and run this again", last_reading=None)
        if session.control.stopping():
            return result.end(Outcome.SKIPPED, last_reading=None)
        api.delete(name)
    except UnclearWrite as error:
        unclear = to_failure(
            error,
            f"it is unknown whether the assistant was deleted: {error.message}",
            hint="the files are kept; check whether it is gone, at the provider as well, then remove the files or "
            "run this again",
        )
        return result.end(Outcome.INDETERMINATE, unclear)
    except ApiError as error:
        return result.end(Outcome.FAILED, error, refused=error.status is not None, last_reading=None)
    # What was deleted must be gone from reading, too, before the files that describe it go.
    try:
        api.get_after_write(name, lambda reading: reading is not None)
    except ApiError as error:
        if error.kind == "not_found":
            return result.end(Outcome.DELETED)
        unseen = f"the API accepted the deletion, but live could not be read after it: {error}"
        return result.end(Outcome.INDETERMINATE, to_failure(error, unseen))
    failure = Failure(
        "protocol",
        "the API accepted the deletion, but still shows the assistant: the files stay",
        hint="look at it in the dashboard; if it is still there, run this again",
    )
    return result.end(Outcome.NOT_CONVERGED, failure)


def find_own_files(project: Project, definition: Definition) -> list[OwnFile]:
    """Return the overlay, the definition if no other environment uses it, and the texts that only these use.

    Raises DefinitionError if an environment uses the definition, and none was chosen.
    """
    settings = project.settings
    other_names = (name for name in sorted(settings.environments) if name != settings.environment)
    users = [name for name in other_names if _is_used_in(project, name, definition)]
    if settings.environment is None and users:
        message = f"the environments {', '.join(users)} also use this definition; nothing was deleted"
        hint = "pass --environment NAME for each of them first"
        raise DefinitionError(message, where=definition.file, hint=hint)
    own = definition.own_layer
    # An id of its own that the environment's overlay replaces is another assistant's.
    keeps = users or (definition.overlay is not None and "id" in own.fields and definition.id_file != own.file)
    going = [layer for layer in definition.layers if layer.kind == "overlay" or (layer is own and not keeps)]
    return [*((layer.file, layer.text) for layer in going), *_find_own_texts(project, going)]


def _note_kept_id(project: Project, definition: Definition, going: Mapping[str, str]) -> Iterator[str]:
    """Note a definition that stays for other environments and has an id, which is then also the id in this one."""
    own, environment = definition.own_layer, project.settings.environment
    if own.file not in going and "id" in own.fields:
        yield (
            f"{own.file} stays for other environments, and its id also counts in {environment}, which now lacks the "
            "assistant: move the id into their overlays"
        )


def remove_files(root: Path, files: Sequence[OwnFile], on_removed: Callable[[str], None]) -> tuple[str, ...]:
    """Remove files that have not changed since they were read, and return a note for each file that stays."""
    by_hand = []
    for file, content in files:
        try:
            check_unchanged(root / file, content)
            (root / file).unlink()
            on_removed(file)
        except (ReconcilerError, OSError) as error:
            reason = error.message if isinstance(error, ReconcilerError) else error.strerror
            by_hand.append(f"the assistant is deleted, but {file} stays ({reason}): remove it by hand")
    return tuple(by_hand)


def _is_used_in(project: Project, environment: str, definition: Definition) -> bool:
    settings = drop_missing_overlay(project.settings.choose(environment), project.folder)
    # Whether it is valid there does not matter; to be part of the environment it needs an id, or `id: new`. An overlay
    # without an id would be an error there once the definition is gone.
    loaded = load(project.folder, (project.root / definition.file,), root=project.root, settings=settings)
    has_overlay = definition.key in find_all(project.folder, project.root, settings).overlays
    return has_overlay or bool(loaded.every)


def _find_own_texts(project: Project, going: Sequence[Layer]) -> Iterator[OwnFile]:
    """Yield the text files that the layers mention and no other file of the project does."""
    texts = {text.file: text.content.removeprefix("\ufeff") for layer in going for text in layer.texts}
    if not texts:
        return
    names = {layer.file for layer in going}
    forms = (project.settings.choose(name) for name in sorted(project.settings.environments))
    # Another environment's overlay may mention the text as well.
    yaml_files = find_all(project.folder, project.root, *(drop_missing_overlay(form, project.folder) for form in forms))
    groups = (yaml_files.definitions, *yaml_files.overlays.values(), *(each.values() for each in yaml_files.defaults))
    other_files = [each for group in groups for each in group if each.file not in names]
    for file, content in sorted(texts.items()):
        if not any(mentions(yaml_file, {file}) for yaml_file in other_files):
            yield file, content
