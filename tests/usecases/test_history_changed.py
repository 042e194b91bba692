"""`--changed` and `--changed-since`: requests follow what changed, not the fleet."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from between import answer_with
from histories import NEW, OLD, OTHER, change_kinds, make_clone, merge, unmanaged_files
from stories import REF, Story, committed_story, entries

LIVE: dict[str, Any] = dict.fromkeys("abcd", OLD)


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """Four definitions, committed as they are live; b was edited live since."""
    with committed_story(tmp_path / "repository", LIVE, OLD) as repo:
        repo.sandbox.edit("asst_b", **OTHER)
        yield repo


def list_read_keys(repo: Story, *arguments: str | Path, command: str = "plan") -> list[str]:
    """The definitions that a run looked at, each with one GET and nothing else."""
    repo.sandbox.forget_requests()
    document = repo.report(command, *arguments)
    keys = [entry["key"] for entry in document["assistants"]]
    assert repo.sandbox.calls == ({"POST": 1, "GET": len(keys)} if keys else {})
    return keys


def test_one_changed_definition_is_one_request(repo: Story) -> None:
    base = repo.head
    repo.write("c", **NEW)
    for options in (("--base", base, "--changed"), ("--changed-since", base)):
        assert list_read_keys(repo, *options) == ["c"]
    repo.commit("Change")
    for options in (("--base", base, "--changed"), ("--changed-since", base)):
        assert list_read_keys(repo, *options) == ["c"]
        assert list_read_keys(repo, *options, command="drift") == ["c"]
    document = repo.apply("--base", base, "--changed")
    assert document["api_calls"] == {"GET": 3, "PATCH": 1, "POST": 1}
    # A reader of the report must not take it for one of all.
    assert (document["selection"], repo.plan("asst_a")["selection"]) == ("changed", "named")
    assert "selection" not in repo.plan()


def test_since_a_revision_without_a_base_live_edits_are_changes_all_the_same(repo: Story) -> None:
    repo.write("b", **NEW)
    document = repo.plan("--changed-since", "HEAD")
    assert (change_kinds(document), document["base"]) == ({"b": {"/firstMessage": "change"}}, None)
    document = repo.plan("--changed-since", "HEAD", "--base", "HEAD")
    assert change_kinds(document) == {"b": {"/firstMessage": "conflict"}}


@pytest.mark.parametrize("command", ["plan", "apply", "drift"])
def test_nothing_changed_is_no_error_and_the_report_says_so(repo: Story, command: str) -> None:
    consent = ["--yes"] if command == "apply" else []
    result = repo.run(command, "--changed", "--base", "HEAD", *consent)
    assert result.code == 0
    assert result.stdout == f"{command.capitalize()}: no definition has changed, nothing to do.\n"
    assert repo.sandbox.requests == []
    page = repo.run(command, "--changed", "--base", "HEAD", "--format", "markdown", *consent)
    assert "no definition has changed" in page.stdout
    assert repo.run(command, "--changed", "--base", "HEAD", "--quiet", *consent).stdout == ""
    document = repo.report(command, "--changed", "--base", "HEAD", *consent)
    assert (document["summary"]["total"], document["assistants"], document["warnings"]) == (0, [], [])
    assert repo.run(command, "--changed-since", "HEAD", *consent).code == 0
    if command != "apply":
        assert repo.run(command, "--changed", "--base", "HEAD", "--detailed-exitcode").code == 0


def test_without_a_base_there_is_nothing_to_differ_from(repo: Story) -> None:
    for options in ((), ("--base", "none")):
        result = repo.run("plan", "--changed", *options)
        assert (result.code, result.stdout) == (1, "")
        assert "--changed needs a base" in result.stderr
        assert "--base REV" in result.stderr
        assert "git fetch origin refs/reconciler/applied:refs/reconciler/applied" in result.stderr


def test_paths_narrow_what_changed(repo: Story) -> None:
    repo.write("c", **NEW)
    repo.write("deep/d2", id="asst_d", **OLD)
    (repo.root / "assistants/d.yaml").unlink()
    assert list_read_keys(repo, "--changed-since", "HEAD") == ["c", "deep/d2"]
    assert list_read_keys(repo, "--changed-since", "HEAD", "assistants/deep") == ["deep/d2"]
    assert list_read_keys(repo, "--changed-since", "HEAD", "assistants/c.yaml", "assistants/a.yaml") == ["c"]
    assert list_read_keys(repo, "--changed-since", "HEAD", "assistants/a.yaml") == []


def test_new_files_count_tracked_or_not_and_ignored_too(repo: Story) -> None:
    for name in "xyz":
        repo.sandbox.put({"id": f"asst_{name}", **OLD})
        repo.write(name, **OLD)
    repo.git("add", "assistants/x.yaml")
    (repo.root / ".git/info/exclude").write_text("z.yaml\n", "utf-8")
    (repo.root / "assistants/.draft.yaml").write_text("id: asst_a\n", "utf-8")
    (repo.root / "assistants/notes.txt").write_text("none\n", "utf-8")
    repo.write("inner/v", id="asst_z", name="In a repository of its own")
    repo.git("init", "--quiet", "assistants/inner")
    (repo.root / "assistants/z.yaml").unlink()
    assert list_read_keys(repo, "--changed-since", "HEAD") == ["inner/v", "x", "y"]


def test_a_moved_file_and_a_removed_one(repo: Story) -> None:
    base = repo.head
    repo.git("mv", "assistants/b.yaml", "assistants/moved.yaml")
    repo.git("rm", "--quiet", "assistants/c.yaml")
    for message in ("Move and remove", "And nothing else"):
        document = repo.plan("--base", base, "--changed")
        assert change_kinds(document) == {"moved": {"/firstMessage": "drift"}}
        assert document["no_longer_managed"] == [{"file": "assistants/c.yaml", "id": "asst_c"}]
        assert unmanaged_files(repo.plan("--base", base, "--changed", "assistants/moved.yaml")) == []
        repo.commit(message, allow_empty=True)


def test_where_a_definition_was_only_removed_the_report_says_that(repo: Story) -> None:
    base = repo.head
    repo.git("rm", "--quiet", "assistants/c.yaml")
    repo.commit("Remove")
    result = repo.run("plan", "--base", base, "--changed")
    assert (result.code, result.stderr) == (0, "")
    assert "no longer managed: assistants/c.yaml (asst_c)" in result.stdout
    assert repo.sandbox.requests == []


def test_a_branch_is_compared_with_where_it_left_the_base(repo: Story) -> None:
    repo.git("checkout", "--quiet", "-b", "side")
    repo.write("a", **NEW)
    repo.commit("On the side")
    repo.git("checkout", "--quiet", "-")
    repo.write("c", **NEW)
    main = repo.commit("On the main line")
    repo.git("checkout", "--quiet", "side")
    assert list_read_keys(repo, "--changed-since", main) == ["a"]
    document = repo.plan("--changed", "--base", main)
    assert change_kinds(document) == {"a": {"/firstMessage": "change"}}
    merge(repo, main)
    assert list_read_keys(repo, "--changed-since", main) == ["a"]
    repo.git("checkout", "--quiet", "--orphan", "unrelated")
    repo.commit("Unrelated")
    result = repo.run("plan", "--changed-since", main)
    assert result.code == 1
    assert "no commit in common" in result.stderr


def clone_with_record(repo: Story, to: Path) -> None:
    """Go on in a clone that has one commit, and the record."""
    repo.root = make_clone(repo, to, "--depth", "1")
    repo.git("fetch", "--quiet", "--depth", "1", "origin", f"{REF}:{REF}")


def test_what_an_older_commit_has_undone_is_changed_again(repo: Story) -> None:
    older = repo.head
    repo.apply_and_record()
    repo.write("a", **NEW)
    newer = repo.commit()
    repo.apply()
    repo.git("checkout", "--quiet", older)
    repo.apply("--allow-older")
    repo.git("checkout", "--quiet", newer)
    repo.write("c", **NEW)
    repo.commit()
    assert list_read_keys(repo, "--changed") == ["a", "c"]


def test_an_apply_that_goes_back_undoes_what_the_older_commit_lacks(repo: Story) -> None:
    older = repo.head
    repo.apply_and_record()
    repo.write("a", **NEW)
    repo.commit()
    repo.apply()
    repo.git("checkout", "--quiet", older)
    assert list_read_keys(repo, "--changed") == []  # a branch that is behind has not changed it
    document = repo.apply("--changed", "--allow-older")
    assert {key: entry["outcome"] for key, entry in entries(document).items()} == {"a": "applied"}
    assert repo.sandbox.live("asst_a")["firstMessage"] == OLD["firstMessage"]


def test_a_shallow_clone_without_the_fork_says_what_to_do(repo: Story, tmp_path: Path) -> None:
    repo.git("branch", "base")
    repo.commit("More", allow_empty=True)
    repo.root = make_clone(repo, tmp_path / "shallow", "--depth", "1", "--no-single-branch")
    result = repo.run("plan", "--changed-since", "origin/base")
    assert result.code == 1
    assert "no commit in common" in result.stderr
    assert "fetch-depth: 0" in result.stderr


def test_a_shallow_clone_with_the_record_alone_knows_what_is_settled(repo: Story, tmp_path: Path) -> None:
    repo.apply_and_record()
    repo.commit("More", allow_empty=True)
    clone_with_record(repo, tmp_path / "shallow")
    assert list_read_keys(repo, "--changed-since", "HEAD") == []


def test_an_older_record_without_what_it_is_about_says_what_to_do(repo: Story, tmp_path: Path) -> None:
    repo.apply_and_record()
    message = "\n".join(line for line in repo.message.splitlines() if not line.startswith("Reconciler-Unsettled: "))
    older = repo.make_commit(f"{REF}^{{tree}}", "HEAD", message=message)
    repo.git("update-ref", REF, older)
    repo.commit("More", allow_empty=True)
    clone_with_record(repo, tmp_path / "shallow")
    result = repo.run("plan", "--changed-since", "HEAD")
    assert (result.code, result.stdout) == (1, "")
    assert "which was applied last, is not in this clone" in result.stderr
    assert "fetch-depth: 0" in result.stderr


def test_an_older_file_in_the_record_counts(repo: Story) -> None:
    """A selected run leaves the others' older files in the record; the next `--changed` settles them."""
    repo.sandbox.edit("asst_b", **OLD)
    repo.apply_and_record()
    for name in "abc":
        repo.write(name, **NEW)
    repo.commit("Change three")
    repo.apply_and_record("assistants/a.yaml")
    assert list_read_keys(repo, "--changed") == ["b", "c"]
    repo.commit("More", allow_empty=True)
    assert list_read_keys(repo, "--changed") == ["b", "c"]
    assert list_read_keys(repo, "--changed-since", "HEAD") == ["b", "c"]
    repo.apply_and_record("--changed")
    assert list_read_keys(repo, "--changed") == []


