"""Writes a file completely or not at all, and reads a file only up to a size limit."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from reconciler.errors import ReportError


def write_whole(path: Path, text: str, *, check: Callable[[], object] = lambda: None) -> None:
    """Write a text file completely, or raise ReportError and leave the old file.

    `check` is called right before the new file takes its place, and may raise ReportError: a disk may be slow.
    """
    import tempfile  # slow to load, and most runs write no file

    # The text goes into a temporary file first, so that nobody sees half of it, even if the run is killed.
    try:
        # Its name does not contain the file's name, which may have the maximum length. A dot file is not a definition.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".reconciler-")
    except OSError as error:
        raise _fail_to_write(path, error) from error
    try:
        # Line ends stay as the text has them. Without fsync a power cut could leave the new name with no content.
        with open(descriptor, "w", encoding="utf-8", errors="surrogatepass", newline="") as file:  # noqa: PTH123
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        _keep_owner(path, name)
        # `mkstemp` lets only its owner read the file, which would lock out colleagues and servers.
        Path(name).chmod(_find_mode(path))
        check()
        Path(name).replace(path)
    except OSError as error:
        raise _fail_to_write(path, error) from error
    finally:
        # It is gone, unless this failed, or was interrupted.
        with contextlib.suppress(OSError):
            Path(name).unlink()


def read_bounded(path: Path, limit: int) -> str:
    """Return the text of a UTF-8 file of at most `limit` bytes. Raises ReportError."""
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise ReportError(f"cannot be read: {error.strerror}", where=str(path)) from error
    # One byte more than allowed was requested: a report is untrusted, and may have any size.
    if len(content) > limit:
        raise ReportError(f"is larger than {limit // 2**20} MiB", where=str(path))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReportError("is not UTF-8 text", where=str(path)) from error


def rewrite(path: Path, before: str, after: str) -> None:
    """Replace the text that a file was read with, or create it. Raises ReportError if it has changed since."""
    mark = check_unchanged(path, before)
    # Renaming over a link would replace the link, and leave the linked file as it was.
    place = path.resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _fail_to_write(place, error) from error
    write_whole(place, mark + after, check=lambda: check_unchanged(path, before))


def check_writable(path: Path, text: str) -> None:
    """Raise ReportError if a text cannot be written at a path; its folder may still have to be made."""
    import tempfile

    folder = next(parent for parent in path.resolve().parents if parent.exists())
    try:
        # The disk may be full, so the text is written and thrown away.
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(text.encode())
    except OSError as error:
        raise _fail_to_write(path, error) from error


def check_unchanged(path: Path, text: str) -> str:
    """Return a file's byte order mark, or nothing. Raises ReportError unless it still has the text."""
    # An empty text means that there is no file yet.
    if not text and not os.path.lexists(path):
        return ""
    try:
        current = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ReportError(f"cannot be read any more: {reason}", where=str(path)) from error
    # Texts are read without their byte order mark, and an editor that wrote one may want it back.
    mark = "\ufeff" if current.startswith("\ufeff") else ""
    if current.removeprefix("\ufeff") != text:
        raise ReportError(
            "was changed in the meantime, and was left alone", where=str(path), hint="run the command again"
        )
    return mark


def _keep_owner(path: Path, name: str) -> None:
    """Give a new file the owner and group of the one that it replaces, as far as this user may."""
    with contextlib.suppress(OSError, AttributeError):  # Windows has no owners
        status = path.stat()
        # A colleague may keep the group, even though only root may keep the owner.
        os.chown(name, -1, status.st_gid)
        os.chown(name, status.st_uid, -1)


def _find_mode(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_mode & 0o7777
    # The only way to read the mask is to set another one.
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _fail_to_write(path: Path, error: OSError) -> ReportError:
    return ReportError(f"cannot be written: {error.strerror}", where=str(path), hint="use another place, or make room")
