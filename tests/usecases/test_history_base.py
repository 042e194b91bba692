"""The base, read from git's objects: definitions as they were, wherever they stood, whatever became of the files."""

import copy
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from histories import NEW, OLD, OTHER, change_kinds, make_clone, merge, unmanaged_files
from projects import MODEL, only_assistant
from stories import REF, Story, committed_story, entries, story

LIVE: dict[str, Any] = {"a": OLD, "b": OLD}
DRIFT = {"/firstMessage": "drift"}
CHANGE = {"/firstMessage": "change"}


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """Two definitions, committed as they are live; somebody then edits a's greeting live."""
    with committed_story(tmp_path / "repository", LIVE, OLD) as repo:
        repo.sandbox.edit("asst_a", **OTHER)
        yield repo


def run_refused(repo: Story, *arguments: str | Path, command: str = "plan", cwd: Path | None = None) -> str:
    """What stderr says of a run that ends with 1 before it asks the API."""
    if cwd is not None:
        repo = in_clone(repo, cwd)
    repo.sandbox.forget_requests()
    result = repo.run(command, *arguments)
    assert (result.code, result.stdout) == (1, "")
    assert repo.sandbox.requests == []
    return result.stderr


def in_clone(repo: Story, root: Path) -> Story:
    """The same story in another clone."""
    other = copy.copy(repo)
    other.root = root
    return other


def test_a_first_commit_is_a_base(repo: Story) -> None:
    document = repo.plan("--base", "HEAD")
    assert change_kinds(document) == {"a": DRIFT}
    assert document["base"] == {"ref": "HEAD", "commit": repo.head}
    assert document["head"] == repo.head
    (change,) = only_assistant(repo.plan("--base", "HEAD", "assistants/a.yaml"))["changes"]
    assert (change["base"], change["live"], change["desired"]) == ("old", "edited live", "old")


def test_without_a_base_every_report_says_so(repo: Story) -> None:
    for arguments in ((), ("--base", "none")):
        document = repo.plan(*arguments)
        assert document["base"] is None
        assert change_kinds(document) == {"a": CHANGE}
        assert "base" not in entries(document)["a"]["changes"][0]
    for form in ("text", "markdown"):
        assert "live edits look like changes in git" in repo.run("plan", "--format", form).stdout


def test_the_base_comes_from_the_option_then_the_environment_then_the_record(repo: Story) -> None:
    repo.git("update-ref", REF, repo.commit("Empty", allow_empty=True))
    repo.git("tag", "v1", "HEAD^")
    assert repo.plan()["base"] == {"ref": REF, "commit": repo.head}
    named = repo.run("plan", "--format", "json", env={"RECONCILER_BASE": "v1"})
    assert '"ref": "v1"' in named.stdout
    both = repo.run("plan", "--format", "json", "--base", "HEAD", env={"RECONCILER_BASE": "v1"})
    assert '"ref": "HEAD"' in both.stdout
    off = repo.run("plan", "--format", "json", env={"RECONCILER_BASE": "none"})
    assert '"base": null' in off.stdout


def test_a_moved_file_keeps_its_history_by_its_id(repo: Story) -> None:
    base = repo.head
    (repo.root / "assistants/deep").mkdir()
    repo.git("mv", "assistants/a.yaml", "assistants/deep/renamed.yml")
    for message in ("Move", "And nothing else"):
        document = repo.plan("--base", base)
        assert change_kinds(document) == {"deep/renamed": DRIFT}
        assert unmanaged_files(document) == []
        repo.commit(message, allow_empty=True)


def test_a_renamed_folder_keeps_the_history_of_all(repo: Story) -> None:
    base = repo.head
    repo.git("mv", "assistants", "bots")
    for message in ("Rename the folder", "And nothing else"):
        document = repo.plan("--directory", "bots", "--base", base)
        assert change_kinds(document) == {"a": DRIFT}
        assert unmanaged_files(document) == []
        repo.commit(message, allow_empty=True)


