"""Every kind of run in every format, byte by byte, against files that a person has read.

After a deliberate change: `RENEW_GOLDEN=1 pytest tests/report/test_golden_reports.py`, then read the diff.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from golden_documents import DOCUMENTS

from reconciler.report.document import Document
from reconciler.report.json_text import parse_report, render_json
from reconciler.report.markdown import render_markdown
from reconciler.report.text import render_text

GOLDEN = Path(__file__).parent / "golden"

RENDERERS: dict[str, Callable[[Document], str]] = {
    "json": render_json,
    "txt": render_text,
    "colour.txt": lambda document: render_text(document, colour=True),
    "verbose.txt": lambda document: render_text(document, verbose=True, width=100),
    "md": render_markdown,
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
