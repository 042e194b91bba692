"""Edits of one text in git and in the dashboard: both survive, or what does not is named."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from desks import Fields, check_success, commit_settings
from faulty_git import FaultyGit
from histories import change_kinds
from stories import Story, story

RULES = [f"{number}. Rule {number}." for number in range(1, 301)]
PROMPT = "\n".join(RULES) + "\n"

TOUCHING = (
    "git and live changed the same or adjacent lines of model.messages[0].content: merge them by hand, or "
    "take the live text with --conflicts=live"
)


def replace_rule(text: str, number: int, rule: str) -> str:
    return text.replace(f"{number}. Rule {number}.\n", f"{number}. {rule}\n")


def build_live(prompt: str, **fields: object) -> Fields:
    model = {"provider": "openai", "model": "gpt-4o", "messages": [{"role": "system", "content": prompt}]}
    return {"name": "Desk", "firstMessage": "Hello!", "endCallMessage": PROMPT, "model": model, **fields}


def build_text(prompt: str, message: str = "Hello!", more: str = "") -> str:
    block = "".join(f"        {line}\n" for line in prompt.splitlines())
    head = f"# A desk.\nid: asst_a\nname: Desk\nfirstMessage: {message}\n{more}"
    return f"{head}model:\n  messages:\n    - role: system  # ours\n      content: |\n{block}"


@contextmanager
def desk(root: Path) -> Iterator[tuple[Story, Path]]:
    """A desk with a long prompt, applied and recorded."""
    with story(root, {"a": build_live(PROMPT)}) as repo:
        commit_settings(repo, extra_fields=["/model/messages"])
        file = repo.write("a", build_text(PROMPT))
        repo.commit()
        repo.apply_and_record()
        yield repo, file


def test_rules_that_git_and_the_dashboard_changed_both_survive_a_pull(tmp_path: Path) -> None:
    ours, theirs = replace_rule(PROMPT, 7, "Ours."), replace_rule(PROMPT, 200, "Theirs.")
    with desk(tmp_path / "work") as (repo, file):
        file.write_text(build_text(ours), "utf-8")
        repo.commit("Rule 7")
        repo.sandbox.edit("asst_a", **build_live(theirs))
        before = change_kinds(repo.plan())
        result = repo.run("pull", "--conflicts", "assistants/a.yaml")
        pulled = file.read_text("utf-8")
        repo.commit("Pull")
        planned = change_kinds(repo.plan())
        check_success(repo.run("apply", "--yes", "--record"))
        live = repo.sandbox.live("asst_a")["model"]["messages"][0]["content"]
        after = change_kinds(repo.plan())
    both = replace_rule(ours, 200, "Theirs.")
    assert before == {"a": {"/model/messages": "conflict"}}
    assert (result.code, result.stdout, result.stderr) == (0, "assistants/a.yaml: model.messages\n", "")
    assert pulled == build_text(both)
    assert (planned, live, after) == ({"a": {"/model/messages": "change"}}, both, {})


def test_edits_that_were_merged_by_hand_are_a_change(tmp_path: Path) -> None:
    with desk(tmp_path / "work") as (repo, file):
        theirs = replace_rule(PROMPT, 200, "Theirs.")
        repo.sandbox.edit("asst_a", **build_live(theirs))
        file.write_text(build_text(replace_rule(theirs, 7, "Ours.")), "utf-8")
        repo.commit("Merged")
        planned = change_kinds(repo.plan())
        result = repo.run("apply", "--yes", "--record")
        live = repo.sandbox.live("asst_a")["model"]["messages"][0]["content"]
    assert planned == {"a": {"/model/messages": "change"}}
    assert (result.code, live) == (0, replace_rule(theirs, 7, "Ours."))


def test_edits_of_one_rule_are_left_and_named(tmp_path: Path) -> None:
    ours, theirs = replace_rule(PROMPT, 7, "Ours."), replace_rule(PROMPT, 7, "Theirs.")
    with desk(tmp_path / "work") as (repo, file):
        file.write_text(build_text(ours, "Ours"), "utf-8")
        repo.commit("Rule 7")
        repo.sandbox.edit("asst_a", **build_live(theirs, firstMessage="Theirs", name="Reception"))
        result = repo.run("pull", "--conflicts")
        pulled = file.read_text("utf-8")
        pull_result = repo.run("pull", "--conflicts=live")
        text = file.read_text("utf-8")
    assert (result.code, result.stdout) == (1, "assistants/a.yaml: firstMessage, name\n")
    assert result.stderr.splitlines() == [
        "assistants/a.yaml: firstMessage: the live value replaces git's change:",
        '  ~ firstMessage: "Hello!" -> "Ours"',
        f"assistants/a.yaml: not pulled: model.messages: {TOUCHING}",
    ]
    assert pulled == build_text(ours, "Theirs").replace("name: Desk", "name: Reception")
    assert (pull_result.code, pull_result.stdout) == (0, "assistants/a.yaml: model.messages\n")
    assert pull_result.stderr.startswith("assistants/a.yaml: model.messages: the live value replaces git's change:\n")
    listed_lines = [line.strip() for line in pull_result.stderr.splitlines()[1:]]
    assert [line for line in listed_lines if line[0] in "+-"] == ["- 7. Rule 7.", "+ 7. Ours."]
    assert len(listed_lines) < 12
    assert text == build_text(theirs, "Theirs").replace("name: Desk", "name: Reception")


PHRASES = (
    '# How calls end.\nid: asst_a\nendCallPhrases:\n  - "Bye"      # short\n  - Goodbye\n  # formal\n  - Farewell\n'
)


@pytest.mark.parametrize(
    ("live", "text"),
    [
        (["Farewell", "So long", "Goodbye", "Bye"], PHRASES + "  - So long\n"),
        (["Farewell", "Bye"], PHRASES.replace("  - Goodbye\n", "")),
        (["Ciao", "Farewell", "Bye", "Bye"], PHRASES.replace("  - Goodbye\n", "") + '  - "Ciao"\n  - "Bye"\n'),
    ],
)
def test_phrases_keep_their_order_and_their_comments(tmp_path: Path, live: list[str], text: str) -> None:
    with story(tmp_path / "work", {"a": {"name": "A", "endCallPhrases": ["Bye", "Goodbye", "Farewell"]}}) as repo:
        file = repo.write("a", PHRASES)
        repo.commit()
        repo.apply_and_record()
        repo.sandbox.edit("asst_a", endCallPhrases=live)
        result = repo.run("pull")
        pulled = file.read_text("utf-8")
        planned = change_kinds(repo.plan())
    assert (result.code, planned) == (0, {})
    assert sorted(pulled.replace('"', "").splitlines()) == sorted(text.replace('"', "").splitlines())


@pytest.mark.parametrize("way", ["exits 128", "is killed", "is missing"])
def test_a_git_that_breaks_while_it_merges_is_an_error_and_nothing_is_written(tmp_path: Path, way: str) -> None:
    with desk(tmp_path / "work") as (repo, file):
        file.write_text(build_text(replace_rule(PROMPT, 7, "Ours.")), "utf-8")
        repo.commit("Rule 7")
        theirs = build_live(replace_rule(PROMPT, 200, "Theirs."))
        repo.sandbox.edit("asst_a", **theirs)
        before = file.read_text("utf-8")
        repo.sandbox.forget_requests()
        git = FaultyGit(tmp_path / "bin")
        for command in (("plan",), ("apply", "--yes"), ("pull", "--conflicts")):
            git.break_for("merge-file", way)
            result = repo.run(*command, env=git.env)
            assert (result.code, "git" in result.stderr) == (1, True), (command, result)
        assert (repo.sandbox.patches, file.read_text("utf-8")) == ([], before)