def test_a_definition_that_is_removed_while_the_folder_moves_is_no_longer_managed(repo: Story) -> None:
    base = repo.head
    repo.git("mv", "assistants", "bots")
    (repo.root / "bots/b.yaml").unlink()
    repo.commit("Rename the folder, and leave one out")
    assert unmanaged_files(repo.plan("--directory", "bots", "--base", base)) == ["assistants/b.yaml"]


def test_a_new_folder_beside_the_old_one_says_nothing_of_what_stays_there(repo: Story) -> None:
    base = repo.head
    (repo.root / "bots").mkdir()
    repo.git("mv", "assistants/a.yaml", "bots/a.yaml")
    repo.commit("Split the folder")
    document = repo.plan("--directory", "bots", "--base", base)
    assert change_kinds(document) == {"a": DRIFT}
    assert unmanaged_files(document) == []


def test_a_folder_that_moved_to_the_root_of_the_repository(repo: Story) -> None:
    base = repo.head
    repo.git("mv", "assistants/a.yaml", "assistants/b.yaml", ".")
    repo.commit("Flatten")
    document = repo.plan("--directory", ".", "--base", base)
    assert change_kinds(document) == {"a": DRIFT}
    assert [entry["file"] for entry in document["assistants"]] == ["a.yaml", "b.yaml"]


def test_a_folder_that_a_link_leads_to_is_the_folder_itself(repo: Story, tmp_path: Path) -> None:
    repo.commit("Empty", allow_empty=True)
    (tmp_path / "link").symlink_to(repo.root, target_is_directory=True)
    repo.git("rm", "--quiet", "assistants/b.yaml")
    document = repo.plan("--directory", tmp_path / "link" / "assistants", "--base", "HEAD")
    assert change_kinds(document) == {"a": DRIFT}
    assert unmanaged_files(document) == ["assistants/b.yaml"]


def test_a_definition_that_changes_its_id_is_another_assistant(repo: Story) -> None:
    base = repo.head
    repo.write("a", id="asst_b", **OLD)
    (repo.root / "assistants/b.yaml").unlink()
    repo.commit("Swap")
    document = repo.plan("--base", base)
    assert change_kinds(document) == {}
    assert document["no_longer_managed"] == [{"file": "assistants/a.yaml", "id": "asst_a"}]
    repo.write("a", id="asst_c", **NEW)
    repo.sandbox.put({"id": "asst_c", **OLD})
    assert change_kinds(repo.plan("--base", base)) == {"a": CHANGE}


@pytest.mark.parametrize("now", ["local_asst_a", "asst_a"])
def test_the_local_id_now_has_the_base_of_the_providers_id(repo: Story, now: str) -> None:
    """GET gives the provider's id, whichever of the two a definition uses."""
    base = repo.head
    repo.write("a", id=now, **OLD)
    document = repo.plan("--base", base)
    assert change_kinds(document) == {"a": DRIFT}
    assert unmanaged_files(document) == []


def test_the_local_id_in_the_base_and_now(repo: Story) -> None:
    repo.write("a", id="local_asst_a", **OLD)
    base = repo.commit("Local")
    document = repo.plan("--base", base)
    assert change_kinds(document) == {"a": DRIFT}
    assert unmanaged_files(document) == []


def test_a_deleted_definition_is_listed_until_it_is_back(repo: Story) -> None:
    base = repo.head
    file = repo.root / "assistants/a.yaml"
    text = file.read_text("utf-8")
    file.unlink()
    repo.commit("Delete")
    document = repo.plan("--base", base)
    assert document["no_longer_managed"] == [{"file": "assistants/a.yaml", "id": "asst_a"}]
    assert list(entries(document)) == ["b"]
    assert "assistants/a.yaml (asst_a)" in repo.run("plan", "--base", base).stdout
    assert "assistants/a.yaml (asst_a)" in repo.run("plan", "--base", base, "--format", "markdown").stdout
    assert unmanaged_files(repo.plan("--base", base, "assistants/b.yaml")) == []
    file.write_text(text, "utf-8")
    repo.commit("Restore")
    document = repo.plan("--base", base)
    assert (change_kinds(document), unmanaged_files(document)) == ({"a": DRIFT}, [])


