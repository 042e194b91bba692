"""`reconciler comment`."""

import click

from reconciler.cli.help import Command
from reconciler.cli.hosted import HostOptions, host_options, read_said, tell_done
from reconciler.hosts.host import Host
from reconciler.hosts.keep import keep_comment
from reconciler.report.formats.markdown import render_markdown
from reconciler.report.view import make_view


@click.command(
    "comment",
    cls=Command,
    examples=[
        ("reconciler comment plan.json", "Keep one comment with what merging would do"),
        ("reconciler comment east.json west.json --name campuses", "Two plans in one comment of its own"),
    ],
)
@click.argument("reports", nargs=-1, metavar="REPORT...")
@host_options
def command(host: Host, options: HostOptions) -> int:
    """Keep one comment on the pull request or merge request with what a plan's JSON report says.

    It is created once, and edited in place from then on. Where there is nothing to say, and no comment stands
    there, nothing is written. GitHub and GitLab are found from the variables of their CI; the token is GITHUB_TOKEN,
    or GITLAB_TOKEN.
    """
    report, said = read_said(options)
    text = said or (render_markdown(make_view(report)) if report is not None and not report.all_is_well else None)
    name = options.name or (report.environment if report is not None else None) or "assistants"
    tell_done("comment", keep_comment(host, name, text, options.link))
    return 0
