"""`reconciler comment`."""

from pathlib import Path

import click

from reconciler.cli.help import declare_command
from reconciler.cli.hosted import HostOptions, host_options, notify_chat, open_host, show_result
from reconciler.core.outcome import Outcome
from reconciler.errors import HostError, UsageError
from reconciler.hosts.host import Host, Request
from reconciler.hosts.keep import find_requests, keep_comment
from reconciler.report.formats.markdown import render_markdown
from reconciler.report.merge import select_entries
from reconciler.report.read_back import check_kind
from reconciler.report.remarks import collect_notes
from reconciler.report.report import Report
from reconciler.report.view import make_view
from reconciler.usecases.history import list_merged

_MOST_COMMITS = 100  # commits that the host is asked about, the newest first
# Characters for the report. The text after it needs space, and after an apply also the text before it.
_ROOM, _ROOM_AFTER_APPLY = 64_000, 60_000
_LIVE = "All changes of this request are live"
_EXCEPT_IGNORED = ", except for the ignored ones"
_FROZEN = "Nothing was sent to frozen assistants. These changes go live with the first apply after the freeze."
_NOTHING = "Nothing had to be sent."
_PARTLY = "not all changes of this request are live. Fix what is listed as refused or failed, and apply again:"
_NO_REPORT = "the apply left no report, so the changes of this request may not be live:"


@declare_command(
    "comment",
    ("reconciler comment plan.json", "Post or update the comment with what merging would change"),
    ("reconciler comment east.json west.json --name campuses", "Post two plans in one comment"),
    ("reconciler comment apply.json --merged-since v1", "Comment on what was merged since v1"),
)
@click.option(
    "--merged-since",
    metavar="REV",
    help="Comment on every request that was merged into HEAD since REV, each with the result for its own changes.",
)
@click.option(
    "--apply-link", default="", metavar="URL", help="Where to start an apply by hand; linked below the comment."
)
@click.option("--notify", is_flag=True, help="With --merged-since, notify RECONCILER_WEBHOOK_URL if an apply failed.")
@host_options
def command(options: HostOptions, merged_since: str | None, apply_link: str, notify: bool) -> int:
    """Post a plan's JSON report as a comment on the pull request or merge request.

    There is one comment. It is created once and then updated in place. If there is nothing to report and no comment
    yet, nothing is written. GitHub and GitLab are detected from the variables of their CI. The token is GITHUB_TOKEN
    or GITLAB_TOKEN. With --merged-since, REPORT is an apply's report, and the authors of requests that are not
    completely live are mentioned.
    """
    if options.settled and merged_since is not None:
        # What was merged is live only if an apply's report says so.
        raise UsageError("--settled says nothing about what was merged", hint="pass the apply's report")
    host, name, report, markdown = open_host(options)
    if merged_since is not None:
        if report is not None:
            fits = all(report.traits_of(entry).writes for entry in report.assistants)
            check_kind(report, fits=fits, command="apply")
        # First, so that the chat is notified even if no comment can be written.
        if notify and (report is None or report.has_failed):
            notify_chat(host, f"Not everything was applied ({name})")
        _comment_on_merged(host, merged_since, name, report, markdown, links=(options.link, apply_link))
        return 0
    text = markdown or None
    # What git releases, or changes in an ignored field, sends nothing. Whoever reviews must see it anyway.
    if report is not None and (not report.all_is_well or collect_notes(report, of_changed=True)):
        text = render_markdown(make_view(report), limit=_ROOM)
    show_result("comment", keep_comment(host, name, text, options.link, apply_link=apply_link))
    return 0


def _comment_on_merged(
    host: Host, since: str, name: str, report: Report | None, markdown: str, *, links: tuple[str, str]
) -> None:
    """Comment on each request that was merged since a revision. `links` lead to all reports and to an apply by hand."""
    # Without a branch, every request would look as if it was merged into another one.
    host.require_branch()
    merged = list_merged(Path(), since, limit=_MOST_COMMITS)
    # Changes that an earlier run could not apply were merged before this revision.
    entries = report.assistants if report is not None else ()
    setters = [change.since.commit for entry in entries for change in entry.changes if change.since is not None]
    candidates = [*dict.fromkeys([*merged, *setters])][: 2 * _MOST_COMMITS]
    first_error: HostError | None = None
    for request, commits in find_requests(host, candidates):
        own_commits = commits.union(*(merged.get(commit, ()) for commit in commits))
        # A request that the report does not mention keeps its earlier comment.
        if text := _make_outcome_comment(request, own_commits, report, markdown):
            try:
                own_host = host.for_request(request)
                show_result("comment", keep_comment(own_host, name, text, links[0], "apply", links[1]))
            except HostError as error:
                # A request that is locked or gone, or an error 5xx, does not stop the comments on the others.
                if error.status in (None, 401, 429):
                    raise
                first_error = first_error or error
    if first_error is not None:
        raise first_error


def _make_outcome_comment(request: Request, commits: set[str], report: Report | None, markdown: str) -> str | None:
    """Return the comment for a merged request, or nothing if the report does not mention it."""
    # Bots are not mentioned.
    name = f"@{request.author}, " if request.author and not request.author.endswith("[bot]") else "Note: "
    if report is None:
        return f"## Apply\n\n{name}{_NO_REPORT}\n\n{markdown}"
    if (own_report := select_entries(report, commits)) is None:
        return None
    first, _, body = render_markdown(make_view(own_report), limit=_ROOM_AFTER_APPLY).partition("\n")
    outcomes = {entry.outcome for entry in own_report.assistants}
    end = _EXCEPT_IGNORED if any(entry.ignored_changes for entry in own_report.assistants) else ""
    live = _NOTHING if outcomes == {Outcome.UNCHANGED} else f"{_LIVE}{end}."
    summary = _FROZEN if Outcome.FROZEN in outcomes else live
    return f"{first}\n\n{name + _PARTLY if own_report.has_failed else summary}\n{body}"
