"""`reconciler validate`."""

import click

from reconciler.cli.options import OutputOptions, definition_options, output_options
from reconciler.cli.output import emit
from reconciler.reconcile.choices import DefinitionOptions
from reconciler.reconcile.inputs import read_forms
from reconciler.reconcile.validate import validate


@click.command("validate")
@definition_options
@output_options
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
def command(definitions: DefinitionOptions, output: OutputOptions, strict: bool) -> int:
    """Check definitions, offline and without credentials.

    PATHS are definition files or folders; without them the whole folder is checked. All problems of all
    files are shown, each with file, line and column. Exit 1 when there is one. Without --environment the
    definitions are checked as they are in every environment.
    """
    forms = read_forms(definitions)
    run = validate(forms, strict=strict)
    emit(run, output, sensitive=forms[0][0].sensitive)
    return int(any(strict or problem.severity == "error" for problem in run.problems))
