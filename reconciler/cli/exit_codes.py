"""Exit codes from a report (docs/reference.md, "Exit codes"): 0 done, 1 failed, 2 differences where asked for."""

from reconciler.core.outcome import Kind
from reconciler.report.report import Report


def unread(report: Report) -> bool:
    """Tell whether a definition was invalid or an assistant could not be read: then nobody knows that all is well."""
    return any(entry.unread for entry in report.assistants)


def differences(report: Report) -> bool:
    """Tell whether anything differs, wherever it comes from."""
    return bool(report.kinds)


def moved_live(report: Report) -> bool:
    """Tell whether anything was edited live: drift or a conflict."""
    return bool(report.kinds - {Kind.CHANGE})


def unsettled(report: Report) -> bool:
    """Tell whether an assistant was not brought to its desired state."""
    return any(entry.outcome is None or not entry.outcome.settled for entry in report.assistants)
