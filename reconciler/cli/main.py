"""The `reconciler` command: a table of commands, each loaded when it is called, inside one error boundary."""

import gc
import importlib
import signal
import sys

import click

from reconciler import __version__
from reconciler.cli.boundary import interrupt, run_guarded

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


def load_command(name: str) -> click.Command:
    """Return a command of the table. Only its module is imported: all together would take as long as a small plan."""
    command: click.Command = importlib.import_module(COMMANDS[name][0]).command
    return command


class CommandTable(click.Group):
    """A group that imports a command only when it is called. Until then, it knows its name and its line in --help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of --help."""
        return [*self.commands]  # click would sort them

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the name of the command that was called, the command itself, and its arguments."""
        name, known, rest = super().resolve_command(ctx, args)
        return name, known and load_command(name or ""), rest


@click.group(
    cls=CommandTable,
    commands={name: click.Command(name, short_help=line) for name, (_, line) in COMMANDS.items()},
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
