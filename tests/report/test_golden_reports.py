"""Every kind of run in every format, byte by byte, against files that a person has read.

After a deliberate change: `RENEW_GOLDEN=1 pytest tests/report/test_golden_reports.py`, then read the diff.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from golden_documents import DOCUMENTS
from rendered import render_github, render_html, render_junit, render_markdown, render_text

from reconciler.report.formats.code_quality import render_code_quality
from reconciler.report.formats.openmetrics import render_openmetrics
from reconciler.report.json_text import parse_report, render_json
from reconciler.report.report import Report
from reconciler.report.view import make_view

GOLDEN = Path(__file__).parent / "golden"


def without_assets(page: str) -> str:
    """A page without the style, the script and their hashes, which are files of their own."""
    page = re.sub(r"(<(style|script)>).*?(</\2>)", r"\1\3", page, flags=re.DOTALL)
    return re.sub(r"&#39;sha256-[^&]*&#39;", "hash", page)


RENDERERS: dict[str, Callable[[Report], str]] = {
    "json": render_json,
    "txt": render_text,
    "colour.txt": lambda document: render_text(document, colour=True),
    "md": render_markdown,
    "github.txt": render_github,
    "xml": render_junit,
    "prom": lambda document: render_openmetrics(make_view(document)),
    "codequality": lambda document: render_code_quality(make_view(document)),
    "html": lambda document: without_assets(render_html(document)),
}


@pytest.mark.parametrize("suffix", RENDERERS)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_report_reads_as_its_golden_file(name: str, suffix: str) -> None:
    text = RENDERERS[suffix](DOCUMENTS[name]())
    file = GOLDEN / f"{name}.{suffix}"
    if os.environ.get("RENEW_GOLDEN"):
        file.write_bytes(text.encode())
    assert text == file.read_bytes().decode()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_report_read_back_from_its_file_gives_every_format_again(name: str) -> None:
    text = (GOLDEN / f"{name}.json").read_text(encoding="utf-8")
    document = parse_report(text, name=f"{name}.json")
    assert document == DOCUMENTS[name]()
    for suffix, render in RENDERERS.items():
        assert render(document) == (GOLDEN / f"{name}.{suffix}").read_bytes().decode()


def test_no_golden_file_is_left_over() -> None:
    assert {file.name for file in GOLDEN.iterdir()} == {
        f"{name}.{suffix}" for name in DOCUMENTS for suffix in RENDERERS
    }
