"""docs/sandbox.md: every rule in it can be read, and its three rehearsals end as it says."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from commands import COMMAND, environment, run
from pages import list_blocks

from reconciler.sandbox.fault_rules import parse_rule

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
LOGIN = {"RECONCILER_EMAIL": "admin@sandbox.test", "RECONCILER_PASSWORD": "sandbox"}


class Rehearsal(NamedTuple):
    """One of the document's examples."""

    title: str
    sandbox: str
    before: str
    command: str
    output: str
    code: int


def rehearsals() -> list[Rehearsal]:
    found = []
    for part in TEXT.partition("## Three rehearsals")[2].split("\n### ")[1:]:
        blocks = "\n".join(list_blocks(part, "console", "text"))
        sandbox, before, command, said = re.findall(r"^(?!```|$)(.+)$", blocks, re.MULTILINE)
        code = re.search(r"The exit code is (\d)", part)
        assert code
        found.append(Rehearsal(part.partition("\n")[0], sandbox, before, command, said, int(code[1])))
    return found


def column(heading: str) -> list[str]:
    """What stands between backticks in the first column of the table with this heading."""
    _, _, table = TEXT.partition(f"\n| {heading} |")
    return re.findall(r"`([^`]+)`", "\n".join(row.split("|")[1] for row in table.partition("\n\n")[0].split("\n")[2:]))


def test_every_rule_of_the_tables_can_be_read() -> None:
    shown = [
        *(f"{when} GET *: 503" for when in column("WHEN")),
        *(f"GET *: {what}" for what in [*column("WHAT"), *column("option"), "html=502", "hang=5 after=both"]),
        *column("rule"),
    ]
    assert len(shown) == 32
    for rule in shown:
        assert parse_rule(rule).text == rule


@pytest.mark.parametrize("rehearsal", rehearsals(), ids=lambda rehearsal: rehearsal.title)
def test_a_rehearsal_ends_as_it_is_told(rehearsal: Rehearsal, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    shutil.copytree(ROOT / "assistants", tmp_path / "assistants")
    name, *options = shlex.split(rehearsal.sandbox)
    assert name == "reconciler"
    with subprocess.Popen(
        [COMMAND, *options, "--port", "0"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as sandbox:
        assert sandbox.stdout
        try:
            url = sandbox.stdout.readline().split()[3]
            subprocess.run(["/bin/sh", "-c", rehearsal.before], cwd=tmp_path, check=True)
            name, *options = shlex.split(rehearsal.command)
            result = run(*options, cwd=tmp_path, env={**LOGIN, "RECONCILER_API_URL": url})
        finally:
            sandbox.terminate()
            _, tallies = sandbox.communicate(timeout=30)
    assert name == "reconciler"
    assert result.stdout.splitlines()[-1] == rehearsal.output, result.stdout
    assert result.code == rehearsal.code
    assert re.fullmatch(r"Fault 1 hit [1-9]\d* of \d+ requests: .*\n", tallies)


def test_the_page_has_three_rehearsals() -> None:
    assert len(rehearsals()) == 3
