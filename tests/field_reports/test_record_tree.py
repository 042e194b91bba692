"""What the record is: one plain YAML file for each assistant that is managed, as it was applied."""

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from between import Meddle
from desks import (
    DECLARED,
    FETCH,
    Fields,
    answer_with,
    build_live,
    check_success,
    commit_change,
    commit_settings,
    desks,
    ignore_writes,
    live,
    live_value,
)
from faulty_git import FaultyGit
from histories import change_kinds, unmanaged_files
from json_reports import Document
from projects import MODEL, outcomes
from servers import running_sandbox
from stories import REF, TRAILER, InstalledStory, Story, story
from two_environments import Two, two_environments

STAGING = "refs/reconciler/staging/applied"
FOUR = ("a", "b", "c", "d")


@pytest.fixture
def tale(tmp_path: Path) -> Iterator[Story]:
    with desks(tmp_path / "repository", *FOUR) as tale:
        yield tale


def list_names(tale: Story, ref: str = REF) -> list[str]:
    """All files of the record's tree."""
    return tale.git("ls-tree", "-r", "--name-only", ref).splitlines()


def read_text(tale: Story, path: str, ref: str = REF) -> str:
    return tale.git("cat-file", "blob", f"{ref}:{path}") + "\n"


def read_by_id(tale: Story, ref: str = REF) -> dict[str, Fields]:
    """What the record says of each assistant; an id stands in one file alone."""
    entries = list(tale.tree(ref).values())
    ids = [declared["id"] for declared in entries]
    assert len(ids) == len(set(ids)), ids
    return dict(zip(ids, entries, strict=True))


def read_greetings(tale: Story, ref: str = REF) -> dict[str, Any]:
    return {
        name.removeprefix("asst_"): declared.get("firstMessage") for name, declared in read_by_id(tale, ref).items()
    }


# --- the tree and its files


