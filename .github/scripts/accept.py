"""Keeps one pull request that accepts live edits; its branch is `keep-branch`'s.

Wants BRANCH, BASE_BRANCH, NAME, PATCH (empty where there is nothing to accept).
"""

import hashlib
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import github

TEXT = "\n".join(
    (
        "## Accept live edits",
        "",
        "Somebody edited assistants in the dashboard. This writes their edits into the definitions, so that git says",
        "what is live. Merging it changes nothing live. To undo an edit instead, change it back in the dashboard: this",
        "pull request is closed by itself then. If you close it, it is not opened again for the same edits.",
        "",
        "GitHub holds back the checks of a pull request that a workflow opened, until somebody who may write approves",
        "them here. Where there is no such button, close and reopen the pull request.",
    )
)


def newest() -> dict[str, Any] | None:
    """Return the pull request that was opened last, open or not. GitHub lists the newest first."""
    owner = os.environ["GITHUB_REPOSITORY"].partition("/")[0]
    head = quote(f"{owner}:{os.environ['BRANCH']}")
    return github.ours(github.listed(f"pulls?state=all&head={head}"), github.marker("accept"))


def held() -> str:
    """Return a hidden line that stands for the edits, wherever in a file they are."""
    lines = Path(os.environ["PATCH"]).read_bytes().split(b"\n")
    edits = b"\n".join(line for line in lines if line.startswith((b"+", b"-")))
    return f"<!-- holds {hashlib.sha256(edits).hexdigest()} -->\n"


def main() -> None:
    """Open the pull request, update it, or close it. One that is closed here holds nothing that somebody declined."""
    there, marker = newest(), github.marker("accept")
    is_open = there is not None and there["state"] == "open"
    body = github.body(marker + (held() if os.environ["PATCH"] else ""), TEXT, github.links())
    if os.environ["PATCH"] and not is_open:
        title = f"Accept live edits ({os.environ['NAME']})"
        opened = {"title": title, "head": os.environ["BRANCH"], "base": os.environ["BASE_BRANCH"], "body": body}
        github.call("POST", "pulls", opened)
    elif os.environ["PATCH"] and there is not None:
        github.call("PATCH", f"pulls/{there['number']}", {"body": body})
    elif there is not None and (is_open or "\n<!-- holds " in there["body"]):
        github.call("PATCH", f"pulls/{there['number']}", {"body": body, "state": "closed"})


if __name__ == "__main__":
    main()
