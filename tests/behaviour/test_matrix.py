"""Every row of the behaviour matrix, through the real commands, a real git repository and the sandbox over TCP.

All rows of a policy are one repository's definitions, so that a few commands run them all.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from commands import Completed, connection_variables, run
from json_reports import AssistantEntry, Document
from matrix import ABSENT, POLICIES, ROWS, Policy, Row, keys, value_at
from matrix_document import DOCUMENT, render, report_lines
from servers import Sandbox, running_sandbox
from stories import Nested, Story

OF_THE_API = ("id", "orgId", "createdAt", "updatedAt")
# Where everything is a change, the policies have nothing to tell apart: the mildest and the harshest stand for all.
WITHOUT_A_BASE = [policy for policy in POLICIES if policy.key in ("keep", "revert-force")]
UNREADABLE = "firstMessage: [\n"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Two commits: what was applied last, and what the definitions are now."""
    with running_sandbox() as unused:
        repo = Story(tmp_path_factory.mktemp("matrix") / "repository", unused)
    for row in ROWS:
        base = row.definition("base")
        if base is not None:
            repo.write(row.key, **base)
        elif row.parts[0][1].base_file == "unreadable":
            repo.write(row.key, UNREADABLE)
    repo.commit("What was applied last")
    for row in ROWS:
        repo.write(row.key, **(row.definition("desired") or {}))
    repo.commit("What the definitions are now")
    return repo


@pytest.fixture
def sandbox(nested: Nested) -> Iterator[Sandbox]:
    with running_sandbox({row.id: row.live() for row in ROWS}, nested=nested) as running:
        yield running


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.key)
def test_plan_and_apply_with_a_base(repository: Story, sandbox: Sandbox, policy: Policy, tmp_path: Path) -> None:
    options = ("--base", "HEAD^", *policy.options)
    plan, plan_result = run_with_report(repository, sandbox, tmp_path, "plan", *options)
    assert sandbox.patches == []
    assert plan_result.code == 0
    assert {row.key: summarize_plan(plan[row.key]) for row in ROWS} == {
        row.key: expected_plan(row, policy) for row in ROWS
    }
    assert read_lines(plan_result.stdout) == {row.key: expected_lines(row, policy) for row in ROWS if row.changes()}
    check_versions(repository, plan)
    untouched = {row.id: live_text(sandbox, row) for row in ROWS}
    assert untouched == {row.id: canonical_json(row.live()) for row in ROWS}

    apply, apply_result = run_with_report(repository, sandbox, tmp_path, "apply", "--yes", *options)
    assert apply_result.code == int(any(row.outcome(policy) == "refused" for row in ROWS))
    check_applied(sandbox, apply, policy)
    assert {key: canonical_json(entry["patch"]) for key, entry in apply.items()} == {
        key: canonical_json(entry["patch"]) for key, entry in plan.items()
    }


@pytest.mark.parametrize("policy", WITHOUT_A_BASE, ids=lambda policy: policy.key)
def test_plan_and_apply_without_a_base(repository: Story, sandbox: Sandbox, policy: Policy, tmp_path: Path) -> None:
    options = ("--base", "none", *policy.options)
    plan, plan_result = run_with_report(repository, sandbox, tmp_path, "plan", *options)
    assert "Without a base, live edits look like changes in git." in plan_result.stdout
    assert {row.key: summarize_plan(plan[row.key]) for row in ROWS} == {
        row.key: expected_plan(row, policy, has_base=False) for row in ROWS
    }
    apply, apply_result = run_with_report(repository, sandbox, tmp_path, "apply", "--yes", *options)
    assert apply_result.code == 0
    check_applied(sandbox, apply, policy, has_base=False)


def test_drift(repository: Story, sandbox: Sandbox, tmp_path: Path) -> None:
    drift, result = run_with_report(repository, sandbox, tmp_path, "drift", "--base", "HEAD^", "--detailed-exitcode")
    assert result.code == 2
    assert {row.key: change_kinds(drift[row.key]) for row in ROWS} == {row.key: row.changes() for row in ROWS}
    assert {row.key: drift[row.key]["status"] for row in ROWS} == {row.key: row.status() for row in ROWS}
    check_versions(repository, drift)

    itself_as_base, result = run_with_report(repository, sandbox, tmp_path, "drift", "--base", "none")
    assert "every difference counts as drift" in result.stdout
    assert {row.key: change_kinds(itself_as_base[row.key]) for row in ROWS} == {
        row.key: [(path, "drift") for path, _ in row.changes()] for row in ROWS
    }
    assert all(entry["outcome"] is None for entry in (*drift.values(), *itself_as_base.values()))
    assert sandbox.patches == []


@pytest.mark.parametrize(
    "policy", [policy for policy in POLICIES if policy.on_drift == "fail"], ids=lambda policy: policy.key
)
def test_without_a_base_nobody_can_say_what_drifted(repository: Story, policy: Policy) -> None:
    result = run("apply", "--yes", "--base", "none", *policy.options, cwd=repository.root)
    assert (result.code, result.stdout) == (1, "")
    assert "--on-drift fail needs a base" in result.stderr


