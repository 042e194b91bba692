"""Every fault over a real connection: what the client sees, and what stands in both stores afterwards."""

import contextlib
import email.utils
import http.client
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from servers import Sandbox, running_sandbox

MODEL = {"provider": "openai", "model": "gpt-4o", "temperature": 0.7, "secretSauce": 1}
ONE: dict[str, Any] = {"name": "old", "model": MODEL, "endCallPhrases": ["b", "a"], "metadata": {"k": 1}}
PATH = "/assistants/asst_1"


@contextlib.contextmanager
def faulty_sandbox(*faults: str, seed: int = 0, **options: Any) -> Iterator[tuple[Sandbox, httpx.Client]]:
    """A sandbox with two assistants, and a client that is logged in."""
    seeds = {"asst_1": ONE, "asst_2": ONE}
    with running_sandbox(seeds, faults=faults, fault_seed=seed, **options) as sandbox, sandbox.client() as client:
        yield sandbox, client


def read_both_names(sandbox: Sandbox) -> tuple[str, str]:
    """What provider and database hold."""
    return sandbox.provider("asst_1")["name"], sandbox.live("asst_1")["name"]


def test_without_rules_there_are_no_faults() -> None:
    with faulty_sandbox() as (sandbox, client):
        assert send(client).status_code == 200
        assert (read_both_names(sandbox), sandbox.hits) == (("new", "new"), [])


def send(client: httpx.Client, timeout: float = 30) -> httpx.Response:
    return client.patch(PATH, json={"name": "new"}, timeout=timeout)


STORES = [("", ("old", "old")), ("provider", ("new", "old")), ("database", ("old", "new")), ("both", ("new", "new"))]
each_store = pytest.mark.parametrize(("after", "names"), STORES, ids=["none", "provider", "database", "both"])


def after_option(after: str) -> str:
    return f" after={after}" if after else ""


@each_store
@pytest.mark.parametrize("status", [400, 403, 408, 425, 429, 499, 500, 503, 524, 599])
def test_a_status(status: int, after: str, names: tuple[str, str]) -> None:
    with faulty_sandbox(f"1st PATCH {PATH}: {status}{after_option(after)}") as (sandbox, client):
        answer = send(client)
        assert answer.status_code == status
        assert list(answer.json()) == ["error"]
        assert answer.json()["error"].endswith("(a simulated fault)")
        assert read_both_names(sandbox) == names
        assert send(client).status_code == 200
        assert read_both_names(sandbox) == ("new", "new")
        assert sandbox.hits == [1]


@each_store
def test_a_reset(after: str, names: tuple[str, str]) -> None:
    with faulty_sandbox(f"1st PATCH {PATH}: reset{after_option(after)}") as (sandbox, client):
        with pytest.raises(httpx.ReadError, match="reset by peer"):
            send(client)
        assert read_both_names(sandbox) == names
        assert send(client).status_code == 200


@each_store
def test_no_answer_ever(after: str, names: tuple[str, str]) -> None:
    with faulty_sandbox(f"1st PATCH {PATH}: hang{after_option(after)}") as (sandbox, client):
        with pytest.raises(httpx.ReadTimeout):
            send(client, timeout=0.3)
        wait_until(lambda: read_both_names(sandbox) == names and not sandbox.in_flight)
        assert send(client).status_code == 200


def test_a_late_answer_has_done_the_write() -> None:
    with faulty_sandbox(f"PATCH {PATH}: hang=0.1") as (sandbox, client):
        assert send(client).json()["name"] == "new"
        assert read_both_names(sandbox) == ("new", "new")


def test_a_late_write_may_be_large() -> None:
    with faulty_sandbox(f"PATCH {PATH}: hang=0.01") as (sandbox, client):
        assert client.patch(PATH, json={"firstMessage": "x" * 1_000_000}).status_code == 200
        assert len(sandbox.live("asst_1")["firstMessage"]) == 1_000_000


def test_a_late_write_lands_when_its_client_has_gone() -> None:
    with faulty_sandbox(f"1st PATCH {PATH}: hang=2") as (sandbox, client):
        with pytest.raises(httpx.ReadTimeout):
            send(client, timeout=0.1)
        assert read_both_names(sandbox) == ("old", "old")
        wait_until(lambda: read_both_names(sandbox) == ("new", "new"))


