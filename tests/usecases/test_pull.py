"""Live edits written back: which fields go into which file, what is left and why, and what never changes."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from histories import change_kinds
from projects import MODEL
from servers import running_sandbox
from stories import Story, story
from two_environments import NOTHING_ELSE, SHARED, two_environments

TEXT = """# What callers hear.
id: asst_a
name: A
firstMessage: "Hello"   # said first
model: {provider: openai, model: gpt-4o, temperature: 0.7}   # see the wiki
"""
LIVE: dict[str, Any] = {"name": "A", "firstMessage": "Hello", "model": MODEL}


def begin_story(repo: Story, text: str = TEXT) -> Path:
    """A definition that is applied and recorded."""
    file = repo.write("a", text)
    repo.commit()
    repo.apply_and_record()
    return file


def test_only_the_paths_that_are_named_are_pulled(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE, "b": LIVE}) as repo:
        files = [repo.write("a", TEXT), repo.write("sub/b", TEXT.replace("asst_a", "asst_b"))]
        repo.commit()
        for name in ("asst_a", "asst_b"):
            repo.sandbox.edit(name, firstMessage="Welcome")
        result = repo.run("pull", "assistants/sub")
        texts = [file.read_text("utf-8") for file in files]
    assert (result.code, result.stdout) == (0, "assistants/sub/b.yaml: firstMessage\n")
    assert texts == [TEXT, TEXT.replace("asst_a", "asst_b").replace("Hello", "Welcome")]


def test_a_number_that_became_a_truth_value_is_named(tmp_path: Path) -> None:
    text = "id: asst_a\nmetadata: {{vip: {vip}, score: {score}, same: 1}}\n"
    with story(tmp_path / "work", {"a": {"metadata": {"vip": 1, "score": False, "same": 1.0}}}) as repo:
        file = begin_story(repo, text.format(vip=1, score="false"))
        repo.sandbox.edit("asst_a", metadata={"vip": True, "score": 0.0, "same": 1.0})
        result = repo.run("pull")
        after = file.read_text("utf-8")
    assert (result.code, result.stdout) == (0, "assistants/a.yaml: metadata.score, metadata.vip\n")
    assert after == text.format(vip="true", score="0.0")


def test_an_ignored_key_that_only_live_has_in_a_declared_element_stays_out_of_the_file(tmp_path: Path) -> None:
    text = "id: asst_a\nmetadata:\n  slots:\n    - {day: mon}\n    - {day: tue}\n"
    live = {"metadata": {"slots": [{"day": "mon", "etag": 1}, {"day": "tue", "etag": 2}]}}
    with story(tmp_path / "work", {"a": live}) as repo:
        repo.project.configure(ignore=[{"path": "metadata.slots.*.etag", "reason": "the server's"}])
        file = begin_story(repo, text)
        # What the definition does not have yet is pulled as it is.
        slots = [{"day": "mon", "etag": 3}, {"day": "wed", "etag": 4}, {"day": "thu", "etag": 5}]
        repo.sandbox.edit("asst_a", metadata={"slots": slots})
        result = repo.run("pull")
        after = file.read_text("utf-8")
        planned = repo.plan()
    assert (result.code, result.stdout) == (0, "assistants/a.yaml: metadata.slots\n")
    assert after == text.replace("tue", "wed") + "    - day: thu\n      etag: 5\n"
    assert planned["summary"]["in_sync"] == 1


def test_conflicts_are_pulled_where_they_are_asked_for(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        file = begin_story(repo)
        ours = TEXT.replace("Hello", "Ours").replace("0.7", "0.1")
        file.write_text(ours, "utf-8")
        repo.commit()
        repo.sandbox.edit("asst_a", firstMessage="Theirs")
        without = repo.run("pull")
        text_before = file.read_text("utf-8")
        result = repo.run("pull", "--conflicts")
        planned = change_kinds(repo.plan())
        text = file.read_text("utf-8")
    message = (
        "assistants/a.yaml: not pulled: firstMessage: git changed it as well; --conflicts merges texts line by line, "
        "and takes the live value of any other field\n"
    )
    assert (without.code, without.stdout, without.stderr, text_before) == (0, "", message, ours)
    assert (result.code, result.stdout) == (0, "assistants/a.yaml: firstMessage\n")
    goes = "assistants/a.yaml: firstMessage: the live value replaces git's change:"
    assert result.stderr.splitlines() == [goes, '  ~ firstMessage: "Hello" -> "Ours"']
    assert text == ours.replace("Ours", "Theirs")
    assert planned == {"a": {"/model/temperature": "change"}}  # git's own move stays


def test_an_answer_that_all_assistants_get_is_said_once(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE, "b": LIVE}) as repo:
        for key in "ab":
            repo.write(key, TEXT.replace("asst_a", f"asst_{key}"))
        repo.commit()
        repo.sandbox.rehearse("every GET *: 403")
        result = repo.run("pull")
    first, *_, last = result.stderr.splitlines()
    assert (result.code, result.stderr.count("403")) == (1, 1)
    assert first.startswith("GET /assistants/ID: the API answered 403")
    assert last == "  2 assistants: assistants/a.yaml, assistants/b.yaml"


def test_a_wrong_password_is_said_once_before_the_files_and_the_lints(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE, "b": LIVE}) as repo:
        for key in "ab":
            repo.write(key, TEXT.replace("asst_a", f"asst_{key}").replace('"Hello"', '"Hello "'))
        repo.commit()
        result = repo.run("pull", env={"RECONCILER_PASSWORD": "wrong"})
    first, _, last, lint, *_ = result.stderr.splitlines()
    assert (result.code, result.stdout, result.stderr.count("wrong password")) == (1, "", 1)
    assert first.startswith("Login failed: wrong password")
    assert last == "  2 assistants: assistants/a.yaml, assistants/b.yaml"
    assert lint.endswith("[trailing-space]")


def test_check_shows_the_difference_and_writes_nothing(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        file = begin_story(repo)
        clean = repo.run("pull", "--check")
        repo.sandbox.edit("asst_a", firstMessage="Welcome\x1b[31m")
        result = repo.run("pull", "--check")
        text = file.read_text("utf-8")
    assert (clean.code, clean.stdout, clean.stderr) == (0, "", "Nothing to pull.\n")
    assert (result.code, result.stderr, text) == (2, "", TEXT)
    assert '\n-firstMessage: "Hello"   # said first\n+firstMessage: "Welcome' in result.stdout
    assert "assistants/a.yaml" in result.stdout
    assert "\x1b" not in result.stdout


def test_sensitive_and_ignored_values_are_never_written(tmp_path: Path) -> None:
    text = TEXT + "metadata: {crmKey: old, campaign: old, team: old}\n"
    live = {**LIVE, "metadata": {"crmKey": "old", "campaign": "old", "team": "old"}}
    with story(tmp_path / "work", {"a": live}) as repo:
        repo.project.configure(
            sensitive=["/metadata/crmKey"], ignore=[{"path": "/metadata/campaign", "reason": "set by the CRM"}]
        )
        file = begin_story(repo, text)
        repo.sandbox.edit("asst_a", metadata={"crmKey": "sk-new", "campaign": "new", "team": "ours"})
        checked = repo.run("pull", "--check")
        result = repo.run("pull")
        after = file.read_text("utf-8")
    assert result.code == 0
    assert after == text.replace("team: old", "team: ours")
    assert "not pulled: metadata.crmKey" in result.stderr
    assert "sk-new" not in result.stdout + result.stderr + checked.stdout + checked.stderr


@pytest.mark.parametrize("options", [(), ("--conflicts",)])
def test_a_sensitive_field_is_skipped_for_that_reason_whatever_git_did(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    live = {**LIVE, "voicemailMessage": "one\ntwo\n"}
    with story(tmp_path / "work", {"a": live}) as repo:
        repo.project.configure(sensitive=["/voicemailMessage"])
        file = begin_story(repo, TEXT + "voicemailMessage: |\n  one\n  two\n")
        after = file.read_text("utf-8").replace("two", "git's")
        file.write_text(after, "utf-8")
        repo.commit()
        repo.sandbox.edit("asst_a", voicemailMessage="one\nlive's\n")
        result = repo.run("pull", "--base", "HEAD~1", *options)
        assert file.read_text("utf-8") == after
    assert result.code == 0
    assert "not pulled: voicemailMessage: listed under sensitive" in result.stderr
    assert "--conflicts" not in result.stderr


def test_check_shows_no_line_that_holds_a_sensitive_value(tmp_path: Path) -> None:
    """Not even one that stands beside what is pulled: a job's log is read by more people than the file."""
    text = (
        TEXT + "voicemailMessage: |\n  sk-one\n  sk-two\nmetadata: {crmKey: sk-three, team: old}\nendCallMessage: Bye\n"
    )
    live = {**LIVE, "voicemailMessage": "sk-one\nsk-two\n", "metadata": {"crmKey": "sk-three", "team": "old"}}
    with story(tmp_path / "work", {"a": {**live, "endCallMessage": "Bye"}}) as repo:
        repo.project.configure(sensitive=["/metadata/crmKey", "/voicemailMessage"])
        begin_story(repo, text)
        repo.sandbox.edit("asst_a", metadata={"crmKey": "sk-three", "team": "ours"}, endCallMessage="See you")
        result = repo.run("pull", "--check")
    assert result.code == 2
    assert "sk-" not in result.stdout + result.stderr
    assert result.stdout.endswith(
        " (sensitive)\n (sensitive)\n (sensitive)\n-(sensitive)\n-endCallMessage: Bye\n"
        "+(sensitive)\n+endCallMessage: See you\n"
    )


