"""Writes the tables of docs/reference.md that the code knows: `python tests/reference/reference_document.py`.

Each stands between two comments that name it. A test fails where one is not what this writes.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import click

from reconciler.api.results import find_kind
from reconciler.assistant.fields import FIELDS, ID, Field
from reconciler.assistant.json_schema import Schema
from reconciler.assistant.lints import LINTS
from reconciler.cli.main import COMMANDS, load_command, reconciler
from reconciler.core.outcome import Outcome, Status
from reconciler.errors import ErrorKind
from reconciler.files.settings_table import load_table

DOCUMENT: Final = Path(__file__).parent.parent.parent / "docs" / "reference.md"
WRITTEN_BY: Final = "tests/reference/reference_document.py"
_PART: Final = re.compile(
    rf"(<!-- ([a-z ]+): written by {re.escape(WRITTEN_BY)} -->\n).*?(<!-- end of \2 -->)", re.DOTALL
)

FIELD_KINDS: Final[Mapping[str, str]] = {
    "text": "text",
    "whole number": "whole number",
    "number": "number",
    "texts": "list of texts",
    "fields": "object",
    "anything": "object with any keys",
}
STATUSES: Final[Mapping[Status, str]] = {
    Status.ERROR: "It could not be read or compared, or its definition is not valid.",
    Status.MISSING: "The API has no assistant with this id (404).",
    Status.NEW: "The definition says `id: new`: the assistant has to be created.",
    Status.FROZEN: "Something differs, but the assistant is frozen today.",
    Status.CONFLICTED: "A field is in conflict.",
    Status.PENDING: "A field has changed in git.",
    Status.DRIFTED: "A field has drifted.",
    Status.IN_SYNC: "Nothing differs.",
}
OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.UNCHANGED: "Nothing was sent: nothing differs, or only live edits that are kept.",
    Outcome.APPLIED: "The API accepted the write, and every value that was sent is live.",
    Outcome.CREATED: "The assistant was created; its id is in the file and in the record.",
    Outcome.DELETED: "The assistant was deleted. The JSON report contains the whole assistant under `last`.",
    Outcome.FROZEN: "Nothing was sent, because the assistant is frozen today. That is not a failure.",
    Outcome.FAILED: "Nothing was changed: it could not be read, or the API finally rejected the write.",
    Outcome.REFUSED: "The tool sent nothing, because of a conflict, a stale plan, `--on-drift fail`, a definition that "
    "is not valid or has a duplicate id, or an assistant of another organisation.",
    Outcome.INDETERMINATE: "The last response to the write was 408, 499, 5xx or invalid, or it was missing. The "
    "write may have reached both stores, one, or none.",
    Outcome.NOT_CONVERGED: "The API accepted the write, but live has other values; `remaining` lists the fields.",
    Outcome.SKIPPED: "Not started: the run was stopped, or a limit or an invalid file ended it.",
}
ERROR_KINDS: Final[Mapping[ErrorKind, str]] = {
    "not_found": "The API has no such assistant.",
    "auth": "Not signed in, or not permitted: this API answers 401 for both.",
    "forbidden": "The account is disabled, or the assistant does not belong to the organisation in `org_id`.",
    "rate_limited": "Too many requests, even after waiting.",
    "server": "The API has an internal problem.",
    "network": "No connection, or it was lost.",
    "timeout": "No complete response in time.",
    "protocol": "The response is invalid: no JSON, no object, no `id`, another assistant's `id`, a redirect.",
    "conflict": "Git and live both changed, or `--on-drift fail` found drift.",
    "stale": "Live or the definition has changed since the plan.",
    "duplicate": "Two definitions describe the same assistant.",
    "invalid": "The definition is not valid, it lacks something that the API requires, or the API rejected it.",
}
Table = Iterator[Sequence[str]]


def render(text: str) -> str:
    """Return the document with all generated tables written anew; what stands around them is left as it is."""
    return _PART.sub(lambda part: f"{part[1]}\n{_table(TABLES[part[2]]())}\n{part[3]}", text)


def names(text: str) -> list[str]:
    """Return the names of the generated tables in a document."""
    return [name for _, name, _ in _PART.findall(text)]


def _table(rows: Table) -> str:
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _fields() -> Table:
    yield "field", "value", "null", "what it is"
    for field in (ID, *FIELDS):
        yield f"`{'.'.join(field.path)}`", _value_of(field), "yes" if field.takes_null else "", field.description


def _value_of(field: Field) -> str:
    words = [FIELD_KINDS[field.kind]]
    if field.range is not None:
        words = [f"{words[0]}, {field.range[0]} to {field.range[1]}"]
    if field.choices:
        words = [", ".join(f"`{choice}`" for choice in field.choices)]
    words += ["in any order"] if field.is_unordered else []
    words += [f"required in a new `{field.path[0]}`"] if field.required_inside else []
    return "; ".join(words)


def _lints() -> Table:
    yield "lint", "finds"
    for name, words in LINTS.items():
        yield f"`{name}`", words


def _statuses() -> Table:
    yield "status", "means"
    for status in Status:
        yield f"`{status}`", STATUSES[status]


def _outcomes() -> Table:
    yield "outcome", "means", "exit code", "may be live", "new entry in the record"
    for outcome in Outcome:
        facts = (outcome.may_be_live, outcome.is_recorded)
        code = "0" if outcome.settled else "1"
        yield f"`{outcome}`", OUTCOMES[outcome], code, *("yes" if fact else "no" for fact in facts)


def _error_kinds() -> Table:
    yield "kind", "means", "HTTP status"
    for kind in get_args(ErrorKind):
        statuses = [str(status) for status in range(400, 500) if find_kind(status) == kind and kind != "protocol"]
        statuses += ["5xx"] if find_kind(500) == kind else []
        statuses += ["3xx", "any other 4xx"] if kind == "protocol" else []
        yield f"[`{kind}`](operations.md#{kind})", ERROR_KINDS[kind], ", ".join(statuses)


def _commands() -> Table:
    yield "command", "does", "talks to the API"
    for name, (_, line) in COMMANDS.items():
        command = load_command(name)
        arguments = [param.make_metavar(_context()) for param in command.params if isinstance(param, click.Argument)]
        yield f"`{' '.join([name, *arguments])}`", line, "yes" if "--timeout" in _options_of(command) else ""


def _options() -> Table:
    yield "option", "variable", "default", "means", "commands"
    found: dict[tuple[str, ...], list[str]] = {}
    for name in COMMANDS:
        for option in _options_of(load_command(name)).values():
            found.setdefault(_cells(option), []).append(name)
    online = [name for name in COMMANDS if "--timeout" in _options_of(load_command(name))]
    shared = [(cells, named) for cells, named in found.items() if len(named) > 1]
    for cells, named in [*shared, *((cells, named) for cells, named in found.items() if len(named) == 1)]:
        yield *cells, "all that talk to the API" if named == online else ", ".join(named)


def _cells(option: click.Option) -> tuple[str, ...]:
    flags = ", ".join(f"`{flag}`" for flag in (*option.opts, *option.secondary_opts))
    if not option.is_flag:
        value = option.make_metavar(_context()).strip("[]")
        flags = f"{flags[:-1]} {value}`"
    default = f"{option.default:g}" if isinstance(option.default, float) else str(option.default)
    shown = default if isinstance(option.default, str | int | float) and not option.is_flag else ""
    variable = f"`{option.envvar}`" if option.envvar else ""
    return flags, variable, shown, str(option.help).partition("  [env:")[0]


def _options_of(command: click.Command) -> dict[str, click.Option]:
    return {param.opts[-1]: param for param in command.params if isinstance(param, click.Option)}


def _context() -> click.Context:
    return click.Context(reconciler)


def _settings() -> Table:
    yield "setting", "means", "example", "also in an environment"
    rows = load_table()["properties"]
    own = rows["environments"]["additionalProperties"]["properties"]
    for name, row in rows.items():
        yield _setting(name, row, "yes" if name in own else "")
        inside = row.get("items") or row.get("additionalProperties") or {}
        for key, entry in inside.get("properties", {}).items():
            if key not in rows:
                must = " Required." if key in inside.get("required", ()) else ""
                yield _setting(f"{name}.{key}", entry, "", must)


def _setting(name: str, row: Schema, shared: str, must: str = "") -> Sequence[str]:
    example = f"`{_flow(row['examples'][0])}`" if "examples" in row else ""
    return f"`{name}`", f"{row['description']}{must}", example, shared


def _flow(value: Any) -> str:
    """Return a value as somebody would write it in YAML, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return value if isinstance(value, str) and "*" not in value else json.dumps(value)


TABLES: Final[Mapping[str, Callable[[], Table]]] = {
    "fields": _fields,
    "lints": _lints,
    "statuses": _statuses,
    "outcomes": _outcomes,
    "error kinds": _error_kinds,
    "commands": _commands,
    "options": _options,
    "settings": _settings,
}

if __name__ == "__main__":
    DOCUMENT.write_text(render(DOCUMENT.read_text("utf-8")), "utf-8")
