"""Read a report that an earlier command wrote."""

from pathlib import Path

from reconciler.adapters.files import read_bounded
from reconciler.report.document import Document
from reconciler.report.json_text import LARGEST_REPORT, parse_report


def read_report(name: str) -> Document:
    """Return the report that a JSON file holds. Raises ReportError."""
    return parse_report(read_bounded(Path(name), LARGEST_REPORT), name=name)
