"""One definition in two environments, each with a sandbox of its own and an overlay folder."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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


class TwoEnvironments:
    """A repository whose definitions serve staging and production."""

    def __init__(self, repo: Story, production: Sandbox) -> None:
        self.repo = repo
        self.root = repo.root
        self.sandboxes = {"staging": repo.sandbox, "production": production}
        self.configure()

    def configure(self, environments: Mapping[str, Mapping[str, Any]] | None = None, **settings: Any) -> None:
        """Write reconciler.yaml; `environments` adds to the two."""
        both: dict[str, Any] = {
            name: {"api_url": sandbox.url, "overlay": f"environments/{name}"}
            for name, sandbox in self.sandboxes.items()
        }
        for name, more in (environments or {}).items():
            both[name] = {**both.get(name, {}), **more}
        self.repo.project.configure(environments=both, **settings)

    def shared(self, key: str = "a", text: str = SHARED) -> Path:
        """Write a definition that all environments share."""
        return self.repo.write(key, text)

    def overlay(self, name: str, key: str = "a", text: str = "", /, **fields: Any) -> Path:
        """Write an overlay: a text as it is, or fields."""
        return self.repo.project.overlay(name, key, text, **fields)

    def run(self, name: str, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Completed:
        """Run a command in an environment, whose URL comes from the settings alone."""
        variables = {**NOTHING_ELSE, **(env or {})}
        return self.repo.run(*arguments, "--environment", name, env=variables)

    def report(self, name: str, *arguments: str | Path) -> Document:
        """Run a command and return its report."""
        return self.repo.report(*arguments, "--environment", name, env=NOTHING_ELSE)


@contextlib.contextmanager
def two_environments(
    root: Path, live: Mapping[str, Mapping[str, Any]], *, nested: Nested = "merge", kind: type[Story] = Story
) -> Iterator[TwoEnvironments]:
    """Staging and production with the assistants of `live` each, by the end of their ids; no definitions yet."""
    seed = {f"asst_{name}": fields for name, fields in live.items()}
    with story(root, live, nested=nested, kind=kind) as repo, running_sandbox(seed, nested=nested) as production:
        environments = TwoEnvironments(repo, production)
        for name in environments.sandboxes:
            (root / "environments" / name).mkdir(parents=True)
        yield environments
