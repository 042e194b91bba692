"""What the record is: one plain YAML file for each assistant that is managed, as it was applied."""

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from between import Meddle, answer_with
from desks import (
    DECLARED,
    FETCH,
    Fields,
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
from two_environments import TwoEnvironments, two_environments

STAGING = "refs/reconciler/staging/applied"
FOUR = ("a", "b", "c", "d")


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    with desks(tmp_path / "repository", *FOUR) as repo:
        yield repo


def list_names(repo: Story, ref: str = REF) -> list[str]:
    """All files of the record's tree."""
    return repo.git("ls-tree", "-r", "--name-only", ref).splitlines()


def read_text(repo: Story, path: str, ref: str = REF) -> str:
    return repo.git("cat-file", "blob", f"{ref}:{path}") + "\n"


def read_by_id(repo: Story, ref: str = REF) -> dict[str, Fields]:
    """What the record says of each assistant; an id stands in one file alone."""
    entries = list(repo.tree(ref).values())
    ids = [declared["id"] for declared in entries]
    assert len(ids) == len(set(ids)), ids
    return dict(zip(ids, entries, strict=True))


def read_greetings(repo: Story, ref: str = REF) -> dict[str, Any]:
    return {
        name.removeprefix("asst_"): declared.get("firstMessage") for name, declared in read_by_id(repo, ref).items()
    }


# --- the tree and its files


def test_the_tree_holds_one_file_for_each_definition_and_nothing_else(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a", "east/b", recorded=False) as repo:
        (repo.root / "README.md").write_text("Not a definition.\n")
        (repo.root / "assistants/a.yaml").rename(repo.root / "assistants/a.yml")
        (repo.root / "assistants/notes.txt").write_text("x")
        (repo.root / "assistants/.draft.yaml").write_text("id: asst_draft\n")
        repo.sandbox.put({"id": "asst_b", **build_live(DECLARED)})
        commit_settings(repo, on_drift="keep")
        repo.apply_and_record()
        assert list_names(repo) == ["assistants/a.yml", "assistants/east/b.yaml"]
        assert read_by_id(repo) == {"asst_a": {"id": "asst_a", **DECLARED}, "asst_b": {"id": "asst_b", **DECLARED}}


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
    with desks(tmp_path / "repository", "a", recorded=False) as repo:
        repo.write("a", STYLES[style].replace("\r\n", "\n"))
        if "\r" in STYLES[style]:
            (repo.root / "assistants/a.yaml").write_bytes(STYLES[style].encode())
        repo.commit(style)
        repo.apply_and_record()
        recorded = read_text(repo, "assistants/a.yaml")
        assert re.match(r"id: [\"']?asst_a[\"']?\n", recorded)
        assert yaml.safe_load(recorded) == yaml.safe_load(STYLES[style])
        assert not re.search(r"^\s*#|&hi|\*hi|\r", recorded, re.MULTILINE)
        assert recorded.count("\n") >= len(yaml.safe_load(STYLES[style]))  # a line for each field, not a flow
        assert change_kinds(repo.plan()) == {}


def test_the_same_definitions_make_the_same_record(repo: Story) -> None:
    """However they are written: so that `git log -p` of the record shows what changed live, and nothing else."""
    before = repo.git("rev-parse", f"{REF}^{{tree}}")
    repo.write("a", "# New.\n{id: asst_a, name: 'Desk', firstMessage: \"Hello!\", model: {temperature: 0.70}}\n")
    repo.commit("Style")
    commit_change(repo, "b", firstMessage="ours")
    repo.apply_and_record()
    lines = repo.git("diff", "--unified=0", before, f"{REF}^{{tree}}").splitlines()
    assert [line for line in lines if re.match(r"[-+][^-+]", line)] == ["-firstMessage: Hello!", "+firstMessage: ours"]


@pytest.fixture
def environments(tmp_path: Path) -> Iterator[TwoEnvironments]:
    """A definition for staging and production, applied and recorded in both."""
    with two_environments(tmp_path / "repository", {"a": {"name": "Desk", "model": MODEL}}) as both:
        both.shared("a", "name: Desk\nfirstMessage: Hello!\nmodel: {temperature: 0.7, provider: openai}\n")
        both.shared("only-production", "name: Other\n")
        both.overlay("staging", id="asst_a", model={"temperature": 0.2}, endCallMessage=None)
        both.overlay("production", id="asst_a")
        both.repo.commit()
        for name in ("staging", "production"):
            check_success(both.run(name, "apply", "--yes", "--record", "--base", "none"))
        yield both


def test_an_environments_record_is_resolved_at_the_definitions_own_path(environments: TwoEnvironments) -> None:
    resolved = {"id": "asst_a", "name": "Desk", "firstMessage": "Hello!", "endCallMessage": None}
    assert list_names(environments.repo, STAGING) == ["assistants/a.yaml"]
    assert read_by_id(environments.repo, STAGING) == {
        "asst_a": {**resolved, "model": {"temperature": 0.2, "provider": "openai"}},
    }
    assert read_text(environments.repo, "assistants/a.yaml", STAGING).startswith("id: asst_a\n")
    assert environments.repo.record is None


def test_a_commit_to_a_shared_file_or_a_setting_changes_nothing_that_the_record_says(
    environments: TwoEnvironments,
) -> None:
    """A shared file changes for both environments; the record of one is not touched by an apply of the other."""
    before = read_by_id(environments.repo, STAGING)
    environments.shared("a", "name: Desk\nfirstMessage: Welcome!\nmodel: {temperature: 0.7, provider: openai}\n")
    environments.overlay("staging", id="asst_a", model={"temperature": 0.3}, endCallMessage=None)
    environments.repo.commit()
    check_success(environments.run("production", "apply", "--yes"))
    assert read_by_id(environments.repo, STAGING) == before
    planned = environments.report("staging", "plan")
    assert change_kinds(planned)["a"] == {"/firstMessage": "change", "/model/temperature": "change"}


def test_an_environments_record_is_its_own_and_so_is_the_default(tmp_path: Path) -> None:
    with two_environments(tmp_path / "repository", {"a": {"firstMessage": "Hello!"}}) as both:
        both.shared("a", "firstMessage: Hello!\n")
        for name in ("staging", "production"):
            both.overlay(name, id="asst_a")
        both.repo.commit()
        check_success(both.run("staging", "apply", "--yes", "--record", "--base", "none"))
        check_success(both.run("staging", "apply", "--yes"))
        check_success(both.run("production", "apply", "--yes"))
        assert both.repo.git("for-each-ref", "--format=%(refname)", "refs/reconciler") == STAGING


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
def test_a_run_replaces_what_it_settled_and_keeps_all_others(repo: Story, name: str) -> None:
    case = KEPT[name]
    if case.edit:
        repo.sandbox.edit("asst_a", **case.edit)
    commit_change(repo, "a", firstMessage="ours")
    head, previous = commit_change(repo, "b", firstMessage="ours, too"), repo.record
    with repo.intercept(case.meddle or (lambda request, forward: forward(request))):
        document = (
            repo.apply_and_record(*case.options)
            if case.meddle is not ignore_writes
            else repo.apply_and_record("assistants/a.yaml")
        )
    assert outcomes(document).get("a") == case.outcome
    others = {"b": "Hello!" if case.meddle is ignore_writes else "ours, too", "c": "Hello!", "d": "Hello!"}
    assert read_greetings(repo) == {"a": case.says, **others}
    assert repo.parents == [head, previous]
    assert len(repo.trailers) == (case.outcome == "indeterminate")


def test_drift_that_is_kept_is_recorded_as_git_has_it(repo: Story) -> None:
    repo.sandbox.edit("asst_a", firstMessage="theirs")
    commit_change(repo, "a", name="Front desk")
    assert outcomes(repo.apply_and_record())["a"] == "applied"
    assert read_by_id(repo)["asst_a"] == {"id": "asst_a", **DECLARED, "name": "Front desk"}
    assert change_kinds(repo.plan()) == {"a": {"/firstMessage": "drift"}}


def test_what_was_skipped_is_kept(repo: Story) -> None:
    for name in FOUR:
        commit_change(repo, name, firstMessage="ours")
    with repo.intercept(answer_with(400, "b")):
        document = repo.apply_and_record("--fail-fast", "--concurrency", "1")
    assert outcomes(document) == {"a": "applied", "b": "failed", "c": "skipped", "d": "skipped"}
    assert read_greetings(repo) == {"a": "ours", "b": "Hello!", "c": "Hello!", "d": "Hello!"}


def test_one_that_is_new_and_failed_has_no_entry(repo: Story) -> None:
    repo.sandbox.put({"id": "asst_e", **build_live(DECLARED)})
    commit_change(repo, "e", firstMessage="ours")
    with repo.intercept(answer_with(400, "e")):
        assert outcomes(repo.apply_and_record())["e"] == "failed"
    assert "assistants/e.yaml" not in list_names(repo)
    assert change_kinds(repo.plan()) == {"e": {"/firstMessage": "change"}}


def test_a_field_that_is_released_leaves_the_entry(repo: Story) -> None:
    repo.write("a", name="Desk")
    repo.commit("Release")
    repo.apply_and_record()
    assert read_by_id(repo)["asst_a"] == {"id": "asst_a", "name": "Desk"}


@pytest.mark.parametrize("failing", [False, True], ids=["applied", "failed"])
def test_a_definition_that_moved_has_one_entry(repo: Story, failing: bool) -> None:
    (repo.root / "assistants/a.yaml").unlink()
    repo.write("east/z", id="asst_a", **{**DECLARED, "firstMessage": "ours"})
    repo.commit("Move")
    with repo.intercept(answer_with(400, *(["a"] if failing else []))):
        repo.apply_and_record()
    assert read_greetings(repo) == {"a": "Hello!" if failing else "ours", "b": "Hello!", "c": "Hello!", "d": "Hello!"}
    if not failing:
        assert "assistants/east/z.yaml" in list_names(repo)
    assert unmanaged_files(repo.plan()) == []
    assert change_kinds(repo.plan()) == ({"east/z": {"/firstMessage": "change"}} if failing else {})


@pytest.mark.parametrize("moved_to", ["a", "east/z"])
def test_a_definition_may_change_between_the_ids_of_its_assistant(repo: Story, moved_to: str) -> None:
    repo.sandbox.edit("asst_a", firstMessage="theirs")
    (repo.root / "assistants/a.yaml").unlink()
    repo.write(moved_to, id="local_asst_a", **DECLARED)
    repo.commit("The local id")
    assert change_kinds(repo.apply_and_record()) == {moved_to: {"/firstMessage": "drift"}}
    repo.write(moved_to, id="asst_a", **DECLARED)
    repo.commit("The provider's id")
    for base in ((), ("--base", "HEAD~1")):
        plan = repo.plan(*base)
        assert (change_kinds(plan), unmanaged_files(plan)) == ({moved_to: {"/firstMessage": "drift"}}, [])
    repo.apply_and_record()
    assert (repo.sandbox.live("asst_a")["firstMessage"], len(read_by_id(repo))) == ("theirs", 4)


@pytest.mark.parametrize("moved_to", ["a", "b", "east/z"])
def test_an_assistant_that_could_not_be_read_under_its_other_id_keeps_its_history(repo: Story, moved_to: str) -> None:
    """Only an answer could say that two ids are one assistant's: until then, nobody knows whose definition is gone."""
    for name in {"a", moved_to}:
        (repo.root / f"assistants/{name}.yaml").unlink(missing_ok=True)
    repo.write(moved_to, id="local_asst_a", **DECLARED)
    if moved_to == "b":
        repo.write("a", id="asst_b", **DECLARED)
    repo.commit("The local id")
    repo.sandbox.rehearse("GET /assistants/local_asst_a: 500")
    document = repo.apply_and_record()
    assert (outcomes(document)[moved_to], unmanaged_files(document)) == ("failed", [])
    assert len(read_by_id(repo)) == 4
    repo.sandbox.mend()
    repo.sandbox.edit("asst_a", firstMessage="theirs")
    assert change_kinds(repo.apply_and_record()) == {moved_to: {"/firstMessage": "drift"}}
    assert (repo.sandbox.live("asst_a")["firstMessage"], len(read_by_id(repo))) == ("theirs", 4)


def test_an_older_base_does_not_drop_the_entry_of_the_assistant_that_a_file_has_now(repo: Story) -> None:
    """What is gone since that base had this path once; the record's entry there is another assistant's."""
    (repo.root / "assistants/b.yaml").unlink()
    repo.write("a", id="asst_b", **DECLARED)
    repo.commit("Another assistant")
    repo.apply_and_record()
    assert unmanaged_files(repo.apply("--record", "--base", "HEAD~1")) == ["assistants/a.yaml"]
    assert read_text(repo, "assistants/a.yaml").startswith("id: asst_b")
    repo.sandbox.edit("asst_b", firstMessage="theirs")
    assert change_kinds(repo.plan()) == {"a": {"/firstMessage": "drift"}}


def test_files_whose_names_were_swapped_keep_their_own_entries(repo: Story) -> None:
    repo.write("a", id="asst_b", **{**DECLARED, "firstMessage": "ours"})
    repo.write("b", id="asst_a", **{**DECLARED, "firstMessage": "ours"})
    repo.commit("Swap")
    with repo.intercept(answer_with(400, "b")):
        assert outcomes(repo.apply_and_record())["a"] == "failed"
    assert read_greetings(repo) == {"a": "ours", "b": "Hello!", "c": "Hello!", "d": "Hello!"}
    assert change_kinds(repo.plan()) == {"a": {"/firstMessage": "change"}}


def test_what_did_not_converge_is_recorded_field_by_field(repo: Story) -> None:
    repo.sandbox.rehearse("normalise trim firstMessage")
    commit_change(repo, "a", name="Front desk", firstMessage="Welcome! ", model={"temperature": 0.2})
    assert outcomes(repo.apply_and_record())["a"] == "not_converged"
    assert read_by_id(repo)["asst_a"] == {
        "id": "asst_a",
        "name": "Front desk",
        "firstMessage": "Welcome!",
        "model": {"temperature": 0.2},
    }


# --- definitions that are gone


@pytest.mark.parametrize("options", [(), ("assistants/a.yaml",), ("--changed",)], ids=["whole", "paths", "changed"])
def test_a_definition_that_is_gone_is_dropped_by_a_run_of_the_whole_folder(
    repo: Story, options: tuple[str, ...]
) -> None:
    (repo.root / "assistants/b.yaml").unlink()
    commit_change(repo, "a", firstMessage="ours")
    document = repo.apply_and_record(*options)
    assert outcomes(document)["a"] == "applied"
    assert ("b" in read_greetings(repo)) == bool(options)
    if not options:
        assert unmanaged_files(document) == ["assistants/b.yaml"]
        assert unmanaged_files(repo.plan()) == []
    else:
        assert unmanaged_files(repo.plan()) == ["assistants/b.yaml"]
        assert unmanaged_files(repo.apply_and_record()) == ["assistants/b.yaml"]
        assert sorted(read_greetings(repo)) == ["a", "c", "d"]


@contextlib.contextmanager
def two_folders(root: Path) -> Iterator[Story]:
    """Two desks in one folder and one in another, which share a record."""
    with story(root, dict.fromkeys(("a", "b", "n"), build_live(DECLARED))) as repo:
        for place, name in (("assistants", "a"), ("assistants", "b"), ("second", "n")):
            (repo.root / place).mkdir(exist_ok=True)
            write_in_folder(repo, place, name)
        repo.commit("First")
        check_success(repo.run("apply", "--yes", "--record", "--base", "none"))
        check_success(repo.run("apply", "--yes", "--record", "--directory", "second"))
        yield repo


def write_in_folder(repo: Story, place: str, name: str, **fields: Any) -> Path:
    file = repo.root / place / f"{name}.yaml"
    declared = {"firstMessage": "Hello!", **fields, "id": f"asst_{name}"}
    file.write_text("{" + ", ".join(f"{key}: {value}" for key, value in declared.items()) + "}\n", "utf-8")
    return file


def test_two_folders_share_a_record_and_neither_drops_the_others_entries(tmp_path: Path) -> None:
    with two_folders(tmp_path / "repository") as repo:
        assert list_names(repo) == ["assistants/a.yaml", "assistants/b.yaml", "second/n.yaml"]
        for place in ("second", "assistants", "second"):
            write_in_folder(repo, "assistants", "a", firstMessage=f"before {place}")
            write_in_folder(repo, "second", "n", firstMessage=f"before {place}")
            repo.commit()
            before = read_greetings(repo)
            document = repo.apply_and_record("--directory", place)
            assert unmanaged_files(document) == []
            other, own = ("a", "n") if place == "second" else ("n", "a")
            assert read_greetings(repo) == {**before, own: f"before {place}", other: before[other]}


def test_an_entry_whose_id_is_in_another_folder_now_is_neither_listed_nor_dropped(tmp_path: Path) -> None:
    with two_folders(tmp_path / "repository") as repo:
        (repo.root / "assistants/b.yaml").unlink()
        write_in_folder(repo, "second", "b", firstMessage="ours")
        repo.commit("Move")
        repo.sandbox.edit("asst_b", name="theirs")
        document = repo.apply_and_record()
        assert (unmanaged_files(document), read_greetings(repo)["b"]) == ([], "Hello!")
        assert change_kinds(repo.plan("--directory", "second")) == {"b": {"/firstMessage": "change"}}
        assert outcomes(repo.apply_and_record("--directory", "second"))["b"] == "applied"
        assert (read_greetings(repo)["b"], list_names(repo)) == (
            "ours",
            ["assistants/a.yaml", "second/b.yaml", "second/n.yaml"],
        )


def test_an_entry_whose_folder_was_renamed_stays(repo: Story) -> None:
    repo.git("mv", "assistants", "bots")
    repo.commit("Rename")
    repo.sandbox.edit("asst_a", firstMessage="theirs")
    assert change_kinds(repo.plan("--directory", "bots")) == {"a": {"/firstMessage": "drift"}}
    document = repo.apply_and_record("--directory", "bots")
    assert (unmanaged_files(document), sorted(read_greetings(repo))) == ([], [*FOUR])
    assert list_names(repo) == [f"bots/{name}.yaml" for name in FOUR]


# --- the commit


def test_the_commits_parents_are_head_and_the_record_before(repo: Story) -> None:
    first, record = repo.parents, repo.record
    head = commit_change(repo, "a", firstMessage="ours")
    repo.apply_and_record()
    assert (len(first), repo.parents) == (1, [head, record])
    repo.apply_and_record("--allow-older")
    assert repo.parents == [head, record]  # nothing new is not recorded


def test_a_trailer_names_a_write_that_is_unclear_until_it_is_settled(repo: Story) -> None:
    head = commit_change(repo, "a", firstMessage="ours", name="Front desk")
    with repo.intercept(answer_with(502, "a")):
        repo.apply_and_record()
    assert repo.trailers == [
        {"id": "asst_a", "file": "assistants/a.yaml", "fields": ["/firstMessage", "/name"], "heads": [head]}
    ]
    assert f"{TRAILER}: " in repo.message
    commit_change(repo, "b", firstMessage="ours")
    repo.apply_and_record("assistants/b.yaml")
    assert len(repo.trailers) == 1
    assert outcomes(repo.apply())["a"] == "applied"
    assert (repo.trailers, read_greetings(repo)["a"], live_value(repo, "a")) == ([], "ours", "ours")


def test_an_unclear_write_of_a_field_that_is_ignored_by_now_stays_unclear(repo: Story) -> None:
    commit_change(repo, "a", firstMessage="ours")
    with repo.intercept(answer_with(500, "a", landed=True)):
        assert outcomes(repo.apply_and_record())["a"] == "indeterminate"
    commit_settings(repo, ignore=[{"path": "/firstMessage", "reason": "set by the campaign"}])
    assert outcomes(repo.apply_and_record())["a"] == "unchanged"
    commit_settings(repo)
    commit_change(repo, "a", firstMessage="ours, once more")
    assert change_kinds(repo.plan()) == {"a": {"/firstMessage": "change"}}


def test_the_ref_moves_only_if_it_still_is_what_was_read(repo: Story) -> None:
    commit_change(repo, "a", firstMessage="ours")
    theirs = repo.make_commit(f"{REF}^{{tree}}", "HEAD~1", REF, message="Apply: 4 unchanged")

    def move(method: str, path: str, body: Any) -> None:
        if method == "PATCH":
            repo.git("update-ref", REF, theirs)

    repo.sandbox.before_each(move)
    result = repo.run("apply", "--yes")
    repo.sandbox.before_each(None)
    assert (result.code, repo.record, live_value(repo, "a")) == (1, theirs, "ours"), result.stderr
    assert "moved" in result.stderr
    assert outcomes(repo.apply())["a"] == "unchanged"
    assert (repo.parents, read_greetings(repo)["a"]) == ([repo.head, theirs], "ours")


# --- when nothing is recorded


def add_untracked(repo: Story) -> None:
    repo.sandbox.put({"id": "asst_e", **build_live(DECLARED)})
    repo.write("e", **DECLARED)


def stage_change(repo: Story) -> None:
    repo.write("a", name="Staged")
    repo.git("add", "--all")


DIFFERING: dict[str, Callable[[Story], object]] = {
    "edited": lambda repo: repo.write("a", name="Edited"),
    "staged": stage_change,
    "untracked": add_untracked,
    "renamed": lambda repo: repo.git("mv", "assistants/a.yaml", "assistants/z.yaml"),
}


@pytest.mark.parametrize("how", DIFFERING)
@pytest.mark.parametrize("options", [(), ("--record",), ("--record", "--base", "none")], ids=" ".join)
def test_a_selected_definition_that_differs_from_head_is_refused(
    repo: Story, how: str, options: tuple[str, ...]
) -> None:
    record = repo.record
    DIFFERING[how](repo)
    repo.sandbox.forget_requests()
    result = repo.run("apply", "--yes", *options)
    assert (result.code, result.stdout, repo.record, repo.sandbox.requests) == (1, "", record, []), result.stderr
    assert "differs from HEAD" in result.stderr
    assert "--no-record" in result.stderr
    assert repo.run("apply", "--yes", "--no-record").code == 0
    assert repo.record == record


@pytest.mark.parametrize("how", ["edited", "untracked"])
def test_one_that_differs_and_is_not_selected_is_in_nobodys_way(repo: Story, how: str) -> None:
    commit_change(repo, "b", firstMessage="ours")
    DIFFERING[how](repo)
    assert outcomes(repo.apply("assistants/b.yaml")) == {"b": "applied"}
    assert read_greetings(repo) == {"a": "Hello!", "b": "ours", "c": "Hello!", "d": "Hello!"}
    assert read_by_id(repo)["asst_a"]["name"] == "Desk"


def test_comments_are_no_difference(repo: Story) -> None:
    head = commit_change(repo, "b", firstMessage="ours")
    file = repo.root / "assistants/a.yaml"
    file.write_text("# Not committed.\n" + file.read_text("utf-8").replace("Desk", "Desk   # short"), "utf-8")
    assert outcomes(repo.apply())["b"] == "applied"
    assert (repo.parents[0], read_greetings(repo)["b"]) == (head, "ours")


def test_an_overlay_that_differs_is_refused_too(environments: TwoEnvironments) -> None:
    record = environments.repo.git("rev-parse", STAGING)
    environments.overlay("staging", id="asst_a", model={"temperature": 0.9})
    result = environments.run("staging", "apply", "--yes")
    assert (result.code, environments.repo.git("rev-parse", STAGING)) == (1, record)
    assert "environments/staging/a.yaml" in result.stderr
    assert "--no-record" in result.stderr
    check_success(environments.run("production", "apply", "--yes"))  # which does not use it


@pytest.mark.parametrize("base", [(), ("--base", "HEAD")], ids=["", "another base"])
def test_the_first_record_is_announced(tmp_path: Path, base: tuple[str, ...]) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as repo:
        result = repo.run("apply", "--yes", "--record", *base)
        assert (result.code, result.stdout, repo.record, repo.sandbox.requests) == (1, "", None, [])
        for way_out in ("--no-record", "--base none", FETCH):
            assert way_out in result.stderr
        check_success(repo.run("apply", "--yes", "--record", "--base", "none"))
        assert read_greetings(repo) == {"a": "Hello!"}


# --- what a project that records asks of a clone

READERS = [("plan",), ("plan", "--changed"), ("drift",), ("apply", "--yes"), ("apply", "--yes", "--record"), ("pull",)]


@pytest.mark.parametrize("command", READERS, ids=" ".join)
def test_a_project_that_records_needs_its_record(tmp_path: Path, command: tuple[str, ...]) -> None:
    with desks(tmp_path / "repository", "a", recorded=False, kind=InstalledStory) as repo:
        commit_settings(repo, record=True)
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        before = live(repo, "a")
        repo.sandbox.forget_requests()
        result = repo.run(*command)
        assert (result.code, result.stdout, repo.sandbox.requests) == (1, "", []), result.stderr
        for way_out in (FETCH, "--base none"):
            assert way_out in result.stderr
        assert (repo.record, live(repo, "a")) == (None, before)
        assert repo.git("status", "--porcelain") == ""


@pytest.mark.parametrize("command", [("plan",), ("drift",), ("pull",)], ids=" ".join)
def test_the_first_run_may_look_first(tmp_path: Path, command: tuple[str, ...]) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as repo:
        commit_settings(repo, record=True)
        check_success(repo.run(*command, "--base", "none"))


def test_an_environment_of_such_a_project_needs_its_own_record(environments: TwoEnvironments) -> None:
    environments.configure(record=True)
    environments.repo.commit()
    environments.repo.git("update-ref", "-d", "refs/reconciler/production/applied")
    assert environments.run("staging", "plan").code == 0
    result = environments.run("production", "plan")
    assert (result.code, result.stdout) == (1, "")
    assert FETCH in result.stderr


def test_such_a_project_records_from_its_first_run_on(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as repo:
        commit_settings(repo, record=True)
        check_success(repo.run("apply", "--yes", "--base", "none"))
        assert read_greetings(repo) == {"a": "Hello!"}
        head = commit_change(repo, "a", firstMessage="ours")
        check_success(repo.run("apply", "--yes"))
        assert (repo.parents[0], read_greetings(repo)) == (head, {"a": "ours"})


def test_such_a_project_may_apply_without_recording(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as repo:
        commit_settings(repo, record=True)
        commit_change(repo, "a", firstMessage="ours")
        check_success(repo.run("apply", "--yes", "--no-record", "--base", "none"))
        assert (repo.record, live_value(repo, "a")) == (None, "ours")


# --- recording is what happens where nothing else is said


def apply_plan(repo: Story) -> Document:
    return repo.apply("--plan", str(repo.save_report(repo.plan())))


def apply_resume(repo: Story) -> Document:
    with repo.intercept(answer_with(502, "a")):
        unclear = repo.apply("--no-record")
    return repo.apply("--resume", str(repo.save_report(unclear)))


APPLIES: dict[str, Callable[[Story], Document]] = {
    "all": lambda repo: repo.apply(),
    "paths": lambda repo: repo.apply("assistants/a.yaml"),
    "changed": lambda repo: repo.apply("--changed"),
    "a plan": apply_plan,
    "a resumed run": apply_resume,
    "another base": lambda repo: repo.apply("--base", "HEAD~1"),
    "no base": lambda repo: repo.apply("--base", "none"),
}


@pytest.mark.parametrize("how", APPLIES)
def test_every_apply_is_recorded_where_there_is_a_record(repo: Story, how: str) -> None:
    head, previous = commit_change(repo, "a", firstMessage="ours"), repo.record
    assert outcomes(APPLIES[how](repo))["a"] == "applied"
    assert (repo.parents, read_greetings(repo)["a"]) == ([head, previous], "ours")
    assert sorted(read_greetings(repo)) == [*FOUR]


def test_an_apply_may_leave_the_record_as_it_is(repo: Story) -> None:
    record = repo.record
    commit_change(repo, "a", firstMessage="ours")
    assert outcomes(repo.apply("--no-record"))["a"] == "applied"
    assert (repo.record, live_value(repo, "a")) == (record, "ours")


def test_nothing_is_recorded_where_nobody_asked_for_it(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as repo:
        commit_change(repo, "a", firstMessage="ours")
        repo.write("a", **DECLARED)  # nor need it be committed
        assert outcomes(repo.apply()) == {"a": "unchanged"}
        assert repo.record is None


# --- git's processes


@pytest.mark.parametrize("first", [False, True], ids=["another record", "the first record"])
def test_an_apply_of_four_starts_at_most_twelve_git_processes(tmp_path: Path, first: bool) -> None:
    with desks(tmp_path / "repository", *FOUR, kind=InstalledStory, recorded=not first) as repo:
        for name in FOUR:
            commit_change(repo, name, firstMessage="ours")
        git = FaultyGit(tmp_path / "bin")
        git.restore()
        base = ("--base", "none") if first else ()
        result = check_success(repo.run("apply", "--yes", "--record", *base, env=git.env))
        assert "4 applied" in result.stdout
        assert read_greetings(repo) == dict.fromkeys(FOUR, "ours")
        assert len(git.calls) <= 12, "\n".join(git.calls)


def test_how_many_git_processes_there_are_does_not_depend_on_how_many_assistants(tmp_path: Path) -> None:
    counts = []
    with running_sandbox({f"asst_{number}": build_live(DECLARED) for number in range(20)}) as sandbox:
        for size in (2, 20):
            repo = Story(tmp_path / f"of-{size}", sandbox)
            for number in range(size):
                repo.write(str(number), **DECLARED)
            repo.commit("First")
            repo.apply_and_record()
            for number in range(size):
                repo.write(str(number), **{**DECLARED, "firstMessage": f"ours of {size}"})
            repo.commit("Second")
            git = FaultyGit(tmp_path / f"bin-{size}")
            git.restore()
            check_success(repo.run("apply", "--yes", "--record", "--force-conflicts", env=git.env))
            counts.append(len(git.calls))
    assert counts[1] <= counts[0] + 2, counts  # blame may need one or two more
