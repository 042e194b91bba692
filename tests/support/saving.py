"""Somebody who saves a file at the worst moment: while a command is writing it."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def save_while_written(file: Path, text: str) -> Iterator[None]:
    """Save a file once its folder, or one below, has a temporary file. The block must go on writing for a moment."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            if any(file.parent.rglob(".reconciler-*")):
                file.write_text(text, "utf-8")
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
