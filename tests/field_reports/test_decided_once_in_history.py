"""What was applied is recorded once, and no later run takes git's change for somebody's edit, or the reverse."""

import copy
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import environment
from desks import (
    DECLARED,
    FETCH,
    Fields,
    answer_writes_with_live,
    build_live,
    check_success,
    commit_change,
    commit_settings,
    desks,
    ignore_writes,
    live,
    live_value,
)
from histories import change_kinds, unmanaged_files
from json_reports import Document
from projects import outcomes
from stories import REF, InstalledStory, Story, entries, story
from trees import merge_objects


def record_entry(repo: Story, name: str, revision: str = REF) -> Fields:
    """What the record says of an assistant, wherever its file stands."""
    return record_entries(repo, revision)[name]


def record_entries(repo: Story, revision: str = REF) -> dict[str, Fields]:
    """What the record says of all, by the end of their ids."""
    definitions = [declared for declared in repo.tree(revision).values() if "id" in declared]
    by_name = {declared["id"].removeprefix("asst_"): declared for declared in definitions}
    assert len(by_name) == len(definitions)
    return by_name


# --- A2: a folder's apply records nothing of another folder

STYLES = {
    "block": "id: asst_9\nname: {name}\n",
    "flow": "{{id: asst_9, name: {name}}}\n",
    "flow over lines": "{{\n  name: {name},\n  id: asst_9,\n}}\n",
    "json": '{{"id": "asst_9", "name": "{name}"}}\n',
    "json over lines": '{{\n  "name": "{name}",\n  "id": "asst_9"\n}}\n',
    "quoted key": '"id": asst_9\nname: {name}\n',
    "quoted twice": "'id': 'asst_9'\nname: {name}\n",
    "escaped key": '"\\x69d": asst_9\nname: {name}\n',
    "explicit key": "? id\n: asst_9\n? name\n: {name}\n",
    "value on the next line": "id:\n  asst_9\nname: {name}\n",
    "folded value": "id: >-\n  asst_9\nname: {name}\n",
    "indented": "  id: asst_9\n  name: {name}\n",
    "last": "name: {name}\nid:    asst_9   # the night desk\n",
    "a document's start": "---\nid: asst_9\nname: {name}\n...\n",
    "an anchor": "name: &n {name}\nid: asst_9\nfirstMessage: *n\n",
}


@pytest.mark.parametrize("kind", [Story, InstalledStory], ids=["here", "installed"])
def test_a2_an_apply_of_one_folder_leaves_the_other_to_be_changed(tmp_path: Path, kind: type[Story]) -> None:
    """Whatever the YAML of the other folder looks like: a file for each style."""
    styles = STYLES if kind is Story else {"flow": STYLES["flow"]}
    names = {style: f"9{number}" for number, style in enumerate(styles)}
    seed: dict[str, Fields] = {"a": {**build_live({}), "name": "Desk"}}
    for style, name in names.items():
        seed[name] = build_live({"name": "Nine", **({"firstMessage": "Nine"} if style == "an anchor" else {})})

    def write_second(value: str) -> None:
        for style, name in names.items():
            text = styles[style].replace("asst_9", f"asst_{name}").format(name=value)
            (repo.root / "second" / f"{name}.yaml").write_text(text, "utf-8")

    with story(tmp_path / "repository", seed, kind=kind) as repo:
        (repo.root / "second").mkdir()
        write_second("Nine")
        repo.write("a", name="Desk")
        repo.commit("First")
        check_success(repo.run("apply", "--yes", "--record", "--base", "none"))
        check_success(repo.run("apply", "--yes", "--record", "--directory", "second"))
        write_second("Neun")
        commit_change(repo, "a", name="Front desk")
        check_success(repo.run("apply", "--yes", "--record"))
        planned = repo.plan("--directory", "second")
        recorded = record_entries(repo)
        assert {recorded[name]["name"] for name in names.values()} == {"Nine"}
        applied = repo.apply_and_record("--directory", "second")
        assert {name: kinds["/name"] for name, kinds in change_kinds(planned).items()} == dict.fromkeys(
            seed.keys() - "a", "change"
        )
        assert outcomes(applied) == dict.fromkeys(seed.keys() - "a", "applied")
        assert {name: live_value(repo, name, "name") for name in seed} == {
            **dict.fromkeys(seed, "Neun"),
            "a": "Front desk",
        }
        recorded = record_entries(repo)
        assert {name: recorded[name]["name"] for name in seed} == {**dict.fromkeys(seed, "Neun"), "a": "Front desk"}


