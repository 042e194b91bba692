"""The functions of `import reconciler`: load, connect, plan, apply, drift.

The same use cases as the commands', with the same rules; prints nothing, asks nobody, and never exits.
Every error that a caller can act on is a `ReconcilerError`.

    import reconciler

    project = reconciler.load("assistants", environment="staging")
    with reconciler.connect(project) as api:
        report = reconciler.plan(project, api)
    for assistant in report["assistants"]:
        print(assistant["key"], assistant["status"])
"""

import contextlib
import dataclasses
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reconciler.api.client import AssistantsApi
from reconciler.assistant.problem import Problem
from reconciler.core.definition import Definition
from reconciler.core.json_values import to_json
from reconciler.core.ports import ApiLimits
from reconciler.core.run import Run
from reconciler.core.settings import MaxChanges, OnDrift, now
from reconciler.dataclass import dataclass
from reconciler.errors import ReconcilerError, UsageError
from reconciler.report.build import build_report
from reconciler.report.json_text import read_report_object
from reconciler.report.read_back import read_plan
from reconciler.usecases import apply as apply_, plan as plan_
from reconciler.usecases.connection import choose_url, credentials_of
from reconciler.usecases.earlier_reports import SavedPlan
from reconciler.usecases.project.choices import Choices, choose_policy, read_paths
from reconciler.usecases.project.project import Project as Read, check_policy
from reconciler.usecases.project.reading import read_project
from reconciler.usecases.workers import Control
from reconciler.usecases.writing.recordable import check_unmoved

__all__ = [
    "AssistantsApi",
    "Definition",
    "NotRecorded",
    "Problem",
    "Project",
    "ReconcilerError",
    "Report",
    "apply",
    "connect",
    "drift",
    "load",
    "plan",
]

Report = dict[str, Any]  # the JSON report (docs/reports.md, "The fields")


