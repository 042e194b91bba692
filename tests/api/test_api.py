from collections.abc import Iterator
from typing import Any

import pytest
from odd_client import ASSISTANT, TOKEN, check_no_secret, client, token_credentials
from odd_server import OddServer, answer, odd_server

from reconciler.api.client import AssistantsApi
from reconciler.core.ports import ApiLimits, Assistants
from reconciler.errors import ApiError, SettingsError, UnclearWrite, UsageError

PAGE = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"


@pytest.fixture
def server() -> Iterator[OddServer]:
    with odd_server() as running:
        running.on("GET *", answer(200, ASSISTANT))
        running.on("PATCH *", answer(200, ASSISTANT))
        yield running


def catch_error(api: AssistantsApi, assistant_id: str = "asst_1") -> ApiError:
    with api, pytest.raises(ApiError) as error_info:
        api.get(assistant_id)
    return check_no_secret(error_info.value)


def test_the_client_is_what_the_use_cases_ask_for(server: OddServer) -> None:
    with client(server) as api:
        assistants: Assistants = api  # checked by mypy, signature by signature
        assert assistants.get("asst_1") == ASSISTANT
        assert (api.concurrency, assistants.retries) == (4, 2)


def test_a_read_sends_the_cookie_and_returns_the_object(server: OddServer) -> None:
    with client(server) as api:
        assert api.get("asst_1") == ASSISTANT
        assert dict(api.calls) == {"GET": 1, "PATCH": 0, "POST": 0}
        assert api.url == server.url
    (request,) = server.all_requests
    assert (request.method, request.path) == ("GET", "/api/assistants/asst_1")
    assert request.header("cookie") == [f"auth-token={TOKEN}"]
    assert request.header("accept") == ["application/json"]
    assert request.body == b""


def test_a_patch_is_one_request_with_exactly_the_body(server: OddServer) -> None:
    with client(server) as api:
        assert api.patch("asst_1", {"name": "Größe \ud83d", "model": {"a": None}}, live_id="asst_1") == ASSISTANT
        assert dict(api.calls) == {"GET": 0, "PATCH": 1, "POST": 0}
    (request,) = server.all_requests
    assert request.body == b'{"name":"Gr\\u00f6\\u00dfe \\ud83d","model":{"a":null}}'
    assert request.header("content-type") == ["application/json"]
    assert request.header("content-length") == [str(len(request.body))]


@pytest.mark.parametrize(
    ("assistant_id", "path"),
    [
        ("a b", "a%20b"),
        ("a/../b", "a%2F..%2Fb"),
        ("a?x#y", "a%3Fx%23y"),
        ("a%2Fb", "a%252Fb"),
        ("größe", "gr%C3%B6%C3%9Fe"),
        ("...", "..."),
        ("\ud800", "%3F"),
        ("a\r\nb", "a%0D%0Ab"),
    ],
)
def test_an_id_is_one_segment_of_the_path(server: OddServer, assistant_id: str, path: str) -> None:
    with client(server) as api:
        api.get(assistant_id)
    assert server.all_requests[0].path == f"/api/assistants/{path}"


def test_half_of_a_character_is_carried_along_as_it_came(server: OddServer) -> None:
    """Such as where a server cut a text within an emoji."""
    written = '{"id": "asst_1", "metadata": {"summary": "happy \\ud83d", "k\\udc00": [1, "\\ud83d\\ude00"]}}'
    server.on("GET *", answer(200, written))
    server.on("PATCH *", answer(200, written))
    with client(server) as api:
        live = api.get("asst_1")
        assert live["metadata"] == {"summary": "happy \ud83d", "k\udc00": [1, "\U0001f600"]}
        assert api.patch("asst_1", {"metadata": live["metadata"]}, live_id="asst_1") == live
    sent = b'{"metadata":{"summary":"happy \\ud83d","k\\udc00":[1,"\\ud83d\\ude00"]}}'
    assert [request.body for request in server.requests("PATCH")] == [sent]


def test_an_error_with_half_of_a_character_can_be_written(server: OddServer) -> None:
    server.on("GET *", answer(400, '{"error": "not \\ud83d"}'))
    catch_error(client(server)).message.encode()


