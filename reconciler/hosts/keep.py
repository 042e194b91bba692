"""Keeps one comment and one issue: created, edited in place, closed, found again by an exact hidden marker.

Anybody can write a marker into a comment. So only what the pipeline's own account wrote is ever edited.
"""

from collections.abc import Iterable
from urllib.parse import quote

from reconciler.hosts.host import Entry, Host

_NO_ROOM = "The report is too long to be shown here."


def keep_comment(host: Host, name: str, text: str | None, link: str = "") -> str:
    """Write a text as the one comment of a name, and return what was done: `created`, `edited` or `nothing`.

    Without a text there is nothing to say: a comment that stands there says so, and none is created. `link` is where
    all reports are. Raises HostError and UsageError.
    """
    marker = make_marker("plan", name)
    there = _find_own(host, host.comments(), marker)
    if text is None and there is None:
        return "nothing"
    said = text if text is not None else "## Plan\n\nNo definition changes any more."
    body = _make_body(host, marker, said, link)
    if there is not None and _is_same(there.body, body):
        return "nothing"
    host.write_comment(body, there)
    return "edited" if there is not None else "created"


def keep_issue(host: Host, name: str, title: str, text: str | None, settled: str, link: str = "") -> str:
    """Keep one open issue of a name with a text, and return what was done: `created`, `edited`, `closed`, `nothing`.

    Without a text the matter is settled: an issue that is open is closed, with a sentence that says why. Raises
    HostError.
    """
    marker = make_marker("drift", name)
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
    return "edited" if there is not None else "created"


def make_marker(kind: str, name: str) -> str:
    """Return the hidden line by which something is found again: no name can end it, and no two names share it."""
    return f"<!-- reconciler {kind} {quote(name, safe='/@+=')} -->"


def _find_own(host: Host, entries: Iterable[Entry], marker: str) -> Entry | None:
    """Return the first entry that begins with a marker and that this pipeline's own account wrote."""
    # Who edits a text in a browser changes its line ends.
    marked = [entry for entry in entries if entry.body.replace("\r\n", "\n").partition("\n")[0].rstrip() == marker]
    if not marked:
        return None
    # Asked only where a marker was found: most runs need not know who they are.
    me = host.me()
    return next((entry for entry in marked if me and entry.author == me), None)


def _make_body(host: Host, marker: str, text: str, link: str) -> str:
    """Return what is kept at the host; a text for which there is no room gives way to the link below it."""
    links = {"this run": host.run_url, "all reports, with the page for your browser": link}
    parts = [f"Commit {host.commit}"] if host.commit else []
    footer = " · ".join([*parts, *(f"[{name}]({address})" for name, address in links.items() if address)])
    bodies = (f"{marker}\n{host.make_inert(said.rstrip())}\n\n{footer}".rstrip() + "\n" for said in (text, _NO_ROOM))
    return next(body for body in bodies if len(body.encode("utf-16-le")) // 2 <= host.longest_body)


def _is_same(there: str, body: str) -> bool:
    return there.replace("\r\n", "\n").rstrip() == body.rstrip()


def _link(host: Host) -> str:
    return f" ([this run]({host.run_url}))" if host.run_url else ""
