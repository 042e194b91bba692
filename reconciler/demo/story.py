"""Tells the story of story.yaml: scene after scene, from a first check to an edit outside git and how that ends."""

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


def tell_story(teller: Teller, text: str = "") -> None:
    """Tell the story, or another YAML text of its form, and leave nothing. Raises DemoError, and Interrupted."""
    story = yaml.load(text or _STORY.read_text("utf-8"), Loader=yaml.CSafeLoader)
    teller.say(story["introduction"])
    with open_stage(teller) as stage:
        for number, scene in enumerate(story["scenes"], start=1):
            with stage.waiting():
                teller.pause()
            teller.heading(f"{number}. {scene['title']}")
            teller.say(scene["text"])
            for step in scene["steps"]:
                _STEPS[next(iter(step))](stage, step)
    teller.heading("With your own assistants")
    teller.say(story["what_next"])


def _run(stage: Stage, step: Step) -> None:
    line, exit_code = step["run"], step.get("exit", 0)
    stage.teller.command_line(line)
    code = stage.run(shlex.split(line))
    stage.teller.show()
    # The story promises what happens: a command that ends otherwise makes it untrue, so nothing more is told.
    if code != exit_code:
        raise DemoError(f"`{line}` ended with exit code {code} instead of {exit_code}")
    if "remark" in step:
        stage.teller.remark(step["remark"])


def _start_sandbox(stage: Stage, step: Step) -> None:
    line = f"reconciler sandbox --port 0 --seed {FOLDER}"
    stage.teller.command_line(f"{line} &")
    stage.teller.show(stage.start_sandbox(line.split()))
    for assistant_id, fields in step["sandbox"].items():
        stage.edit_live(assistant_id, fields)


def _edit_live(stage: Stage, step: Step) -> None:
    stage.teller.show(f"PATCH /assistants/{step['edit_live']}", json.dumps(step["fields"], indent=2))
    stage.edit_live(step["edit_live"], step["fields"])


def _write_file(stage: Stage, step: Step) -> None:
    (stage.folder / step["write"]).write_text(f"{step['text']}\n", encoding="utf-8")
    stage.teller.command_line(f"cat {step['write']}")
    stage.teller.show(step["text"])


def _edit_file(stage: Stage, step: Step) -> None:
    path, before, after = step["edit"], step["before"], step["after"]
    lines = (stage.folder / path).read_text(encoding="utf-8").splitlines()
    # The definitions live on, and the story must not change another line than it shows.
    if lines.count(before) != 1:
        raise DemoError(f"{path} does not say `{before}` once")
    lines[lines.index(before)] = after
    (stage.folder / path).write_text("\n".join([*lines, ""]), encoding="utf-8")
    stage.teller.show(path, f"- {before}", f"+ {after}")


# By the first key of a step.
_STEPS = {"run": _run, "sandbox": _start_sandbox, "edit_live": _edit_live, "write": _write_file, "edit": _edit_file}
