"""The base, read from git's objects: definitions as they were, wherever they stood, whatever became of the files."""

import copy
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from histories import NEW, OLD, OTHER, change_kinds, make_clone, merge, unmanaged_files
from projects import MODEL, only_assistant
from stories import REF, Story, entries, story

LIVE: dict[str, Any] = {"a": OLD, "b": OLD}
DRIFT = {"/firstMessage": "drift"}
CHANGE = {"/firstMessage": "change"}


@pytest.fixture
def tale(tmp_path: Path) -> Iterator[Story]:
    """Two definitions, committed as they are live; somebody then edits a's greeting live."""
    with story(tmp_path / "repository", LIVE) as tale:
        for name in LIVE:
            tale.write(name, **OLD)
        tale.commit("First")
        tale.sandbox.edit("asst_a", **OTHER)
        yield tale


def run_refused(tale: Story, *arguments: str | Path, command: str = "plan", cwd: Path | None = None) -> str:
    """What stderr says of a run that ends with 1 before it asks the API."""
    if cwd is not None:
        tale = in_clone(tale, cwd)
    tale.sandbox.forget_requests()
    result = tale.run(command, *arguments)
    assert (result.code, result.stdout) == (1, "")
    assert tale.sandbox.requests == []
    return result.stderr


def in_clone(tale: Story, root: Path) -> Story:
    """The same story in another clone."""
    other = copy.copy(tale)
    other.root = root
    return other


def test_a_first_commit_is_a_base(tale: Story) -> None:
    document = tale.plan("--base", "HEAD")
    assert change_kinds(document) == {"a": DRIFT}
    assert document["base"] == {"ref": "HEAD", "commit": tale.head}
    assert document["head"] == tale.head
    (change,) = only_assistant(tale.plan("--base", "HEAD", "assistants/a.yaml"))["changes"]
    assert (change["base"], change["live"], change["desired"]) == ("old", "edited live", "old")


def test_without_a_base_every_report_says_so(tale: Story) -> None:
    for arguments in ((), ("--base", "none")):
        document = tale.plan(*arguments)
        assert document["base"] is None
        assert change_kinds(document) == {"a": CHANGE}
        assert "base" not in entries(document)["a"]["changes"][0]
    for form in ("text", "markdown"):
        assert "live edits look like changes in git" in tale.run("plan", "--format", form).stdout


def test_the_base_comes_from_the_option_then_the_environment_then_the_record(tale: Story) -> None:
    tale.git("update-ref", REF, tale.commit("Empty", allow_empty=True))
    tale.git("tag", "v1", "HEAD^")
    assert tale.plan()["base"] == {"ref": REF, "commit": tale.head}
    named = tale.run("plan", "--format", "json", env={"RECONCILER_BASE": "v1"})
    assert '"ref": "v1"' in named.stdout
    both = tale.run("plan", "--format", "json", "--base", "HEAD", env={"RECONCILER_BASE": "v1"})
    assert '"ref": "HEAD"' in both.stdout
    off = tale.run("plan", "--format", "json", env={"RECONCILER_BASE": "none"})
    assert '"base": null' in off.stdout


def test_a_moved_file_keeps_its_history_by_its_id(tale: Story) -> None:
    base = tale.head
    (tale.root / "assistants/deep").mkdir()
    tale.git("mv", "assistants/a.yaml", "assistants/deep/renamed.yml")
    for message in ("Move", "And nothing else"):
        document = tale.plan("--base", base)
        assert change_kinds(document) == {"deep/renamed": DRIFT}
        assert unmanaged_files(document) == []
        tale.commit(message, allow_empty=True)


def test_a_renamed_folder_keeps_the_history_of_all(tale: Story) -> None:
    base = tale.head
    tale.git("mv", "assistants", "bots")
    for message in ("Rename the folder", "And nothing else"):
        document = tale.plan("--directory", "bots", "--base", base)
        assert change_kinds(document) == {"a": DRIFT}
        assert unmanaged_files(document) == []
        tale.commit(message, allow_empty=True)


