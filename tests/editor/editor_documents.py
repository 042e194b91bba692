"""Documents that the editor's schemas must take or refuse, from the definitions and settings of the whole suite.

`python tests/editor/editor_documents.py` prints them as JSON, for check.mjs, which asks another validator.
"""

import base64
import json
import math
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

TESTS = Path(__file__).parent.parent
ROOT = TESTS.parent


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


BAD: list[dict[str, Any]] = _read(TESTS / "bad_definitions" / "cases.yaml")
SETTINGS: dict[str, list[Any]] = _read(TESTS / "editor" / "settings.yaml")
# Bad definitions that a schema cannot judge: in some there is no value to judge, others look like any other.
_BEYOND = _read(TESTS / "editor" / "beyond.yaml")
UNREADABLE = {name for group in _BEYOND["unreadable"] for name in group["names"]}
BEYOND = {name for group in _BEYOND["accepted"] for name in group["names"]}


class Document(NamedTuple):
    """What a file holds, the schema that judges it (`definition`, `overlay`, `settings`), and whether it is `good`."""

    schema: str
    name: str
    value: Any
    good: bool


class NoDocument(Exception):  # noqa: N818
    """A file in which an editor finds no value that a schema could judge."""


class EditorLoader(yaml.SafeLoader):
    """Reads YAML as editors do: the core schema of YAML 1.2, in which a date is a text and so is `yes`."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML declares it
        first: [
            ("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$")),
            ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")),
            ("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$")),
            ("tag:yaml.org,2002:float", re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")),
            ("tag:yaml.org,2002:float", re.compile(r"^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$")),
        ]
        for first in ["", *"~nNtTfF-+.0123456789"]
    }


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    text = loader.construct_scalar(node)
    if re.search("[nN]", text):
        return math.nan if "a" in text.lower() else math.inf
    return int(text) if node.tag.endswith("int") else float(text)


for tag in ("int", "float"):
    EditorLoader.add_constructor(f"tag:yaml.org,2002:{tag}", _number)


def read_as_editors_do(content: str | bytes) -> Any:
    """Return the value of a text as JSON has it. Raises NoDocument where there is none."""
    try:
        value = yaml.load(content, EditorLoader)
        return json.loads(json.dumps(value, allow_nan=False))
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise NoDocument(str(error)) from None


def content_of(case: dict[str, Any]) -> str | bytes:
    """The file of a bad definition."""
    return base64.b64decode(case["base64"]) if "base64" in case else str(case["text"])


def good_definitions() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every good definition of the suite, with a name."""
    for file in sorted((ROOT / "assistants").rglob("*.yaml")):
        yield file.stem, read_as_editors_do(file.read_text("utf-8"))
    for file in sorted((TESTS / "scenarios").glob("*.yaml")):
        scenario = read_as_editors_do(file.read_text("utf-8"))
        for version in ("desired", "base"):
            if isinstance(scenario.get(version), dict):
                yield f"{version}, {file.stem}", {"id": "asst_1", **scenario[version]}
    for row in runpy.run_path(str(TESTS / "behaviour" / "matrix.py"))["ROWS"]:
        for version in ("desired", "base"):
            if (fields := row.definition(version)) is not None:
                yield f"{version}, {row.key}", {"id": row.id, **fields}
    yield from _documented()


def _documented() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the definitions in the documents."""
    # What rules.md shows is judged by the rules that it shows.
    others = sorted(file for file in (ROOT / "docs").glob("*.md") if file.name != "rules.md")
    for document in [ROOT / "README.md", *others]:
        blocks = re.findall(r"^```yaml\n(.*?)^```$", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        for number, block in enumerate(blocks):
            if re.search(r"^id: ", block, re.MULTILINE):
                yield f"{document.name}, block {number}", read_as_editors_do(block)


def documents() -> Iterator[Document]:
    """Everything that a schema must take or refuse."""
    for name, definition in good_definitions():
        yield Document("definition", name, definition, good=True)
        yield Document("overlay", name, definition, good=True)
        for key, value in definition.items():
            yield Document("overlay", f"{key} of {name}", {key: value}, good=True)
        shared = {key: value for key, value in definition.items() if key not in ("id", "name")}
        yield Document("defaults", name, shared, good=True)
        yield Document("defaults", f"{name} with its id", definition, good=False)
    for case in BAD:
        if case["name"] not in UNREADABLE:
            value = read_as_editors_do(content_of(case))
            yield Document("definition", case["name"], value, good=case["name"] in BEYOND)
            lacks_only_id = case["message"] == 'has no "id"'
            yield Document("overlay", case["name"], value, good=lacks_only_id or case["name"] in BEYOND)
    for good in (True, False):
        for settings in SETTINGS["good" if good else "bad"]:
            yield Document("settings", json.dumps(settings), settings, good)
    for entry in SETTINGS["beyond"]:
        yield Document("settings", entry["reason"], entry["settings"], good=True)


if __name__ == "__main__":
    json.dump([document._asdict() for document in documents()], sys.stdout)
