"""Checks a setup, and writes nothing: whether each thing that a team needs is there, and what to do if it is not."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from reconciler.assistant.paths import parse_pointer
from reconciler.core.origin import find_leaf
from reconciler.core.ports import Assistants
from reconciler.core.run import Requirement, check_organisation
from reconciler.core.tree import MISSING
from reconciler.errors import ReconcilerError, RepositoryError
from reconciler.files.definitions import load
from reconciler.git.record import FETCH, Unclear, read_record
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.environments import name_environments, read_forms, read_neighbours
from reconciler.usecases.project.project import Project
from reconciler.usecases.project.reading import read_bare_project
from reconciler.usecases.validate import validate

Account = Literal["reads", "writes"]
_MOST_NAMED = 3
_CALLS_PLAN = re.compile(r"^\s+uses: \S+/\.github/workflows/plan\.yml@(?!COMMIT)", re.MULTILINE)


def check_project(choices: Choices) -> tuple[list[Requirement], Project | None]:
    """Return the checks of settings, definitions, git and the record, and the project if it can be read."""
    try:
        project = read_bare_project(choices, whole=True)
    except ReconcilerError as error:
        # What hides or forbids the settings is git's matter.
        return [_report_error("git" if isinstance(error, RepositoryError) else "settings", error)], None
    settings = project.settings
    place = f"environment {settings.environment}" if settings.environment else "no environment selected"
    requirements = [Requirement("settings", place)]
    try:
        loaded = load(project.folder, (), root=project.root, settings=settings)
        neighbours = read_neighbours(settings, project.folder)
        run = validate(read_forms(choices, settings.today), neighbours, started_at=project.started_at)
    except ReconcilerError as error:
        requirements.append(_report_error("definitions", error))
    else:
        project = dataclasses.replace(project, loaded=loaded)
        # This includes everything that `validate` refuses, such as an expired date in the settings.
        wrong = {problem.file for problem in run.problems if problem.severity == "error"}
        detail, hint = f"{len(loaded.definitions)} valid", ""
        if wrong:
            detail = f"not valid: {', '.join(sorted(wrong)[:_MOST_NAMED])}"
            hint = f"run {project.write_command('validate')}"
        elif not loaded.definitions and settings.environments and not settings.environment:
            detail, hint = "none has an id, and no environment is selected", name_environments(settings)
        requirements.append(Requirement("definitions", detail, hint, met=not hint))
    return [*requirements, *_check_history(project)], project


def find_workflow(root: Path) -> str:
    """Return the file by which GitHub plans pull requests, as GitHub names it; empty if none is ready."""
    files = sorted((root / ".github" / "workflows").glob("*.y*ml"))
    workflows = (file for file in files if _CALLS_PLAN.search(file.read_text("utf-8", "replace")))
    return next((file.relative_to(root).as_posix() for file in workflows), "")


def check_api(project: Project, account: Account | None, open_api: Callable[[], Assistants]) -> Iterator[Requirement]:
    """Yield the checks of the URL, the login, the account (and what it is for), and one assistant."""
    # The first failure is reported; the checks that depend on it are skipped.
    try:
        api = open_api()
        yield Requirement("URL", api.url)
        user = api.me()
    except ReconcilerError as error:
        # Missing credentials fail here too, and then the URL is not at fault.
        yield _report_error("URL" if "URL" in error.message else "login", error)
        return
    yield Requirement("login", str(user.get("email") or user.get("name") or user.get("id") or "an account"))
    role = str(user.get("role") or "no role")
    # The API does not say what a role may do. Only the name VIEWER promises something: it may not write.
    reads = role.upper() == "VIEWER"
    may = "can read but not write: right for plan and drift, not for apply" if reads else "can probably write"
    fits = account is None or (account == "reads") is reads
    hint = "" if reads else "use a read-only account for pull requests and drift"
    if account is not None:
        hint = "" if fits else hint or "use an account that can write for apply, only in the protected environment"
    yield Requirement("account", f"{role}, {may}", hint, met=fits)
    yield from _check_one(project, api)


def _check_history(project: Project) -> Iterator[Requirement]:
    repository = project.repository
    if not project.head:
        yield Requirement("git", "not a repository with a commit", "run `git init` and commit", met=False)
        return
    # Only the whole history shows which commit set a value, and whether HEAD is behind the record.
    if repository.is_shallow:
        hint = "fetch the whole history: fetch-depth: 0 on GitHub, GIT_DEPTH: 0 on GitLab, git fetch --unshallow"
        yield Requirement("history", "this clone is shallow", hint, met=False)
    else:
        yield Requirement("history", f"commit {project.head[:12]}")
    try:
        record = read_record(repository, project.ref)
        is_behind = dataclasses.replace(project, record=record).is_behind
    except ReconcilerError as error:
        yield _report_error("record", error)
        return
    if not record.commit:
        hint = f"fetch it: {FETCH}; for the first run: {project.write_command('apply', '--base', 'none')}"
        yield Requirement("record", f"no {project.ref} in this clone", hint, met=False)
        return
    # An existing record is always continued; the setting only makes a clone without it an error.
    hint = "" if project.settings.record else "add `record: true` to reconciler.yaml, so that every clone needs it"
    yield Requirement("record", f"{record.date[:10]}, commit {record.applied[:12]}", hint)
    if is_behind:
        yield Requirement("order", "HEAD is behind what was applied last", "merge or pull first", met=False)
    yield from (_explain_unclear(project, entry) for entry in record.unclear)


def _explain_unclear(project: Project, write: Unclear) -> Requirement:
    declared = [each.declared for each in project.loaded.definitions if each.id in write.ids]
    paths = [parse_pointer(field) for field in write.fields]
    hint, is_open = f"run {project.write_command('apply')}", True
    if write.is_creation:
        hint = f"check live, then {project.write_command('create', write.file)}"
    # No apply sends what nobody declares.
    elif all(find_leaf(each, path)[1] is MISSING for each in declared for path in paths):
        hint, is_open = "check live; an apply sends the declared fields again", False
    detail = f"the outcome of the last write of {write.file} is unclear"
    return Requirement("unclear write", detail, hint, met=False if is_open else None)


def _check_one(project: Project, api: Assistants) -> Iterator[Requirement]:
    """Yield whether one assistant can be read, and belongs to the organisation that the settings name."""
    definition = next((each for each in project.loaded.definitions if each.id), None)
    if definition is None:
        return
    try:
        live = api.get(definition.id)
    except ReconcilerError as error:
        yield _report_error("reading", error, detail=f"{definition.file} cannot be read: {error.message}")
        return
    if stranger := check_organisation(live, project.settings):
        yield Requirement("organisation", f"{definition.file}: {stranger.message}", stranger.hint, met=False)
    else:
        yield Requirement("reading", definition.file)


def _report_error(subject: str, error: ReconcilerError, detail: str = "") -> Requirement:
    return Requirement(subject, detail or str(error), error.hint or "correct it, and run this again", met=False)