def test_a_definition_that_is_removed_while_the_folder_moves_is_no_longer_managed(tale: Story) -> None:
    base = tale.head
    tale.git("mv", "assistants", "bots")
    (tale.root / "bots/b.yaml").unlink()
    tale.commit("Rename the folder, and leave one out")
    assert unmanaged_files(tale.plan("--directory", "bots", "--base", base)) == ["assistants/b.yaml"]


def test_a_new_folder_beside_the_old_one_says_nothing_of_what_stays_there(tale: Story) -> None:
    base = tale.head
    (tale.root / "bots").mkdir()
    tale.git("mv", "assistants/a.yaml", "bots/a.yaml")
    tale.commit("Split the folder")
    document = tale.plan("--directory", "bots", "--base", base)
    assert change_kinds(document) == {"a": DRIFT}
    assert unmanaged_files(document) == []


def test_a_folder_that_moved_to_the_root_of_the_repository(tale: Story) -> None:
    base = tale.head
    tale.git("mv", "assistants/a.yaml", "assistants/b.yaml", ".")
    tale.commit("Flatten")
    document = tale.plan("--directory", ".", "--base", base)
    assert change_kinds(document) == {"a": DRIFT}
    assert [entry["file"] for entry in document["assistants"]] == ["a.yaml", "b.yaml"]


def test_a_folder_that_a_link_leads_to_is_the_folder_itself(tale: Story, tmp_path: Path) -> None:
    tale.commit("Empty", allow_empty=True)
    (tmp_path / "link").symlink_to(tale.root, target_is_directory=True)
    tale.git("rm", "--quiet", "assistants/b.yaml")
    document = tale.plan("--directory", tmp_path / "link" / "assistants", "--base", "HEAD")
    assert change_kinds(document) == {"a": DRIFT}
    assert unmanaged_files(document) == ["assistants/b.yaml"]


def test_a_definition_that_changes_its_id_is_another_assistant(tale: Story) -> None:
    base = tale.head
    tale.write("a", id="asst_b", **OLD)
    (tale.root / "assistants/b.yaml").unlink()
    tale.commit("Swap")
    document = tale.plan("--base", base)
    assert change_kinds(document) == {}
    assert document["no_longer_managed"] == [{"file": "assistants/a.yaml", "id": "asst_a"}]
    tale.write("a", id="asst_c", **NEW)
    tale.sandbox.put({"id": "asst_c", **OLD})
    assert change_kinds(tale.plan("--base", base)) == {"a": CHANGE}


@pytest.mark.parametrize("now", ["local_asst_a", "asst_a"])
def test_the_local_id_now_has_the_base_of_the_providers_id(tale: Story, now: str) -> None:
    """GET gives the provider's id, whichever of the two a definition uses."""
    base = tale.head
    tale.write("a", id=now, **OLD)
    document = tale.plan("--base", base)
    assert change_kinds(document) == {"a": DRIFT}
    assert unmanaged_files(document) == []


def test_the_local_id_in_the_base_and_now(tale: Story) -> None:
    tale.write("a", id="local_asst_a", **OLD)
    base = tale.commit("Local")
    document = tale.plan("--base", base)
    assert change_kinds(document) == {"a": DRIFT}
    assert unmanaged_files(document) == []


def test_a_deleted_definition_is_listed_until_it_is_back(tale: Story) -> None:
    base = tale.head
    file = tale.root / "assistants/a.yaml"
    text = file.read_text("utf-8")
    file.unlink()
    tale.commit("Delete")
    document = tale.plan("--base", base)
    assert document["no_longer_managed"] == [{"file": "assistants/a.yaml", "id": "asst_a"}]
    assert list(entries(document)) == ["b"]
    assert "assistants/a.yaml (asst_a)" in tale.run("plan", "--base", base).stdout
    assert "assistants/a.yaml (asst_a)" in tale.run("plan", "--base", base, "--format", "markdown").stdout
    assert unmanaged_files(tale.plan("--base", base, "assistants/b.yaml")) == []
    file.write_text(text, "utf-8")
    tale.commit("Restore")
    document = tale.plan("--base", base)
    assert (change_kinds(document), unmanaged_files(document)) == ({"a": DRIFT}, [])


