"""`reconciler doctor`."""

import contextlib
import os
from collections.abc import Iterator

import click

from reconciler.cli.connect import open_api, stoppable
from reconciler.cli.help import declare_command
from reconciler.cli.options import ConnectionOptions, connection_options, directory_option
from reconciler.cli.streams import echo, eprint
from reconciler.core.run import Requirement
from reconciler.errors import ReconcilerError
from reconciler.git.working_tree import read_origin
from reconciler.hosts.ci_variables import find_host, find_variables
from reconciler.hosts.protection import check_protection
from reconciler.report.differences.values import escape
from reconciler.usecases.doctor import Account, check_api, check_project, find_workflow
from reconciler.usecases.project.choices import Choices

_MET = {True: ("ok", "green"), False: ("missing", "red"), None: ("unknown", "yellow")}
_WIDTH = 8


@declare_command(
    "doctor",
    ("reconciler doctor", "Check this clone and this account"),
    ("reconciler doctor --protected-environment live", "In a job with the writing account of `live`"),
)
@click.option(
    "--protected-environment",
    default="production",
    show_default=True,
    metavar="NAME",
    help="The environment on GitHub or GitLab with the writing account.",
)
@click.option(
    "--account",
    type=click.Choice(["reads", "writes"]),
    help="What the account is for: plan and drift (it must not be able to write), or apply.",
)
@directory_option
@connection_options
def command(
    choices: Choices, connection: ConnectionOptions, protected_environment: str, account: Account | None
) -> int:
    """Check your setup: one line for each item, with what to do if it is missing.

    Checks the settings, the definitions, git's history, the record, the API's URL, the login and the permissions of
    the account. In a GitHub or GitLab job, and in a clone if GH_TOKEN or GITLAB_TOKEN is set, it also checks
    variables, secrets, protection, and whether pull requests may be opened. Nothing is written. The exit code is 1 if
    something is missing, and with --account also if the account can do more or less than it should.
    """
    missing = 0
    # Each line is shown immediately, because some need a request.
    for requirement in _check_all(choices, connection, account, protected_environment):
        missing += requirement.met is False
        _show_requirement(requirement)
    eprint(f"{missing} missing." if missing else "Nothing is missing.")
    return int(bool(missing))


def _check_all(
    choices: Choices, connection: ConnectionOptions, account: Account | None, environment: str
) -> Iterator[Requirement]:
    requirements, project = check_project(choices)
    yield from requirements
    origin, workflow, has_url = "", "", False
    # Without settings, the API's URL is not known, but the host can still be checked.
    if project is not None:
        settings = project.settings
        with stoppable() as stopping, contextlib.ExitStack() as stack:
            for requirement in check_api(
                project, account, lambda: stack.enter_context(open_api(connection, settings, stopping))
            ):
                # What a signal has kept from being checked is not missing.
                if stopping():
                    raise ReconcilerError("not everything was checked: the run was stopped", hint="run this again")
                yield requirement
        origin = read_origin(project.root) if project.repository.exists else ""
        workflow, has_url = find_workflow(project.root), bool(settings.api_url)
    insecure = connection.allow_insecure_http
    yield from _check_host(environment, origin, workflow, has_url=has_url, allow_insecure_http=insecure)


def _check_host(
    environment: str, origin: str, workflow: str, *, has_url: bool, allow_insecure_http: bool
) -> Iterator[Requirement]:
    """Yield the requirements about the host: in its CI, and on a laptop that has a token for it."""
    variables = dict(os.environ)
    if not any(map(variables.get, ("GITHUB_ACTIONS", "GITLAB_CI"))):
        variables |= find_variables(variables, origin)
        token_names = ("GITLAB_TOKEN",) if "CI_PROJECT_ID" in variables else ("GITHUB_TOKEN", "GH_TOKEN")
        if not {"CI_PROJECT_ID", "GITHUB_REPOSITORY"} & variables.keys():
            # Somebody who sets a token expects the host to be checked.
            if any(map(variables.get, ("GITLAB_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"))):
                hint = "set GH_HOST or GITLAB_HOST to the server in the URL of the remote `origin`"
                yield Requirement("host", "variables and protection were not checked", hint, met=None)
            return
        if not any(map(variables.get, token_names)):
            hint = f"set {token_names[-1]} to a personal token that can read the settings, and run this again"
            yield Requirement("host", "variables and protection were not checked", hint, met=None)
            return
    try:
        host = find_host(variables, allow_insecure_http=allow_insecure_http)
        yield from check_protection(host, environment, workflow=workflow, has_url=has_url)
        # In GitLab, a pipeline of a protected branch also has the other token.
        if "CI_PROJECT_ID" in variables and (token := variables.get("RECORD_TOKEN")):
            host = find_host({**variables, "GITLAB_TOKEN": token}, allow_insecure_http=allow_insecure_http)
            yield from check_protection(host, environment, of_record=True)
    except ReconcilerError as error:
        yield Requirement("CI", error.message, error.hint, met=False)


def _show_requirement(requirement: Requirement) -> None:
    label, colour = _MET[requirement.met]
    end = "" if requirement.detail.endswith(("?", ".")) else "."
    detail, hint = escape(requirement.detail), escape(requirement.hint)
    detail += "" if not hint else f" ({hint})" if requirement.met else f"{end} To do: {hint}"
    mark = click.style(f"{label:{_WIDTH}}", fg=colour)
    echo(f"{mark}{requirement.subject}: {detail}")
