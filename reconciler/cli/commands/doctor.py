"""`reconciler doctor`."""

import contextlib
import os
import sys
from collections.abc import Iterator

import click

from reconciler.cli.connect import open_api, stoppable
from reconciler.cli.connection_options import ConnectionOptions, connection_options
from reconciler.cli.help import Command
from reconciler.cli.options import directory_option
from reconciler.cli.streams import tell, wants_colour
from reconciler.errors import ReconcilerError
from reconciler.hosts.ci_variables import find_host
from reconciler.hosts.protection import check_protection
from reconciler.report.differences.values import escape
from reconciler.usecases.doctor import Finding, State, check_api, check_project
from reconciler.usecases.project.choices import DefinitionOptions

_STATES = {True: State.OK, False: State.MISSING, None: State.UNKNOWN}
_WIDTH = 8


@click.command(
    "doctor",
    cls=Command,
    examples=[
        ("reconciler doctor", "Check the set-up of this clone and this account"),
        ("reconciler doctor --protected-environment live", "The same in a job, where the writing account is in `live`"),
    ],
)
@click.option(
    "--protected-environment",
    default="production",
    show_default=True,
    metavar="NAME",
    help="The environment of the host that holds the writing account.",
)
@directory_option
@connection_options
def command(definitions: DefinitionOptions, connection: ConnectionOptions, protected_environment: str) -> int:
    """Check a set-up: one line for each thing, with what to do where it is missing.

    Settings, definitions, git's history and the record, the API's URL, the login and what the account may do. In
    a job of GitHub or GitLab also its variables, the token's permissions, and what is protected. Nothing is
    written anywhere. Exit 1 where something is missing.
    """
    findings, project = check_project(definitions)
    for finding in findings:
        _show(finding)
    if project is not None:
        with stoppable() as stopping, contextlib.ExitStack() as opened:
            for finding in check_api(
                project, lambda: opened.enter_context(open_api(connection, project.settings, stopping))
            ):
                findings.append(finding)
                _show(finding)
    for finding in _check_host(protected_environment, allow_insecure_http=connection.allow_insecure_http):
        findings.append(finding)
        _show(finding)
    missing = sum(finding.state is State.MISSING for finding in findings)
    tell(f"{missing} missing." if missing else "Nothing is missing.")
    return int(bool(missing))


def _check_host(environment: str, *, allow_insecure_http: bool) -> Iterator[Finding]:
    """Yield what the host says, inside of its CI alone."""
    if not {"GITHUB_ACTIONS", "GITLAB_CI"} & os.environ.keys():
        return
    try:
        host = find_host(os.environ, allow_insecure_http=allow_insecure_http)
        for one in check_protection(host, environment):
            yield Finding(_STATES[one.holds], one.subject, one.told, "" if one.holds else one.hint)
    except ReconcilerError as error:
        yield Finding(State.MISSING, "CI", error.message, error.hint)


def _show(finding: Finding) -> None:
    colour = {State.OK: "green", State.MISSING: "red", State.UNKNOWN: "yellow"}[finding.state]
    hint = f". To do: {escape(finding.hint)}" if finding.hint and finding.state is not State.OK else ""
    note = f" ({escape(finding.hint)})" if finding.hint and finding.state is State.OK else ""
    state = click.style(f"{finding.state:{_WIDTH}}", fg=colour)
    click.echo(f"{state}{finding.subject}: {escape(finding.told)}{note}{hint}", color=wants_colour(sys.stdout))
