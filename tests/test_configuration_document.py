"""The examples of docs/configuration.md about lints, freezes, enforced fields and rules do what stands below them."""

import datetime
import re
import subprocess
from pathlib import Path
from typing import Any

from commands import connection_variables, environment, run
from pages import list_blocks, read_section
from servers import running_sandbox

DOCUMENT = Path(__file__).parent.parent / "docs" / "configuration.md"


def read_example(title: str) -> tuple[str, str]:
    """The settings of a section, and what its command said."""
    section = read_section(DOCUMENT.read_text("utf-8"), title)
    (settings,), (console,) = list_blocks(section, "yaml"), list_blocks(section, "console")
    return settings, console.partition("\n")[2]


def write(root: Path, settings: str, **texts: str) -> None:
    (root / "reconciler.yaml").write_text(settings, "utf-8")
    for key, text in texts.items():
        file = root / "assistants" / f"{key.replace('__', '/')}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


def test_the_example_of_lints_gives_what_the_page_shows(tmp_path: Path) -> None:
    settings, messages = read_example("lints")
    desk = "id: asst_1\nfirstMessage: Welcome to **North**.\n"
    write(tmp_path, settings, desk=desk, old__desk='id: asst_2\nfirstMessage: "Hello\\n"\n')
    result = run("validate", cwd=tmp_path)
    assert (result.code, result.stdout) == (1, messages)
    write(tmp_path, "{}")
    lenient, strict = run("validate", cwd=tmp_path), run("validate", "--strict", cwd=tmp_path)
    assert (lenient.code, strict.code) == (0, 1)
    for result in (lenient, strict):
        assert re.findall(r"warning: .* \[([a-z-]+)\]$", result.stdout, re.MULTILINE) == [
            "spoken-markdown",
            "trailing-newline",
        ]


def test_the_example_of_rules_gives_what_the_page_shows(tmp_path: Path) -> None:
    settings, messages = read_example("rules")
    long = "Welcome to the office of admissions, which is open from nine to half past"
    write(tmp_path, settings, desk=f"id: asst_1\nmodel:\n  model: gpt-3.5\nfirstMessage: {long[:72]}\n")
    result = run("validate", cwd=tmp_path)
    assert (result.code, result.stdout) == (1, messages)
    write(tmp_path, settings, desk="id: asst_1\nmodel:\n  model: gpt-4o\n" + f"firstMessage: {long[:72]}\n")
    assert [run("validate", *strict, cwd=tmp_path).code for strict in ((), ("--strict",))] == [0, 1]


def run_plan(root: Path, live: dict[str, dict[str, Any]], *options: str) -> str:
    """What a plan of a folder says."""
    with running_sandbox(live) as sandbox:
        result = run("plan", *options, cwd=root, env=connection_variables(sandbox, sandbox.url))
    assert (result.code, result.stderr) == (0, "")
    return result.stdout


def test_the_whole_example_gives_what_the_page_shows(tmp_path: Path) -> None:
    settings, messages = read_example("Example")
    last = str(datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=30))
    # It has no history here, and none of the other fifty-nine.
    settings = settings.replace("record: true", "").replace("2027-01-31", last)
    fields = "name: Enrollment North\nmodel:\n  temperature: 0.5\nmetadata:\n  lastCampaign: spring\n"
    write(tmp_path, settings, **{"enrollment-north": f"id: asst_001\n{fields}"})
    model = {"provider": "openai", "model": "gpt-4o", "temperature": 0.6, "messages": []}
    metadata = {"crmKey": "k", "lastCampaign": "autumn"}
    live = {"asst_001": {"name": "Enrollment North", "orgId": "org_northfield", "model": model, "metadata": metadata}}
    output = run_plan(tmp_path, live, "assistants/enrollment-north.yaml")
    assert normalize_report(output, last).replace("2027-01-15", "2027-01-31") == messages


def test_the_example_of_a_freeze_gives_what_the_page_shows(tmp_path: Path) -> None:
    settings, messages = read_example("frozen")
    today = datetime.datetime.now(datetime.UTC).date()
    last = str(today + datetime.timedelta(days=30))
    settings = settings.replace("2027-01-11", str(today)).replace("2027-01-15", last)
    north, desk = "id: asst_2\nname: North\nfirstMessage: Welcome\n", "id: asst_1\nname: Desk\nfirstMessage: Hello\n"
    write(tmp_path, settings, desk=desk, admissions__north=north)
    live = {"asst_1": {"name": "Desk", "firstMessage": "Hi"}, "asst_2": {"name": "North", "firstMessage": "Hi"}}
    assert normalize_report(run_plan(tmp_path, live), last) == messages


def normalize_report(text: str, last: str) -> str:
    """A report as the document shows it: with its own dates, and without what is said of every plan without a base."""
    without = "Without a base, live edits look like changes in git.\n"
    return text.replace(last, "2027-01-15").replace(without, "")


def test_the_example_of_enforce_gives_what_the_page_shows(tmp_path: Path) -> None:
    settings, messages = read_example("enforce")
    fields = "name: Desk\nendCallMessage: This call is over.\nfirstMessage: Hello\n"
    write(tmp_path, settings, desk=f"id: asst_1\n{fields}")
    for arguments in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "-m", "First")):
        git(tmp_path, *arguments)
    live = {"asst_1": {"name": "Desk", "endCallMessage": "Ciao", "firstMessage": "Hey"}}
    assert re.sub(r", live last updated \S+", "", run_plan(tmp_path, live, "--base", "HEAD")) == messages


def git(root: Path, *arguments: str) -> None:
    people = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *people, *arguments], cwd=root, env=environment(), check=True)
