"""Shared code of the commands that write to GitHub and GitLab."""

import os
from pathlib import Path

import click

from reconciler.cli.help import group_options
from reconciler.cli.output import read_report
from reconciler.cli.streams import eprint
from reconciler.dataclass import dataclass
from reconciler.errors import UsageError
from reconciler.files.write import read_bounded
from reconciler.hosts.ci_variables import find_host
from reconciler.hosts.host import Host
from reconciler.hosts.webhook import post_webhook
from reconciler.report.merge import merge_reports
from reconciler.report.report import Report

_LARGEST_TEXT = 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOptions:
    """What to post: reports, a text, or that all is settled. Raises UsageError unless it is exactly one of these."""

    reports: tuple[str, ...]
    name: str
    link: str
    text: str | None
    settled: bool
    allow_insecure_http: bool

    def __post_init__(self) -> None:
        count = sum((bool(self.reports), self.text is not None, self.settled))
        if count != 1:
            problem = "nothing to report" if count == 0 else "more than one thing to report"
            raise UsageError(f"there is {problem}", hint="pass one of REPORT, --text FILE and --settled")


name_option = click.option(
    "--name",
    default="",
    metavar="NAME",
    help="A name, to keep several folders apart. Default: the environment, or else `assistants`.",
)
insecure_option = click.option("--allow-insecure-http", is_flag=True, help="Allow plain http:// to another machine.")
host_options = group_options(
    "options",
    HostOptions,
    click.argument("reports", nargs=-1, metavar="REPORT..."),
    name_option,
    click.option("--link", default="", metavar="URL", help="URL of all reports; linked below the text."),
    click.option("--text", metavar="FILE", help="Post this Markdown instead, if a command could not start."),
    click.option("--settled", is_flag=True, help="Say that nothing differs any more; no REPORT is needed."),
    insecure_option,
)


def open_host(options: HostOptions) -> tuple[Host, str, Report | None, str]:
    """Return the CI's host, the name of the comment or issue, and the merged reports or the text.

    Raises UsageError without a host, and ReportError if a file cannot be read.
    """
    host = find_host(os.environ, allow_insecure_http=options.allow_insecure_http)
    text = read_bounded(Path(options.text), _LARGEST_TEXT) if options.text is not None else ""
    # No text means that all is settled, which an empty file does not say.
    if options.text is not None and not text.strip():
        raise UsageError(f"{options.text} is empty", hint="write into it why the command could not start")
    report = merge_reports([read_report(file) for file in options.reports]) if options.reports else None
    # A text that replaces a report belongs to the entry that the report would have.
    environment = os.environ.get("RECONCILER_ENVIRONMENT") if report is None else report.environment
    return host, options.name or environment or "assistants", report, text


def notify_chat(host: Host, text: str) -> None:
    """Send one line with the run's address to the webhook, if there is one."""
    if warning := post_webhook(os.environ, f"{text} {host.run_url}".rstrip()):
        eprint(warning, colour="yellow")


def show_result(subject: str, result: str) -> None:
    """Show what was done about the comment, the issue or the request."""
    reasons = {"declined": "somebody closed the one for the same edits", "nothing": "nothing has changed"}
    if result in reasons:
        eprint(f"Left the {subject}s as they are: {reasons[result]}.")
    else:
        eprint(f"{'Edited' if result == 'renamed' else result.capitalize()} the {subject}.")
