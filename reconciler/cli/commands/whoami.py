"""`reconciler whoami`."""

import json

import click

from reconciler.cli.connect import open_api, stoppable
from reconciler.cli.help import declare_command
from reconciler.cli.options import ConnectionOptions, connection_options, directory_option, format_option
from reconciler.report.differences.values import escape
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.environments import read_settings

_DOCUMENTED = ("name", "email", "role", "id", "disabled", "permissions")


@declare_command("whoami", ("reconciler whoami", "Check that the URL and the credentials work"))
@directory_option
@connection_options
@format_option(("text", "json"))
def command(choices: Choices, connection: ConnectionOptions, form: str) -> int:
    """Show which account the credentials belong to, and whether they work."""
    settings = read_settings(choices)
    with stoppable() as stopping, open_api(connection, settings, stopping) as api:
        user = api.me()
    # The API may return more fields, which are not documented: a token, for example.
    text = json.dumps({name: user[name] for name in user if name in _DOCUMENTED}, indent=2, ensure_ascii=True)
    if form == "text":
        lines = [f"{name + ':':7}{escape(user[name])}" for name in _DOCUMENTED[:4] if isinstance(user.get(name), str)]
        text = "\n".join(lines) or "The credentials work. The API does not say whose they are."
    click.echo(text)
    return stopping.choose_exit_code()
