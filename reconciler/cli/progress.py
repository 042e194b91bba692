"""How far a run is, as one line on stderr, for a person at a terminal."""

import contextlib
import sys
from collections.abc import Callable, Iterator

import click

FEW = 20


@contextlib.contextmanager
def progress_line(label: str, *, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """Yield what takes (done, total); the line appears for more than a few, and ends with the work."""
    bars: list[contextlib.AbstractContextManager[object]] = []

    def advance(done: int, total: int) -> None:
        if not shown or total <= FEW:
            return
        if not bars:
            bar = click.progressbar(length=total, label=label, file=sys.stderr, show_pos=True, show_eta=False)
            bar.__enter__()
            bars.append(bar)
        bars[0].update(1)  # type: ignore[attr-defined]
        if done == total:
            bars.pop().__exit__(None, None, None)

    try:
        yield advance
    finally:
        for bar in bars:
            bar.__exit__(None, None, None)
