"""Checks `reconciler.yaml` against the table of settings with pydantic, and describes the problems. Reads no file."""

import dataclasses
import functools
import itertools
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from reconciler.assistant import fields
from reconciler.assistant.invisible import describe_unseen
from reconciler.assistant.json_schema import Schema
from reconciler.assistant.paths import FieldPath, dotted
from reconciler.assistant.plain_words import find_closest
from reconciler.assistant.problem import MAX_PROBLEMS, About, FieldProblem
from reconciler.assistant.rule_schemas import find_schema_problems
from reconciler.core.settings import EnforceRule, Environment, IgnoreRule, Rule, Settings
from reconciler.files.settings_table import load_table, read_value
from reconciler.yamltext.writer import write_inline

_JSON_PATH: Final = r"\[(?:[0-9*]+|['\"].*['\"])\]$"
_OF_A_KEY: Final = "[key]"  # how pydantic ends the location of an error that is about a key


def check_settings(content: Mapping[str, Any]) -> tuple[dict[str, Any] | None, list[FieldProblem]]:
    """Return the settings as plain groups and lists, each value as the table reads it, or None and what is wrong."""
    # A project without settings does not need it, and it takes long to load.
    import pydantic

    try:
        return _make_validator().validate_python(content), []
    except pydantic.ValidationError as error:
        return None, [_describe(detail) for detail in error.errors(include_url=False)[:MAX_PROBLEMS]]


def find_slips(settings: Settings) -> Iterator[FieldProblem]:
    """Yield problems that no single value shows: useless paths, and entries that freeze, require or send nothing."""
    # An undocumented field may have any name. A path counts for all environments, so a field of any of them is known.
    extra_fields = settings.include_all_environments().extra_fields
    shared_ids = {rule.id for rule in settings.rules}
    parts = [(("environments", name), part, shared_ids) for name, part in settings.environments.items()]
    for place, part, rule_ids in [((), settings, set[str]()), *parts]:
        checks = (_find_bad_paths(part, extra_fields), _find_unsent(part, extra_fields), _find_reversed(part))
        for problem in itertools.chain(*checks, _find_wrong_rules(part, rule_ids)):
            yield dataclasses.replace(problem, path=(*place, *problem.path))


def _find_bad_paths(part: Environment, extra_fields: Collection[FieldPath]) -> Iterator[FieldProblem]:
    """Yield the paths that cannot mean what they say, and the fields that no assistant has."""
    paths: dict[FieldPath, FieldPath] = {("sensitive", str(at)): path for at, path in enumerate(part.sensitive)}
    for name in ("ignore", "enforce", "rules"):
        entries: Sequence[IgnoreRule | EnforceRule | Rule] = getattr(part, name)
        paths |= {(name, str(at), "path"): rule.path for at, rule in enumerate(entries)}
    # Only what is almost a documented field can be a slip.
    known = {"*", *fields.TOP_LEVEL, *fields.READ_ONLY, *(path[0] for path in extra_fields)}
    for place, path in paths.items():
        if message := _explain_bad_path(path, known, extra_fields):
            yield FieldProblem(place, message)
        # An element keeps its live value by its place in the list. In these lists it may be at another place live.
        elif path[1:] and path[:1] in fields.UNORDERED and place[0] in ("ignore", "enforce"):
            yield FieldProblem(place, f"{path[0]} has no order, so no element has a place; name the whole field")


def _explain_bad_path(path: FieldPath, known: Collection[str], extra_fields: Collection[FieldPath]) -> str:
    if unseen := next(filter(None, map(describe_unseen, path)), ""):
        return f"this path contains an invisible character; {unseen}"
    if path[0] == "$" or any(re.search(_JSON_PATH, key) for key in path):
        return "this is written as JSONPath; write each key after a dot, and each place in a list like metadata.list[0]"
    near = None if path[0] in known else find_closest(path[0], fields.TOP_LEVEL, cutoff=0.8)
    if near:
        return f"unknown field {path[0]}; did you mean {near}?"
    keys = fields.keys_inside(path[:1]) if path[1:] and path[:2] not in extra_fields else ()
    # An undocumented field's name may contain a documented one's, so only a very similar name is a slip.
    near = find_closest(path[1], keys, cutoff=0.91) if keys and path[1] not in ("*", *keys) else None
    return f"unknown field {dotted(path[:2])}; did you mean {path[0]}.{near}?" if near else ""


def _find_unsent(part: Environment, extra_fields: Collection[FieldPath]) -> Iterator[FieldProblem]:
    """Yield fields under `always_send` that no assistant has: they would never be sent, and nobody would notice."""
    sendable = [*fields.TOP_LEVEL, *(path[0] for path in extra_fields if len(path) == 1)]
    for at, name in enumerate(part.always_send):
        if name not in sendable:
            near = find_closest(name, sendable)
            guess = f"did you mean {near}?" if near else f"those are {', '.join(sendable)}"
            message = f"always_send, entry {at + 1}, must name top-level fields of an assistant; {guess}"
            yield FieldProblem(("always_send", str(at)), message)


def _find_reversed(part: Environment) -> Iterator[FieldProblem]:
    """Yield the freezes that end before they begin."""
    for at, freeze in enumerate(part.frozen):
        if freeze.starts is not None and freeze.expires is not None and freeze.expires < freeze.starts:
            message = f"expires is before from ({freeze.starts}): nothing would ever be frozen"
            yield FieldProblem(("frozen", str(at), "expires"), message)


