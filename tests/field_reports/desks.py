"""What the field reports begin with: desks whose definitions are live, with more in them that nobody declares."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from between import Answer, Forward, Request, json_answer
from commands import Completed
from json_reports import Document
from projects import outcomes
from stories import Story, committed_story
from trees import merge_objects

Fields = dict[str, Any]

DECLARED: Fields = {"name": "Desk", "firstMessage": "Hello!", "model": {"temperature": 0.7}}
UNDECLARED: Fields = {
    "model": {"provider": "openai", "model": "gpt-4o", "messages": [{"role": "system", "content": "Be kind."}]},
    "metadata": {"own": 1},
}
NO_BASE = "live edits look like changes in git"
FETCH = "git fetch origin 'refs/reconciler/*:refs/reconciler/*'"


def build_live(declared: Mapping[str, Any]) -> Fields:
    """What the API holds of a definition, and what nobody declared."""
    return merge_objects(UNDECLARED, declared)


@contextmanager
def desks(root: Path, *names: str, kind: type[Story] = Story, recorded: bool = True, **fields: Any) -> Iterator[Story]:
    """Definitions that are live, committed and, if nothing else is said, recorded."""
    declared = {**DECLARED, **fields}
    with committed_story(root, dict.fromkeys(names, build_live(declared)), declared, kind=kind) as repo:
        if recorded:
            check_success(repo.run("apply", "--yes", "--record", "--base", "none"))
        repo.sandbox.forget_requests()
        yield repo


def check_success(result: Completed) -> Completed:
    assert result.code == 0, result.stderr + result.stdout
    return result


def commit_settings(repo: Story, **settings: Any) -> None:
    """Commit other settings; none at all is no file."""
    repo.project.configure(**settings)
    if not settings:
        (repo.root / "reconciler.yaml").unlink()
    repo.commit("Settings")


def commit_change(repo: Story, key: str, **fields: Any) -> str:
    """Commit a definition with other values than it begins with."""
    repo.write(key, **{**DECLARED, **fields})
    return repo.commit(f"Change {key}", allow_empty=True)


def live(repo: Story, name: str) -> Fields:
    """What the API holds now, without the time at which it was written."""
    return {key: value for key, value in repo.sandbox.live(f"asst_{name}").items() if key != "updatedAt"}


def live_value(repo: Story, name: str, field: str = "firstMessage") -> Any:
    return live(repo, name).get(field)


def merge_reports(repo: Story, *documents: Document) -> Path:
    """Merge reports with the command, and return the file."""
    files = [repo.save_report(document, f"{number}.json") for number, document in enumerate(documents, 1)]
    file = repo.root.parent / "merged.json"
    check_success(repo.run("report", *files, "--report", file))
    return file


def roll_back(repo: Story, report: Path) -> tuple[Completed, dict[str, str | None]]:
    """Roll a report back; return what became of each assistant, too."""
    result = repo.run("rollback", report, "--yes", "--format", "json", "--retries", "0")
    return result, outcomes(json.loads(result.stdout)) if result.stdout else {}


# --- what may stand between


def answer_writes_with_live(request: Request, forward: Forward) -> Answer:
    """Answer every write with what live has after it."""
    answer = forward(request)
    if request.method != "PATCH":
        return answer
    return json_answer(200, forward(Request("GET", request.path, request.headers, b"", 1)).json)


def ignore_writes(request: Request, forward: Forward) -> Answer:
    """Take every write, and store nothing."""
    if request.method != "PATCH":
        return forward(request)
    return json_answer(200, forward(Request("GET", request.path, request.headers, b"", 1)).json)
