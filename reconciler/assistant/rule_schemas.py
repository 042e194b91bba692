"""The JSON Schemas of a team's rules: finds their mistakes, and rewrites them for editors. Reads no file."""

import graphlib
import re
import warnings
from collections.abc import Collection, Container, Iterator, Mapping
from typing import Any, Final

from reconciler.assistant.json_schema import Schema
from reconciler.assistant.paths import FieldPath, to_pointer
from reconciler.assistant.plain_words import find_closest
from reconciler.assistant.problem import FieldProblem
from reconciler.assistant.rule_words import TYPES, describe_errors

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
# Keywords that contain a schema, a list of schemas, or an object of schemas.
_BELOW: Final = {"items", "contains", "additionalProperties", "unevaluatedItems", "unevaluatedProperties"}
_ONE: Final = {"not", "if", "then", "else", "propertyNames", *_BELOW}
_SOME: Final = {"allOf", "anyOf", "oneOf", "prefixItems"}
_NAMED: Final = {"properties", "patternProperties", "dependentSchemas", "$defs"}
_OTHERS: Final = {
    *("$schema", "$ref", "$anchor", "$comment", "title", "description", "default", "examples", "deprecated"),
    *("type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"),
    *("maxLength", "minLength", "pattern", "format", "maxItems", "minItems", "uniqueItems", "maxContains"),
    *("minContains", "maxProperties", "minProperties", "required", "dependentRequired"),
}
# Of these, the keywords whose schemas are for the same value.
_SAME_VALUE: Final = {"not", "if", "then", "else", "allOf", "anyOf", "oneOf", "dependentSchemas"}
_KNOWN: Final = _ONE | _SOME | _NAMED | _OTHERS
_REFERENCE: Final = "a reference is a path inside this schema, like #/$defs/NAME"
# Keywords that check no value, or that are for schemas in several documents.
_IDLE: Final = ("readOnly", "writeOnly", "contentEncoding", "contentMediaType", "contentSchema", "$id", "$vocabulary")
_UNSUPPORTED: Final = {
    **dict.fromkeys(_IDLE, "checks nothing; remove it"),
    **dict.fromkeys(("$dynamicAnchor", "$dynamicRef"), f"is not supported: {_REFERENCE}"),
}


def find_schema_problems(schema: Any) -> list[FieldProblem]:
    """Return what is wrong with a rule's schema, each with its path inside the schema."""
    import jsonschema

    validator = jsonschema.Draft202012Validator
    violations = describe_errors(validator(validator.META_SCHEMA).iter_errors(schema))
    # Several parts of the metaschema reject the same value; one message is enough.
    if by_path := {violation.path: violation for violation in violations}:
        return [FieldProblem(path, _describe_wrong(violation)) for path, violation in by_path.items()]
    return [*_check_parts(schema, validator.FORMAT_CHECKER.checkers)]


def _describe_wrong(violation: FieldProblem) -> str:
    name = violation.path[-1] if violation.path else "schema"
    return f"type must be one of {', '.join(TYPES)}" if name == "type" else f"{name} {violation.message}"


def _list_parts(schema: Any, path: FieldPath) -> Iterator[tuple[FieldPath, Any]]:
    """Yield a schema and all schemas in it, each with its path."""
    yield path, schema
    for keyword, value in schema.items() if isinstance(schema, Mapping) else ():
        if keyword in _ONE:
            yield from _list_parts(value, (*path, keyword))
        elif keyword in _SOME or keyword in _NAMED:
            for key, part in enumerate(value) if keyword in _SOME else value.items():
                yield from _list_parts(part, (*path, keyword, str(key)))


def _check_parts(schema: Any, formats: Container[str]) -> Iterator[FieldProblem]:
    """Yield mistakes that JSON Schema ignores, or notices only when a value is checked."""
    parts = dict(_list_parts(schema, ()))
    by_reference = {f"#{to_pointer(path)}": path for path in parts}
    keywords = [((*path, key), part[key]) for path, part in parts.items() if isinstance(part, Mapping) for key in part]
    anchors = [value for path, value in keywords if path[-1] == "$anchor"]
    by_reference |= {f"#{value}": path[:-1] for path, value in keywords if path[-1] == "$anchor"}
    references = {
        path[:-1]: by_reference[value] for path, value in keywords if path[-1] == "$ref" and value in by_reference
    }
    endless = _find_endless(parts, references)
    for path, value in keywords:
        keyword = path[-1]
        if problem := _UNSUPPORTED.get(keyword) or (_suggest_keyword(keyword) if keyword not in _KNOWN else ""):
            yield FieldProblem(path, f"{keyword} {problem}", about="key")
        elif keyword == "$anchor" and anchors.count(value) > 1:
            yield FieldProblem(path, f"another schema of this rule also has the $anchor {value}; rename one of them")
        elif keyword == "$ref" and path[:-1] in endless:
            yield FieldProblem(path, f"{value} refers to itself")
        elif problem := _explain_bad_value(keyword, value, formats, by_reference):
            yield FieldProblem(path, problem)
        for pattern in value if keyword == "patternProperties" else ():
            if problem := _explain_bad_value("pattern", pattern, (), ()):
                yield FieldProblem((*path, pattern), problem, about="key")