def test_a_deleted_definition_is_not_gone_where_another_file_is_unreadable_in_its_place(tale: Story) -> None:
    tale.write("a", "firstMessage: [")
    document = tale.plan("--base", "HEAD")
    assert (entries(document)["a"]["status"], unmanaged_files(document)) == ("error", [])


def test_a_revert_commit_makes_git_and_base_agree_again(tale: Story) -> None:
    base = tale.head
    tale.write("a", **NEW)
    tale.commit("Change")
    assert change_kinds(tale.plan("--base", base)) == {"a": {"/firstMessage": "conflict"}}
    tale.git("-c", "user.name=Ada", "-c", "user.email=a@example.com", "revert", "--no-edit", "HEAD")
    assert change_kinds(tale.plan("--base", base)) == {"a": DRIFT}


def test_a_merge_commit_and_two_branches(tale: Story) -> None:
    base = tale.head
    tale.git("checkout", "--quiet", "-b", "side")
    tale.write("b", **NEW)
    tale.commit("On the side")
    tale.git("checkout", "--quiet", "-")
    tale.write("a", **NEW)
    tale.commit("On the main line")
    tale.sandbox.edit("asst_b", **NEW)
    assert change_kinds(tale.plan("--base", "side")) == {
        "a": {"/firstMessage": "conflict"},
        "b": CHANGE,  # git has gone back from what this base says is live
    }
    tale.sandbox.edit("asst_b", **OLD)
    merge(tale, "side")
    assert change_kinds(tale.plan("--base", base)) == {"a": {"/firstMessage": "conflict"}, "b": CHANGE}


def test_a_detached_head(tale: Story) -> None:
    tale.git("checkout", "--quiet", "--detach")
    tale.write("b", **NEW)
    tale.commit("Detached")
    document = tale.plan("--base", "HEAD^")
    assert change_kinds(document) == {"a": DRIFT, "b": CHANGE}
    assert document["head"] == tale.head


def test_a_shallow_clone_says_what_to_do(tale: Story, tmp_path: Path) -> None:
    first = tale.head
    tale.commit("More", allow_empty=True)
    shallow = make_clone(tale, tmp_path / "shallow", "--depth", "1")
    complaint = run_refused(tale, "--base", first, cwd=shallow)
    assert "this clone is shallow" in complaint
    assert "fetch-depth: 0" in complaint
    assert change_kinds(in_clone(tale, shallow).plan("--base", "HEAD")) == {"a": DRIFT}


def test_a_record_fetched_without_its_history_is_a_base_all_the_same(tale: Story, tmp_path: Path) -> None:
    tale.apply_and_record("--on-drift", "keep")
    shallow = make_clone(tale, tmp_path / "shallow", "--depth", "1")
    in_clone(tale, shallow).git("fetch", "--quiet", "--depth", "1", "origin", f"{REF}:{REF}")
    document = in_clone(tale, shallow).plan()
    assert document["base"] == {"ref": REF, "commit": tale.record}
    assert change_kinds(document) == {}


def test_a_worktree_shares_the_record(tale: Story, tmp_path: Path) -> None:
    tale.apply_and_record()
    tale.git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "worktree"))
    other = in_clone(tale, tmp_path / "worktree")
    tale.sandbox.edit("asst_b", **OTHER)
    document = other.plan()
    assert document["base"] == {"ref": REF, "commit": tale.record}
    assert change_kinds(document) == {"b": DRIFT}
    assert document["assistants"][0]["file"] == "assistants/a.yaml"


