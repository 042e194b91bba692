"""Merges texts line by line, as `git merge-file` does. Needs git, and no repository."""

from reconciler.git.processes import Processes, open_scratch_folder

# The number of conflicts, 127 at most; from 128 on, and where a signal ended it, git has failed (git-merge-file(1)).
_CONFLICTS = range(1, 128)


def merge_texts(base: str, live: str, desired: str) -> str | None:
    """Return a base text with live's and git's edits merged, None if they overlap. Raises RepositoryError."""
    # Git takes a text with a NUL for binary data, and refuses it.
    if "\0" in base + live + desired:
        return None
    with open_scratch_folder() as folder:
        # Git's order: ours, the base, theirs.
        names = ("live", "base", "desired")
        for name, text in zip(names, (live, base, desired), strict=True):
            # Half of a surrogate pair may be in a value, and comes back as it went.
            (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
        merged = Processes(folder).run_or_none("merge-file", "-p", "-q", *names, no=_CONFLICTS)
    return None if merged is None else merged.decode("utf-8", "surrogatepass")
