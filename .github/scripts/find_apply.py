"""Checks that a run may be rolled back: an apply of this repository's default branch, which is over.

Wants RUN_ID and DEFAULT_BRANCH. A pull request's run could hold a forged report, so its branch, its repository
and what started it all count.
"""

import os

import github

REPOSITORIES = ("repository", "head_repository")  # where it ran, and where its commit is from
STARTED_BY = ("push", "workflow_dispatch", "schedule")


def main() -> None:
    """End the step with a reason where the run's report cannot be trusted."""
    number = os.environ["RUN_ID"]
    if not (number.isascii() and number.isdecimal()):
        raise SystemExit("::error title=No run::run_id is the number at the end of the address of the apply's run")
    found = github.call("GET", f"actions/runs/{number}")
    here, branch = os.environ["GITHUB_REPOSITORY"], os.environ["DEFAULT_BRANCH"]
    for says, holds in (
        ("of this repository", {(found[name] or {}).get("full_name") for name in REPOSITORIES} == {here}),
        ("of the default branch", found["head_branch"] == branch),
        ("of an apply", found["event"] in STARTED_BY),
        ("over", found["status"] == "completed"),
    ):
        if not holds:
            raise SystemExit(f"::error title=Not this run::the run {number} is not {says}. Nothing was sent.")


if __name__ == "__main__":
    main()
