"""`comment` and `issue` against GitHub and GitLab over TCP: created, edited in place, closed, never somebody else's."""

import contextlib
import dataclasses
import io
import json
import os
import re
import socket
import subprocess
import unittest.mock
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from commands import Completed, environment
from odd_server import Request, answer, odd_server
from two_hosts import BOT, GITHUB, GITLAB, TOKEN, Hosts, running_hosts

from reconciler.cli.boundary import run_guarded
from reconciler.cli.main import reconciler
from reconciler.errors import HostError
from reconciler.hosts.github_host import GitHub
from reconciler.hosts.gitlab_host import GitLab
from reconciler.hosts.host_client import HostClient
from reconciler.hosts.keep import make_marker

GOLDEN = Path(__file__).parent.parent / "report" / "golden"
MARKER = "<!-- reconciler plan assistants -->"
Name = Literal["github", "gitlab"]
Answer = tuple[int, Any, dict[str, str]]
BOTH: tuple[Name, ...] = ("github", "gitlab")
PROJECT = f"{GITLAB}/projects/north%2Ffield"


@dataclasses.dataclass
class Desk:
    """One pipeline of one of the hosts."""

    hosts: Hosts
    name: Name
    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        """What the host's CI sets."""
        if self.name == "gitlab":
            return {
                "GITLAB_CI": "true",
                "CI_API_V4_URL": f"{self.hosts.url}{GITLAB}",
                "CI_PROJECT_ID": "north/field",
                "CI_MERGE_REQUEST_IID": "7",
                "CI_PIPELINE_URL": "https://gitlab.test/north/field/-/pipelines/5",
                "CI_COMMIT_SHA": "c" * 40,
                "GITLAB_TOKEN": TOKEN,
            }
        event = self.folder / "event.json"
        event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": "c" * 40}}}), "utf-8")
        return {
            "GITHUB_REPOSITORY": "north/field",
            "GITHUB_API_URL": f"{self.hosts.url}{GITHUB}",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_SERVER_URL": "https://github.test",
            "GITHUB_RUN_ID": "5",
            "GITHUB_TOKEN": TOKEN,
        }

    def run(self, *arguments: str | Path, **changes: str) -> Completed:
        """Run the command in this process with the host's variables; an empty one counts as not set."""
        variables = {key: value for key, value in {**self.variables, **changes}.items() if value}
        out, err = io.StringIO(), io.StringIO()
        with (
            unittest.mock.patch.dict(os.environ, environment(variables), clear=True),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = run_guarded(reconciler, [*map(str, arguments)])
        output = out.getvalue() + err.getvalue()
        assert TOKEN not in output
        assert "bug in reconciler" not in output
        return Completed(code, out.getvalue(), err.getvalue())

    def comment(self, report: str = "plan", *arguments: str, **changes: str) -> Completed:
        return self.run("comment", GOLDEN / f"{report}.json", *arguments, **changes)

    def issue(self, report: str = "drift", *arguments: str, **changes: str) -> Completed:
        return self.run("issue", GOLDEN / f"{report}.json", *arguments, **changes)


@pytest.fixture(params=BOTH)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A pipeline of each host, whose account may ask who it is."""
    with running_hosts() as hosts:
        hosts.user = "pipeline"
        yield Desk(hosts, request.param, tmp_path)


def test_a_comment_is_created_once_and_edited_in_place(desk: Desk) -> None:
    first = desk.comment()
    (comment_found,) = desk.hosts.comments
    assert (first.code, first.stdout, first.stderr) == (0, "", "Created the comment.\n")
    assert comment_found["body"].startswith(f"{MARKER}\n## Plan")
    assert "[this run](https://" in comment_found["body"]
    assert f"Commit {'c' * 12}" in comment_found["body"]
    second = desk.comment("plan_errors")
    assert (second.stderr, len(desk.hosts.comments)) == ("Edited the comment.\n", 1)
    assert comment_found["body"].startswith(MARKER)
    writes = len(desk.hosts.writes)
    same = desk.comment("plan_errors")
    assert (same.code, len(desk.hosts.writes)) == (0, writes)


def test_where_there_is_nothing_to_say_nothing_is_written(desk: Desk) -> None:
    assert desk.comment("plan_in_sync").code == desk.comment("plan_empty").code == 0
    assert desk.issue("plan_in_sync").code == 0
    assert desk.hosts.writes == []
    desk.comment()
    assert desk.comment("plan_in_sync").stderr == "Edited the comment.\n"
    assert "This request no longer changes a definition." in desk.hosts.comments[0]["body"]


def test_a_command_that_could_not_begin_is_told_too(desk: Desk) -> None:
    text_file = desk.folder / "said.md"
    text_file.write_text("### `reconciler plan` could not begin\n", "utf-8")
    link = ("--link", "https://reports.test/1", "--apply-link", "https://apply.test/run")
    assert desk.run("comment", "--text", text_file, *link).stderr == "Created the comment.\n"
    assert "could not begin" in desk.hosts.comments[0]["body"]
    assert "(https://reports.test/1)" in desk.hosts.comments[0]["body"]
    assert "[apply by hand, with other options](https://apply.test/run)" in desk.hosts.comments[0]["body"]
    assert desk.run("issue", "--text", text_file).stderr == "Created the issue.\n"
    assert desk.run("comment", "--settled").stderr == "Edited the comment.\n"
    assert desk.run("issue", "--settled").stderr == "Closed the issue.\n"
    assert desk.run("comment").code == desk.comment("plan", "--settled").code == 1


def test_in_a_job_of_an_environment_a_text_has_the_name_that_its_reports_have(desk: Desk) -> None:
    text_file, report = desk.folder / "said.md", desk.folder / "apply.json"
    text_file.write_text("### `reconciler apply` could not begin\n", "utf-8")
    report.write_text(json.dumps({**json.loads((GOLDEN / "plan.json").read_text("utf-8")), "environment": "staging"}))
    job = {"RECONCILER_ENVIRONMENT": "staging"}
    assert desk.run("comment", "--text", text_file, **job).stderr == "Created the comment.\n"
    assert desk.run("comment", report, **job).stderr == "Edited the comment.\n"
    assert desk.run("comment", "--settled", **job).stderr == "Edited the comment.\n"
    assert desk.run("issue", "--text", text_file, **job).stderr == "Created the issue.\n"
    assert desk.hosts.issues[0]["title"] == "Not all assistants could be checked (staging)"
    assert desk.run("issue", "--settled", **job).stderr == "Closed the issue.\n"
    # A report says by itself what it is about.
    assert desk.comment("plan", RECONCILER_ENVIRONMENT="production").stderr == "Created the comment.\n"
    assert desk.hosts.comments[1]["body"].startswith(MARKER)


def test_the_commands_that_an_issue_advises_name_the_environment(desk: Desk) -> None:
    report = desk.folder / "drift.json"
    report.write_text(json.dumps({**json.loads((GOLDEN / "drift.json").read_text("utf-8")), "environment": "staging"}))
    assert desk.run("issue", report).code == desk.issue("drift").code == 0
    named, bare = (issue["body"] for issue in desk.hosts.issues)
    assert "with `reconciler pull --environment staging`." in named
    assert "run `reconciler apply --environment staging --on-drift revert`." in named
    assert "with `reconciler pull`." in bare
    # Of several environments in one issue, the one that was edited counts.
    other = desk.folder / "other.json"
    settled = json.loads((GOLDEN / "plan_in_sync.json").read_text("utf-8"))
    other.write_text(json.dumps({**settled, "command": "drift", "environment": "production"}))
    assert desk.run("issue", report, other, "--name", "both").code == 0
    assert "with `reconciler pull --environment staging`." in desk.hosts.issues[-1]["body"]


def test_a_text_that_no_host_takes_is_left_out_and_its_link_stays(desk: Desk) -> None:
    text_file = desk.folder / "said.md"
    text_file.write_text("No network. " * 85_000, "utf-8")
    assert desk.run("comment", "--text", text_file, "--link", "https://ci.test/all").code == 0
    body = desk.hosts.comments[0]["body"]
    assert body.startswith(f"{MARKER}\nThe report is too long to be shown here.\n")
    assert "(https://ci.test/all)" in body


def test_an_empty_text_does_not_say_that_all_is_settled(desk: Desk) -> None:
    desk.comment()
    desk.issue()
    writes = desk.hosts.writes[:]
    text_file = desk.folder / "said.md"
    text_file.write_text("\n", "utf-8")
    for command in ("comment", "issue"):
        result = desk.run(command, "--text", text_file)
        assert (result.code, "said.md is empty" in result.stderr) == (1, True)
    assert desk.hosts.writes == writes


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"released": ["/name"]}, "Released: `assistants/one.yaml`: name"),
        ({"ignored": [{"path": "/name", "reason": "", "expires": None}], "ignored_changes": ["/name"]}, "Ignored:"),
    ],
)
def test_a_change_in_git_that_sends_nothing_is_commented_on(desk: Desk, changed: dict[str, Any], shown: str) -> None:
    report = json.loads((GOLDEN / "plan_in_sync.json").read_text("utf-8"))
    report["assistants"][0] |= changed
    file = desk.folder / "changed.json"
    file.write_text(json.dumps(report), "utf-8")
    assert desk.run("comment", file).stderr == "Created the comment.\n"
    assert shown in desk.hosts.comments[0]["body"]


def test_an_issue_is_opened_edited_and_closed(desk: Desk) -> None:
    assert desk.issue().stderr == "Created the issue.\n"
    (issue_found,) = desk.hosts.issues
    assert issue_found["title"] == "Live assistants were edited outside git (assistants)"
    assert "reconciler pull" in issue_found["body"]
    assert desk.issue("plan_errors").stderr == "Edited the issue.\n"
    assert desk.issue("plan_errors").stderr == "Left the issues as they are: nothing has changed.\n"
    assert issue_found["title"] == "Not all assistants could be checked (assistants)"
    assert desk.issue("plan_in_sync").stderr == "Closed the issue.\n"
    assert (issue_found["state"], len(issue_found["said"])) == ("closed", 1)
    assert desk.issue().stderr == "Created the issue.\n"
    assert [issue["state"] for issue in desk.hosts.issues] == ["closed", "open"]


def test_an_issue_that_is_locked_is_closed_without_a_word(desk: Desk) -> None:
    desk.issue()
    (issue_found,) = desk.hosts.issues
    issues = (
        f"{GITHUB}/repos/north/field/issues" if desk.name == "github" else f"{GITLAB}/projects/north%2Ffield/issues"
    )
    desk.hosts.facts = {f"{issues}/{issue_found['id']}/{'comments' if desk.name == 'github' else 'notes'}": None}
    result = desk.run("issue", "--settled")
    assert (result.code, result.stderr, issue_found["state"]) == (0, "Closed the issue.\n", "closed")
    assert "said" not in issue_found


def test_only_what_this_pipeline_s_account_wrote_is_edited(desk: Desk) -> None:
    others = [
        desk.hosts.add("comments", f"{MARKER}\nMine now", "mallory"),
        desk.hosts.add("comments", f"See {MARKER}", "pipeline"),
        desk.hosts.add("comments", f"{MARKER[:-4]}2 -->\nAnother folder's", "pipeline"),
        desk.hosts.add("comments", f"> {MARKER}\n", "pipeline"),
    ]
    before = [dict(one) for one in others]
    desk.comment()
    assert [*map(dict, others)] == before
    assert desk.hosts.comments[-1]["body"].startswith(MARKER)
    mine = desk.hosts.comments[-1]
    mine["body"] = mine["body"].replace("\n", "\r\n")  # as a browser does
    desk.comment("plan_errors")
    assert len(desk.hosts.comments) == 5


def test_of_two_comments_that_were_created_at_once_one_stays_and_the_other_says_so(desk: Desk) -> None:
    for _ in range(2):
        desk.hosts.add("comments", f"{MARKER}\nOld plan", "pipeline")
    assert desk.comment().stderr == "Edited the comment.\n"
    kept, copy = (comment["body"] for comment in desk.hosts.comments)
    assert kept.startswith(f"{MARKER}\n## Plan")
    assert copy == "Two runs commented at the same time. The other comment is the one that is updated."
    writes = len(desk.hosts.writes)
    assert (desk.comment().code, len(desk.hosts.writes)) == (0, writes)


@pytest.mark.parametrize(("arguments", "states"), [((), ["open", "closed"]), (("--settled",), ["closed", "closed"])])
def test_of_two_issues_that_were_opened_at_once_the_older_stays(
    desk: Desk, arguments: tuple[str, ...], states: list[str]
) -> None:
    """As by two nightly checks of which one was started by hand, or after a gateway's answer to a POST."""
    for _ in range(2):
        desk.hosts.add("issues", "<!-- reconciler drift assistants -->\nOld", "pipeline", title="Old")
    desk.hosts.issues.reverse()  # both hosts list the newest first
    assert (desk.run("issue", *arguments) if arguments else desk.issue()).code == 0
    older, newer = sorted(desk.hosts.issues, key=lambda issue: int(issue["id"]))
    assert [older["state"], newer["state"]] == states
    assert newer["said"] == [f"Two runs opened an issue at the same time. See the other one, #{older['id']}."]
    assert ("live" in older["body"]) is (not arguments)


def test_all_pages_are_looked_at(desk: Desk) -> None:
    desk.hosts.page = 2
    for number in range(2):
        desk.hosts.add("comments", f"Comment {number}", "ada")
    desk.comment()
    assert desk.comment("plan_errors").stderr == "Edited the comment.\n"
    assert len(desk.hosts.comments) == 3


def test_several_folders_have_one_each(desk: Desk) -> None:
    for name in ("east", "west", "a b", "a_b", "-->"):
        desk.comment("plan", "--name", name)
        desk.comment("plan_errors", "--name", name)
    markers = {comment["body"].partition("\n")[0] for comment in desk.hosts.comments}
    assert (len(desk.hosts.comments), len(markers)) == (5, 5)
    assert all(marker.count("-->") == 1 for marker in markers)


def test_a_token_that_is_refused_is_said_and_not_shown(desk: Desk) -> None:
    variable = "GITLAB_TOKEN" if desk.name == "gitlab" else "GITHUB_TOKEN"
    wrong = "another-s3cret"
    result = desk.comment(**{variable: wrong})
    assert (result.code, result.stdout) == (1, "")
    assert "answered 401" in result.stderr
    assert "Bad credentials ***" in result.stderr
    assert wrong not in result.stderr
    missing = desk.comment(**{variable: ""})
    assert (missing.code, variable in missing.stderr) == (1, True)


def test_a_list_that_does_not_end_is_not_taken_for_one_that_lacks_the_comment(desk: Desk) -> None:
    more = {"x-next-page": "2"} if desk.name == "gitlab" else {"link": '<x>; rel="next"'}
    desk.hosts.failing = [(200, [], more)] * 100
    result = desk.comment()
    assert (result.code, desk.hosts.writes) == (1, [])
    assert "more than 100 pages" in result.stderr


def test_a_redirect_is_not_followed(desk: Desk) -> None:
    with running_hosts() as elsewhere:
        desk.hosts.failing = [(302, {}, {"location": f"{elsewhere.url}/stolen"})]
        assert desk.comment().code == 1
        assert elsewhere.calls == []


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("SSL_CERT_FILE", "/no/such.pem", "SSL_CERT_FILE names a file that cannot be used"),
        ("ALL_PROXY", "socks5://127.0.0.1:1", "The proxy in ALL_PROXY cannot be used"),
    ],
)
def test_a_variable_of_the_network_that_cannot_be_used_is_named(
    desk: Desk, variable: str, value: str, named: str
) -> None:
    elsewhere = "https://host.example.test"
    result = desk.comment(GITHUB_API_URL=elsewhere, CI_API_V4_URL=elsewhere, **{variable: value})
    assert (result.code, result.stdout) == (1, "")
    assert named in result.stderr


