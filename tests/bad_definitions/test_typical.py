"""118 mistakes of writers who do not program: what they are told, and what they make of it.

RENEW_GOLDEN=1 writes what is said into typical.yaml; `enough` is a person's judgement of it, and `mended` its proof.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.core.settings import Settings
from reconciler.files.definitions import load

PLACE = Path(__file__).with_name("typical.yaml")
CASES: list[dict[str, Any]] = yaml.safe_load(PLACE.read_text("utf-8"))


def validate_messages(text: str, root: Path) -> list[str]:
    """What `validate` says of a definition, without its name."""
    folder = root / "assistants"
    folder.mkdir(exist_ok=True)
    (folder / "a.yaml").write_bytes(text.encode())
    problems = load(folder, [], root=root, settings=Settings()).problems
    return [str(problem).removeprefix("assistants/a.yaml:") for problem in problems]


@pytest.mark.skipif("RENEW_GOLDEN" in os.environ, reason="it is written")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_typical_mistake(case: dict[str, Any], tmp_path: Path) -> None:
    assert validate_messages(case["text"], tmp_path) == case["said"]
    assert case["said"]
    # Who does what the message says has a definition of which nothing more is said.
    assert validate_messages(case["mended"], tmp_path) == []


def test_nearly_all_are_mended_from_the_message_alone() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) == 118
    assert sum(case["enough"] for case in CASES) >= len(CASES) - 3
    assert all(("why" in case) is not case["enough"] for case in CASES)


@pytest.mark.skipif("RENEW_GOLDEN" not in os.environ, reason="only with RENEW_GOLDEN")
def test_it_is_written_anew(tmp_path: Path) -> None:
    head = "".join(f"{line}\n" for line in PLACE.read_text("utf-8").split("\n- name:")[0].strip().split("\n"))
    blocks = [format_case({**case, "said": validate_messages(case["text"], tmp_path)}) for case in CASES]
    PLACE.write_text(head + "\n" + "\n".join(blocks), "utf-8")


def format_case(case: dict[str, Any]) -> str:
    """A case as it stands in the file: texts as blocks, where they can be."""
    lines = [f"- name: {json.dumps(case['name'])}"]
    for key in ("text", "mended"):
        text = case[key]
        if text.endswith("\n") and all(line.isprintable() for line in text.splitlines()):
            lines += [f"  {key}: |", *(f"    {line}" for line in text.splitlines())]
        else:
            lines.append(f"  {key}: {json.dumps(text)}")
    lines += ["  said:", *(f"    - {json.dumps(line, ensure_ascii=not line.isprintable())}" for line in case["said"])]
    lines.append(f"  enough: {json.dumps(case['enough'])}")
    lines += [f"  why: {json.dumps(case['why'])}"] if not case["enough"] else []
    return "\n".join(lines) + "\n"
