"""`--changed` and `--changed-since`: requests follow what changed, not the fleet."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from between import Answer, Forward, Request, between, error_answer
from histories import NEW, OLD, OTHER, change_kinds, make_clone, merge, unmanaged_files
from stories import REF, Story, entries, story

LIVE: dict[str, Any] = dict.fromkeys("abcd", OLD)
PEOPLE = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")


@pytest.fixture
def tale(tmp_path: Path) -> Iterator[Story]:
    """Four definitions, committed as they are live; b was edited live since."""
    with story(tmp_path / "repository", LIVE) as tale:
        for name in LIVE:
            tale.write(name, **OLD)
        tale.commit("First")
        tale.sandbox.edit("asst_b", **OTHER)
        yield tale


def list_read_keys(tale: Story, *arguments: str | Path, command: str = "plan") -> list[str]:
    """The definitions that a run looked at, each with one GET and nothing else."""
    tale.sandbox.forget_requests()
    document = tale.report(command, *arguments)
    keys = [entry["key"] for entry in document["assistants"]]
    assert tale.sandbox.calls == ({"POST": 1, "GET": len(keys)} if keys else {})
    return keys


def test_one_changed_definition_is_one_request(tale: Story) -> None:
    base = tale.head
    tale.write("c", **NEW)
    for options in (("--base", base, "--changed"), ("--changed-since", base)):
        assert list_read_keys(tale, *options) == ["c"]
    tale.commit("Change")
    for options in (("--base", base, "--changed"), ("--changed-since", base)):
        assert list_read_keys(tale, *options) == ["c"]
        assert list_read_keys(tale, *options, command="drift") == ["c"]
    document = tale.apply("--base", base, "--changed")
    assert document["api_calls"] == {"GET": 3, "PATCH": 1, "POST": 1}
    # A reader of the report must not take it for one of all.
    assert (document["selection"], tale.plan("asst_a")["selection"]) == ("changed", "named")
    assert "selection" not in tale.plan()


def test_since_a_revision_without_a_base_live_edits_are_changes_all_the_same(tale: Story) -> None:
    tale.write("b", **NEW)
    document = tale.plan("--changed-since", "HEAD")
    assert (change_kinds(document), document["base"]) == ({"b": {"/firstMessage": "change"}}, None)
    document = tale.plan("--changed-since", "HEAD", "--base", "HEAD")
    assert change_kinds(document) == {"b": {"/firstMessage": "conflict"}}


@pytest.mark.parametrize("command", ["plan", "apply", "drift"])
def test_nothing_changed_is_no_error_and_the_report_says_so(tale: Story, command: str) -> None:
    consent = ["--yes"] if command == "apply" else []
    result = tale.run(command, "--changed", "--base", "HEAD", *consent)
    assert result.code == 0
    assert result.stdout.endswith(f"{command.capitalize()}: no definitions to look at, nothing to do.\n")
    assert f"No definition differs from {tale.head[:12]}" in result.stdout
    assert tale.sandbox.requests == []
    page = tale.run(command, "--changed", "--base", "HEAD", "--format", "markdown", *consent)
    assert "no definitions to look at" in page.stdout
    document = tale.report(command, "--changed", "--base", "HEAD", *consent)
    assert (document["summary"]["total"], document["assistants"]) == (0, [])
    assert tale.run(command, "--changed-since", "HEAD", *consent).code == 0
    if command != "apply":
        assert tale.run(command, "--changed", "--base", "HEAD", "--detailed-exitcode").code == 0


def test_without_a_base_there_is_nothing_to_differ_from(tale: Story) -> None:
    for options in ((), ("--base", "none")):
        result = tale.run("plan", "--changed", *options)
        assert (result.code, result.stdout) == (1, "")
        assert "--changed needs a base" in result.stderr
        assert "--base REV" in result.stderr
        assert "git fetch origin refs/reconciler/applied:refs/reconciler/applied" in result.stderr


def test_paths_narrow_what_changed(tale: Story) -> None:
    tale.write("c", **NEW)
    tale.write("deep/d2", id="asst_d", **OLD)
    (tale.root / "assistants/d.yaml").unlink()
    assert list_read_keys(tale, "--changed-since", "HEAD") == ["c", "deep/d2"]
    assert list_read_keys(tale, "--changed-since", "HEAD", "assistants/deep") == ["deep/d2"]
    assert list_read_keys(tale, "--changed-since", "HEAD", "assistants/c.yaml", "assistants/a.yaml") == ["c"]
    assert list_read_keys(tale, "--changed-since", "HEAD", "assistants/a.yaml") == []


def test_new_files_count_tracked_or_not_and_ignored_too(tale: Story) -> None:
    for name in "xyz":
        tale.sandbox.put({"id": f"asst_{name}", **OLD})
        tale.write(name, **OLD)
    tale.git("add", "assistants/x.yaml")
    (tale.root / ".git/info/exclude").write_text("z.yaml\n", "utf-8")
    (tale.root / "assistants/.draft.yaml").write_text("id: asst_a\n", "utf-8")
    (tale.root / "assistants/notes.txt").write_text("none\n", "utf-8")
    tale.write("inner/v", id="asst_z", name="In a repository of its own")
    tale.git("init", "--quiet", "assistants/inner")
    (tale.root / "assistants/z.yaml").unlink()
    assert list_read_keys(tale, "--changed-since", "HEAD") == ["inner/v", "x", "y"]


def test_a_moved_file_and_a_removed_one(tale: Story) -> None:
    base = tale.head
    tale.git("mv", "assistants/b.yaml", "assistants/moved.yaml")
    tale.git("rm", "--quiet", "assistants/c.yaml")
    for message in ("Move and remove", "And nothing else"):
        document = tale.plan("--base", base, "--changed")
        assert change_kinds(document) == {"moved": {"/firstMessage": "drift"}}
        assert document["no_longer_managed"] == [{"file": "assistants/c.yaml", "id": "asst_c"}]
        assert unmanaged_files(tale.plan("--base", base, "--changed", "assistants/moved.yaml")) == []
        tale.commit(message, allow_empty=True)


def test_where_a_definition_was_only_removed_the_report_says_that(tale: Story) -> None:
    base = tale.head
    tale.git("rm", "--quiet", "assistants/c.yaml")
    tale.commit("Remove")
    result = tale.run("plan", "--base", base, "--changed")
    assert (result.code, result.stderr) == (0, "")
    assert "no longer managed: assistants/c.yaml (asst_c)" in result.stdout
    assert tale.sandbox.requests == []


def test_a_branch_is_compared_with_where_it_left_the_base(tale: Story) -> None:
    tale.git("checkout", "--quiet", "-b", "side")
    tale.write("a", **NEW)
    tale.commit("On the side")
    tale.git("checkout", "--quiet", "-")
    tale.write("c", **NEW)
    main = tale.commit("On the main line")
    tale.git("checkout", "--quiet", "side")
    assert list_read_keys(tale, "--changed-since", main) == ["a"]
    document = tale.plan("--changed", "--base", main)
    assert change_kinds(document) == {"a": {"/firstMessage": "change"}}
    merge(tale, main)
    assert list_read_keys(tale, "--changed-since", main) == ["a"]
    tale.git("checkout", "--quiet", "--orphan", "unrelated")
    tale.commit("Unrelated")
    result = tale.run("plan", "--changed-since", main)
    assert result.code == 1
    assert "no commit in common" in result.stderr


def clone_with_record(tale: Story, to: Path) -> None:
    """Go on in a clone that has one commit, and the record."""
    tale.root = make_clone(tale, to, "--depth", "1")
    tale.git("fetch", "--quiet", "--depth", "1", "origin", f"{REF}:{REF}")


def test_a_shallow_clone_without_the_fork_says_what_to_do(tale: Story, tmp_path: Path) -> None:
    tale.git("branch", "base")
    tale.commit("More", allow_empty=True)
    tale.root = make_clone(tale, tmp_path / "shallow", "--depth", "1", "--no-single-branch")
    result = tale.run("plan", "--changed-since", "origin/base")
    assert result.code == 1
    assert "no commit in common" in result.stderr
    assert "fetch-depth: 0" in result.stderr


def test_a_shallow_clone_with_the_record_alone_knows_what_is_settled(tale: Story, tmp_path: Path) -> None:
    tale.apply_and_record()
    tale.commit("More", allow_empty=True)
    clone_with_record(tale, tmp_path / "shallow")
    assert list_read_keys(tale, "--changed-since", "HEAD") == []


def test_an_older_record_without_what_it_is_about_says_what_to_do(tale: Story, tmp_path: Path) -> None:
    tale.apply_and_record()
    message = "\n".join(line for line in tale.message.splitlines() if not line.startswith("Reconciler-Unsettled: "))
    older = tale.git(*PEOPLE, "commit-tree", f"{REF}^{{tree}}", "-p", "HEAD", "-F", "-", stdin=message)
    tale.git("update-ref", REF, older)
    tale.commit("More", allow_empty=True)
    clone_with_record(tale, tmp_path / "shallow")
    result = tale.run("plan", "--changed-since", "HEAD")
    assert (result.code, result.stdout) == (1, "")
    assert "which was applied last, is not in this clone" in result.stderr
    assert "fetch-depth: 0" in result.stderr


def test_an_older_file_in_the_record_counts(tale: Story) -> None:
    """A selected run leaves the others' older files in the record; the next `--changed` settles them."""
    tale.sandbox.edit("asst_b", **OLD)
    tale.apply_and_record()
    for name in "abc":
        tale.write(name, **NEW)
    tale.commit("Change three")
    tale.apply_and_record("assistants/a.yaml")
    assert list_read_keys(tale, "--changed") == ["b", "c"]
    tale.commit("More", allow_empty=True)
    assert list_read_keys(tale, "--changed") == ["b", "c"]
    assert list_read_keys(tale, "--changed-since", "HEAD") == ["b", "c"]
    tale.apply_and_record("--changed")
    assert list_read_keys(tale, "--changed") == []


