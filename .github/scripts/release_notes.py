"""Prints the notes of a release: the changelog's section of its version.

Wants the tag (`v0.2.0`) as its argument, and the repository's root as working folder. Ends with 1, and says why, where
the tag, `__version__` in the package and the changelog do not agree.
"""

import re
import sys
from pathlib import Path


def find_notes(tag: str, module: str, changelog: str) -> str:
    """Return the notes of a tag. Raises ValueError with what does not agree."""
    match = re.search(r'^__version__ = "(.+)"$', module, re.MULTILINE)
    version = match[1] if match else None
    if tag != f"v{version}":
        raise ValueError(f"the tag is {tag}, and reconciler/__init__.py says version {version}")
    # A section ends where the next begins, or at the links that stand last.
    section = re.search(
        rf"^## \[{re.escape(tag[1:])}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |^\[.+\]: |\Z)",
        changelog,
        re.MULTILINE | re.DOTALL,
    )
    if section is None or not section[1].strip():
        raise ValueError(f"CHANGELOG.md has no section `## [{version}] - YYYY-MM-DD`, or nothing in it")
    return section[1].strip() + "\n"


def main() -> int:
    """Print the notes; return 1 where there are none."""
    module, changelog = (Path(name).read_text("utf-8") for name in ("reconciler/__init__.py", "CHANGELOG.md"))
    try:
        sys.stdout.write(find_notes(sys.argv[1], module, changelog))
    except ValueError as error:
        sys.stderr.write(f"::error title=No release::{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