def test_the_document_is_written_from_this_matrix() -> None:
    assert DOCUMENT.read_text("utf-8") == render(), "renew it: python tests/behaviour/matrix_document.py"


def run_with_report(
    repository: Story, sandbox: Sandbox, folder: Path, *arguments: str
) -> tuple[dict[str, AssistantEntry], Completed]:
    """Run a command; return its report's assistants by key, and what it showed as text."""
    report = folder / "report.json"
    result = run(*arguments, "--report", report, cwd=repository.root, env=connection_variables(sandbox))
    document: Document = json.loads(report.read_text("utf-8"))
    assert document["api_calls"] == {"POST": 0, "PATCH": 0} | sandbox.calls
    unreadable = sum(row.parts[0][1].base_file == "unreadable" for row in ROWS) if "HEAD^" in arguments else 0
    assert sum("so its assistant has no base" in warning for warning in document["warnings"]) == unreadable
    sandbox.forget_requests()
    return {entry["key"]: entry for entry in document["assistants"]}, result


def summarize_plan(entry: AssistantEntry) -> dict[str, Any]:
    return {"status": entry["status"], "changes": change_kinds(entry), "patch": canonical_json(entry["patch"])}


def expected_plan(row: Row, policy: Policy, *, has_base: bool = True) -> dict[str, Any]:
    return {
        "status": row.status(has_base=has_base),
        "changes": row.changes(has_base=has_base),
        "patch": canonical_json(row.patch(policy, has_base=has_base)),
    }


def change_kinds(entry: AssistantEntry) -> list[tuple[str, str]]:
    return [(change["path"], change["kind"]) for change in entry["changes"]]


def check_versions(repository: Story, by_key: Mapping[str, AssistantEntry]) -> None:
    """The values of all three versions, what is released, and who set what git asks for."""
    head = repository.head
    for row in ROWS:
        entry = by_key[row.key]
        assert entry["released"] == (row.released if row.definition("base") else []), row.key
        versions = {"desired": row.definition("desired"), "live": row.live(), "base": row.definition("base")}
        for change in entry["changes"]:
            values = {name: value_at(tree, keys(change["path"])) for name, tree in versions.items()}
            expected = {name: canonical_json(value) for name, value in values.items() if value is not ABSENT}
            reported = {name: canonical_json(value) for name, value in change.items() if name in versions}
            assert reported == expected, (row.key, change)
            setter = None if change["kind"] == "drift" else head
            assert change.get("since", {"commit": None})["commit"] == setter, (row.key, change)


def check_applied(
    sandbox: Sandbox, by_key: Mapping[str, AssistantEntry], policy: Policy, *, has_base: bool = True
) -> None:
    """The outcomes, the words of what is refused, and both stores afterwards."""
    outcomes = {row.key: row.outcome(policy, has_base=has_base) for row in ROWS}
    assert {key: entry["outcome"] for key, entry in by_key.items()} == outcomes
    for key, entry in by_key.items():
        assert entry["remaining"] == []
        if outcomes[key] == "refused":
            assert entry["error"], key
            assert entry["error"]["kind"] == "conflict"
            for way in ("use the live value (reconciler pull", "or git's (--", "or remove the field"):
                assert way in entry["error"]["message"], key
        else:
            assert entry["error"] is None, key
    after = {row.id: canonical_json(row.after(policy, has_base=has_base)) for row in ROWS}
    assert {row.id: live_text(sandbox, row) for row in ROWS} == after
    assert {row.id: canonical_json(drop_api_fields(sandbox.provider(row.id))) for row in ROWS} == after


def expected_lines(row: Row, policy: Policy) -> list[str]:
    lines = [
        report_lines(row, path, kind, stays=policy.treats(kind) != "sent" or row.patch(policy) is None)
        for path, kind in row.changes()
    ]
    return sorted(line for group in lines for line in group)


def read_lines(text: str) -> dict[str, list[str]]:
    """The differences that a text report shows of each assistant: on its own card, and on those that many share."""
    by_key: dict[str, list[str]] = {}
    for block in text.split("\n\n"):
        head, *lines = block.splitlines()
        shown_lines = [line.strip() for line in lines if line.startswith(("  + ", "  - ", "  ~ "))]
        # What many share is declared in a file of each one, so that their names are told with their files.
        files = [head] if head.startswith("assistants/") else re.findall(r"\((assistants/[^)]*)\)", block)
        for file in files if shown_lines else ():
            key = file.removeprefix("assistants/").partition(".yaml")[0]
            by_key.setdefault(key, []).extend(re.sub(r" in \d+ assistants$", "", line) for line in shown_lines)
    return {key: sorted(lines) for key, lines in by_key.items()}


def live_text(sandbox: Sandbox, row: Row) -> str:
    return canonical_json(drop_api_fields(sandbox.live(row.id)))


def drop_api_fields(assistant: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in assistant.items() if key not in OF_THE_API}


def canonical_json(value: Any) -> str:
    """A text that is equal for equal JSON: numbers by their value, true apart from 1."""
    return json.dumps(_normalize_numbers(value), sort_keys=True)


def _normalize_numbers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _normalize_numbers(item) for key, item in value.items()}
    return [_normalize_numbers(item) for item in value] if isinstance(value, list) else value