@pytest.mark.parametrize("assistant_id", ["", ".", "..", "x" * 501])
def test_an_id_that_would_change_the_path_is_never_sent(server: OddServer, assistant_id: str) -> None:
    error = catch_error(client(server), assistant_id)
    assert error.kind == "invalid"
    assert server.connections == 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid"),
        (401, "auth"),
        (403, "forbidden"),
        (404, "not_found"),
        (405, "protocol"),
        (408, "timeout"),
        (425, "server"),
        (499, "network"),
        (520, "server"),
        (409, "protocol"),
        (422, "invalid"),
        (429, "rate_limited"),
        (500, "server"),
        (501, "server"),
        (503, "server"),
        (599, "server"),
    ],
)
def test_a_status_has_its_kind_and_the_api_its_say(server: OddServer, status: int, kind: str) -> None:
    words = f'no \x1b[31m\n "luck" with {TOKEN}\u202e'
    server.on("GET *", answer(status, {"error": words}))
    error = catch_error(client(server, retries=0))
    assert (error.kind, error.status) == (kind, status)
    assert f"GET /assistants/asst_1: the API answered {status}" in error.message
    assert '(no \\x1b[31m "luck" with ***\\x202e)' in error.message


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (PAGE, "with an HTML page instead of JSON"),
        ("", "with an empty response"),
        ("nginx says no", "with something that is not JSON ('nginx says no')"),
        ([1], "with a list instead of an object"),
        ({"message": "no"}, "with an object without the expected content"),
        ({"error": {"code": 1}}, "with an object without the expected content"),
        (7, "with a plain value"),
    ],
)
def test_an_error_that_is_not_in_the_apis_form_is_described(server: OddServer, body: Any, says: str) -> None:
    server.on("GET *", answer(404, body))
    error = catch_error(client(server))
    assert error.kind == "not_found"
    assert says in error.message
    assert "/api?" in error.hint


def test_an_account_that_is_gone_or_disabled_is_no_wrong_id(server: OddServer) -> None:
    for status, says in ((404, "deleted"), (403, "disabled")):
        server.on("GET *", answer(status, {"error": "no"}))
        with client(server) as api, pytest.raises(ApiError) as error_info:
            api.me()
        assert says in error_info.value.hint
    assert "permission" in catch_error(client(server)).hint


def test_who_got_an_answer_is_not_asked_whether_the_api_is_running(server: OddServer) -> None:
    server.on("GET *", answer(200, {}, Content_Encoding="br"))
    error = catch_error(client(server))
    assert (error.kind, error.hint) == ("protocol", f"check the API URL: {server.url}")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (PAGE, "got an HTML page instead of JSON: does RECONCILER_API_URL end in /api?"),
        ("<HTML>", "got an HTML page instead of JSON"),
        ([ASSISTANT], "got a list instead of an object"),
        ("", "got an empty response"),
        ("null", "got a plain value"),
        ("hello " + "x" * 1000, "got something that is not JSON ('hello xxx"),
        ("{}", "got an object without an `id`"),
        ({"id": 7}, "got an `id` that is not a text"),
        ({"id": ""}, "got an `id` that is not a text"),
        ({"id": None}, "got an `id` that is not a text"),
        ('{"id": "a", "id": "b"}', "duplicate key"),
        ('{"id": "a", "n": NaN}', "NaN"),
        ('{"id": "a", "n": -Infinity}', "-Infinity"),
        ('{"id": "a", "n": 1e999}', "too large"),
        ('{"id": "a", "n": ' + "9" * 5000 + "}", "too large"),
        ('{"id": "a", "n": [' + "1," * 250_000 + "1]}", "too many values"),
        ('{"id": "a", "n": "' + "x" * 4 * 1024**2 + '\U0001f600"}', "JSON that is too large"),
        ('{"id": "\\ud800"}', "incomplete character"),
        ('{"id": "a", "n": ' + "[" * 101 + "]" * 101 + "}", "nested too deeply"),
        ("[" * 200_000, "nested too deeply"),
        (b'{"id": "\xff"}', "JSON that is not UTF-8"),
        ('{"id": "a"', "something that is not JSON"),
    ],
)
def test_a_senseless_success_is_a_protocol_error(server: OddServer, body: Any, says: str) -> None:
    server.on("GET *", answer(200, body))
    error = catch_error(client(server))
    assert (error.kind, error.status) == ("protocol", 200)
    assert says in error.message
    assert len(error.message) < 400
    assert server.url in error.hint
    assert len(server.all_requests) == 1


