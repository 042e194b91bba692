"""`reconciler completion`."""

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from reconciler.cli.help import declare_command

_SHELLS = {shell.name: shell for shell in (BashComplete, ZshComplete, FishComplete)}


@declare_command(
    "completion",
    ("reconciler completion bash > ~/.local/share/bash-completion/completions/reconciler", "For bash"),
    ("reconciler completion zsh > ~/.zfunc/_reconciler", "For zsh, with ~/.zfunc in fpath before compinit"),
    ("reconciler completion fish > ~/.config/fish/completions/reconciler.fish", "For fish"),
)
@click.argument("shell", type=click.Choice([*_SHELLS]), metavar="[bash|zsh|fish]")
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print a script for your shell that completes commands, options and file names when you press Tab.

    Save it where your shell looks for such scripts, and start a new shell.
    """
    root = ctx.find_root()
    # The script is for the name that was called, because the command may be installed under another name.
    name = root.info_name or "reconciler"
    click.echo(_SHELLS[shell](root.command, {}, name, f"_{name.upper()}_COMPLETE").source(), nl=False)
    return 0