def test_a_deleted_definition_is_not_gone_where_another_file_is_unreadable_in_its_place(repo: Story) -> None:
    repo.write("a", "firstMessage: [")
    document = repo.plan("--base", "HEAD")
    assert (entries(document)["a"]["status"], unmanaged_files(document)) == ("error", [])


def test_a_revert_commit_makes_git_and_base_agree_again(repo: Story) -> None:
    base = repo.head
    repo.write("a", **NEW)
    repo.commit("Change")
    assert change_kinds(repo.plan("--base", base)) == {"a": {"/firstMessage": "conflict"}}
    repo.git("-c", "user.name=Ada", "-c", "user.email=a@example.com", "revert", "--no-edit", "HEAD")
    assert change_kinds(repo.plan("--base", base)) == {"a": DRIFT}


def test_a_merge_commit_and_two_branches(repo: Story) -> None:
    base = repo.head
    repo.git("checkout", "--quiet", "-b", "side")
    repo.write("b", **NEW)
    repo.commit("On the side")
    repo.git("checkout", "--quiet", "-")
    repo.write("a", **NEW)
    repo.commit("On the main line")
    repo.sandbox.edit("asst_b", **NEW)
    assert change_kinds(repo.plan("--base", "side")) == {
        "a": {"/firstMessage": "conflict"},
        "b": CHANGE,  # git has gone back from what this base says is live
    }
    repo.sandbox.edit("asst_b", **OLD)
    merge(repo, "side")
    assert change_kinds(repo.plan("--base", base)) == {"a": {"/firstMessage": "conflict"}, "b": CHANGE}


def test_a_detached_head(repo: Story) -> None:
    repo.git("checkout", "--quiet", "--detach")
    repo.write("b", **NEW)
    repo.commit("Detached")
    document = repo.plan("--base", "HEAD^")
    assert change_kinds(document) == {"a": DRIFT, "b": CHANGE}
    assert document["head"] == repo.head


def test_a_shallow_clone_says_what_to_do(repo: Story, tmp_path: Path) -> None:
    first = repo.head
    repo.commit("More", allow_empty=True)
    shallow = make_clone(repo, tmp_path / "shallow", "--depth", "1")
    complaint = run_refused(repo, "--base", first, cwd=shallow)
    assert "this clone is shallow" in complaint
    assert "fetch-depth: 0" in complaint
    assert change_kinds(in_clone(repo, shallow).plan("--base", "HEAD")) == {"a": DRIFT}


def test_a_record_fetched_without_its_history_is_a_base_all_the_same(repo: Story, tmp_path: Path) -> None:
    repo.apply_and_record("--on-drift", "keep")
    shallow = make_clone(repo, tmp_path / "shallow", "--depth", "1")
    in_clone(repo, shallow).git("fetch", "--quiet", "--depth", "1", "origin", f"{REF}:{REF}")
    document = in_clone(repo, shallow).plan()
    assert document["base"] == {"ref": REF, "commit": repo.record}
    assert change_kinds(document) == {}


def test_a_worktree_shares_the_record(repo: Story, tmp_path: Path) -> None:
    repo.apply_and_record()
    repo.git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "worktree"))
    other = in_clone(repo, tmp_path / "worktree")
    repo.sandbox.edit("asst_b", **OTHER)
    document = other.plan()
    assert document["base"] == {"ref": REF, "commit": repo.record}
    assert change_kinds(document) == {"b": DRIFT}
    assert document["assistants"][0]["file"] == "assistants/a.yaml"