def test_a_proxy_gets_a_wrong_password_once_and_loopback_has_none(desk: Desk) -> None:
    elsewhere = "https://host.example.test"
    with odd_server() as proxy:
        proxy.on("CONNECT *", answer(407, "", Proxy_Authenticate="Basic"))
        named = proxy.origin.replace("//", "//anna:hush@")
        # The client certificate is for the assistants' API alone, so nobody looks for it here.
        variables = {"HTTPS_PROXY": named, "RECONCILER_CLIENT_CERT": "/no/such.pem"}
        result = desk.comment(GITHUB_API_URL=elsewhere, CI_API_V4_URL=elsewhere, **variables)
        assert (result.code, len(proxy.all_requests)) == (1, 1)
        assert "407 from the proxy in HTTPS_PROXY" in result.stderr
        assert "hush" not in result.stderr
        assert desk.comment(HTTP_PROXY=named).code == 0
        assert len(proxy.all_requests) == 1


@pytest.mark.parametrize("url", ["https://host.example.test", "http://host.example.test"])
def test_a_proxy_that_repeats_what_was_sent_makes_no_message_show_its_password(desk: Desk, url: str) -> None:
    def repeat(sock: socket.socket, request: Request) -> bool:
        sock.sendall(f"-ERR {request.header('proxy-authorization')}\r\n\r\n".encode())
        return False

    with odd_server() as proxy:
        proxy.on("CONNECT *", repeat)
        proxy.on("GET *", repeat)
        variables = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), proxy.origin.replace("//", "//anna:hush@"))
        urls = {"GITHUB_API_URL": url, "CI_API_V4_URL": url}
        result = desk.comment("plan", "--allow-insecure-http", **urls, **variables)
    assert (result.code, "illegal status line" in result.stderr) == (1, True)
    assert b64encode(b"anna:hush").decode() not in result.stderr


