"""What the commands ask of a host, as types: what stands there, and how to write it."""

import dataclasses
from typing import Literal, Protocol

from reconciler.core.edits import FileEdit

State = Literal["open", "closed", "merged"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that stands at a host: a comment, an issue, or a request; `id` is what its address has."""

    id: str
    author: str
    body: str
    title: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Request(Entry):
    """A pull request or merge request: where it comes from, and the commit that its branch is at."""

    state: State
    branch: str
    commit: str


class Host(Protocol):
    """One repository at a host. Every method raises HostError for what the host refuses.

    `longest_body` counts UTF-16 units, since that is at most what either host counts.
    """

    @property
    def longest_body(self) -> int:
        """How long the body of a comment or an issue may be."""

    @property
    def proposal(self) -> str:
        """What the host calls a proposed change."""

    @property
    def run_url(self) -> str:
        """The address of the run that this is part of; empty where it is not known."""

    @property
    def commit(self) -> str:
        """The commit that this run is about; empty where it is not known."""

    @property
    def branch(self) -> str:
        """The branch that this run is about; empty where it is about none."""

    def me(self) -> str:
        """Return the name of the account that the token belongs to."""

    def comments(self) -> list[Entry]:
        """Return the comments on the pull request or merge request, the oldest first."""

    def write_comment(self, body: str, there: Entry | None) -> None:
        """Write a comment, or edit one in place."""

    def issues(self) -> list[Entry]:
        """Return the open issues."""

    def write_issue(self, title: str, body: str, there: Entry | None) -> None:
        """Open an issue, or edit one in place."""

    def close_issue(self, there: Entry, why: str) -> None:
        """Say why an issue is settled, and close it."""

    def requests(self, branch: str | None) -> list[Request]:
        """Return the pull requests or merge requests of a branch of this repository; without one, all open ones."""

    def find_merged(self, commit: str) -> list[Request]:
        """Return the requests that brought a commit into the branch of this run."""

    def about(self, request: Request) -> "Host":
        """Return the host as a run about this request has it."""

    def write_branch(self, branch: str, head: str, message: str, files: tuple[FileEdit, ...]) -> str:
        """Make a branch with one commit on top of `head`, and return the commit; refused where the branch is there."""

    def delete_branch(self, branch: str) -> None:
        """Delete a branch; that it is gone already is no failure."""

    def open_request(self, branch: str, title: str, body: str) -> str:
        """Propose a branch for the one that this run is about, and return the address of what was opened."""

    def close_request(self, there: Request, body: str) -> None:
        """Close a request, with another body."""

    def make_inert(self, text: str) -> str:
        """Return a Markdown text in which nothing is an order to this host."""
