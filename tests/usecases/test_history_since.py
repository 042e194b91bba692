"""Since when: the commit that set a desired value, in every shape of history."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from histories import OLD, OTHER, commit_as, make_clone, merge, setters
from stories import Story, entries, story

GREETING = "/firstMessage"


@pytest.fixture
def tale(tmp_path: Path) -> Iterator[Story]:
    """One definition, committed as it is live."""
    with story(tmp_path / "repository", {"a": {**OLD, "name": "A"}, "b": OLD}) as tale:
        tale.write("a", **OLD)
        tale.commit("First")
        yield tale


def commit_greeting(tale: Story, text: str, author: str, **more: str) -> tuple[str, str, str]:
    """Commit a greeting as somebody."""
    tale.write("a", firstMessage=text, **more)
    return commit_as(tale, author)


def test_a_change_names_commit_author_and_date(tale: Story) -> None:
    base = tale.head
    commit_greeting(tale, "one", "Ada")
    bob = commit_greeting(tale, "two", "Bob `b`")
    commit_greeting(tale, "two", "Cy", name="B")
    document = tale.plan("--base", base)
    assert setters(document)[GREETING] == bob
    assert bob[2] == "2026-11-20T09:30:00+01:00"
    assert setters(document)["/name"] == (tale.head, "Cy", bob[2])
    text = tale.run("plan", "--base", base).stdout
    assert f"set by {bob[0][:7]}, Bob `b`, 2026-11-20: firstMessage" in text
    page = tale.run("plan", "--base", base, "--format", "markdown").stdout
    assert f"- Set by {bob[0][:7]}, Bob &#96;b&#96;, 2026-11-20: `firstMessage`" in page


def test_a_conflict_names_its_commit_and_drift_the_time_of_lives_last_update(tale: Story) -> None:
    base = tale.head
    commit_greeting(tale, "new", "Ada", name="A")
    tale.sandbox.edit("asst_a", **OTHER)
    document = tale.plan("--base", base)
    assert setters(document) == {GREETING: (tale.head, "Ada", "2026-11-20T09:30:00+01:00")}
    updated = entries(document)["a"]["live_updated_at"]
    assert updated == tale.sandbox.live("asst_a")["updatedAt"]
    second = f"{updated.partition('.')[0]}Z"
    result = tale.run("plan", "--base", "HEAD")
    assert setters(tale.plan("--base", "HEAD")) == {GREETING: None}
    assert f"live last updated {second}" in result.stdout
    assert "set by" not in result.stdout
    assert f"live last updated {second}" in tale.run("drift", "--format", "markdown").stdout


def test_apply_and_offline_plans_name_it_too(tale: Story) -> None:
    base = tale.head
    ada = commit_greeting(tale, "new", "Ada")
    assert setters(tale.plan("--offline", "--base", base)) == {GREETING: ada}
    assert setters(tale.apply("--base", base)) == {GREETING: ada}


def test_without_a_base_nobody_looks(tale: Story) -> None:
    commit_greeting(tale, "new", "Ada")
    assert setters(tale.plan()) == {GREETING: None}


def test_an_edit_that_is_not_committed_was_set_by_nobody(tale: Story) -> None:
    base = tale.head
    commit_greeting(tale, "one", "Ada")
    commit_greeting(tale, "two", "Bob")
    tale.write("a", firstMessage="three")
    assert setters(tale.plan("--base", base)) == {GREETING: None}
    tale.write("a", firstMessage="one")  # what Ada wrote, but not what HEAD has
    assert setters(tale.plan("--base", base)) == {GREETING: None}
    tale.write("b", **OTHER)
    document = tale.plan("--base", base)
    assert setters(document, "b") == {GREETING: None}


def test_a_moved_file_does_not_hide_who_set_a_value(tale: Story) -> None:
    base = tale.head
    ada = commit_greeting(tale, "new", "Ada")
    tale.git("mv", "assistants/a.yaml", "assistants/moved.yaml")
    commit_as(tale, "Mover")
    assert setters(tale.plan("--base", base), "moved") == {GREETING: ada}
    tale.git("mv", "assistants", "bots")
    (tale.root / "bots/moved.yaml").write_text(
        "# rewritten from end to end\nmetadata: {team: a}\nfirstMessage: |-\n  new\nid: 'asst_a'\n", "utf-8"
    )
    cy = commit_as(tale, "Cy")
    assert setters(tale.plan("--directory", "bots", "--base", base), "moved") == {
        GREETING: ada,
        "/metadata/team": cy,
    }


def test_a_definition_that_once_had_a_list_for_its_id_hides_no_commit(tale: Story) -> None:
    base = tale.head
    tale.write("a", "id: [asst_a]\nfirstMessage: odd\n")
    commit_as(tale, "Slip")
    ada = commit_greeting(tale, "new", "Ada")
    assert setters(tale.plan("--base", base)) == {GREETING: ada}


def test_definitions_that_swap_their_files_keep_their_own_commits(tale: Story) -> None:
    base = tale.head
    tale.write("b", firstMessage="b's")
    ada = commit_as(tale, "Ada")
    bob = commit_greeting(tale, "a's", "Bob")
    first, second, between = (tale.root / f"assistants/{name}.yaml" for name in ("a", "b", "c"))
    first.rename(between)
    second.rename(first)
    between.rename(second)
    commit_as(tale, "Swapper")
    document = tale.plan("--base", base)
    assert (setters(document, "a"), setters(document, "b")) == ({GREETING: ada}, {GREETING: bob})


def test_a_merge_does_not_hide_who_set_a_value_on_the_branch(tale: Story) -> None:
    base = tale.head
    tale.git("checkout", "--quiet", "-b", "side")
    ada = commit_greeting(tale, "new", "Ada")
    tale.git("checkout", "--quiet", "-")
    tale.write("b", **OLD)
    commit_as(tale, "Bob")
    merge(tale, "side")
    assert setters(tale.plan("--base", base)) == {GREETING: ada}


@pytest.mark.parametrize("sets_first", [True, False])
def test_a_value_set_on_one_line_survives_a_merge_of_another_edit_of_the_file(tale: Story, sets_first: bool) -> None:
    tale.write("a", "id: asst_a\nfirstMessage: old\n" + "# line\n" * 20 + "maxDurationSeconds: 10\n")
    base = tale.commit("Longer")
    file = tale.root / "assistants/a.yaml"

    def change(old: str, new: str, author: str) -> tuple[str, str, str]:
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
        return commit_as(tale, author)

    greeting, seconds = ("old", "new", "Ada"), ("10", "20", "Bob")
    tale.git("checkout", "--quiet", "-b", "side")
    on_side = change(*(seconds if sets_first else greeting))
    tale.git("checkout", "--quiet", "-")
    on_main = change(*(greeting if sets_first else seconds))
    merge(tale, "side")
    ada, bob = (on_main, on_side) if sets_first else (on_side, on_main)
    assert setters(tale.plan("--base", base)) == {GREETING: ada, "/maxDurationSeconds": bob}


def test_a_value_that_only_a_merge_made_was_set_by_the_merge(tale: Story) -> None:
    base = tale.head
    tale.git("checkout", "--quiet", "-b", "side")
    commit_greeting(tale, "side's", "Ada")
    tale.git("checkout", "--quiet", "-")
    commit_greeting(tale, "main's", "Bob")
    merge(tale, "side", "--strategy", "ours", "--no-commit")
    ours = commit_greeting(tale, "both's", "Merger")
    assert setters(tale.plan("--base", base)) == {GREETING: ours}


def test_a_revert_set_the_value_that_it_brought_back(tale: Story) -> None:
    base = tale.head
    commit_greeting(tale, "new", "Ada")
    commit_greeting(tale, "worse", "Bob")
    back = commit_greeting(tale, "new", "Reverter")
    assert setters(tale.plan("--base", base)) == {GREETING: back}


def test_a_file_that_could_not_be_read_in_between_sets_again_when_it_can(tale: Story) -> None:
    base = tale.head
    commit_greeting(tale, "new", "Ada")
    tale.write("a", "id: asst_a\nfirstMessage: [")
    commit_as(tale, "Breaker")
    mended = commit_greeting(tale, "new", "Mender")
    assert setters(tale.plan("--base", base)) == {GREETING: mended}


def test_a_null_and_a_first_file_are_set_by_their_commits_too(tale: Story) -> None:
    base = tale.head
    tale.write("a", firstMessage=None)
    ada = commit_as(tale, "Ada")
    tale.write("b", firstMessage="first words")
    bob = commit_as(tale, "Bob")
    document = tale.plan("--base", base)
    assert (setters(document, "a"), setters(document, "b")) == ({GREETING: ada}, {GREETING: bob})


def test_beyond_the_end_of_a_shallow_clone_nobody_is_named(tale: Story, tmp_path: Path) -> None:
    people = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    alone = tale.git(*people, "commit-tree", "-m", "What is live, without a history", "HEAD^{tree}")
    tale.git("branch", "applied", alone)
    commit_greeting(tale, "new", "Ada")
    tale.commit("This is where the clone ends", allow_empty=True)
    bob = commit_greeting(tale, "new", "Bob", name="B")
    tale.root = make_clone(tale, tmp_path / "shallow", "--depth", "2", "--no-single-branch")
    assert setters(tale.plan("--base", "origin/applied")) == {GREETING: None, "/name": bob}


def test_a_commit_that_was_tried_before_and_recorded_as_not_applied_is_still_named(tale: Story) -> None:
    """It is not in base..HEAD: the record descends from it, and keeps the older definition."""
    tale.write("b", **OLD)
    tale.commit("Another")
    tale.apply_and_record()
    ada = commit_greeting(tale, "new", "Ada")
    tale.sandbox.edit("asst_a", **OTHER)
    assert entries(tale.apply_and_record())["a"]["outcome"] == "refused"
    assert setters(tale.plan()) == {GREETING: ada}
    tale.git("mv", "assistants/a.yaml", "assistants/[x].yaml")
    commit_as(tale, "Mover")
    assert setters(tale.plan(), "[x]") == {GREETING: ada}
    tale.write("b", firstMessage="newer")
    cy = commit_as(tale, "Cy")
    document = tale.plan()
    assert (setters(document, "[x]"), setters(document, "b")) == ({GREETING: ada}, {GREETING: cy})
    tale.write("[x]", id="asst_a", firstMessage="not committed")
    assert setters(tale.plan(), "[x]") == {GREETING: None}


def test_history_that_git_cannot_read_is_an_error_before_anything_is_sent(tale: Story) -> None:
    tale.apply_and_record()
    commit_greeting(tale, "newer", "Ada")
    tree = tale.git("rev-parse", "HEAD^{tree}")
    commit_greeting(tale, "newest", "Bob")
    (tale.root / ".git/objects" / tree[:2] / tree[2:]).unlink()
    tale.sandbox.forget_requests()
    result = tale.run("apply", "--yes")
    assert (result.code, result.stdout, tale.sandbox.patches) == (1, "", [])
    assert "git log" in result.stderr


def test_in_an_environment_the_file_that_declares_a_value_tells_who_set_it(tale: Story) -> None:
    (tale.root / "reconciler.yaml").write_text(
        f"environments:\n  staging: {{api_url: {tale.sandbox.url}, overlay: environments/staging}}\n", "utf-8"
    )
    overlay = tale.root / "environments/staging/a.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("id: asst_a\nendCallMessage: Bye\n", "utf-8")
    definition = tale.root / "assistants/a.yaml"
    definition.write_text("name: A\nfirstMessage: old\nendCallMessage: Farewell\n", "utf-8")
    base = commit_as(tale, "Eve")
    definition.write_text("name: A\nfirstMessage: one\nendCallMessage: Farewell\n", "utf-8")
    ada = commit_as(tale, "Ada")
    overlay.write_text("id: asst_a\nendCallMessage: See you\n", "utf-8")
    bob = commit_as(tale, "Bob")
    (tale.root / "all").mkdir()
    tale.git("mv", "assistants", "environments", "reconciler.yaml", "all")
    commit_as(tale, "Mover")
    arguments = ("--environment", "staging", "--directory", "all/assistants", "--base")
    assert setters(tale.plan(*arguments, base[0])) == {GREETING: ada, "/endCallMessage": bob}
    (tale.root / "all/environments/staging/a.yaml").write_text("id: asst_a\n", "utf-8")
    commit_as(tale, "Cy")
    # What the overlay says no longer, the shared file has said for long.
    assert setters(tale.plan(*arguments, bob[0]))["/endCallMessage"] == base
