"""A report as the outputs of a workflow's step: four answers and the totals, for later steps to decide on. Pure.

Names and values are ours alone, so that nothing which a definition, the API or a report says can become an
output.
"""

from reconciler.report.build import OUTCOMES, STATUSES
from reconciler.report.document import AssistantEntry, Document


def step_outputs(document: Document) -> dict[str, str]:
    """Return `has_changes`, `has_drift`, `has_conflicts` and `has_errors` as true or false, then the totals."""
    kinds = {change["kind"] for entry in document["assistants"] for change in entry["changes"]}
    answers = {
        "has_changes": "change" in kinds,
        "has_drift": "drift" in kinds,
        "has_conflicts": "conflict" in kinds,
        "has_errors": _has_errors(document),
    }
    counts = {name: int(document["summary"].get(name, 0)) for name in ("total", *STATUSES, *OUTCOMES)}
    return {
        **{name: "true" if answer else "false" for name, answer in answers.items()},
        **{name: str(count) for name, count in counts.items()},
    }


def _has_errors(document: Document) -> bool:
    """Tell whether something was invalid, not read, or not brought to its desired state: whether the exit code is 1."""
    if document["command"] == "validate":
        strict = document["options"].get("strict") is True
        return any(strict or problem["severity"] == "error" for problem in document["problems"])
    return any(_failed(entry) for entry in document["assistants"])


def _failed(entry: AssistantEntry) -> bool:
    if entry["outcome"] is not None:
        return entry["outcome"] not in ("unchanged", "applied")
    return entry["status"] in (None, "error", "missing")
