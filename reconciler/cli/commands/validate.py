"""`reconciler validate`."""

import click

from reconciler.assistant.problem import InvalidSettings
from reconciler.cli.help import declare_command
from reconciler.cli.options import OutputOptions, definition_options, output_options
from reconciler.cli.output import emit
from reconciler.cli.streams import eprint
from reconciler.core.settings import now
from reconciler.files.folders import is_sparse, repository_root
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.environments import read_forms, read_neighbours
from reconciler.usecases.validate import find_shareable, report_settings_problems, validate


@declare_command(
    "validate",
    ("reconciler validate", "Check all definitions"),
    ("reconciler validate --strict assistants/admissions", "Check one folder, and treat warnings as errors"),
)
@definition_options
@output_options
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
def command(choices: Choices, output: OutputOptions, strict: bool) -> int:
    """Check definitions, offline and without credentials.

    PATHS are definition files, folders, keys or ids. Without them, the whole folder is checked. All problems of all
    files are shown, each with file, line and column. If reconciler.yaml has problems, only those are shown. The exit
    code is 1 if there is a problem. Without --environment, each definition is checked in every environment of
    reconciler.yaml, with the overlay merged on top.
    """
    started_at = now()
    try:
        forms = read_forms(choices, started_at.date())
    except InvalidSettings as error:
        # This is a report as well, so that its readers find problems of the settings in the usual place.
        emit(report_settings_problems(error.problems, strict=strict), output)
        return 1
    neighbours = read_neighbours(forms[0].settings, choices.directory)
    sparse = is_sparse(repository_root(choices.directory))
    run = validate(forms, neighbours, started_at=started_at, strict=strict, sparse=sparse)
    report = emit(run, output)
    for hint in () if output.quiet else find_shareable(forms[0].loaded):
        eprint(hint)
    return int(report.has_failed)