def test_a_submodule_is_a_repository_of_its_own(tale: Story, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    subprocess.run(["git", "init", "--quiet", str(outer)], check=True)
    add = ["git", "-C", str(outer), "-c", "protocol.file.allow=always", "submodule", "--quiet", "add"]
    subprocess.run([*add, str(tale.root), "bots"], check=True, capture_output=True)
    inside = in_clone(tale, outer)
    document = inside.plan("--directory", "bots/assistants", "--base", "HEAD")
    assert change_kinds(document) == {"a": DRIFT}
    assert document["head"] == tale.head


NAMES = [
    "gr\u00fc\u00dfe",
    "two words",
    " leading",
    "\u62db\u751f/\u5b66\u751f",
    "[a-z]*",
    "-dash",
    "a'b\"c",
    "tab\there",
]


@pytest.mark.parametrize("folder", ["assistants", "Bots [1] \u00e9"])
def test_file_names_of_any_kind(tmp_path: Path, folder: str) -> None:
    with story(tmp_path / "repository", {str(number): OLD for number in range(len(NAMES))}) as tale:
        tale.root.joinpath("assistants").rename(tale.root / folder)
        for number, name in enumerate(NAMES):
            file = tale.root / folder / f"{name}.yaml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"id: asst_{number}\nfirstMessage: old\n", "utf-8")
        base = tale.commit("First")
        for number in range(len(NAMES)):
            tale.sandbox.edit(f"asst_{number}", **OTHER)
        assert change_kinds(tale.plan("--directory", folder, "--base", base)) == dict.fromkeys(NAMES, DRIFT)
        for name in NAMES:
            file = tale.root / folder / f"{name}.yaml"
            file.write_text(file.read_text("utf-8").replace("old", "new"), "utf-8")
        changed = tale.plan("--directory", folder, "--base", base, "--changed")
        assert set(change_kinds(changed)) == set(NAMES)
        tale.commit("Second")
        changed = tale.plan("--directory", folder, "--base", base, "--changed")
        assert {tuple(kinds.values()) for kinds in change_kinds(changed).values()} == {("conflict",)}
        assert all(
            change["since"]["commit"] == tale.head for entry in changed["assistants"] for change in entry["changes"]
        )
        assert tale.apply("--directory", folder, "--record", "--base", "none")["summary"]["applied"] == len(NAMES)
        tale.sandbox.edit("asst_2", **OTHER)
        assert change_kinds(tale.plan("--directory", folder)) == {" leading": DRIFT}


@pytest.mark.parametrize(
    "text",
    [
        "firstMessage: [",
        "firstMessage: old\n",
        "id: 7\n",
        "id: asst_a\nid: asst_a\n",
        "",
        "- a\n",
        "\x00",
        "just a text",
    ],
)
def test_a_base_file_that_is_no_definition_counts_as_no_base_with_a_warning(tale: Story, text: str) -> None:
    tale.write("a", text or "# nothing\n")
    base = tale.commit("Break")
    tale.write("a", **OLD)
    document = tale.plan("--base", base)
    assert change_kinds(document) == {"a": CHANGE}
    (warning,) = document["warnings"]
    assert warning == f"assistants/a.yaml of commit {base[:12]} cannot be read as a definition, and counts as no base"
    assert warning in tale.run("plan", "--base", base).stdout.replace("\n  ", " ")


def test_a_base_file_is_parsed_and_not_validated(tale: Story) -> None:
    tale.write("a", id="asst_a", firstMessage=7, temprature=1, model={"temperature": "hot"})
    base = tale.commit("Wrong, but read")
    tale.write("a", **OLD)
    document = tale.plan("--base", base)
    assert change_kinds(document) == {"a": {"/firstMessage": "conflict"}}
    assert entries(document)["a"]["released"] == ["/model", "/temprature"]
    assert document["warnings"] == []


def test_crlf_and_a_byte_order_mark_change_nothing(tale: Story) -> None:
    tale.write("a").write_bytes(b"\xef\xbb\xbfid: asst_a\r\nfirstMessage: |-\r\n  old\r\n")
    base = tale.commit("As Windows writes it")
    assert change_kinds(tale.plan("--base", base)) == {"a": DRIFT}
    tale.write("a", "id: asst_a\nfirstMessage: old\n")
    assert change_kinds(tale.plan("--base", base)) == {"a": DRIFT}
    tale.write("a").write_bytes(b"id: asst_a\r\nfirstMessage: old\r\n")
    assert change_kinds(tale.plan("--base", "HEAD^")) == {"a": DRIFT}


def test_a_link_is_the_file_that_it_leads_to(tale: Story) -> None:
    file = tale.root / "assistants/a.yaml"
    hidden = tale.root / "assistants/.shared"
    hidden.mkdir()
    file.rename(hidden / "a")
    (tale.root / "assistants/.hop").symlink_to(".shared/a")
    file.symlink_to(".hop")
    (tale.root / "assistants/.circle").symlink_to(".circle")
    (tale.root / "assistants/.nowhere").symlink_to("nowhere")
    base = tale.commit("Link")
    assert change_kinds(tale.plan("--base", base)) == {"a": DRIFT}
    (hidden / "a").write_text("id: asst_a\nfirstMessage: new\n", "utf-8")
    assert change_kinds(tale.plan("--base", base)) == {"a": {"/firstMessage": "conflict"}}


def test_a_repository_with_sha_256(tmp_path: Path) -> None:
    with story(tmp_path / "repository", LIVE) as tale:
        tale.git("init", "--quiet", "--object-format=sha256", str(tmp_path / "new"))
        (tmp_path / "repository/.git").rename(tmp_path / "old")
        (tmp_path / "new/.git").rename(tmp_path / "repository/.git")
        tale.write("a", **OLD)
        tale.write("b", **NEW)
        base = tale.commit("First")
        assert len(base) == 64
        tale.sandbox.edit("asst_a", **OTHER)
        assert change_kinds(tale.plan("--base", base)) == {"a": DRIFT, "b": {"/firstMessage": "drift"}}
        refusing = tale.apply("--record", "--base", "none", "--max-changes", "0")
        assert refusing["summary"]["skipped"] == 2
        assert tale.record is None
        tale.apply_and_record("assistants/a.yaml")
        tale.apply_and_record()
        assert set(tale.tree()) == {"assistants/a.yaml", "assistants/b.yaml"}
        tale.sandbox.edit("asst_a", **OTHER)
        assert change_kinds(tale.plan()) == {"a": DRIFT}


@pytest.mark.parametrize("revision", ["nothing", "--output=x", "HEAD:assistants", "a b", "HEAD..HEAD", "", "v1^{tree}"])
def test_a_revision_that_is_none_is_refused_before_any_request(tale: Story, revision: str) -> None:
    for option in ("--base", "--changed-since"):
        complaint = run_refused(tale, option, revision)
        assert "there is no revision" in complaint
        assert ("check the name" if revision else "a variable that is not set") in complaint
        assert ("git fetch origin" in complaint) == (revision == "nothing")
    assert not (tale.root / "x").exists()


def test_an_upstream_that_is_not_set_is_told_in_gits_words(tale: Story) -> None:
    assert "no upstream configured" in run_refused(tale, "--base", "@{upstream}")


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    with story(tmp_path / "repository", LIVE) as tale:
        tale.write("a", **NEW)
        complaint = run_refused(tale, "--base", "main")
        assert "no commit yet" in complaint
        assert "--base none" in complaint
        assert "no commit yet" in run_refused(tale, "--changed-since", "HEAD")
        document = tale.plan()
        assert (change_kinds(document), document["base"], document["head"]) == ({"a": CHANGE}, None, None)
        assert change_kinds(tale.report("drift")) == {"a": DRIFT}


def test_outside_a_repository(tale: Story, tmp_path: Path) -> None:
    (tale.root / ".git").rename(tmp_path / "git")
    assert "no git repository" in run_refused(tale, "--base", "HEAD")
    assert "--base none" in run_refused(tale, "--base", "HEAD")
    assert "--changed needs a base" in run_refused(tale, "--changed")
    assert "no git repository" in run_refused(tale, "--changed-since", "HEAD")
    document = tale.plan()
    assert (change_kinds(document), document["base"]) == ({"a": CHANGE}, None)
    document = tale.report("drift")
    assert (change_kinds(document), document["base"]) == ({"a": DRIFT}, None)


def test_a_repository_that_git_will_not_read_is_an_error_and_no_missing_base(tale: Story, tmp_path: Path) -> None:
    (tale.root / ".git").rename(tmp_path / "git")
    (tale.root / ".git").write_text("gitdir: /nowhere/at/all\n", "utf-8")
    assert "not a git repository" in run_refused(tale)
    (tale.root / ".git").unlink()
    (tmp_path / "git").rename(tale.root / ".git")
    result = tale.run("plan", env={"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    assert result.code == 1
    assert "dubious ownership" in result.stderr
    assert f"safe.directory {tale.root}" in result.stderr


def test_variables_that_git_sets_for_hooks_lead_nowhere_else(tale: Story, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "another")], check=True)
    hooked = {"GIT_DIR": str(tmp_path / "another/.git"), "GIT_INDEX_FILE": "nowhere", "GIT_PREFIX": "assistants/"}
    result = tale.run("plan", "--base", "HEAD", env=hooked)
    assert (result.code, "live now has" in result.stdout) == (0, True)


def test_somebodys_git_configuration_changes_nothing(tale: Story) -> None:
    for name, value in {
        "diff.relative": "true",
        "diff.noprefix": "true",
        "diff.renames": "copies",
        "color.ui": "always",
        "log.showSignature": "true",
        "log.showRoot": "false",
        "log.follow": "true",
        "i18n.logOutputEncoding": "latin1",
        "core.quotePath": "true",
    }.items():
        tale.git("config", name, value)
    base = tale.head
    tale.write("b", **NEW)
    tale.git("-c", "user.name=J\u00f6rg", "-c", "user.email=j@example.com", "commit", "--quiet", "-a", "-m", "New")
    document = tale.plan("--base", base, "--changed")
    (entry,) = document["assistants"]
    assert entry["changes"][0]["since"]["author"] == "J\u00f6rg"


def test_the_default_base_of_drift_is_the_record_then_head(tale: Story) -> None:
    tale.write("b", **NEW)
    document = tale.report("drift")
    assert document["base"] == {"ref": "HEAD", "commit": tale.head}
    assert change_kinds(document) == {"a": DRIFT, "b": CHANGE}
    assert tale.run("drift", "--detailed-exitcode").code == 2
    tale.commit("New")
    assert change_kinds(tale.report("drift")) == {"a": DRIFT, "b": DRIFT}
    tale.apply_and_record("--on-drift", "revert")
    document = tale.report("drift")
    assert document["base"] == {"ref": REF, "commit": tale.record}
    assert change_kinds(document) == {}
    assert tale.run("drift", "--detailed-exitcode").code == 0
    tale.write("b", **OLD)
    assert change_kinds(tale.report("drift")) == {"b": CHANGE}
    assert tale.run("drift", "--detailed-exitcode").code == 0


def test_a_released_field_is_left_alone_and_listed(tmp_path: Path) -> None:
    live = {"a": {"firstMessage": "x", "model": {**MODEL, "extra": 1}, "metadata": {"team": "t", "n": 1}}}
    with story(tmp_path / "repository", live) as tale:
        tale.write("a", firstMessage="x", model={"temperature": 0.7}, metadata={"team": "t", "n": 1})
        base = tale.commit("First")
        tale.write("a", metadata={"n": 2})
        document = tale.apply("--base", base)
        assert entries(document)["a"]["released"] == ["/firstMessage", "/metadata/team", "/model"]
        assert tale.sandbox.patches == [{"metadata": {"team": "t", "n": 2}}]
        tale.sandbox.edit("asst_a", firstMessage="y", model={"provider": "openai", "model": "gpt-4o"})
        assert tale.apply("--base", base)["summary"]["applied"] == 0


def test_a_definition_that_may_be_in_a_file_that_cannot_be_read_is_not_said_to_be_gone(tale: Story) -> None:
    base = tale.head
    tale.git("mv", "assistants/a.yaml", "assistants/moved.yaml")
    file = tale.root / "assistants/moved.yaml"
    file.write_text(file.read_text("utf-8") + 'firstMessage: "never closed\n')
    assert unmanaged_files(tale.plan("--base", base)) == []
