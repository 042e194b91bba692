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
    """Return whether a commit is part of what is checked out."""
    command = ["git", "merge-base", "--is-ancestor", "--end-of-options", commit, "HEAD"]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0  # noqa: S603 - no shell


def list_workflows(run: dict[str, Any]) -> set[str]:
    """Return the files of a run's workflows, without their commits: its own, and those that it called."""
    called = [str(workflow.get("path")) for workflow in run.get("referenced_workflows") or []]
    return {path.partition("@")[0] for path in [str(run.get("path")), *called]}


def choose_attempt(attempts: int) -> str:
    """Return the attempt whose report counts: the only one, or the one that was requested."""
    attempt = os.environ["ATTEMPT"] or ("1" if attempts == 1 else "")
    if attempt not in map(str, range(1, attempts + 1)):
        message = f"the run has {attempts} attempts, each with its own report. Enter one; undo the last one first."
        raise SystemExit(f"::error title=Which attempt?::{message} Nothing was sent.")
    return attempt


def main() -> None:
    """End the step with a reason if the run's report cannot be trusted."""
    number, host = os.environ["RUN_ID"], find_host(os.environ)
    if not (number.isascii() and number.isdecimal()) or not isinstance(host, GitHub):
        raise SystemExit("::error title=Invalid run_id::run_id is the number at the end of the URL of the apply's run")
    runs = f"{host.path}/actions/runs"
    run, this_run = (host.client.request("GET", f"{runs}/{id_}") for id_ in (number, os.environ["GITHUB_RUN_ID"]))
    folders = {path.removesuffix("rollback.yml") for path in list_workflows(this_run) if path.endswith("/rollback.yml")}
    branch = os.environ["DEFAULT_BRANCH"]
    for requirement, is_met in (
        (
            "of this repository",
            {(run[name] or {}).get("full_name") for name in REPOSITORIES} == {host.path.removeprefix("/repos/")},
        ),
        ("of the default branch", run["head_branch"] == branch and is_merged(run["head_sha"])),
        (
            "of an apply",
            run["event"] in STARTED_BY and {f"{folder}apply.yml" for folder in folders} & list_workflows(run),
        ),
        ("finished", run["status"] == "completed"),
    ):
        if not is_met:
            raise SystemExit(f"::error title=Wrong run::the run {number} is not {requirement}. Nothing was sent.")
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as outputs:
        outputs.write(f"attempt={choose_attempt(run['run_attempt'])}\n")


if __name__ == "__main__":
    try:
        main()
    except HostError as error:
        raise SystemExit(f"::error title=GitHub::{error}") from None
