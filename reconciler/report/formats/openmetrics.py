"""The report as OpenMetrics text, all gauges: https://prometheus.io/docs/specs/om/open_metrics_spec/."""

from collections.abc import Iterable, Iterator, Mapping

from reconciler.core.outcome import Outcome
from reconciler.report.build import STATUSES
from reconciler.report.differences.values import quote
from reconciler.report.report import AssistantEntry
from reconciler.report.view import RunView

Sample = tuple[Mapping[str, str], float | None]
_NOT_READ = "not_read"


def render_openmetrics(view: RunView) -> str:
    """Return the metrics of a report. A metric that the report does not know has no sample."""
    report = view.report
    age = report.record.age_seconds if report.record is not None else None
    expiry = report.next_expiry.in_seconds if report.next_expiry is not None else None
    requests = [({"method": method}, number) for method, number in sorted(report.api_calls.items())]
    # The metrics of two environments end up in the same place, and this label tells them apart.
    shared = {"environment": report.environment} if report.environment is not None else {}
    # In a merged report, each assistant has its environment. Other numbers are only known for all of them.
    groups: dict[str | None, list[AssistantEntry]] = {} if report.assistants else {report.environment: []}
    for entry in report.assistants:
        groups.setdefault(entry.environment or report.environment, []).append(entry)
    statuses: list[Sample] = []
    outcomes: list[Sample] = []
    for name, entries in groups.items():
        environment = {"environment": name} if name is not None else {}
        found_statuses, found_outcomes = [entry.status for entry in entries], [entry.outcome for entry in entries]
        statuses += [({"status": status.value, **environment}, found_statuses.count(status)) for status in STATUSES]
        # A stopped run does not know these assistants, and no other number here would show that.
        if None in found_statuses and report.traits.reads_live:
            statuses.append(({"status": _NOT_READ, **environment}, found_statuses.count(None)))
        outcomes += [({"outcome": outcome.value, **environment}, found_outcomes.count(outcome)) for outcome in Outcome]
    families: Iterable[tuple[str, str, Iterable[Sample]]] = (
        ("assistants", "Assistants by status, as they were when they were read.", statuses),
        ("outcomes", "Assistants by outcome of a run that writes.", outcomes),
        ("record_age_seconds", "Age of the applied record that the run has read.", [({}, age)]),
        ("next_expiry_seconds", "Time until the nearest date in the settings; negative once past.", [({}, expiry)]),
        ("api_requests", "Requests to the API by method, repeats included.", requests),
        ("duration_seconds", "Duration of the run.", [({}, report.duration_seconds)]),
    )
    lines = [line for family in families for line in _render_family(*family, shared)]
    return "\n".join([*lines, "# EOF", ""])


def _render_family(name: str, description: str, samples: Iterable[Sample], shared: Mapping[str, str]) -> Iterator[str]:
    yield f"# TYPE reconciler_{name} gauge"
    yield f"# HELP reconciler_{name} {description}"
    for labels, value in samples:
        pairs = ",".join(f"{key}={quote(text)}" for key, text in {**labels, **shared}.items())
        if value is not None:
            yield f"reconciler_{name}{'{' + pairs + '}' if pairs else ''} {value}"
