"""`reconciler diff`."""

import click

from reconciler.cli.help import declare_command, group_options
from reconciler.cli.options import OutputOptions, definition_options, detailed_exitcode_option, list_output_options
from reconciler.cli.output import emit_view, show_problems
from reconciler.errors import UsageError
from reconciler.report.diff_report import build_diff_report, make_diff_view
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.environments import read_pair


@declare_command(
    "diff", ("reconciler diff --environment staging --against production", "Compare staging with production")
)
@definition_options
@group_options("output", OutputOptions, *list_output_options(("text", "json", "markdown"), (".json", ".md")))
@detailed_exitcode_option
@click.option("--against", metavar="NAME", help="The environment to compare with.")
def command(choices: Choices, output: OutputOptions, detailed_exitcode: bool, against: str | None) -> int:
    """Show how the definitions of --environment differ from those of --against.

    Works offline and without credentials: it compares the files, each with its overlay merged on top. Ids are not
    compared. PATHS are definition files, overlays, folders, keys or ids. Without them, the whole folder is compared.
    """
    environment = choices.environment
    if environment is None or against is None:
        raise UsageError(
            f"{'--environment' if environment is None else '--against'} is missing: diff compares two environments",
            hint="for example: reconciler diff --environment staging --against production",
        )
    if environment == against:
        raise UsageError(f"--environment and --against are both {against!r}", hint="name two environments")
    (settings, left), (other_settings, right) = read_pair(choices, against)
    show_problems(sorted({*left.problems, *right.problems}))
    hidden = (*settings.sensitive, *other_settings.sensitive)
    report = build_diff_report((environment, left.every), (against, right.every), settings, sensitive=hidden)
    summary = report.summary
    emit_view(make_diff_view(report), report, output)
    # An assistant that could not be compared may differ, so 1 comes before 2.
    if summary["error"]:
        return 1
    return 2 if detailed_exitcode and summary["alike"] < summary["total"] else 0
