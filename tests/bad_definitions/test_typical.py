"""118 mistakes of people who do not program: the messages about them, and the corrected files.

RENEW_GOLDEN=1 writes the messages into typical.yaml; `enough` is a person's judgement, and `fixed` proves it.
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
    """Return what `validate` says about a definition, without its name."""
    folder = root / "assistants"
    folder.mkdir(exist_ok=True)
    (folder / "a.yaml").write_bytes(text.encode())
    problems = load(folder, [], root=root, settings=Settings()).problems
    return [str(problem).removeprefix("assistants/a.yaml:") for problem in problems]


@pytest.mark.skipif("RENEW_GOLDEN" in os.environ, reason="it is written")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_typical_mistake(case: dict[str, Any], tmp_path: Path) -> None:
    assert validate_messages(case["text"], tmp_path) == case["messages"]
    assert case["messages"]
    # Whoever does what the message says gets a definition without problems.
    assert validate_messages(case["fixed"], tmp_path) == []


def test_nearly_all_can_be_fixed_from_the_message_alone() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) == 118
    assert sum(case["enough"] for case in CASES) >= len(CASES) - 3
    assert all(("why" in case) is not case["enough"] for case in CASES)


@pytest.mark.skipif("RENEW_GOLDEN" not in os.environ, reason="only with RENEW_GOLDEN")
def test_it_is_written_anew(tmp_path: Path) -> None:
    head = "".join(f"{line}\n" for line in PLACE.read_text("utf-8").split("\n- name:")[0].strip().split("\n"))
    blocks = [format_case({**case, "messages": validate_messages(case["text"], tmp_path)}) for case in CASES]
    PLACE.write_text(head + "\n" + "\n".join(blocks), "utf-8")


def format_case(case: dict[str, Any]) -> str:
    """Return a case as it is in the file: texts as blocks, where possible."""
    lines = [f"- name: {json.dumps(case['name'])}"]
    for key in ("text", "fixed"):
        text = case[key]
        if text.endswith("\n") and all(line.isprintable() for line in text.splitlines()):
            lines += [f"  {key}: |", *(f"    {line}" for line in text.splitlines())]
        else:
            lines.append(f"  {key}: {json.dumps(text)}")
    messages = (json.dumps(text, ensure_ascii=not text.isprintable()) for text in case["messages"])
    lines += ["  messages:", *(f"    - {message}" for message in messages)]
    lines.append(f"  enough: {json.dumps(case['enough'])}")
    lines += [f"  why: {json.dumps(case['why'])}"] if not case["enough"] else []
    return "\n".join(lines) + "\n"