@dataclass(frozen=True, slots=True)
class Project:
    """The definitions of a folder, as they were read by `load`."""

    choices: Choices
    read: Read

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """The valid definitions, sorted by file; `declared` has the fields of each."""
        return self.read.loaded.definitions

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The errors and warnings of validation, each with file, line and column."""
        return tuple(self.read.loaded.problems)


class NotRecorded(ReconcilerError):  # noqa: N818 - it names what did not happen; the rest did
    """What was applied is live, but could not be recorded in git; `report` says what was applied."""

    def __init__(self, error: ReconcilerError, report: Report) -> None:
        super().__init__(error.message, hint=error.hint, where=error.where)
        self.report = report

    def __reduce__(self) -> tuple[type["NotRecorded"], tuple[ReconcilerError, Report]]:
        # A pool of processes pickles an error, and the report must not be lost on the way.
        return type(self), (ReconcilerError(self.message, hint=self.hint, where=self.where), self.report)


def load(
    directory: str | os.PathLike[str] = "assistants",
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    *,
    environment: str | None = None,
    base: str | None = None,
    changed: bool = False,
    changed_since: str | None = None,
    allow_older: bool = False,
) -> Project:
    """Read the definitions in a folder, or only those that `paths` select, and their history in git.

    `base` is a git revision, or "none"; the default is the applied record, if there is one. `changed` and
    `changed_since` select like the options of that name. With `allow_older`, for an `apply` that goes back, they also
    select what was applied since that commit. Invalid definitions raise nothing: see the project's `problems`. Raises
    ReconcilerError if there is nothing to work on.
    """
    choices = Choices(
        directory=Path(directory),
        paths=read_paths(paths),
        environment=environment,
        base=base,
        changed=changed,
        changed_since=changed_since,
    )
    read = read_project(choices, allow_older=allow_older)
    # A script may change its working directory before it uses the project.
    folder = read.folder.absolute()
    return Project(dataclasses.replace(choices, directory=folder), dataclasses.replace(read, folder=folder))


def connect(
    project: Project,
    *,
    api_url: str | None = None,
    token: str | None = None,
    email: str | None = None,
    password: str | None = None,
    concurrency: int = 16,
    timeout: float = 30.0,
    retries: int = 4,
    allow_insecure_http: bool = False,
) -> AssistantsApi:
    """Return the project's API, a context manager; nothing is sent before it is used.

    Arguments that you leave out come from environment variables (`RECONCILER_API_URL`, `RECONCILER_AUTH_TOKEN`, ...);
    the URL can also come from `reconciler.yaml`. At most `concurrency` requests are in flight at a time. `timeout`, in
    seconds, limits each attempt, and `retries` is how often a request is repeated after a temporary failure.
    `allow_insecure_http` allows plain http:// to another machine, which sends the token unencrypted. Raises
    ReconcilerError for a URL or credentials that are missing or cannot be used.
    """
    arguments = {"RECONCILER_AUTH_TOKEN": token, "RECONCILER_EMAIL": email, "RECONCILER_PASSWORD": password}
    given = {name: value for name, value in arguments.items() if value}
    # A token or a login of the environment may be another account's than the one that was asked for.
    inherited = {} if token else {**os.environ, "RECONCILER_AUTH_TOKEN": ""} if given else os.environ
    credentials = credentials_of({**inherited, **given})
    variable = os.environ.get("RECONCILER_API_URL")
    url = choose_url(api_url or variable, project.read.settings, by_variable=api_url is None)
    limits = ApiLimits(
        concurrency=concurrency, timeout=timeout, retries=retries, allow_insecure_http=allow_insecure_http
    )
    api = AssistantsApi(url, credentials, limits)
    api.environment = project.read.settings.environment
    return api


def plan(
    project: Project, api: AssistantsApi, *, on_drift: OnDrift | None = None, force_conflicts: bool = False
) -> Report:
    """Return the report of what `apply` would do. Never writes.

    `on_drift` says what to do about fields that were edited live: "keep", "revert" or "fail". The default is that of
    `reconciler.yaml`, or else "keep". With `force_conflicts`, git's value wins where both sides changed. An assistant
    that could not be read has an `error` in the report. Raises ReconcilerError for "fail" without a base.
    """
    _check_own(project, api)
    run = plan_.plan(api, _with_policy(project, on_drift, force_conflicts), Control(concurrency=api.concurrency))
    return _report(run)


def apply(
    project: Project,
    api: AssistantsApi,
    *,
    on_drift: OnDrift | None = None,
    force_conflicts: bool = False,
    max_changes: str | int | None = None,
    reviewed: Report | None = None,
    record: bool | None = None,
    allow_older: bool = False,
    create: bool = False,
    fail_fast: bool = False,
) -> Report:
    """Update live assistants to match their definitions, and return the report. Does not ask for confirmation.

    `on_drift` and `force_conflicts` are as for `plan`. With `reviewed`, a plan's report, exactly that plan is applied.
    `max_changes` is a number of assistants, or a percentage such as "25%"; if more would be written, nothing is.
    `record` says whether to record in git what was applied; None leaves that to the settings and the repository.
    `create` creates the assistants whose definition says `id: new`, and needs a record. `allow_older` goes back on
    purpose. With `fail_fast`, no other assistant is started after the first failure. If a definition is invalid,
    nothing is sent. An assistant's failure raises nothing: look at each `outcome`. Raises NotRecorded if what was
    applied could not be recorded, any other ReconcilerError before anything is sent.
    """
    _check_own(project, api)
    read = _with_policy(project, on_drift, force_conflicts)
    try:
        limit = MaxChanges.parse(max_changes) if max_changes is not None else None
    except ValueError as error:
        raise UsageError(f"max_changes {error}") from error
    options = apply_.ApplyOptions(
        record=record,
        allow_older=allow_older,
        create=create,
        fail_fast=fail_fast,
        max_changes=limit,
        earlier=SavedPlan(read_plan(read_report_object(reviewed, name="reviewed"))) if reviewed is not None else None,
    )
    # The use case hands the report on before it records, so that a record that fails does not lose it.
    reports: list[Report] = []

    def read_again() -> Read:
        check_unmoved(read)  # the project was read before the lock was held
        return read

    control = Control(concurrency=api.concurrency)
    session = apply_.Session(api=api, control=control, publish=lambda run: reports.append(_report(run)))
    lock = read.repository, read.settings.environment
    try:
        apply_.apply(lock, read_again, options, lambda _: contextlib.nullcontext(session))
    except ReconcilerError as error:
        if reports:
            raise NotRecorded(error, reports[0]) from error
        raise
    return reports[0]


def drift(project: Project, api: AssistantsApi) -> Report:
    """Return the report of what was edited live, outside git. Never writes.

    The base is that of the project, or else the commit that is checked out, or else the definitions themselves. An
    assistant that could not be read has an `error` in the report. Raises ReconcilerError if the history cannot be
    read.
    """
    _check_own(project, api)
    if not project.read.base.commit and project.choices.base is None:
        project = dataclasses.replace(project, read=read_project(project.choices, or_head=True))
    return _report(plan_.drift(api, _begin(project.read), Control(concurrency=api.concurrency)))


def _check_own(project: Project, api: AssistantsApi) -> None:
    # A script that handles several environments has an API of each.
    ours, other = project.read.settings.environment, api.environment
    if ours != other:
        raise UsageError(
            f"the project's environment is {ours or 'none'}, but the API's is {other or 'none'}",
            hint="pass what reconciler.connect returned for this project",
        )


def _with_policy(project: Project, on_drift: OnDrift | None, force_conflicts: bool) -> Read:
    choices = dataclasses.replace(project.choices, on_drift=on_drift, force_conflicts=force_conflicts)
    read = dataclasses.replace(_begin(project.read), policy=choose_policy(project.read.settings, choices))
    check_policy(read)
    return read


def _begin(read: Read) -> Read:
    # A run begins now, whenever its project was loaded: a freeze may have begun since.
    started_at = now()
    settings = dataclasses.replace(read.settings, today=started_at.date())
    return dataclasses.replace(read, settings=settings, started_at=started_at)


def _report(run: Run) -> Report:
    document: Report = to_json(build_report(run))
    return document
