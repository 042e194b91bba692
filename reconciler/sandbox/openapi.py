"""The OpenAPI 3.1 document of the API (openapi.yaml), adapted to a sandbox's options. It checks bodies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from reconciler.sandbox.settings import Nested

_TEXT: Final = Path(__file__).with_name("openapi.yaml").read_text("utf-8")
_SCHEMAS: Final[dict[str, Any]] = yaml.load(_TEXT, Loader=yaml.CSafeLoader)["components"]["schemas"]
# For each object field, the keys that the reference lists.
KEYS_INSIDE: Final = {
    field: {*_SCHEMAS[name]["properties"]}
    for field, name in (("model", "ModelConfig"), ("voice", "VoiceConfig"), ("transcriber", "TranscriberConfig"))
}
REQUIRED_IN_MODEL: Final[list[str]] = _SCHEMAS["ModelConfig"]["required"]
_WORDS = {"integer": "an integer", "object": "an object", "array": "a list", "null": "null"}
# JSON Schema accepts 5.0 as an integer, but this API does not.
_Validator = extend(  # type: ignore[no-untyped-call]  # jsonschema types the rest
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _checker, value: type(value) is int),
)


class Document:
    """The document of one sandbox, which also checks bodies."""

    def __init__(self, *, nested: Nested = "merge", strict: bool = False, listing: bool = False) -> None:
        self.content: dict[str, Any] = yaml.load(_TEXT, Loader=yaml.CSafeLoader)
        self.schemas: dict[str, Any] = self.content["components"]["schemas"]
        update = self.schemas["AssistantUpdate"]
        # A server that merges accepts a part of a model. One that replaces needs all of it, or the rest would be lost.
        if nested == "replace":
            update["properties"] = self.schemas["AssistantCreation"]["properties"]
        # The reference marks `model` and `voice` as required, but also says that all fields are optional.
        if strict:
            update["required"] = ["model", "voice"]
        if not listing:
            del self.content["paths"]["/assistants"]["get"]
        # Each validator gets all schemas, because they refer to each other.
        references = {name: {"$ref": f"#/components/schemas/{name}"} for name in self.schemas}
        document = {"components": {"schemas": self.schemas}}
        self._validators = {name: _Validator({**reference, **document}) for name, reference in references.items()}

    def find_problems(self, schema: str, body: Any) -> list[str]:
        """Return the problems that a component schema finds in a body, as sorted sentences."""
        errors = self._validators[schema].iter_errors(body)
        return sorted({sentence for error in errors for sentence in _describe_error(error)})


def _describe_error(error: ValidationError) -> Iterator[str]:
    """Translate one error of jsonschema, without the value, which may be confidential."""
    path = [str(part) for part in error.absolute_path]
    place = ".".join(path) or "the body"
    rule: Any = error.validator_value
    body: Any = error.instance
    match error.validator:
        case "type":
            types = [rule] if isinstance(rule, str) else rule
            yield f"{place} must be {_join_choices([_WORDS.get(name, f'a {name}') for name in types])}"
        case "enum":
            yield f"{place} must be {_join_choices(['null' if choice is None else choice for choice in rule])}"
        case "minimum":
            yield f"{place} must be at least {rule}"
        case "maximum":
            yield f"{place} must be at most {rule}"
        case "required":
            yield from (f"{'.'.join([*path, key])} is required" for key in rule if key not in body)
        case "not":
            yield f"{body} is read-only"
        case _:  # pragma: no cover - a keyword that no schema uses yet
            yield f"{place} breaks the rule {error.validator!r}"


def _join_choices(choices: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))
