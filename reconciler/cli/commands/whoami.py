"""`reconciler whoami`."""

import json

import click

from reconciler.cli.connect import open_api, stoppable
from reconciler.cli.help import declare_command
from reconciler.cli.options import ConnectionOptions, connection_options, directory_option, format_option
from reconciler.report.differences.values import escape
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.environments import read_settings


@declare_command("whoami", ("reconciler whoami", "Check that the URL and the credentials work"))
@directory_option
@connection_options
@format_option(("text", "json"))
def command(choices: Choices, connection: ConnectionOptions, form: str) -> int:
    """Show which account the credentials belong to, and whether they work."""
    settings = read_settings(choices)
    with stoppable() as stopping, open_api(connection, settings, stopping) as api:
        user = api.me()
    if form == "json":
        click.echo(json.dumps(user, indent=2, ensure_ascii=True))
        return stopping.exit_code
    # The API may return more fields, which are not documented.
    for name in ("name", "email", "role", "id"):
        if isinstance(user.get(name), str):
            click.echo(f"{name + ':':7}{escape(user[name])}")
    return stopping.exit_code
