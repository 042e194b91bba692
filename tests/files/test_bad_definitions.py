"""Every kind of file that is no definition is found, at its place, in words that say what to write instead."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.core.settings import Settings
from reconciler.files.definitions import load

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent.parent / "bad_definitions" / "cases.yaml").read_text("utf-8")
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_bad_file_is_refused_at_its_place(case: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "assistants"
    folder.mkdir()
    content = base64.b64decode(case["base64"]) if "base64" in case else case["text"].encode()
    (folder / "bad.yaml").write_bytes(content)
    (folder / "good.yaml").write_text("id: asst_good\nname: Good\n")

    loaded = load(folder, [], root=tmp_path, settings=Settings())

    places = [(problem.line, problem.column, problem.message) for problem in loaded.problems]
    assert [(line, column) for line, column, _ in places] == [(case["line"], case["column"])]
    assert case["message"] in places[0][2]
    assert [definition.key for definition in loaded.definitions] == ["good"]
    assert [(entry.key, entry.file, entry.kind) for entry in loaded.invalid] == [
        ("bad", "assistants/bad.yaml", "invalid")
    ]
    assert all(problem.severity == "error" for problem in loaded.problems)


def test_there_are_many_of_them() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) >= 80
