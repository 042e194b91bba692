"""Writes docs/faults.md from the fault matrix: `python tests/faults/fault_document.py`.

A test fails where the document is not what this writes.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from fault_matrix import AFTERWARDS, FAULTS, MOMENTS, STORES, STORIES, UNCLEAR, WRITE, Ends, Fault, Moment

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "faults.md"

INTRODUCTION = """\
# Faults, case by case

<!-- Written by tests/faults/fault_document.py from the rows that the tests run. Change those, not this page. -->

In short:

- **Temporary faults are retried**, and the assistant is `applied`.
- **`failed` means that nothing was changed.**
- **`indeterminate` means that the write may have happened.** With a record, the next `apply` sends it again.
- **A fault of one assistant does not stop the others.** A failed login affects all of them. If three writes in a row
  are denied, the rest are skipped.
- **Applying again finishes the job**, and does not change any other field.

[Operations](operations.md) explains what to do about each outcome. This page is for looking up a single case. Every
row is also a test, against an API that merges objects and against one that replaces them. [The sandbox](sandbox.md)
can simulate these faults.

A write takes five requests. Each has a column below:

1. **login**: the credentials are checked
2. **plan**: the assistant is read, to see what differs
3. **before**: it is read again, right before the write
4. **write**: the PATCH
5. **after**: it is read again, to verify the write

The exit code is 0 if every assistant is `applied` or `unchanged`, and 1 otherwise. The `kind` of the report's `error`
is in parentheses.

## A fault that happens once

A request that may succeed later is retried up to `--retries` times. The delay grows with each attempt, and
`Retry-After` is respected. A write is retried only after live was read again.
"""

LASTING = """\
## A fault that lasts

As long as a fault lasts, the assistant cannot be updated, and the report says so.
"""

AFTER = """\
## A successful write with an error response

The API stores an assistant in two places: at the provider, which callers reach, and in its own database, which answers
reads. After a failure, a write may have reached one of them, both or none, and no response says which.
"""

IN_BETWEEN = """\
## Faults that affect several requests
"""

COLUMNS = {"login": "login", "reading": "plan", "rereading": "before", "write": "write", "verify": "after"}


def render() -> str:
    """The whole document."""
    head = ["what goes wrong", *COLUMNS.values()]
    parts = [INTRODUCTION, *_table(head, _rows(lasting=False)), ""]
    parts += [LASTING, *_table(head, _rows(lasting=True)), ""]
    parts += [AFTER, *_table(["what goes wrong", "what was written", "once", "every time"], _afterwards_rows()), ""]
    parts += [IN_BETWEEN, *_table(["what happens", "the report says", "details"], _story_rows())]
    return "\n".join(parts).rstrip() + "\n"


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _rows(*, lasting: bool) -> Iterator[Sequence[str]]:
    """Yield a row for all the faults of which the same comes."""
    found: dict[tuple[str, ...], list[str]] = {}
    for fault in FAULTS:
        if not (lasting and fault.briefly) and fault.moments != WRITE:
            found.setdefault(tuple(_cell(fault, moment, lasting=lasting) for moment in MOMENTS), []).append(fault.title)
    for cells, titles in found.items():
        yield [", ".join(titles), *cells]


def _cell(fault: Fault, moment: Moment, *, lasting: bool) -> str:
    ends = fault.ways[moment][lasting]
    return _outcome_words(ends.outcome) if ends.outcome == "applied" else f"{ends.outcome} (`{fault.kind_at(moment)}`)"


def _afterwards_rows() -> Iterator[Sequence[str]]:
    titles = ", ".join("a lost connection" if what == "reset" else what for what in UNCLEAR)
    for store in STORES:
        (ends,) = {fault.ways["write"] for fault in AFTERWARDS if fault.rule.endswith(f"after={store}")}
        yield [titles, "both stores" if store == "both" else f"only the {store}", *_end_rows(*ends)]
    for fault in FAULTS:
        if fault.moments == WRITE:
            yield [fault.title.partition(",")[0], "both stores", *_end_rows(*fault.ways["write"])]


def _end_rows(*several: Ends) -> list[str]:
    return [_outcome_words(ends.outcome) for ends in several]


def _outcome_words(outcome: str) -> str:
    return "**applied**" if outcome == "applied" else outcome


def _story_rows() -> Iterator[Sequence[str]]:
    for story in STORIES:
        kind = f" (`{story.kind}`)" if story.kind else ""
        others = "; the others are skipped" if story.b == "skipped" else ""
        yield [story.title, f"{_outcome_words(story.a if others else story.b)}{kind}{others}", story.note]
    yield [
        "the API drops unknown fields",
        "not_converged (`protocol`); the others are skipped",
        "The first write is sent alone, so only one assistant is affected. Its old values are in the JSON report.",
    ]


if __name__ == "__main__":
    DOCUMENT.write_text(render(), "utf-8")
