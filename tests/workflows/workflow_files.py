"""Where the workflows and actions are, and what is in them."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
ACTIONS = ROOT / ".github" / "actions"


@cache
def read_workflow(path: Path) -> dict[str, Any]:
    """Return a workflow or an action; the key `on` is one of YAML 1.1's booleans."""
    text = path.read_text("utf-8").replace("\non:\n", '\n"on":\n')
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def run_steps(path: Path) -> set[tuple[str, str]]:
    """Return all `run:` steps of a workflow or an action and of the actions that it uses, as `executed` names them."""
    content = read_workflow(path)
    listed = [content["runs"]["steps"]] if "runs" in content else [job["steps"] for job in content["jobs"].values()]
    found: set[tuple[str, str]] = set()
    for steps in listed:
        for number, step in enumerate(steps):
            if "run" in step:
                found.add((str(path.relative_to(ROOT)), f"{number}: {step['name']}"))
            elif step["uses"].startswith("$/"):
                found |= run_steps(ROOT / step["uses"].removeprefix("$/") / "action.yml")
    return found
