"""Short forms for stories that are about git's history: what moved, by report; commits of several people."""

from pathlib import Path

from json_reports import Document
from stories import Story, entries

OLD, NEW, OTHER = {"firstMessage": "old"}, {"firstMessage": "new"}, {"firstMessage": "edited live"}
ChangeKinds = dict[str, dict[str, str]]


def change_kinds(document: Document) -> ChangeKinds:
    """Where each assistant that is not in sync differs, and how: `{"a": {"/name": "drift"}}`."""
    by_key: ChangeKinds = {
        key: {change["path"]: str(change["kind"]) for change in entry["changes"]}
        for key, entry in entries(document).items()
    }
    return {key: changes for key, changes in by_key.items() if changes}


def unmanaged_files(document: Document) -> list[str]:
    """The files of the definitions that are no longer managed."""
    return [entry["file"] for entry in document.get("no_longer_managed", [])]


def setters(document: Document, key: str = "a") -> dict[str, tuple[str, str, str] | None]:
    """The commit, author and date that set each differing value of an assistant."""
    changes = entries(document)[key]["changes"]
    return {
        change["path"]: (change["since"]["commit"], change["since"]["author"], change["since"]["date"])
        if "since" in change
        else None
        for change in changes
    }


def commit_as(repo: Story, author: str, date: str = "2026-11-20T09:30:00+01:00") -> tuple[str, str, str]:
    """Commit everything as somebody; return what `setters` says of it."""
    repo.git("add", "--all")
    repo.git(
        *("-c", f"user.name={author}", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"),
        *("commit", "--quiet", "--allow-empty", "-m", f"By {author}", "--date", date),
    )
    return repo.head, author, date


def merge(repo: Story, branch: str, *options: str) -> str:
    """Merge a branch, with a merge commit even where none is needed."""
    people = ("-c", "user.name=Merger", "-c", "user.email=merger@example.com", "-c", "commit.gpgsign=false")
    repo.git(*people, "merge", "--quiet", "--no-ff", "-m", f"Merge {branch}", *options, branch)
    return repo.head


def make_clone(repo: Story, place: Path, *options: str) -> Path:
    """A clone over git's own transport, so that `--depth` counts."""
    repo.git("clone", "--quiet", *options, f"file://{repo.root}", str(place))
    return place
