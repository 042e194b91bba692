"""Keeps one comment, one issue and one request, found by a hidden marker in what this pipeline's own account wrote."""

from collections.abc import Iterable
from urllib.parse import quote

from reconciler.core.run import Edits
from reconciler.errors import HostError
from reconciler.hosts.host import Entry, Host, Request

_BRANCHES = {"accept": "live-edits", "ids": "new-ids", "retire": "retire"}
_MADE = "<!-- made "
_OVER = "The live edits have changed since, so this was closed automatically."
_NO_ROOM = "The report is too long to be shown here."


def keep_comment(
    host: Host, name: str, text: str | None, link: str = "", kind: str = "plan", apply_link: str = ""
) -> str:
    """Write a text as the one comment of a name, and return what was done: `created`, `edited` or `nothing`.

    Without a text there is nothing to say: a comment that is there says so, and none is created. `link` is where
    all reports are, `apply_link` where an apply is started by hand. Raises HostError and UsageError.
    """
    marker = make_marker(kind, name)
    there = _find_own(host, host.comments(), marker)
    if text is None and there is None:
        return "nothing"
    said = text if text is not None else "## Plan\n\nThis request no longer changes a definition."
    body = _make_body(host, marker, said, link, apply_link)
    if there is not None and _is_same(there.body, body):
        return "nothing"
    host.write_comment(body, there)
    return "edited" if there is not None else "created"


def keep_issue(host: Host, kind: str, name: str, title: str, text: str | None, settled: str, link: str = "") -> str:
    """Keep one open issue of a name with a text, and return what was done.

    That is `created`, `edited`, `renamed` (edited, with another title), `closed` or `nothing`. Without a text the
    matter is settled: an issue that is open is closed, with a sentence that says why. Raises HostError.
    """
    marker = make_marker(kind, name)
    there = _find_own(host, host.issues(), marker)
    if text is None:
        if there is None:
            return "nothing"
        host.close_issue(there, f"{settled}{_link(host)}")
        return "closed"
    body = _make_body(host, marker, text, link)
    if there is not None and _is_same(there.body, body) and there.title == title:
        return "nothing"
    host.write_issue(title, body, there)
    return "created" if there is None else "edited" if there.title == title else "renamed"


def keep_request(host: Host, kind: str, name: str, title: str, text: str, edits: Edits | None) -> str:
    """Propose edits as the one open request of a name: `created`, `declined`, `closed` or `nothing`."""
    # Each set of edits has a branch of its own, which is made once and never moved, so that nobody's commit is ever
    # replaced. A request that people have closed stays closed for these edits; one to whose branch people have added
    # stays as it is.
    marker = make_marker(kind, name)
    # All open ones, since each set of edits has a branch of its own, whose name is not known here.
    standing = host.take_own(one for one in host.requests(None) if one.branch and _is_marked(one, marker))
    branch = f"reconciler/{_BRANCHES[kind]}-{edits.digest[:12]}" if edits is not None else None
    done = "nothing"
    if edits is not None and branch is not None and not any(one.branch.startswith(branch) for one in standing):
        done = _propose(host, branch, marker, title, text, edits)
    for there in standing:
        outdated = branch is None or not there.branch.startswith(branch)
        if outdated and f"{_MADE}{there.commit} -->" in there.body:
            host.close_request(there, f"{marker}\n{text}\n\n{_OVER}\n")
            host.delete_branch(there.branch)
            done = "closed" if done == "nothing" else done
    return done


def _propose(host: Host, branch: str, marker: str, title: str, text: str, edits: Edits) -> str:
    """Make a branch and its request, unless people have said no to just this."""
    there = host.requests(branch)
    if any(one.state == "merged" for one in there):
        # The same edits once more: a branch that was merged would propose nothing.
        branch = f"{branch}-{edits.head[:8]}"
        there = host.requests(branch)
    declined = (one for one in there if one.state == "closed" and _is_marked(one, marker) and _MADE in one.body)
    if host.take_own(declined):
        return "declined"
    try:
        made = host.write_branch(branch, edits.head, title, edits.files)
    except HostError as error:
        # An earlier run created it and then failed; reviewers see its content.
        if error.status not in (400, 422) or "exists" not in error.message:
            raise
        made = ""
    host.open_request(branch, title, f"{marker}\n{_MADE}{made} -->\n{text}{_link(host)}\n")
    return "created"


def find_requests(host: Host, commits: Iterable[str]) -> list[tuple[Request, set[str]]]:
    """Return the requests that brought commits into the branch of this run, each with its own. Raises HostError."""
    found: dict[str, tuple[Request, set[str]]] = {}
    for commit in commits:
        for request in host.find_merged(commit):
            found.setdefault(request.id, (request, set()))[1].add(commit)
    return [*found.values()]


def make_marker(kind: str, name: str) -> str:
    """Return the hidden line by which something is found again: no name can end it, and no two names share it."""
    return f"<!-- reconciler {kind} {quote(name, safe='/@+=')} -->"


def _find_own(host: Host, entries: Iterable[Entry], marker: str) -> Entry | None:
    """Return the first entry that begins with a marker and that this pipeline's own account wrote."""
    return next(iter(host.take_own(entry for entry in entries if _is_marked(entry, marker))), None)


def _is_marked(entry: Entry, marker: str) -> bool:
    # Editing a text in a browser changes its line ends.
    return entry.body.replace("\r\n", "\n").partition("\n")[0].rstrip() == marker


def _make_body(host: Host, marker: str, text: str, link: str, apply_link: str = "") -> str:
    """Return what is kept at the host; a text for which there is no room gives way to the link below it."""
    links = {
        "this run": host.run_url,
        "all reports, including the HTML page": link,
        "apply by hand, with other options": apply_link,
    }
    parts = [f"Commit {host.commit}"] if host.commit else []
    footer = " · ".join([*parts, *(f"[{name}]({address})" for name, address in links.items() if address)])
    # A host rejects a body that is too long, and a link to the whole text says more than half of it.
    bodies = (f"{marker}\n{host.make_inert(said.rstrip())}\n\n{footer}".rstrip() + "\n" for said in (text, _NO_ROOM))
    return next(body for body in bodies if len(body.encode("utf-16-le")) // 2 <= host.dialect.longest_body)


def _is_same(there: str, body: str) -> bool:
    return there.replace("\r\n", "\n").rstrip() == body.rstrip()


def _link(host: Host) -> str:
    return f" ([this run]({host.run_url}))" if host.run_url else ""
