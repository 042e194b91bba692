"""The report as JSON, for machines and for `report FILE...`. Reports that are read back are untrusted."""

import json
import math
import re
from typing import Any

from reconciler.core.json_size import has_more_tokens, is_deeper
from reconciler.core.json_values import ShapeError, from_json, to_json
from reconciler.errors import ReportError
from reconciler.report.differences.values import escape
from reconciler.report.report import FORMAT_VERSION, Report

LARGEST_REPORT = 24 * 1024 * 1024  # bytes
LONGEST_WITH_WIDE = 16 * 1024 * 1024  # characters; with one emoji in it, a text takes four times as much memory
MOST_TOKENS = 500_000  # texts, commas and opening brackets, enough for about 5,000 assistants
DEEPEST_REPORT = 200  # levels of lists and objects
_TOO_DEEP = "is nested too deeply to be a report"
SMALLER = "Pass PATHS to split the run into parts; `reconciler report` merges their reports."
_HINT = "a report is what --format json prints and --report FILE.json writes"
# A terminal must not see controls and bidi marks, UTF-8 lacks lone surrogates, and `##[` begins a GitHub command.
_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]|#(?=#\\[)")
_WIDE = re.compile("[\U00010000-\U0010ffff]")


def render_json(report: object) -> str:
    """Return a report (also of `diff`) as indented JSON with a newline at the end. Equal reports give equal bytes."""
    text = json.dumps(to_json(report), indent=2, ensure_ascii=False)
    if len(text) > LONGEST_WITH_WIDE:
        # With escapes instead of emoji, it is small enough to be read back.
        text = _WIDE.sub(lambda match: json.dumps(match[0])[1:-1], text)
    # The search takes longer than everything else, and there is almost nothing to find in ASCII.
    if not text.isascii() or "\x7f" in text or "##[" in text:
        text = _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return text + "\n"


def too_large(text: str) -> str | None:
    """Return why a report is too large to be read back, as the rest of a sentence after its name, or None."""
    # Check this first, because encoding such a text takes even more memory.
    if len(text) > LONGEST_WITH_WIDE and _WIDE.search(text):
        return f"is longer than {LONGEST_WITH_WIDE:,} characters, emoji among them"
    if len(text) > LARGEST_REPORT or len(text.encode("utf-8", "surrogatepass")) > LARGEST_REPORT:
        return f"is larger than {LARGEST_REPORT // 1024**2} MiB"
    return "contains too many values" if has_more_tokens(text, MOST_TOKENS) else None


def parse_report(text: str, *, name: str) -> Report:
    """Return the report in a file called `name`. Raises ReportError."""
    # The size is checked before anything is parsed.
    if reason := too_large(text):
        raise ReportError(reason, hint=SMALLER, where=escape(name))
    return read_report_object(_parse(text, escape(name)), name=name)


def read_report_object(document: Any, *, name: str) -> Report:
    """Return the report in a JSON object. Raises ReportError, which calls the object `name`."""
    place = escape(name)
    try:
        _check_version(document, place)
        return from_json(Report, document)
    except ShapeError as error:
        msg = f"is not a report of this tool: {escape(str(error))}"
        raise ReportError(msg, hint=_HINT, where=place) from error


def _parse(text: str, place: str) -> Any:
    try:
        document = json.loads(text.removeprefix("\ufeff"), parse_constant=_read_finite, parse_float=_read_finite)
        # Python's own limit depends on the depth of the caller's stack.
        reason = _TOO_DEEP if is_deeper(document, DEEPEST_REPORT) else ""
    except RecursionError:
        reason = _TOO_DEEP
    except json.JSONDecodeError as error:
        reason = f"is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
    except ValueError:
        reason = "is not JSON: it contains an invalid number"
    if reason:
        raise ReportError(reason, hint=_HINT, where=place)
    return document


def _read_finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def _check_version(document: Any, place: str) -> None:
    # Before its structure is checked: a later format may have another structure, and needs a later version.
    if not isinstance(document, dict):
        return
    if "against" in document:
        hint = "run `reconciler diff` again, with the --format that you need"
        raise ReportError("compares two environments; it is not the report of a run", hint=hint, where=place)
    version = document.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        message = f"has report format {version}, but this version reads only up to {FORMAT_VERSION}"
        raise ReportError(message, hint="render it with the version that wrote it, or a later one", where=place)
    if version is not None and version != FORMAT_VERSION:
        raise ShapeError(f"/format_version should be {FORMAT_VERSION}")