def _find_endless(parts: Collection[FieldPath], references: Mapping[FieldPath, FieldPath]) -> Collection[FieldPath]:
    """Return parts of a schema that lead to each other without going into the value: a check would never end."""
    graph: dict[FieldPath, set[FieldPath]] = {path: {target} for path, target in references.items()}
    for path in parts:
        # The schema that holds a part is one step above its keyword. A list or an object of schemas is a step as well.
        for steps, keywords in ((1, _ONE), (2, _SOME | _NAMED)):
            if path[-steps:] and path[-steps:][0] in keywords & _SAME_VALUE and path[:-steps] in parts:
                graph.setdefault(path[:-steps], set()).add(path)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        cycle: Collection[FieldPath] = error.args[1]
        return cycle
    return ()


def _suggest_keyword(keyword: str) -> str:
    near = find_closest(keyword, _KNOWN)
    return "is not a keyword of JSON Schema 2020-12" + (f"; did you mean {near}?" if near else "")


def _explain_bad_value(keyword: str, value: Any, formats: Container[str], references: Container[str]) -> str:
    if keyword == "$schema" and value.rstrip("#") != DIALECT:
        return f"the schemas of rules are JSON Schema 2020-12 ({DIALECT}); remove this line"
    # A reference may also be percent-encoded. Nobody needs that here, so it is not supported.
    if keyword == "$ref" and (value not in references or "%" in value):
        return f"{value} does not lead to a schema: {_REFERENCE}, and other documents are not read"
    if keyword == "format" and value not in formats:
        return f"the format {value} is not supported; use a pattern"
    if keyword == "pattern":
        try:
            # Python warns about patterns such as `[[:alpha:]]`, which other languages already read differently.
            with warnings.catch_warnings(action="error"):
                re.compile(value)
        except (re.error, FutureWarning, OverflowError, RecursionError) as error:
            return f"{value} is not a regular expression: {error}"
    return ""


def place_schema(path: FieldPath, schema: Any, *, required: bool, at: str) -> Schema | None:
    """Return a rule as part of a definition's schema (draft-07), for editors; None if that cannot express the rule.

    `*` in the path stands for any key of an object and any element of a list. With `required` the value must be there.
    `at` is the JSON Pointer of the part.
    """
    if not path:
        # A declared null does not count as a value.
        conditions: list[Any] = [{"not": {"type": "null"}}] if required else []
        if schema is None:
            return {"allOf": conditions}
        if not _is_portable(schema):
            return None
        return {"allOf": [*conditions, _or_text_file(_translate(schema, f"{at}/allOf/{len(conditions)}/else"))]}
    key, tail = path[0], path[1:]
    if key != "*":
        property_schema = place_schema(tail, schema, required=required, at=f"{at}/properties/{to_pointer((key,))[1:]}")
        # Anything but a group has no value inside either.
        must = {"type": ["object", "array"], "required": [key]} if required and "*" not in tail else {}
        return {"properties": {key: property_schema}, **must} if property_schema is not None else None
    elements = place_schema(tail, schema, required=required, at=f"{at}/items")
    values = place_schema(tail, schema, required=required, at=f"{at}/additionalProperties")
    return {"items": elements, "additionalProperties": values} if elements is not None else None


def _is_portable(schema: Any) -> bool:
    """Return whether all references lead to the schema's own `$defs`: its other parts move to another place."""
    references = (part["$ref"] for _, part in _list_parts(schema, ()) if isinstance(part, Mapping) and "$ref" in part)
    return all(re.fullmatch(r"#/\$defs/[^/]+", reference) for reference in references)


def _or_text_file(schema: Any) -> Schema:
    """Return a schema that also takes a text in a separate file."""
    return {"if": {"type": "object", "required": ["$file"]}, "else": schema}


def _translate(schema: Any, at: str) -> Any:
    """Return a schema of 2020-12 as draft-07. Its references begin at `at`, its new place."""
    if not isinstance(schema, Mapping):
        return schema
    # Draft-07 ignores what stands beside a reference, and has one keyword for what a key needs.
    apart = [{keyword: schema[keyword]} for keyword in ("$ref", "dependentRequired") if keyword in schema]
    if apart and len(schema) > 1:
        others = {keyword: value for keyword, value in schema.items() if {keyword: value} not in apart}
        schema = {**others, "allOf": [*others.get("allOf", ()), *apart]}
    names = {"prefixItems": "items", "items": "additionalItems"} if "prefixItems" in schema else {}
    names |= dict.fromkeys(("dependentRequired", "dependentSchemas"), "dependencies")
    # There, at least one element must be what `contains` says.
    left_out = {"$schema", "$anchor", *(("contains",) if schema.get("minContains") == 0 else ())}
    return {
        names.get(keyword, keyword): _translate_keyword(keyword, value, at)
        for keyword, value in schema.items()
        if keyword not in left_out
    }


def _translate_keyword(keyword: str, value: Any, at: str) -> Any:
    if keyword == "$ref":
        return at + value[1:]
    # Any nested value may be a text in a file, so its schema accepts `$file` as well.
    is_nested = keyword in _BELOW or keyword in ("properties", "patternProperties", "prefixItems")

    def translate(schema: Any) -> Any:
        part = _translate(schema, at)
        return _or_text_file(part) if is_nested and isinstance(part, Mapping) else part

    if keyword in _ONE:
        return translate(value)
    if keyword in _SOME:
        return [*map(translate, value)]
    return {key: translate(item) for key, item in value.items()} if keyword in _NAMED else value
