"""Keeps one comment on a pull request: what merging it would do to the live assistants.

Wants PULL_REQUEST, HEAD_COMMIT, NAME, CHANGED ("true" where definitions change), FOLDER (of the reports),
REPORTS (a URL, or empty).
"""

import os

import github


def main() -> None:
    """Write the comment, or edit it in place. Where no definition changes, one that is there says so."""
    number, changed = os.environ["PULL_REQUEST"], os.environ["CHANGED"] == "true"
    marker = github.marker("plan")
    there = github.ours(github.listed(f"issues/{number}/comments"), marker)
    if not changed and there is None:
        return
    text = github.report("plan") if changed else "## Plan\n\nNo definition changes any more."
    body = github.body(marker, text, f"Commit {os.environ['HEAD_COMMIT']} · {github.links()}")
    if there is None:
        github.call("POST", f"issues/{number}/comments", {"body": body})
    else:
        github.call("PATCH", f"issues/comments/{there['id']}", {"body": body})


if __name__ == "__main__":
    main()
