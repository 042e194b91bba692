"""The sandbox that other tests run in a thread: what it records, and its side doors."""

import threading
from typing import Any

import httpx
import pytest
from servers import running_sandbox


def test_records_requests_to_the_api_with_their_bodies() -> None:
    with running_sandbox({"local_asst_1": {"name": "One"}}) as sandbox, sandbox.client() as client:
        sandbox.forget_requests()
        client.get("/assistants/asst_1")
        client.patch("/assistants/local_asst_1", json={"name": "Two"})
        client.post("/assistants", content=b"no JSON")
        client.get(sandbox.url.removesuffix("/api"))
        assert sandbox.requests == [
            ("GET", "/assistants/asst_1", None),
            ("PATCH", "/assistants/local_asst_1", {"name": "Two"}),
            ("POST", "/assistants", None),
        ]
        assert sandbox.calls == {"GET": 1, "PATCH": 1, "POST": 1}
        assert sandbox.patches == [{"name": "Two"}]
        assert (sandbox.connections, sandbox.most_in_flight) == (1, 1)


def test_an_edit_sets_fields_in_both_copies_without_a_request() -> None:
    with running_sandbox({"asst_1": {"model": {"provider": "openai"}, "name": "One"}}) as sandbox:
        before = sandbox.live("asst_1")
        sandbox.edit("local_asst_1", model=None, tools=[1])
        after = sandbox.live("asst_1")
        assert after == {**before, "model": None, "tools": [1], "updatedAt": after["updatedAt"]}
        assert after["updatedAt"] > before["updatedAt"]
        assert sandbox.provider("asst_1")["tools"] == [1]
        assert sandbox.requests == []
        with pytest.raises(KeyError):
            sandbox.edit("asst_2", name="x")


def test_put_takes_any_field() -> None:
    with running_sandbox() as sandbox:
        sandbox.put({"id": "asst_1", "orgId": "org_other", "updatedAt": "2024-01-02T12:00:00Z", "tools": {"x": None}})
        live = sandbox.live("asst_1")
        assert (live["orgId"], live["updatedAt"], live["tools"]) == (
            "org_other",
            "2024-01-02T12:00:00Z",
            {"x": None},
        )


def test_somebody_may_edit_right_before_a_request() -> None:
    with running_sandbox({"asst_1": {"name": "One"}}) as sandbox, sandbox.client() as client:

        def edit(method: str, path: str, body: Any) -> None:
            if method == "PATCH":
                sandbox.edit("asst_1", firstMessage=f"while {body['name']} came to {path}")

        sandbox.before_each(edit)
        client.get("/assistants/asst_1")
        answer = client.patch("/assistants/asst_1", json={"name": "Two"}).json()
        assert (answer["name"], answer["firstMessage"]) == ("Two", "while Two came to /assistants/asst_1")


def test_tokens_can_expire() -> None:
    with running_sandbox() as sandbox, sandbox.client() as client:
        assert client.get("/auth/me").status_code == 200
        sandbox.expire_tokens()
        assert client.get("/auth/me").status_code == 401


def test_latency_makes_requests_wait_together() -> None:
    with running_sandbox(latency_ms=300) as sandbox:
        together = threading.Barrier(4)

        def ask() -> None:
            with httpx.Client(trust_env=False, timeout=30) as client:
                together.wait()
                client.get(f"{sandbox.url}/auth/me")

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sandbox.most_in_flight > 1
        assert sandbox.connections == 4
