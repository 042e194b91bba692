"""`propose` against GitHub and GitLab over TCP: one request, and never over what people did."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stories import Story, story
from two_hosts import GITHUB, GITLAB, TOKEN, Hosts, running_hosts


class Bench:
    """A clone in a run of the default branch at one of the hosts, after somebody has edited live."""

    def __init__(self, repo: Story, hosts: Hosts, name: str) -> None:
        self.repo, self.hosts, self.name = repo, hosts, name

    def propose(self, **changes: str) -> str:
        """Propose, and return what is said."""
        variables = {
            "github": {
                "GITHUB_REPOSITORY": "north/field",
                "GITHUB_API_URL": f"{self.hosts.url}{GITHUB}",
                "GITHUB_TOKEN": TOKEN,
                "GITHUB_REF": "refs/heads/main",
            },
            "gitlab": {
                "GITLAB_CI": "true",
                "CI_API_V4_URL": f"{self.hosts.url}{GITLAB}",
                "CI_PROJECT_ID": "north/field",
                "GITLAB_TOKEN": TOKEN,
                "CI_COMMIT_BRANCH": "main",
            },
        }[self.name]
        result = self.repo.run("propose", env={**variables, **changes})
        assert TOKEN not in result.stdout + result.stderr
        # Each host has its own word for it.
        message = result.stderr.strip().replace(
            {"github": "pull request", "gitlab": "merge request"}[self.name], "request"
        )
        return message if result.code == 0 else f"failed: {result.stderr}"

    def edit(self, text: str) -> None:
        self.repo.write("a", firstMessage=text)

    @property
    def open(self) -> list[dict[str, Any]]:
        return [request for request in self.hosts.requests if request["state"] == "open"]


@pytest.fixture(params=["github", "gitlab"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with story(tmp_path / "work", {}) as repo, running_hosts() as hosts:
        hosts.user = "pipeline"
        repo.write("a", firstMessage="old")
        repo.commit()
        yield Bench(repo, hosts, request.param)


def test_what_was_written_is_proposed_once(bench: Bench) -> None:
    (bench.repo.root / "report.json").write_text("{}")
    (bench.repo.root / "assistants" / "notes.txt").write_text("mine")
    assert bench.propose() == "Left the requests as they are: nothing has changed."
    assert bench.hosts.writes == []
    bench.edit("new")
    assert bench.propose() == "Created the request."
    (one,) = bench.open
    assert (one["title"], one["target"]) == ("Accept live edits (assistants)", "main")
    assert one["body"].startswith("<!-- reconciler accept assistants -->\n<!-- made ")
    head, files = bench.hosts.commits[one["branch"]]
    assert head == bench.repo.head
    (file,) = files
    assert "firstMessage: new" in file["content"]
    assert "assistants/a.yaml" in (file.get("path"), file.get("file_path"))
    writes = bench.hosts.writes[:]
    assert bench.propose() == "Left the requests as they are: nothing has changed."
    assert bench.hosts.writes == writes


def test_an_answer_that_lacks_what_was_made_is_told(bench: Bench) -> None:
    """As of a gateway between the two that answers in the host's place."""
    bench.edit("new")
    bench.hosts.failing = [(200, [{"head": "x", "source_project_id": []}], {}), (200, [], {}), (201, {"odd": 1}, {})]
    message = bench.propose()
    assert message.startswith("failed: Error: ")
    assert f"without `{'sha' if bench.name == 'github' else 'id'}`" in message


def test_a_branch_whose_request_another_run_has_just_opened_is_not_deleted(bench: Bench) -> None:
    bench.edit("new")
    bench.propose()
    # This run has looked before the other one opened its request, and creates the branch.
    bench.hosts.failing = [(200, [], {}), (200, [], {})]
    bench.hosts.branches.clear()
    assert "already exists" in bench.propose()
    assert [request["branch"] for request in bench.open] == [*bench.hosts.branches]


def test_the_reasons_why_a_request_is_refused_are_shown(bench: Bench) -> None:
    bench.edit("new")
    errors = [{"resource": "PullRequest", "code": "custom", "message": "No commits between main and x"}]
    bench.hosts.failing = [(200, [], {}), (200, [], {}), (422, {"message": "Validation Failed", "errors": errors}, {})]
    message = bench.propose()
    assert "Validation Failed" in message
    assert "No commits between main and x" in message


def test_other_edits_take_the_place_of_the_old_ones_and_none_closes(bench: Bench) -> None:
    bench.edit("new")
    bench.propose()
    bench.edit("newer")
    assert bench.propose() == "Created the request."
    (open_request,) = bench.open
    assert len(bench.hosts.branches) == 1
    bench.edit("old")
    assert bench.propose() == "Closed the request."
    assert (bench.open, bench.hosts.branches) == ([], {})
    # It was closed by itself, so the same edits may come back.
    bench.edit("newer")
    assert bench.propose() == "Created the request."
    assert bench.open[0]["branch"] == open_request["branch"]


