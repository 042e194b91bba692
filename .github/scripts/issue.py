"""Keeps one issue about live edits: opened, updated in place, closed when there are none any more.

Wants NAME, MOVED ("true" where something was edited live), COMPLETE ("true" where everything could be looked
at), FOLDER (of the reports), REPORTS (a URL, or empty).
"""

import os

import github

ADVICE = "\n".join(
    (
        "To keep a live edit, merge the pull request that accepts live edits. To undo it, change it back in the",
        "dashboard, or run `reconciler apply --on-drift revert`. This issue is closed by itself when nothing that was",
        "edited live differs any more.",
    )
)


def main() -> None:
    """Open the issue, update it, or close it. Nothing is called settled that was not looked at."""
    name, moved, complete = os.environ["NAME"], os.environ["MOVED"] == "true", os.environ["COMPLETE"] == "true"
    marker = github.marker("drift")
    there = github.ours(github.listed("issues?state=open"), marker)
    footer = f"{ADVICE}\n\nAs of commit {os.environ['GITHUB_SHA']} · {github.links()}"
    if moved or (there is not None and not complete):
        body = github.body(marker, github.report("drift"), footer)
        if there is None:
            title = f"Live assistants were edited behind git's back ({name})"
            github.call("POST", "issues", {"title": title, "body": body})
        else:
            github.call("PATCH", f"issues/{there['number']}", {"body": body})
    elif there is not None:
        text = f"Nothing that was edited live differs from git any more ({github.run_url()})."
        github.call("POST", f"issues/{there['number']}/comments", {"body": text})
        github.call("PATCH", f"issues/{there['number']}", {"state": "closed", "state_reason": "completed"})


if __name__ == "__main__":
    main()
