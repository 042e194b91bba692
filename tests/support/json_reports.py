"""Reports as scripts get them: plain JSON. The names say which object of the report is meant."""

from typing import Any

from reconciler.report.json_text import read_report_object
from reconciler.report.report import Report

Document = dict[str, Any]
AssistantEntry = dict[str, Any]
ChangeEntry = dict[str, Any]


def as_report(document: Document) -> Report:
    """A report as the reconciler itself has it."""
    return read_report_object(document, name="report.json")