@pytest.mark.parametrize("sent", ['hu"sh', {"as": 'hu"sh'}, "hu%22sh"])
def test_a_host_that_repeats_a_password_in_another_spelling_makes_no_message_show_it(desk: Desk, sent: Any) -> None:
    url = "http://host.example.test"
    with odd_server() as proxy:
        proxy.on("GET *", answer(403, {"message": sent}))
        variables = {"HTTP_PROXY": proxy.origin.replace("//", "//anna:hu%22sh@")}
        urls = {"GITHUB_API_URL": url, "CI_API_V4_URL": url}
        result = desk.comment("plan", "--allow-insecure-http", **urls, **variables)
    assert (result.code, "***" in result.stderr, "22sh" in result.stderr) == (1, True, False)
    assert '"sh' not in result.stderr


@pytest.mark.parametrize("body", [None, {}, []])
def test_what_a_gateway_answers_in_the_host_s_place_is_not_called_created(desk: Desk, body: Any) -> None:
    user: Answer = (200, {"login": "pipeline", "username": "pipeline"}, {})
    for kind, run in (("comments", desk.comment), ("issues", desk.issue)):
        to_edit: list[Answer] = [(200, [show_own(desk, kind)], {}), user]
        to_create: list[Answer] = [(200, [], {})]
        for before in (to_create, to_edit):
            desk.hosts.failing = [*before, (200, body, {})]
            result = run()
            assert (result.code, "without what was written" in result.stderr) == (1, True)


