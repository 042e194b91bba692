"""docs/reference.md says what the code says, and docstrings name sections that it has."""

import os
import re
from pathlib import Path

from reference_document import DOCUMENT, TABLES, names, render

from reconciler.core.outcome import Kind, Unsent

ROOT = DOCUMENT.parent.parent
MODULES = sorted((ROOT / "reconciler").rglob("*.py"))
# The headings and the anchors of a page that a docstring names, such as `docs/reference.md, "The record"`.
CITED = re.compile(r'(docs/[\w.]+\.md),?\s+"([^"]+)"')


def test_the_tables_are_current() -> None:
    text = DOCUMENT.read_text("utf-8")
    if os.environ.get("RENEW_DOCS"):
        DOCUMENT.write_text(render(text), "utf-8")
    assert sorted(names(text)) == sorted(TABLES)
    assert DOCUMENT.read_text("utf-8") == render(text)


def test_every_origin_and_every_reason_is_explained() -> None:
    text = DOCUMENT.read_text("utf-8") + (ROOT / "docs" / "reports.md").read_text("utf-8")
    assert [word for word in (*Kind, *Unsent) if f"`{word}`" not in text] == []


def test_every_section_that_a_docstring_names_is_there() -> None:
    cited = 0
    missing = []
    for module in MODULES:
        # A docstring's lines, and a comment's, may break within a section's name.
        text = re.sub(r"\n\s*(?:# )?", " ", module.read_text("utf-8"))
        for page, section in CITED.findall(text):
            cited += 1
            headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
            if section not in headings:
                missing.append(f"{module.relative_to(ROOT)}: {page} has no section {section!r}")
    assert cited > 10
    assert missing == []


def test_no_docstring_names_a_page_that_a_contributor_cannot_open() -> None:
    closed = re.compile(r"\bcontract\b|(?<![\w/])(?:api|contract|style)\.md\b", re.IGNORECASE)
    offenders = [
        f"{module.relative_to(ROOT)}:{number}: {line.strip()}"
        for module in MODULES
        for number, line in enumerate(module.read_text("utf-8").splitlines(), start=1)
        if closed.search(line)
    ]
    assert offenders == []


def test_every_page_that_a_docstring_names_is_there() -> None:
    named = [
        f"{module.relative_to(ROOT)}: {page}"
        for module in MODULES
        for page in re.findall(r"\bdocs/[\w.-]+\.md\b", module.read_text("utf-8"))
        if not Path(ROOT / page).exists()
    ]
    assert named == []
