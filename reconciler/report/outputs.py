"""A report as the outputs of a workflow's step: four answers and the totals, for later steps to decide on. Pure.

Names and values are ours alone, so that nothing which a definition, the API or a report says can become an
output.
"""

from reconciler.core.outcome import Kind, Outcome
from reconciler.report.build import STATUSES
from reconciler.report.report import Report


def list_outputs(report: Report) -> dict[str, str]:
    """Return `has_changes`, `has_drift`, `has_conflicts` and `has_errors` as true or false, then the totals."""
    answers = {
        "has_changes": Kind.CHANGE in report.kinds,
        "has_drift": Kind.DRIFT in report.kinds,
        "has_conflicts": Kind.CONFLICT in report.kinds,
        "has_errors": _has_errors(report),
    }
    # Only the names that this version knows: a report may count anything under any name.
    counts = {name: int(report.summary.get(name, 0)) for name in ("total", *STATUSES, *Outcome)}
    return {
        **{name: "true" if answer else "false" for name, answer in answers.items()},
        **{str(name): str(count) for name, count in counts.items()},
    }


def _has_errors(report: Report) -> bool:
    """Tell whether something was invalid, not read, or not brought to its desired state: whether the exit code is 1."""
    if not report.traits.reads_live:
        strict = report.options.get("strict") is True
        return any(strict or problem.severity == "error" for problem in report.problems)
    return any(entry.failed for entry in report.assistants)
