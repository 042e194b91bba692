"""`reconciler completion`."""

import click
from click.shell_completion import get_completion_class

from reconciler.cli.help import declare_command


@declare_command(
    "completion",
    ("reconciler completion bash > ~/.local/share/bash-completion/completions/reconciler", "For bash"),
    ("reconciler completion zsh > ~/.zfunc/_reconciler", "For zsh, with ~/.zfunc in fpath before compinit"),
    ("reconciler completion fish > ~/.config/fish/completions/reconciler.fish", "For fish"),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), metavar="[bash|zsh|fish]")
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print a script for your shell that completes commands, options and file names when you press Tab.

    Save it where your shell looks for such scripts, and start a new shell.
    """
    root = ctx.find_root()
    shell_class = get_completion_class(shell)
    if shell_class is None:
        raise LookupError(shell)
    # The script is for the name that was called, because the command may be installed under another name.
    name = root.info_name or "reconciler"
    click.echo(shell_class(root.command, {}, name, f"_{name.upper()}_COMPLETE").source(), nl=False)
    return 0