def test_what_only_new_defaults_change_counts_until_it_is_applied(repo: Story) -> None:
    repo.apply_and_record()
    (repo.root / "assistants/_defaults.yaml").write_text("endCallMessage: Bye\n")
    repo.commit("Defaults")
    repo.apply_and_record("asst_a")
    assert list_read_keys(repo, "--changed") == ["b", "c", "d"]


def test_a_write_that_is_not_settled_counts(tmp_path: Path) -> None:
    with committed_story(tmp_path / "repository", LIVE, OLD) as repo:
        repo.apply_and_record()
        repo.write("a", **NEW)
        repo.commit("Change")
        with repo.intercept(answer_with(500, "a")):
            assert entries(repo.apply_and_record())["a"]["outcome"] == "indeterminate"
        repo.write("a", **OLD)
        repo.commit("Back again")
        document = repo.plan("--changed")
        assert [entry["key"] for entry in document["assistants"]] == ["a"]


def test_invalid_definitions_that_did_not_change_do_not_matter(repo: Story) -> None:
    repo.write("d", "firstMessage: 1\n")
    repo.commit("Break d")
    repo.write("a", **NEW)
    result = repo.run("plan", "--changed-since", "HEAD", "--format", "json")
    assert (result.code, [entry["key"] for entry in json.loads(result.stdout)["assistants"]]) == (0, ["a"])
    assert repo.run("plan", "--changed-since", "HEAD^").code == 1
