"""What a person meets before the first run: help in sections with examples, completion, and a quiet run."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from commands import COMMAND, environment, run
from offline_environments import Offline
from stories import Story, story

from reconciler.cli.help import Command
from reconciler.cli.main import COMMANDS, load_command, reconciler

CONTEXT = click.Context(reconciler, info_name="reconciler")
SECTIONS = ["Options", "Definitions", "Drift and conflicts", "Output", "API", "Help", "Examples"]


def command(name: str) -> Command:
    command_object = load_command(name)
    assert isinstance(command_object, Command), f"{name}: its class should be reconciler.cli.help.Command"
    return command_object


def help_of(name: str) -> list[str]:
    return command(name).get_help(click.Context(command(name), info_name=name, parent=CONTEXT)).splitlines()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_its_options_in_sections_and_ends_with_examples(name: str) -> None:
    titles = [line.removesuffix(":") for line in help_of(name) if line.removesuffix(":") in SECTIONS]
    assert titles == sorted(titles, key=SECTIONS.index)
    assert titles[-2:] == ["Help", "Examples"]


@pytest.mark.parametrize("name", COMMANDS)
def test_an_argument_is_in_the_usage_and_not_among_the_options(name: str) -> None:
    arguments = {each.make_metavar(CONTEXT) for each in command(name).params if isinstance(each, click.Argument)}
    assert arguments.isdisjoint(line.strip().partition("  ")[0] for line in help_of(name))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_a_command_line_of_its_command(name: str) -> None:
    for line, purpose in command(name).examples:
        assert purpose
        assert f"  {line}" in help_of(name)  # in one piece, so that it can be copied
        program, called, *words = shlex.split(line.partition(" > ")[0].partition(" < ")[0])
        assert (program, called) == ("reconciler", name)
        command(name).make_context(name, words, parent=CONTEXT)


def test_what_a_command_alone_can_do_comes_first() -> None:
    lines = help_of("apply")
    assert lines.index("Options:") < next(place for place, line in enumerate(lines) if "--yes" in line)
    assert next(place for place, line in enumerate(lines) if "--yes" in line) < lines.index("Definitions:")
    assert "--timeout" in " ".join(lines[lines.index("API:") : lines.index("Help:")])


def complete_words(words: str, cwd: Path) -> list[str]:
    """What bash would offer for the last of some words, as bash itself asks."""
    parts = words.split(" ")
    variables = {"COMP_WORDS": words, "COMP_CWORD": str(len(parts) - 1), "_RECONCILER_COMPLETE": "bash_complete"}
    return [line.partition(",")[2] for line in run(cwd=cwd, env=variables).stdout.splitlines()]


def test_the_tab_key_completes_commands_options_choices_and_files(tmp_path: Path) -> None:
    assert complete_words("reconciler pl", tmp_path) == ["plan"]
    assert complete_words("reconciler apply --force", tmp_path) == ["--force-conflicts"]
    assert complete_words("reconciler plan --on-drift re", tmp_path) == ["revert"]
    assert complete_words("reconciler plan assist", tmp_path) == ["assist"]  # of the type file: bash looks for files


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell: str, tmp_path: Path) -> None:
    result = run("completion", shell, cwd=tmp_path)
    assert result.code == 0
    assert f"_RECONCILER_COMPLETE={shell}_complete" in result.stdout


def test_a_shell_that_is_left_out_is_asked_for_on_one_line(tmp_path: Path) -> None:
    first = run("completion", cwd=tmp_path).stderr.splitlines()[0]
    assert first == "Error: Missing argument '[bash|zsh|fish]'. Choose from: bash, zsh, fish"


def test_bash_takes_the_script(tmp_path: Path) -> None:
    script = 'eval "$("$0" completion bash)" && complete -p reconciler'
    result = subprocess.run(
        ["bash", "-c", script, COMMAND], capture_output=True, text=True, cwd=tmp_path, env=environment(), check=False
    )
    assert result.returncode == 0, result.stderr
    assert "_reconciler_completion" in result.stdout


class TestQuiet:
    @pytest.fixture
    def repo(self, tmp_path: Path) -> Iterator[Story]:
        with story(tmp_path / "repository", {"a": {"name": "A"}, "b": {"name": "B"}}) as repo:
            repo.write("a", name="A")
            repo.write("b", name="B")
            repo.commit()
            yield repo

    def test_a_run_that_finds_nothing_prints_nothing(self, repo: Story) -> None:
        for arguments in (["plan"], ["drift"], ["validate"], ["apply", "--yes", "--record", "--base", "none"]):
            result = repo.run(*arguments, "-q")
            assert (result.code, result.stdout, result.stderr) == (0, "", ""), arguments

    def test_what_differs_failed_or_was_written_is_still_said(self, repo: Story) -> None:
        repo.write("a", name="New")
        repo.write("c", id="asst_gone", name="Gone")
        assert "to change" in repo.run("plan", "-q", repo.root / "assistants" / "a.yaml").stdout
        result = repo.run("apply", "--yes", "-q")
        assert result.code == 1
        assert "1 applied" in result.stdout
        assert "asst_gone" in result.stdout
        repo.write("d", "id: asst_d\nnmae: x\n")
        assert "nmae" in repo.run("validate", "--quiet").stdout

    def test_reports_and_other_formats_are_written_all_the_same(self, repo: Story) -> None:
        result = repo.run("plan", "-q", "--format", "json", "--report", "plan.json")
        assert json.loads(result.stdout)["summary"]["in_sync"] == 2
        assert (repo.root / "plan.json").read_text("utf-8") == result.stdout

    def test_a_run_that_was_stopped_is_no_good_news(self, repo: Story) -> None:
        report = json.loads(repo.run("plan", "--format", "json").stdout)
        report["assistants"][0]["status"] = None
        (repo.root / "stopped.json").write_text(json.dumps(report), "utf-8")
        assert "1 not read" in repo.run("report", "stopped.json", "-q").stdout

    def test_environments_that_are_alike_need_no_words(self, tmp_path: Path) -> None:
        offline = Offline(tmp_path / "repository")
        offline.project.configure(environments={"a": {"api_url": "http://x.test"}, "b": {"api_url": "http://y.test"}})
        offline.project.write("one", id="asst_1", name="One")
        result = offline.run("diff", "--environment", "a", "--against", "b", "-q")
        assert (result.code, result.stdout) == (0, "")
