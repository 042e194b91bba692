"""Several reports as one, for `report FILE...`: a fleet that was planned in parts is shown as a whole."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from reconciler.report.document import FORMAT_VERSION, Document

_Value = TypeVar("_Value")


def merge_reports(documents: Sequence[Document]) -> Document:
    """Return one document for several: assistants sorted by file, totals added up, the widest span of time.

    What every report says alike stays; where they differ, the command is `report` and the rest None or empty.
    Reports that each have a base, but not the same, get the base `several`: they do tell drift from changes.
    Raises ValueError for no report at all.
    """
    if not documents:
        raise ValueError("there is no report to merge")
    if len(documents) == 1:
        return documents[0]
    bases = [document["base"] for document in documents]
    several = {"ref": "several", "commit": ""} if all(bases) else None
    return {
        "format_version": FORMAT_VERSION,
        "tool_version": ", ".join(sorted({document["tool_version"] for document in documents})),
        "command": _shared([document["command"] for document in documents], "report"),
        "started_at": min(document["started_at"] for document in documents),
        "finished_at": max(document["finished_at"] for document in documents),
        "api_url": _shared([document["api_url"] for document in documents], None),
        "environment": _shared([document["environment"] for document in documents], None),
        "offline": any(document["offline"] for document in documents),
        "head": _shared([document["head"] for document in documents], None),
        "options": _shared([document["options"] for document in documents], {}),
        "base": _shared(bases, several),
        "summary": _added(document["summary"] for document in documents),
        "api_calls": _added(document["api_calls"] for document in documents),
        "warnings": _united(warning for document in documents for warning in document["warnings"]),
        "no_longer_managed": _united(gone for document in documents for gone in document.get("no_longer_managed", [])),
        "problems": _united(problem for document in documents for problem in document["problems"]),
        "assistants": sorted(
            (entry for document in documents for entry in document["assistants"]),
            key=lambda entry: (entry["file"], entry["key"]),
        ),
    }


def _shared(values: Sequence[_Value], otherwise: _Value) -> _Value:
    return values[0] if all(value == values[0] for value in values) else otherwise


def _added(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for count in counts:
        for key, number in count.items():
            total[key] = total.get(key, 0) + number
    return total


def _united(items: Iterable[_Value]) -> list[_Value]:
    """Return the items in order, each once; they may be unhashable."""
    found: dict[str, _Value] = {}
    for item in items:
        found.setdefault(repr(item), item)
    return list(found.values())