@pytest.mark.parametrize("body", ['{"id": "a", "name": "hush", "n": NaN}', '"name": "hush"}', '\ufeff{"name": "hush'])
def test_pieces_of_an_assistant_are_not_quoted(server: OddServer, body: str) -> None:
    server.on("GET *", answer(200, body))
    assert "hush" not in str(catch_error(client(server)))


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        (PAGE, True),
        ("", True),
        ("nginx", True),
        ("[]", True),
        ("{}", True),
        ('{"id": 7}', False),
        ('{"id": "a", "n": NaN}', False),
        ('{"id": "a", "id": "a"}', False),
        ('{"id": "a", "n": ' + "[" * 101 + "]" * 101 + "}", False),
        ("[" * 200_000, False),
        ('{"id": "a"', False),
        (b'{"id": "\xff"}', False),
        ('{"id": "a"}'.encode("utf-16"), False),
    ],
)
def test_the_url_is_asked_about_only_where_it_may_be_wrong(server: OddServer, body: Any, asks: bool) -> None:
    server.on("GET *", answer(200, body))
    error = catch_error(client(server))
    assert ("does RECONCILER_API_URL end in /api?" in error.message) is asks


def test_a_success_that_says_what_is_wrong_is_quoted(server: OddServer) -> None:
    server.on("GET *", answer(200, {"error": "maintenance until 6"}))
    server.on("PATCH *", answer(202, {"error": "queue is full"}))
    error = catch_error(client(server))
    assert error.message.endswith("got an object without an `id` (maintenance until 6)")
    assert error.hint == ""
    with client(server) as api, pytest.raises(UnclearWrite, match="queue is full"):
        api.patch("asst_1", {"name": "Desk"}, live_id="asst_1")


def test_a_write_that_went_out_was_sent_to_the_right_url(server: OddServer) -> None:
    server.on("PATCH *", answer(204))
    with client(server) as api, pytest.raises(UnclearWrite) as error_info:
        api.patch("asst_1", {"name": "Desk"}, live_id="asst_1")
    assert "RECONCILER_API_URL" not in error_info.value.message
    server.on("PATCH *", answer(413, PAGE))
    with client(server) as api, pytest.raises(ApiError) as refused:
        api.patch("asst_1", {"name": "Desk"}, live_id="asst_1")
    assert "too large" in refused.value.hint
    server.on("PATCH *", answer(409, ""))
    with client(server) as api, pytest.raises(ApiError) as refused:
        api.patch("asst_1", {"name": "Desk"}, live_id="asst_1")
    assert refused.value.hint == ""


def test_nesting_within_the_bound_and_escaped_characters_are_read(server: OddServer) -> None:
    deep = '{"id": "a", "smile": "\\ud83d\\ude00", "n": ' + "[" * 98 + "]" * 98 + ', "f": 0.5, "many": '
    server.on("GET *", answer(200, deep + str([[]] * 200) + "}"))
    with client(server) as api:
        assert api.get("a")["smile"] == "\U0001f600"


def test_a_secret_that_the_server_echoes_does_not_come_back(server: OddServer) -> None:
    server.on("GET *", answer(200, f"you sent Cookie: auth-token={TOKEN}"))
    assert "auth-token=***" in catch_error(client(server)).message


def test_a_redirect_is_not_followed_and_named_without_its_secrets(server: OddServer) -> None:
    with odd_server() as other:
        place = other.origin.replace("//", "//anna:hush@") + "/login?token=hush#hush"
        for status in (301, 302, 303, 307, 308):
            server.on("GET *", answer(status, "", Location=place))
            error = catch_error(client(server))
            assert (error.kind, error.status) == ("protocol", status)
            assert f"redirects to {other.origin}/login, which" in error.message
        assert other.connections == 0


