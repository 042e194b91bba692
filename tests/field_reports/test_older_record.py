"""A record of the older form, made by older code: it is read as the revision that it is, and nothing of it is lost."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from desks import Fields, check_success, live, live_value
from histories import ChangeKinds, change_kinds, unmanaged_files
from projects import outcomes
from servers import running_sandbox
from stories import REF, InstalledStory, Story, entries

SAVED = Path(__file__).with_name("older_record")
LIVE: dict[str, Fields] = json.loads((SAVED / "live.json").read_text("utf-8"))
STAGING = ("--environment", "staging")
SECOND = ("--directory", "second")
STAGING_REF = "refs/reconciler/staging/applied"


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """The repository with its two records, and what was live when they were made."""
    with running_sandbox({f"asst_{name}": fields for name, fields in LIVE.items()}) as sandbox:
        repo = InstalledStory(tmp_path / "repository", sandbox)
        bundle = str(SAVED / "repository.bundle")
        repo.git("fetch", "--quiet", bundle, "refs/heads/main", "refs/reconciler/*:refs/reconciler/*")
        repo.git("checkout", "--quiet", "-B", "main", "FETCH_HEAD")
        yield repo


def read_record(repo: Story, ref: str = REF) -> dict[str, Fields]:
    """What a record of the new form says, by path; it holds nothing but entries."""
    names = repo.git("ls-tree", "-r", "--name-only", ref).splitlines()
    tree = repo.tree(ref)
    assert sorted(tree) == names
    for name in names:
        assert repo.git("cat-file", "blob", f"{ref}:{name}").startswith("id: asst_")
    return tree


@dataclass(frozen=True, kw_only=True)
class Planned:
    """Edits in the dashboard, and what a plan says of them."""

    options: tuple[str, ...] = ()
    edits: dict[str, Fields] = field(default_factory=dict)
    moved: ChangeKinds


PLANS = {
    "nothing": Planned(moved={"b": {"/firstMessage": "change"}, "east/c": {"/firstMessage": "change"}}),
    "edits": Planned(
        edits={"a": {"firstMessage": "theirs"}, "b": {"name": "Theirs"}},
        moved={
            "a": {"/firstMessage": "drift"},
            "b": {"/firstMessage": "change", "/name": "drift"},
            "east/c": {"/firstMessage": "change"},
        },
    ),
    "an edit of what failed": Planned(
        edits={"b": {"firstMessage": "theirs"}},
        moved={"b": {"/firstMessage": "conflict"}, "east/c": {"/firstMessage": "change"}},
    ),
    "the other folder": Planned(options=SECOND, moved={"n": {"/firstMessage": "change"}}),
    "the other folder, edited": Planned(
        options=SECOND, edits={"n": {"name": "Theirs"}}, moved={"n": {"/firstMessage": "change", "/name": "drift"}}
    ),
    "an environment": Planned(
        options=STAGING, moved={"b": {"/firstMessage": "change", "/model/temperature": "change"}}
    ),
    "an environment, edited": Planned(
        options=STAGING,
        edits={"sa": {"endCallMessage": "Theirs"}, "sb": {"firstMessage": "theirs"}},
        moved={
            "a": {"/endCallMessage": "drift"},
            "b": {"/firstMessage": "conflict", "/model/temperature": "change"},
        },
    ),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_tells_drift_from_change_as_before(repo: Story, name: str) -> None:
    case = PLANS[name]
    for assistant, fields in case.edits.items():
        repo.sandbox.edit(f"asst_{assistant}", **fields)
    document = repo.plan(*case.options)
    assert (change_kinds(document), unmanaged_files(document)) == (case.moved, [])
    assert document["base"] == {
        "ref": STAGING_REF if case.options == STAGING else REF,
        "commit": repo.git("rev-parse", STAGING_REF if case.options == STAGING else REF),
    }


def test_a_live_edit_is_drift_for_drift_and_pull(repo: Story) -> None:
    repo.sandbox.edit("asst_a", firstMessage="theirs")
    drifted = change_kinds(repo.report("drift"))
    assert drifted["a"] == {"/firstMessage": "drift"}
    result = check_success(repo.run("pull"))
    assert result.stdout == "assistants/a.yaml: firstMessage\n"
    assert repo.git("diff", "--name-only") == "assistants/a.yaml"


TWO = {"firstMessage": "two", "name": "Desk"}


def test_an_apply_on_top_converts_it_and_loses_no_entry(repo: Story) -> None:
    repo.sandbox.edit("asst_a", name="Theirs")
    older = repo.record
    document = repo.apply()
    assert outcomes(document) == {"a": "unchanged", "b": "applied", "east/c": "applied"}
    assert (repo.parents, repo.trailers, unmanaged_files(document)) == ([repo.head, older], [], [])
    assert read_record(repo) == {
        "assistants/a.yaml": {"id": "asst_a", **TWO, "model": {"temperature": 0.7}},
        "assistants/b.yaml": {"id": "asst_b", **TWO, "model": {"temperature": 0.7}},
        "assistants/east/c.yml": {"id": "asst_c", **TWO},
        "second/n.yaml": {"id": "asst_n", "name": "Night", "firstMessage": "one"},
    }
    assert change_kinds(repo.plan()) == {"a": {"/name": "drift"}}
    assert change_kinds(repo.plan(*SECOND)) == {"n": {"/firstMessage": "change"}}


def test_an_apply_of_the_other_folder_converts_it_and_keeps_the_trailer(repo: Story) -> None:
    trailers = repo.trailers
    assert outcomes(repo.apply(*SECOND)) == {"n": "applied"}
    assert repo.trailers == trailers != []
    assert {path: declared["firstMessage"] for path, declared in read_record(repo).items()} == {
        "assistants/a.yaml": "two",
        "assistants/b.yaml": "one",
        "assistants/east/c.yml": "one",
        "second/n.yaml": "two",
    }
    assert change_kinds(repo.plan()) == PLANS["nothing"].moved
    assert outcomes(repo.apply())["east/c"] == "applied"
    assert (repo.trailers, live_value(repo, "c")) == ([], "two")


def test_an_apply_of_one_definition_converts_all_of_it(repo: Story) -> None:
    assert outcomes(repo.apply("assistants/b.yaml")) == {"b": "applied"}
    assert {path: declared["firstMessage"] for path, declared in read_record(repo).items()} == {
        "assistants/a.yaml": "two",
        "assistants/b.yaml": "two",
        "assistants/east/c.yml": "one",
        "second/n.yaml": "one",
    }
    assert len(repo.trailers) == 1


def test_an_assistant_that_was_still_to_be_created_has_no_entry(repo: Story) -> None:
    repo.write("d", "id: new\nname: Door\n")
    repo.commit()
    repo.git("update-ref", REF, repo.make_commit("HEAD^{tree}", "HEAD", REF, message="Apply"))
    repo.apply("assistants/b.yaml")
    assert "assistants/d.yaml" not in read_record(repo)


def test_an_apply_in_an_environment_converts_its_record_alone(repo: Story) -> None:
    other = repo.record
    document = repo.apply(*STAGING)
    assert outcomes(document) == {"a": "unchanged", "b": "applied", "east/c": "unchanged"}
    found = read_record(repo, STAGING_REF)
    assert found.keys() - {"second/n.yaml"} == {"assistants/a.yaml", "assistants/b.yaml", "assistants/east/c.yml"}
    staging = {**TWO, "model": {"temperature": 0.3}}
    assert found["assistants/a.yaml"] == {"id": "asst_sa", **staging, "endCallMessage": None}
    assert found["assistants/b.yaml"] == {"id": "asst_sb", **staging}
    assert found["assistants/east/c.yml"] == {"id": "asst_sc", **TWO}
    assert (repo.record, change_kinds(repo.plan(*STAGING))) == (other, {})
    assert repo.git("log", "-1", "--format=%P", STAGING_REF).split()[0] == repo.head


def test_an_apply_of_one_definition_of_an_environment_keeps_what_failed_before(repo: Story) -> None:
    repo.apply(*STAGING, "assistants/a.yaml")
    found = read_record(repo, STAGING_REF)
    assert found["assistants/b.yaml"] == {
        "id": "asst_sb",
        "name": "Desk",
        "firstMessage": "one",
        "model": {"temperature": 0.2},
    }
    assert change_kinds(repo.plan(*STAGING)) == PLANS["an environment"].moved


def test_a_definition_that_moves_or_goes_is_known_to_it(repo: Story) -> None:
    repo.git("mv", "assistants/b.yaml", "second/b.yaml")
    (repo.root / "assistants/a.yaml").unlink()
    (repo.root / "environments/staging/a.yaml").unlink()
    repo.commit("Move")
    repo.sandbox.edit("asst_b", name="Theirs")
    planned = repo.plan()
    assert (change_kinds(planned), unmanaged_files(planned)) == (
        {"east/c": {"/firstMessage": "change"}},
        ["assistants/a.yaml"],
    )
    repo.apply()
    assert sorted(declared["id"] for declared in read_record(repo).values()) == ["asst_b", "asst_c", "asst_n"]
    kinds_in_second = change_kinds(repo.plan(*SECOND))
    assert kinds_in_second["b"] == {"/firstMessage": "change", "/name": "drift"}


def test_an_unclear_write_is_sent_again(repo: Story) -> None:
    repo.sandbox.edit("asst_c", firstMessage="two")  # it had landed, in the end
    entry = entries(repo.plan("assistants/east"))["east/c"]
    assert (entry["status"], entry["patch"]) == ("in_sync", {"firstMessage": "two"})
    repo.sandbox.forget_requests()
    assert outcomes(repo.apply("assistants/east")) == {"east/c": "applied"}
    assert (repo.sandbox.patches, repo.trailers) == ([{"firstMessage": "two"}], [])


def test_what_was_saved_is_what_it_says(repo: Story) -> None:
    """Of the fixture: the older form has HEAD's tree, with an older file where an assistant did not get there."""
    files: dict[str, Any] = repo.tree(REF)
    assert "reconciler.yaml" in repo.git("ls-tree", "-r", "--name-only", REF)
    assert files["assistants/b.yaml"]["firstMessage"] == "one"
    assert yaml.safe_load(repo.git("show", f"{STAGING_REF}:environments/staging/b.yaml"))["model"]["temperature"] == 0.2
    assert [trailer["id"] for trailer in repo.trailers] == ["asst_c"]
    assert {name: live(repo, name)["firstMessage"] for name in LIVE} == {
        **dict.fromkeys(("a", "sa", "sc"), "two"),
        **dict.fromkeys(("b", "c", "n", "sb"), "one"),
    }
