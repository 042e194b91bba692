"""docs/operations.md answers everything that a report can say, and SECURITY.md's figures and files are true."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import pytest

from reconciler.api.answers import MAX_DEPTH as DEEPEST_ANSWER, MAX_TOKENS
from reconciler.api.body import MAX_BODY
from reconciler.assistant.problem import MAX_PROBLEMS
from reconciler.cli.connect import PATIENCE
from reconciler.core.definition import MAX_BYTES
from reconciler.core.outcome import Outcome
from reconciler.errors import ErrorKind
from reconciler.report.json_text import DEEPEST_REPORT, LARGEST_REPORT, MOST_TOKENS
from reconciler.yamltext.nodes import MAX_ALIASED, MAX_NODES
from reconciler.yamltext.parser_errors import MAX_DEPTH

ROOT = Path(__file__).parent.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text("utf-8")


def sections(part: str) -> dict[str, str]:
    """The sections below a heading of docs/operations.md: what each is about, and what it says."""
    text = re.split(r"^## ", OPERATIONS.partition(f"\n## {part}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    return {
        name: words.strip()
        for name, words in re.findall(r"^### `(\w+)`\n(.*?)(?=^### |\Z)", text, re.MULTILINE | re.DOTALL)
    }


@pytest.mark.parametrize(("part", "words"), [("Outcomes", Outcome), ("Errors", get_args(ErrorKind))])
def test_every_outcome_and_every_kind_of_error_has_its_section(part: str, words: Iterable[str]) -> None:
    found = sections(part)
    assert set(found) == set(words)
    assert all(len(text.split()) >= 15 for text in found.values())


def test_it_says_how_long_a_stopped_run_waits() -> None:
    assert f"up to {PATIENCE:g} seconds" in " ".join(OPERATIONS.split())


def test_the_bounds_are_those_of_the_code() -> None:
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", SECURITY, re.MULTILINE))
    mebibyte = 1024 * 1024
    definition = rows["definition, overlay, `reconciler.yaml`, in a checkout or a commit"]
    assert definition.startswith(
        f"{MAX_BYTES // mebibyte} MiB, {MAX_NODES:,} values, {MAX_DEPTH} levels, {MAX_ALIASED:,} values by aliases"
    )
    assert f"first {MAX_PROBLEMS:,} problems" in definition
    answer = rows["one answer of the API"]
    assert answer.startswith(f"{MAX_BODY // mebibyte} MiB unpacked")
    assert f"{MAX_TOKENS:,} texts and values, {DEEPEST_ANSWER} levels" in answer
    assert rows["report or plan file"] == (
        f"{LARGEST_REPORT // mebibyte} MiB, {MOST_TOKENS:,} texts and values, {DEEPEST_REPORT} levels"
    )


def test_the_tests_that_it_names_are_there() -> None:
    named = re.findall(r"`(tests/[^`]+)`", SECURITY)
    assert len(named) > 15
    assert [path for path in named if not list(ROOT.glob(path.rstrip("/")))] == []
