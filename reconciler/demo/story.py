"""Tells the story of story.yaml, scene by scene, from a first check to an edit outside git; within 80 columns."""

import dataclasses
import json
import shlex
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from reconciler.demo.stage import FOLDER, Stage, open_stage
from reconciler.errors import DemoError

WIDTH = 78
_STORY = Path(__file__).with_name("story.yaml")
Step = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Teller:
    """How the demo prints. `pause` waits until the user has read."""

    write: Callable[[str], None]
    strong: Callable[[str], str] = str
    faint: Callable[[str], str] = str
    pause: Callable[[], None] = lambda: None

    def show_heading(self, title: str) -> None:
        """Show a heading."""
        self.show(self.strong(f"== {title} ".ljust(WIDTH, "=")))

    def show_text(self, text: str) -> None:
        """Show paragraphs; one with an indented line stays as it is written."""
        for paragraph in textwrap.dedent(text).strip().split("\n\n"):
            is_preformatted = any(line.startswith(" ") for line in paragraph.splitlines())
            self.show(paragraph if is_preformatted else textwrap.fill(paragraph, WIDTH))

    def show_command(self, line: str) -> None:
        """Show a command as it is typed."""
        self.write(self.strong(f"$ {line}"))

    def show(self, *texts: str) -> None:
        """Show texts as they are, and an empty line."""
        for text in (*texts, ""):
            self.write(text)

    def show_remark(self, text: str) -> None:
        """Show a remark about the output above."""
        lines = textwrap.wrap(text, WIDTH, initial_indent="-> ", subsequent_indent="   ")
        self.show(*map(self.faint, lines))


def run_story(teller: Teller, text: str = "") -> None:
    """Run the story, or another YAML text of its form, and clean up. Raises DemoError and Interrupted."""
    story = yaml.load(text or _STORY.read_text("utf-8"), Loader=yaml.CSafeLoader)
    teller.show_text(story["introduction"])
    with open_stage() as stage:
        for number, scene in enumerate(story["scenes"], start=1):
            with stage.interruptible():
                teller.pause()
            teller.show_heading(f"{number}. {scene['title']}")
            teller.show_text(scene["text"])
            for step in scene["steps"]:
                _STEPS[next(iter(step))](teller, stage, step)
    teller.show_heading("With your own assistants")
    teller.show_text(story["what_next"])


def _run(teller: Teller, stage: Stage, step: Step) -> None:
    line, exit_code = step["run"], step.get("exit", 0)
    teller.show_command(line)
    code = stage.run(shlex.split(line))
    teller.show()
    # The story says what happens. If a command ends otherwise, the story is wrong, so it stops.
    if code != exit_code:
        raise DemoError(f"`{line}` ended with exit code {code} instead of {exit_code}")
    if "remark" in step:
        teller.show_remark(step["remark"])


def _start_sandbox(teller: Teller, stage: Stage, step: Step) -> None:
    line = f"reconciler sandbox --port 0 --seed {FOLDER}"
    teller.show_command(f"{line} &")
    teller.show(stage.start_sandbox(line.split()))
    for assistant_id, fields in step["sandbox"].items():
        stage.edit_live(assistant_id, fields)


def _edit_live(teller: Teller, stage: Stage, step: Step) -> None:
    teller.show(f"PATCH /assistants/{step['edit_live']}", json.dumps(step["fields"], indent=2))
    stage.edit_live(step["edit_live"], step["fields"])


def _write_file(teller: Teller, stage: Stage, step: Step) -> None:
    (stage.folder / step["write"]).write_text(f"{step['text']}\n", encoding="utf-8")
    teller.show_command(f"cat {step['write']}")
    teller.show(step["text"])


def _edit_file(teller: Teller, stage: Stage, step: Step) -> None:
    path, before, after = step["edit"], step["before"], step["after"]
    lines = (stage.folder / path).read_text(encoding="utf-8").splitlines()
    # The definitions change over time, and the story must change only the line that it shows.
    if lines.count(before) != 1:
        raise DemoError(f"{path} does not say `{before}` once")
    lines[lines.index(before)] = after
    (stage.folder / path).write_text("\n".join([*lines, ""]), encoding="utf-8")
    teller.show(path, f"- {before}", f"+ {after}")


# By the first key of a step.
_STEPS = {"run": _run, "sandbox": _start_sandbox, "edit_live": _edit_live, "write": _write_file, "edit": _edit_file}
