"""Two values beside each other: rows of a left and a right cell, with what differs marked. Pure, knows no format."""

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from typing import Any, Literal

from reconciler.report.diffs import DiffLine, Piece, diff_values
from reconciler.report.values import fits_on_a_line, literal

RowKind = Literal["same", "changed", "gap"]
Cell = tuple[Piece, ...]

NOT_SET: Cell = (Piece("gap", "not set"),)
NOTHING: Cell = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A line of both values; `gap` says on the left what is left out of both."""

    kind: RowKind
    left: Cell
    right: Cell


def compare_sides(old: Any, new: Any) -> list[Row]:
    """Return two JSON values as rows; `None` is not set. Empty where nothing that is shown differs."""
    if fits_on_a_line(old) and fits_on_a_line(new):
        return [_compare_short(old, new)]
    rows = list(_make_rows(diff_values(old, new)))
    # A long text beside nothing: the empty cells of its other lines need no words.
    if old is None or new is None:
        first, *others = rows or [Row("changed", NOTHING, NOTHING)]
        left, right = (NOT_SET if value is None else cell for value, cell in ((old, first.left), (new, first.right)))
        rows = [Row("changed", left, right), *others]
    return rows


def show_whole(value: Any) -> Cell:
    """Return a value on one line, with nothing marked."""
    return NOT_SET if value is None else (Piece("same", literal(value)),)


def _compare_short(old: Any, new: Any) -> Row:
    left, right = show_whole(old), show_whole(new)
    if left == right:
        return Row("same", left, right)
    if isinstance(old, str) and isinstance(new, str):
        # Two literals are a line each, which make one row.
        (row,) = _make_rows(diff_values(literal(old), literal(new)))
        return row
    return Row("changed", _mark_cell(left, "old"), _mark_cell(right, "new"))


def _mark_cell(cell: Cell, mark: Literal["old", "new"]) -> Cell:
    return cell if cell == NOT_SET else tuple(Piece(mark, piece.text) for piece in cell)


def _make_rows(lines: Sequence[DiffLine]) -> Iterator[Row]:
    """Yield the lines of a diff as rows: lines removed and lines added next to them share rows."""
    for replaced, run in groupby(lines, lambda line: line.sign in ("-", "+")):
        found = list(run)
        if replaced:
            removed, added = ([line.pieces for line in found if line.sign == sign] for sign in ("-", "+"))
            yield from (Row("changed", *cells) for cells in zip_longest(removed, added, fillvalue=NOTHING))
            continue
        for line in found:
            kind: RowKind = "gap" if line.sign == "gap" else "same" if line.sign == " " else "changed"
            yield Row(kind, line.old, NOTHING if kind == "gap" else line.new)
