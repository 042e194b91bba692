"""What a branch got since a commit: its commits and merges, each with the files that it changed."""

from pathlib import Path

from reconciler.files.folders import repository_root
from reconciler.git.repository import open_repository
from reconciler.usecases.project.reading import require_commit


def list_merged(folder: Path, since: str, *, most: int) -> dict[str, set[str]]:
    """Return the commits of the branch since a revision, the newest first, each with the paths that it changed.

    Of a merge these are the paths of all that it brought. Raises RepositoryError.
    """
    repository = open_repository(repository_root(folder))
    commit = require_commit(repository, since)
    if repository is None:
        raise TypeError(since)
    options = ("-m", "--first-parent", f"-{most}", "--name-only", "-z", "--format=%x02%H")
    entries = repository.log(*options, f"{commit}..HEAD", "--").split("\x02")[1:]
    # Between a commit and its paths git writes an empty line.
    found = ([word.strip("\n") for word in entry.split("\0")] for entry in entries)
    return {commit: {path for path in paths if path} for commit, *paths in found}