def test_a_submodule_is_a_repository_of_its_own(repo: Story, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    subprocess.run(["git", "init", "--quiet", str(outer)], check=True)
    add = ["git", "-C", str(outer), "-c", "protocol.file.allow=always", "submodule", "--quiet", "add"]
    subprocess.run([*add, str(repo.root), "bots"], check=True, capture_output=True)
    inside = in_clone(repo, outer)
    document = inside.plan("--directory", "bots/assistants", "--base", "HEAD")
    assert change_kinds(document) == {"a": DRIFT}
    assert document["head"] == repo.head


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
    with story(tmp_path / "repository", {str(number): OLD for number in range(len(NAMES))}) as repo:
        repo.root.joinpath("assistants").rename(repo.root / folder)
        for number, name in enumerate(NAMES):
            file = repo.root / folder / f"{name}.yaml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"id: asst_{number}\nfirstMessage: old\n", "utf-8")
        base = repo.commit("First")
        for number in range(len(NAMES)):
            repo.sandbox.edit(f"asst_{number}", **OTHER)
        assert change_kinds(repo.plan("--directory", folder, "--base", base)) == dict.fromkeys(NAMES, DRIFT)
        for name in NAMES:
            file = repo.root / folder / f"{name}.yaml"
            file.write_text(file.read_text("utf-8").replace("old", "new"), "utf-8")
        changed = repo.plan("--directory", folder, "--base", base, "--changed")
        assert set(change_kinds(changed)) == set(NAMES)
        repo.commit("Second")
        changed = repo.plan("--directory", folder, "--base", base, "--changed")
        assert {tuple(kinds.values()) for kinds in change_kinds(changed).values()} == {("conflict",)}
        assert all(
            change["since"]["commit"] == repo.head for entry in changed["assistants"] for change in entry["changes"]
        )
        assert repo.apply("--directory", folder, "--record", "--base", "none")["summary"]["applied"] == len(NAMES)
        repo.sandbox.edit("asst_2", **OTHER)
        assert change_kinds(repo.plan("--directory", folder)) == {" leading": DRIFT}


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
        "id: asst_a\nfirstMessage: caf\udce9\n",
        "id: asst_a\nfirstMessage: {$file: gone.md}\n",
    ],
)
def test_a_base_file_that_is_no_definition_counts_as_no_base_with_a_warning(repo: Story, text: str) -> None:
    (repo.root / "assistants/a.yaml").write_bytes((text or "# nothing\n").encode("utf-8", "surrogateescape"))
    base = repo.commit("Break")
    repo.write("a", **OLD)
    document = repo.plan("--base", base)
    assert change_kinds(document) == {"a": CHANGE}
    (warning,) = document["warnings"]
    assert (
        warning
        == f"assistants/a.yaml of commit {base[:12]} cannot be read as a definition, so its assistant has no base"
    )
    assert warning in repo.run("plan", "--base", base).stdout.replace("\n  ", " ")


def test_a_base_file_is_parsed_and_not_validated(repo: Story) -> None:
    repo.write("a", id="asst_a", firstMessage=7, temprature=1, model={"temperature": "hot"})
    base = repo.commit("Wrong, but read")
    repo.write("a", **OLD)
    document = repo.plan("--base", base)
    assert change_kinds(document) == {"a": {"/firstMessage": "conflict"}}
    assert entries(document)["a"]["released"] == ["/model", "/temprature"]
    assert document["warnings"] == []


def test_crlf_and_a_byte_order_mark_change_nothing(repo: Story) -> None:
    repo.write("a").write_bytes(b"\xef\xbb\xbfid: asst_a\r\nfirstMessage: |-\r\n  old\r\n")
    base = repo.commit("As Windows writes it")
    assert change_kinds(repo.plan("--base", base)) == {"a": DRIFT}
    repo.write("a", "id: asst_a\nfirstMessage: old\n")
    assert change_kinds(repo.plan("--base", base)) == {"a": DRIFT}
    repo.write("a").write_bytes(b"id: asst_a\r\nfirstMessage: old\r\n")
    assert change_kinds(repo.plan("--base", "HEAD^")) == {"a": DRIFT}


def test_a_link_is_the_file_that_it_leads_to(repo: Story) -> None:
    file = repo.root / "assistants/a.yaml"
    hidden = repo.root / "assistants/.shared"
    hidden.mkdir()
    file.rename(hidden / "a")
    (repo.root / "assistants/.hop").symlink_to(".shared/a")
    file.symlink_to(".hop")
    (repo.root / "assistants/.circle").symlink_to(".circle")
    (repo.root / "assistants/.nowhere").symlink_to("nowhere")
    base = repo.commit("Link")
    assert change_kinds(repo.plan("--base", base)) == {"a": DRIFT}
    (hidden / "a").write_text("id: asst_a\nfirstMessage: new\n", "utf-8")
    assert change_kinds(repo.plan("--base", base)) == {"a": {"/firstMessage": "conflict"}}


