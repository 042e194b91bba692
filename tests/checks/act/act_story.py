"""Tells the story with the workflows, run by act.

    python tests/checks/act/act_story.py [FOLDER]

Packages come from the package index. With FOLDER, every comment, issue, pull request and summary is written there, for
people to read.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = map(str, (HERE, HERE.parent, HERE.parents[1] / "workflows", HERE.parents[1] / "support"))

from act_runner import COMMIT, OURS, ActRunner  # noqa: E402 - found by the line above
from commands import run as run_command  # noqa: E402
from places import Place, place_at  # noqa: E402
from story import tell_story  # noqa: E402


@contextmanager
def team(folder: Path) -> Iterator[Place]:
    """A team's repository as `reconciler init` leaves it, with two assistants that are live and in git."""
    with place_at(folder) as place:
        runner = place.runner
        place.runner = ActRunner(
            runner.hub, folder / "act", runner.variables, runner.secrets, runner.protected, runner.machine
        )
        result = run_command("init", "--ci", "github", "--from", f"{OURS}@{COMMIT}", cwd=place.root)
        assert result.code == 0, result.stderr
        place.commit("Set up reconciler")
        place.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        yield place


if __name__ == "__main__":
    tell_story(team)
