"""Describes violations of a team's rules (JSON Schema 2020-12): what a value is, and what it may be."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from reconciler.assistant.invisible import remove_unseen
from reconciler.assistant.plain_words import describe_kind, find_closest, shorten
from reconciler.assistant.problem import FieldProblem

TYPES: Final[Mapping[str, str]] = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a group of keys and values",
    "null": "null",
}
_UNITS: Final = {
    f"{least_or_most}{unit}": noun
    for least_or_most in ("min", "max")
    for unit, noun in (("Length", "character"), ("Items", "item"), ("Properties", "key"))
}
_DISCREET: Final = "is not what this rule allows"
_LONGEST: Final = 40  # characters; a longer text is not quoted whole
# Texts that need no quotes in a list: not a number, true, false or null, and with visible ends.
_PLAIN: Final = r"(?!(?:true|false|null|-?[0-9][0-9.eE+-]*)\Z)(?! )(?:[^,\n]|,(?! ))+(?<! )"
_SCALARS: Final = (str, int, float, bool, type(None))


def describe_errors(errors: Iterable[Any]) -> list[FieldProblem]:
    """Return what `jsonschema` found, each violation once, with its path below the value that was checked.

    The message comes after the value's name.
    """
    return [*dict.fromkeys(violation for error in errors for violation in _describe(error))]


def _describe(error: Any) -> Iterator[FieldProblem]:
    path = tuple(str(key) for key in error.absolute_path)
    instance, rule = error.instance, error.validator_value
    match error.validator:
        # `jsonschema` checks a key like a text, and its error does not say where the key is.
        case _ if "propertyNames" in error.absolute_schema_path:
            yield FieldProblem((*path, str(instance)), f"has a name that {_describe_rule(error)}", _DISCREET, "key")
        case "additionalProperties" if rule is False:
            properties = error.schema.get("properties", {})
            patterns = error.schema.get("patternProperties", {})
            for key in instance:
                if key not in properties and not any(re.search(pattern, key) for pattern in patterns):
                    near = find_closest(key, properties)
                    guess = f"did you mean {near}?" if near else f"allowed: {', '.join(properties) or 'nothing'}"
                    yield FieldProblem((*path, key), f"is not allowed here; {guess}", _DISCREET, "key")
        case "required":
            yield FieldProblem(path, f"lacks {', '.join(key for key in rule if key not in instance)}")
        case "dependentRequired":
            for key, needs in rule.items():
                lacking = ", ".join(other for other in needs if other not in instance)
                if key in instance and lacking:
                    yield FieldProblem(path, f"lacks {lacking}, which {key} needs beside it")
        # Never quote what must not appear in a text: it may be a password.
        case "not" if isinstance(instance, str) and "pattern" in json.dumps(rule):
            yield FieldProblem(path, _describe_rule(error), _DISCREET, line=_find_line(instance, rule))
        case keyword:
            line = _find_line(instance, {keyword: rule})
            yield FieldProblem(path, _describe_value(error), _DISCREET, line=line)


def _find_line(instance: Any, schema: Any) -> int:
    """Return the line of a text where a violation begins: a match of a pattern, or the part that is too long."""
    if not isinstance(instance, str) or not isinstance(schema, Mapping):
        return 1
    if "maxLength" in schema:
        return instance.count("\n", 0, int(schema["maxLength"])) + 1
    schemas = [schema, *schema.get("anyOf", ()), *schema.get("allOf", ())]
    patterns = [part["pattern"] for part in schemas if isinstance(part, Mapping) and "pattern" in part]
    starts = (match.start() for pattern in patterns if (match := re.search(pattern, instance)))
    return instance.count("\n", 0, min(starts, default=0)) + 1


def _describe_value(error: Any) -> str:
    """Return what a value is, as far as the keyword of the schema concerns it, and what it may be."""
    keyword, instance, may = error.validator, error.instance, _describe_rule(error)
    if keyword == "items":
        return f"has {_count(len(instance), 'item')}, and may have at most {len(error.schema.get('prefixItems', ()))}"
    if keyword in _UNITS:
        return f"has {_count(len(instance), _UNITS[keyword])}, and {may.rpartition(' ')[0]}"
    choices = {"enum": error.validator_value, "const": [error.validator_value]}.get(keyword, ())
    texts = [choice for choice in choices if isinstance(choice, str)]
    # It may differ only in blanks, in invisible characters, or in how letters are stored.
    if isinstance(instance, str) and _what_is_seen(instance) in map(_what_is_seen, texts):
        several = "one of " if keyword == "enum" else ""
        return f"is {json.dumps(instance)}, and must be {several}{_list_choices(choices, json.dumps)}"
    return f"is {_quote(instance)}, and {may}"


def _what_is_seen(text: str) -> str:
    return "".join(remove_unseen(unicodedata.normalize("NFC", text)).split())


def _describe_rule(error: Any) -> str:
    # The schema `false` allows nothing, and its error names no keyword.
    if error.validator is None:
        return "must not be declared"
    if error.validator in ("contains", "minContains", "maxContains"):
        return _describe_contains(error.schema, is_over=error.validator == "maxContains")
    return _describe_keyword(error.validator, error.validator_value)


def _describe_contains(schema: Any, *, is_over: bool) -> str:
    item_words = _describe_schema(schema["contains"])
    if is_over:
        return f"may have at most {_count(schema['maxContains'], 'item')} that {item_words}"
    minimum = schema.get("minContains", 1)
    amount = "an item" if minimum == 1 else f"at least {_count(minimum, 'item')}"
    return f"must have {amount} that {item_words}"


def _describe_keyword(keyword: str, value: Any) -> str:
    tell = _KEYWORDS.get(keyword)
    return tell(value) if tell is not None else f'does not match "{keyword}" of the rule'


def _describe_schema(schema: Any) -> str:
    if not isinstance(schema, Mapping):
        return "may be anything" if schema else "must not be declared"
    phrases = [_describe_keyword(keyword, value) for keyword, value in schema.items() if keyword in _KEYWORDS]
    return " and ".join(phrases) or "must match a part of the rule"


def _describe_not(schema: Any) -> str:
    """Return what a value must be if it must not match a schema."""
    if not isinstance(schema, Mapping) or not schema:
        return "may be anything" if schema is False else "must not be declared"
    phrases = [_describe_opposite(keyword, value) for keyword, value in schema.items() if keyword in _KEYWORDS]
    return " or ".join(phrases) or "must not match a part of the rule"


def _describe_opposite(keyword: str, value: Any) -> str:
    if keyword == "not":
        return _describe_schema(value)
    if keyword == "anyOf":
        return " and ".join(map(_describe_not, value))
    if keyword == "allOf":
        return " or ".join(map(_describe_not, value))
    if keyword == "properties":
        return " or ".join(f"the {key} in it {_describe_not(inner)}" for key, inner in value.items())
    words = _describe_keyword(keyword, value)
    return re.sub("(?:must|may)( not)?", lambda match: "must" if match[1] else "must not", words, count=1)


def _count(number: float, noun: str) -> str:
    # A schema may say 2.0, which is a whole number, too.
    return f"{int(number):,} {noun}{'' if number == 1 else 's'}"


def _quote(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= _LONGEST and value.isprintable() else f'"{shorten(value)}"'
    return json.dumps(value) if isinstance(value, _SCALARS) else describe_kind(value)


def _write_choice(value: Any) -> str:
    """Return a choice as JSON; a text has no quotes if it cannot be mistaken for another value."""
    is_plain = isinstance(value, str) and re.fullmatch(_PLAIN, value)
    return value if is_plain else json.dumps(value, ensure_ascii=False)


def _list_choices(values: Iterable[Any], write: Callable[[Any], str] = _write_choice) -> str:
    return ", ".join(map(write, values)) or "nothing"


def _name_types(value: Any) -> str:
    return " or ".join(TYPES.get(name, str(name)) for name in ([value] if isinstance(value, str) else value))


def _describe_count(keyword: str) -> Callable[[int], str]:
    start = "may have at most" if keyword.startswith("max") else "must have at least"
    return lambda value: f"{start} {_count(value, _UNITS[keyword])}"


_KEYWORDS: Final[Mapping[str, Callable[[Any], str]]] = {
    "enum": lambda value: f"must be one of {_list_choices(value)}",
    "const": lambda value: f"must be {_list_choices([value])}",
    "type": lambda value: f"must be {_name_types(value)}",
    "maximum": lambda value: f"must be at most {value}",
    "minimum": lambda value: f"must be at least {value}",
    "exclusiveMaximum": lambda value: f"must be below {value}",
    "exclusiveMinimum": lambda value: f"must be above {value}",
    "multipleOf": lambda value: f"must be a multiple of {value}",
    **{key: _describe_count(key) for key in _UNITS},
    "uniqueItems": lambda _: "must not have an item twice",
    "pattern": lambda value: f"must match the pattern {value}",
    "format": lambda value: f"must be of the format {value}",
    "required": lambda value: f"must have {_list_choices(value)}",
    "contains": lambda value: _describe_contains({"contains": value}, is_over=False),
    "unevaluatedItems": lambda _: "may have no items that this rule does not name",
    "unevaluatedProperties": lambda _: "may have no keys that this rule does not name",
    "properties": lambda group: " and ".join(f"the {key} in it {_describe_schema(sub)}" for key, sub in group.items()),
    "allOf": lambda value: " and ".join(map(_describe_schema, value)),
    "anyOf": lambda value: ", or ".join(map(_describe_schema, value)),
    "oneOf": lambda value: f"must be exactly one of these: it {', or it '.join(map(_describe_schema, value))}",
    "not": _describe_not,
}