def test_a_busy_host_is_asked_again_but_never_to_create_twice(desk: Desk) -> None:
    desk.hosts.failing = [(429, {}, {"retry-after": "0"})]
    waits: list[float] = []
    calls = HostClient("GitLab", f"{desk.hosts.url}{GITLAB}", ("PRIVATE-TOKEN", TOKEN), TOKEN, wait=waits.append)
    assert calls.request("GET", "/user") == {"login": "pipeline", "username": "pipeline"}
    desk.hosts.failing = [(502, {}, {})]
    with pytest.raises(Exception, match="answered 502"):
        calls.request("POST", "/projects/north%2Ffield/issues", {"title": "x", "description": "y"})
    assert (len(waits), len(desk.hosts.writes)) == (1, 1)


def test_a_plan_says_nothing_about_what_was_merged(desk: Desk) -> None:
    result = desk.comment("plan", "--merged-since", "v1")
    assert (result.code, desk.hosts.calls) == (1, [])
    assert "this is a report of `plan`" in result.stderr


def git(repository: Path, *arguments: str) -> str:
    repository.mkdir(exist_ok=True)
    result = subprocess.run(
        ["git", *arguments], cwd=repository, env=environment(), stdout=subprocess.PIPE, text=True, check=True
    )
    return result.stdout.strip()


