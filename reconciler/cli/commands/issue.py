"""`reconciler issue`."""

import click

from reconciler.cli.exit_codes import moved_live, unread
from reconciler.cli.help import Command
from reconciler.cli.hosted import HostOptions, host_options, read_said, tell_done
from reconciler.hosts.host import Host
from reconciler.hosts.keep import keep_issue
from reconciler.report.formats.markdown import render_markdown
from reconciler.report.view import make_view

_ROOM = 64_000  # characters for the report; what follows it must find a place, too
_ADVICE = (
    "To keep a live edit, take it into the definitions with `reconciler pull`, and merge that. To undo it, change it "
    "back in the dashboard, or run `reconciler apply --on-drift revert`. This issue is closed by itself when nothing "
    "that was edited live differs any more."
)
_LOOK = "Not everything could be looked at. This issue is closed by itself when everything can be, and nothing differs."
_SETTLED = "Everything could be looked at, and nothing that was edited live differs from git any more."


@click.command(
    "issue",
    cls=Command,
    examples=[("reconciler issue drift.json", "Keep one issue about what was edited in the dashboard")],
)
@click.argument("reports", nargs=-1, metavar="REPORT...")
@host_options
def command(host: Host, options: HostOptions) -> int:
    """Keep one issue about what was edited live, from a drift's JSON report.

    It is opened where something was edited live, or could not be looked at, edited in place, and closed when all
    was looked at and nothing differs any more. Where there is nothing to say, and no issue is open, nothing is
    written.
    """
    report, said = read_said(options)
    name = options.name or (report.environment if report is not None else None) or "assistants"
    moved, text = report is not None and moved_live(report), f"{said}\n\n{_LOOK}" if said else None
    # Nothing is called settled that was not looked at.
    if report is not None and (moved or unread(report)):
        text = f"{render_markdown(make_view(report), limit=_ROOM)}\n\n{_ADVICE if moved else _LOOK}"
    title = f"Live assistants were edited behind git's back ({name})"
    if not moved:
        title = f"Not all assistants could be looked at ({name})"
    tell_done("issue", keep_issue(host, name, title, text, _SETTLED, options.link))
    return 0
