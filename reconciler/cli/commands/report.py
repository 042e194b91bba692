"""`reconciler report`."""

import click

from reconciler.cli.help import declare_command
from reconciler.cli.options import OutputOptions, output_options
from reconciler.cli.output import emit_view, read_report
from reconciler.report.merge import merge_reports
from reconciler.report.view import make_view


@declare_command(
    "report",
    ("reconciler report plan.json --report plan.html", "Convert a saved report to an HTML page"),
    ("reconciler report east.json west.json --format markdown", "Merge two reports into one"),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@output_options
def command(files: tuple[str, ...], output: OutputOptions) -> int:
    """Render saved JSON reports in any format, merged into one.

    This lets you plan once and show the result everywhere. The exit code is 0 regardless of what the reports say,
    unless a file cannot be read.
    """
    # Nothing in it is about this run, so the same reports always give the same bytes.
    merged = merge_reports([read_report(name) for name in files])
    emit_view(make_view(merged), merged, output)
    return 0