def test_a_late_answer_after_one_store() -> None:
    with faulty_sandbox(f"PATCH {PATH}: hang=0.3 after=provider") as (sandbox, client):
        with pytest.raises(httpx.ReadTimeout):
            send(client, timeout=0.1)
        wait_until(lambda: read_both_names(sandbox) == ("new", "old"))
        assert send(client).status_code == 200
        assert read_both_names(sandbox) == ("new", "old")


def wait_until(holds: Any) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("after", ["provider", "database", "both", ""])
def test_half_an_answer(after: str) -> None:
    names = dict(STORES)[after or "both"]
    with faulty_sandbox(f"1st PATCH {PATH}: half{after_option(after)}") as (sandbox, client):
        connection = http.client.HTTPConnection("127.0.0.1", httpx.URL(sandbox.url).port, timeout=30)
        with contextlib.closing(connection):
            connection.request("PATCH", f"/api{PATH}", '{"name": "new"}', {"cookie": client.headers["cookie"]})
            answer = connection.getresponse()
            assert answer.status == 200
            with pytest.raises(http.client.IncompleteRead) as error_info:
                answer.read()
        promised = int(answer.headers["content-length"])
        assert 0 < len(error_info.value.partial) < promised
        assert error_info.value.partial.startswith(b'{"id":"asst_1"')
        assert read_both_names(sandbox) == names


@each_store
@pytest.mark.parametrize("status", [200, 502])
def test_a_page_instead_of_an_answer(status: int, after: str, names: tuple[str, str]) -> None:
    kind = "html" if status == 200 else f"html={status}"
    with faulty_sandbox(f"1st PATCH {PATH}: {kind}{after_option(after)}") as (sandbox, client):
        answer = send(client)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert answer.text.startswith("<!doctype html>")
        assert read_both_names(sandbox) == names


def test_an_answer_that_drips() -> None:
    with faulty_sandbox(f"PATCH {PATH}: drip=0.0001") as (sandbox, client):
        with client.stream("PATCH", f"{sandbox.url}{PATH}", json={"name": "new"}) as answer:
            pieces = list(answer.iter_raw())
        assert len(pieces) > 20
        assert b"".join(pieces).startswith(b'{"id":"asst_1"')
        assert len(b"".join(pieces)) == int(answer.headers["content-length"])
        assert read_both_names(sandbox) == ("new", "new")


def test_a_drip_ends_where_nobody_listens() -> None:
    with faulty_sandbox("1st GET *: drip=0.01") as (sandbox, client):
        with client.stream("GET", f"{sandbox.url}{PATH}") as answer:
            next(answer.iter_raw())
        assert client.get(PATH).status_code == 200
        wait_until(lambda: sandbox.in_flight == 0)


def read_names(client: httpx.Client) -> list[str]:
    """The names that GET shows for either id, and the listing."""
    paths = (PATH, "/assistants/local_asst_1")
    return [*(client.get(path).json()["name"] for path in paths), client.get("/assistants").json()[0]["name"]]


def test_reads_that_lag_behind_a_write() -> None:
    with faulty_sandbox(f"1st PATCH {PATH}: lag=60s", listing=True) as (sandbox, client):
        before = client.get(PATH).json()
        assert send(client).json()["name"] == "new"
        assert read_both_names(sandbox) == ("new", "new")
        assert read_names(client) == ["old"] * 3
        assert client.get(PATH).json() == before
        client.patch("/assistants/asst_2", json={"name": "new"})
        assert client.get("/assistants/asst_2").json()["name"] == "new"
        assert sandbox.hits == [1]


def test_a_lag_ends() -> None:
    with faulty_sandbox("PATCH /assistants/*: lag=0.3s", listing=True) as (_, client):
        send(client)
        wait_until(lambda: read_names(client) == ["new"] * 3)


def test_each_write_lags_for_itself() -> None:
    with faulty_sandbox("1st PATCH *: lag=0.5s", "2nd PATCH *: lag=60s") as (_, client):
        client.patch(PATH, json={"name": "second"})
        client.patch(PATH, json={"name": "third"})
        wait_until(lambda: client.get(PATH).json()["name"] == "second")


