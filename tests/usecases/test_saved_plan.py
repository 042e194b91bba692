"""Applying a plan that somebody reviewed: what was reviewed is sent, or nothing."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from between import Answer, Forward, Request
from json_reports import Document
from projects import kinds, outcomes
from stories import REF, Nested, Story, committed_story, entries

OLD, NEW = {"firstMessage": "old"}, {"firstMessage": "new"}
PATCH = {"firstMessage": "new"}


def open_story(path: Path, nested: Nested = "merge") -> Iterator[Story]:
    live = {name: {**OLD, "metadata": {"own": name, "key": 1}} for name in "abc"}
    with committed_story(path / "repository", live, OLD, nested=nested) as repo:
        repo.apply_and_record()
        for name in "ab":
            repo.write(name, **NEW)
        repo.commit("Second")
        repo.sandbox.forget_requests()
        yield repo


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """Three definitions, of which two have changed since they were recorded."""
    yield from open_story(tmp_path)


@pytest.fixture
def each(tmp_path: Path, nested: Nested) -> Iterator[Story]:
    """The same, under both server semantics."""
    yield from open_story(tmp_path, nested)


def apply_plan(repo: Story, reviewed: Document, *options: str) -> Document:
    return repo.apply("--plan", str(repo.save_report(reviewed, "plan.json")), *options)


class TestWhatWasReviewed:
    def test_is_sent(self, each: Story) -> None:
        reviewed = each.plan()
        result = apply_plan(each, reviewed)
        assert outcomes(result) == {"a": "applied", "b": "applied", "c": "unchanged"}
        assert each.sandbox.patches == [PATCH, PATCH]
        assert [entry["patch"] for entry in reviewed["assistants"]] == [PATCH, PATCH, None]
        assert each.plan()["summary"]["in_sync"] == 3

    def test_is_recorded(self, repo: Story) -> None:
        apply_plan(repo, repo.plan(), "--record")
        assert {name: value["firstMessage"] for name, value in repo.tree().items()} == {
            "assistants/a.yaml": "new",
            "assistants/b.yaml": "new",
            "assistants/c.yaml": "old",
        }

    @pytest.mark.parametrize(("selected", "kept"), [([], []), (["assistants/a.yaml"], ["assistants/c.yaml"])])
    def test_drops_the_entry_of_a_definition_that_is_gone_if_it_covers_all_others(
        self, repo: Story, selected: list[str], kept: list[str]
    ) -> None:
        (repo.root / "assistants" / "c.yaml").unlink()
        repo.commit("Without c")
        result = apply_plan(repo, repo.plan(*selected))
        assert [each["id"] for each in result["no_longer_managed"]] == ["asst_c"] * (not kept)
        assert [*repo.tree()] == ["assistants/a.yaml", "assistants/b.yaml", *kept]
        assert repo.sandbox.live("asst_c")["firstMessage"] == "old"

    def test_may_be_carried_out_under_another_head_with_the_same_definitions(self, repo: Story) -> None:
        reviewed = repo.plan()
        repo.commit("Something else", allow_empty=True)
        assert outcomes(apply_plan(repo, reviewed))["a"] == "applied"

    def test_is_unchanged_where_somebody_else_has_brought_it_about(self, repo: Story) -> None:
        reviewed = repo.plan()
        repo.sandbox.edit("asst_a", **NEW)
        assert outcomes(apply_plan(repo, reviewed)) == {"a": "unchanged", "b": "applied", "c": "unchanged"}
        assert repo.sandbox.patches == [PATCH]

    @pytest.mark.parametrize("edit", [{"name": "Theirs"}, {"metadata": {"own": "theirs"}}, {"tools": [1]}])
    def test_is_sent_though_somebody_edited_what_it_does_not_touch(self, each: Story, edit: dict[str, Any]) -> None:
        reviewed = each.plan()
        each.sandbox.edit("asst_a", **edit)
        assert outcomes(apply_plan(each, reviewed))["a"] == "applied"
        live = each.sandbox.live("asst_a")
        assert {key: live[key] for key in edit} == edit

    @pytest.mark.parametrize("options", [("--on-drift", "revert"), ("--force-conflicts",), ("--on-drift", "keep")])
    def test_keeps_its_options(self, repo: Story, options: tuple[str, ...]) -> None:
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        repo.sandbox.edit("asst_c", firstMessage="theirs")
        reviewed = repo.plan(*options)
        digests = {key: entry["digest"] for key, entry in entries(reviewed).items()}
        result = apply_plan(repo, reviewed, *options)
        sent = {key for key, outcome in outcomes(result).items() if outcome == "applied"}
        assert sent == {key for key, digest in digests.items() if digest is not None}

    def test_says_the_same_as_the_plan(self, repo: Story) -> None:
        reviewed = repo.plan()
        result = apply_plan(repo, reviewed)
        for key, entry in entries(reviewed).items():
            again = entries(result)[key]
            assert (entry["changes"], entry["patch"], entry["digest"]) == (
                again["changes"],
                again["patch"],
                again["digest"],
            )


class TestAnAssistantIsRefused:
    """... as stale, where the reviewed write is not what would be sent now; the others go ahead."""

    def check(self, repo: Story, reviewed: Document, *options: str) -> None:
        result = apply_plan(repo, reviewed, *options)
        assert outcomes(result) == {"a": "refused", "b": "applied", "c": "unchanged"}
        assert repo.sandbox.patches == [PATCH]
        error = entries(result)["a"]["error"]
        assert error is not None
        assert error["kind"] == "stale"
        assert error["message"]

    def test_where_its_definition_has_changed(self, repo: Story) -> None:
        reviewed = repo.plan()
        repo.write("a", firstMessage="newer")
        self.check(repo, reviewed, "--no-record")

    def test_where_its_definition_declares_more(self, repo: Story) -> None:
        reviewed = repo.plan()
        repo.write("a", **NEW, endCallMessage="Bye")
        repo.commit()
        self.check(repo, reviewed)

    def test_where_the_value_that_is_replaced_was_edited_live(self, repo: Story) -> None:
        reviewed = repo.plan()
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        self.check(repo, reviewed)

    def test_where_an_undeclared_key_of_an_object_that_is_sent_was_edited_live(self, each: Story) -> None:
        each.write("a", metadata={"key": 2})
        each.commit()
        reviewed = each.plan()
        each.sandbox.edit("asst_a", metadata={"own": "theirs", "key": 1})
        self.check(each, reviewed)

    def test_without_a_base_too(self, repo: Story) -> None:
        reviewed = repo.plan("--base", "none")
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        self.check(repo, reviewed, "--base", "none")

    def test_where_it_was_in_sync_when_the_plan_was_made(self, repo: Story) -> None:
        repo.sandbox.edit("asst_a", **NEW)
        reviewed = repo.plan()
        repo.sandbox.edit("asst_a", **OLD)
        self.check(repo, reviewed)

    def test_where_it_could_not_be_read_when_the_plan_was_made(self, repo: Story) -> None:
        reviewed = repo.plan()
        entry = reviewed["assistants"][0]
        entry["digest"], entry["patch"], entry["changes"], entry["status"] = None, None, [], "error"
        self.check(repo, reviewed)

    def test_where_nothing_would_be_sent_any_more_although_live_differs(self, repo: Story) -> None:
        """The record has moved: what was a change is drift, and drift is kept. A green run would hide that."""
        reviewed = repo.plan("--base", "none")
        repo.git("update-ref", "-d", REF)
        repo.write("a", **NEW)
        result = apply_plan(repo, reviewed, "--base", "HEAD")
        assert outcomes(result) == {"a": "refused", "b": "refused", "c": "unchanged"}
        assert repo.sandbox.patches == []

    def test_where_it_is_ignored_by_now(self, repo: Story) -> None:
        """Nothing is sent, and a green run would hide that the reviewed value is not live."""
        reviewed = repo.plan()
        repo.project.configure(ignore=[{"path": "firstMessage", "assistants": ["a"], "reason": "the CRM's"}])
        repo.commit("Ignored")
        result = apply_plan(repo, reviewed)
        assert outcomes(result) == {"a": "refused", "b": "applied", "c": "unchanged"}
        assert kinds(result)["a"] == "stale"

    def test_where_its_definition_no_longer_declares_it(self, repo: Story) -> None:
        reviewed = repo.plan()
        repo.write("a", name="a")
        repo.sandbox.edit("asst_a", name="a")
        repo.commit("Released")
        result = apply_plan(repo, reviewed)
        assert outcomes(result) == {"a": "refused", "b": "applied", "c": "unchanged"}

    def test_but_not_where_what_is_ignored_was_brought_about(self, repo: Story) -> None:
        reviewed = repo.plan()
        repo.project.configure(ignore=[{"path": "firstMessage", "reason": "the CRM's"}])
        repo.commit("Ignored")
        repo.sandbox.edit("asst_a", **NEW)
        assert outcomes(apply_plan(repo, reviewed)) == {"a": "unchanged", "b": "refused", "c": "unchanged"}

    def test_where_another_field_rides_along(self, repo: Story) -> None:
        reviewed = repo.plan()
        repo.project.configure(always_send=["metadata"])
        assert outcomes(apply_plan(repo, reviewed, "--no-record")) == {"a": "refused", "b": "refused", "c": "unchanged"}

    def test_where_it_is_edited_between_its_second_reading_and_the_review(self, repo: Story) -> None:
        reviewed = repo.plan()
        readings = []

        def edit(method: str, path: str, body: Any) -> None:
            if (method, path) == ("GET", "/assistants/asst_a"):
                readings.append(path)
                if len(readings) == 2:
                    repo.sandbox.edit("asst_a", firstMessage="theirs")

        repo.sandbox.before_each(edit)
        self.check(repo, reviewed)


class TestAPlanIsRefused:
    """... whole, before any request, where it is not for this run."""

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"options": {"on_drift": "revert", "force_conflicts": False}}, "on_drift revert, but this run has keep"),
            ({"options": {"on_drift": "keep", "force_conflicts": True}}, "force_conflicts True"),
            ({"options": {}}, "on_drift None"),
            ({"format_version": 2}, "has report format 2, but this version reads only up to 1"),
            ({"format_version": "1"}, "is not a report of this tool"),
            ({"assistants": None}, "is not a report of this tool"),
            ({"assistants": [1]}, "is not a report of this tool"),
        ],
    )
    def test_that_says_something_else(self, repo: Story, change: dict[str, Any], message: str) -> None:
        reviewed = {**repo.plan(), **change}
        repo.sandbox.forget_requests()
        file = repo.root.parent / "plan.json"
        file.write_text(json.dumps(reviewed))
        result = repo.run("apply", "--yes", "--plan", file)
        assert (result.code, result.stdout, repo.sandbox.patches) == (1, "", [])
        assert message in result.stderr
        assert len(result.stderr.splitlines()) <= 3
        assert [request for request in repo.sandbox.requests if request[0] == "GET"] == []

    @pytest.mark.parametrize("options", [("--on-drift", "revert"), ("--on-drift", "fail"), ("--force-conflicts",)])
    def test_that_was_made_with_other_options(self, repo: Story, options: tuple[str, ...]) -> None:
        reviewed = repo.save_report(repo.plan(), "plan.json")
        assert "but this run has" in repo.run("apply", "--yes", "--plan", reviewed, *options).stderr

    def test_that_was_made_under_other_settings(self, repo: Story) -> None:
        reviewed = repo.save_report(repo.plan(), "plan.json")
        repo.project.configure(on_drift="revert")
        assert (
            "on_drift keep, but this run has revert"
            in repo.run("apply", "--yes", "--no-record", "--plan", reviewed).stderr
        )

    @pytest.mark.parametrize(
        "text",
        ["", "{", "null", "[]", "{}", '"plan"', "[" * 100_000, '{"a":' * 5000, "NaN", "\x00", "\ufeff{}", "{}{}"],
    )
    def test_that_is_no_report(self, repo: Story, text: str) -> None:
        file = repo.root.parent / "plan.json"
        file.write_text(text)
        result = repo.run("apply", "--yes", "--plan", file)
        assert (result.code, result.stdout, repo.sandbox.requests) == (1, "", [])
        assert "plan.json" in result.stderr

    def test_that_was_cut_off(self, repo: Story) -> None:
        whole = json.dumps(repo.plan(), indent=2)
        repo.sandbox.forget_requests()
        file = repo.root.parent / "plan.json"
        for length in range(1, len(whole) - 1, len(whole) // 23):
            file.write_text(whole[:length])
            assert repo.run("apply", "--yes", "--plan", file).code == 1
        assert repo.sandbox.requests == []

    def test_that_is_not_text(self, repo: Story) -> None:
        file = repo.root.parent / "plan.json"
        file.write_bytes(b"\xff\xfe{")
        assert "is not UTF-8 text" in repo.run("apply", "--yes", "--plan", file).stderr
        assert "cannot be read" in repo.run("apply", "--yes", "--plan", repo.root).stderr
        assert "cannot be read" in repo.run("apply", "--yes", "--plan", "nowhere.json").stderr

    def test_that_is_huge(self, repo: Story) -> None:
        file = repo.root.parent / "plan.json"
        with file.open("wb") as sparse:
            sparse.truncate(64 * 2**20 + 1)
        assert "is larger than 24 MiB" in repo.run("apply", "--yes", "--plan", file).stderr

    def test_beside_paths_or_changed(self, repo: Story) -> None:
        reviewed = str(repo.save_report(repo.plan(), "plan.json"))
        repo.sandbox.forget_requests()
        for more in (["assistants/a.yaml"], ["--changed"], ["--changed-since", "HEAD~1"]):
            result = repo.run("apply", "--yes", "--plan", reviewed, *more)
            assert result.code == 1
            assert "--plan already selects the assistants" in result.stderr
        assert repo.sandbox.requests == []

    def test_that_writes_to_an_assistant_without_a_definition(self, repo: Story) -> None:
        reviewed = repo.plan()
        (repo.root / "assistants/a.yaml").unlink()
        result = repo.run("apply", "--yes", "--no-record", "--plan", repo.save_report(reviewed, "plan.json"))
        assert (result.code, repo.sandbox.patches) == (1, [])
        assert "asst_a, but no definition has that id any more" in result.stderr

    def test_that_a_real_offline_plan_wrote(self, repo: Story) -> None:
        reviewed = repo.plan("--offline")
        result = repo.run("apply", "--yes", "--plan", repo.save_report(reviewed, "plan.json"))
        assert "an offline plan cannot be applied" in result.stderr


def tamper_with(change: Callable[[Any], None]) -> Callable[[Document], Document]:
    def change_document(document: Document) -> Document:
        copied = copy.deepcopy(document)
        for entry in copied["assistants"]:
            change(entry)
        return copied

    return change_document


class TestNothingInAPlanIsEverSent:
    @pytest.mark.parametrize(
        "change",
        [
            lambda entry: entry.update(patch={"firstMessage": "EVIL"}),
            lambda entry: entry.update(patch={"orgId": "EVIL"}),
            lambda entry: entry.update(changes=[]),
            lambda entry: [change.update(desired="EVIL", live="EVIL") for change in entry["changes"]],
            lambda entry: entry.update(key="EVIL", file="../../EVIL", name="EVIL\x1b[31m", status="conflicted"),
        ],
    )
    def test_whatever_it_says_besides_the_digest(self, repo: Story, change: Callable[[Any], None]) -> None:
        result = apply_plan(repo, tamper_with(change)(repo.plan()))
        assert outcomes(result) == {"a": "applied", "b": "applied", "c": "unchanged"}
        assert repo.sandbox.patches == [PATCH, PATCH]
        assert "EVIL" not in json.dumps(result)

    @pytest.mark.parametrize("digest", [None, "", "sha256:", "sha256:" + "0" * 64])
    def test_with_another_digest_nothing_is(self, repo: Story, digest: str | None) -> None:
        result = apply_plan(repo, tamper_with(lambda entry: entry.update(digest=digest))(repo.plan()))
        assert repo.sandbox.patches == []
        assert kinds(result)["a"] == kinds(result)["b"] == "stale"

    def test_a_digest_is_of_one_assistant(self, repo: Story) -> None:
        reviewed = repo.plan()
        a, b, _ = reviewed["assistants"]
        assert a["patch"] == b["patch"]
        a["digest"], b["digest"] = b["digest"], a["digest"]
        assert outcomes(apply_plan(repo, reviewed)) == {"a": "refused", "b": "refused", "c": "unchanged"}

    def test_an_assistant_that_is_not_in_it_is_not_even_read(self, repo: Story) -> None:
        reviewed = repo.plan("assistants/b.yaml")
        repo.sandbox.forget_requests()
        assert outcomes(apply_plan(repo, reviewed)) == {"b": "applied"}
        assert {path for _, path, _ in repo.sandbox.requests} == {"/auth/login", "/assistants/asst_b"}

    def test_an_empty_plan_sends_nothing(self, repo: Story) -> None:
        reviewed = repo.plan()
        reviewed["assistants"] = []
        result = apply_plan(repo, reviewed)
        assert (result["assistants"], repo.sandbox.patches) == ([], [])

    def test_its_texts_do_not_reach_the_terminal(self, repo: Story) -> None:
        reviewed = repo.plan()
        reviewed["api_url"] = "\x1b[31mred\u202e"
        result = repo.run("apply", "--yes", "--plan", repo.save_report(reviewed, "plan.json"))
        assert result.code == 1
        assert "\x1b" not in result.stderr
        assert "\u202e" not in result.stderr


class TestSensitiveValues:
    @pytest.fixture(autouse=True)
    def sensitive(self, repo: Story) -> None:
        repo.project.configure(sensitive=["/metadata/key"])
        repo.write("a", metadata={"key": 2})
        repo.commit()

    def test_are_not_in_the_plan_and_are_sent(self, repo: Story) -> None:
        reviewed = repo.plan()
        assert entries(reviewed)["a"]["patch"] == {"metadata": {"own": "a", "key": "(sensitive)"}}
        assert outcomes(apply_plan(repo, reviewed))["a"] == "applied"
        assert {"metadata": {"own": "a", "key": 2}} in repo.sandbox.patches

    def test_are_refused_under_another_head(self, repo: Story) -> None:
        reviewed = repo.plan()
        repo.write("a", metadata={"key": 3})
        repo.commit()
        result = apply_plan(repo, reviewed)
        assert outcomes(result) == {"a": "refused", "b": "applied", "c": "unchanged"}
        error = entries(result)["a"]["error"]
        assert error is not None
        assert "HEAD has changed since the plan" in error["message"]
        assert repo.sandbox.live("asst_a")["metadata"]["key"] == 1

    def test_are_refused_where_they_are_not_committed(self, repo: Story) -> None:
        repo.git("update-ref", "-d", REF)
        repo.write("a", metadata={"key": 3})
        reviewed = repo.plan()
        repo.write("a", metadata={"key": 4})
        result = apply_plan(repo, reviewed)
        assert outcomes(result) == {"a": "refused", "b": "applied", "c": "unchanged"}
        error = entries(result)["a"]["error"]
        assert error is not None
        assert "it is not committed" in error["message"]
        assert repo.sandbox.live("asst_a")["metadata"]["key"] == 1

    def test_are_refused_where_live_was_touched(self, repo: Story) -> None:
        """The live value is left out of the digest too: the time of the last edit stands in for it."""
        reviewed = repo.plan()
        repo.sandbox.edit("asst_a", metadata={"own": "a", "key": 5})
        assert outcomes(apply_plan(repo, reviewed))["a"] == "refused"

    def test_are_refused_where_an_edit_of_live_could_not_be_seen(self, repo: Story) -> None:
        def forget_edits(request: Request, forward: Forward) -> Answer | None:
            answer = forward(request)
            is_read = request.method == "GET" and answer.status == 200
            return answer.with_body({**answer.json, "updatedAt": None}) if is_read else answer

        with repo.intercept(forget_edits) as server:
            reviewed = {**repo.plan("--base", "none"), "api_url": server.url}
            repo.sandbox.edit("asst_a", metadata={"own": "a", "key": 5})
            result = apply_plan(repo, reviewed, "--base", "none", "--no-record")
        error = entries(result)["a"]["error"]
        assert error is not None
        assert "live does not say when it was last edited" in error["message"]
        assert repo.sandbox.live("asst_a")["metadata"]["key"] == 5

    def test_the_digest_of_one_tells_nothing(self, repo: Story) -> None:
        first = entries(repo.plan())["a"]["digest"]
        repo.write("a", metadata={"key": 3})
        assert entries(repo.plan())["a"]["digest"] == first

    def test_other_fields_do_not_care_about_head(self, repo: Story) -> None:
        repo.write("a", **NEW)
        repo.commit()
        reviewed = repo.plan()
        repo.commit("Something else", allow_empty=True)
        assert outcomes(apply_plan(repo, reviewed))["a"] == "applied"


def test_a_share_of_the_reviewed_assistants_may_be_written(repo: Story) -> None:
    reviewed = repo.save_report(repo.plan("assistants/a.yaml"), "plan.json")
    assert repo.run("apply", "--yes", "--plan", reviewed, "--max-changes", "50%").code == 1
    assert repo.sandbox.patches == []
    assert repo.run("apply", "--yes", "--plan", reviewed, "--max-changes", "100%").code == 0


def test_a_write_that_is_repeated_for_an_unclear_one_can_be_reviewed(repo: Story) -> None:
    entry = {"id": "asst_c", "file": "assistants/c.yaml", "fields": ["/firstMessage"]}
    message = f"Apply: 1 indeterminate\n\nReconciler-Indeterminate: {json.dumps(entry)}\n"
    record = repo.make_commit(f"{REF}^{{tree}}", "HEAD~1", message=message)
    repo.git("update-ref", REF, record)
    reviewed = repo.plan()
    assert entries(reviewed)["c"]["patch"] == OLD
    assert outcomes(apply_plan(repo, reviewed)) == {"a": "applied", "b": "applied", "c": "applied"}