@pytest.fixture
def merged(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commits of the clone since `v1`, the newest first; a request at the host brought the newest."""
    repository = tmp_path / "work"
    author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    commit = (*author, "commit", "--quiet", "--allow-empty", "-m", "x")
    for arguments in (("init", "--quiet"), commit, ("tag", "v1"), commit, (*commit[:-1], "y")):
        git(repository, *arguments)
    commits = git(repository, "log", "--format=%H", "v1..").split()
    desk.hosts.facts = {find_commit_path(desk, commits[0]): [show_merged(desk, 7)]}
    monkeypatch.chdir(repository)
    return commits


def find_commit_path(desk: Desk, commit: str) -> str:
    if desk.name == "github":
        return f"{GITHUB}/repos/north/field/commits/{commit}/pulls"
    return f"{GITLAB}/projects/north%2Ffield/repository/commits/{commit}/merge_requests"


def show_merged(desk: Desk, number: int) -> dict[str, Any]:
    if desk.name == "github":
        return {"number": number, "merged_at": "now", "base": {"ref": "main", "repo": {}}}
    return {"iid": number, "state": "merged", "target_branch": "main"}


def show_own(desk: Desk, kind: str) -> dict[str, Any]:
    body = make_marker("plan" if kind == "comments" else "drift", "assistants")
    who = {"author": {"username": "pipeline"}} if desk.name == "gitlab" else {"user": {"login": "pipeline"}}
    return {"id": 5, "iid": 5, "number": 5, "body": body, "description": body, **who}


def comment_on_merged(desk: Desk, **changes: str) -> Completed:
    """Say that the apply could not start."""
    text = desk.folder / "said.md"
    text.write_text("The apply could not start.", "utf-8")
    arguments = ("comment", "--text", text, "--merged-since", "v1", "--notify")
    return desk.run(*arguments, GITHUB_REF="refs/heads/main", CI_COMMIT_BRANCH="main", **changes)


@pytest.mark.usefixtures("merged")
def test_settled_does_not_say_that_an_apply_did_not_start(desk: Desk) -> None:
    result = desk.run("comment", "--settled", "--merged-since", "v1", GITHUB_REF="refs/heads/main")
    assert (result.code, "--settled says nothing" in result.stderr, desk.hosts.writes) == (1, True, [])


@pytest.mark.usefixtures("merged")
@pytest.mark.parametrize("ref", ["", "refs/tags/v1"])
def test_a_run_without_a_branch_is_not_silent_about_what_was_merged(desk: Desk, ref: str) -> None:
    result = desk.comment("apply", "--merged-since", "v1", GITHUB_REF=ref)
    assert (result.code, "this run has no branch" in result.stderr, desk.hosts.writes) == (1, True, [])


def test_a_comment_on_what_was_merged_does_not_call_ignored_fields_live(desk: Desk, merged: list[str]) -> None:
    report = json.loads((GOLDEN / "apply.json").read_text("utf-8"))
    applied = report["assistants"][0]
    applied["changes"][0]["since"] = {"commit": merged[0], "author": "Ada", "date": "2026-11-20T00:00:00Z"}
    file = desk.folder / "applied.json"
    for ignored, summary in (([], "are live."), (["/name"], "are live, except for the ignored ones.")):
        report["assistants"] = [{**applied, "ignored_changes": ignored or None}]
        file.write_text(json.dumps(report), "utf-8")
        variables = {"GITHUB_REF": "refs/heads/main", "CI_COMMIT_BRANCH": "main"}
        assert desk.run("comment", file, "--merged-since", "v1", **variables).code == 0
        assert f"All changes of this request {summary}\n" in desk.hosts.comments[-1]["body"]


@pytest.mark.parametrize(("status", "said"), [(403, "or the conversation is locked"), (501, "Not today")])
def test_a_request_that_cannot_be_commented_on_keeps_nobody_else_from_hearing(
    desk: Desk, merged: list[str], status: int, said: str
) -> None:
    path = f"{GITHUB}/repos/north/field/issues" if desk.name == "github" else f"{PROJECT}/merge_requests"
    desk.hosts.facts = {
        f"{path}/5/{'comments' if desk.name == 'github' else 'notes'}": status,
        **{find_commit_path(desk, commit): [] for commit in merged},
        find_commit_path(desk, merged[0]): [show_merged(desk, number) for number in (5, 7)],
    }
    result = comment_on_merged(desk, RECONCILER_WEBHOOK_URL=f"{desk.hosts.url}/hook")
    assert result.code == 1
    assert f"answered {status}" in result.stderr
    assert said in result.stderr
    assert len(desk.hosts.comments) == 1
    assert len(desk.hosts.hooks) == 1


def test_a_commit_that_the_host_does_not_know_hides_no_other_s_request(desk: Desk, merged: list[str]) -> None:
    """As one of a branch that was rewritten, which a change's `since` may still name."""
    assert comment_on_merged(desk).stderr == "Created the comment.\n"
    # Where it knows none of them, it may be the wrong repository, or the token may not read it.
    desk.hosts.facts = {}
    result = comment_on_merged(desk)
    assert (result.code, len(desk.hosts.comments)) == (1, 1)
    assert re.search(f"answered 4(04|22) to GET .*{merged[0]}", result.stderr)


@pytest.mark.parametrize(
    ("message", "headers"),
    [
        ("You have exceeded a secondary rate limit.", {}),
        ("You have triggered abuse detection.", {"retry-after": "0"}),
        ("Slow down.", {"retry-after": "\xb2"}),
        ("Forbidden", {"x-ratelimit-remaining": "0"}),
    ],
)
def test_too_many_requests_are_no_lack_of_a_permission(desk: Desk, message: str, headers: dict[str, str]) -> None:
    """Else a limit that meets the question who we are would read as an app's token, and make a second comment."""
    waits: list[float] = []
    calls = HostClient(
        "GitHub", f"{desk.hosts.url}{GITHUB}", ("Authorization", f"Bearer {TOKEN}"), TOKEN, wait=waits.append
    )
    limit = (403, {"message": message}, headers)
    desk.hosts.failing = [limit]
    assert calls.request("GET", "/user") == {"login": "pipeline", "username": "pipeline"}
    desk.hosts.failing = [limit] * 4
    host = GitHub(client=calls, path="/repos/north/field", number=7)
    with pytest.raises(HostError) as met:
        host.read_account([])
    assert met.value.hint == "the host limits how many requests it takes; start the job again later"
    assert len(waits) == 4


@pytest.mark.parametrize("location", ["javascript:x", "http://[bad", "https://h:99999999/x", "\\\\x", ""])
def test_a_redirect_to_nowhere_is_an_error_like_any_other(desk: Desk, location: str) -> None:
    desk.hosts.failing = [(302, {}, {"location": location})] * 4
    result = desk.run("comment", GOLDEN / "plan.json")
    assert result.code == 1
    assert "GET /" in result.stderr


@pytest.mark.parametrize("status", [403, 429])
def test_a_limit_that_says_when_it_ends_is_waited_for(desk: Desk, status: int) -> None:
    waits: list[float] = []
    calls = HostClient("GitHub", f"{desk.hosts.url}{GITHUB}", ("Authorization", TOKEN), TOKEN, wait=waits.append)
    # By the host's own clock, in seconds since 1970, but no longer than a job should wait.
    for reset, wait in (
        ("1767225612", 12.0),
        ("1767230000", 60.0),
        ("1767225600", 1.0),
        ("soon", 1.0),
        ("9" * 30, 1.0),
    ):
        limit = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset, "date": "Thu, 01 Jan 2026 00:00:00 GMT"}
        desk.hosts.failing = [(status, {"message": "API rate limit exceeded"}, limit)]
        calls.request("GET", "/user")
        assert waits.pop() == wait, reset
    desk.hosts.failing = [(503, {}, {"x-ratelimit-remaining": "9", "x-ratelimit-reset": "9999999999"})]
    calls.request("GET", "/user")
    assert waits == [1.0]


def test_without_a_pull_request_the_comment_has_no_place(desk: Desk) -> None:
    result = desk.comment(GITHUB_EVENT_PATH="", CI_MERGE_REQUEST_IID="")
    assert (result.code, desk.hosts.calls) == (1, [])
    assert "request" in result.stderr
    if desk.name == "github":
        for path in ("", str(desk.folder / "not-in-this-container.json")):
            assert desk.comment(GITHUB_EVENT_PATH=path, GITHUB_REF="refs/pull/7/merge").code == 0
        unreadable = desk.comment(GITHUB_EVENT_PATH=str(desk.folder), GITHUB_REF="refs/pull/7/merge")
        assert (unreadable.code, "the event in GITHUB_EVENT_PATH cannot be read" in unreadable.stderr) == (1, True)


HERE, FORK = {"id": 1}, {"id": 2}
OWN = {"number": 7, "head": {"sha": "d" * 40, "repo": HERE}, "base": {"repo": HERE}}
RUN = {"head_sha": "c" * 40, "head_repository": HERE, "pull_requests": [OWN]}


@pytest.mark.parametrize(
    ("event", "commit"),
    [
        ({"pull_request": {"number": 7, "head": {"sha": "c" * 40}}}, "c" * 40),
        ({"issue": {"number": 7, "pull_request": {}}, "comment": {}}, None),
        ({"workflow_run": RUN}, "c" * 40),
        # A request of a fork, from a branch here, is listed as well; its number is another one's here.
        ({"workflow_run": {**RUN, "pull_requests": [{**OWN, "number": 8, "base": {"repo": FORK}}, OWN]}}, "c" * 40),
    ],
)
def test_an_event_says_which_pull_request_it_is_about(
    tmp_path: Path, event: dict[str, Any], commit: str | None
) -> None:
    path = tmp_path / "started.json"
    path.write_text(json.dumps({"repository": HERE, **event}), "utf-8")
    with running_hosts() as hosts:
        result = Desk(hosts, "github", tmp_path).comment(GITHUB_EVENT_PATH=str(path), GITHUB_SHA="e" * 40)
        assert (result.code, len(hosts.comments)) == (0, 1), result.stderr
        assert re.findall("Commit ([a-f]+)", hosts.comments[0]["body"]) == ([commit] if commit else [])