def test_the_tree_holds_one_file_for_each_definition_and_nothing_else(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a", "east/b", recorded=False) as tale:
        (tale.root / "README.md").write_text("Not a definition.\n")
        (tale.root / "assistants/a.yaml").rename(tale.root / "assistants/a.yml")
        (tale.root / "assistants/notes.txt").write_text("x")
        (tale.root / "assistants/.draft.yaml").write_text("id: asst_draft\n")
        tale.sandbox.put({"id": "asst_b", **build_live(DECLARED)})
        commit_settings(tale, on_drift="keep")
        tale.apply_and_record()
        assert list_names(tale) == ["assistants/a.yml", "assistants/east/b.yaml"]
        assert read_by_id(tale) == {"asst_a": {"id": "asst_a", **DECLARED}, "asst_b": {"id": "asst_b", **DECLARED}}


STYLES = {
    "flow": "{firstMessage: Hello!, id: asst_a, model: {temperature: 0.7}, name: Desk}\n",
    "json": '{"name": "Desk", "model": {"temperature": 0.7}, "id": "asst_a", "firstMessage": "Hello!"}\n',
    "comments": "# Of the desk.\nname: Desk   # short\nid: asst_a\nfirstMessage: Hello!\nmodel:\n  temperature: 0.70\n",
    "anchors": "firstMessage: &hi Hello!\nid: asst_a\nendCallMessage: *hi\nname: Desk\n",
    "folded": "id: asst_a\nfirstMessage: >-\n  Hello,\n  and welcome!\nvoicemailMessage: |\n  One.\n\n   Two.\n",
    "escapes": 'id: asst_a\nname: "D\\u00e9sk \\U0001F600"\nfirstMessage: "tab\\there: \'it\' # no comment"\n',
    "nulls and numbers": "id: asst_a\nendCallMessage: null\nmetadata: {a: null, b: [1, 2.5, true, null, {}]}\n",
    "lookalikes": "id: asst_a\nname: 'yes'\nfirstMessage: '012'\nmetadata: {'on': 'null', x: '2024-01-01'}\n",
    "crlf": "name: Desk\r\nid: asst_a\r\nfirstMessage: Hello!\r\n",
}


@pytest.mark.parametrize("style", STYLES)
def test_a_file_is_plain_yaml_with_its_id_first(tmp_path: Path, style: str) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as tale:
        tale.write("a", STYLES[style].replace("\r\n", "\n"))
        if "\r" in STYLES[style]:
            (tale.root / "assistants/a.yaml").write_bytes(STYLES[style].encode())
        tale.commit(style)
        tale.apply_and_record()
        recorded = read_text(tale, "assistants/a.yaml")
        assert re.match(r"id: [\"']?asst_a[\"']?\n", recorded)
        assert yaml.safe_load(recorded) == yaml.safe_load(STYLES[style])
        assert not re.search(r"^\s*#|&hi|\*hi|\r", recorded, re.MULTILINE)
        assert recorded.count("\n") >= len(yaml.safe_load(STYLES[style]))  # a line for each field, not a flow
        assert change_kinds(tale.plan()) == {}


def test_the_same_definitions_make_the_same_record(tale: Story) -> None:
    """However they are written: so that `git log -p` of the record shows what changed live, and nothing else."""
    before = tale.git("rev-parse", f"{REF}^{{tree}}")
    tale.write("a", "# New.\n{id: asst_a, name: 'Desk', firstMessage: \"Hello!\", model: {temperature: 0.70}}\n")
    tale.commit("Style")
    commit_change(tale, "b", firstMessage="ours")
    tale.apply_and_record()
    lines = tale.git("diff", "--unified=0", before, f"{REF}^{{tree}}").splitlines()
    assert [line for line in lines if re.match(r"[-+][^-+]", line)] == ["-firstMessage: Hello!", "+firstMessage: ours"]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    """A definition for staging and production, applied and recorded in both."""
    with two_environments(tmp_path / "repository", {"a": {"name": "Desk", "model": MODEL}}) as both:
        both.shared("a", "name: Desk\nfirstMessage: Hello!\nmodel: {temperature: 0.7, provider: openai}\n")
        both.shared("only-production", "name: Other\n")
        both.overlay("staging", id="asst_a", model={"temperature": 0.2}, endCallMessage=None)
        both.overlay("production", id="asst_a")
        both.tale.commit()
        for name in ("staging", "production"):
            check_success(both.run(name, "apply", "--yes", "--record", "--base", "none"))
        yield both


def test_an_environments_record_is_resolved_at_the_definitions_own_path(two: Two) -> None:
    resolved = {"id": "asst_a", "name": "Desk", "firstMessage": "Hello!", "endCallMessage": None}
    assert list_names(two.tale, STAGING) == ["assistants/a.yaml"]
    assert read_by_id(two.tale, STAGING) == {
        "asst_a": {**resolved, "model": {"temperature": 0.2, "provider": "openai"}},
    }
    assert read_text(two.tale, "assistants/a.yaml", STAGING).startswith("id: asst_a\n")
    assert two.tale.record is None


def test_a_commit_to_a_shared_file_or_a_setting_changes_nothing_that_the_record_says(two: Two) -> None:
    """A shared file changes for both environments; the record of one is not touched by an apply of the other."""
    before = read_by_id(two.tale, STAGING)
    two.shared("a", "name: Desk\nfirstMessage: Welcome!\nmodel: {temperature: 0.7, provider: openai}\n")
    two.overlay("staging", id="asst_a", model={"temperature": 0.3}, endCallMessage=None)
    two.tale.commit()
    check_success(two.run("production", "apply", "--yes"))
    assert read_by_id(two.tale, STAGING) == before
    planned = two.report("staging", "plan")
    assert change_kinds(planned)["a"] == {"/firstMessage": "change", "/model/temperature": "change"}


def test_an_environments_record_is_its_own_and_so_is_the_default(tmp_path: Path) -> None:
    with two_environments(tmp_path / "repository", {"a": {"firstMessage": "Hello!"}}) as both:
        both.shared("a", "firstMessage: Hello!\n")
        for name in ("staging", "production"):
            both.overlay(name, id="asst_a")
        both.tale.commit()
        check_success(both.run("staging", "apply", "--yes", "--record", "--base", "none"))
        check_success(both.run("staging", "apply", "--yes"))
        check_success(both.run("production", "apply", "--yes"))
        assert both.tale.git("for-each-ref", "--format=%(refname)", "refs/reconciler") == STAGING


# --- which entries a run replaces, and which it keeps


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What becomes of `a`, which git has changed, and what the record says of it then."""

    outcome: str | None
    says: str = "Hello!"
    options: tuple[str, ...] = ()
    meddle: Meddle | None = None
    edit: Fields = field(default_factory=dict)


KEPT = {
    "applied": Kept(outcome="applied", says="ours"),
    "unchanged": Kept(outcome="unchanged", says="ours", edit={"firstMessage": "ours"}),
    "not taken": Kept(outcome="failed", meddle=answer_with(400, "a")),
    "not read": Kept(outcome="failed", meddle=answer_with(503, "a", method="GET")),
    "gone": Kept(outcome="failed", meddle=answer_with(404, "a", method="GET")),
    "unclear": Kept(outcome="indeterminate", meddle=answer_with(502, "a")),
    "unclear, and it landed": Kept(outcome="indeterminate", meddle=answer_with(502, "a", landed=True)),
    "not converged": Kept(outcome="not_converged", meddle=ignore_writes),
    "a conflict": Kept(outcome="refused", edit={"firstMessage": "theirs"}),
    "a forced conflict": Kept(
        outcome="applied", says="ours", edit={"firstMessage": "theirs"}, options=("--force-conflicts",)
    ),
    "not selected": Kept(outcome=None, options=("assistants/b.yaml", "assistants/c.yaml")),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_run_replaces_what_it_settled_and_keeps_all_others(tale: Story, name: str) -> None:
    case = KEPT[name]
    if case.edit:
        tale.sandbox.edit("asst_a", **case.edit)
    commit_change(tale, "a", firstMessage="ours")
    head, previous = commit_change(tale, "b", firstMessage="ours, too"), tale.record
    with tale.intercept(case.meddle or (lambda request, forward: forward(request))):
        document = (
            tale.apply_and_record(*case.options)
            if case.meddle is not ignore_writes
            else tale.apply_and_record("assistants/a.yaml")
        )
    assert outcomes(document).get("a") == case.outcome
    others = {"b": "Hello!" if case.meddle is ignore_writes else "ours, too", "c": "Hello!", "d": "Hello!"}
    assert read_greetings(tale) == {"a": case.says, **others}
    assert tale.parents == [head, previous]
    assert len(tale.trailers) == (case.outcome == "indeterminate")


def test_drift_that_is_kept_is_recorded_as_git_has_it(tale: Story) -> None:
    tale.sandbox.edit("asst_a", firstMessage="theirs")
    commit_change(tale, "a", name="Front desk")
    assert outcomes(tale.apply_and_record())["a"] == "applied"
    assert read_by_id(tale)["asst_a"] == {"id": "asst_a", **DECLARED, "name": "Front desk"}
    assert change_kinds(tale.plan()) == {"a": {"/firstMessage": "drift"}}


def test_what_was_skipped_is_kept(tale: Story) -> None:
    for name in FOUR:
        commit_change(tale, name, firstMessage="ours")
    with tale.intercept(answer_with(400, "b")):
        document = tale.apply_and_record("--fail-fast", "--concurrency", "1")
    assert outcomes(document) == {"a": "applied", "b": "failed", "c": "skipped", "d": "skipped"}
    assert read_greetings(tale) == {"a": "ours", "b": "Hello!", "c": "Hello!", "d": "Hello!"}


def test_one_that_is_new_and_failed_has_no_entry(tale: Story) -> None:
    tale.sandbox.put({"id": "asst_e", **build_live(DECLARED)})
    commit_change(tale, "e", firstMessage="ours")
    with tale.intercept(answer_with(400, "e")):
        assert outcomes(tale.apply_and_record())["e"] == "failed"
    assert "assistants/e.yaml" not in list_names(tale)
    assert change_kinds(tale.plan()) == {"e": {"/firstMessage": "change"}}


def test_a_field_that_is_released_leaves_the_entry(tale: Story) -> None:
    tale.write("a", name="Desk")
    tale.commit("Release")
    tale.apply_and_record()
    assert read_by_id(tale)["asst_a"] == {"id": "asst_a", "name": "Desk"}


@pytest.mark.parametrize("failing", [False, True], ids=["applied", "failed"])
def test_a_definition_that_moved_has_one_entry(tale: Story, failing: bool) -> None:
    (tale.root / "assistants/a.yaml").unlink()
    tale.write("east/z", id="asst_a", **{**DECLARED, "firstMessage": "ours"})
    tale.commit("Move")
    with tale.intercept(answer_with(400, *(["a"] if failing else []))):
        tale.apply_and_record()
    assert read_greetings(tale) == {"a": "Hello!" if failing else "ours", "b": "Hello!", "c": "Hello!", "d": "Hello!"}
    if not failing:
        assert "assistants/east/z.yaml" in list_names(tale)
    assert unmanaged_files(tale.plan()) == []
    assert change_kinds(tale.plan()) == ({"east/z": {"/firstMessage": "change"}} if failing else {})


@pytest.mark.parametrize("moved_to", ["a", "east/z"])
def test_a_definition_may_change_between_the_ids_of_its_assistant(tale: Story, moved_to: str) -> None:
    tale.sandbox.edit("asst_a", firstMessage="theirs")
    (tale.root / "assistants/a.yaml").unlink()
    tale.write(moved_to, id="local_asst_a", **DECLARED)
    tale.commit("The local id")
    assert change_kinds(tale.apply_and_record()) == {moved_to: {"/firstMessage": "drift"}}
    tale.write(moved_to, id="asst_a", **DECLARED)
    tale.commit("The provider's id")
    for base in ((), ("--base", "HEAD~1")):
        plan = tale.plan(*base)
        assert (change_kinds(plan), unmanaged_files(plan)) == ({moved_to: {"/firstMessage": "drift"}}, [])
    tale.apply_and_record()
    assert (tale.sandbox.live("asst_a")["firstMessage"], len(read_by_id(tale))) == ("theirs", 4)


def test_files_whose_names_were_swapped_keep_their_own_entries(tale: Story) -> None:
    tale.write("a", id="asst_b", **{**DECLARED, "firstMessage": "ours"})
    tale.write("b", id="asst_a", **{**DECLARED, "firstMessage": "ours"})
    tale.commit("Swap")
    with tale.intercept(answer_with(400, "b")):
        assert outcomes(tale.apply_and_record())["a"] == "failed"
    assert read_greetings(tale) == {"a": "ours", "b": "Hello!", "c": "Hello!", "d": "Hello!"}
    assert change_kinds(tale.plan()) == {"a": {"/firstMessage": "change"}}


def test_what_did_not_converge_is_recorded_field_by_field(tale: Story) -> None:
    tale.sandbox.rehearse("normalise trim firstMessage")
    commit_change(tale, "a", name="Front desk", firstMessage="Welcome! ", model={"temperature": 0.2})
    assert outcomes(tale.apply_and_record())["a"] == "not_converged"
    assert read_by_id(tale)["asst_a"] == {
        "id": "asst_a",
        "name": "Front desk",
        "firstMessage": "Welcome!",
        "model": {"temperature": 0.2},
    }


# --- definitions that are gone


@pytest.mark.parametrize("options", [(), ("assistants/a.yaml",), ("--changed",)], ids=["whole", "paths", "changed"])
def test_a_definition_that_is_gone_is_dropped_by_a_run_of_the_whole_folder(
    tale: Story, options: tuple[str, ...]
) -> None:
    (tale.root / "assistants/b.yaml").unlink()
    commit_change(tale, "a", firstMessage="ours")
    document = tale.apply_and_record(*options)
    assert outcomes(document)["a"] == "applied"
    assert ("b" in read_greetings(tale)) == bool(options)
    if not options:
        assert unmanaged_files(document) == ["assistants/b.yaml"]
        assert unmanaged_files(tale.plan()) == []
    else:
        assert unmanaged_files(tale.plan()) == ["assistants/b.yaml"]
        assert unmanaged_files(tale.apply_and_record()) == ["assistants/b.yaml"]
        assert sorted(read_greetings(tale)) == ["a", "c", "d"]


@contextlib.contextmanager
def two_folders(root: Path) -> Iterator[Story]:
    """Two desks in one folder and one in another, which share a record."""
    with story(root, dict.fromkeys(("a", "b", "n"), build_live(DECLARED))) as tale:
        for place, name in (("assistants", "a"), ("assistants", "b"), ("second", "n")):
            (tale.root / place).mkdir(exist_ok=True)
            write_in_folder(tale, place, name)
        tale.commit("First")
        check_success(tale.run("apply", "--yes", "--record", "--base", "none"))
        check_success(tale.run("apply", "--yes", "--record", "--directory", "second"))
        yield tale


def write_in_folder(tale: Story, place: str, name: str, **fields: Any) -> Path:
    file = tale.root / place / f"{name}.yaml"
    declared = {"firstMessage": "Hello!", **fields, "id": f"asst_{name}"}
    file.write_text("{" + ", ".join(f"{key}: {value}" for key, value in declared.items()) + "}\n", "utf-8")
    return file


def test_two_folders_share_a_record_and_neither_drops_the_others_entries(tmp_path: Path) -> None:
    with two_folders(tmp_path / "repository") as tale:
        assert list_names(tale) == ["assistants/a.yaml", "assistants/b.yaml", "second/n.yaml"]
        for place in ("second", "assistants", "second"):
            write_in_folder(tale, "assistants", "a", firstMessage=f"before {place}")
            write_in_folder(tale, "second", "n", firstMessage=f"before {place}")
            tale.commit()
            before = read_greetings(tale)
            document = tale.apply_and_record("--directory", place)
            assert unmanaged_files(document) == []
            other, own = ("a", "n") if place == "second" else ("n", "a")
            assert read_greetings(tale) == {**before, own: f"before {place}", other: before[other]}


def test_an_entry_whose_id_is_in_another_folder_now_is_neither_listed_nor_dropped(tmp_path: Path) -> None:
    with two_folders(tmp_path / "repository") as tale:
        (tale.root / "assistants/b.yaml").unlink()
        write_in_folder(tale, "second", "b", firstMessage="ours")
        tale.commit("Move")
        tale.sandbox.edit("asst_b", name="theirs")
        document = tale.apply_and_record()
        assert (unmanaged_files(document), read_greetings(tale)["b"]) == ([], "Hello!")
        assert change_kinds(tale.plan("--directory", "second")) == {"b": {"/firstMessage": "change"}}
        assert outcomes(tale.apply_and_record("--directory", "second"))["b"] == "applied"
        assert (read_greetings(tale)["b"], list_names(tale)) == (
            "ours",
            ["assistants/a.yaml", "second/b.yaml", "second/n.yaml"],
        )


def test_an_entry_whose_folder_was_renamed_stays(tale: Story) -> None:
    tale.git("mv", "assistants", "bots")
    tale.commit("Rename")
    tale.sandbox.edit("asst_a", firstMessage="theirs")
    assert change_kinds(tale.plan("--directory", "bots")) == {"a": {"/firstMessage": "drift"}}
    document = tale.apply_and_record("--directory", "bots")
    assert (unmanaged_files(document), sorted(read_greetings(tale))) == ([], [*FOUR])
    assert list_names(tale) == [f"bots/{name}.yaml" for name in FOUR]


# --- the commit


def test_the_commits_parents_are_head_and_the_record_before(tale: Story) -> None:
    first, record = tale.parents, tale.record
    head = commit_change(tale, "a", firstMessage="ours")
    tale.apply_and_record()
    assert (len(first), tale.parents) == (1, [head, record])
    tale.apply_and_record("--allow-older")
    assert tale.parents == [head, record]  # nothing new is not recorded


def test_a_trailer_names_a_write_that_is_unclear_until_it_is_settled(tale: Story) -> None:
    head = commit_change(tale, "a", firstMessage="ours", name="Front desk")
    with tale.intercept(answer_with(502, "a")):
        tale.apply_and_record()
    assert tale.trailers == [
        {"id": "asst_a", "file": "assistants/a.yaml", "fields": ["/firstMessage", "/name"], "heads": [head]}
    ]
    assert f"{TRAILER}: " in tale.message
    commit_change(tale, "b", firstMessage="ours")
    tale.apply_and_record("assistants/b.yaml")
    assert len(tale.trailers) == 1
    assert outcomes(tale.apply())["a"] == "applied"
    assert (tale.trailers, read_greetings(tale)["a"], live_value(tale, "a")) == ([], "ours", "ours")


def test_an_unclear_write_of_a_field_that_is_ignored_by_now_stays_unclear(tale: Story) -> None:
    commit_change(tale, "a", firstMessage="ours")
    with tale.intercept(answer_with(500, "a", landed=True)):
        assert outcomes(tale.apply_and_record())["a"] == "indeterminate"
    commit_settings(tale, ignore=[{"path": "/firstMessage", "reason": "set by the campaign"}])
    assert outcomes(tale.apply_and_record())["a"] == "unchanged"
    commit_settings(tale)
    commit_change(tale, "a", firstMessage="ours, once more")
    assert change_kinds(tale.plan()) == {"a": {"/firstMessage": "change"}}


def test_the_ref_moves_only_if_it_still_is_what_was_read(tale: Story) -> None:
    commit_change(tale, "a", firstMessage="ours")
    people = ["-c", "user.name=Eve", "-c", "user.email=eve@example.com"]
    parents = ["-p", "HEAD~1", "-p", str(tale.record)]
    theirs = tale.git(*people, "commit-tree", f"{REF}^{{tree}}", *parents, "-m", "Apply: 4 unchanged")

    def move(method: str, path: str, body: Any) -> None:
        if method == "PATCH":
            tale.git("update-ref", REF, theirs)

    tale.sandbox.before_each(move)
    result = tale.run("apply", "--yes")
    tale.sandbox.before_each(None)
    assert (result.code, tale.record, live_value(tale, "a")) == (1, theirs, "ours"), result.stderr
    assert "moved" in result.stderr
    assert outcomes(tale.apply())["a"] == "unchanged"
    assert (tale.parents, read_greetings(tale)["a"]) == ([tale.head, theirs], "ours")


# --- when nothing is recorded


def add_untracked(tale: Story) -> None:
    tale.sandbox.put({"id": "asst_e", **build_live(DECLARED)})
    tale.write("e", **DECLARED)


def stage_change(tale: Story) -> None:
    tale.write("a", name="Staged")
    tale.git("add", "--all")


DIFFERING: dict[str, Callable[[Story], object]] = {
    "edited": lambda tale: tale.write("a", name="Edited"),
    "staged": stage_change,
    "untracked": add_untracked,
    "renamed": lambda tale: tale.git("mv", "assistants/a.yaml", "assistants/z.yaml"),
}


@pytest.mark.parametrize("how", DIFFERING)
@pytest.mark.parametrize("options", [(), ("--record",), ("--record", "--base", "none")], ids=" ".join)
def test_a_selected_definition_that_differs_from_head_is_refused(
    tale: Story, how: str, options: tuple[str, ...]
) -> None:
    record = tale.record
    DIFFERING[how](tale)
    tale.sandbox.forget_requests()
    result = tale.run("apply", "--yes", *options)
    assert (result.code, result.stdout, tale.record, tale.sandbox.requests) == (1, "", record, []), result.stderr
    assert "differs from HEAD" in result.stderr
    assert "--no-record" in result.stderr
    assert tale.run("apply", "--yes", "--no-record").code == 0
    assert tale.record == record


@pytest.mark.parametrize("how", ["edited", "untracked"])
def test_one_that_differs_and_is_not_selected_is_in_nobodys_way(tale: Story, how: str) -> None:
    commit_change(tale, "b", firstMessage="ours")
    DIFFERING[how](tale)
    assert outcomes(tale.apply("assistants/b.yaml")) == {"b": "applied"}
    assert read_greetings(tale) == {"a": "Hello!", "b": "ours", "c": "Hello!", "d": "Hello!"}
    assert read_by_id(tale)["asst_a"]["name"] == "Desk"


def test_comments_are_no_difference(tale: Story) -> None:
    head = commit_change(tale, "b", firstMessage="ours")
    file = tale.root / "assistants/a.yaml"
    file.write_text("# Not committed.\n" + file.read_text("utf-8").replace("Desk", "Desk   # short"), "utf-8")
    assert outcomes(tale.apply())["b"] == "applied"
    assert (tale.parents[0], read_greetings(tale)["b"]) == (head, "ours")


def test_an_overlay_that_differs_is_refused_too(two: Two) -> None:
    record = two.tale.git("rev-parse", STAGING)
    two.overlay("staging", id="asst_a", model={"temperature": 0.9})
    result = two.run("staging", "apply", "--yes")
    assert (result.code, two.tale.git("rev-parse", STAGING)) == (1, record)
    assert "environments/staging/a.yaml" in result.stderr
    assert "--no-record" in result.stderr
    check_success(two.run("production", "apply", "--yes"))  # which does not use it


@pytest.mark.parametrize("base", [(), ("--base", "HEAD")], ids=["", "another base"])
def test_the_first_record_is_announced(tmp_path: Path, base: tuple[str, ...]) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as tale:
        result = tale.run("apply", "--yes", "--record", *base)
        assert (result.code, result.stdout, tale.record, tale.sandbox.requests) == (1, "", None, [])
        for way_out in ("--no-record", "--base none", FETCH):
            assert way_out in result.stderr
        check_success(tale.run("apply", "--yes", "--record", "--base", "none"))
        assert read_greetings(tale) == {"a": "Hello!"}


# --- what a project that records asks of a clone

READERS = [("plan",), ("plan", "--changed"), ("drift",), ("apply", "--yes"), ("apply", "--yes", "--record"), ("pull",)]


@pytest.mark.parametrize("command", READERS, ids=" ".join)
def test_a_project_that_records_needs_its_record(tmp_path: Path, command: tuple[str, ...]) -> None:
    with desks(tmp_path / "repository", "a", recorded=False, kind=InstalledStory) as tale:
        commit_settings(tale, record=True)
        tale.sandbox.edit("asst_a", firstMessage="theirs")
        before = live(tale, "a")
        tale.sandbox.forget_requests()
        result = tale.run(*command)
        assert (result.code, result.stdout, tale.sandbox.requests) == (1, "", []), result.stderr
        for way_out in (FETCH, "--base none"):
            assert way_out in result.stderr
        assert (tale.record, live(tale, "a")) == (None, before)
        assert tale.git("status", "--porcelain") == ""


@pytest.mark.parametrize("command", [("plan",), ("drift",), ("pull",)], ids=" ".join)
def test_the_first_run_may_look_first(tmp_path: Path, command: tuple[str, ...]) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as tale:
        commit_settings(tale, record=True)
        check_success(tale.run(*command, "--base", "none"))


def test_an_environment_of_such_a_project_needs_its_own_record(two: Two) -> None:
    two.configure(record=True)
    two.tale.commit()
    two.tale.git("update-ref", "-d", "refs/reconciler/production/applied")
    assert two.run("staging", "plan").code == 0
    result = two.run("production", "plan")
    assert (result.code, result.stdout) == (1, "")
    assert FETCH in result.stderr


def test_such_a_project_records_from_its_first_run_on(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as tale:
        commit_settings(tale, record=True)
        check_success(tale.run("apply", "--yes", "--base", "none"))
        assert read_greetings(tale) == {"a": "Hello!"}
        head = commit_change(tale, "a", firstMessage="ours")
        check_success(tale.run("apply", "--yes"))
        assert (tale.parents[0], read_greetings(tale)) == (head, {"a": "ours"})


def test_such_a_project_may_apply_without_recording(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as tale:
        commit_settings(tale, record=True)
        commit_change(tale, "a", firstMessage="ours")
        check_success(tale.run("apply", "--yes", "--no-record", "--base", "none"))
        assert (tale.record, live_value(tale, "a")) == (None, "ours")


# --- recording is what happens where nothing else is said


def apply_plan(tale: Story) -> Document:
    return tale.apply("--plan", str(tale.save_report(tale.plan())))


def apply_resume(tale: Story) -> Document:
    with tale.intercept(answer_with(502, "a")):
        unclear = tale.apply("--no-record")
    return tale.apply("--resume", str(tale.save_report(unclear)))


APPLIES: dict[str, Callable[[Story], Document]] = {
    "all": lambda tale: tale.apply(),
    "paths": lambda tale: tale.apply("assistants/a.yaml"),
    "changed": lambda tale: tale.apply("--changed"),
    "a plan": apply_plan,
    "a resumed run": apply_resume,
    "another base": lambda tale: tale.apply("--base", "HEAD~1"),
    "no base": lambda tale: tale.apply("--base", "none"),
}


@pytest.mark.parametrize("how", APPLIES)
def test_every_apply_is_recorded_where_there_is_a_record(tale: Story, how: str) -> None:
    head, previous = commit_change(tale, "a", firstMessage="ours"), tale.record
    assert outcomes(APPLIES[how](tale))["a"] == "applied"
    assert (tale.parents, read_greetings(tale)["a"]) == ([head, previous], "ours")
    assert sorted(read_greetings(tale)) == [*FOUR]


def test_an_apply_may_leave_the_record_as_it_is(tale: Story) -> None:
    record = tale.record
    commit_change(tale, "a", firstMessage="ours")
    assert outcomes(tale.apply("--no-record"))["a"] == "applied"
    assert (tale.record, live_value(tale, "a")) == (record, "ours")


def test_nothing_is_recorded_where_nobody_asked_for_it(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as tale:
        commit_change(tale, "a", firstMessage="ours")
        tale.write("a", **DECLARED)  # nor need it be committed
        assert outcomes(tale.apply()) == {"a": "unchanged"}
        assert tale.record is None


# --- git's processes


@pytest.mark.parametrize("first", [False, True], ids=["another record", "the first record"])
def test_an_apply_of_four_starts_at_most_twelve_git_processes(tmp_path: Path, first: bool) -> None:
    with desks(tmp_path / "repository", *FOUR, kind=InstalledStory, recorded=not first) as tale:
        for name in FOUR:
            commit_change(tale, name, firstMessage="ours")
        git = FaultyGit(tmp_path / "bin")
        git.restore()
        base = ("--base", "none") if first else ()
        result = check_success(tale.run("apply", "--yes", "--record", *base, env=git.env))
        assert "4 applied" in result.stdout
        assert read_greetings(tale) == dict.fromkeys(FOUR, "ours")
        assert len(git.calls) <= 12, "\n".join(git.calls)


def test_how_many_git_processes_there_are_does_not_depend_on_how_many_assistants(tmp_path: Path) -> None:
    counts = []
    with running_sandbox({f"asst_{number}": build_live(DECLARED) for number in range(20)}) as sandbox:
        for size in (2, 20):
            tale = Story(tmp_path / f"of-{size}", sandbox)
            for number in range(size):
                tale.write(str(number), **DECLARED)
            tale.commit("First")
            tale.apply_and_record()
            for number in range(size):
                tale.write(str(number), **{**DECLARED, "firstMessage": f"ours of {size}"})
            tale.commit("Second")
            git = FaultyGit(tmp_path / f"bin-{size}")
            git.restore()
            check_success(tale.run("apply", "--yes", "--record", "--force-conflicts", env=git.env))
            counts.append(len(git.calls))
    assert counts[1] <= counts[0] + 2, counts  # blame may need one or two more
