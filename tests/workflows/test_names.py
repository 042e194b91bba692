"""One name for a folder and an environment: in artifacts, branches and markers."""

import subprocess
import sys
from pathlib import Path

from commands import environment
from workflow_files import ROOT

NAMES = {
    ("assistants", ""): "assistants",
    ("assistants", "staging"): "assistants@staging",
    ("assistants-staging", ""): "assistants-staging",
    ("assistants@staging", ""): "assistants=40staging",
    ("a/b", ""): "a+b",
    ("a-b", ""): "a-b",
    ("a+b", ""): "a=2Bb",
    ("a=2Bb", ""): "a=3D2Bb",
    ("../all \N{LATIN SMALL LETTER E WITH ACUTE}.lock", ""): "=2E=2E+all=20=C3=A9=2Elock",
}


def test_no_two_share_a_name(tmp_path: Path) -> None:
    script = str(ROOT / ".github" / "scripts" / "name.py")
    for number, ((directory, chosen), name) in enumerate(NAMES.items()):
        output = tmp_path / str(number)
        known = {"DIRECTORY": directory, "ENVIRONMENT": chosen, "GITHUB_OUTPUT": str(output)}
        subprocess.run([sys.executable, "-E", "-s", script], env=environment(known), check=True)
        assert output.read_text("utf-8") == f"name={name}\n"
        assert not set(name) & set('":<>|*?\r\n\\/'), "what an artifact's name must not have"
        subprocess.run(["git", "check-ref-format", f"refs/heads/reconciler/accept-live-edits-{name}"], check=True)
    assert len(set(NAMES.values())) == len(NAMES)