# --- A3: an ignored path keeps what the record has, so that git's move is a change when the ignore ends


@dataclass(frozen=True, kw_only=True)
class Ignoring:
    """A path that is ignored while git moves from one definition to another."""

    path: str
    first: Fields
    second: Fields
    changes: tuple[str, ...]


IGNORES = {
    "a-field": Ignoring(
        path="/firstMessage", first={"firstMessage": "one"}, second={"firstMessage": "two"}, changes=("/firstMessage",)
    ),
    "a-key-of-an-object": Ignoring(
        path="/model/temperature",
        first={"model": {"temperature": 0.6}},
        second={"model": {"temperature": 0.1}},
        changes=("/model/temperature",),
    ),
    "an-object": Ignoring(
        path="/model",
        first={"model": {"temperature": 0.6, "maxTokens": 5}},
        second={"model": {"temperature": 0.1, "maxTokens": 5}},
        changes=("/model/temperature",),
    ),
    "a-key-deep-inside": Ignoring(
        path="/metadata/crm/owner/name",
        first={"metadata": {"crm": {"owner": {"name": "one", "team": "x"}}}},
        second={"metadata": {"crm": {"owner": {"name": "two", "team": "x"}}}},
        changes=("/metadata/crm/owner/name",),
    ),
    "a-key-of-any-object": Ignoring(
        path="/metadata/*/x",
        first={"metadata": {"p": {"x": 1, "y": 1}, "q": {"x": 1}}},
        second={"metadata": {"p": {"x": 2, "y": 1}, "q": {"x": 2}}},
        changes=("/metadata/p/x", "/metadata/q/x"),
    ),
    "any-key": Ignoring(
        path="/metadata/*",
        first={"metadata": {"p": 1, "q": 1}},
        second={"metadata": {"p": 2, "q": 1}},
        changes=("/metadata/p",),
    ),
    "a-key-of-an-element": Ignoring(
        path="/metadata/list/0/x",
        first={"metadata": {"list": [{"x": 1, "y": 1}, {"x": 1}]}},
        second={"metadata": {"list": [{"x": 2, "y": 1}, {"x": 1}]}},
        changes=("/metadata/list",),
    ),
    "a-key-of-any-element": Ignoring(
        path="/metadata/list/*/x",
        first={"metadata": {"list": [{"x": 1, "y": 1}, {"x": 1}]}},
        second={"metadata": {"list": [{"x": 2, "y": 1}, {"x": 3}]}},
        changes=("/metadata/list",),
    ),
    "an-element": Ignoring(
        path="/metadata/list/1",
        first={"metadata": {"list": [1, 1, 1]}},
        second={"metadata": {"list": [1, 2, 1]}},
        changes=("/metadata/list",),
    ),
    "a-list": Ignoring(
        path="/metadata/list",
        first={"metadata": {"list": [1, 1]}},
        second={"metadata": {"list": [1, 2, 3]}},
        changes=("/metadata/list",),
    ),
    "a-key-of-a-list-that-grows": Ignoring(
        path="/metadata/list/*/x",
        first={"metadata": {"list": [{"x": 1, "y": 1}]}},
        second={"metadata": {"list": [{"x": 2, "y": 2}, {"x": 5, "y": 5}]}},
        changes=("/metadata/list",),
    ),
    "a-list-without-an-order": Ignoring(
        path="/endCallPhrases",
        first={"endCallPhrases": ["one"]},
        second={"endCallPhrases": ["two", "one"]},
        changes=("/endCallPhrases",),
    ),
    "what-becomes-null": Ignoring(
        path="/endCallMessage",
        first={"endCallMessage": "one"},
        second={"endCallMessage": None},
        changes=("/endCallMessage",),
    ),
    "what-lies-in-an-object-that-becomes-null": Ignoring(
        path="/metadata/key",
        first={"metadata": {"key": 1, "team": "x"}},
        second={"metadata": None},
        changes=("/metadata",),
    ),
    "what-lies-in-an-object-that-was-not-there": Ignoring(
        path="/metadata/crm/key",
        first={"metadata": {"team": "x"}},
        second={"metadata": {"team": "x", "crm": {"key": 1}}},
        changes=("/metadata/crm/key",),
    ),
    "a-field-that-was-not-there": Ignoring(
        path="/voicemailMessage",
        first={"name": "Desk"},
        second={"voicemailMessage": "two"},
        changes=("/voicemailMessage",),
    ),
}


