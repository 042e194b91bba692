"""`reconciler demo`."""

import functools
import sys

import click

from reconciler.cli.help import declare_command
from reconciler.cli.installation import check_sandbox
from reconciler.cli.streams import is_terminal, wants_colour
from reconciler.demo.stage import Interrupted
from reconciler.demo.story import Teller, run_story


@declare_command(
    "demo",
    ("reconciler demo", "Show the demo, scene by scene"),
    ("reconciler demo --no-pause", "Show it without pauses, in about ten seconds"),
)
@click.option("--no-pause", is_flag=True, help="Do not wait for Enter after each scene.")
def command(no_pause: bool) -> int:
    """Show the whole workflow with real commands: validate, plan, apply, drift, pull, a conflict, and a mistake.

    Needs only git: no account and no network. A sandbox on this machine takes the place of the API. Everything
    happens in a temporary folder, which is removed at the end, and none of your settings are used.
    """
    check_sandbox("the demo")
    colour = wants_colour(sys.stdout)
    at_a_terminal = is_terminal(sys.stdin) and is_terminal(sys.stdout)
    teller = Teller(
        write=functools.partial(print, flush=True),
        strong=lambda text: click.style(text, bold=True) if colour else text,
        faint=lambda text: click.style(text, fg="cyan") if colour else text,
        pause=_wait_for_enter if at_a_terminal and not no_pause else lambda: None,
    )
    try:
        run_story(teller)
    except Interrupted as interrupted:
        return 128 + interrupted.number
    return 0


def _wait_for_enter() -> None:
    click.echo("[Press Enter to continue, Ctrl-C to stop] ", nl=False, err=True)
    if not sys.stdin.readline():  # stdin is closed, so no Enter has ended the line
        click.echo(err=True)
    click.echo(err=True)
