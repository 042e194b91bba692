"""Tells whether somebody closed the pull request that accepts exactly these live edits: it stays closed then.

Wants BRANCH, NAME, PATCH (not empty).
"""

import os
from pathlib import Path

import accept


def main() -> None:
    """Set the output `declined`, and say why nothing else is done."""
    there = accept.newest()
    declined = there is not None and there["state"] == "closed" and not there["merged_at"]
    if there is None or not declined or accept.held().rstrip() not in there["body"]:
        return
    why = f"Somebody closed #{there['number']}, which accepts these live edits. It stays closed."
    for name, text in (("GITHUB_OUTPUT", "declined=true"), ("GITHUB_STEP_SUMMARY", why)):
        with Path(os.environ[name]).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")


if __name__ == "__main__":
    main()
