"""docs/faults.md is what the fault matrix says."""

import os

from fault_document import DOCUMENT, render


def test_the_document_is_current() -> None:
    if os.environ.get("RENEW_DOCS"):
        DOCUMENT.write_text(render(), "utf-8")
    assert DOCUMENT.read_text("utf-8") == render()
