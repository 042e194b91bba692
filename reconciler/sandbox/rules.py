"""Checks bodies against the OpenAPI document's schemas, and says what is wrong in words.

Messages name the field and the rule and never repeat the value, which may be confidential.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

_WORDS = {"integer": "an integer", "object": "an object", "array": "a list", "null": "null"}
# JSON Schema takes 5.0 for an integer, this API does not.
_Validator = extend(  # type: ignore[no-untyped-call]  # jsonschema types the rest
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _checker, value: type(value) is int),
)


class Rules:
    """The rules of one OpenAPI document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas: Mapping[str, Any] = document["components"]["schemas"]
        assistant: Mapping[str, Any] = self._schemas["Assistant"]["properties"]
        self._read_only = {name for name, rule in assistant.items() if rule.get("readOnly")}
        self._validators = {
            name: _Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})
            for name in self._schemas
        }

    def problems(self, schema: str, body: Any) -> list[str]:
        """Return what is wrong with a body under a component schema, a sentence each; none if all is well."""
        errors = self._validators[schema].iter_errors(body)
        return sorted({sentence for error in errors for sentence in self._sentences(error)})

    def incomplete(self, model: Mapping[str, Any]) -> list[str]:
        """Return what the API requires inside a model and a merge has not supplied."""
        required: list[str] = self._schemas["ModelConfig"]["required"]
        return [f"model.{key} is required" for key in required if model.get(key) is None]

    def _sentences(self, error: ValidationError) -> Iterator[str]:
        """Translate one error of jsonschema; the keywords are those that our schemas use."""
        path = [str(part) for part in error.absolute_path]
        where = ".".join(path) or "the body"
        rule: Any = error.validator_value
        body: Any = error.instance
        schema: Any = error.schema
        match error.validator:
            case "type":
                types = [rule] if isinstance(rule, str) else rule
                yield f"{where} must be {_either([_WORDS.get(name, f'a {name}') for name in types])}"
            case "enum":
                yield f"{where} must be {_either(['null' if choice is None else choice for choice in rule])}"
            case "minimum":
                yield f"{where} must be at least {rule}"
            case "maximum":
                yield f"{where} must be at most {rule}"
            case "required":
                yield from (f"{'.'.join([*path, key])} is required" for key in rule if key not in body)
            case "additionalProperties":
                for key in body.keys() - schema["properties"].keys():
                    kind = "read-only" if key in self._read_only else "not a known field"
                    yield f"{'.'.join([*path, key])} is {kind}"
            case _:  # pragma: no cover - a keyword that no schema of ours uses yet
                yield f"{where} breaks the rule {error.validator!r}"


def _either(choices: list[str]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last
