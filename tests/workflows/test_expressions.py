from typing import Any

import pytest
from expressions import Lenient, UnknownExpression, evaluate, holds, interpolate

CONTEXTS: dict[str, Any] = {
    "github": {"event": Lenient({"number": 7, "head": {"sha": "abc"}}), "ref": "refs/heads/main"},
    "inputs": {"name": "", "first-run": False},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("github.event.head.sha", "abc"),
        ("github.event.pull_request.head.sha", None),
        ("inputs.name || 'assistants'", "assistants"),
        ("inputs.name != '' && 'x'", False),
        ("github.event.missing == ''", True),
        ("github.ref == 'REFS/heads/main'", True),
        ("!(inputs.first-run || inputs.name)", True),
        ("format('{0}/pull', github.event.number)", "7/pull"),
        ("'it''s'", "it's"),
        ("null == false", True),
    ],
)
def test_values(text: str, value: object) -> None:
    assert evaluate(text, CONTEXTS) == value


@pytest.mark.parametrize(
    "text", ["github.sha", "env.X", "inputs.directory", "hashFiles('x')", "1 + 1", "'a' 'b'", "(", "a.", "&& 'a'", ""]
)
def test_what_is_not_known_is_an_error(text: str) -> None:
    with pytest.raises((UnknownExpression, IndexError)):
        evaluate(text, CONTEXTS)


def test_texts_and_conditions() -> None:
    assert interpolate("n ${{ github.event.number }}, ${{ inputs.first-run }}", CONTEXTS) == "n 7, false"
    assert holds(None, CONTEXTS, "success")
    assert not holds(None, CONTEXTS, "failure")
    assert not holds("github.ref != ''", CONTEXTS, "failure")
    assert holds("${{ always() && github.ref != '' }}", CONTEXTS, "failure")
    assert holds("${{ !cancelled() }}", CONTEXTS, "failure")
    assert holds("${{ failure() }}", CONTEXTS, "failure")
