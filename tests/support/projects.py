"""A folder of definitions, and the use cases over TCP as a command calls them: what comes back is the report."""

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from json_reports import AssistantEntry, Document
from leaks import PASSWORD

from reconciler.api.client import ApiOptions, AssistantsApi
from reconciler.api.secret import Credentials, Secret
from reconciler.core.plan import Policy
from reconciler.core.run import Run
from reconciler.core.settings import Settings
from reconciler.files.definitions import Loaded, load
from reconciler.files.folders import repository_root
from reconciler.files.settings import load_settings
from reconciler.report.build import build_report
from reconciler.report.json_values import to_json
from reconciler.sandbox.accounts import ADMIN
from reconciler.usecases.apply import apply
from reconciler.usecases.drift import drift
from reconciler.usecases.inputs import places
from reconciler.usecases.plan import plan
from reconciler.usecases.scope import Scope

MODEL = {"provider": "openai", "model": "gpt-4o", "temperature": 0.7}


class Project:
    """A repository with definitions below `assistants`; `root` is its root."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True)
        subprocess.run(["git", "init", "--quiet", str(root)], check=True)
        self.root = root
        self.folder = root / "assistants"
        self.folder.mkdir()

    def write(self, key: str, text: str = "", **fields: Any) -> Path:
        """Write a definition: a text as it is, or fields."""
        return _written(self.folder / f"{key}.yaml", text, fields)

    def overlay(self, environment: str, key: str = "a", text: str = "", /, **fields: Any) -> Path:
        """Write an overlay: a text as it is, or fields."""
        return _written(self.root / "environments" / environment / f"{key}.yaml", text, fields)

    def configure(self, **settings: Any) -> None:
        """Write reconciler.yaml."""
        (self.root / "reconciler.yaml").write_text(json.dumps(settings), "utf-8")

    @property
    def settings(self) -> Settings:
        return load_settings(self.folder, root=self.root)

    def loaded(self, *paths: str) -> Loaded:
        chosen = [self.folder / path for path in paths]
        return load(self.folder, chosen, root=repository_root(self.folder), settings=self.settings)

    def scope(self, *paths: str, **changes: Any) -> Scope:
        settings = self.settings
        policy = Policy(always_send=settings.always_send)
        return Scope(self.loaded(*paths), settings, **{"policy": policy, "concurrency": 4, **changes})

    def document(self, run: Run) -> Document:
        """The report of a run, as commands make it."""
        document: Document = to_json(build_report(run, sensitive=self.settings.sensitive, places=places))
        return document

    def plan(self, url: str, *paths: str, retries: int = 1, **changes: Any) -> Document:
        with opened(url, retries=retries) as api:
            return self.document(plan(api, self.scope(*paths, **changes)))

    def drift(self, url: str, *paths: str, **changes: Any) -> Document:
        with opened(url) as api:
            return self.document(drift(api, self.scope(*paths, **changes)))

    def apply(
        self,
        url: str,
        *paths: str,
        retries: int = 1,
        timeout: float = 10,
        fail_fast: bool = False,
        email: str = ADMIN.email,
        between: Callable[[], None] = lambda: None,
        **changes: Any,
    ) -> Document:
        """Plan and apply; `between` is called between the two."""
        scope = self.scope(*paths, **changes)
        with opened(url, retries=retries, timeout=timeout, email=email, stopping=scope.stopping) as api:
            planned = plan(api, scope)
            between()
            return self.document(apply(api, scope, planned, retries=retries, fail_fast=fail_fast))


def _written(file: Path, text: str, fields: dict[str, Any]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text or yaml.safe_dump(fields, sort_keys=False, allow_unicode=True), "utf-8")
    return file


@contextlib.contextmanager
def opened(
    url: str,
    *,
    retries: int = 1,
    timeout: float = 10,
    email: str = ADMIN.email,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[AssistantsApi]:
    """The API as commands open it, with short waits."""
    credentials = Credentials(email=email, password=Secret(PASSWORD))
    options = ApiOptions(url, credentials, concurrency=4, timeout=timeout, retries=retries)
    with AssistantsApi(options, backoff=0.01, stopping=stopping) as api:
        yield api


def only(document: Document) -> AssistantEntry:
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
    return [f"{change['path']} {change['kind']}" for change in only(document)["changes"]]