def test_a_repository_with_sha_256(tmp_path: Path) -> None:
    with story(tmp_path / "repository", LIVE) as repo:
        repo.git("init", "--quiet", "--object-format=sha256", str(tmp_path / "new"))
        (tmp_path / "repository/.git").rename(tmp_path / "old")
        (tmp_path / "new/.git").rename(tmp_path / "repository/.git")
        repo.write("a", **OLD)
        repo.write("b", **NEW)
        base = repo.commit("First")
        assert len(base) == 64
        repo.sandbox.edit("asst_a", **OTHER)
        assert change_kinds(repo.plan("--base", base)) == {"a": DRIFT, "b": {"/firstMessage": "drift"}}
        refusing = repo.apply("--record", "--base", "none", "--max-changes", "0")
        assert refusing["summary"]["skipped"] == 2
        assert repo.record is None
        repo.apply_and_record("assistants/a.yaml")
        repo.apply_and_record()
        assert set(repo.tree()) == {"assistants/a.yaml", "assistants/b.yaml"}
        repo.sandbox.edit("asst_a", **OTHER)
        assert change_kinds(repo.plan()) == {"a": DRIFT}


@pytest.mark.parametrize("revision", ["nothing", "--output=x", "HEAD:assistants", "a b", "HEAD..HEAD", "", "v1^{tree}"])
def test_a_revision_that_is_none_is_refused_before_any_request(repo: Story, revision: str) -> None:
    for option in ("--base", "--changed-since"):
        complaint = run_refused(repo, option, revision)
        assert "there is no revision" in complaint
        assert ("check the name" if revision else "a variable that is not set") in complaint
        assert ("git fetch origin" in complaint) == (revision == "nothing")
    assert not (repo.root / "x").exists()


def test_an_upstream_that_is_not_set_is_told_in_gits_words(repo: Story) -> None:
    assert "no upstream configured" in run_refused(repo, "--base", "@{upstream}")


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    with story(tmp_path / "repository", LIVE) as repo:
        repo.write("a", **NEW)
        complaint = run_refused(repo, "--base", "main")
        assert "no commit yet" in complaint
        assert "--base none" in complaint
        assert "no commit yet" in run_refused(repo, "--changed-since", "HEAD")
        document = repo.plan()
        assert (change_kinds(document), document["base"], document["head"]) == ({"a": CHANGE}, None, None)
        assert change_kinds(repo.report("drift")) == {"a": DRIFT}


def test_outside_a_repository(repo: Story, tmp_path: Path) -> None:
    (repo.root / ".git").rename(tmp_path / "git")
    assert "no git repository" in run_refused(repo, "--base", "HEAD")
    assert "--base none" in run_refused(repo, "--base", "HEAD")
    assert "--changed needs a base" in run_refused(repo, "--changed")
    assert "no git repository" in run_refused(repo, "--changed-since", "HEAD")
    document = repo.plan()
    assert (change_kinds(document), document["base"]) == ({"a": CHANGE}, None)
    document = repo.report("drift")
    assert (change_kinds(document), document["base"]) == ({"a": DRIFT}, None)


def test_a_repository_that_git_will_not_read_is_an_error_and_no_missing_base(repo: Story, tmp_path: Path) -> None:
    (repo.root / ".git").rename(tmp_path / "git")
    (repo.root / ".git").write_text("gitdir: /nowhere/at/all\n", "utf-8")
    assert "not a git repository" in run_refused(repo)
    (repo.root / ".git").unlink()
    (tmp_path / "git").rename(repo.root / ".git")
    # A trace, or a warning about somebody's configuration, comes before the reason.
    for traced in ("0", "1"):
        result = repo.run("plan", env={"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "GIT_TRACE": traced})
        assert (result.code, result.stdout) == (1, "")
        assert "Error: git rev-parse: fatal: detected dubious ownership" in result.stderr
        assert f"safe.directory {repo.root}" in result.stderr


def test_variables_that_git_sets_for_hooks_lead_nowhere_else(repo: Story, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "another")], check=True)
    hooked = {"GIT_DIR": str(tmp_path / "another/.git"), "GIT_INDEX_FILE": "nowhere", "GIT_PREFIX": "assistants/"}
    result = repo.run("plan", "--base", "HEAD", env=hooked)
    assert (result.code, "live now has" in result.stdout) == (0, True)


