"""The documents say what is true: links lead somewhere, options exist, examples do what is written beside them."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner
from commands import run
from pages import list_blocks

from reconciler.cli.main import reconciler

ROOT = Path(__file__).parent.parent
SUPPORT = ROOT / "tests" / "support"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), SUPPORT / "README.md"])
FOR_CONTRIBUTORS = [ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", SUPPORT / "README.md"]
README = ROOT / "README.md"
DEFINITIONS = ROOT / "docs" / "definitions.md"
CONFIGURATION = ROOT / "docs" / "configuration.md"
GIT = ROOT / "docs" / "git.md"
ADOPT = ROOT / "docs" / "adopt.md"

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# A command with its options, in a line of a code block or between backticks.
COMMAND = re.compile(r"\breconciler ((?:[a-z]+)(?: [^`\n|&>#;]*)?)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
VARIABLE = re.compile(r"\bRECONCILER_[A-Z_]+\b")


class Complaint(NamedTuple):
    """One example of docs/definitions.md: what is wrong, what is said, what is right (empty where it is told)."""

    title: str
    bad_text: str
    message: str
    good_text: str


def complaints() -> Iterator[Complaint]:
    _, part = DEFINITIONS.read_text(encoding="utf-8").split("## Common problems")
    for title, text in re.findall(r"^\*\*(.+?)\*\*$(.*?)(?=^\*\*|\Z)", part, re.MULTILINE | re.DOTALL):
        wrong, *right = list_blocks(text, "yaml")
        (output,) = list_blocks(text, "text")
        yield Complaint(title, wrong, " ".join(output.split()), "".join(right))


def run_validate(folder: Path, texts: Mapping[str, str]) -> tuple[int, dict[str, list[str]]]:
    """Write definitions, each with an id of its own; return the exit code and what is said of each."""
    assistants = folder / "assistants"
    assistants.mkdir(parents=True)
    for name, text in texts.items():
        fields = re.sub(r"\Aid: .*\n", "", text)
        (assistants / f"{name}.yaml").write_text(f"id: asst_{name}\n{fields}", encoding="utf-8")
    result = run("validate", "--strict", cwd=folder)
    messages: dict[str, list[str]] = {}
    for name, problem in re.findall(r"^(?:\S+/)?(\w+)\.yaml:(\d.*)$", result.stdout, re.MULTILINE):
        messages.setdefault(name, []).append(problem)
    return result.code, messages


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def read_variables() -> set[str]:
    """The environment variables that some module reads, or a script of a pipeline."""
    files = (file for kind in ("*.py", "*.sh") for file in (ROOT / "reconciler").rglob(kind))
    modules = (file.read_text(encoding="utf-8") for file in files)
    return {variable for text in modules for variable in VARIABLE.findall(text)}


def help_of(*name: str) -> str:
    return CliRunner().invoke(reconciler, [*name, "--help"]).stdout


@pytest.fixture(scope="module")
def helps() -> dict[str, str]:
    """What --help says of every command."""
    table = help_of()
    names = re.findall(r"^  ([a-z]+) ", table.partition("Commands:")[2], re.MULTILINE)
    assert len(names) >= 9
    return {"": table, **{name: help_of(name) for name in names}}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        place = (document.parent / path).resolve() if path else document
        assert place.exists(), link
        assert place.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(place), link


def test_every_file_and_folder_of_ours_that_is_named_exists() -> None:
    """By its path from the root or in the package; a module's name alone may follow a path in its room."""
    named = re.compile(r"(?<=`)(?!refs/|dist/|site/)(?:[\w.]+/)+(?:[\w.]+)?(?=`)|(?<=`)\w+\.py(?=`)|\btests/[\w./]+\w")
    missing = [
        f"{document.name}: {path}"
        for document in FOR_CONTRIBUTORS
        for path in named.findall(document.read_text(encoding="utf-8"))
        if not (ROOT / path).exists() and not any((ROOT / "reconciler").rglob(path))
    ]
    assert not missing, "\n".join(missing)


