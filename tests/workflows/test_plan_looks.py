"""Which changes of a pull request the plan workflow looks at: definitions, settings, and whatever may be a text."""

import subprocess
from pathlib import Path

import pytest
import yaml
from commands import environment
from workflow_files import WORKFLOWS

SETTINGS = """\
record: true
environments: {east: {overlay: east}, west: {overlay: far/west},
  staging: {api_url: http://localhost/api, overlay: overlays/staging},
  production: {
    overlay: "overlays/live"   # what callers hear
  }, trial: {overlay: trials/first one#1}, demo: {overlay:
    ./demo}}
"""


def look() -> str:
    steps = yaml.safe_load((WORKFLOWS / "plan.yml").read_text("utf-8"))["jobs"]["plan"]["steps"]
    script: str = next(step["run"] for step in steps if step.get("id") == "look")
    return script


@pytest.mark.parametrize("below", [".", "bots"])
@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("assistants/a.yaml", True),
        ("assistants/prompts/a.md", True),
        ("assistants/a prompt", True),
        ("overlays/staging/bye.txt", True),
        ("overlays/live/bye.txt", True),
        ("trials/first one#1/a.yaml", True),
        ("demo/below/a.yaml", True),
        ("east/a.yaml", True),
        ("far/west/a.yaml", True),
        ("overlays/README.md", True),  # a folder that is only mentioned is planned in vain
        ("reconciler.yaml", True),
        ("docs/a.md", False),
        ("docker-compose.yml", False),
        ("other/reconciler.yaml", False),
        ("assistants.md", False),
    ],
)
def test_a_text_counts_where_it_may_stand(tmp_path: Path, below: str, file: str, changed: bool) -> None:
    def git(*words: str) -> None:
        people = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *people, *words], cwd=tmp_path, check=True, env=environment(), capture_output=True)

    git("init", "--quiet")
    (tmp_path / below).mkdir(exist_ok=True)
    (tmp_path / below / "reconciler.yaml").write_text(SETTINGS, "utf-8")
    git("add", "--all")
    git("commit", "-m", "Begun")
    (tmp_path / below / file).parent.mkdir(parents=True, exist_ok=True)
    with (tmp_path / below / file).open("a", encoding="utf-8") as opened:
        opened.write("# more\n")
    git("add", "--all")
    git("commit", "-m", "Changed")
    output = tmp_path / "output"
    given = {
        "SINCE": "HEAD~1",
        "RECONCILER_DIRECTORY": "assistants" if below == "." else f"{below}/assistants",
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    result = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", look()],
        cwd=tmp_path,
        env=environment(given),
        capture_output=True,
        check=False,
    )
    assert (result.returncode, result.stderr, output.read_text("utf-8")) == (
        0,
        b"",
        f"changed={str(changed).lower()}\n",
    )