@contextmanager
def desk_with_ignores(tmp_path: Path, cases: Mapping[str, Ignoring], *, recorded: bool = True) -> Iterator[Story]:
    """A desk for each case, by its name, which declares something that is ignored in it and in no other."""
    first = {name: {**DECLARED, **case.first} for name, case in cases.items()}
    with story(tmp_path / "repository", {name: build_live(fields) for name, fields in first.items()}) as repo:
        for name, fields in first.items():
            repo.write(name, **fields)
        repo.commit("First")
        if recorded:
            check_success(repo.run("apply", "--yes", "--record", "--base", "none"))
        rules = [{"path": case.path, "assistants": [name]} for name, case in cases.items()]
        commit_settings(repo, ignore=[{**rule, "reason": "set by the CRM"} for rule in rules])
        yield repo


def commit_changes(repo: Story, cases: Mapping[str, Ignoring], **more: Any) -> None:
    """Commit what each case moves on to, with other fields beside it."""
    for name, case in cases.items():
        repo.write(name, **{**DECLARED, **more, **case.second})
    repo.commit("Second")


def live_holds(live: Any, desired: Any) -> bool:
    """Tell whether live has all that a definition declares; null is the same as nothing."""
    if isinstance(desired, dict):
        return isinstance(live, dict) and all(live_holds(live.get(key), value) for key, value in desired.items())
    return bool(live == desired)


def test_a3_when_an_ignore_ends_gits_move_is_a_change(tmp_path: Path) -> None:
    with desk_with_ignores(tmp_path, IGNORES) as repo:
        commit_changes(repo, IGNORES)
        repo.apply_and_record()
        ignored = {name: live(repo, name) for name in IGNORES}
        commit_settings(repo)
        planned = repo.plan()
        before = repo.git("status", "--porcelain")
        pulled = repo.run("pull")
        assert change_kinds(planned) == {name: dict.fromkeys(case.changes, "change") for name, case in IGNORES.items()}
        assert (pulled.code, pulled.stdout, repo.git("status", "--porcelain")) == (0, "", before)
        applied = repo.apply_and_record()
        assert outcomes(applied) == dict.fromkeys(IGNORES, "applied")
        for name, case in IGNORES.items():
            assert not live_holds(ignored[name], case.second), name
            assert live_holds(live(repo, name), case.second), name
        assert change_kinds(repo.plan()) == {}


