"""`reconciler drift`."""

from reconciler.cli.connect import EarlyApi, connect, stoppable
from reconciler.cli.help import declare_command
from reconciler.cli.options import RunOptions, detailed_exitcode_option, project_options, run_options
from reconciler.cli.output import emit, show_problems
from reconciler.usecases.plan import drift
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.reading import read_project


@declare_command(
    "drift",
    ("reconciler drift --detailed-exitcode", "In a nightly job: exit with 2 if somebody edited an assistant live"),
)
@project_options
@run_options
@detailed_exitcode_option
def command(choices: Choices, options: RunOptions, detailed_exitcode: bool) -> int:
    """Report what was edited live, outside git. Never writes.

    PATHS are definition files, folders, keys or ids. Without them, the whole folder is checked. The exit code is 1 if
    a definition is not valid or an assistant could not be read. With --detailed-exitcode, it is 2 if something was
    edited live.
    """
    with stoppable() as stopping, EarlyApi(options, stopping) as early:
        project = read_project(choices, or_head=True, open_early=early.open)
        show_problems(project.loaded.problems, "error")
        with connect(options, project.settings, stopping, "Reading", early.api) as (api, control):
            run = drift(api, project, control)
        report = emit(run, options)
    differs = detailed_exitcode and report.has_live_edits
    return stopping.choose_exit_code(failed=report.has_failed, differs=differs)