def _find_wrong_rules(part: Environment, known_ids: Collection[str]) -> Iterator[FieldProblem]:
    """Yield the rules that cannot be checked, would check nothing, or have the id of another one."""
    ids = [*known_ids]
    for at, rule in enumerate(part.rules):
        path = ("rules", str(at))
        if rule.id in ids:
            yield FieldProblem((*path, "id"), f"another rule also has the id {rule.id}; rename one of them")
        ids.append(rule.id)
        if rule.schema is None and not rule.required:
            yield FieldProblem(path, "this rule requires nothing; add a schema, or `required: true`")
        for problem in find_schema_problems(rule.schema) if rule.schema is not None else ():
            yield dataclasses.replace(problem, path=(*path, "schema", *problem.path))


@functools.cache
def _make_validator() -> Any:
    # What pydantic turns models into. To make and load these would take half of a small project's `validate`.
    from pydantic_core import SchemaValidator

    return SchemaValidator(_make_schema(load_table()))


def _make_schema(row: Schema) -> Any:
    """Return a row of the table as pydantic's core schema."""
    # Strict: otherwise pydantic would read "yes" as true and "5" as 5, and no other reader of the file does.
    if "properties" in row:
        fields = {
            key: {"type": "typed-dict-field", "schema": _make_schema(below), "required": key in row.get("required", ())}
            for key, below in row["properties"].items()
        }
        group = {"type": "typed-dict", "fields": fields, "extra_behavior": "forbid", "strict": True}
        if short := row.get("$shorthand"):
            return _call("before", lambda value: {short: value} if isinstance(value, str) else value, group)
        return group
    if "items" in row:
        items = _make_schema(row["items"])
        return {"type": "list", "items_schema": items, "min_length": row.get("minItems", 0), "strict": True}
    if "propertyNames" in row:
        keys, values = _make_schema(row["propertyNames"]), _make_schema(row["additionalProperties"])
        return {"type": "dict", "keys_schema": keys, "values_schema": values, "strict": True}
    if row["type"] == "boolean":
        return {"type": "bool", "strict": True}
    if "enum" in row:
        return {"type": "literal", "expected": row["enum"]}
    # pydantic checks that a text is one. A limit may also be a number, so its own reader checks the type.
    kind = {"type": "str", "strict": True} if row["type"] == "string" else {"type": "any"}
    return _call("after", functools.partial(read_value, row), kind)


def _call(when: Literal["before", "after"], function: Callable[[Any], Any], schema: Any) -> Any:
    return {"type": f"function-{when}", "function": {"type": "no-info", "function": function}, "schema": schema}


def _describe(detail: Any) -> FieldProblem:
    """Return what is wrong, with invisible characters in keys and texts."""
    problem = _describe_plainly(detail)
    text = problem.path[-1] if problem.about == "key" else detail["input"]
    unseen = describe_unseen(text) if isinstance(text, str) else ""
    return dataclasses.replace(problem, message=f"{problem.message}; {unseen}") if unseen else problem


def _describe_plainly(detail: Any) -> FieldProblem:
    """Return one of pydantic's errors in plain words."""
    kind, path = detail["type"], tuple(str(part) for part in detail["loc"])
    about: About = "value"
    # In a group with free names the name itself may be wrong.
    if path[-1] == _OF_A_KEY:
        path, about = path[:-1], "key"
    key = path[-1]
    # A name may be made of digits as well.
    index = detail["loc"][len(path) - 1]
    name = f"{path[-2]}, entry {index + 1}," if isinstance(index, int) else key
    # `trailing-space: Error` names no level.
    if _row_at(path[:-1]).get("$shorthand") == key:
        name = path[-2]
    if kind == "extra_forbidden":
        allowed = _row_at(path[:-1])["properties"]
        near = find_closest(key, allowed, cutoff=0.7)
        guess = f"did you mean {near}?" if near else f"allowed here: {', '.join(allowed)}"
        return FieldProblem(path, f"unknown setting {key}; {guess}", about="key")
    if kind == "missing":
        return FieldProblem(path[:-1], f'this entry has no "{key}"; add it')
    # This comes before the type: a setting without a value is an unfinished line, whatever type it needs.
    if detail["input"] is None:
        return FieldProblem(path, f"{name} cannot be empty; remove the line to leave it unset")
    if kind == "value_error":
        return FieldProblem(path, f"{name} {detail['ctx']['error']}", about=about)
    if kind == "too_short":
        return FieldProblem(path, f"{name} cannot be an empty list; remove the line to mean every assistant")
    # What remains are values of another type than the table has.
    row = _row_at(path)
    form = row.get("patternErrorMessage", "").removesuffix(".").partition("This must ")[2]
    kind_words = {
        # For a day the form is named, since a number in quotes would still be no day.
        "string_type": form or "be text; put it in quotes",
        "bool_type": "be true or false, without quotes",
        "list_type": f"be a list, like {write_inline(row.get('examples', [[]])[0])}",
        "literal_error": f"be one of {', '.join(row.get('enum', ()))}",
    }
    group = "a group of keys and values"
    if short := row.get("$shorthand"):
        group = f"one of {', '.join(row['properties'][short]['enum'])}, or {group}"
    return FieldProblem(path, f"{name} must {kind_words.get(kind, f'be {group}')}")


def _row_at(path: FieldPath) -> Schema:
    # A key of a group has a row of its own. All items of a list share one row, and so do all free names.
    row = load_table()
    for key in path:
        row = row.get("properties", {}).get(key) or row.get("items") or row.get("additionalProperties") or row
    return row