def test_a3_with_the_installed_command(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a", kind=InstalledStory, model={"temperature": 0.6}) as repo:
        commit_settings(repo, ignore=[{"path": "/model/temperature", "reason": "set by the CRM"}])
        commit_change(repo, "a", model={"temperature": 0.1})
        check_success(repo.run("apply", "--yes", "--record"))
        commit_settings(repo)
        planned = check_success(repo.run("plan"))
        pulled = check_success(repo.run("pull"))
        check_success(repo.run("apply", "--yes"))
        assert "~ model.temperature: 0.6 -> 0.1" in planned.stdout
        assert (pulled.stdout, repo.git("status", "--porcelain")) == ("", "")
        assert live_value(repo, "a", "model")["temperature"] == 0.1


def test_an_ignored_path_keeps_what_the_record_has(tmp_path: Path) -> None:
    """Through as many applies as there are, and beside a change that is not ignored."""
    with desk_with_ignores(tmp_path, IGNORES) as repo:
        for text in ("one more", "and one more"):
            commit_changes(repo, IGNORES, name=text)
            repo.apply_and_record()
            recorded = record_entries(repo)
            for name, case in IGNORES.items():
                now = recorded[name]
                assert now["name"] == text, name
                assert not live_holds(now, case.second), name
                if name != "a-key-of-a-list-that-grows":  # what is new in it went live, and is recorded
                    assert live_holds(now, case.first | {"name": text}), name


MOVED_LIVE: dict[str, tuple[Ignoring, Fields]] = {
    "a-field": (IGNORES["a-field"], {"firstMessage": "theirs"}),
    "a-key-of-an-object": (IGNORES["a-key-of-an-object"], {"model": {**build_live({})["model"], "temperature": 0.9}}),
    "a-key-of-an-element": (IGNORES["a-key-of-an-element"], {"metadata": {"list": [{"x": 9, "y": 1}, {"x": 1}]}}),
    "an-element": (IGNORES["an-element"], {"metadata": {"list": [1, 9, 1]}}),
    "what-live-has-lost": (IGNORES["a-key-deep-inside"], {"metadata": {"crm": {"owner": {"team": "x"}}}}),
    "an-object-that-live-has-lost": (IGNORES["a-key-deep-inside"], {"metadata": {"own": 1}}),
}


def test_when_an_ignore_ends_over_a_live_edit_it_is_a_conflict(tmp_path: Path) -> None:
    cases = {name: case for name, (case, _) in MOVED_LIVE.items()}
    with desk_with_ignores(tmp_path, cases) as repo:
        commit_changes(repo, cases)
        repo.apply_and_record()
        for name, (_, edit) in MOVED_LIVE.items():
            repo.sandbox.edit(f"asst_{name}", **edit)
        repo.apply_and_record()
        commit_settings(repo)
        before = {name: live(repo, name) for name in cases}
        planned, applied = repo.plan(), repo.apply_and_record()
        assert [name for name in cases if "conflict" not in change_kinds(planned)[name].values()] == []
        assert outcomes(applied) == dict.fromkeys(cases, "refused")
        assert {name: live(repo, name) for name in cases} == before


def test_when_an_ignore_ends_over_a_live_edit_alone_it_is_drift(tmp_path: Path) -> None:
    names = ("a-field", "a-key-of-an-object", "a-key-of-an-element", "an-element")
    with desk_with_ignores(tmp_path, {name: MOVED_LIVE[name][0] for name in names}) as repo:
        for name in names:
            repo.sandbox.edit(f"asst_{name}", **MOVED_LIVE[name][1])
        repo.apply_and_record()
        commit_settings(repo)
        drifted = change_kinds(repo.plan())
        assert drifted.keys() == {*names}
        assert {kind for kinds in drifted.values() for kind in kinds.values()} == {"drift"}


def test_what_is_ignored_in_the_first_record_is_absent_and_a_change_when_that_ends(tmp_path: Path) -> None:
    cases = {name: case for name, case in IGNORES.items() if name != "an-element"}
    with desk_with_ignores(tmp_path, cases, recorded=False) as repo:
        commit_changes(repo, cases)
        assert {*outcomes(repo.apply_and_record()).values()} <= {"applied", "unchanged"}
        recorded = record_entries(repo)
        assert [name for name, case in cases.items() if list_values(recorded[name], case.path)] == []
        commit_settings(repo)
        planned, applied = repo.plan(), repo.apply_and_record()
        assert change_kinds(planned).keys() == cases.keys()
        assert {kind for kinds in change_kinds(planned).values() for kind in kinds.values()} == {"change"}
        assert outcomes(applied) == dict.fromkeys(cases, "applied")
        for name, case in cases.items():
            assert live_holds(live(repo, name), case.second), name


@pytest.mark.parametrize(("settings", "recorded"), [({}, 9), ({"sensitive": ["/metadata/list"]}, 2)])
def test_an_element_that_is_ignored_in_the_first_record_has_lives_value_unless_it_is_sensitive(
    tmp_path: Path, settings: dict[str, Any], recorded: int
) -> None:
    case, edit = MOVED_LIVE["an-element"]
    with desk_with_ignores(tmp_path, {"an-element": case}, recorded=False) as repo:
        repo.sandbox.edit("asst_an-element", **edit)
        commit_settings(repo, ignore=[{"path": case.path, "reason": "set by the CRM"}], **settings)
        commit_changes(repo, {"an-element": case})
        repo.apply_and_record()
        assert record_entry(repo, "an-element")["metadata"] == {"list": [1, recorded, 1]}


def list_values(tree: Any, path: str) -> list[Any]:
    """What stands where a pattern leads."""
    values = [tree]
    for part in path[1:].split("/"):
        below: list[Any] = []
        for value in values:
            if isinstance(value, dict):
                below += [item for key, item in value.items() if part in ("*", key)]
            elif isinstance(value, list):
                below += [item for index, item in enumerate(value) if part in ("*", str(index))]
        values = below
    return values


# --- A4: what did not converge is recorded as live showed it


@pytest.mark.parametrize("kind", [Story, InstalledStory], ids=["here", "installed"])
def test_a4_after_a_text_that_was_trimmed_another_one_is_a_change(tmp_path: Path, kind: type[Story]) -> None:
    with desks(tmp_path / "repository", "a", kind=kind) as repo:
        repo.sandbox.rehearse("normalise trim firstMessage")
        commit_change(repo, "a", firstMessage="Welcome!\n", name="Front desk")
        first = repo.apply("--record")
        assert outcomes(first) == {"a": "not_converged"}
        assert (record_entry(repo, "a")["firstMessage"], record_entry(repo, "a")["name"]) == ("Welcome!", "Front desk")
        again = repo.plan()
        commit_change(repo, "a", firstMessage="Good day!", name="Front desk")
        planned, second = repo.plan(), repo.apply("--record")
        assert change_kinds(again) == change_kinds(planned) == {"a": {"/firstMessage": "change"}}
        assert (outcomes(second), live_value(repo, "a")) == ({"a": "applied"}, "Good day!")
        assert change_kinds(repo.plan()) == {}


UNSETTLED: dict[str, tuple[str, Fields, Fields]] = {  # a rule of the API, what git says, what it says then
    "a rounded number": (
        "normalise round=1 model.temperature",
        {"model": {"temperature": 0.25}},
        {"model": {"temperature": 0.5}},
    ),
    "a trimmed text deep inside": (
        "normalise trim *",
        {"metadata": {"crm": {"text": "one ", "other": "x"}}},
        {"metadata": {"crm": {"text": "two", "other": "x"}}},
    ),
    "a trimmed text in a list": (
        "normalise trim *",
        {"metadata": {"list": [{"text": "one "}, "x"]}},
        {"metadata": {"list": [{"text": "two"}, "x"]}},
    ),
    "a dropped key": (
        "drop unknown keys",
        {"model": {"temperature": 0.2, "topK": 5}},
        {"model": {"temperature": 0.3}},
    ),
}


@pytest.mark.parametrize("name", UNSETTLED)
def test_what_did_not_converge_is_a_change_again_never_a_conflict(tmp_path: Path, name: str) -> None:
    rule, first, second = UNSETTLED[name]
    with desks(tmp_path / "repository", "a") as repo:
        repo.sandbox.rehearse(rule)
        commit_settings(repo, extra_fields=["/model/topK"])
        commit_change(repo, "a", **first)
        assert outcomes(repo.apply_and_record()) == {"a": "not_converged"}
        again = {kind for kinds in change_kinds(repo.plan()).values() for kind in kinds.values()}
        commit_change(repo, "a", **second)
        then = {kind for kinds in change_kinds(repo.plan()).values() for kind in kinds.values()}
        applied = repo.apply_and_record()
        assert (again, then) == ({"change"}, {"change"})
        assert outcomes(applied) == {"a": "applied"}


UNTOLD: dict[str, tuple[str, Fields]] = {  # what live makes of a write, and the settings
    "incomplete character": ('"happy \\ud83d"', {}),
    "a number of 70 bits": (str(2**70), {}),
    "a sensitive value": ("hush", {"sensitive": ["/firstMessage"]}),
}


@pytest.mark.parametrize("name", UNTOLD)
def test_what_no_record_may_hold_is_left_out_of_it_and_a_change_again(tmp_path: Path, name: str) -> None:
    shows, settings = UNTOLD[name]
    with desks(tmp_path / "repository", "a") as repo:
        commit_settings(repo, **settings, record=True)
        commit_change(repo, "a", firstMessage="ours")
        # The API stores another value than was sent, and says so in its answer.
        repo.sandbox.rehearse(f"edit firstMessage={shows} after PATCH *")
        with repo.intercept(answer_writes_with_live):
            assert outcomes(repo.apply_and_record()) == {"a": "not_converged"}
        assert "firstMessage" not in record_entry(repo, "a")
        assert change_kinds(repo.plan()) == {"a": {"/firstMessage": "change"}}


def test_a_write_that_the_api_swallowed_is_a_change_again(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a") as repo:
        commit_change(repo, "a", firstMessage="ours")
        with repo.intercept(ignore_writes):
            assert outcomes(repo.apply_and_record()) == {"a": "not_converged"}
        assert record_entry(repo, "a")["firstMessage"] == "Hello!"
        commit_change(repo, "a", firstMessage="ours, too")
        assert change_kinds(repo.plan()) == {"a": {"/firstMessage": "change"}}


def test_an_edit_after_what_did_not_converge_is_still_somebodys(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a") as repo:
        repo.sandbox.rehearse("normalise trim firstMessage")
        commit_change(repo, "a", firstMessage="Welcome!\n")
        repo.apply_and_record()
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        commit_change(repo, "a", firstMessage="Good day!")
        assert change_kinds(repo.plan()) == {"a": {"/firstMessage": "conflict"}}
        assert outcomes(repo.apply_and_record()) == {"a": "refused"}


def test_an_edit_of_what_was_written_before_it_is_read_back_is_somebodys(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a") as repo:
        commit_change(repo, "a", firstMessage="ours")
        repo.sandbox.rehearse("edit firstMessage=theirs after PATCH *")
        applied = repo.apply_and_record()
        assert outcomes(applied) == {"a": "not_converged"}
        assert entries(applied)["a"]["warnings"] == ["firstMessage was changed live right after this was written"]
        repo.sandbox.mend()
        assert change_kinds(repo.plan()) == {"a": {"/firstMessage": "drift"}}
        assert outcomes(repo.apply_and_record()) == {"a": "unchanged"}
        commit_change(repo, "a", firstMessage="ours, too")
        assert change_kinds(repo.plan()) == {"a": {"/firstMessage": "conflict"}}


@pytest.mark.parametrize(("live", "kind"), [("second", "change"), ("theirs", "conflict")])
def test_what_git_has_taken_back_goes_live_although_an_older_base_took_it_for_an_edit(
    tmp_path: Path, live: str, kind: str
) -> None:
    with desks(tmp_path / "repository", "a") as repo:
        commit_change(repo, "a", firstMessage="first")
        repo.apply_and_record()
        older = repo.head
        commit_change(repo, "a", firstMessage="second")
        repo.apply_and_record()
        repo.sandbox.edit("asst_a", firstMessage=live)
        commit_change(repo, "a", firstMessage="first")
        assert change_kinds(repo.plan("--base", older)) == {"a": {"/firstMessage": "drift"}}
        assert outcomes(repo.apply_and_record("--base", older)) == {"a": "unchanged"}
        assert change_kinds(repo.plan()) == {"a": {"/firstMessage": kind}}


def test_an_edit_of_another_field_while_one_is_written_is_somebodys(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a") as repo:
        commit_change(repo, "a", name="Front desk")

        def edit(method: str, _path: str, _body: Any) -> None:
            if method == "PATCH":
                repo.sandbox.edit("asst_a", firstMessage="theirs")

        repo.sandbox.before_each(edit)
        assert outcomes(repo.apply_and_record()) == {"a": "not_converged"}
        repo.sandbox.before_each(None)
        assert change_kinds(repo.plan()) == {"a": {"/firstMessage": "drift"}}


# --- A5: only a file that is gone has moved


def make_tagged_repository(repo: Story, place: str) -> Path:
    """A commit v1 whose only definition stands somewhere else in the repository."""
    file = repo.root / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes((repo.root / "assistants/a.yaml").read_bytes())
    (repo.root / "assistants/a.yaml").unlink()
    repo.commit("Backup")
    repo.git("tag", "v1")
    return file


@pytest.mark.parametrize("kind", [Story, InstalledStory], ids=["here", "installed"])
@pytest.mark.parametrize("place", ["backup/desk.yaml", "desk.yml", "docs/examples/a.yaml"])
def test_a5_a_definition_whose_old_file_stays_is_newly_managed(tmp_path: Path, kind: type[Story], place: str) -> None:
    with desks(tmp_path / "repository", "a", recorded=False, kind=kind) as repo:
        make_tagged_repository(repo, place)
        commit_change(repo, "a")
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        file = repo.root / "assistants/a.yaml"
        before = file.read_bytes()
        planned, pulled = repo.plan("--base", "v1"), repo.run("pull", "--base", "v1")
        assert (change_kinds(planned), pulled.code, file.read_bytes()) == (
            {"a": {"/firstMessage": "change"}},
            0,
            before,
        )
        assert outcomes(repo.apply("--base", "v1")) == {"a": "applied"}
        assert live_value(repo, "a") == "Hello!"


@pytest.mark.parametrize("place", ["backup/desk.yaml", "assistants/other/desk.yaml"])
def test_a_definition_whose_old_file_is_gone_has_moved(tmp_path: Path, place: str) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as repo:
        make_tagged_repository(repo, place).unlink()
        commit_change(repo, "a")
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        planned = repo.plan("--base", "v1")
        assert (change_kinds(planned), unmanaged_files(planned)) == ({"a": {"/firstMessage": "drift"}}, [])
        assert outcomes(repo.apply("--base", "v1")) == {"a": "unchanged"}
        assert live_value(repo, "a") == "theirs"


# --- A6 and A7: recording is what happens where nothing else is said


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[tuple[Story, Story]]:
    """A repository that records, and a fresh clone of it without the record."""
    with desks(tmp_path / "repository", "a", "b", kind=InstalledStory, recorded=False) as repo:
        commit_settings(repo, record=True)
        check_success(repo.run("apply", "--yes", "--base", "none"))
        fresh = InstalledStory(tmp_path / "clone", repo.sandbox)
        fresh.git("remote", "add", "origin", repo.root.as_uri())
        fresh.git("fetch", "--quiet", "origin")
        fresh.git("checkout", "--quiet", "-B", "main", "origin/main")
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        repo.sandbox.forget_requests()
        yield repo, fresh


def test_a6_a_clone_without_the_record_overwrites_nothing(clone: tuple[Story, Story]) -> None:
    repo, fresh = clone
    assert repo.record is not None
    commit_change(fresh, "b", firstMessage="ours")
    result = fresh.run("apply", "--yes")
    assert (result.code, result.stdout, repo.sandbox.requests) == (1, "", []), result.stderr
    assert FETCH in result.stderr
    assert "--base none" in result.stderr
    subprocess.run(["sh", "-c", FETCH], cwd=fresh.root, check=True, capture_output=True, env=environment())
    assert fresh.record == repo.record
    applied = fresh.apply()
    assert outcomes(applied) == {"a": "unchanged", "b": "applied"}
    assert (live_value(repo, "a"), live_value(repo, "b")) == ("theirs", "ours")
    assert (fresh.parents, record_entry(fresh, "b")["firstMessage"]) == ([fresh.head, repo.record], "ours")


def test_a_rollback_in_a_clone_without_the_record_says_how_to_record_it(clone: tuple[Story, Story]) -> None:
    repo, fresh = clone
    commit_change(repo, "b", firstMessage="ours")
    report = repo.save_report(repo.apply())
    fresh.git("pull", "--quiet", "origin", "main")
    undone = fresh.run("rollback", report, "--yes")
    assert (undone.code, live_value(repo, "b"), fresh.record) == (0, DECLARED["firstMessage"], None), undone.stderr
    fetch = f"git fetch origin {REF}:{REF}"
    assert f"not recorded, so it looks like a live edit: fetch the applied record ({fetch})" in undone.stdout
    fresh.git(*fetch.split()[1:])
    check_success(fresh.run("rollback", report, "--yes"))
    commit_change(fresh, "b", firstMessage="better")
    assert change_kinds(fresh.plan())["b"] == {"/firstMessage": "change"}


def test_a7_an_apply_without_an_option_is_recorded_where_a_record_is(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a", kind=InstalledStory) as repo:
        for text in ("one", "two", "three"):
            head, previous = commit_change(repo, "a", firstMessage=text), repo.record
            assert outcomes(repo.apply()) == {"a": "applied"}
            assert repo.parents == [head, previous]
        assert change_kinds(repo.plan()) == {}


def test_ones_own_apply_is_no_conflict(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a") as repo:
        planned: list[Document] = []
        for text in ("one", "two"):
            commit_change(repo, "a", firstMessage=text)
            planned.append(copy.deepcopy(repo.plan()))
            repo.apply()
        assert [change_kinds(document) for document in planned] == [{"a": {"/firstMessage": "change"}}] * 2
        assert yaml.safe_load((repo.root / "assistants/a.yaml").read_text("utf-8"))["firstMessage"] == live_value(
            repo, "a"
        )


def test_merged_is_what_it_says() -> None:
    """Of the helper: what is below stays where nothing lies above."""
    assert merge_objects({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"c": 4}}) == {"a": {"b": 1, "c": 4}, "d": 3}
