"""Tries the installed command as somebody does on a first day: validate, plan, apply and a report, against the sandbox.

It needs git and the command with its extra `sandbox`; of this clone only the example definitions. So it runs on systems
on which the tests do not.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLES = Path(__file__).parents[3] / "assistants"


def run(*words: str | Path, cwd: Path, code: int = 0) -> str:
    """Run a command, show what it says, and return it; end everything where its exit code is another."""
    print("$", *words, flush=True)
    result = subprocess.run(
        [*map(str, words)], cwd=cwd, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=False
    )
    print(result.stdout, flush=True)
    if result.returncode != code:
        sys.exit(f"It ended with {result.returncode}, and not with {code}.")
    return result.stdout


def count(report: Path) -> dict[str, int]:
    """Return how many assistants a report has of each status and outcome."""
    summary: dict[str, int] = json.loads(report.read_text("utf-8"))["summary"]
    return {name: number for name, number in summary.items() if number}


def main(command: str) -> None:
    """Try it in a new folder."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        project = Path(name)
        shutil.copytree(EXAMPLES, project / "assistants")
        run("git", "init", "--quiet", cwd=project)
        words = [command, "sandbox", "--seed", str(EXAMPLES), "--port", "0"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as sandbox:
            try:
                assert sandbox.stdout
                os.environ["RECONCILER_API_URL"] = sandbox.stdout.readline().split()[3]
                os.environ["RECONCILER_EMAIL"], os.environ["RECONCILER_PASSWORD"] = "admin@sandbox.test", "sandbox"
                try_commands(command, project)
            finally:
                sandbox.terminate()
    print("Everything works.")


def try_commands(command: str, project: Path) -> None:
    """Validate, plan, apply and report a change."""
    run(command, "validate", cwd=project)
    run(command, "plan", "--base", "none", "--report", "same.json", cwd=project)
    assert count(project / "same.json") == {"total": 4, "in_sync": 4}
    definition = project / "assistants/admissions/enrollment.yaml"
    text = definition.read_text("utf-8")
    definition.write_text(text.replace("temperature: 0.6", "temperature: 0.4"), "utf-8")
    run(command, "plan", "--base", "none", "--detailed-exitcode", cwd=project, code=2)
    reports = ["--report", "applied.json", "--report", "applied.html"]
    run(command, "apply", "--base", "none", "--yes", *reports, cwd=project)
    assert count(project / "applied.json") == {"total": 4, "in_sync": 3, "pending": 1, "unchanged": 3, "applied": 1}
    assert "0.4" in (project / "applied.html").read_text("utf-8")
    run(command, "plan", "--base", "none", "--detailed-exitcode", cwd=project)


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else "reconciler")
