"""One writing run at a time in a clone and an environment: a file lock in the git folder.

The operating system releases the lock when its process ends, however that happens, so no lock can be
stale. Other machines are kept apart by their CI (docs/operations.md).
"""

import contextlib
from collections.abc import Iterator

from reconciler.errors import RepositoryError
from reconciler.git.repository import Repository

Lock = tuple[Repository, str | None]
"""The clone and the environment that no other run may write to meanwhile."""


@contextlib.contextmanager
def hold_lock(repository: Repository, environment: str | None) -> Iterator[None]:
    """Hold the lock of a clone, if it is a repository. Raises RepositoryError if that fails, or another run has it."""
    if not repository.exists:
        yield
        return
    import filelock

    # One for each environment: runs that write to different APIs may run at the same time.
    lock = filelock.FileLock(repository.lock_folder / f"reconciler-{environment or 'applied'}.lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise RepositoryError(
            "another run is writing from this clone" + (f" to the environment {environment}" if environment else ""),
            hint="wait until it has ended, then run this again",
        ) from error
    except OSError as error:
        message = f"the lock {lock.lock_file} cannot be acquired: {error.strerror}"
        hint = "run this as a user who may write to the repository's git folder, and make room if the disk is full"
        raise RepositoryError(message, hint=hint) from error
    try:
        yield
    finally:
        lock.release()