def test_an_object_that_holds_a_sensitive_value_is_not_written(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": {**LIVE, "metadata": {"crm": "none"}}}) as repo:
        repo.project.configure(sensitive=["/metadata/crm/key"])
        file = begin_story(repo, TEXT + "metadata: {crm: none}\n")
        repo.sandbox.edit("asst_a", metadata={"crm": {"key": "sk-new"}})
        result = repo.run("pull")
        after = file.read_text("utf-8")
    assert after == TEXT + "metadata: {crm: none}\n"
    assert "not pulled: metadata.crm" in result.stderr
    assert "sk-new" not in result.stderr + result.stdout


def test_a_value_that_live_has_lost_becomes_null_where_a_definition_may_say_so(tmp_path: Path) -> None:
    live = {**LIVE, "endCallMessage": "Bye", "metadata": {"team": "a"}}
    text = TEXT + 'endCallMessage: "Bye"  # last\nmetadata: {team: a}\n'
    with story(tmp_path / "work", {"a": live}) as repo:
        file = begin_story(repo, text)
        repo.sandbox.edit(
            "asst_a", endCallMessage=None, metadata={}, name=None, model={"provider": "openai", "model": "gpt-4o"}
        )
        result = repo.run("pull")
        after = file.read_text("utf-8")
        planned = change_kinds(repo.plan())
    assert yaml.safe_load(after) == {**yaml.safe_load(text), "endCallMessage": None, "metadata": {"team": None}}
    assert "endCallMessage: null  # last\n" in after
    stderr_lines = result.stderr.splitlines()
    assert [line.split(": ")[2] for line in stderr_lines] == ["model.temperature", "name"]
    assert all("remove the line to release it" in line for line in stderr_lines)
    assert planned == {"a": {"/model/temperature": "drift", "/name": "drift"}}


def test_a_value_of_the_defaults_that_live_has_lost_is_released_where_it_stands(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        begin_story(repo, "id: asst_a\nname: Desk\n")
        (repo.root / "assistants" / "_defaults.yaml").write_text("model: {temperature: 0.7}\n", "utf-8")
        repo.commit()
        repo.apply_and_record()
        repo.sandbox.edit("asst_a", model={"provider": "openai", "model": "gpt-4o"})
        result = repo.run("pull")
    assert (
        "assistants/_defaults.yaml gives it one; to release it, move it from there into the definitions"
        in result.stderr
    )


@pytest.mark.parametrize(
    ("edit", "path"),
    [
        ({"model": {**MODEL, "temperature": 7}}, "model.temperature"),
        ({"model": {**MODEL, "provider": "groq"}}, "model.provider"),
        ({"firstMessage": ["Hello"]}, "firstMessage"),
        ({"firstMessage": 12}, "firstMessage"),
    ],
)
def test_a_value_that_a_definition_may_not_hold_is_told_and_left(
    tmp_path: Path, edit: dict[str, Any], path: str
) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        file = begin_story(repo)
        repo.sandbox.edit("asst_a", **{"name": "B", **edit})
        result = repo.run("pull")
        after = file.read_text("utf-8")
    assert after == TEXT.replace("name: A", "name: B")
    assert f"not pulled: {path}: the live value is not allowed in a definition" in result.stderr


def test_nothing_to_pull_is_not_said_of_what_could_not_be_read(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        begin_story(repo, TEXT.replace("id: asst_a", "id: asst_gone"))
        result = repo.run("pull")
    assert (result.code, result.stdout) == (1, "")
    assert result.stderr.startswith("assistants/a.yaml: GET /assistants/asst_gone: the API answered 404")


@pytest.mark.parametrize("check", [True, False])
def test_an_assistant_that_cannot_be_read_fails_and_the_others_are_pulled(tmp_path: Path, check: bool) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        file = repo.write("a", TEXT)
        repo.write("gone", name="Gone")
        repo.write("invalid", id="asst_i", nmae="x")
        repo.commit()
        repo.sandbox.edit("asst_a", firstMessage="Welcome")
        result = repo.run("pull", *(["--check"] if check else []))
        after = file.read_text("utf-8")
    assert result.code == 1
    assert "assistants/gone.yaml: " in result.stderr
    assert "assistants/invalid.yaml:2:1:" in result.stderr
    assert result.stderr.count("invalid.yaml") == 1, "what is wrong in a file is said once"
    assert after == (TEXT if check else TEXT.replace("Hello", "Welcome"))


@pytest.mark.parametrize(
    ("mark", "newline", "last"), [("\ufeff", "\n", "\n"), ("", "\r\n", "\r\n"), ("\ufeff", "\r\n", "")]
)
def test_a_byte_order_mark_and_line_ends_stay(tmp_path: Path, mark: str, newline: str, last: str) -> None:
    text = mark + TEXT.rstrip("\n").replace("\n", newline) + last
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        file = repo.project.folder / "a.yaml"
        file.write_bytes(text.encode())
        repo.commit()
        repo.sandbox.edit("asst_a", firstMessage="Welcome")
        result = repo.run("pull")
        after = file.read_bytes().decode()
    assert result.code == 0, result.stderr
    assert after == text.replace("Hello", "Welcome")


def test_a_file_that_changes_meanwhile_is_left(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        file = begin_story(repo)
        repo.sandbox.edit("asst_a", firstMessage="Welcome")
        newer = TEXT + "endCallMessage: Bye\n"

        def save(method: str, path: str, _: Any) -> None:
            if method == "GET" and path.startswith("/assistants/"):
                file.write_text(newer, "utf-8")

        repo.sandbox.before_each(save)
        result = repo.run("pull")
        after = file.read_text("utf-8")
    assert (result.code, after) == (1, newer)
    assert "was changed in the meantime" in result.stderr


def test_outside_git_every_difference_is_drift(tmp_path: Path) -> None:
    with running_sandbox({"asst_a": LIVE}) as sandbox:
        repo = Story(tmp_path / "work", sandbox)
        file = repo.write("a", TEXT.replace("Hello", "Never applied"))
        result = repo.run("pull")
        after = file.read_text("utf-8")
    assert (result.code, after) == (0, TEXT)


def test_without_a_base_nothing_is_drift(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        file = begin_story(repo)
        repo.sandbox.edit("asst_a", firstMessage="Welcome")
        result = repo.run("pull", "--base", "HEAD~0")
        assert file.read_text("utf-8") != TEXT
        assert result.code == 0


def test_an_overlay_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    text = "id: asst_a\n" + TEXT.replace("id: asst_a\n", "")
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        file = environments.repo.write("sub/a", text)
        environments.repo.commit()
        environments.repo.sandbox.edit("asst_a", firstMessage="Welcome", model={**MODEL, "temperature": 1})
        checked = environments.run("staging", "pull", "--check")
        overlay = environments.root / "environments/staging/sub/a.yaml"
        exists = overlay.exists()
        result = environments.run("staging", "pull")
        again = environments.run("staging", "pull")
        fields = yaml.safe_load(overlay.read_text("utf-8"))
        other = list((environments.root / "environments/production").iterdir())
        after = file.read_text("utf-8")
    assert (checked.code, exists) == (2, False)
    assert "+firstMessage: Welcome" in checked.stdout
    assert (result.code, result.stdout) == (0, "environments/staging/sub/a.yaml: firstMessage, model.temperature\n")
    assert fields == {"firstMessage": "Welcome", "model": {"temperature": 1}}
    assert (again.code, again.stdout, other, after) == (0, "", [], text)


def test_without_an_overlay_folder_the_shared_file_is_not_written(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        repo.project.configure(environments={"staging": {"api_url": repo.url}})
        file = begin_story(repo)
        repo.sandbox.edit("asst_a", firstMessage="Welcome")
        result = repo.run("pull", "--environment", "staging", env=NOTHING_ELSE)
        after = file.read_text("utf-8")
    assert after == TEXT
    message = "assistants/a.yaml: not pulled: firstMessage: the environment has no overlay folder to write it into"
    assert (result.code, " ".join(result.stderr.split())) == (1, message)


def test_a_file_that_cannot_be_written_does_not_stop_the_others(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE, "b": LIVE}) as repo:
        files = [repo.write("a", TEXT), repo.write("b", TEXT.replace("asst_a", "asst_b"))]
        repo.commit()
        for name in ("asst_a", "asst_b"):
            repo.sandbox.edit(name, firstMessage="Welcome")

        def save(method: str, path: str, _: Any) -> None:
            if method == "GET" and path.startswith("/assistants/"):
                files[0].write_text(TEXT + "# more\n", "utf-8")

        repo.sandbox.before_each(save)
        result = repo.run("pull")
        texts = [file.read_text("utf-8") for file in files]
    assert (result.code, result.stdout) == (1, "assistants/b.yaml: firstMessage\n")
    assert "was changed in the meantime" in result.stderr
    assert "Nothing to pull" not in result.stderr
    assert texts == [TEXT + "# more\n", TEXT.replace("asst_a", "asst_b").replace("Hello", "Welcome")]


@pytest.mark.parametrize("key", ["x" * 250, "語" * 83])
def test_a_file_whose_name_is_as_long_as_names_can_be(tmp_path: Path, key: str) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        file = repo.write(key, TEXT)
        repo.sandbox.edit("asst_a", firstMessage="Welcome")
        result = repo.run("pull")
        after = file.read_text("utf-8")
    assert (result.code, result.stderr, after) == (0, "", TEXT.replace("Hello", "Welcome"))
    assert [*repo.project.folder.iterdir()] == [file]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        hidden_file = repo.project.folder / ".kept" / "a.yaml"
        hidden_file.parent.mkdir()
        hidden_file.write_text(TEXT, "utf-8")
        link = repo.project.folder / "a.yaml"
        link.symlink_to(".kept/a.yaml")
        repo.sandbox.edit("asst_a", firstMessage="Welcome")
        result = repo.run("pull")
        linked, after = link.is_symlink(), hidden_file.read_text("utf-8")
    assert (result.code, result.stdout) == (0, "assistants/a.yaml: firstMessage\n")
    assert (linked, after) == (True, TEXT.replace("Hello", "Welcome"))


def test_an_overlay_folder_that_cannot_take_a_file_is_an_error(tmp_path: Path) -> None:
    text = "id: asst_a\n" + TEXT.replace("id: asst_a\n", "")
    with two_environments(tmp_path / "work", {"a": LIVE}) as environments:
        environments.repo.write("sub/a", text)
        (environments.root / "environments/staging/sub").write_text("in the way", "utf-8")
        environments.repo.commit()
        environments.repo.sandbox.edit("asst_a", firstMessage="Welcome")
        result = environments.run("staging", "pull")
    message = "environments/staging/sub/a.yaml: cannot be written: File exists\n  use another place, or make room\n"
    assert (result.code, result.stdout, result.stderr) == (1, "", message)


def test_a_field_that_cannot_be_written_does_not_stop_the_others_of_its_file(tmp_path: Path) -> None:
    text = TEXT.replace('"Hello"', '&hi "Hello"') + "voicemailMessage: *hi\nendCallMessage: *hi  # too\n"
    live = {**LIVE, "voicemailMessage": "Hello", "endCallMessage": "Hello"}
    with story(tmp_path / "work", {"a": live}) as repo:
        file = begin_story(repo, text)
        repo.sandbox.edit("asst_a", name="B", firstMessage="Welcome", voicemailMessage="Call us back")
        result = repo.run("pull")
        first = file.read_text("utf-8")
        repo.sandbox.edit("asst_a", endCallMessage="Bye")
        again = repo.run("pull")
        second = file.read_text("utf-8")
    pulled = text.replace("name: A", "name: B").replace("Message: *hi\nend", "Message: Call us back\nend")
    assert (result.code, result.stdout, first) == (1, "assistants/a.yaml: name, voicemailMessage\n", pulled)
    assert result.stderr.startswith("assistants/a.yaml: not pulled: firstMessage: cannot be changed alone: it has")
    assert result.stderr.endswith("; replace the alias (*) with the value, or change the file by hand\n")
    assert result.stderr.count("\n") == 1
    assert (again.code, again.stderr) == (0, "")
    assert second == pulled.replace("*hi  # too", "Bye  # too").replace('&hi "Hello"', '"Welcome"')


def test_nothing_to_pull_is_not_said_of_what_is_left(tmp_path: Path) -> None:
    with story(tmp_path / "work", {"a": LIVE}) as repo:
        file = begin_story(repo)
        repo.sandbox.edit("asst_a", name=None)
        result, checked = repo.run("pull"), repo.run("pull", "--check")
        after = file.read_text("utf-8")
    assert (result.code, result.stdout, after) == (checked.code, checked.stdout, TEXT) == (1, "", TEXT)
    assert result.stderr == checked.stderr
    assert result.stderr.startswith("assistants/a.yaml: not pulled: name: live has no value")
    assert "Nothing to pull" not in result.stderr


@pytest.mark.parametrize("overlaid", ["metadata: null\n", "metadata:\n  team: none\n  office: 1\n"])
def test_what_an_overlay_takes_back_from_the_shared_file_stays_away(tmp_path: Path, overlaid: str) -> None:
    text = SHARED + "metadata:\n  team: {name: a, size: 3}\n  office: 2\n"
    live = {"name": "Enrollment", "metadata": yaml.safe_load(overlaid)["metadata"]}
    with two_environments(tmp_path / "work", {"s": live}) as environments:
        shared = environments.shared(text=text)
        overlay = environments.overlay("staging", "a", f"id: asst_s\n{overlaid}# the end\n")
        environments.repo.commit()
        environments.report("staging", "apply", "--yes", "--record", "--base", "none")
        environments.sandboxes["staging"].edit("asst_s", metadata={"team": {"name": "b"}, "office": 1})
        result = environments.run("staging", "pull")
        planned, again = environments.report("staging", "plan"), environments.run("staging", "pull")
        after, untouched = overlay.read_text("utf-8"), shared.read_text("utf-8")
    assert (result.code, result.stderr, untouched) == (0, "", text)
    assert yaml.safe_load(after)["metadata"] == {"team": {"name": "b", "size": None}, "office": 1}
    assert after.endswith("# the end\n")
    assert (change_kinds(planned), planned["summary"]["in_sync"], again.stderr) == ({}, 1, "Nothing to pull.\n")


def test_a_new_overlay_takes_what_can_be_written(tmp_path: Path) -> None:
    deep: Any = "x"
    for _ in range(70):
        deep = [deep]
    with two_environments(tmp_path / "work", {"a": {**LIVE, "metadata": {"team": "a"}}}) as environments:
        environments.repo.write("a", TEXT + "metadata: {team: a}\n")
        environments.repo.commit()
        environments.repo.sandbox.edit("asst_a", metadata={"team": deep})
        nothing = environments.run("staging", "pull")
        overlays = list((environments.root / "environments/staging").iterdir())
        environments.repo.sandbox.edit("asst_a", firstMessage="Welcome")
        result = environments.run("staging", "pull")
        after = (environments.root / "environments/staging/a.yaml").read_text("utf-8")
    message = "environments/staging/a.yaml: not pulled: metadata.team: cannot be written into "
    assert (nothing.code, nothing.stdout, overlays) == (1, "", [])
    assert nothing.stderr.startswith(message)
    assert (result.code, after) == (1, "firstMessage: Welcome\n")
    assert result.stderr.startswith(message)


def test_what_reorders_a_text_on_the_screen_is_escaped_or_named(tmp_path: Path) -> None:
    text = (
        "id: asst_a\nfirstMessage: Hello\nvoicemailMessage: |-\n  One\n  Two\n"
        "metadata:\n  x y: old\n  long: {$file: long.md}\n"
    )
    live = {**LIVE, "voicemailMessage": "One\nTwo", "metadata": {"x y": "old", "long": "Old"}}
    with story(tmp_path / "work", {"a": live}) as repo:
        (repo.project.folder / "long.md").write_text("Old\n", "utf-8")
        file = begin_story(repo, text)
        edited = {"x y": "\u2066new", "long": "\u202eNew"}
        repo.sandbox.edit("asst_a", firstMessage="Hi \u202eolleH", voicemailMessage="One\nTw\u202eo", metadata=edited)
        result = repo.run("pull")
        after = file.read_text("utf-8")
        repo.run("import", "asst_a", "--force")
        imported = file.read_text("utf-8")
    escaped = text.replace("Hello", '"Hi \\u202eolleH"').replace("old", '"\\u2066new"')
    assert after == escaped.replace("Two", "Tw\u202eo")  # a block stays one, and is named
    assert '\n  x y: "\\u2066new"\n' in imported
    assert 'assistants/a.yaml: firstMessage, metadata."x y", voicemailMessage\n' in result.stdout
    assert "assistants/a.yaml: voicemailMessage contains a right-to-left override (U+202E)" in result.stderr
    assert "assistants/long.md: metadata.long contains a right-to-left override (U+202E)" in result.stderr
