"""The report as GitLab's Code Quality: annotations of a merge request, next to the lines of the YAML.

The format is https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format.
"""

import hashlib
import json

from reconciler.report.formats.github import Annotation, list_annotations
from reconciler.report.view import RunView


def render_code_quality(view: RunView) -> str:
    """Return the annotations as Code Quality has them, the most severe first."""
    # Code Quality only has entries with a place in a file.
    annotations = sorted({annotation for annotation in list_annotations(view) if annotation.file})
    return json.dumps([_write_issue(annotation) for annotation in annotations], indent=1) + "\n"


def _write_issue(annotation: Annotation) -> dict[str, object]:
    text = f"{annotation.title}: {annotation.text}"
    # GitLab uses the fingerprint to see what is new. The line is not part of it, because it may move.
    print_of = f"{annotation.file}\0{text}".encode("utf-8", "surrogatepass")
    return {
        "description": text,
        "check_name": annotation.title.partition(":")[0],
        "fingerprint": hashlib.sha256(print_of).hexdigest(),
        "severity": "major" if annotation.level == "error" else "minor",
        "location": {"path": annotation.file, "lines": {"begin": annotation.line or 1}},
    }
