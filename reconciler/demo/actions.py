"""What can happen in a scene. Each action shows itself, then does it, on the stage.

An action that does not end as the story says raises DemoError.
"""

import json
import shlex
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.demo.stage import FOLDER, Stage
from reconciler.errors import DemoError

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Command:
    """A command as a user types it, the exit code that it must end with, and what to say about its output."""

    line: str
    exit_code: int = 0
    remark: str = ""

    def play(self, stage: Stage) -> None:
        """Print the command, run it, compare its exit code."""
        stage.teller.command_line(self.line)
        code = stage.run(shlex.split(self.line))
        stage.teller.show()
        # The story promises what happens: a command that ends otherwise makes it untrue, so nothing more is told.
        if code != self.exit_code:
            raise DemoError(f"`{self.line}` ended with exit code {code} instead of {self.exit_code}")
        if self.remark:
            stage.teller.remark(self.remark)


@dataclass(frozen=True)
class StartSandbox:
    """A sandbox with the definitions' assistants as they once were: `earlier` has what was different, by their ids."""

    earlier: Mapping[str, Fields]

    def play(self, stage: Stage) -> None:
        """Start a sandbox with what the definitions say, and turn it back."""
        line = f"reconciler sandbox --port 0 --seed {FOLDER}"
        stage.teller.command_line(f"{line} &")
        stage.teller.show(stage.start_sandbox(line.split()))
        for assistant_id, fields in self.earlier.items():
            stage.edit_live(assistant_id, fields)


@dataclass(frozen=True)
class EditLive:
    """What the dashboard sends when somebody presses Save there."""

    assistant_id: str
    fields: Fields

    def play(self, stage: Stage) -> None:
        """Print the request and send it."""
        stage.teller.show(f"PATCH /assistants/{self.assistant_id}", json.dumps(self.fields, indent=2))
        stage.edit_live(self.assistant_id, self.fields)


@dataclass(frozen=True)
class NewFile:
    """A file that somebody adds to the repository."""

    path: Path
    text: str

    def play(self, stage: Stage) -> None:
        """Write the file and print it."""
        text = textwrap.dedent(self.text).strip()
        (stage.folder / self.path).write_text(f"{text}\n", encoding="utf-8")
        stage.teller.command_line(f"cat {self.path}")
        stage.teller.show(text)


@dataclass(frozen=True)
class EditFile:
    """A line that somebody changes in a file of the repository."""

    path: Path
    before: str
    after: str

    def play(self, stage: Stage) -> None:
        """Print the line before and after, and change it. Raises DemoError where it is not in the file once."""
        file = stage.folder / self.path
        lines = file.read_text(encoding="utf-8").splitlines()
        # The definitions live on, and the story must not change another line than it shows.
        if lines.count(self.before) != 1:
            raise DemoError(f"{self.path} does not say `{self.before}` once")
        lines[lines.index(self.before)] = self.after
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")
        stage.teller.show(str(self.path), f"- {self.before}", f"+ {self.after}")


Action = Command | StartSandbox | EditLive | NewFile | EditFile
