"""One repository at GitHub or GitLab. What the hosts share is here; each has a module for the rest."""

import abc
import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar, Literal, Self, TypeVar
from urllib.parse import quote

from reconciler.core.run import FileEdit
from reconciler.dataclass import dataclass
from reconciler.errors import HostError, UsageError
from reconciler.hosts.host_client import HostClient, Tolerate


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A comment, an issue, or a request at a host; `id` is the last part of its URL."""

    id: str
    author: str
    body: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Entry):
    """A pull or merge request: its branch (empty if it is in a fork), its target branch, and its last commit."""

    state: Literal["open", "closed", "merged"]
    branch: str
    into: str
    commit: str


AnyEntry = TypeVar("AnyEntry", bound=Entry)


def get_group(item: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return an object inside a host's answer, or {} if it is missing."""
    group = item.get(key)
    return group if isinstance(group, dict) else {}


def read_name(user: Any, key: str) -> str:
    """Return an account's name. Raises HostError if it is missing: with a guess, its own entries would look foreign."""
    name = user.get(key) if isinstance(user, dict) else None
    if not isinstance(name, str) or not name:
        raise HostError("the host did not say which account the token belongs to", hint="run this again later")
    return name


@dataclass(frozen=True, kw_only=True)
class Host(abc.ABC):
    """A repository in one run. Every method raises HostError if the host refuses the request."""

    client: HostClient
    path: str  # below the API's base URL
    number: int | None  # the number of the request that the run is about
    run_url: str = ""
    commit: str = ""
    branch: str = ""

    # How the two APIs differ: methods, keys, states, and paths below the repository's path.
    proposal: ClassVar[str]  # the host's word for a proposed change
    longest_body: ClassVar[int]  # in UTF-16 units, which neither host exceeds when it counts
    edit_method: ClassVar[str]
    author_keys: ClassVar[tuple[str, str]]  # the key of an entry's author, and the key of the name inside it
    number_key: ClassVar[str]  # of an issue or a request
    body_key: ClassVar[str]
    open_state: ClassVar[str]
    close_body: ClassVar[Mapping[str, str]]  # the body of the request that closes an issue
    notes_path: ClassVar[str]  # the path of an issue's comments, below the issue
    comments_path: ClassVar[str]  # the path of a request's comments
    comment_path: ClassVar[str]  # the path above a single comment
    requests_path: ClassVar[str]
    branch_query: ClassVar[str]  # the query for the requests of a branch in this repository
    commit_path: ClassVar[str]  # the path of a commit; the requests that brought it are listed below
    branches_path: ClassVar[str]
    safe_in_branch: ClassVar[str] = ""  # characters of a branch's name that are not escaped in a path

    @abc.abstractmethod
    def read_account(self, authors: Collection[str]) -> str:
        """Return the name of the token's account. `authors` are the accounts whose entries may be its own."""

    def select_own(self, entries: Iterable[AnyEntry]) -> list[AnyEntry]:
        """Return the entries that the token's account wrote; its name is requested only if there are any."""
        candidates = list(entries)
        account = self.read_account({entry.author for entry in candidates}) if candidates else ""
        return [entry for entry in candidates if entry.author == account]

    def list_comments(self) -> list[Entry]:
        """Return the comments on the request, the oldest first, except for those that the host itself writes."""
        items = self.client.list_all(self._make_path(self.comments_path))
        return [Entry(**self._read(item, "id", "body")) for item in items if not item.get("system")]

    def write_comment(self, body: str, existing: Entry | None) -> None:
        """Write a comment, or edit one in place."""
        method, path = "POST", self._make_path(self.comments_path).partition("?")[0]
        if existing is not None:
            method, path = self.edit_method, f"{self._make_path(self.comment_path)}/{existing.id}"
        self.client.request(method, path, {"body": body})

    def list_issues(self) -> list[Entry]:
        """Return the open issues."""
        items = self.client.list_all(f"{self.path}/issues?state={self.open_state}")
        # GitHub also lists pull requests as issues.
        return [Entry(**self._read(item)) for item in items if "pull_request" not in item]

    def write_issue(self, title: str, body: str, existing: Entry | None) -> None:
        """Open an issue, or edit one in place."""
        method, suffix = ("POST", "") if existing is None else (self.edit_method, f"/{existing.id}")
        self.client.request(method, f"{self.path}/issues{suffix}", {"title": title, self.body_key: body})

    def close_issue(self, issue: Entry, reason: str) -> None:
        """Say why an issue is settled, and close it."""
        path = f"{self.path}/issues/{issue.id}"
        # Write the reason first, so that it is shown before the closing.
        # A locked issue takes no comment, but can be closed. If a permission is missing, closing fails as well.
        with Tolerate(403):
            self.client.request("POST", f"{path}/{self.notes_path}", {"body": self.make_inert(reason)})
        self.client.request(self.edit_method, path, self.close_body)

    def list_requests(self, branch: str | None) -> list[Request]:
        """Return the requests of a branch of this repository, open or not; without a branch, all open ones."""
        query = f"state={self.open_state}"
        if branch is not None:
            # A fork's branch may have the same name, so GitHub requires the owner before it.
            selector = self.branch_query.format(owner=self.path.split("/")[2], branch=quote(branch, safe=""))
            query = f"state=all&{selector}"
        listed = map(self._read_request, self.client.list_all(f"{self.path}{self.requests_path}?{query}"))
        return [request for request in listed if branch in (None, request.branch)]

    def require_branch(self) -> None:
        """Raise UsageError if the run is not about a branch, such as one that a tag or a pull request started."""
        if not self.branch:
            hint = "run it in a pipeline of the default branch, whose CI sets GITHUB_REF or CI_COMMIT_BRANCH"
            raise UsageError("this run has no branch", hint=hint)

    def find_merged(self, commit: str) -> list[Request]:
        """Return the requests that brought a commit into the branch of this run."""
        path = self.path + self.commit_path.format(commit) + self.requests_path
        requests = map(self._read_request, self.client.list_all(path))
        return [request for request in requests if request.state == "merged" and request.into == self.branch]

    def for_request(self, request: Request) -> Self:
        """Return the same host for a run about this request."""
        return dataclasses.replace(self, number=int(request.id))

    @abc.abstractmethod
    def write_branch(self, branch: str, head: str, message: str, files: tuple[FileEdit, ...]) -> str:
        """Create a branch with one commit on top of `head`, and return the commit. Refused if the branch exists."""

    def find_commit(self, branch: str, message: str) -> str:
        """Return the last commit of a branch if it has that message, and an empty text if it has another one."""
        name = quote(branch, safe=self.safe_in_branch)
        commit = self.client.request("GET", self.path + self.commit_path.format(name))
        # At GitHub, the message is one level below.
        own = commit if isinstance(commit, dict) else {}
        written = get_group(own, "commit").get("message") or own.get("message")
        return str(own.get("sha") or own.get("id") or "") if str(written).strip() == message.strip() else ""

    def delete_branch(self, branch: str) -> None:
        """Delete a branch, if it still exists."""
        name = quote(branch, safe=self.safe_in_branch)
        with Tolerate(404, 422):  # GitHub answers 422 if the branch does not exist
            self.client.request("DELETE", f"{self.path}{self.branches_path}/{name}")

    @abc.abstractmethod
    def open_request(self, branch: str, title: str, body: str) -> None:
        """Open a request to merge a branch into the branch of this run."""

    def close_request(self, request: Request, body: str) -> None:
        """Close a request, and replace its body."""
        path = f"{self.path}{self.requests_path}/{request.id}"
        self.client.request(self.edit_method, path, {self.body_key: body, **self.close_body})

    def make_inert(self, text: str) -> str:
        """Return a Markdown text without commands to this host. Mentions and links were removed before."""
        return text

    def _make_path(self, template: str) -> str:
        if self.number is None:
            hint = f"run comment in a job that a {self.proposal} starts"
            raise UsageError(f"this job does not belong to a {self.proposal}", hint=hint)
        return self.path + template.format(self.number)

    def _read(self, item: Mapping[str, Any], id_key: str = "", body_key: str = "") -> dict[str, str]:
        """Return the fields of an `Entry`. A comment has other keys than an issue or a request."""
        group, name = self.author_keys
        return {
            "id": str(item.get(id_key or self.number_key)),
            "author": str(get_group(item, group).get(name) or ""),
            # A browser changes the line ends of a text that somebody edits.
            "body": str(item.get(body_key or self.body_key) or "").replace("\r\n", "\n"),
            "title": str(item.get("title") or ""),
        }

    @abc.abstractmethod
    def _read_request(self, item: Mapping[str, Any]) -> Request: ...
