"""Reports in every format, each by way of the view that people see of it."""

from typing import Any

from reconciler.report.diff_report import DiffReport, make_diff_view
from reconciler.report.formats import github, html, junit, markdown, text
from reconciler.report.report import Report
from reconciler.report.view import View, make_view


def make_any_view(report: Report | DiffReport) -> View:
    return make_view(report) if isinstance(report, Report) else make_diff_view(report)


def render_text(report: Report | DiffReport, **options: Any) -> str:
    return text.render_text(make_any_view(report), **options)


def render_markdown(report: Report | DiffReport, **options: Any) -> str:
    return markdown.render_markdown(make_any_view(report), **options)


def render_html(report: Report) -> str:
    return html.render_html(make_view(report))


def render_junit(report: Report) -> str:
    return junit.render_junit(make_view(report))


def render_github(report: Report) -> str:
    return github.render_github(make_view(report))
