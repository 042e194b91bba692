"""One definition in two environments, each with a sandbox of its own and an overlay folder."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from commands import Completed
from json_reports import Document
from servers import Sandbox, running_sandbox
from stories import Nested, Story, story

NOTHING_ELSE = {"RECONCILER_API_URL": ""}
SHARED = """# For all environments.
name: Enrollment
firstMessage: "Hello"   # said first
model:
  provider: openai
  model: gpt-4o
  temperature: 0.7
"""


class Two:
    """A repository whose definitions serve staging and production."""

    def __init__(self, tale: Story, production: Sandbox) -> None:
        self.tale = tale
        self.root = tale.root
        self.sandboxes = {"staging": tale.sandbox, "production": production}
        self.configure()

    def configure(self, environments: Mapping[str, Mapping[str, Any]] | None = None, **settings: Any) -> None:
        """Write reconciler.yaml; `environments` adds to the two."""
        both: dict[str, Any] = {
            name: {"api_url": sandbox.url, "overlay": f"environments/{name}"}
            for name, sandbox in self.sandboxes.items()
        }
        for name, more in (environments or {}).items():
            both[name] = {**both.get(name, {}), **more}
        self.tale.project.configure(environments=both, **settings)

    def shared(self, key: str = "a", text: str = SHARED) -> Path:
        """Write a definition that all environments share."""
        return self.tale.write(key, text)

    def overlay(self, name: str, key: str = "a", text: str = "", /, **fields: Any) -> Path:
        """Write an overlay: a text as it is, or fields."""
        file = self.root / "environments" / name / f"{key}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text or yaml.safe_dump(fields, sort_keys=False, allow_unicode=True), "utf-8")
        return file

    def run(self, name: str, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Completed:
        """Run a command in an environment, whose URL comes from the settings alone."""
        given = {**NOTHING_ELSE, **(env or {})}
        return self.tale.run(*arguments, "--environment", name, env=given)

    def report(self, name: str, *arguments: str | Path) -> Document:
        """Run a command and return its report."""
        done = self.run(name, *arguments, "--format", "json", "--retries", "0")
        assert done.stdout, done.stderr
        document: Document = json.loads(done.stdout)
        return document


@contextlib.contextmanager
def two_environments(
    root: Path, live: Mapping[str, Mapping[str, Any]], *, nested: Nested = "merge", kind: type[Story] = Story
) -> Iterator[Two]:
    """Staging and production with the assistants of `live` each, by the end of their ids; no definitions yet."""
    seed = {f"asst_{name}": fields for name, fields in live.items()}
    with story(root, live, nested=nested, kind=kind) as tale, running_sandbox(seed, nested=nested) as production:
        two = Two(tale, production)
        for name in two.sandboxes:
            (root / "environments" / name).mkdir(parents=True)
        yield two
