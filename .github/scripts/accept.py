"""Keeps one pull request that accepts live edits; its branch is `keep-branch`'s.

Wants BRANCH, BASE_BRANCH, NAME, PATCH (empty where there is nothing to accept).
"""

import os

import github

TEXT = "\n".join(
    (
        "## Accept live edits",
        "",
        "Somebody edited assistants in the dashboard. This writes their edits into the definitions, so that git says",
        "what is live. Merging it changes nothing live. To undo an edit instead, change it back in the dashboard: this",
        "pull request is closed by itself then.",
        "",
        "GitHub holds back the checks of a pull request that a workflow opened, until somebody who may write approves",
        "them here. Where there is no such button, close and reopen the pull request.",
    )
)


def main() -> None:
    """Open the pull request, update it, or close it."""
    branch, name, pulled = os.environ["BRANCH"], os.environ["NAME"], os.environ["PATCH"] != ""
    marker = github.marker("accept")
    owner = os.environ["GITHUB_REPOSITORY"].partition("/")[0]
    there = github.ours(github.listed(f"pulls?state=open&head={owner}:{branch}"), marker)
    body = github.body(marker, TEXT, github.links())
    if pulled and there is None:
        title = f"Accept live edits ({name})"
        github.call("POST", "pulls", {"title": title, "head": branch, "base": os.environ["BASE_BRANCH"], "body": body})
    elif pulled and there is not None:
        github.call("PATCH", f"pulls/{there['number']}", {"body": body})
    elif there is not None:
        github.call("PATCH", f"pulls/{there['number']}", {"state": "closed"})


if __name__ == "__main__":
    main()