def test_a_new_assistant_is_not_there_yet() -> None:
    with faulty_sandbox("1st POST /assistants: lag=60s", "2nd POST *: lag=0.1s", listing=True) as (sandbox, client):
        created = client.post("/assistants", json={"name": "new"})
        assert created.status_code == 201
        new = created.json()["id"]
        assert find_holders(sandbox, new) == {"provider", "database"}
        assert [client.get(f"/assistants/{prefix}{new}").status_code for prefix in ("", "local_")] == [404, 404]
        assert len(client.get("/assistants").json()) == 2
        second = client.post("/assistants", json={}).json()["id"]
        wait_until(lambda: client.get(f"/assistants/{second}").status_code == 200)
        assert [one["id"] for one in client.get("/assistants").json()] == ["asst_1", "asst_2", second]


@pytest.mark.parametrize(("after", "shown", "hits"), [("both", "old", [1, 1]), ("provider", "old", [1, 0])])
def test_a_lag_comes_on_top_of_another_fault(after: str, shown: str, hits: list[int]) -> None:
    """Where the write does not reach the database, there is nothing to lag behind."""
    with faulty_sandbox(f"PATCH *: 500 after={after}", "PATCH *: lag=60s") as (sandbox, client):
        assert send(client).status_code == 500
        assert (client.get(PATH).json()["name"], sandbox.hits) == (shown, hits)


def test_a_refused_write_does_not_lag() -> None:
    with faulty_sandbox("* *: lag=60s") as (sandbox, client):
        assert client.patch(PATH, json={"name": 5}).status_code == 400
        assert client.get(PATH).json()["name"] == "old"
        assert sandbox.hits == [0]


def test_a_status_of_a_gateway() -> None:
    with faulty_sandbox("1st GET /assistants/*: 524") as (sandbox, client):
        answer = client.get(PATH)
        assert (answer.status_code, answer.json()) == (524, {"error": "Error (a simulated fault)"})
        assert (client.get(PATH).status_code, sandbox.hits) == (200, [1])


def test_retry_after_in_seconds_and_as_a_date() -> None:
    with faulty_sandbox("1st GET *: 429 retry-after=2", "2nd GET *: 503 retry-after=date+60") as (_, client):
        busy = client.get(PATH)
        assert (busy.status_code, busy.headers["retry-after"]) == (429, "2")
        before = time.time()
        down = client.get(PATH)
        date = email.utils.parsedate_to_datetime(down.headers["retry-after"]).timestamp()
        assert down.status_code == 503
        assert before + 60 <= date <= time.time() + 62
        assert "retry-after" not in client.get(PATH).headers


def open_hanging_request(sandbox: Sandbox, client: httpx.Client) -> socket.socket:
    """A connection with a request that has reached the sandbox's application."""
    raw = socket.create_connection(("127.0.0.1", httpx.URL(sandbox.url).port or 0), timeout=30)
    raw.sendall(f"GET /api{PATH} HTTP/1.1\r\nhost: x\r\ncookie: {client.headers['cookie']}\r\n\r\n".encode())
    return raw


def test_a_cap_on_requests_in_flight() -> None:
    with faulty_sandbox("limit 2 in flight retry-after=1", "GET /assistants/*: hang") as (sandbox, client):
        with open_hanging_request(sandbox, client), open_hanging_request(sandbox, client):
            wait_until(lambda: sandbox.in_flight == 2)
            refused = client.get("/auth/me")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        wait_until(lambda: sandbox.in_flight == 0)
        assert client.get("/auth/me").status_code == 200
        assert sandbox.hits == [1, 2]