def test_what_people_did_is_left_to_them(bench: Bench) -> None:
    bench.edit("new")
    bench.propose()
    (first,) = bench.open
    first["state"] = "closed"
    assert "somebody closed" in bench.propose()
    bench.edit("newer")
    bench.propose()
    (second,) = bench.open
    bench.hosts.branches[second["branch"]] = "a person's commit"
    bench.edit("old")
    assert bench.propose() == "Left the requests as they are: nothing has changed."
    assert bench.open == [second]
    assert second["branch"] in bench.hosts.branches


def test_a_request_whose_text_somebody_has_rewritten_stays_theirs(bench: Bench) -> None:
    bench.edit("new")
    bench.propose()
    (one,) = bench.open
    one["body"] = "Please look at this before Friday."
    writes = bench.hosts.writes[:]
    assert bench.propose() == "Left the requests as they are: nothing has changed."
    assert bench.hosts.writes == writes


def test_a_forged_marker_is_nobody_s(bench: Bench) -> None:
    forged = "<!-- reconciler accept assistants -->\n<!-- made abc -->\n"
    bench.hosts.branches["reconciler/live-edits-x"] = "abc"
    bench.hosts.request("reconciler/live-edits-x", "main", "Mine", forged, "mallory")
    assert bench.propose() == "Left the requests as they are: nothing has changed."
    assert bench.hosts.writes == []


def test_edits_that_were_merged_may_come_again(bench: Bench) -> None:
    bench.edit("new")
    bench.propose()
    bench.open[0]["state"] = "merged"
    assert bench.propose() == "Created the request."
    assert bench.open[0]["branch"].endswith(bench.repo.head[:8])
    assert bench.propose() == "Left the requests as they are: nothing has changed."
    bench.open[0]["state"] = "closed"
    assert bench.propose() == "Left the requests as they are: somebody closed the one for the same edits."


def test_edits_that_came_again_have_one_request_also_after_another_commit(bench: Bench) -> None:
    bench.edit("new")
    bench.propose()
    bench.open[0]["state"] = "merged"
    bench.propose()
    bench.edit("old")
    bench.repo.commit("Something else", allow_empty=True)
    bench.edit("new")
    assert bench.propose() == "Left the requests as they are: nothing has changed."
    assert len(bench.open) == 1


def test_a_branch_that_is_there_is_proposed_and_never_moved(bench: Bench) -> None:
    bench.edit("new")
    bench.propose()
    (one,) = bench.hosts.requests
    bench.hosts.requests.clear()
    bench.hosts.branches[one["branch"]] = "somebody's"
    assert bench.propose() == "Created the request."
    assert bench.hosts.branches == {one["branch"]: "somebody's"}


def test_a_request_that_is_refused_leaves_no_branch(bench: Bench) -> None:
    """As where the settings do not allow workflows to open any."""
    bench.edit("new")
    bench.hosts.refusing = 403
    assert "may not open requests" in bench.propose()
    assert bench.hosts.branches == {}


def test_a_branch_that_a_broken_run_has_left_is_proposed_and_closed_like_any_other(bench: Bench) -> None:
    bench.edit("new")
    bench.hosts.refusing = 502  # it is unknown whether the request was opened, so its branch must stay
    assert bench.propose().startswith("failed: ")
    (name,) = bench.hosts.branches.values()
    bench.hosts.refusing = 409  # somebody has opened one
    assert bench.propose().startswith("failed: ")
    assert name in bench.hosts.branches.values()
    bench.hosts.refusing = 0
    assert bench.propose() == "Created the request."
    assert f"<!-- made {name} -->" in bench.open[0]["body"]
    bench.edit("old")
    assert bench.propose() == "Closed the request."
    assert (bench.open, bench.hosts.branches) == ([], {})


def test_outside_of_a_branch_nothing_is_proposed(bench: Bench) -> None:
    bench.edit("new")
    assert "has no branch" in bench.propose(GITHUB_REF="", CI_COMMIT_BRANCH="")
    # A merge queue's branch is gone as soon as the queue has moved on.
    queue = "refs/heads/gh-readonly-queue/main/pr-7-abc"
    assert "has no branch" in bench.propose(GITHUB_REF=queue, CI_COMMIT_BRANCH="")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="such a name is impossible there")
@pytest.mark.parametrize(
    ("name", "content", "shown"),
    [(b"caf\xe9.yaml", b"id: asst_b\nname: New\n", "caf\\udce9.yaml"), (b"b.yaml", b"name: caf\xe9\n", "b.yaml")],
)
def test_a_file_that_is_not_utf8_is_named(bench: Bench, name: bytes, content: bytes, shown: str) -> None:
    """JSON has no letters for it, so no host could take it."""
    file = bench.repo.root / "assistants" / os.fsdecode(name)
    file.write_text("id: asst_b\n")
    bench.repo.commit()
    file.write_bytes(content)
    said = bench.propose()
    assert said.startswith(f"failed: Error: assistants/{shown}: its name or its text is not UTF-8"), said
    assert bench.hosts.writes == []
