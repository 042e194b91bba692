"""A repository that cannot be read is an error with a way out: never "no base", never "definition gone"."""

import contextlib
import functools
import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import Completed, connection_variables, run
from desks import DECLARED, NO_BASE, build_live, check_success, commit_change, desks, live, live_value
from faulty_git import COMMANDS, NAMES, WAYS, Aftermath, FaultyGit, Scene, sweep
from histories import change_kinds
from projects import outcomes, statuses
from stories import REF, InstalledStory, Story, story

# --- B1 and B2: git is missing, broken or killed


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with desks(tmp_path_factory.mktemp("git") / "repository", *NAMES) as repo:
        yield Scene(repo)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The same, told with the installed command: for the rows of the field reports themselves."""
    with desks(tmp_path_factory.mktemp("git") / "repository", *NAMES, kind=InstalledStory) as repo:
        yield Scene(repo)


def test_without_a_fault_everybody_gets_what_they_asked_for(scene: Scene) -> None:
    for command in COMMANDS:
        result, ended = scene.run(command)
        assert (scene.harm(command, result, ended), result.code) == ([], 0)
        if command == "apply":
            assert (ended.live["changed"]["firstMessage"], ended.live["both"]["name"]) == ("ours", "Ours")
        if command == "pull":
            assert b"theirs" in ended.files["edited.yaml"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("more", [(), ("--changed",), ("assistants/edited.yaml",)], ids=["all", "changed", "one"])
def test_b1_git_is_needed_where_there_is_a_repository(
    installed: Scene, tmp_path: Path, command: str, more: tuple[str, ...]
) -> None:
    result, ended = installed.run(command, *more, env={"PATH": str(tmp_path)})
    assert (installed.harm(command, result, ended), result.code, result.stdout) == ([], 1, "")
    assert re.search(r"\bgit\b", result.stderr)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("way", ["is killed", "exits 1"])
def test_b2_git_breaks_when_it_is_asked_for_a_revision(
    installed: Scene, tmp_path: Path, command: str, way: str
) -> None:
    git = FaultyGit(tmp_path / "bin")
    git.break_for("rev-parse", way)
    result, ended = installed.run(command, env=git.env)
    wrong = installed.harm(command, result, ended)
    assert wrong == []
    assert result.code == 1 or "rev-parse" not in git.questions


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("way", WAYS)
def test_b2_git_breaks_at_any_of_its_calls(scene: Scene, tmp_path: Path, command: str, way: str) -> None:
    git = FaultyGit(tmp_path / "bin")
    git.restore()
    scene.run(command, env=git.env)
    calls = range(1, len(git.calls) + 1)
    problems = sweep(scene, git, command, [functools.partial(git.break_at, number, way) for number in calls])
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("way", ["exits 1", "exits 128", "is killed"])
def test_git_breaks_at_each_call_of_a_kind(scene: Scene, tmp_path: Path, command: str, way: str) -> None:
    git = FaultyGit(tmp_path / "bin")
    git.restore()
    scene.run(command, env=git.env)
    problems = sweep(scene, git, command, [functools.partial(git.break_for, kind, way) for kind in git.questions])
    assert not problems, "\n".join(problems)


def test_what_a_rollback_has_sent_is_reported_whichever_call_of_git_breaks(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a") as repo:
        repo.write("a", **{**DECLARED, "firstMessage": "ours"})
        repo.commit()
        repo.commit("Later", allow_empty=True)
        report = repo.save_report(repo.apply_and_record())
        record, git = repo.record or "", FaultyGit(tmp_path / "bin")
        git.restore()
        check_success(repo.run("rollback", report, "--yes", env=git.env))
        for number in range(1, len(git.calls) + 1):
            repo.git("update-ref", REF, record)
            repo.sandbox.edit("asst_a", firstMessage="ours")
            repo.sandbox.forget_requests()
            git.break_at(number, "exits 128")
            result = repo.run("rollback", report, "--yes", "--format", "json", env=git.env)
            reported = outcomes(json.loads(result.stdout)) if result.stdout else {}
            assert reported == ({"a": "applied"} if repo.sandbox.patches else {}), git.calls[number - 1]


@pytest.mark.parametrize(
    ("question", "way", "message"),
    [
        ("rev-parse", "exit 0", "no answer"),
        # A git before 2.31 takes an option that it does not know for a revision, and prints it.
        ("rev-parse", "printf '%s\\n' --path-format=absolute .git shallow false; exit 0", "no answer"),
        ("for-each-ref", "exit 0", "no answer"),
        ("for-each-ref", "echo a:b c; exit 0", "no answer"),
        ("log", "echo a:b c; exit 0", "its output cannot be read"),
    ],
)
def test_a_git_that_says_nothing_or_something_else_has_not_answered(
    scene: Scene, tmp_path: Path, question: str, way: str, message: str
) -> None:
    git = FaultyGit(tmp_path / "bin")
    git.break_for(question, way)
    result, ended = scene.run("apply", "--no-record", env=git.env)
    assert (result.code, scene.harm("apply", result, ended)) == (1, [])
    assert f"git {question}: {message}" in result.stderr
    assert question == "log" or "git (2.31 or newer)" in result.stderr


def test_a_full_disk_is_not_blamed_on_the_version_of_git(scene: Scene, tmp_path: Path) -> None:
    git = FaultyGit(tmp_path / "bin")
    git.break_for("write-tree", 'echo "fatal: unable to write new index file: No space left on device" >&2; exit 128')
    result, _ = scene.run("apply", env=git.env)
    assert result.code == 1
    assert "live, but not recorded: git write-tree: fatal" in result.stderr
    assert "make room on the disk. Then apply again to record what is live" in result.stderr
    assert "2.31" not in result.stderr


def test_a_git_that_finds_no_difference_in_silence_has_not_answered(scene: Scene, tmp_path: Path) -> None:
    git = FaultyGit(tmp_path / "bin")
    git.break_for("status", "exit 0")
    result, ended = scene.run("plan", "--changed", env=git.env)
    assert (result.code, ended.stdout) == (1, "")
    assert "git status: no answer" in result.stderr


# --- B3 and B4: sparse checkouts

SECRET = "s3cret-of-the-crm"
SETTINGS = {
    "ignore": [{"path": "/firstMessage", "reason": "set by the campaign"}],
    "sensitive": ["/metadata/key"],
    "environments": {"staging": {"overlay": "environments/staging"}},
}
WRITTEN = {**DECLARED, "metadata": {"key": SECRET}}


@dataclass(frozen=True, kw_only=True)
class Sparse:
    """A sparse checkout: what `git sparse-checkout set` gets, and where the commands are run."""

    options: tuple[str, ...]
    folder: str = ""
    environment: str = ""


SPARSE = {
    "the settings": Sparse(options=("--no-cone", "/bots/assistants/"), folder="bots"),
    "a definition": Sparse(options=("--no-cone", "/*", "!/bots/assistants/east/a.yaml"), folder="bots"),
    "a folder of definitions": Sparse(options=("--cone", "bots/assistants/west"), folder="bots"),
    "a folder of definitions, and so does the index": Sparse(
        options=("--cone", "--sparse-index", "bots/assistants/west"), folder="bots"
    ),
    "all definitions": Sparse(options=("--cone", "bots/docs"), folder="bots"),
    "an overlay": Sparse(
        options=("--no-cone", "/*", "!/bots/environments/staging/east/a.yaml"), folder="bots", environment="staging"
    ),
    "a folder of overlays": Sparse(options=("--cone", "bots/assistants"), folder="bots", environment="staging"),
}
SPARSE_COMMANDS = [
    ("plan",),
    ("plan", "--changed"),
    ("drift",),
    ("apply", "--yes"),
    ("pull",),
    ("import", "asst_c"),  # it may have a definition already, which is hidden
    ("doctor",),
]


@pytest.fixture
def bots(tmp_path: Path) -> Iterator[Story]:
    """A project in a folder of its repository, applied and recorded; then the record is behind, and live edited."""
    seed = {name: build_live(WRITTEN) for name in ("a", "b", "c")}
    with story(tmp_path / "repository", seed, kind=InstalledStory) as repo:
        for place, name in (("east/a", "a"), ("west/b", "b")):
            _write(repo, f"assistants/{place}", id=f"asst_{name}", **WRITTEN)
            _write(repo, f"environments/staging/{place}", endCallMessage="Goodbye")
        (repo.root / "bots/reconciler.yaml").write_text(json.dumps(SETTINGS), "utf-8")
        for folder in ("bots/docs", "elsewhere"):
            (repo.root / folder).mkdir()
            (repo.root / folder / "notes.md").write_text("x")
        repo.commit("First")
        for options in ([], ["--environment", "staging"]):
            check_success(_run_in(repo, "bots", "apply", "--yes", "--record", "--base", "none", *options))
        _write(repo, "assistants/west/b", id="asst_b", **{**WRITTEN, "name": "Front desk"})
        repo.commit("Second")
        repo.sandbox.edit("asst_a", firstMessage="theirs", metadata={"key": f"{SECRET}-2"})
        repo.sandbox.forget_requests()
        yield repo


def _write(repo: Story, place: str, **fields: Any) -> None:
    file = repo.root / "bots" / f"{place}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(fields, sort_keys=False), "utf-8")


def _run_in(repo: Story, folder: str, *arguments: str) -> Completed:
    return run(*arguments, cwd=repo.root / folder, env=connection_variables(repo.sandbox))


@pytest.mark.parametrize("hidden", SPARSE)
def test_b3_and_b4_a_sparse_checkout_may_not_hide_what_a_run_is_about(bots: Story, hidden: str) -> None:
    case = SPARSE[hidden]
    bots.git("sparse-checkout", "set", *case.options)
    (bots.root / case.folder).mkdir(exist_ok=True)
    status, record = bots.git("status", "--porcelain"), bots.record
    for command in SPARSE_COMMANDS:
        options = ("--environment", case.environment) if case.environment else ()
        result = _run_in(bots, case.folder, *command, *options)
        output = result.stdout + result.stderr
        assert result.code == 1, (command, output)
        assert "git sparse-checkout" in (output if command == ("doctor",) else result.stderr), command
        assert NO_BASE not in output
        assert "no longer" not in output
        assert "removed" not in result.stdout
        assert SECRET not in output
    assert (bots.sandbox.patches, bots.record, bots.git("status", "--porcelain")) == ([], record, status)
    bots.git("sparse-checkout", "disable")  # one of the ways out
    assert _run_in(bots, "bots", "plan").code == 0


def test_a_git_that_hides_in_silence_has_not_answered(bots: Story, tmp_path: Path) -> None:
    bots.git("sparse-checkout", "set", *SPARSE["a definition"].options)
    git = FaultyGit(tmp_path / "bin")
    git.break_for("ls-files", "exit 0")
    result = run("plan", cwd=bots.root / "bots", env={**connection_variables(bots.sandbox), **git.env})
    assert (result.code, "git ls-files: no answer" in result.stderr) == (1, True), result.stderr


def test_a_sparse_checkout_may_hide_what_a_run_is_not_about(bots: Story) -> None:
    bots.git("sparse-checkout", "set", "--cone", "bots")
    assert not (bots.root / "elsewhere").exists()
    for command in SPARSE_COMMANDS:
        assert _run_in(bots, "bots", *command).code == 0, command
    assert bots.sandbox.live("asst_b")["name"] == "Front desk"


def test_validate_says_that_it_checks_only_what_is_checked_out(bots: Story) -> None:
    note = "this is a sparse checkout"
    bots.git("sparse-checkout", "set", *SPARSE["the settings"].options)
    result = _run_in(bots, "bots", "validate")
    assert (result.code, note in result.stdout) == (0, True), result.stderr
    bots.git("sparse-checkout", "disable")
    assert note not in _run_in(bots, "bots", "validate").stdout


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that even root cannot read")
def test_validate_does_not_need_git_s_own_settings(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as repo:
        (repo.root / ".git/config").unlink()
        (repo.root / ".git/config").symlink_to("/proc/self/mem")
        result = repo.run("validate")
        assert (result.code, "1 definition is valid" in result.stdout) == (0, True), result.stderr


def test_a_file_that_somebody_removed_is_still_a_definition_that_is_gone(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a", "b") as repo:
        (repo.root / "assistants/b.yaml").unlink()
        assert repo.plan()["no_longer_managed"] == [{"file": "assistants/b.yaml", "id": "asst_b"}]


# --- B5: clean and smudge filters

ROT = "tr A-Za-z N-ZA-Mn-za-m"


def filter_definitions(repo: Story, *, clean: str = ROT, smudge: str = ROT, required: str = "true") -> None:
    """Let git hold every definition otherwise than the working tree does."""
    for name, value in (("clean", clean), ("smudge", smudge), ("required", required)):
        repo.git("config", f"filter.rot.{name}", value)
    (repo.root / ".gitattributes").write_text("*.yaml filter=rot\n")


@pytest.mark.parametrize("kind", [Story, InstalledStory], ids=["here", "installed"])
def test_b5_files_behind_a_filter_are_read_through_it_or_refused_by_name(tmp_path: Path, kind: type[Story]) -> None:
    with desks(tmp_path / "repository", "a", "b", recorded=False, kind=kind) as repo:
        filter_definitions(repo)
        repo.git("rm", "--cached", "--quiet", "-r", "assistants")
        repo.commit("Filtered")
        assert "Uryyb" in repo.git("cat-file", "blob", "HEAD:assistants/a.yaml")
        result = repo.run("apply", "--yes", "--record", "--base", "none")
        if result.code:
            assert "filter" in result.stderr
            assert (repo.record, repo.sandbox.patches) == (None, [])
            return
        commit_change(repo, "b", firstMessage="ours")
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        assert "firstMessage: Hello!" in repo.git("cat-file", "blob", f"{REF}:assistants/a.yaml")
        assert change_kinds(repo.plan()) == {"a": {"/firstMessage": "drift"}, "b": {"/firstMessage": "change"}}
        assert outcomes(repo.apply_and_record()) == {"a": "unchanged", "b": "applied"}
        assert (live_value(repo, "a"), live_value(repo, "b")) == ("theirs", "ours")
        assert change_kinds(repo.plan("--base", "HEAD~1")) == {"a": {"/firstMessage": "drift"}}
        assert change_kinds(repo.report("drift", "--base", "HEAD")) == {"a": {"/firstMessage": "drift"}}


@pytest.mark.parametrize("command", ["plan", "apply", "drift", "pull"])
@pytest.mark.parametrize("base", ["HEAD", "HEAD~1"])
def test_a_base_behind_a_filter_is_read_through_it_or_refused_by_name(tmp_path: Path, command: str, base: str) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as repo:
        filter_definitions(repo)
        repo.git("rm", "--cached", "--quiet", "-r", "assistants")
        repo.commit("Filtered")
        repo.commit("Nothing", allow_empty=True)
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        result = repo.run(*COMMANDS[command], "--base", base)
        assert live_value(repo, "a") == "theirs"
        assert NO_BASE not in result.stdout + result.stderr
        if result.code:
            assert "filter" in result.stderr
        elif command != "pull":
            assert change_kinds(json.loads(result.stdout)) == {"a": {"/firstMessage": "drift"}}


def test_a_filter_that_the_users_own_attributes_name_is_one_as_well(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as repo:
        filter_definitions(repo)
        (repo.root / ".gitattributes").rename(tmp_path / "attributes")
        repo.git("config", "core.attributesFile", str(tmp_path / "attributes"))
        repo.git("rm", "--cached", "--quiet", "-r", "assistants")
        repo.commit("Filtered")
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        assert change_kinds(repo.plan("--base", "HEAD")) == {"a": {"/firstMessage": "drift"}}


@pytest.mark.parametrize("is_sparse", [True, False])
def test_a_filter_in_attributes_that_are_not_checked_out_is_no_history(tmp_path: Path, *, is_sparse: bool) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as repo:
        filter_definitions(repo)
        repo.git("rm", "--cached", "--quiet", "-r", "assistants")
        repo.commit("Filtered")
        if is_sparse:
            repo.git("sparse-checkout", "set", "--no-cone", "/assistants/")
        else:
            (repo.root / ".gitattributes").unlink()
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        result = repo.run(*COMMANDS["apply"], "--base", "HEAD")
        assert (result.code, live_value(repo, "a")) == (1, "theirs")
        assert "goes through git's filter 'rot', but .gitattributes is not checked out" in result.stderr


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that even root cannot read")
def test_attributes_that_cannot_be_read_name_no_filter_to_git_either(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as repo:
        commit_change(repo, "a", firstMessage="ours")
        (repo.root / "assistants/.gitattributes").symlink_to("/proc/self/mem")
        assert change_kinds(repo.plan("--base", "HEAD~1")) == {"a": {"/firstMessage": "change"}}


@pytest.mark.parametrize("attribute", ["-filter", "!filter", "filter"])
def test_attributes_that_name_no_filter_are_in_nobodys_way(tmp_path: Path, attribute: str) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as repo:
        (repo.root / ".gitattributes").write_text(f"*.yaml text eol=crlf {attribute}\n")
        file = repo.root / "assistants/a.yaml"
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
        repo.commit()
        assert repo.run("apply", "--yes", "--record", "--base", "none").code == 0


def test_a_filter_that_fails_is_no_history(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a", recorded=False) as repo:
        filter_definitions(repo)
        repo.git("rm", "--cached", "--quiet", "-r", "assistants")
        repo.commit("Filtered")
        filter_definitions(repo, clean="false", smudge="false")
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        result = repo.run(*COMMANDS["apply"], "--base", "HEAD")
        assert live_value(repo, "a") == "theirs"
        assert result.code == 0 or "filter" in result.stderr


# --- B6: submodules


@contextlib.contextmanager
def make_submodule(tmp_path: Path, place: str) -> Iterator[Story]:
    """A recorded desk `a`, and a submodule with the definition of `b` at a place of the repository."""
    with desks(tmp_path / "repository", "a", "b", kind=InstalledStory) as repo:
        shared = Story(tmp_path / "shared", repo.sandbox)
        (repo.root / "assistants/b.yaml").rename(shared.root / "b.yaml")
        shared.commit("Shared")
        repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(shared.root), place)
        repo.commit("Submodule")
        repo.sandbox.edit("asst_b", firstMessage="theirs")
        repo.sandbox.forget_requests()
        yield repo


@pytest.mark.parametrize(
    "command",
    [
        *(("plan",), ("plan", "--changed"), ("drift",), ("apply", "--yes"), ("pull",)),
        *(("apply", "--yes", "--record"), ("plan", "--base", "HEAD"), ("apply", "--yes", "--base", "HEAD")),
    ],
    ids=" ".join,
)
def test_b6_a_submodule_may_not_hide_definitions(tmp_path: Path, command: tuple[str, ...]) -> None:
    with make_submodule(tmp_path, "assistants/shared") as repo:
        file = repo.root / "assistants/shared/b.yaml"
        record, before = repo.record, file.read_bytes()
        result = repo.run(*command)
        assert (result.code, "submodule" in result.stderr) == (1, True), result.stdout + result.stderr
        assert "assistants/shared" in result.stderr
        assert NO_BASE not in result.stdout + result.stderr
        assert (repo.sandbox.patches, repo.record, file.read_bytes()) == ([], record, before)
        assert live_value(repo, "b") == "theirs"


def test_a_submodule_that_is_not_checked_out_hides_definitions_too(tmp_path: Path) -> None:
    with make_submodule(tmp_path, "assistants/shared") as repo:
        repo.git("submodule", "--quiet", "deinit", "--force", "assistants/shared")
        result = repo.run("plan")
        assert (result.code, "submodule" in result.stderr) == (1, True), result.stdout + result.stderr


def test_a_submodule_elsewhere_hides_nothing(tmp_path: Path) -> None:
    with make_submodule(tmp_path, "vendor/shared") as repo:
        commit_change(repo, "a", firstMessage="ours")
        assert outcomes(repo.apply_and_record()) == {"a": "applied"}
        assert live_value(repo, "b") == "theirs"


def test_a_repository_within_does_not_hide_the_record(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a") as repo:
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        (repo.root.parent / ".git").mkdir()  # what holds the project by chance need not be readable
        assert statuses(repo.plan()) == {"a": "drifted"}
        repo.git("-C", "assistants", "init", "--quiet")
        result = repo.run("apply", "--yes")
        assert (result.code, "assistants is a git repository inside" in result.stderr) == (1, True), result.stderr
        assert live_value(repo, "a") == "theirs"


# --- objects and refs that are damaged


@pytest.fixture(scope="module")
def sound_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scene, dict[str, Aftermath]]]:
    """A scene whose HEAD has no object in common with the record, and what each command does in it."""
    with desks(tmp_path_factory.mktemp("objects") / "repository", *NAMES) as repo:
        file = repo.root / "assistants/edited.yaml"
        file.write_text(f"# A comment.\n{file.read_text('utf-8')}", "utf-8")
        repo.commit("Comment")
        scene = Scene(repo)
        yield scene, {command: scene.run(command)[1] for command in COMMANDS}


@contextlib.contextmanager
def hide_object(repo: Story, revision: str) -> Iterator[None]:
    """For a while, let an object be missing from the repository."""
    name = repo.git("rev-parse", revision)
    file = repo.root / ".git/objects" / name[:2] / name[2:]
    aside = file.rename(repo.root.parent / name)
    yield
    aside.rename(file)


DAMAGED = {  # and whether a run can do without it
    "the record": (REF, False),
    "the record's tree": (f"{REF}^{{tree}}", False),
    "the record's folder": (f"{REF}:assistants", False),
    "the record of one that was edited": (f"{REF}:assistants/edited.yaml", False),
    "the record of one that git changed": (f"{REF}:assistants/changed.yaml", False),
    "HEAD": ("HEAD", True),
    "HEAD's tree": ("HEAD^{tree}", True),
    "HEAD's folder": ("HEAD:assistants", True),
    "a definition of HEAD": ("HEAD:assistants/changed.yaml", True),
    "another definition of HEAD": ("HEAD:assistants/edited.yaml", True),
    "the commit that was applied": ("HEAD~2", True),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_missing_object_is_an_error_or_not_needed(sound_runs: tuple[Scene, dict[str, Aftermath]], what: str) -> None:
    scene, otherwise = sound_runs
    revision, dispensable = DAMAGED[what]
    with hide_object(scene.repo, revision):
        for command in COMMANDS:
            result, ended = scene.run(command)
            assert scene.harm(command, result, ended) == [], command
            assert result.code == 1 or (dispensable and ended == otherwise[command]), (command, result.stdout)


CORRUPT: dict[str, Callable[[str], str]] = {
    "empty": lambda name: "",
    "half": lambda name: name[:20] + "\n",
    "garbage": lambda name: "<<<<<<< HEAD\n",
    "no object": lambda name: name[::-1] + "\n",
    "binary": lambda name: "\0" * 41,
    "a link to nothing": lambda name: "ref: refs/heads/gone\n",
}


@pytest.mark.parametrize(
    ("ref", "how"),
    # A branch that leads nowhere is a branch without a commit.
    [*((REF, how) for how in CORRUPT), *(("refs/heads/main", how) for how in CORRUPT if how != "a link to nothing")],
)
def test_a_corrupt_ref_is_an_error(sound_runs: tuple[Scene, dict[str, Aftermath]], ref: str, how: str) -> None:
    scene, otherwise = sound_runs
    file = scene.repo.root / ".git" / ref
    before = file.read_bytes()
    content = CORRUPT[how](before.decode("ascii").strip())
    for command in COMMANDS:
        file.write_bytes(content.encode())
        scene.look_at_ref()
        result, ended = scene.run(command)
        file.write_bytes(before)
        scene.look_at_ref()
        assert scene.harm(command, result, ended) == [], command
        assert result.code == 1 or (ref != REF and ended == otherwise[command]), (command, result.stdout)


def test_a_branch_without_a_commit_does_not_hide_the_record(sound_runs: tuple[Scene, dict[str, Aftermath]]) -> None:
    scene, _ = sound_runs
    before = scene.repo.git("symbolic-ref", "HEAD")
    for command in COMMANDS:
        scene.repo.git("symbolic-ref", "HEAD", "refs/heads/gone")
        result, ended = scene.run(command)
        scene.repo.git("symbolic-ref", "HEAD", before)
        assert scene.harm(command, result, ended) == [], command
        assert result.code == (command == "apply"), (command, result.stderr)


def test_a_repository_that_git_does_not_know_as_one_is_an_error(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", *NAMES) as repo:
        scene = Scene(repo)
        (repo.root / ".git/HEAD").write_text("nothing\n")
        for command in COMMANDS:
            result, ended = scene.run(command)
            assert (scene.harm(command, result, ended), result.code) == ([], 1), command


def test_a_damaged_repository_inside_another_one_is_an_error(tmp_path: Path) -> None:
    with desks(tmp_path / "around/repository", "a") as repo:
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        (repo.root / ".git/HEAD").write_text("nothing\n")
        repo.git("init", "--quiet", str(tmp_path / "around"))
        for command in COMMANDS.values():
            result = repo.run(*command)
            assert (result.code, "not a git repository" in result.stderr) == (1, True), result.stderr
        assert live_value(repo, "a") == "theirs"


def test_a_link_to_a_repository_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with desks(tmp_path / "repository", "a") as repo:
        repo.sandbox.edit("asst_a", firstMessage="theirs")
        (repo.root / ".git").rename(tmp_path / "moved")
        (repo.root / ".git").symlink_to(tmp_path / "nowhere")
        for command in COMMANDS.values():
            result = repo.run(*command)
            assert (result.code, "not a git repository" in result.stderr) == (1, True), result.stderr
        assert live_value(repo, "a") == "theirs"


# --- B7: a branch that is behind the record


@contextlib.contextmanager
def make_behind(root: Path, *, kind: type[Story] = Story) -> Iterator[Story]:
    """PR 1 is merged and applied; the branch of PR 2 is checked out, and does not have it."""
    with desks(root, "a", "b", kind=kind) as repo:
        repo.git("checkout", "--quiet", "-b", "pr-2")
        commit_change(repo, "b", firstMessage="of PR 2")
        repo.git("checkout", "--quiet", "main")
        commit_change(repo, "a", firstMessage="of PR 1")
        assert outcomes(repo.apply_and_record())["a"] == "applied"
        repo.git("checkout", "--quiet", "pr-2")
        repo.sandbox.forget_requests()
        yield repo


FORMATS = ["text", "json", "markdown", "github"]


@pytest.mark.parametrize("options", [(), ("--changed",), ("--changed-since", "main")], ids=["all", "changed", "since"])
def test_b7_a_branch_that_is_behind_the_record_says_so(tmp_path: Path, options: tuple[str, ...]) -> None:
    with make_behind(tmp_path / "repository", kind=InstalledStory) as repo:
        suffixes = [".json", ".md", *([".html"] if importlib.util.find_spec("jinja2") else [])]
        files = [tmp_path / f"report{suffix}" for suffix in suffixes]
        reports = [word for file in files for word in ("--report", str(file))]
        outputs = {
            form: check_success(repo.run("plan", *options, *reports, "--format", form)).stdout for form in FORMATS
        }
        outputs |= {file.name: file.read_text("utf-8") for file in files}
        for form, text in outputs.items():
            assert "behind" in text, form
        for document in (json.loads(outputs["json"]), json.loads(outputs["report.json"])):
            assert [warning for warning in document["warnings"] if "behind" in warning]
        if options != ("--changed",):
            assert change_kinds(json.loads(outputs["json"])).get("b") == {"/firstMessage": "change"}


def test_a_branch_that_has_what_was_applied_says_nothing(tmp_path: Path) -> None:
    with make_behind(tmp_path / "repository") as repo:
        repo.git("-c", "user.name=A", "-c", "user.email=a@example.com", "merge", "--quiet", "-m", "Merge", "main")
        for form in FORMATS:
            assert "behind" not in check_success(repo.run("plan", "--format", form)).stdout


def test_a_branch_that_is_behind_is_not_applied(tmp_path: Path) -> None:
    with make_behind(tmp_path / "repository") as repo:
        before = live(repo, "a")
        for options in ([], ["--record"], ["--no-record"]):
            result = repo.run("apply", "--yes", *options)
            assert (result.code, repo.sandbox.requests) == (1, []), options
            assert "--allow-older" in result.stderr
        assert live(repo, "a") == before
