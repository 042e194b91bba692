"""Exit codes from a report (contract, section 6): 0 done, 1 failed, 2 differences where asked for."""

from reconciler.report.document import Document

SETTLED = ("unchanged", "applied")


def unread(document: Document) -> bool:
    """Tell whether a definition was invalid or an assistant could not be read: then nobody knows that all is well."""
    return any(entry["status"] in (None, "error", "missing") for entry in document["assistants"])


def differences(document: Document) -> bool:
    """Tell whether anything differs, wherever it comes from."""
    return any(entry["changes"] for entry in document["assistants"])


def moved_live(document: Document) -> bool:
    """Tell whether anything was edited live: drift or a conflict."""
    return any(change["kind"] != "change" for entry in document["assistants"] for change in entry["changes"])


def unsettled(document: Document) -> bool:
    """Tell whether an assistant was not brought to its desired state."""
    return any(entry["outcome"] not in SETTLED for entry in document["assistants"])
