"""What the commands that write to GitHub and GitLab share."""

import dataclasses
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from reconciler.cli.output import read_report
from reconciler.cli.streams import tell
from reconciler.errors import UsageError
from reconciler.files.write import read_bounded
from reconciler.hosts.ci_variables import find_host
from reconciler.hosts.host import Host
from reconciler.hosts.webhook import post_webhook
from reconciler.report.merge import merge_reports
from reconciler.report.report import Report

_LARGEST_TEXT = 1024 * 1024  # bytes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostOptions:
    """What to write at a host, and its subject."""

    reports: tuple[str, ...]
    name: str
    link: str
    text: str | None
    settled: bool


def host_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--name`, `--link`, `--text`, `--settled` and `--allow-insecure-http`; the command gets them as `options`."""

    @click.option(
        "--name",
        default="",
        metavar="NAME",
        help="A name, to keep several folders apart. Default: the environment, or else `assistants`.",
    )
    @click.option("--link", default="", metavar="URL", help="URL of all reports; linked below the text.")
    @click.option("--text", metavar="FILE", help="Post this Markdown instead, if a command could not start.")
    @click.option("--settled", is_flag=True, help="Say that nothing differs any more; no REPORT is needed.")
    @click.option("--allow-insecure-http", is_flag=True, help="Allow plain http:// to another machine.")
    @functools.wraps(command)
    def wrapper(allow_insecure_http: bool, **given: Any) -> Any:
        names = [field.name for field in dataclasses.fields(HostOptions)]
        options = HostOptions(**{name: given.pop(name) for name in names})
        if sum((bool(options.reports), options.text is not None, options.settled)) != 1:
            raise UsageError("there is nothing to report", hint="pass a REPORT, --text FILE or --settled")
        return command(find_host(os.environ, allow_insecure_http=allow_insecure_http), options, **given)

    return wrapper


def read_said(options: HostOptions) -> tuple[Report | None, str]:
    """Return the merged reports or None, and the text to use instead. Raises ReportError."""
    if options.text is not None:
        return None, read_bounded(Path(options.text), _LARGEST_TEXT)
    return merge_reports([read_report(file) for file in options.reports]) if options.reports else None, ""


def tell_chat(host: Host, text: str) -> None:
    """Send one line, and the run's address, to the webhook, if there is one."""
    if warning := post_webhook(os.environ, f"{text} {host.run_url}".rstrip()):
        tell(warning, colour="yellow")


def tell_done(what: str, done: str) -> None:
    """Say what was done about the comment or the issue."""
    said = {
        "created": f"Created the {what}.",
        "edited": f"Edited the {what}.",
        "renamed": f"Edited the {what}.",
        "closed": f"Closed the {what}.",
        "declined": f"Left the {what}s as they are: somebody closed the one for the same edits.",
        "nothing": f"Left the {what}s as they are: nothing has changed.",
    }
    tell(said[done])
