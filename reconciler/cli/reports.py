"""Reports that an earlier command wrote, and the one that stands before this command's first write."""

from collections.abc import Callable
from pathlib import Path

from reconciler.cli.options import OutputOptions
from reconciler.cli.streams import tell
from reconciler.core.definition import places
from reconciler.core.run import Run
from reconciler.core.settings import Settings
from reconciler.errors import UsageError
from reconciler.files.write import read_bounded, write_whole
from reconciler.report.build import build_report
from reconciler.report.differences.values import escape
from reconciler.report.json_text import LARGEST_REPORT, SMALLER, parse_report, render_json, too_large
from reconciler.report.report import Report


def read_report(name: str) -> Report:
    """Return the report that a JSON file holds. Raises ReportError."""
    return parse_report(read_bounded(Path(name), LARGEST_REPORT), name=name)


def check_place(report: Report, settings: Settings, api_url: str) -> None:
    """Refuse a report of another environment or of another API. Raises UsageError."""
    if report.environment != settings.environment:
        raise UsageError(
            f"this is a report of the environment {report.environment or 'none'}, and this run is for "
            f"{settings.environment or 'none'}",
            hint="give the --environment of the report",
        )
    if report.api_url != api_url:
        raise UsageError(
            f"this is a report of {report.api_url}, and this run is for {api_url}",
            hint="set RECONCILER_API_URL to the API of the report",
        )


def report_before_writing(output: OutputOptions, settings: Settings) -> Callable[[Run], None]:
    """Return what writes the JSON reports that were asked for before anything is sent.

    Even a run that is killed leaves the old values behind then. It raises ReportError where a report cannot
    be written, and says so where one cannot be read back: nothing has been sent yet.
    """

    def write(run: Run) -> None:
        paths = [path for path in output.reports if path.suffix == ".json"]
        if not paths:
            return
        text = render_json(build_report(run, sensitive=settings.sensitive, places=places))
        for path in paths:
            tell_if_too_large(path, text)
            write_whole(path, text)

    return write


def tell_if_too_large(path: Path, text: str) -> None:
    """Say so at once: who wants to roll back should not be the first to learn that the report cannot be read."""
    if reason := too_large(text):
        warning = f"warning: {escape(str(path))} {reason}, so that no later command will read it.\n{SMALLER}"
        tell(warning, colour="yellow")
