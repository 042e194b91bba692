"""Since when: the commit that set a desired value, in every shape of history."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from histories import OLD, OTHER, commit_as, make_clone, merge, setters
from stories import Story, entries, story

GREETING = "/firstMessage"


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """One definition, committed as it is live."""
    with story(tmp_path / "repository", {"a": {**OLD, "name": "A"}, "b": OLD}) as repo:
        repo.write("a", **OLD)
        repo.commit("First")
        yield repo


def commit_greeting(repo: Story, text: str, author: str, **more: str) -> tuple[str, str, str]:
    """Commit a greeting as somebody."""
    repo.write("a", firstMessage=text, **more)
    return commit_as(repo, author)


def test_a_change_names_commit_author_and_date(repo: Story) -> None:
    base = repo.head
    commit_greeting(repo, "one", "Ada")
    bob = commit_greeting(repo, "two", "Bob `b`")
    commit_greeting(repo, "two", "Cy", name="B")
    document = repo.plan("--base", base)
    assert setters(document)[GREETING] == bob
    assert bob[2] == "2026-11-20T09:30:00+01:00"
    assert setters(document)["/name"] == (repo.head, "Cy", bob[2])
    text = repo.run("plan", "--base", base).stdout
    assert f"set by {bob[0][:7]}, Bob `b`, 2026-11-20: firstMessage" in text
    page = repo.run("plan", "--base", base, "--format", "markdown").stdout
    assert f"- Set by {bob[0][:7]}, Bob &#96;b&#96;, 2026-11-20: `firstMessage`" in page


def test_a_conflict_names_its_commit_and_drift_the_time_of_lives_last_update(repo: Story) -> None:
    base = repo.head
    commit_greeting(repo, "new", "Ada", name="A")
    repo.sandbox.edit("asst_a", **OTHER)
    document = repo.plan("--base", base)
    assert setters(document) == {GREETING: (repo.head, "Ada", "2026-11-20T09:30:00+01:00")}
    updated = entries(document)["a"]["live_updated_at"]
    assert updated == repo.sandbox.live("asst_a")["updatedAt"]
    second = f"{updated.partition('.')[0]}Z"
    result = repo.run("plan", "--base", "HEAD")
    assert setters(repo.plan("--base", "HEAD")) == {GREETING: None}
    assert f"live last updated {second}" in result.stdout
    assert "set by" not in result.stdout
    assert f"live last updated {second}" in repo.run("drift", "--format", "markdown").stdout


def test_apply_and_offline_plans_name_it_too(repo: Story) -> None:
    base = repo.head
    ada = commit_greeting(repo, "new", "Ada")
    assert setters(repo.plan("--offline", "--base", base)) == {GREETING: ada}
    assert setters(repo.apply("--base", base)) == {GREETING: ada}


def test_without_a_base_nobody_looks(repo: Story) -> None:
    commit_greeting(repo, "new", "Ada")
    assert setters(repo.plan()) == {GREETING: None}


def test_an_edit_that_is_not_committed_was_set_by_nobody(repo: Story) -> None:
    base = repo.head
    commit_greeting(repo, "one", "Ada")
    commit_greeting(repo, "two", "Bob")
    repo.write("a", firstMessage="three")
    assert setters(repo.plan("--base", base)) == {GREETING: None}
    repo.write("a", firstMessage="one")  # what Ada wrote, but not what HEAD has
    assert setters(repo.plan("--base", base)) == {GREETING: None}
    repo.write("b", **OTHER)
    document = repo.plan("--base", base)
    assert setters(document, "b") == {GREETING: None}


def test_a_moved_file_does_not_hide_who_set_a_value(repo: Story) -> None:
    base = repo.head
    ada = commit_greeting(repo, "new", "Ada")
    repo.git("mv", "assistants/a.yaml", "assistants/moved.yaml")
    commit_as(repo, "Mover")
    assert setters(repo.plan("--base", base), "moved") == {GREETING: ada}
    repo.git("mv", "assistants", "bots")
    (repo.root / "bots/moved.yaml").write_text(
        "# rewritten from end to end\nmetadata: {team: a}\nfirstMessage: |-\n  new\nid: 'asst_a'\n", "utf-8"
    )
    cy = commit_as(repo, "Cy")
    assert setters(repo.plan("--directory", "bots", "--base", base), "moved") == {
        GREETING: ada,
        "/metadata/team": cy,
    }


def test_a_definition_that_once_had_a_list_for_its_id_hides_no_commit(repo: Story) -> None:
    base = repo.head
    repo.write("a", "id: [asst_a]\nfirstMessage: odd\n")
    commit_as(repo, "Slip")
    ada = commit_greeting(repo, "new", "Ada")
    assert setters(repo.plan("--base", base)) == {GREETING: ada}


def test_definitions_that_swap_their_files_keep_their_own_commits(repo: Story) -> None:
    base = repo.head
    repo.write("b", firstMessage="b's")
    ada = commit_as(repo, "Ada")
    bob = commit_greeting(repo, "a's", "Bob")
    first, second, between = (repo.root / f"assistants/{name}.yaml" for name in ("a", "b", "c"))
    first.rename(between)
    second.rename(first)
    between.rename(second)
    commit_as(repo, "Swapper")
    document = repo.plan("--base", base)
    assert (setters(document, "a"), setters(document, "b")) == ({GREETING: ada}, {GREETING: bob})


def test_a_merge_does_not_hide_who_set_a_value_on_the_branch(repo: Story) -> None:
    base = repo.head
    repo.git("checkout", "--quiet", "-b", "side")
    ada = commit_greeting(repo, "new", "Ada")
    repo.git("checkout", "--quiet", "-")
    repo.write("b", **OLD)
    commit_as(repo, "Bob")
    merge(repo, "side")
    assert setters(repo.plan("--base", base)) == {GREETING: ada}


@pytest.mark.parametrize("sets_first", [True, False])
def test_a_value_set_on_one_line_survives_a_merge_of_another_edit_of_the_file(repo: Story, sets_first: bool) -> None:
    repo.write("a", "id: asst_a\nfirstMessage: old\n" + "# line\n" * 20 + "maxDurationSeconds: 10\n")
    base = repo.commit("Longer")
    file = repo.root / "assistants/a.yaml"

    def change(old: str, new: str, author: str) -> tuple[str, str, str]:
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
        return commit_as(repo, author)

    greeting, seconds = ("old", "new", "Ada"), ("10", "20", "Bob")
    repo.git("checkout", "--quiet", "-b", "side")
    on_side = change(*(seconds if sets_first else greeting))
    repo.git("checkout", "--quiet", "-")
    on_main = change(*(greeting if sets_first else seconds))
    merge(repo, "side")
    ada, bob = (on_main, on_side) if sets_first else (on_side, on_main)
    assert setters(repo.plan("--base", base)) == {GREETING: ada, "/maxDurationSeconds": bob}


def test_a_value_that_only_a_merge_made_was_set_by_the_merge(repo: Story) -> None:
    base = repo.head
    repo.git("checkout", "--quiet", "-b", "side")
    commit_greeting(repo, "side's", "Ada")
    repo.git("checkout", "--quiet", "-")
    commit_greeting(repo, "main's", "Bob")
    merge(repo, "side", "--strategy", "ours", "--no-commit")
    ours = commit_greeting(repo, "both's", "Merger")
    assert setters(repo.plan("--base", base)) == {GREETING: ours}


def test_a_revert_set_the_value_that_it_brought_back(repo: Story) -> None:
    base = repo.head
    commit_greeting(repo, "new", "Ada")
    commit_greeting(repo, "worse", "Bob")
    back = commit_greeting(repo, "new", "Reverter")
    assert setters(repo.plan("--base", base)) == {GREETING: back}


def test_a_file_that_could_not_be_read_in_between_sets_again_when_it_can(repo: Story) -> None:
    base = repo.head
    commit_greeting(repo, "new", "Ada")
    repo.write("a", "id: asst_a\nfirstMessage: [")
    commit_as(repo, "Breaker")
    mended = commit_greeting(repo, "new", "Mender")
    assert setters(repo.plan("--base", base)) == {GREETING: mended}


def test_a_null_and_a_first_file_are_set_by_their_commits_too(repo: Story) -> None:
    base = repo.head
    repo.write("a", firstMessage=None)
    ada = commit_as(repo, "Ada")
    repo.write("b", firstMessage="first words")
    bob = commit_as(repo, "Bob")
    document = repo.plan("--base", base)
    assert (setters(document, "a"), setters(document, "b")) == ({GREETING: ada}, {GREETING: bob})


def test_beyond_the_end_of_a_shallow_clone_nobody_is_named(repo: Story, tmp_path: Path) -> None:
    alone = repo.make_commit("HEAD^{tree}", message="What is live, without a history")
    repo.git("branch", "applied", alone)
    commit_greeting(repo, "new", "Ada")
    repo.commit("This is where the clone ends", allow_empty=True)
    bob = commit_greeting(repo, "new", "Bob", name="B")
    repo.root = make_clone(repo, tmp_path / "shallow", "--depth", "2", "--no-single-branch")
    assert setters(repo.plan("--base", "origin/applied")) == {GREETING: None, "/name": bob}


def test_a_commit_that_was_tried_before_and_recorded_as_not_applied_is_still_named(repo: Story) -> None:
    """It is not in base..HEAD: the record descends from it, and keeps the older definition."""
    repo.write("b", **OLD)
    repo.commit("Another")
    repo.apply_and_record()
    ada = commit_greeting(repo, "new", "Ada")
    repo.sandbox.edit("asst_a", **OTHER)
    assert entries(repo.apply_and_record())["a"]["outcome"] == "refused"
    assert setters(repo.plan()) == {GREETING: ada}
    repo.git("mv", "assistants/a.yaml", "assistants/[x].yaml")
    commit_as(repo, "Mover")
    assert setters(repo.plan(), "[x]") == {GREETING: ada}
    repo.write("b", firstMessage="newer")
    cy = commit_as(repo, "Cy")
    document = repo.plan()
    assert (setters(document, "[x]"), setters(document, "b")) == ({GREETING: ada}, {GREETING: cy})
    repo.write("[x]", id="asst_a", firstMessage="not committed")
    assert setters(repo.plan(), "[x]") == {GREETING: None}


def test_history_that_git_cannot_read_is_an_error_before_anything_is_sent(repo: Story) -> None:
    repo.apply_and_record()
    commit_greeting(repo, "newer", "Ada")
    tree = repo.git("rev-parse", "HEAD^{tree}")
    commit_greeting(repo, "newest", "Bob")
    (repo.root / ".git/objects" / tree[:2] / tree[2:]).unlink()
    repo.sandbox.forget_requests()
    result = repo.run("apply", "--yes")
    assert (result.code, result.stdout, repo.sandbox.patches) == (1, "", [])
    assert "git log" in result.stderr


def test_in_an_environment_the_file_that_declares_a_value_tells_who_set_it(repo: Story) -> None:
    (repo.root / "reconciler.yaml").write_text(
        f"environments:\n  staging: {{api_url: {repo.sandbox.url}, overlay: environments/staging}}\n", "utf-8"
    )
    overlay = repo.root / "environments/staging/a.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("id: asst_a\nendCallMessage: Bye\n", "utf-8")
    definition = repo.root / "assistants/a.yaml"
    definition.write_text("name: A\nfirstMessage: old\nendCallMessage: Farewell\n", "utf-8")
    base = commit_as(repo, "Eve")
    definition.write_text("name: A\nfirstMessage: one\nendCallMessage: Farewell\n", "utf-8")
    ada = commit_as(repo, "Ada")
    overlay.write_text("id: asst_a\nendCallMessage: See you\n", "utf-8")
    bob = commit_as(repo, "Bob")
    (repo.root / "all").mkdir()
    repo.git("mv", "assistants", "environments", "reconciler.yaml", "all")
    commit_as(repo, "Mover")
    arguments = ("--environment", "staging", "--directory", "all/assistants", "--base")
    assert setters(repo.plan(*arguments, base[0])) == {GREETING: ada, "/endCallMessage": bob}
    (repo.root / "all/environments/staging/a.yaml").write_text("id: asst_a\n", "utf-8")
    commit_as(repo, "Cy")
    # What the overlay says no longer, the shared file has said for long.
    assert setters(repo.plan(*arguments, bob[0]))["/endCallMessage"] == base
