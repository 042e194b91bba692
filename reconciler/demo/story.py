"""Runs the story of story.yaml, scene by scene, from a first check to an edit outside git."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from reconciler.demo.stage import FOLDER, Stage, open_stage
from reconciler.demo.teller import Teller
from reconciler.errors import DemoError

_STORY = Path(__file__).with_name("story.yaml")
Step = Mapping[str, Any]


def run_story(teller: Teller, text: str = "") -> None:
    """Run the story, or another YAML text of its form, and clean up. Raises DemoError and Interrupted."""
    story = yaml.load(text or _STORY.read_text("utf-8"), Loader=yaml.CSafeLoader)
    teller.show_text(story["introduction"])
    with open_stage(teller) as stage:
        for number, scene in enumerate(story["scenes"], start=1):
            with stage.interruptible():
                teller.pause()
            teller.show_heading(f"{number}. {scene['title']}")
            teller.show_text(scene["text"])
            for step in scene["steps"]:
                _STEPS[next(iter(step))](stage, step)
    teller.show_heading("With your own assistants")
    teller.show_text(story["what_next"])


def _run(stage: Stage, step: Step) -> None:
    line, exit_code = step["run"], step.get("exit", 0)
    stage.teller.show_command(line)
    code = stage.run(shlex.split(line))
    stage.teller.show()
    # The story says what happens. If a command ends otherwise, the story is wrong, so it stops.
    if code != exit_code:
        raise DemoError(f"`{line}` ended with exit code {code} instead of {exit_code}")
    if "remark" in step:
        stage.teller.show_remark(step["remark"])


def _start_sandbox(stage: Stage, step: Step) -> None:
    line = f"reconciler sandbox --port 0 --seed {FOLDER}"
    stage.teller.show_command(f"{line} &")
    stage.teller.show(stage.start_sandbox(line.split()))
    for assistant_id, fields in step["sandbox"].items():
        stage.edit_live(assistant_id, fields)


def _edit_live(stage: Stage, step: Step) -> None:
    stage.teller.show(f"PATCH /assistants/{step['edit_live']}", json.dumps(step["fields"], indent=2))
    stage.edit_live(step["edit_live"], step["fields"])


def _write_file(stage: Stage, step: Step) -> None:
    (stage.folder / step["write"]).write_text(f"{step['text']}\n", encoding="utf-8")
    stage.teller.show_command(f"cat {step['write']}")
    stage.teller.show(step["text"])


def _edit_file(stage: Stage, step: Step) -> None:
    path, before, after = step["edit"], step["before"], step["after"]
    lines = (stage.folder / path).read_text(encoding="utf-8").splitlines()
    # The definitions change over time, and the story must change only the line that it shows.
    if lines.count(before) != 1:
        raise DemoError(f"{path} does not say `{before}` once")
    lines[lines.index(before)] = after
    (stage.folder / path).write_text("\n".join([*lines, ""]), encoding="utf-8")
    stage.teller.show(path, f"- {before}", f"+ {after}")


# By the first key of a step.
_STEPS = {"run": _run, "sandbox": _start_sandbox, "edit_live": _edit_live, "write": _write_file, "edit": _edit_file}
