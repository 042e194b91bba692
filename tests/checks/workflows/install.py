"""Executes the step that installs the reconciler in a workflow, as the runner would, with the lock and its digests.

The tests put their own reconciler in its place, since it needs a network and half a minute.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ACTION = Path(__file__).resolve().parents[3] / ".github" / "actions" / "install" / "action.yml"


def main() -> None:
    """Install into a folder that goes again, and try what is there."""
    *_, step = yaml.safe_load(ACTION.read_text("utf-8"))["runs"]["steps"]
    with tempfile.TemporaryDirectory() as folder:
        place = {"GITHUB_ACTION_PATH": str(ACTION.parent), "RUNNER_TEMP": folder, "PYTHON": sys.executable}
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]]
        for _ in range(2):  # the second use in one job installs nothing
            subprocess.run(command, env={**os.environ, **place}, check=True)
        installed = Path(folder) / "reconciler" / "bin"
        subprocess.run([installed / "python", "-c", "import jinja2"], check=True)  # for the HTML report
        subprocess.run([installed / "reconciler", "validate"], cwd=ACTION.parents[3], check=True)


if __name__ == "__main__":
    main()