def test_every_target_of_make_that_is_named_is_there_and_its_help_fits_the_terminal() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert max(map(len, listed.splitlines())) <= 80
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in [README, *FOR_CONTRIBUTORS]:
        text = document.read_text(encoding="utf-8")
        assert set(re.findall(r"(?:`|^ *)make ([a-z-]+)", text, re.MULTILINE)) <= targets, document.name


def test_the_page_about_helpers_names_each_of_them() -> None:
    table = (SUPPORT / "README.md").read_text(encoding="utf-8").partition("## All of them")[2]
    named = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(named) == sorted(module.stem for module in SUPPORT.glob("*.py"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_command_and_option_exists(document: Path, helps: dict[str, str]) -> None:
    text = document.read_text(encoding="utf-8")
    examples = [block for language in ("console", "yaml", "sh", "groovy") for block in list_blocks(text, language)]
    code = "\n".join([*examples, *re.findall(r"`([^`\n]+)`", text)])
    for line in COMMAND.findall(code):
        name = line.split()[0]
        assert name in helps, line
        for option in OPTION.findall(line):
            assert option in OPTION.findall(helps[name]), line
    known = set(OPTION.findall("\n".join(helps.values())))
    assert set(re.findall(r"`(--[a-z-]+)", text)) <= known
    assert set(VARIABLE.findall(text)) <= read_variables()


def test_every_command_is_in_the_readme(helps: dict[str, str]) -> None:
    text = README.read_text(encoding="utf-8")
    table = set(re.findall(r"^\| `reconciler ([a-z]+)", text, re.MULTILINE))
    assert table == helps.keys() - {""}


def test_the_plan_in_the_readme_is_one_that_was_run() -> None:
    blocks_shown = [
        block for block in list_blocks(README.read_text(encoding="utf-8"), "console") if "$ reconciler plan\n" in block
    ]
    assert len(blocks_shown) == 1
    assert blocks_shown[0] in GIT.read_text(encoding="utf-8")


@pytest.mark.parametrize("document", [README, DEFINITIONS], ids=lambda document: document.name)
def test_whole_definitions_are_valid(document: Path, tmp_path: Path) -> None:
    examples = [block for block in list_blocks(document.read_text(encoding="utf-8"), "yaml") if block.startswith("id:")]
    assert examples
    assert run_validate(tmp_path, {str(number): example for number, example in enumerate(examples)}) == (0, {})


@pytest.mark.parametrize("document", [CONFIGURATION, ADOPT], ids=lambda document: document.name)
def test_examples_of_settings_are_valid(document: Path, tmp_path: Path) -> None:
    examples = list_blocks(document.read_text(encoding="utf-8"), "yaml")
    assert examples
    for number, example in enumerate(examples):
        project = tmp_path / str(number)
        for overlay in re.findall(r"overlay: ([\w/]+)", example):
            (project / overlay).mkdir(parents=True)
        project.mkdir(exist_ok=True)
        settings = re.sub(r"expires: \d{4}", "expires: 2999", example)
        (project / "reconciler.yaml").write_text(settings, encoding="utf-8")
        declared = "model: {messages: []}" if "extra_fields" in example else "name: A"
        _, messages = run_validate(project, {"1": f"{declared}\n"})
        # An example is about assistants of its own.
        assert [one for one in messages.pop("reconciler", []) if " matches no" not in one] == []
        assert messages == {}


def test_complaints_are_what_validate_says(tmp_path: Path) -> None:
    examples = {f"{number:02}": complaint for number, complaint in enumerate(complaints())}
    assert len(examples) > 10
    found = run_validate(tmp_path / "wrong", {name: one.bad_text for name, one in examples.items()})
    assert found == (1, {name: [one.message] for name, one in examples.items()})
    found = run_validate(tmp_path / "right", {name: one.good_text for name, one in examples.items() if one.good_text})
    assert found == (0, {})


def test_the_examples_of_this_repository_are_clean() -> None:
    result = run("validate", "--strict", cwd=ROOT)
    assert (result.code, result.stdout) == (0, "4 definitions are valid.\n")
