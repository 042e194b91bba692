"""A repository whose definitions serve several environments, and no API at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from commands import Completed, run
from projects import Project

URLS = {"staging": "https://staging.example/api", "production": "https://agents.example/api"}


class Offline:
    """Definitions below `assistants`, overlays below `environments`."""

    def __init__(self, root: Path) -> None:
        self.project = Project(root)
        self.root = root

    def configure(self, *names: str, **settings: Any) -> None:
        """Write reconciler.yaml with some environments, each with its overlay folder."""
        environments = {name: {"api_url": URLS[name], "overlay": f"environments/{name}"} for name in names}
        for name in names:
            (self.root / "environments" / name).mkdir(parents=True, exist_ok=True)
        self.project.configure(**{"environments": environments, **settings})

    def overlay(self, key: str, text: str = "", name: str = "staging", **fields: Any) -> Path:
        """Write an overlay: a text as it is, or fields."""
        return self.project.overlay(name, key, text, **fields)

    def run(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Completed:
        """Run the command in the repository."""
        return run(*arguments, cwd=self.root, env=env)
