"""What earlier settings said is sensitive: a pull request that empties `sensitive` must not show what it hid."""

import dataclasses
from collections.abc import Iterable

from reconciler.core.settings import Settings
from reconciler.files.settings import find_sensitive
from reconciler.git.repository import Repository


def hide_as_before(settings: Settings, repository: Repository, path: str, commits: Iterable[str | None]) -> Settings:
    """Return the settings with the `sensitive` paths that their file had in some commits, too.

    `path` is that of the file from the repository's root. Raises RepositoryError for a commit that cannot be read.
    """
    found = list(settings.sensitive)
    # A shallow clone may lack the commit that was applied.
    there = [commit for commit in dict.fromkeys(commits) if commit is not None and repository.has(commit)]
    for commit in there:
        blob = repository.files(commit, path).get(path)
        content = repository.read(path, blob) if blob is not None else None
        found += find_sensitive(content.decode("utf-8", "replace")) if content else ()
    return dataclasses.replace(settings, sensitive=tuple(dict.fromkeys(found)))
