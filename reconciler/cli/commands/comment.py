"""`reconciler comment`."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import click

from reconciler.cli.exit_codes import unsettled
from reconciler.cli.help import Command
from reconciler.cli.hosted import HostOptions, host_options, read_said, tell_done
from reconciler.core.outcome import Outcome
from reconciler.files.folders import repository_root
from reconciler.git.repository import Repository, open_repository
from reconciler.hosts.host import Host, Request
from reconciler.hosts.keep import keep_comment
from reconciler.report.build import count
from reconciler.report.formats.markdown import render_markdown
from reconciler.report.report import AssistantEntry, Report
from reconciler.report.view import make_view
from reconciler.usecases.project.reading import require_commit

_MOST_COMMITS = 100  # asked about at the host, the newest first
_ROOM = 60_000  # characters for the report; what stands before it must find a place, too
_LIVE = "All that this changed is live."
_FROZEN = "Nothing was sent of what is frozen. It goes live with the first apply after the freeze."
_NOTHING = "Nothing of this had to be sent."
_PARTLY = "not all that this changed is live. What is listed as refused or failed is mended and applied once more:"
_NOT_BEGUN = "this could not be applied. The apply did not begin:"


@click.command(
    "comment",
    cls=Command,
    examples=[
        ("reconciler comment plan.json", "Post or update the comment with what merging would change"),
        ("reconciler comment east.json west.json --name campuses", "Post two plans in one comment"),
        ("reconciler comment apply.json --merged-since v1", "Comment on what was merged since v1"),
    ],
)
@click.argument("reports", nargs=-1, metavar="REPORT...")
@click.option(
    "--merged-since",
    metavar="REV",
    help="Comment on every request that was merged into HEAD since REV, each with the result for its own changes.",
)
@click.option(
    "--apply-link", default="", metavar="URL", help="Where to start an apply by hand; linked below a plan's comment."
)
@host_options
def command(host: Host, options: HostOptions, merged_since: str | None, apply_link: str) -> int:
    """Post a plan's JSON report as a comment on the pull request or merge request.

    There is one comment. It is created once and then updated in place. If there is nothing to report and no comment
    yet, nothing is written. GitHub and GitLab are detected from the variables of their CI. The token is GITHUB_TOKEN
    or GITLAB_TOKEN. With --merged-since, REPORT is an apply's report, and the authors of requests that are not
    completely live are mentioned.
    """
    report, said = read_said(options)
    name = options.name or (report.environment if report is not None else None) or "assistants"
    if merged_since is not None:
        for request, commits in _find_merged(host, report, merged_since):
            # One that has no part in the report keeps what it was told before.
            if text := _tell_end(request, commits, report, said):
                tell_done("comment", keep_comment(host.about(request), name, text, options.link, "apply"))
        return 0
    text = said or (render_markdown(make_view(report)) if report is not None and not report.all_is_well else None)
    tell_done("comment", keep_comment(host, name, text, options.link, apply_link=apply_link))
    return 0


def _find_merged(host: Host, report: Report | None, since: str) -> Iterator[tuple[Request, set[str]]]:
    """Yield the requests that were merged since, or that set what the report is about, with their commits and files."""
    repository = open_repository(repository_root(Path()))
    commit = require_commit(repository, since)
    if repository is None:
        raise TypeError(since)
    merged = repository.log("--first-parent", f"-{_MOST_COMMITS}", "--format=%H", f"{commit}..HEAD", "--").split()
    # A change that an earlier run could not apply was merged before that.
    entries = report.assistants if report is not None else ()
    setters = [change.since.commit for entry in entries for change in entry.changes if change.since is not None]
    found: dict[str, tuple[Request, set[str]]] = {}
    for commit in list(dict.fromkeys([*merged, *setters]))[: 2 * _MOST_COMMITS]:
        for request in host.find_merged(commit):
            found.setdefault(request.id, (request, set()))[1].add(commit)
    for request, commits in found.values():
        yield request, commits | _list_files(repository, commits & {*merged})


def _list_files(repository: Repository, commits: set[str]) -> set[str]:
    """Return the paths that commits of the branch have changed, compared with what stood there before."""
    return {
        path
        for commit in commits
        for path in repository.log("-1", "-m", "--first-parent", "--name-only", "-z", "--format=", commit, "--").split(
            "\0"
        )
        if path.strip()
    }


def _tell_end(request: Request, own: set[str], report: Report | None, said: str) -> str | None:
    """Return what to say in a merged request; nothing where it has no part in the report."""
    if report is None:
        return f"## Apply\n\n{_name(request)}{_NOT_BEGUN}\n\n{said}"
    entries = tuple(entry for entry in report.assistants if _is_of(entry, own))
    if not entries:
        return None
    part = dataclasses.replace(report, assistants=entries, summary=count(entries), no_longer_managed=(), problems=())
    text = render_markdown(make_view(part), limit=_ROOM)
    first, _, rest = text.partition("\n")
    outcomes = {entry.outcome for entry in entries}
    calm = _FROZEN if Outcome.FROZEN in outcomes else _NOTHING if outcomes == {Outcome.UNCHANGED} else _LIVE
    return f"{first}\n\n{_name(request) + _PARTLY if unsettled(part) else calm}\n{rest}"


def _is_of(entry: AssistantEntry, own: set[str]) -> bool:
    setters = {change.since.commit for change in entry.changes if change.since is not None}
    files = {change.file for change in entry.changes if change.file is not None} | {entry.file}
    # Where each change has a commit, that says more than that a file was touched.
    return bool(setters & own) or (not setters and bool(files & own))


def _name(request: Request) -> str:
    """Return the mention of whoever opened a request, as the beginning of a sentence; a bot is not told."""
    return f"@{request.author}, " if request.author and not request.author.endswith("[bot]") else "Note: "
