"""What git says about the definitions' repository."""

import shutil
import subprocess
from pathlib import Path


def head_commit(root: Path) -> str | None:
    """Return the commit that is checked out, or None outside a repository, without git, or before the first commit."""
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    answer = subprocess.run(  # noqa: S603 - no word of it comes from outside
        [git, "-C", str(root), "rev-parse", "--verify", "--quiet", "HEAD^{commit}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip() or None