@pytest.mark.parametrize(("location", "says"), [("", "redirects, which"), ("/x", "to /x,"), ("//[", "s, which")])
def test_a_redirect_to_anywhere_is_an_error(server: OddServer, location: str, says: str) -> None:
    server.on("GET *", answer(302, "", Location=location))
    assert says in catch_error(client(server)).message


def test_a_patch_that_answers_about_another_assistant_is_unclear(server: OddServer) -> None:
    with client(server) as api, pytest.raises(UnclearWrite) as error_info:
        api.patch("asst_1", {"name": "x"}, live_id="asst_2")
    assert error_info.value.kind == "protocol"
    assert "'asst_1' instead of 'asst_2'" in error_info.value.message


@pytest.mark.parametrize("body", [PAGE, "", [], "{}", '{"id": 1}'])
def test_a_senseless_answer_to_a_patch_is_unclear(server: OddServer, body: Any) -> None:
    server.on("PATCH *", answer(200, body))
    with client(server) as api, pytest.raises(UnclearWrite) as error_info:
        api.patch("asst_1", {"name": "x"}, live_id="asst_1")
    assert check_no_secret(error_info.value).kind == "protocol"
    assert len(server.all_requests) == 1


def test_who_am_i(server: OddServer) -> None:
    server.on("GET /auth/me", answer(200, {"user": {"id": "u1", "role": "VIEWER"}}))
    with client(server) as api:
        assert api.me() == {"id": "u1", "role": "VIEWER"}
        server.on("GET /auth/me", answer(200, {"id": "u1"}))
        with pytest.raises(ApiError, match="without `user`"):
            api.me()
        server.on("GET /auth/me", answer(404, {"error": "User not found"}))
        with pytest.raises(ApiError, match="User not found"):
            api.me()


@pytest.mark.parametrize(
    ("status", "body", "listed"),
    [
        (200, [ASSISTANT], [ASSISTANT]),
        (200, [], []),
        (200, {"assistants": [ASSISTANT]}, [ASSISTANT]),
        (200, {"assistants": [ASSISTANT], "next": "2"}, None),
        (200, ASSISTANT, None),
        (200, [1], None),
        (200, [{"name": "x"}], None),
        (200, PAGE, None),
        (404, {"error": "no"}, None),
        (405, PAGE, None),
        (206, [ASSISTANT], None),
    ],
)
def test_the_list_is_taken_only_where_there_is_one(server: OddServer, status: int, body: Any, listed: Any) -> None:
    server.on("GET /assistants", answer(status, body))
    with client(server) as api:
        assert api.list_assistants() == listed


@pytest.mark.parametrize(
    ("link", "listed"),
    [
        ('<http://x/assistants?page=2>; rel="next"', None),
        ('<?page=1>; rel="first", <?page=2>; REL=next', None),
        ('<?page=2>; rel="last next"', None),
        ("</_next/static/main.js>; rel=preload", [ASSISTANT]),
    ],
)
def test_a_list_with_a_link_to_the_next_page_is_no_whole_list(server: OddServer, link: str, listed: Any) -> None:
    server.on("GET /assistants", answer(200, [ASSISTANT], Link=link))
    with client(server) as api:
        assert api.list_assistants() == listed


def test_a_list_that_fails_is_an_error(server: OddServer) -> None:
    server.on("GET /assistants", answer(403, {"error": "no"}))
    with client(server) as api, pytest.raises(ApiError) as error_info:
        api.list_assistants()
    assert error_info.value.kind == "forbidden"


@pytest.mark.parametrize("wrong", [{"concurrency": 0}, {"timeout": 0}, {"retries": -1}])
def test_options_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--concurrency"):
        AssistantsApi("http://localhost:1/api", token_credentials(), ApiLimits(**wrong))


@pytest.mark.parametrize("url", ["http://agents.example.edu/api", "nonsense", "https://exa_mple..\u2603/"])
def test_an_unusable_url_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(SettingsError, match="API URL"):
        AssistantsApi(url, token_credentials())
