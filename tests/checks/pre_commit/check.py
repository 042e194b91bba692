"""Tries the hook of this repository with the real pre-commit: what it refuses, what it lets pass, what it shows.

    python3 tests/checks/pre_commit/check.py [REPOSITORY]

REPOSITORY, by default this clone, gives the hook as its HEAD has it: what is not committed is not tried. Everything
happens in a temporary folder; pip installs pre-commit and the hook from the package index, so it needs a network.
"""

import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
GOOD = "id: asst_1\nname: Enrollment\nmodel:\n  temperature: 0.6\n"
CONFIGURATION = """repos:
  - repo: {repository}
    rev: {revision}
    hooks:
      - id: reconciler-validate
"""
ROLES = ("GIT_AUTHOR", "GIT_COMMITTER")
PERSON = {f"{role}_{what}": "somebody@example.com" for role in ROLES for what in ("NAME", "EMAIL")}


def main() -> None:
    """Install pre-commit, commit good and bad definitions, and stop at the first surprise."""
    source = Path(sys.argv[1] if len(sys.argv) > 1 else HERE.parents[2]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = folder / "pre-commit" / "bin"
        venv.create(commands.parent, with_pip=True)
        pip = (commands / "python", "-m", "pip", "--disable-pip-version-check", "--quiet")
        run(*pip, "install", "--require-hashes", "-r", HERE / "requirements.lock", cwd=folder)
        team = Team(folder, commands)
        team.begin(source)
        team.try_all()
    sys.stdout.write("pre-commit: the hook refuses bad definitions and lets good ones pass.\n")


class Team:
    """A repository whose commits go through the hook."""

    def __init__(self, folder: Path, commands: Path) -> None:
        self._root = folder / "repository"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "RECONCILER_"))},
            **PERSON,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "PRE_COMMIT_HOME": str(folder / "cache"),
            "PRE_COMMIT_COLOR": "never",
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        }

    def begin(self, source: Path) -> None:
        """Make the repository as a team would; pre-commit clones the hook's own."""
        self._root.mkdir()
        (self._root / "assistants").mkdir()
        self._git("init", "--quiet")
        revision = self._git("-C", source, "rev-parse", "HEAD").stdout.strip()
        self.write(".pre-commit-config.yaml", CONFIGURATION.format(repository=source, revision=revision))
        run("pre-commit", "install", cwd=self._root, environment=self._environment)

    def try_all(self) -> None:
        """Commit one thing after the other."""
        self.write("assistants/enrollment.yaml", GOOD)
        self.commits("Passed")
        self.write("README.md", "Our assistants\n")
        self.commits("Passed")
        self.write("assistants/enrollment.yaml", GOOD.replace("0.6", "5"))
        self.is_refused("assistants/enrollment.yaml:4:16: model.temperature")
        self.write("assistants/enrollment.yaml", GOOD)
        # The other file with this id was committed long ago, and pre-commit would not name it.
        self.write("assistants/visits/campus.yml", GOOD.replace("Enrollment", "Visits"))
        self.is_refused(
            "assistants/enrollment.yaml:1:5: the id asst_1 is also used in assistants/visits/campus.yml:1:5"
        )
        self.write("assistants/visits/campus.yml", GOOD.replace("asst_1", "asst_2"))
        self.commits("Passed")
        self.write("assistants/visits/campus.yml", GOOD.replace("asst_1", "asst_2") + "firstMessage: {$file: hi.md}\n")
        self.write("assistants/visits/hi.md", "Hello!\n")
        self.commits("Passed")
        # A deleted file is none that pre-commit would count.
        self.delete("assistants/visits/hi.md")
        self.is_refused("hi.md")
        self.write("assistants/visits/hi.md", "Hello!\n")
        self.write("reconciler.yaml", "sensitiv: [/metadata/key]\n")
        self.is_refused("reconciler.yaml:1:1")

    def write(self, name: str, text: str) -> None:
        """Write a file of the repository."""
        file = self._root / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")

    def delete(self, name: str) -> None:
        """Delete a file of the repository."""
        (self._root / name).unlink()

    def commits(self, *texts: str) -> None:
        """Commit everything; it must pass and show these texts."""
        self._commit(texts, passes=True)

    def is_refused(self, *texts: str) -> None:
        """Commit everything; it must be refused and show these texts."""
        self._commit(texts, passes=False)

    def _commit(self, texts: tuple[str, ...], *, passes: bool) -> None:
        commit_count = self._git("rev-list", "--all", "--count").stdout
        self._git("add", "--all")
        result = self._git("commit", "-m", "Something", check=False)
        output = result.stdout + result.stderr
        if (result.returncode == 0) is not passes or any(text not in output for text in texts):
            expectation = f"{'pass' if passes else 'be refused'} and show {', '.join(texts)}"
            sys.exit(f"pre-commit: a commit should {expectation}, but it ended with {result.returncode}:\n{output}")
        if (self._git("rev-list", "--all", "--count").stdout != commit_count) is not passes:
            sys.exit("pre-commit: the exit code does not say whether there is a commit")

    def _git(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run("git", *arguments, cwd=self._root, environment=self._environment, check=check)


def run(
    *command: str | Path, cwd: Path, environment: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a command; where it must succeed and does not, end with what it said."""
    arguments = [*map(str, command)]
    result = subprocess.run(arguments, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if check and result.returncode:
        sys.exit(f"{command[0]} ended with {result.returncode}:\n{result.stdout}{result.stderr}")
    return result


if __name__ == "__main__":
    main()
