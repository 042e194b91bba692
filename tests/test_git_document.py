"""docs/git.md is a story that is true: its commands are run in order, and show what stands below them.

After a deliberate change: `RENEW_DOCS=1 pytest tests/test_git_document.py`, then read the diff.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import yaml
from commands import COMMAND, connection_variables, environment
from pages import list_blocks, replace_times
from servers import Sandbox, running_sandbox

DOCUMENT = Path(__file__).parent.parent / "docs" / "git.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$|^<!-- live: (\S+) ([^\n]*) -->$", re.MULTILINE | re.DOTALL)
MODEL = {"provider": "openai", "model": "gpt-4o", "temperature": 0.7}
ONE_TIME = "2026-11-20T09:30:00+00:00"
PEOPLE = {
    **{
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Ada"), ("EMAIL", "a@b"))
    },
    **{f"GIT_{role}_DATE": ONE_TIME for role in ("AUTHOR", "COMMITTER")},
}


class Teller:
    """Carries the story out: definitions are written, edits made live, commands run."""

    def __init__(self, root: Path, sandbox: Sandbox) -> None:
        subprocess.run(["git", "init", "--quiet", str(root)], check=True)
        (root / "assistants").mkdir()
        self._root = root
        self._sandbox = sandbox
        path = f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}"
        self._environment = environment({**connection_variables(sandbox), **PEOPLE, "PATH": path, "COLUMNS": "80"})

    def definition(self, text: str) -> None:
        first, _, rest = text.partition("\n")
        (self._root / first.removeprefix("# ")).write_text(rest, "utf-8")

    def edit(self, assistant: str, fields: str) -> None:
        self._sandbox.edit(assistant, **json.loads(fields))

    def run(self, command: str) -> list[str]:
        result = subprocess.run(
            ["sh", "-c", command],
            cwd=self._root,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return [*result.stdout.splitlines(), *result.stderr.splitlines()]


def run_story(text: str, teller: Teller) -> Iterator[tuple[re.Match[str], str]]:
    """Go through the story; yield each block of commands, and what it should read."""
    for block in BLOCK.finditer(text):
        language, content, assistant, fields = block.groups()
        if assistant:
            teller.edit(assistant, fields)
        elif language == "yaml":
            teller.definition(content)
        elif language == "console":
            lines = [[line, *teller.run(line[2:])] for line in content.splitlines() if line.startswith("$ ")]
            yield block, "".join(f"{line}\n" for shown in lines for line in shown)


def test_the_story_is_true(tmp_path: Path) -> None:
    text = DOCUMENT.read_text("utf-8")
    definitions = [yaml.safe_load(block) for block in list_blocks(text, "yaml")]
    live = {found.pop("id"): {**found, "model": MODEL} for found in definitions if "id" in found}
    (tmp_path / "repository").mkdir()
    with running_sandbox(live) as sandbox:
        blocks = list(run_story(text, Teller(tmp_path / "repository", sandbox)))
    assert len(blocks) > 5
    renewed = text
    for block, output in reversed(blocks):
        renewed = renewed[: block.start(2)] + replace_times(output) + renewed[block.end(2) :]
    if os.environ.get("RENEW_DOCS"):
        DOCUMENT.write_text(renewed, "utf-8")
    assert text == renewed
