"""Every call of the sandbox's API over TCP: who may, what comes back, and what an error looks like."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from leaks import PASSWORD
from servers import Sandbox, running_sandbox

EXAMPLE: dict[str, Any] = {
    "name": "Enrollment Assistant",
    "firstMessage": "Hi, I'm your enrollment assistant. How can I help today?",
    "firstMessageMode": "assistant-speaks-first",
    "model": {"provider": "openai", "model": "gpt-4o", "temperature": 0.6},
    "voice": {"provider": "openai", "voiceId": "alloy"},
    "maxDurationSeconds": 1800,
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox({"asst_1": EXAMPLE}) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with sandbox.client() as connected:
        yield connected


def error_of(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]
    message = answer.json()["error"]
    assert isinstance(message, str)
    return message


class TestLogin:
    def test_sets_the_cookie_and_tells_the_user(self, sandbox: Sandbox) -> None:
        answer = httpx.post(
            f"{sandbox.url}/auth/login",
            json={"email": "admin@sandbox.test", "password": PASSWORD},
            trust_env=False,
        )
        assert answer.status_code == 200
        assert re.fullmatch(
            r"auth-token=[\w-]{20,}; HttpOnly; Path=/; SameSite=lax; Secure", answer.headers["set-cookie"]
        )
        user = answer.json()["user"]
        assert answer.json() == {"message": "Login successful", "user": user}
        assert user == {
            "id": "user_admin@sandbox.test",
            "email": "admin@sandbox.test",
            "name": "Ada Admin",
            "role": "ADMIN",
            "disabled": False,
            "permissions": {"agents": ["read", "create", "update", "delete"]},
        }

    @pytest.mark.parametrize(
        ("body", "status", "message"),
        [
            ({"email": "admin@sandbox.test"}, 400, "password is required"),
            ({}, 400, "email is required; password is required"),
            ([], 400, "the body must be an object"),
            ({"email": 5, "password": None}, 400, "email must be a string; password must be a string"),
            ({"email": "admin@sandbox.test", "password": "wrong"}, 401, "Invalid email or password"),
            ({"email": "nobody@sandbox.test", "password": PASSWORD}, 401, "Invalid email or password"),
            ({"email": "disabled@sandbox.test", "password": PASSWORD}, 403, "This account is disabled"),
        ],
    )
    def test_refuses(self, client: httpx.Client, body: Any, status: int, message: str) -> None:
        answer = client.post("/auth/login", json=body)
        assert (answer.status_code, error_of(answer)) == (status, message)
        assert "set-cookie" not in answer.headers

    def test_two_logins_give_two_tokens_and_both_work(self, sandbox: Sandbox) -> None:
        with sandbox.client() as one, sandbox.client() as other:
            assert one.headers["cookie"] != other.headers["cookie"]
            assert one.get("/auth/me").status_code == other.get("/auth/me").status_code == 200


def test_me_is_the_owner_of_the_cookie(sandbox: Sandbox) -> None:
    with sandbox.client("viewer@sandbox.test") as viewer:
        answer = viewer.get("/auth/me")
        assert answer.status_code == 200
        assert (answer.json()["user"]["email"], answer.json()["user"]["role"]) == (
            "viewer@sandbox.test",
            "VIEWER",
        )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/auth/me"),
        ("GET", "/assistants/asst_1"),
        ("PATCH", "/assistants/asst_1"),
        ("DELETE", "/assistants/asst_1"),
        ("POST", "/assistants"),
    ],
)
@pytest.mark.parametrize("cookie", [None, "auth-token=made-up", "other=1", "auth-token="])
def test_without_a_valid_cookie_it_is_401(sandbox: Sandbox, method: str, path: str, cookie: str | None) -> None:
    headers = {"cookie": cookie} if cookie else {}
    answer = httpx.request(method, sandbox.url + path, headers=headers, trust_env=False)
    assert (answer.status_code, error_of(answer)) == (401, "Not authenticated")


@pytest.mark.parametrize(
    ("method", "path", "verb"),
    [
        ("PATCH", "/assistants/asst_1", "update"),
        ("PATCH", "/assistants/unknown", "update"),
        ("DELETE", "/assistants/asst_1", "delete"),
        ("POST", "/assistants", "create"),
    ],
)
def test_a_viewer_reads_and_never_writes(sandbox: Sandbox, method: str, path: str, verb: str) -> None:
    before = sandbox.live("asst_1")
    with sandbox.client("viewer@sandbox.test") as viewer:
        answer = viewer.request(method, path, json={"name": "Other"})
        assert (answer.status_code, error_of(answer)) == (
            401,
            f"You do not have permission to {verb} assistants",
        )
        assert viewer.get("/assistants/asst_1").status_code == 200
    assert sandbox.live("asst_1") == before


def test_an_editor_writes(sandbox: Sandbox) -> None:
    with sandbox.client("editor@sandbox.test") as editor:
        assert editor.patch("/assistants/asst_1", json={"maxDurationSeconds": 1800}).status_code == 200


class TestAssistants:
    def test_get_answers_by_either_id_with_the_providers(self, sandbox: Sandbox, client: httpx.Client) -> None:
        by_provider, by_local = client.get("/assistants/asst_1"), client.get("/assistants/local_asst_1")
        assert by_provider.status_code == by_local.status_code == 200
        assistant = by_provider.json()
        assert assistant == by_local.json() == sandbox.live("asst_1") == sandbox.live("local_asst_1")
        assert list(assistant) == ["id", "orgId", "createdAt", "updatedAt", *EXAMPLE]
        assert (assistant["id"], assistant["orgId"]) == ("asst_1", "org_sandbox")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", assistant["createdAt"])
        assert {key: assistant[key] for key in EXAMPLE} == EXAMPLE

    def test_get_answers_from_the_local_database(self, client: httpx.Client, sandbox: Sandbox) -> None:
        sandbox.put({"id": "asst_two_stores", "name": "Both"})
        sandbox._store.write("provider", {**sandbox.live("asst_two_stores"), "name": "Only at the provider"})
        assert client.get("/assistants/asst_two_stores").json()["name"] == "Both"
        assert sandbox.provider("asst_two_stores")["name"] == "Only at the provider"

    @pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
    def test_an_unknown_id_is_404(self, client: httpx.Client, method: str) -> None:
        answer = client.request(method, "/assistants/asst_404", json={"name": 5})
        assert (answer.status_code, error_of(answer)) == (404, "Assistant not found")

    def test_post_creates_in_both_stores(self, sandbox: Sandbox, client: httpx.Client) -> None:
        answer = client.post("/assistants", json=EXAMPLE)
        assert answer.status_code == 201
        created = answer.json()
        assert {key: created[key] for key in EXAMPLE} == EXAMPLE
        assert created["createdAt"] == created["updatedAt"]
        assert client.get(f"/assistants/local_{created['id']}").json() == created
        assert sandbox.live(created["id"]) == sandbox.provider(created["id"]) == created

    def test_post_takes_an_empty_body(self, client: httpx.Client) -> None:
        first, second = client.post("/assistants", json={}), client.post("/assistants", json={})
        assert first.status_code == second.status_code == 201
        assert first.json()["id"] != second.json()["id"]

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({"model": {"provider": "openai"}}, "model.model is required"),
            ({"model": {}}, "model.model is required; model.provider is required"),
            ({"id": "asst_9", "nmae": "x"}, "id is read-only"),
            ({"name": 5, "nmae": "x"}, "name must be a string"),
        ],
    )
    def test_post_refuses(self, client: httpx.Client, body: Any, message: str) -> None:
        answer = client.post("/assistants", json=body)
        assert (answer.status_code, error_of(answer)) == (400, message)

    def test_post_keeps_fields_that_no_reference_lists(self, sandbox: Sandbox, client: httpx.Client) -> None:
        created = client.post("/assistants", json={"name": "x", "analysisPlan": {"summary": [None]}}).json()
        assert created["analysisPlan"] == {"summary": [None]}
        assert sandbox.live(created["id"]) == sandbox.provider(created["id"]) == created

    def test_delete_removes_both_copies(self, sandbox: Sandbox, client: httpx.Client) -> None:
        sandbox.put({"id": "asst_gone"})
        answer = client.delete("/assistants/local_asst_gone")
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        assert client.get("/assistants/asst_gone").status_code == 404
        for read in (sandbox.live, sandbox.provider):
            with pytest.raises(KeyError):
                read("asst_gone")
        assert client.delete("/assistants/asst_gone").status_code == 404

    def test_an_assistant_that_the_provider_has_lost_cannot_be_updated(
        self, sandbox: Sandbox, client: httpx.Client
    ) -> None:
        sandbox.put({"id": "asst_half"})
        sandbox._store.delete("provider", "asst_half")
        answer = client.patch("/assistants/asst_half", json={"name": "x"})
        assert (answer.status_code, error_of(answer)) == (
            500,
            "The external provider does not know this assistant",
        )

    def test_text_of_every_kind_survives(self, client: httpx.Client, sandbox: Sandbox) -> None:
        sandbox.put({"id": "asst_text"})
        text = 'Grüß Gott \U0001f393 \u2028 \\ " \x00 \x1b[31m'
        body = b'{"name": "\\ud800 alone", "firstMessage": ' + _json(text) + b"}"
        answer = client.patch("/assistants/asst_text", content=body)
        assert answer.status_code == 200
        for assistant in (
            answer.json(),
            client.get("/assistants/asst_text").json(),
            sandbox.live("asst_text"),
        ):
            assert (assistant["firstMessage"], assistant["name"]) == (text, "\ud800 alone")


def _json(text: str) -> bytes:
    return httpx.Request("POST", "http://x", json=text).content


class TestListing:
    def test_is_not_there_unless_asked_for(self, client: httpx.Client) -> None:
        answer = client.get("/assistants")
        assert (answer.status_code, error_of(answer)) == (405, "Method Not Allowed")

    def test_lists_all_in_the_order_of_their_making(self) -> None:
        seed = {"asst_b": EXAMPLE, "asst_a": {"name": None}}
        with running_sandbox(seed, listing=True) as sandbox, sandbox.client() as client:
            new_id = client.post("/assistants", json={}).json()["id"]
            client.patch("/assistants/asst_b", json={"name": "Changed"})
            answer = client.get("/assistants")
            assert answer.status_code == 200
            assert [one["id"] for one in answer.json()] == ["asst_b", "asst_a", new_id]
            assert answer.json()[0] == sandbox.live("asst_b")
            assert httpx.get(f"{sandbox.url}/assistants", trust_env=False).status_code == 401
            assert "get" in client.get("/openapi.json").json()["paths"]["/assistants"]


class TestOtherAddresses:
    @pytest.mark.parametrize(
        "path", ["", "/", "/nothing", "/assistants/", "/assistants/a/b", "/auth", "/assistants/a%2Fb"]
    )
    def test_below_the_base_path_it_is_json_and_404(self, sandbox: Sandbox, path: str) -> None:
        answer = httpx.get(sandbox.url + path, trust_env=False)
        assert (answer.status_code, error_of(answer)) == (
            404,
            "Not Found",
        )

    @pytest.mark.parametrize("path", ["/", "/assistants/asst_1", "/apix", "/auth/login"])
    def test_outside_it_is_a_page_with_200(self, sandbox: Sandbox, path: str) -> None:
        answer = httpx.get(sandbox.url.removesuffix("/api") + path, trust_env=False)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.text.startswith("<!doctype html>")

    def test_outside_it_is_a_page_for_every_other_method_too(self, sandbox: Sandbox) -> None:
        answer = httpx.post(sandbox.url.removesuffix("/api") + "/auth/login", json={}, trust_env=False)
        assert (answer.status_code, answer.headers["content-type"]) == (405, "text/html; charset=utf-8")

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("PUT", "/assistants/asst_1", {"GET", "HEAD", "PATCH", "DELETE"}),
            ("POST", "/assistants/asst_1", {"GET", "HEAD", "PATCH", "DELETE"}),
            ("DELETE", "/assistants", {"POST"}),
            ("GET", "/auth/login", {"POST"}),
            ("POST", "/auth/me", {"GET", "HEAD"}),
        ],
    )
    def test_a_wrong_method_is_405_and_names_the_right_ones(
        self, client: httpx.Client, method: str, path: str, allowed: set[str]
    ) -> None:
        answer = client.request(method, path)
        assert (answer.status_code, error_of(answer)) == (405, "Method Not Allowed")
        assert set(answer.headers["allow"].split(", ")) == allowed

    def test_head_is_get_without_its_body(self, client: httpx.Client) -> None:
        head, get = client.head("/assistants/asst_1"), client.get("/assistants/asst_1")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]


class TestBrokenBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b'{"name": "x",}',
            b"{'name': 'x'}",
            b'{"metadata": {"a": NaN}}',
            b'{"metadata": {"a": -Infinity}}',
            b'{"metadata": {"a": 1e999}}',
            b'{"name": "\xff"}',
            b'\xef\xbb\xbf{"name": "x"}',
            '{"name": "x"}'.encode("utf-16"),
            b'{"metadata": {"a": ' + b"9" * 5000 + b"}}",
            b"[" * 100_000,
            b'{"a":' * 100_000,
        ],
        ids=lambda body: repr(body[:20]),
    )
    @pytest.mark.parametrize(("method", "path"), [("PATCH", "/assistants/asst_1"), ("POST", "/auth/login")])
    def test_are_400(self, client: httpx.Client, method: str, path: str, body: bytes) -> None:
        answer = client.request(method, path, content=body)
        assert (answer.status_code, error_of(answer)) == (400, "The body is not valid JSON")

    @pytest.mark.parametrize(("levels", "status"), [(62, 200), (64, 400), (900, 400)])
    def test_nesting_has_a_bound(self, client: httpx.Client, sandbox: Sandbox, levels: int, status: int) -> None:
        sandbox.put({"id": "asst_deep"})
        body = b'{"metadata": ' + b'{"a":' * levels + b"1" + b"}" * levels + b"}"
        for _ in range(2):
            answer = client.patch("/assistants/asst_deep", content=body)
            assert answer.status_code == status
        if status == 400:
            assert error_of(answer) == "The body is nested deeper than 64 levels"


def test_the_openapi_document_needs_no_login(sandbox: Sandbox) -> None:
    answer = httpx.get(f"{sandbox.url}/openapi.json", trust_env=False)
    assert answer.status_code == 200
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "/api"}]
    assert sorted(document["paths"]) == ["/assistants", "/assistants/{id}", "/auth/login", "/auth/me"]
    assert "get" not in document["paths"]["/assistants"]


def test_a_store_that_fails_is_a_500_in_the_envelope() -> None:
    with running_sandbox({"asst_1": EXAMPLE}) as sandbox, sandbox.client() as client:
        sandbox._store._connection.execute("DROP TABLE copies")
        answer = client.get("/assistants/asst_1")
        assert (answer.status_code, error_of(answer)) == (
            500,
            "The local database could not be read or written",
        )


def test_a_bug_is_a_500_in_the_envelope(caplog: pytest.LogCaptureFixture) -> None:
    with running_sandbox({"asst_1": EXAMPLE}) as sandbox, sandbox.client() as client:
        sandbox._store._connection.execute("UPDATE copies SET assistant = 'no JSON'")
        answer = client.patch("/assistants/asst_1", json={})
        assert (answer.status_code, error_of(answer)) == (500, "Something went wrong in the sandbox")
    assert "Exception in ASGI application" in caplog.text