def test_a_write_that_is_not_settled_counts(tmp_path: Path) -> None:
    def failing(request: Request, forward: Forward) -> Answer:
        return error_answer(500) if request.method == "PATCH" else forward(request)

    with story(tmp_path / "repository", LIVE) as tale:
        for name in LIVE:
            tale.write(name, **OLD)
        tale.commit("First")
        tale.apply_and_record()
        tale.write("a", **NEW)
        tale.commit("Change")
        with between(tale.sandbox, failing) as broken:
            tale.url = broken.url
            assert entries(tale.apply_and_record())["a"]["outcome"] == "indeterminate"
        tale.url = tale.sandbox.url
        tale.write("a", **OLD)
        tale.commit("Back again")
        document = tale.plan("--changed")
        assert [entry["key"] for entry in document["assistants"]] == ["a"]


def test_invalid_definitions_that_did_not_change_do_not_matter(tale: Story) -> None:
    tale.write("d", "firstMessage: 1\n")
    tale.commit("Break d")
    tale.write("a", **NEW)
    result = tale.run("plan", "--changed-since", "HEAD", "--format", "json")
    assert (result.code, [entry["key"] for entry in json.loads(result.stdout)["assistants"]]) == (0, ["a"])
    assert tale.run("plan", "--changed-since", "HEAD^").code == 1
