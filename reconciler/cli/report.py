"""`reconciler report`."""

from pathlib import Path

import click

from reconciler.adapters.files import read_bounded
from reconciler.cli.options import OutputOptions, output_options
from reconciler.cli.output import emit_document
from reconciler.report.json_text import LARGEST_REPORT, parse_report
from reconciler.report.merge import merge_reports


@click.command("report")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@output_options
def command(files: tuple[str, ...], output: OutputOptions) -> int:
    """Render JSON reports again, merged, in any format.

    Plan once, show it everywhere. The exit code is 0 whatever the reports say, unless a file cannot be read.
    """
    documents = [parse_report(read_bounded(Path(name), LARGEST_REPORT), name=name) for name in files]
    emit_document(merge_reports(documents), output)
    return 0