@pytest.mark.parametrize(
    "event",
    [
        {"issue": {"number": 7}},
        {"workflow_run": {**RUN, "pull_requests": []}},
        {"workflow_run": {**RUN, "head_repository": FORK}},
        {"workflow_run": {**RUN, "head_repository": None}},
        {"workflow_run": {**RUN, "pull_requests": [{**OWN, "head": {"repo": FORK}}]}},
        {"workflow_run": {**RUN, "pull_requests": [{**OWN, "base": {"repo": FORK}}]}},
        {"workflow_run": {**RUN, "pull_requests": [OWN, {**OWN, "number": 8}]}},
        {"workflow_run": {**RUN, "pull_requests": 7}},
        {"workflow_run": RUN, "repository": None},
        {"workflow_run": {"pull_requests": [{"number": 7}]}, "repository": {}},
        {"merge_group": {"head_sha": "c" * 40}},
    ],
)
def test_an_event_of_a_fork_or_of_several_pull_requests_comments_on_none(tmp_path: Path, event: dict[str, Any]) -> None:
    path = tmp_path / "started.json"
    path.write_text(json.dumps({"repository": HERE, **event}), "utf-8")
    with running_hosts() as hosts:
        result = Desk(hosts, "github", tmp_path).comment(GITHUB_EVENT_PATH=str(path))
        assert (result.code, hosts.calls) == (1, [])
        assert "this job does not belong to a pull request" in result.stderr


def test_a_fork_s_pipeline_comments_on_the_merge_request_of_its_target(tmp_path: Path) -> None:
    with running_hosts() as hosts:
        desk, project = Desk(hosts, "gitlab", tmp_path), "north/field"
        result = desk.comment(CI_PROJECT_ID="ada/fork", CI_MERGE_REQUEST_PROJECT_ID=project)
        assert (result.code, len(hosts.comments)) == (0, 1), result.stderr


@pytest.mark.parametrize("changes", [{"GITHUB_REPOSITORY": "a/b/../c"}, {"GITHUB_API_URL": "http://example.com"}])
def test_what_github_s_variables_cannot_say_is_refused(tmp_path: Path, changes: dict[str, str]) -> None:
    result = Desk(Hosts("http://127.0.0.1:1"), "github", tmp_path).comment(**changes)
    assert (result.code, result.stdout) == (1, "")


def test_a_number_that_is_too_long_is_none(tmp_path: Path) -> None:
    long = {"CI_MERGE_REQUEST_IID": "7" * 5000, "GITHUB_REF": f"refs/pull/{'7' * 5000}/merge"}
    for name in BOTH:
        result = Desk(Hosts("http://127.0.0.1:1"), name, tmp_path).comment(GITHUB_EVENT_PATH="", **long)
        assert (result.code, "this job does not belong to" in result.stderr) == (1, True)


def test_a_name_may_hold_anything(desk: Desk) -> None:
    name = "caf\udcff\u202e\n-->"
    assert desk.comment("plan", "--name", name).code == 0
    assert desk.issue("drift", "--name", name).code == 0
    assert desk.comment("plan", "--name", name).stderr.startswith("Left the comments")
    assert desk.hosts.issues[0]["title"] == r"Live assistants were edited outside git (caf\udcff\u202e\n-->)"


def test_a_link_and_the_variables_may_hold_anything(desk: Desk) -> None:
    odd = {"GITHUB_RUN_ID": "5\udcff", "CI_PIPELINE_URL": "https://gitlab.test/\udcff", "CI_COMMIT_SHA": "\udcff"}
    assert desk.comment("plan", "--link", "https://reports.test/\udcff", **odd).stderr == "Created the comment.\n"
    assert r"https://reports.test/\udcff" in desk.hosts.comments[0]["body"]
    # The host decides about a link for which there is no room.
    result = desk.comment("plan", "--link", "x" * 100_000 * (1 + 9 * (desk.name == "gitlab")))
    assert (result.code, "answered 422" in result.stderr) == (1, True)


def test_outside_of_any_ci_it_says_so(tmp_path: Path) -> None:
    result = Desk(Hosts(), "github", tmp_path).comment(GITHUB_REPOSITORY="")
    assert result.code == 1
    assert "neither GITHUB_REPOSITORY nor CI_API_V4_URL is set" in result.stderr


def test_an_app_of_the_team_finds_what_it_wrote_itself(tmp_path: Path) -> None:
    with running_hosts() as hosts:
        hosts.user = "our-deployer[bot]"
        desk = Desk(hosts, "github", tmp_path)
        hosts.add("comments", f"{MARKER}\nOf another app", "somebody-else[bot]")
        assert desk.comment().stderr == "Created the comment.\n"
        assert desk.comment("plan_errors").stderr == "Edited the comment.\n"
        assert [comment["author"] for comment in hosts.comments] == ["somebody-else[bot]", "our-deployer[bot]"]
        assert hosts.comments[0]["body"] == f"{MARKER}\nOf another app"


def test_an_app_that_cannot_tell_who_it_is_writes_nothing(tmp_path: Path) -> None:
    """Else its comment would be taken for somebody else's: a second one, or an old plan that stays."""
    with running_hosts() as hosts:
        hosts.user = "our-deployer[bot]"
        hosts.add("comments", f"{MARKER}\nOld", hosts.user)
        waits: list[float] = []
        calls = HostClient("GitHub", f"{hosts.url}{GITHUB}", ("Authorization", TOKEN), TOKEN, wait=waits.append)
        host = GitHub(client=calls, path="/repos/north/field", number=7)
        refused: Answer = (403, {"message": "Resource not accessible"}, {})
        lost: Answer = (502, {}, {})
        hosts.failing = [refused, lost]
        assert (host.read_account([hosts.user]), len(waits)) == (hosts.user, 1)
        silent: Answer = (200, {"data": None, "errors": [{"type": "RATE_LIMITED"}]}, {})
        for limited in ([lost] * 4, [silent]):
            hosts.failing = [refused, *limited]
            with pytest.raises(HostError):
                host.read_account([hosts.user])
        # It belongs to no app where GitHub says so.
        hosts.failing = [refused, refused]
        assert host.read_account([hosts.user]) == BOT


