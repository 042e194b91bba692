"""The plain words about what two environments differ in, one place for all formats. Free of any format's syntax."""

from reconciler.report.diff_document import DeclaredEntry, DefinitionEntry, DiffDocument, DifferenceEntry
from reconciler.report.values import escape, fits_on_a_line
from reconciler.report.wording import counted

NOT_DECLARED = "not declared"


def standing(entry: DefinitionEntry, document: DiffDocument) -> str:
    """Return in words how a definition stands in the two environments."""
    here, there = document["environment"], document["against"]
    if entry["standing"] == "differs":
        return counted(len(entry["differences"]), "field differs", "fields differ")
    return {
        "alike": "alike",
        "error": "error",
        "only_in_environment": f"only part of {here}, it has no id in {there}",
        "only_in_against": f"only part of {there}, it has no id in {here}",
    }[entry["standing"]]


def place(side: DeclaredEntry) -> str:
    """Return where a value is declared: `assistants/a.yaml:3`."""
    return escape(side["file"]) + (f":{side['line']}" if side["line"] is not None else "")


def is_short(difference: DifferenceEntry) -> bool:
    """Tell whether both values can be shown whole on a line each."""
    return all(fits_on_a_line(side["value"]) for side in (difference["environment"], difference["against"]) if side)


def note(document: DiffDocument) -> str:
    """Return the sentence for two environments without any difference; else nothing."""
    summary = document["summary"]
    if not summary["total"] or summary["alike"] != summary["total"]:
        return ""
    return f"{document['environment']} and {document['against']} do not differ."


def summary_line(document: DiffDocument) -> str:
    """Return the totals as one sentence.

    `Diff: 1 differs, 0 only in staging, 1 only in production, 2 alike, 0 errors.`
    """
    summary = document["summary"]
    if not summary["total"]:
        return "Diff: no definitions to look at, nothing to compare."
    parts = [
        counted(summary["differ"], "differs", "differ"),
        f"{summary['only_in_environment']} only in {document['environment']}",
        f"{summary['only_in_against']} only in {document['against']}",
        f"{summary['alike']} alike",
        counted(summary["error"], "error"),
    ]
    return f"Diff: {', '.join(parts)}."
