"""One repository at GitHub or GitLab. What is done there is written once; a host's own module has what differs."""

import abc
import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar, Literal, Self, TypeVar
from urllib.parse import quote

from reconciler.core.run import FileEdit
from reconciler.dataclass import dataclass
from reconciler.errors import HostError, UsageError
from reconciler.hosts.calls import Calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that is at a host: a comment, an issue, or a request; `id` is what its address has."""

    id: str
    author: str
    body: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Entry):
    """A pull request or merge request: its branch (none of a fork's), the one that it is for, and its last commit."""

    state: Literal["open", "closed", "merged"]
    branch: str
    into: str
    commit: str


AnyEntry = TypeVar("AnyEntry", bound=Entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The words of a host, and its addresses below the repository's own."""

    proposal: str  # what it calls a proposed change
    longest_body: int  # in UTF-16 units, since that is at most what either host counts
    edit: str  # the method that edits
    author: tuple[str, str]  # the key of who wrote an entry, and in it that of the name
    number: str  # the key of an issue's or a request's number
    body: str  # that of its text
    open: str  # its state while it is open
    close: Mapping[str, str]  # what closes it
    notes: str  # what is said below it
    comments: str  # of the request with a number, as they are listed
    comment: str  # below which one of them is
    requests: str
    of_branch: str  # which of them are of a branch of this repository
    of_commit: str  # those that brought a commit
    branches: str
    in_name: str = ""  # what a branch's name keeps in an address


def take_group(one: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return an object inside a host's answer, an empty one where there is none."""
    found = one.get(key)
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True, kw_only=True)
class Host(abc.ABC):
    """A repository in one run. Every method raises HostError for what the host refuses."""

    calls: Calls
    path: str  # below the API's base URL
    number: int | None  # of the request that the run is about
    run_url: str = ""
    commit: str = ""
    branch: str = ""

    dialect: ClassVar[Dialect]

    @abc.abstractmethod
    def me(self, authors: Collection[str]) -> str:
        """Return the name of the account that the token belongs to; it is wanted for entries of these authors."""

    def take_own(self, entries: Iterable[AnyEntry]) -> list[AnyEntry]:
        """Return those that the token's account wrote; it is asked for its name only if there are any."""
        listed = list(entries)
        me = self.me({one.author for one in listed}) if listed else ""
        return [one for one in listed if me and one.author == me]

    def comments(self) -> list[Entry]:
        """Return the comments on the request, the oldest first, except for those that the host itself writes."""
        found = self.calls.list_all(self._address(self.dialect.comments))
        return [Entry(**self._read(one, "id", "body")) for one in found if not one.get("system")]

    def write_comment(self, body: str, there: Entry | None) -> None:
        """Write a comment, or edit one in place."""
        if there is None:
            self.calls.ask("POST", self._address(self.dialect.comments).partition("?")[0], {"body": body})
        else:
            self.calls.ask(self.dialect.edit, f"{self._address(self.dialect.comment)}/{there.id}", {"body": body})

    def issues(self) -> list[Entry]:
        """Return the open issues."""
        found = self.calls.list_all(f"{self.path}/issues?state={self.dialect.open}")
        # To GitHub a pull request is an issue, too.
        return [Entry(**self._read(one)) for one in found if "pull_request" not in one]

    def write_issue(self, title: str, body: str, there: Entry | None) -> None:
        """Open an issue, or edit one in place."""
        method, address = ("POST", "") if there is None else (self.dialect.edit, f"/{there.id}")
        self.calls.ask(method, f"{self.path}/issues{address}", {"title": title, self.dialect.body: body})

    def close_issue(self, there: Entry, why: str) -> None:
        """Say why an issue is settled, and close it."""
        issue = f"{self.path}/issues/{there.id}"
        # The reason first, so that it is above the closing.
        try:
            self.calls.ask("POST", f"{issue}/{self.dialect.notes}", {"body": self.make_inert(why)})
        except HostError as error:
            # Nobody may comment on what is locked, but it can be closed; a token that lacks a permission fails there.
            if error.status != 403:
                raise
        self.calls.ask(self.dialect.edit, issue, self.dialect.close)

    def requests(self, branch: str | None) -> list[Request]:
        """Return the requests of a branch of this repository, open or not; without one, all open ones."""
        query = f"state={self.dialect.open}"
        if branch is not None:
            # A fork's branch may have any name, so GitHub wants the owner before it.
            of_branch = self.dialect.of_branch.format(owner=self.path.split("/")[2], branch=quote(branch, safe=""))
            query = f"state=all&{of_branch}"
        found = map(self._read_request, self.calls.list_all(f"{self.path}{self.dialect.requests}?{query}"))
        return [one for one in found if branch in (None, one.branch)]

    def find_merged(self, commit: str) -> list[Request]:
        """Return the requests that brought a commit into the branch of this run."""
        found = self.calls.list_all(self.path + self.dialect.of_commit.format(commit))
        return [one for one in map(self._read_request, found) if one.state == "merged" and one.into == self.branch]

    def about(self, request: Request) -> Self:
        """Return the host as a run about this request has it."""
        return dataclasses.replace(self, number=int(request.id))

    @abc.abstractmethod
    def write_branch(self, branch: str, head: str, message: str, files: tuple[FileEdit, ...]) -> str:
        """Make a branch with one commit on top of `head`, and return the commit; refused where the branch is there."""

    def delete_branch(self, branch: str) -> None:
        """Delete a branch; that it is gone already is no failure."""
        try:
            self.calls.ask("DELETE", f"{self.path}{self.dialect.branches}/{quote(branch, safe=self.dialect.in_name)}")
        except HostError as error:
            # 422 is what GitHub says of a branch that is not there.
            if error.status not in (404, 422):
                raise

    @abc.abstractmethod
    def open_request(self, branch: str, title: str, body: str) -> None:
        """Propose a branch for the one that this run is about."""

    def close_request(self, there: Request, body: str) -> None:
        """Close a request, with another body."""
        address = f"{self.path}{self.dialect.requests}/{there.id}"
        self.calls.ask(self.dialect.edit, address, {self.dialect.body: body, **self.dialect.close})

    def make_inert(self, text: str) -> str:
        """Return a Markdown text in which nothing is an order to this host; mentions and links are dead already."""
        return text

    def _address(self, of_request: str) -> str:
        if self.number is None:
            proposal = self.dialect.proposal
            raise UsageError(f"this run has no {proposal}", hint=f"comment in a job that a {proposal} starts")
        return self.path + of_request.format(self.number)

    def _read(self, one: Mapping[str, Any], number: str = "", body: str = "") -> dict[str, str]:
        """Return what an issue and a request have, and under keys of its own a comment."""
        group, name = self.dialect.author
        return {
            "id": str(one.get(number or self.dialect.number)),
            "author": str(take_group(one, group).get(name) or ""),
            "body": str(one.get(body or self.dialect.body) or ""),
            "title": str(one.get("title") or ""),
        }

    @abc.abstractmethod
    def _read_request(self, one: Mapping[str, Any]) -> Request: ...
