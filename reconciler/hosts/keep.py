"""Maintains one comment, one issue and one request. Each is found by a hidden marker, if our own account wrote it."""

import contextlib
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from reconciler.api.results import REFUSALS
from reconciler.core.run import Edits
from reconciler.errors import HostError
from reconciler.hosts.host import Entry, Host, Request

_BRANCHES = {"accept": "live-edits", "ids": "new-ids", "retire": "retire"}
_COMMIT_MARK = "<!-- made "
_OUTDATED = "The live edits have changed since, so this was closed automatically."
_COPY = "Two runs commented at the same time. The other comment is the one that is updated."
_NO_ROOM = "The report is too long to be shown here."


def keep_comment(
    host: Host, name: str, text: str | None, link: str = "", kind: str = "plan", apply_link: str = ""
) -> str:
    """Create or edit the one comment of a name, and return what was done: `created`, `edited` or `nothing`.

    Without a text, an existing comment is edited to say that nothing changes, and none is created. `link` is the URL
    of all reports, `apply_link` the page that starts an apply by hand. Raises HostError and UsageError.
    """
    marker = make_marker(kind, name)
    own = _select_marked(host, host.list_comments(), marker)
    existing = own[0] if own else None
    if text is None and existing is None:
        return "nothing"
    # Two runs that found no comment have each created one. Only the first is updated, so the others become outdated.
    for copy in own[1:]:
        host.write_comment(_COPY, copy)
    content = text if text is not None else "## Plan\n\nThis request no longer changes a definition."
    body = _make_body(host, marker, content, link, apply_link)
    if existing is not None and existing.body.rstrip() == body.rstrip():
        return "nothing"
    host.write_comment(body, existing)
    return "edited" if existing is not None else "created"


def keep_issue(host: Host, kind: str, name: str, title: str, text: str | None, settled: str, link: str = "") -> str:
    """Create, edit or close the one open issue of a name, and return what was done.

    That is `created`, `edited`, `renamed` (edited, with another title), `closed` or `nothing`. Without a text, an
    open issue is closed with the comment `settled`. If there are several, all but the oldest are closed. Raises
    HostError.
    """
    marker = make_marker(kind, name)
    # The oldest first, which people may have subscribed to.
    own = sorted(_select_marked(host, host.list_issues(), marker), key=lambda issue: (len(issue.id), issue.id))
    existing = own[0] if own else None
    for copy in own[1:]:
        host.close_issue(copy, f"Two runs opened an issue at the same time. See the other one, #{own[0].id}.")
    if text is None:
        if existing is None:
            return "nothing"
        host.close_issue(existing, f"{settled}{_link_to_run(host)}")
        return "closed"
    body = _make_body(host, marker, text, link)
    if existing is not None and existing.body.rstrip() == body.rstrip() and existing.title == title:
        return "nothing"
    host.write_issue(title, body, existing)
    return "created" if existing is None else "edited" if existing.title == title else "renamed"


def keep_request(host: Host, kind: str, name: str, title: str, text: str, edits: Edits | None) -> str:
    """Propose edits as the one open request of a name: `created`, `declined`, `closed` or `nothing`."""
    # Each set of edits has its own branch, which is created once and never moved, so that nobody's commit is replaced.
    # If people have closed a request, it stays closed for the same edits. If they have added commits to its branch, it
    # stays as it is.
    marker = make_marker(kind, name)
    # List all open requests, because each earlier set of edits had its own branch, whose name is not known here.
    listed = host.list_requests(None)
    open_requests = host.select_own(entry for entry in listed if entry.branch and _is_marked(entry, marker))
    branch = f"reconciler/{_BRANCHES[kind]}-{edits.digest[:12]}" if edits is not None else ""
    outdated = [request for request in open_requests if not branch or not request.branch.startswith(branch)]
    result = "nothing"
    if edits is not None and len(outdated) == len(open_requests):
        result = _propose(host, branch, marker, title, text, edits)
    for request in outdated:
        if f"{_COMMIT_MARK}{request.commit} -->" in request.body:
            host.close_request(request, f"{marker}\n{text}\n\n{_OUTDATED}\n")
            host.delete_branch(request.branch)
            result = "closed" if result == "nothing" else result
    return result


