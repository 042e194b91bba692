"""Checks that a run may be rolled back: an apply of this repository's default branch, which is over.

Run by the reconciler's own Python. Wants RUN_ID, ATTEMPT (may be empty) and DEFAULT_BRANCH, and the default branch
checked out. A pull request's run could hold a forged report, so its branch, its repository and what started it all
count, and so does its commit: a tag may have the branch's name. Any other workflow may hold an artifact of that name,
so it must have run the apply workflow that stands beside the rollback workflow of this run.
"""

import os
import subprocess
from pathlib import Path
from typing import Any

from reconciler.errors import HostError
from reconciler.hosts.ci_variables import find_host
from reconciler.hosts.github_host import GitHub

REPOSITORIES = ("repository", "head_repository")  # where it ran, and where its commit is from
STARTED_BY = ("push", "workflow_dispatch", "schedule")


def is_merged(commit: str) -> bool:
    """Tell whether a commit is part of what is checked out."""
    asked = ["git", "merge-base", "--is-ancestor", "--end-of-options", commit, "HEAD"]
    return subprocess.run(asked, stderr=subprocess.DEVNULL, check=False).returncode == 0  # noqa: S603 - no shell


def list_workflows(run: dict[str, Any]) -> set[str]:
    """Return the files of a run's workflows, without their commits: its own, and those that it called."""
    called = [str(one.get("path")) for one in run.get("referenced_workflows") or []]
    return {path.partition("@")[0] for path in [str(run.get("path")), *called]}


def attempt(attempts: int) -> str:
    """Return whose report counts: that of the one attempt, or of the one that was asked for."""
    given = os.environ["ATTEMPT"] or ("1" if attempts == 1 else "")
    if given not in map(str, range(1, attempts + 1)):
        what = f"the run has {attempts}, and each has a report of its own. Give the number of one, the last one first."
        raise SystemExit(f"::error title=Which attempt?::{what} Nothing was sent.")
    return given


def main() -> None:
    """End the step with a reason where the run's report cannot be trusted."""
    number, host = os.environ["RUN_ID"], find_host(os.environ)
    if not (number.isascii() and number.isdecimal()) or not isinstance(host, GitHub):
        raise SystemExit("::error title=No run::run_id is the number at the end of the URL of the apply's run")
    runs = f"{host.path}/actions/runs"
    found, own = (host.client.request("GET", f"{runs}/{one}") for one in (number, os.environ["GITHUB_RUN_ID"]))
    ours = {path.removesuffix("rollback.yml") for path in list_workflows(own) if path.endswith("/rollback.yml")}
    branch = os.environ["DEFAULT_BRANCH"]
    for says, holds in (
        (
            "of this repository",
            {(found[name] or {}).get("full_name") for name in REPOSITORIES} == {host.path.removeprefix("/repos/")},
        ),
        ("of the default branch", found["head_branch"] == branch and is_merged(found["head_sha"])),
        ("of an apply", found["event"] in STARTED_BY and {f"{one}apply.yml" for one in ours} & list_workflows(found)),
        ("over", found["status"] == "completed"),
    ):
        if not holds:
            raise SystemExit(f"::error title=Not this run::the run {number} is not {says}. Nothing was sent.")
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as outputs:
        outputs.write(f"attempt={attempt(found['run_attempt'])}\n")


if __name__ == "__main__":
    try:
        main()
    except HostError as error:
        raise SystemExit(f"::error title=GitHub::{error}") from None
