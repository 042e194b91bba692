"""What the workflows' scripts share: GitHub's API through its own client, and the text of what they keep there.

The client, `gh`, is on every runner of GitHub's and takes the job's token from the environment. Nothing here
knows the assistants' API.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

BOT = "github-actions[bot]"
LONGEST_BODY = 65_536  # of a comment, an issue or a pull request, in UTF-16 units
_PAGE = 100


def repository(path: str) -> str:
    """Return the address of something in this repository."""
    return f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/{path}"


def call(method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Send one request about this repository and return what it answers. What goes wrong ends the step."""
    sent = ["--input", "-"] if body is not None else []
    done = subprocess.run(  # noqa: S603 - no shell, and every part is ours
        ["gh", "api", "--method", method, *sent, repository(path)],  # noqa: S607 - gh is where the runner has it
        input=json.dumps(body) if body is not None else None,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"::error title=GitHub::{method} {path.partition('?')[0]} failed; see the lines above")
    return json.loads(done.stdout) if done.stdout.strip() else None


def listed(path: str) -> Iterator[dict[str, Any]]:
    """Yield all entries of a list, page after page."""
    page = 1
    while True:
        found = call("GET", f"{path}{'&' if '?' in path else '?'}per_page={_PAGE}&page={page}")
        yield from found
        if len(found) < _PAGE:
            return
        page += 1


def ours(entries: Iterator[dict[str, Any]], marker: str) -> dict[str, Any] | None:
    """Return the first entry that a workflow of this repository wrote and that begins with a marker.

    Anybody can write a marker into a comment; nobody else can be the bot. Who edits it in a browser changes line ends.
    """
    for entry in entries:
        if entry["user"]["login"] == BOT and (entry["body"] or "").startswith(marker.rstrip()):
            return entry
    return None


def marker(kind: str) -> str:
    """Return the hidden line by which the workflows find again what they wrote."""
    return f"<!-- reconciler {kind} {os.environ['NAME']} -->\n"


def run_url() -> str:
    """Return the address of this run."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, name, run = (os.environ[variable] for variable in names)
    return f"{server}/{name}/actions/runs/{run}"


def report(command: str) -> str:
    """Return the Markdown that a command reported, or what it said where it could not begin."""
    folder = Path(os.environ["FOLDER"])
    for name in (f"{command}.md", "could-not-begin.md"):
        if (folder / name).is_file():
            return (folder / name).read_text("utf-8", "replace")
    return f"### `reconciler {command}` did not run\n\nThe run says why."


def body(marker: str, text: str, footer: str) -> str:
    """Return what is kept on GitHub; a text for which there is no room gives way to the links below it."""
    whole = f"{marker}{text.rstrip()}\n\n{footer}\n"
    if len(whole.encode("utf-16-le")) // 2 <= LONGEST_BODY:
        return whole
    return f"{marker}The report is too long to be shown here.\n\n{footer}\n"


def links() -> str:
    """Return links to this run and, where there are any, to all its reports."""
    found = [f"[this run]({run_url()})"]
    if reports := os.environ.get("REPORTS"):
        found.append(f"[all reports, with the page for your browser]({reports})")
    return " · ".join(found)