@pytest.mark.parametrize(
    "user", [None, {}, [], "<html>", {"login": None, "username": 5}, {"login": "", "username": ""}]
)
def test_an_account_without_a_name_writes_nothing(desk: Desk, user: Any) -> None:
    """As where a gateway answers: each run would find nothing of its own, and write it again."""
    desk.hosts.facts = {f"{GITHUB if desk.name == 'github' else GITLAB}/user": user or {"odd": 1}}
    desk.hosts.add("comments", MARKER)
    desk.hosts.add("issues", make_marker("drift", "assistants"), title="x")
    for result in (desk.comment(), desk.issue()):
        assert (result.code, desk.hosts.writes) == (1, [])
        assert "did not say which account the token belongs to" in result.stderr


def test_a_job_s_own_token_writes_as_github_s_bot(tmp_path: Path) -> None:
    with running_hosts() as hosts:
        desk = Desk(hosts, "github", tmp_path)
        hosts.add("issues", "<!-- reconciler drift assistants -->\nOld", BOT, title="Old")
        hosts.add("issues", "<!-- reconciler drift assistants -->\nA pull request", BOT, title="x", pull_request={})
        assert desk.issue().stderr == "Edited the issue.\n"
        assert "Old" not in hosts.issues[0]["body"]
        assert hosts.issues[1]["title"] == "x"


@pytest.mark.parametrize(
    ("report", "selection", "state"),
    [
        ("plan_in_sync", "named", "open"),
        ("plan_in_sync", "changed", "open"),
        ("plan_in_sync", None, "closed"),
        ("apply", "named", "open"),
        ("apply", "changed", "closed"),
    ],
)
def test_a_report_about_some_assistants_closes_no_issue_about_the_others(
    tmp_path: Path, report: str, selection: str | None, state: str
) -> None:
    document: dict[str, Any] = json.loads((GOLDEN / f"{report}.json").read_text("utf-8"))
    if report == "apply":
        document["assistants"] = [{**document["assistants"][0], "outcome": "applied"}]
    file = tmp_path / "report.json"
    file.write_text(json.dumps({**document, **({"selection": selection} if selection else {})}), "utf-8")
    with running_hosts() as hosts:
        kind = "apply" if report == "apply" else "drift"
        hosts.add("issues", f"<!-- reconciler {kind} assistants -->\nSomething", BOT, title="Something")
        assert Desk(hosts, "github", tmp_path).run("issue", file).code == 0
        assert hosts.issues[0]["state"] == state


@pytest.mark.parametrize(("report", "changes"), [("plan_in_sync", {"offline": True}), ("plan", {"base": None})])
def test_a_plan_that_cannot_tell_live_edits_closes_no_issue_about_them(
    desk: Desk, report: str, changes: dict[str, Any]
) -> None:
    """An offline plan does not read live assistants. Without a base, a plan reports live edits as changes."""
    document = json.loads((GOLDEN / f"{report}.json").read_text("utf-8"))
    read = [entry for entry in document["assistants"] if entry["status"] in ("pending", "in_sync")]
    file = desk.folder / "plan.json"
    file.write_text(json.dumps({**document, **changes, "assistants": read}), "utf-8")
    desk.issue()
    result = desk.run("issue", file)
    assert (result.code, desk.hosts.issues[0]["state"]) == (0, "open")
    assert "offline or without a base does not show live edits" in result.stderr


def test_an_issue_is_not_closed_as_if_nothing_was_frozen(desk: Desk) -> None:
    document = json.loads((GOLDEN / "drift.json").read_text("utf-8"))
    edited = document["assistants"][0]
    document["assistants"] = [{**edited, "status": "frozen", "frozen": {"reason": "a week", "expires": "2027-01-15"}}]
    file = desk.folder / "frozen.json"
    file.write_text(json.dumps(document), "utf-8")
    desk.issue()
    assert desk.run("issue", file).stderr == "Closed the issue.\n"
    (said,) = desk.hosts.issues[0]["said"]
    assert "Frozen assistants do not count" in said


def test_reports_of_an_apply_and_its_rollback_say_nothing_about_live_edits(tmp_path: Path) -> None:
    with running_hosts() as hosts:
        desk = Desk(hosts, "github", tmp_path)
        hosts.add("issues", "<!-- reconciler drift assistants -->\nEdited", BOT, title="Edited")
        assert desk.run("issue", GOLDEN / "apply.json", GOLDEN / "rollback.json").code == 0
        assert [issue["state"] for issue in hosts.issues] == ["open", "open"]
        assert hosts.issues[1]["title"] == "Not everything was applied (assistants)"
        mixed = desk.run("issue", GOLDEN / "apply.json", GOLDEN / "plan_in_sync.json")
        assert (mixed.code, "some of these reports are of commands that write" in mixed.stderr) == (1, True)


def test_a_long_report_has_room_for_links_of_long_names(tmp_path: Path) -> None:
    document: dict[str, Any] = json.loads((GOLDEN / "plan.json").read_text("utf-8"))
    document["assistants"] = [{**document["assistants"][0], "file": f"assistants/{n}.yaml"} for n in range(2000)]
    report = tmp_path / "long.json"
    report.write_text(json.dumps(document), "utf-8")
    with running_hosts() as hosts:
        # The longest owner and repository that GitHub takes, three times.
        server = f"https://github.test/{'o' * 39}/{'r' * 100}/actions/runs/12345678901/artifacts/12345678901"
        links = ["--link", server, "--apply-link", server]
        result = Desk(hosts, "github", tmp_path).run("comment", report, *links, GITHUB_SERVER_URL=server)
        assert (result.code, len(hosts.comments)) == (0, 1)
        assert "Left out to fit the size limit" in hosts.comments[0]["body"]
        assert len(hosts.comments[0]["body"].encode("utf-16-le")) // 2 <= 65_536


