"""The `reconciler` command: a table of commands, each loaded when it is called, inside one error boundary."""

import gc
import importlib
import signal
import sys
from typing import TYPE_CHECKING

import click

from reconciler import __version__
from reconciler.cli.boundary import interrupt, run_guarded

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# name: (module, line in --help). Each module has its command as `command`.
COMMANDS = {
    "init": ("reconciler.cli.commands.init", "Create the files of a new project."),
    "validate": ("reconciler.cli.commands.validate", "Check definitions, offline and without credentials."),
    "plan": ("reconciler.cli.commands.plan", "Show what apply would do. Never writes."),
    "apply": ("reconciler.cli.commands.apply", "Update live assistants to match their definitions."),
    "drift": ("reconciler.cli.commands.drift", "Report what was edited live. Never writes."),
    "rollback": ("reconciler.cli.commands.rollback", "Undo an apply, from its JSON report."),
    "history": ("reconciler.cli.commands.history", "List what was applied, when, and from which commit."),
    "diff": ("reconciler.cli.commands.diff", "Show how the definitions of two environments differ."),
    "pull": ("reconciler.cli.commands.pull", "Write live edits back into the definitions."),
    "create": ("reconciler.cli.commands.create", "Create an assistant from a definition."),
    "announce": ("reconciler.cli.commands.announce", "Record which assistants apply is about to create."),
    "delete": ("reconciler.cli.commands.delete", "Delete an assistant, and the files that only it uses."),
    "import": ("reconciler.cli.commands.import_", "Write definition files for live assistants."),
    "report": ("reconciler.cli.commands.report", "Render saved JSON reports in any format."),
    "comment": ("reconciler.cli.commands.comment", "Post a plan as a comment on the pull or merge request."),
    "issue": ("reconciler.cli.commands.issue", "Maintain one issue about live edits or a failed apply."),
    "propose": ("reconciler.cli.commands.propose", "Open one pull or merge request with what pull has written."),
    "schema": ("reconciler.cli.commands.schema", "Print the JSON Schema of a definition file."),
    "doctor": ("reconciler.cli.commands.doctor", "Check your setup, and say what is missing."),
    "whoami": ("reconciler.cli.commands.whoami", "Show which account the credentials belong to."),
    "demo": ("reconciler.cli.commands.demo", "Show the whole workflow against a local sandbox."),
    "completion": ("reconciler.cli.commands.completion", "Print a script that completes commands with the Tab key."),
    "sandbox": ("reconciler.cli.commands.sandbox", "Run a local API for trying things out."),
}

# After so many new objects, the garbage collector looks for cycles. With the default of 700, it finds almost none.
COLLECT_EVERY = 100_000


class CommandTable(click.Group):
    """A group that knows its commands by name, and imports a command only when it is called."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a name, or None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        # Only this command's module is imported. All of them together would take as long as a small plan.
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command if isinstance(command, click.Command) else None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Return the commands and options that begin with a word. click's own method would import every command."""
        from click.shell_completion import CompletionItem

        items = [CompletionItem(name, help=line) for name, (_, line) in COMMANDS.items() if name.startswith(incomplete)]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or suggest commands with a similar name."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table into --help without importing a command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=CommandTable,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`reconciler COMMAND --help` shows the options of a command.",
)
@click.version_option(__version__, prog_name="reconciler", message="%(prog)s %(version)s")
def reconciler() -> None:
    """Keep live voice and chat assistants in sync with their YAML definitions in git."""


def main() -> None:
    """Run the command line and exit."""
    gc.set_threshold(COLLECT_EVERY)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as in the background of a shell
        signal.signal(signal.SIGINT, interrupt)
    code = run_guarded(reconciler, sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the result stands
    gc.freeze()  # so that the last collection at exit has nothing to do
    sys.exit(code)