def test_a_user_without_a_home_changes_nothing(repo: Story) -> None:
    base = repo.head
    repo.write("b", **NEW)
    repo.commit("New")
    # What Python finds for an unknown user without HOME, as in many a container.
    result = repo.run("plan", "--base", base, env={"HOME": "~", "XDG_CONFIG_HOME": ""})
    assert (result.code, f"set by {repo.head[:7]}" in result.stdout) == (0, True), result.stderr


@pytest.mark.parametrize("kind", ["LITERAL", "GLOB", "NOGLOB", "ICASE"])
def test_the_meaning_of_paths_in_somebodys_shell_changes_nothing(repo: Story, kind: str) -> None:
    base = repo.head
    repo.write("b", **NEW)
    repo.commit("New")
    result = repo.run("plan", "--base", base, env={f"GIT_{kind}_PATHSPECS": "1"})
    assert (result.code, f"set by {repo.head[:7]}" in result.stdout) == (0, True), result.stdout + result.stderr


def test_somebodys_git_configuration_changes_nothing(repo: Story) -> None:
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
        repo.git("config", name, value)
    base = repo.head
    repo.write("b", **NEW)
    repo.git("-c", "user.name=J\u00f6rg", "-c", "user.email=j@example.com", "commit", "--quiet", "-a", "-m", "New")
    document = repo.plan("--base", base, "--changed")
    (entry,) = document["assistants"]
    assert entry["changes"][0]["since"]["author"] == "J\u00f6rg"


def test_the_default_base_of_drift_is_the_record_then_head(repo: Story) -> None:
    repo.write("b", **NEW)
    document = repo.report("drift")
    assert document["base"] == {"ref": "HEAD", "commit": repo.head}
    assert change_kinds(document) == {"a": DRIFT, "b": CHANGE}
    assert repo.run("drift", "--detailed-exitcode").code == 2
    repo.commit("New")
    assert change_kinds(repo.report("drift")) == {"a": DRIFT, "b": DRIFT}
    repo.apply_and_record("--on-drift", "revert")
    document = repo.report("drift")
    assert document["base"] == {"ref": REF, "commit": repo.record}
    assert change_kinds(document) == {}
    assert repo.run("drift", "--detailed-exitcode").code == 0
    repo.write("b", **OLD)
    assert change_kinds(repo.report("drift")) == {"b": CHANGE}
    assert repo.run("drift", "--detailed-exitcode").code == 0


def test_a_released_field_is_left_alone_and_listed(tmp_path: Path) -> None:
    live = {"a": {"firstMessage": "x", "model": {**MODEL, "extra": 1}, "metadata": {"team": "t", "n": 1}}}
    with story(tmp_path / "repository", live) as repo:
        repo.write("a", firstMessage="x", model={"temperature": 0.7}, metadata={"team": "t", "n": 1})
        base = repo.commit("First")
        repo.write("a", metadata={"n": 2})
        document = repo.apply("--base", base)
        assert entries(document)["a"]["released"] == ["/firstMessage", "/metadata/team", "/model"]
        assert repo.sandbox.patches == [{"metadata": {"team": "t", "n": 2}}]
        repo.sandbox.edit("asst_a", firstMessage="y", model={"provider": "openai", "model": "gpt-4o"})
        assert repo.apply("--base", base)["summary"]["applied"] == 0


def test_a_definition_that_may_be_in_a_file_that_cannot_be_read_is_not_said_to_be_gone(repo: Story) -> None:
    base = repo.head
    repo.git("mv", "assistants/a.yaml", "assistants/moved.yaml")
    file = repo.root / "assistants/moved.yaml"
    file.write_text(file.read_text("utf-8") + 'firstMessage: "never closed\n')
    assert unmanaged_files(repo.plan("--base", base)) == []
