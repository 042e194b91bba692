"""Ends the step if a pull request changes a field that was also edited live.

Reads REPORT (the plan as JSON) and SINCE (what would be merged into), and GitHub's trial merge checked out: what it
has and SINCE has not is the pull request's. A conflict that an earlier merge left open is in the report, too, but is no
reason to hold this one up.
"""

import json
import os
import subprocess
from pathlib import Path


def main() -> None:
    """End the step with a reason, or let it pass."""
    command = ["git", "rev-list", "--end-of-options", f"{os.environ['SINCE']}..HEAD"]
    own_commits = set(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split())  # noqa: S603
    report = json.loads(Path(os.environ["REPORT"]).read_text("utf-8"))
    conflicts = [
        change for assistant in report["assistants"] for change in assistant["changes"] if change["kind"] == "conflict"
    ]
    # If the commit that set a value is unknown, it may be the pull request's.
    if any("since" not in change or change["since"]["commit"] in own_commits for change in conflicts):
        message = "The pull request changes a field that was also edited live. The plan says how to resolve this."
        raise SystemExit(f"::error title=Conflict::{message}")


if __name__ == "__main__":
    main()