def test_a_cap_on_requests_within_a_time() -> None:
    with faulty_sandbox("limit 3 per minute") as (sandbox, client):  # the login is one of them
        answers = [client.get("/auth/me") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
        assert "retry-after" not in answers[-1].headers
        assert sandbox.hits == [2]


def test_a_cap_opens_again() -> None:
    with faulty_sandbox("limit 2 per second") as (_, client):
        assert client.get("/auth/me").status_code == 200
        wait_until(lambda: client.get("/auth/me").status_code == 200)


def test_a_token_lives_for_some_requests() -> None:
    with faulty_sandbox("token lives 2 requests") as (sandbox, client):
        assert [client.get("/auth/me").status_code for _ in range(4)] == [200, 200, 401, 401]
        with sandbox.client() as again:
            assert send(again).status_code == 200
        assert sandbox.hits == [1]


@pytest.mark.parametrize(
    ("rule", "sent", "stored", "hit"),
    [
        (
            "trim firstMessage",
            {"firstMessage": " hello \n", "voicemailMessage": " x "},
            {"firstMessage": "hello"},
            True,
        ),
        ("trim *", {"voicemailMessage": " x "}, {"voicemailMessage": "x"}, True),
        ("sort endCallPhrases", {"endCallPhrases": ["c", "a", "b"]}, {"endCallPhrases": ["a", "b", "c"]}, True),
        ("sort metadata", {"metadata": {"k": [3, 2]}}, {"metadata": {"k": [2, 3]}}, True),
        ("round=1 model.temperature", {"model": {"temperature": 0.66}}, {"model": {**MODEL, "temperature": 0.7}}, True),
        ("round metadata.k", {"metadata": {"k": 1.6}}, {"metadata": {"k": 2}}, True),
        ("trim metadata.none", {"metadata": {"k": " x"}}, {"metadata": {"k": " x"}}, False),
        ("trim name.first", {"name": " x"}, {"name": " x"}, False),
        ("sort endCallPhrases", {"name": " x"}, {"name": " x", "endCallPhrases": ["b", "a"]}, False),
    ],
)
def test_a_server_that_normalises(rule: str, sent: dict[str, Any], stored: dict[str, Any], hit: bool) -> None:
    with faulty_sandbox(f"normalise {rule}") as (sandbox, client):
        answer = client.patch(PATH, json=sent).json()
        own = {name: answer[name] for name in ("id", "orgId", "createdAt", "updatedAt")}
        assert answer == sandbox.live("asst_1") == {**ONE, **sent, **stored, **own}
        assert sandbox.provider("asst_1") == {**answer, "updatedAt": sandbox.provider("asst_1")["updatedAt"]}
        assert sandbox.hits == [int(hit)]


@pytest.mark.parametrize("nested", ["merge", "replace"])
def test_a_server_that_drops_what_it_does_not_know(nested: str) -> None:
    with faulty_sandbox("drop unknown keys", nested=nested) as (sandbox, client):
        client.patch(PATH, json={"name": "new"})
        assert sandbox.live("asst_1")["model"] == MODEL  # it was not sent
        sent = {"model": {**MODEL, "temperature": 0.1}, "metadata": {"any": {"key": 1}}, "transcriber": {"x": 1}}
        client.patch(PATH, json=sent)
        for copy in (sandbox.provider("asst_1"), sandbox.live("asst_1")):
            assert copy["model"] == {"provider": "openai", "model": "gpt-4o", "temperature": 0.1}
            assert copy["metadata"]["any"] == {"key": 1}
            assert copy["transcriber"] == {}
        assert sandbox.hits == [1]


def find_holders(sandbox: Sandbox, assistant_id: str) -> set[str]:
    """Which stores hold an assistant."""
    stores = set()
    for store, read in (("provider", sandbox.provider), ("database", sandbox.live)):
        with contextlib.suppress(KeyError):
            read(assistant_id)
            stores.add(store)
    return stores


def test_a_new_assistant_is_normalised_and_may_reach_one_store() -> None:
    with faulty_sandbox("normalise trim name", "POST /assistants: hang=0.01 after=provider") as (sandbox, client):
        created = client.post("/assistants", json={"name": " new "}).json()
        assert created["name"] == "new"
        assert find_holders(sandbox, created["id"]) == {"provider"}


@pytest.mark.parametrize(
    ("after", "remaining"), [("provider", {"database"}), ("database", {"provider"}), ("both", set[str]())]
)
def test_a_deletion_may_reach_one_store(after: str, remaining: set[str]) -> None:
    with faulty_sandbox(f"DELETE *: 500 after={after}") as (sandbox, client):
        assert client.delete(PATH).status_code == 500
        assert find_holders(sandbox, "asst_1") == remaining
        assert find_holders(sandbox, "asst_2") == {"provider", "database"}


def test_another_writer_right_before_a_patch() -> None:
    with faulty_sandbox("edit metadata.by=somebody else before 2nd PATCH /assistants/*") as (sandbox, client):
        client.patch("/assistants/asst_2", json={"name": "new"})
        assert sandbox.live("asst_2")["metadata"] == {"k": 1}
        before = sandbox.live("asst_1")["updatedAt"]
        answer = client.patch("/assistants/local_asst_1", json={"name": "new"}).json()
        assert answer["metadata"] == {"k": 1, "by": "somebody else"}
        assert answer["updatedAt"] > before
        assert (sandbox.provider("asst_1")["metadata"], sandbox.hits) == (answer["metadata"], [1])


def test_another_writer_right_after_a_get() -> None:
    with faulty_sandbox("edit name.first=5 after 1st GET /assistants/*") as (sandbox, client):
        assert client.get("/assistants/asst_9").status_code == 404
        assert client.get(PATH).json()["name"] == "old"
        assert sandbox.hits == [0]  # the first was for an assistant that does not exist
    with faulty_sandbox("edit name.first=5 after GET /assistants/*") as (sandbox, client):
        assert client.get(PATH).json()["name"] == "old"
        assert (sandbox.live("asst_1")["name"], sandbox.provider("asst_1")["name"]) == ({"first": 5}, {"first": 5})
        assert client.get(PATH).json()["name"] == {"first": 5}
        assert sandbox.hits == [2]


def test_an_edit_of_what_the_provider_has_lost() -> None:
    with faulty_sandbox("1st DELETE *: 500 after=provider", f"edit name=x before GET {PATH}") as (_, client):
        client.delete(PATH)
        assert client.get(PATH).json()["name"] == "x"


@pytest.mark.parametrize("kind", ["500", "reset", "hang", "html"])
def test_what_the_api_refuses_is_refused(kind: str) -> None:
    """Nothing was written, so nothing comes after it."""
    with faulty_sandbox(f"PATCH *: {kind} after=both") as (_, client):
        assert client.patch(PATH, json={"name": 5}).status_code == 400
        assert client.patch("/assistants/none", json={}).status_code == 404


def test_a_login_fails_before_and_after() -> None:
    rules = ("1st POST /auth/login: 503", "2nd POST /auth/login: 500 after=both")
    with running_sandbox(faults=rules) as sandbox:
        email, password = sandbox.admin
        login = {"email": email, "password": password}
        statuses = [httpx.post(f"{sandbox.url}/auth/login", json=login, trust_env=False).status_code for _ in range(3)]
        assert statuses == [503, 500, 200]


def test_the_first_rule_that_hits_decides_and_all_of_them_count() -> None:
    with faulty_sandbox("2nd GET *: 500", "every 2nd GET *: 503", "GET *: 504") as (sandbox, client):
        assert [client.get(PATH).status_code for _ in range(4)] == [504, 500, 504, 503]
        assert sandbox.hits == [1, 1, 2]


def test_a_share_is_the_same_for_the_same_seed() -> None:
    def statuses(seed: int, *faults: str) -> list[int]:
        with faulty_sandbox(*faults, seed=seed) as (_, client):
            return [client.get(PATH).status_code for _ in range(30)]

    once = statuses(1, "30% GET *: 503")
    assert set(once) == {200, 503}
    assert once == statuses(1, "30% GET *: 503")
    assert once == statuses(1, "30% GET *: 503", "50% GET /auth/me: 500")  # another rule changes nothing
    assert once != statuses(2, "30% GET *: 503")


def test_pages_outside_the_api_are_left_alone() -> None:
    with running_sandbox(faults=["* *: 500"]) as sandbox:
        assert httpx.get(sandbox.url.removesuffix("/api"), trust_env=False).status_code == 200
        assert sandbox.hits == [0]


@pytest.mark.parametrize("kind", ["hang", "hang=60", "drip=60"])
def test_what_still_hangs_does_not_keep_it_from_stopping(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    with contextlib.ExitStack() as later:
        with faulty_sandbox(f"GET {PATH}: {kind}") as (sandbox, client):
            raw = later.enter_context(open_hanging_request(sandbox, client))
            wait_until(lambda: sandbox.in_flight == 1)
        with contextlib.suppress(ConnectionResetError):
            while raw.recv(4096):
                pass
    assert "Exception" not in caplog.text
