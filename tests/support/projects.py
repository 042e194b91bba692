"""A folder of definitions, and the use cases over TCP as a command calls them: what comes back is the report."""

import contextlib
import dataclasses
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from json_reports import AssistantEntry, Document
from leaks import PASSWORD

from reconciler.api.client import AssistantsApi
from reconciler.api.secret import Credentials, Secret
from reconciler.core.base import BaseDefinitions, Entries, Entry
from reconciler.core.json_values import to_json
from reconciler.core.plan import Policy
from reconciler.core.ports import ApiLimits
from reconciler.core.run import Run
from reconciler.core.settings import Settings, now
from reconciler.files.definitions import Loaded, load
from reconciler.files.folders import repository_root
from reconciler.files.settings import load_settings
from reconciler.git.repository import Repository
from reconciler.report.build import build_report
from reconciler.sandbox.accounts import ADMIN
from reconciler.usecases.apply import ApplyOptions, Session, apply, ask_and_write
from reconciler.usecases.plan import compare, drift, plan
from reconciler.usecases.project.project import Project as LoadedProject
from reconciler.usecases.workers import Control

MODEL = {"provider": "openai", "model": "gpt-4o", "temperature": 0.7}


class Project:
    """A repository with definitions below `assistants`; `root` is its root.

    `started_at` is when every run on it starts: a test of dates sets it, and nothing waits for a day to pass.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True)
        subprocess.run(["git", "init", "--quiet", str(root)], check=True)
        self.root = root
        self.folder = root / "assistants"
        self.folder.mkdir()
        self.started_at = now()

    def write(self, key: str, text: str = "", **fields: Any) -> Path:
        """Write a definition: a text as it is, or fields."""
        return _write(self.folder / f"{key}.yaml", text, fields)

    def overlay(self, environment: str, key: str = "a", text: str = "", /, **fields: Any) -> Path:
        """Write an overlay: a text as it is, or fields."""
        return _write(self.root / "environments" / environment / f"{key}.yaml", text, fields)

    def configure(self, **settings: Any) -> None:
        """Write reconciler.yaml, as people do."""
        _write(self.root / "reconciler.yaml", "", settings)

    @property
    def settings(self) -> Settings:
        return load_settings(self.folder, root=self.root, today=self.started_at.date())

    def load_definitions(self, *paths: str) -> Loaded:
        chosen = [self.folder / path for path in paths]
        return load(self.folder, chosen, root=repository_root(self.folder), settings=self.settings)

    def read(
        self, *paths: str, base: Mapping[str, Any] | None = None, policy: Policy | None = None, **changes: Any
    ) -> LoadedProject:
        """What a use case works on; `base` is what the base declared for every assistant."""
        settings, loaded = self.settings, self.load_definitions(*paths)
        chosen = dataclasses.replace(policy or Policy(), always_send=settings.always_send)
        if base is not None:
            entries = {
                definition.file: Entry(definition.id, definition.file, base) for definition in loaded.definitions
            }
            changes["base"] = BaseDefinitions(ref="base", commit="0" * 40, entries=Entries(entries))
        return LoadedProject(
            folder=self.folder,
            root=repository_root(self.folder),
            repository=Repository(self.folder),  # none
            settings=settings,
            loaded=loaded,
            policy=chosen,
            started_at=self.started_at,
            **changes,
        )

    def document(self, run: Run) -> Document:
        """The report of a run, as commands make it."""
        document: Document = to_json(build_report(run))
        return document

    def plan(
        self,
        url: str,
        *paths: str,
        retries: int = 1,
        stopping: Callable[[], bool] = lambda: False,
        concurrency: int = 4,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
        **changes: Any,
    ) -> Document:
        control = Control(concurrency=concurrency, stopping=stopping, progress=progress)
        with open_api(url, retries=retries) as api:
            return self.document(plan(api, self.read(*paths, **changes), control))

    def drift(self, url: str, *paths: str, **changes: Any) -> Document:
        with open_api(url) as api:
            return self.document(drift(api, self.read(*paths, **changes), Control(concurrency=4)))

    def apply(
        self,
        url: str,
        *paths: str,
        retries: int = 1,
        timeout: float = 10,
        fail_fast: bool = False,
        email: str = ADMIN.email,
        between: Callable[[], None] = lambda: None,
        stopping: Callable[[], bool] = lambda: False,
        concurrency: int = 4,
        lag: float = 0.3,
        **changes: Any,
    ) -> Document:
        """Plan and apply; `between` is called between the two."""
        read = self.read(*paths, **changes)
        control = Control(concurrency=concurrency, fail_fast=fail_fast, stopping=stopping)
        with open_api(url, retries=retries, timeout=timeout, email=email, stopping=stopping, lag=lag) as api:
            planned = compare(api, read, control, command="apply")
            between()
            run, _ = ask_and_write(planned, read, Session(api=api, control=control))
            return self.document(run)

    def whole_apply(
        self,
        api: AssistantsApi,
        *,
        consent: Callable[[Run], str | None] = lambda _run: None,
        options: ApplyOptions | None = None,
    ) -> Run:
        """Apply as the command does, outside git."""
        session = Session(api=api, control=Control(concurrency=4), consent=consent)
        return apply(
            (Repository(self.root), None),
            self.read,
            options or ApplyOptions(),
            lambda _read: contextlib.nullcontext(session),
        )


def _write(file: Path, text: str, fields: dict[str, Any]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text or yaml.safe_dump(fields, sort_keys=False, allow_unicode=True), "utf-8")
    return file


@contextlib.contextmanager
def open_api(
    url: str,
    *,
    retries: int = 1,
    timeout: float = 10,
    email: str = ADMIN.email,
    stopping: Callable[[], bool] = lambda: False,
    lag: float = 0.3,
) -> Iterator[AssistantsApi]:
    """The API as commands open it, with short waits."""
    credentials = Credentials(email=email, password=Secret(PASSWORD))
    options = (url, credentials, ApiLimits(concurrency=4, timeout=timeout, retries=retries))
    with AssistantsApi(*options, backoff=0.01, stopping=stopping, lag=lag) as api:
        yield api


def only_assistant(document: Document) -> AssistantEntry:
    """The one assistant of a report."""
    entry: AssistantEntry
    (entry,) = document["assistants"]
    return entry


def outcomes(document: Document) -> dict[str, str | None]:
    """What became of each assistant, by key."""
    return {entry["key"]: entry["outcome"] for entry in document["assistants"]}


def statuses(document: Document) -> dict[str, str | None]:
    """The status of each assistant, by key."""
    return {entry["key"]: entry["status"] for entry in document["assistants"]}


def kinds(document: Document) -> dict[str, str | None]:
    """The kind of each assistant's error, by key."""
    return {entry["key"]: entry["error"]["kind"] if entry["error"] else None for entry in document["assistants"]}


def paths(document: Document) -> Sequence[str]:
    """Where the one assistant differs, and how."""
    return [f"{change['path']} {change['kind']}" for change in only_assistant(document)["changes"]]