def _propose(host: Host, branch: str, marker: str, title: str, text: str, edits: Edits) -> str:
    """Create a branch and its request, unless somebody has closed one for the same edits."""
    existing = host.list_requests(branch)
    if any(request.state == "merged" for request in existing):
        # The same edits have come up again: a branch that was already merged would propose nothing.
        branch = f"{branch}-{edits.head[:8]}"
        existing = host.list_requests(branch)
    closed = [request for request in existing if request.state == "closed" and _COMMIT_MARK in request.body]
    if host.select_own(request for request in closed if _is_marked(request, marker)):
        return "declined"
    # It has no marker of ours: somebody has rewritten its text, or opened it from the same branch.
    if any(request.state == "open" for request in existing):
        return "nothing"
    is_new = True
    try:
        commit = host.write_branch(branch, edits.head, title, edits.files)
    except HostError as error:
        # An earlier run created the branch and then failed. If it has another commit on top, it is not closed later.
        if error.status not in (400, 422) or "exists" not in error.message:
            raise
        is_new, commit = False, host.find_commit(branch, title)
    try:
        host.open_request(branch, title, f"{marker}\n{_COMMIT_MARK}{commit} -->\n{text}{_link_to_run(host)}\n")
    except HostError as error:
        # Other edits get another branch, so nobody would find this one again. A request that may have been opened
        # after all needs it, and so does one that a run at the same time has opened for it.
        if is_new and error.status in REFUSALS and "exists" not in error.message:
            with contextlib.suppress(HostError):
                host.delete_branch(branch)
        raise
    return "created"


def find_requests(host: Host, commits: Sequence[str]) -> list[tuple[Request, set[str]]]:
    """Return the requests that brought commits into the branch of this run, each with its own. Raises HostError."""
    found_by_id: dict[str, tuple[Request, set[str]]] = {}
    errors: list[HostError] = []
    for commit in commits:
        try:
            for request in host.find_merged(commit):
                found_by_id.setdefault(request.id, (request, set()))[1].add(commit)
        except HostError as error:
            # A host may lack a commit, for example after a branch was rewritten. If it lacks all of them, it may be
            # another repository.
            if error.status not in (404, 422):
                raise
            errors.append(error)
    if errors and len(errors) == len(commits):
        raise errors[0]
    return [*found_by_id.values()]


def make_marker(kind: str, name: str) -> str:
    """Return the hidden line that identifies an entry. It is different for each name, and no name can end it early."""
    return f"<!-- reconciler {kind} {quote(name, safe='/@+=', errors='surrogatepass')} -->"


def _select_marked(host: Host, entries: Iterable[Entry], marker: str) -> list[Entry]:
    """Return the entries that begin with a marker and that this pipeline's own account wrote."""
    return host.select_own(entry for entry in entries if _is_marked(entry, marker))


def _is_marked(entry: Entry, marker: str) -> bool:
    return entry.body.partition("\n")[0].rstrip() == marker


def _make_body(host: Host, marker: str, text: str, link: str, apply_link: str = "") -> str:
    """Return the body of an entry; a text that is too long is left out, with a link to it below."""
    links = {
        "this run": host.run_url,
        "all reports, including the HTML page": link,
        "apply by hand, with other options": apply_link,
    }
    parts = [f"Commit {host.commit}"] if host.commit else []
    footer = " · ".join([*parts, *(f"[{name}]({address})" for name, address in links.items() if address)])
    # A variable or a link may have any bytes.
    footer = footer.encode(errors="backslashreplace").decode()
    # A host rejects a body that is too long, and a link to the whole text is more useful than half of it.
    contents = (host.make_inert(content.rstrip()) for content in (text, _NO_ROOM))
    bodies = [f"{marker}\n{content}\n\n{footer}".rstrip() + "\n" for content in contents]
    return bodies[0] if len(bodies[0].encode("utf-16-le")) // 2 <= host.longest_body else bodies[1]


def _link_to_run(host: Host) -> str:
    return f" ([this run]({host.run_url}))" if host.run_url else ""
