"""A repository that means harm: what its commits, records and files are called and hold never leads astray."""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bounded import WORK, measure_work, run_bounded
from commands import WITHOUT_OUR_CONFIGURATION, connection_variables
from depth import examples
from hypothesis import given, settings, strategies as st
from stories import REF, TRAILER, Story, story

LIVE: dict[str, dict[str, Any]] = {"a": {"name": "Old", "firstMessage": "Hi"}, "b": {"name": "B"}}
COMMANDS = [
    ["plan", "--format", "json"],
    ["plan"],
    ["plan", "--changed", "--format", "markdown"],
    ["plan", "--offline"],
    ["drift", "--format", "github"],
    ["history"],
    ["pull"],
    ["apply", "--yes", "--record", "--format", "markdown"],
]
EVIL = "A\x01B\x02C\x0bparent x\x1b[31m"


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    with story(tmp_path / "repository", LIVE) as repo:
        yield repo


def run_all_commands(repo: Story) -> dict[str, tuple[int, str]]:
    """What every command says; none crashes, and none shows what a terminal obeys."""
    outputs = {}
    for command in COMMANDS:
        result, work = measure_work(functools.partial(repo.run, *command))
        assert work < WORK
        output = result.stdout + result.stderr
        assert not [char for char in output if char != "\n" and not char.isprintable()], command
        outputs[" ".join(command)] = result.code, output
    return outputs


def committed(repo: Story, *, author: str, message: str = "x") -> None:
    """Commit everything as git's own commands would refuse to."""
    repo.git("add", "--all")
    people = f"author {author} <x@example.com> 1700000000 +0000\ncommitter {author} <x@example.com> 1 +0000"
    raw = f"tree {repo.git('write-tree')}\nparent {repo.head}\n{people}\n\n{message}\n"
    repo.git("update-ref", "HEAD", repo.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=raw))


def write_record(repo: Story, message: str) -> None:
    """Put a record of HEAD in place, with any message."""
    commit = repo.make_commit("HEAD^{tree}", "HEAD", message=message)
    repo.git("update-ref", REF, commit)


def test_an_author_may_be_called_anything(repo: Story) -> None:
    repo.write("a", name="A1")
    repo.commit()
    repo.apply_and_record()
    repo.write("a", name="A2")
    committed(repo, author=EVIL, message="\x01\x02\x1b]0;hi\x07")
    (change,) = repo.plan("--format", "json")["assistants"][0]["changes"]
    assert change["since"]["author"] == EVIL
    assert {code for code, _ in run_all_commands(repo).values()} == {0}


NAMES = ["a\nb", 'a"b', "-rf", "--output=x", "a\x1b[31mb", "\x01\x01\x01", "a\tb", "::error::x", ":raw", "$(x)", "a\\b"]


def test_files_may_be_called_anything(repo: Story) -> None:
    for number, name in enumerate(NAMES):
        repo.sandbox.put({"id": f"asst_n{number}", "name": "Old"})
        repo.write(name, id=f"asst_n{number}", name="Old")
    repo.commit()
    repo.apply_and_record()
    for number, name in enumerate(NAMES):
        repo.write(name, id=f"asst_n{number}", name="New")
    repo.commit()
    assert repo.plan()["summary"]["pending"] == len(NAMES)
    assert {code for code, _ in run_all_commands(repo).values()} == {0}
    assert {repo.sandbox.live(f"asst_n{number}")["name"] for number in range(len(NAMES))} == {"New"}


def test_a_base_may_hold_anything(repo: Story) -> None:
    contents = [
        "[" * 9_000,
        "a: &a [*a]",
        "id: [1]",
        "id: {a: 1}",
        "id: 5",
        "- 1",
        "id: asst_b\nid: x",
        "",
        "id: !!x y",
    ]
    contents += ["id: asst_a\nmodel: 5\nname: [1]\nmetadata: [[1]]\nendCallPhrases: {a: b}\n", "# " + "x" * 2_000_000]
    for number, content in enumerate(contents):
        repo.write(f"x{number}", content or "\ufeff")
    for number, leads_to in enumerate(["/etc/passwd", "x1.yaml", "../../../secret", "link3.yaml", ".", "\x1b[31m"]):
        (repo.project.folder / f"link{number}.yaml").symlink_to(leads_to)
    repo.commit()
    write_record(repo, "Apply: 1 applied")
    for file in repo.project.folder.iterdir():
        file.unlink()
    repo.write("a", name="A", model={"provider": "openai", "model": "m"}, metadata={"a": 1}, endCallPhrases=["x"])
    repo.write("b", name="B")
    repo.commit()
    document = repo.plan()
    assert len(document["warnings"]) >= len(contents) - 2
    assert {code for code, _ in run_all_commands(repo).values()} <= {0, 1}


def test_a_base_of_a_large_file_costs_little(repo: Story) -> None:
    repo.write("a", "id: asst_a\nname: " + "x" * 40_000_000)
    repo.commit()
    write_record(repo, "Apply: 1 applied")
    repo.write("a", name="New")
    repo.commit()
    env = {**connection_variables(repo.sandbox), **WITHOUT_OUR_CONFIGURATION}
    results = run_bounded([["plan", "--base", REF], ["plan", "--changed"]], cwd=repo.root, env=env)
    assert [result.code for result in results] == [0, 0]
    assert "so its assistant has no base" in results[0].stdout


@pytest.fixture(scope="module")
def recorded_repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with story(tmp_path_factory.mktemp("records") / "repository", LIVE) as repo:
        repo.write("a", name="Old")
        repo.write("b", name="B")
        repo.commit()
        yield repo


ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["asst_a", "asst_b", "\x1b[31m", "", 5, None, {}]),
        "file": st.sampled_from(["assistants/a.yaml", "../x", "\x1b[31m", 5, []]),
        "fields": st.lists(st.sampled_from(["/name", "/orgId", "/model/x/y", "", "/", "name", "/~2", 5, None]))
        | st.sampled_from(["/name", "//", 5, None, {"/name": 1}]),
    },
)
TRAILERS = st.one_of(
    ENTRIES.map(json.dumps),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30),
    st.sampled_from(["[]", "null", "5", "NaN", "[" * 5_000, "9" * 5_000, '{"id": "asst_a", "file": "f", "fields": [']),
)


@settings(max_examples=examples(40))
@given(st.lists(TRAILERS, min_size=1, max_size=3), st.sampled_from(["", "\x1b[31m", "::error::x", "##[error]x"]))
def test_a_records_message_may_hold_anything(recorded_repository: Story, trailers: list[str], words: str) -> None:
    lines = "\n".join(f"{TRAILER}: {trailer}" for trailer in trailers)
    write_record(recorded_repository, f"Apply: 1 applied{words}\n\n{words}\n\n{lines}\n")
    for command in (["plan"], ["history"], ["apply", "--yes", "--format", "github"]):
        result = recorded_repository.run(*command)
        output = result.stdout + result.stderr
        assert result.code == 0 or "cannot be read" in output
        assert not [char for char in output if char != "\n" and not char.isprintable()]
    for name, fields in LIVE.items():
        live = recorded_repository.sandbox.live(f"asst_{name}")
        assert {key: live[key] for key in fields} == fields
