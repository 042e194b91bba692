"""What the tests of faults share: two assistants of which a part is declared, the next run, and what must hold then."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from fault_matrix import Ends
from json_reports import Document, as_report
from projects import Project, open_api, outcomes, statuses
from servers import Sandbox
from trees import merge_objects

from reconciler.report.read_back import read_unclear
from reconciler.usecases.apply import ApplyOptions
from reconciler.usecases.earlier_reports import UnclearWrites

DECLARED: dict[str, Any] = {
    "firstMessage": "New",
    "model": {"temperature": 0.6},
    "metadata": {"crm": {"queue": "new"}},
    "endCallMessage": None,
}
# Of each object only a part is declared; the rest, and what no reference lists, must stay as it is.
UNDECLARED: dict[str, Any] = {
    "name": "Enrollment",
    "model": {"provider": "openai", "model": "gpt-4o", "maxTokens": 900, "messages": [{"role": "system", "n": 1}]},
    "voice": {"provider": "azure", "voiceId": "jenny", "speed": 1.25, "fallback": {"voices": ["a", "b"]}},
    "metadata": {"crm": {"id": 7, "tags": ["x", {"deep": True}]}, "owner": "dean"},
    "tools": [{"type": "endCall"}],
    "serverUrl": "https://hooks.example.edu/calls",
}
IDS = ("asst_a", "asst_b")


OLD = {
    "firstMessage": "Old",
    "model": {"temperature": 0.7},
    "metadata": {"crm": {"queue": "old"}},
    "endCallMessage": "Bye",
}
LIVE = {assistant_id: merge_objects(UNDECLARED, OLD) for assistant_id in IDS}
WANTED = merge_objects(UNDECLARED, DECLARED)


def restart(sandbox: Sandbox, *faults: str) -> Sandbox:
    """Begin again in a sandbox that is running already, with other faults."""
    sandbox.rehearse(*faults)
    for assistant_id, fields in LIVE.items():
        sandbox.put({"id": assistant_id, **fields})
    sandbox.expire_tokens()
    sandbox.forget_requests()
    return sandbox


def repository(project: Project) -> None:
    """Write the definitions of both assistants."""
    for assistant_id in IDS:
        project.write(assistant_id.removeprefix("asst_"), id=assistant_id, **DECLARED)


def count_requests(ends: Ends) -> dict[str, int]:
    """How often each method was used, without those that were not."""
    counted = {"POST": ends.logins, "GET": ends.gets, "PATCH": ends.patches}
    return {method: number for method, number in counted.items() if number}


def reported_requests(document: Document) -> dict[str, int]:
    """The same, as a report counts it."""
    return {method: number for method, number in document["api_calls"].items() if number}


def drop_times(assistant: Mapping[str, Any]) -> dict[str, Any]:
    """An assistant without what the API sets."""
    return {key: value for key, value in assistant.items() if key not in ("id", "orgId", "createdAt", "updatedAt")}


def next_run(project: Project, url: str, document: Document, *, resumed: str = "applied") -> None:
    """Apply again, without faults: first what the report calls unclear, as `--resume` does; that is `resumed` then."""
    origin, unclear = read_unclear(as_report(document))
    # The fault may have been in a server before this one.
    origin = dataclasses.replace(origin, api_url=url)
    if unclear:
        with open_api(url) as api:
            run = project.whole_apply(api, options=ApplyOptions(earlier=UnclearWrites(origin, unclear)))
        assert set(outcomes(project.document(run)).values()) == {resumed}
    assert set(outcomes(project.apply(url)).values()) <= {"applied", "unchanged"}


def check_settled(project: Project, sandbox: Sandbox, **others: Any) -> None:
    """Nothing is left to do, both stores hold what is declared, and nothing else has changed but `others`."""
    assert set(statuses(project.plan(sandbox.url)).values()) == {"in_sync"}
    for assistant_id in IDS:
        expected = {**WANTED, **(others if assistant_id == "asst_b" else {})}
        assert drop_times(sandbox.live(assistant_id)) == expected
        assert drop_times(sandbox.provider(assistant_id)) == expected
