"""The report as one HTML file, for people who would rather look than read: filters, search, before beside after.

The file needs no network and loads nothing: its style and script stand in it, and its content security policy
allows those two texts and nothing else. Jinja2 escapes whatever a definition or the API wrote; before that
`escape` makes it visible. It comes with the extra `html`.
"""

import base64
import hashlib

from reconciler.report import wording
from reconciler.report.html_page import make_html_page
from reconciler.report.report import Report
from reconciler.report.values import escape


def render_html(report: Report) -> str:
    """Return the report as a page that ends in a newline. Raises ImportError without Jinja2."""
    import jinja2
    import markupsafe

    def visible(value: object) -> object:
        return escape(value) if isinstance(value, str) and not isinstance(value, markupsafe.Markup) else value

    loader = jinja2.PackageLoader("reconciler.report")
    templates = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # As they stand: neither is a template itself.
    style, script = (loader.get_source(templates, name)[0] for name in ("report.css", "report.js"))
    allowed = f"style-src {_allow(style)}; script-src {_allow(script)}"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    return templates.get_template("report.html").render(
        page=make_html_page(report),
        policy=policy,
        style=markupsafe.Markup(style),  # noqa: S704 - ours
        script=markupsafe.Markup(script),  # noqa: S704 - ours
        nothing_shown=wording.SENSITIVE_DIFFERS,
        gone=wording.GONE,
    )


def _allow(text: str) -> str:
    """Return the source of a content security policy that allows one inline text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