def test_no_line_of_a_definition_is_a_quick_action() -> None:
    calls = HostClient("GitLab", "https://gitlab.test", ("PRIVATE-TOKEN", TOKEN), TOKEN)
    text = "Hello\n/close\n  /assign @ada\n\r/merge\n/\rclose\n```\n/close\n```\n1/2\n    ```\n/label x"
    inert = GitLab(client=calls, path="/projects/1", number=1).make_inert(text)
    assert inert.split("\n") == [
        *("Hello", "&#47;close", "  /assign @ada", "&#47;merge", "&#47;close"),
        *("```", "&#47;close", "```", "1/2", "    ```", "&#47;label x"),
    ]


def test_nothing_that_a_report_holds_is_a_quick_action(tmp_path: Path) -> None:
    def spoil(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: spoil(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [spoil(one, key) for one in value]
        texts = {"key", "name", "message", "warnings", "reason", "author", "desired", "live", "base", "api_url"}
        return f"{value}\n/merge\r\n\r/assign @me\n/\rclose" if key in texts and isinstance(value, str) else value

    with running_hosts() as hosts:
        hosts.user = "pipeline"
        desk = Desk(hosts, "gitlab", tmp_path)
        for name in ("plan_hostile", "plan_errors", "drift"):
            report = tmp_path / f"{name}.json"
            report.write_text(json.dumps(spoil(json.loads((GOLDEN / f"{name}.json").read_text("utf-8")))), "utf-8")
            for command in ("comment", "issue"):
                assert desk.run(command, report).code == 0
        report.with_suffix(".md").write_text("### Could not begin\n\n/merge\r\n/\rclose\n", "utf-8")
        assert desk.run("comment", "--text", report.with_suffix(".md")).code == 0
        text = "\n".join([str(body) for _, path, body in hosts.calls if "notes" in path or "issues" in path])
        assert "/merge" in text
        for entry in [*hosts.comments, *hosts.issues]:
            assert not re.search(r"^/", entry["body"].replace("\r", ""), re.MULTILINE)


def test_a_name_cannot_leave_its_marker() -> None:
    assert make_marker("plan", "a --> b\n") == "<!-- reconciler plan a%20--%3E%20b%0A -->"


def test_what_was_not_applied_has_an_issue_of_its_own(desk: Desk) -> None:
    assert desk.issue("apply").stderr == "Created the issue.\n"
    (issue_found,) = desk.hosts.issues
    assert issue_found["title"] == "Not everything was applied (assistants)"
    # If it could not start, or was stopped by --max-changes, there are no others that were applied.
    text_file = desk.folder / "said.md"
    text_file.write_text("Nothing was sent: the record cannot be pushed.", "utf-8")
    assert desk.run("issue", "--text", text_file, "--about", "apply").stderr == "Edited the issue.\n"
    assert "Fix what is listed here and apply again." in issue_found["body"]
    assert "were applied" not in issue_found["body"]
    desk.issue("drift")
    assert len(desk.hosts.issues) == 2
    assert desk.run("issue", "--settled", "--about", "apply").stderr == "Closed the issue.\n"
    assert [issue["state"] for issue in desk.hosts.issues] == ["closed", "open"]


def test_a_date_that_is_near_has_an_issue_of_its_own(desk: Desk) -> None:
    report = json.loads((GOLDEN / "plan_in_sync.json").read_text("utf-8"))
    for seconds, message in ((86_400 * 20, ""), (86_400, "Created the issue about settings.\n"), (-1, "")):
        report["next_expiry"] = {"expires": "2027-01-31", "in_seconds": seconds}
        (desk.folder / "drift.json").write_text(json.dumps(report))
        result = desk.run("issue", desk.folder / "drift.json")
        assert (result.code, message in result.stderr, len(desk.hosts.issues)) == (0, True, int(seconds < 86_400 * 14))
    assert "2027-01-31" in desk.hosts.issues[0]["body"]
    assert desk.issue("plan_in_sync").stderr.endswith("Closed the issue about settings.\n")


def test_a_chat_is_told_of_what_begins_and_ends_and_of_nothing_else(desk: Desk) -> None:
    hook = {"RECONCILER_WEBHOOK_URL": f"{desk.hosts.url}/hook?key=s3cret-hook"}
    reports = ("plan_in_sync", "drift", "drift", "plan_errors", "plan_errors", "plan_in_sync", "plan_in_sync")
    for number, report in enumerate(reports):
        # Each run has its own address, so it edits the issue.
        run = {"GITHUB_RUN_ID": f"{number}", "CI_PIPELINE_URL": f"https://gitlab.test/-/pipelines/{number}"}
        result = desk.issue(report, **hook, **run)
        assert "s3cret-hook" not in result.stdout + result.stderr
    texts = [one["text"] for one in desk.hosts.hooks]
    assert [text.partition(" http")[0].partition(" (")[0] for text in texts] == [
        "Live assistants were edited outside git",
        "Not all assistants could be checked",
        "assistants: All assistants could be checked, and no live edits are left.",
    ]
    assert all("https://" in text for text in texts)


def test_a_webhook_that_does_not_work_is_a_warning_without_its_address(desk: Desk) -> None:
    with running_hosts() as elsewhere:
        desk.hosts.hook = (302, "", {"location": f"{elsewhere.url}/hook"})
        bad = [
            "http://127.0.0.1:9/s3cret-hook",
            "http://127.0.0.1:9/?s3cret-hook\udcff",  # a byte that is not UTF-8
            "http://example.test/s3cret-hook",
            "s3cret-hook",
            "https://[s3cret-hook",
        ]
        for address, message in [(f"{desk.hosts.url}/hook?s3cret-hook", "answered 302"), *((one, "") for one in bad)]:
            result = desk.issue(RECONCILER_WEBHOOK_URL=address)
            assert (result.code, "warning: " in result.stderr, message in result.stderr) == (0, True, True)
            assert "s3cret-hook" not in result.stdout + result.stderr
            desk.issue("plan_in_sync")
        assert elsewhere.calls == []
