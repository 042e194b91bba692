"""`--report` in the formats for people who look and for CI systems that count."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from commands import connection_variables, environment, run
from projects import MODEL, Project
from servers import running_sandbox

from reconciler.report.json_text import LARGEST_REPORT

LIVE = {"asst_1": {"name": "Old <b>", "model": MODEL}}
PLANNED = "Plan: 1 to change, 0 drifted, 0 conflicts, 0 in sync, 0 errors."
REPORTS = ("--report", "r.html", "--report", "r.xml", "--report", "r.json")


@pytest.fixture
def one_definition(project: Project) -> Project:
    project.write("team/a", id="asst_1", name="Grüße <script>")
    return project


def read_cases(file: Path) -> dict[str, list[str]]:
    """The cases of a JUnit file, each with what is said of it."""
    suites = ElementTree.fromstring(file.read_text("utf-8"))
    return {case.attrib["classname"]: [child.tag for child in case] for case in suites.iter("testcase")}


def read_title(file: Path) -> str:
    return file.read_text("utf-8").split("<title>")[1].split("</title>")[0]


@pytest.mark.parametrize(
    ("arguments", "code", "message", "shown"),
    [
        (["plan"], 0, "system-out", PLANNED),
        (["plan", "--detailed-exitcode"], 2, "failure", PLANNED),
        (["apply", "--yes"], 0, "system-out", "Apply: 1 applied, 0 unchanged, 0 failed."),
        (["drift", "--base", "none"], 0, "failure", "Drift: 1 drifted, 0 conflicts, 0 in sync, 0 errors."),
    ],
)
def test_every_command_writes_them(
    one_definition: Project, arguments: list[str], code: int, message: str, shown: str
) -> None:
    with running_sandbox(LIVE) as sandbox:
        result = run(*arguments, *REPORTS, cwd=one_definition.root, env=connection_variables(sandbox))
    assert (result.code, result.stderr) == (code, "")
    assert read_cases(one_definition.root / "r.xml") == {"assistants/team/a": [message]}
    assert read_title(one_definition.root / "r.html") == shown
    again = run("report", "r.json", "--report", "again.html", "--report", "again.xml", cwd=one_definition.root)
    assert again.code == 0
    for suffix in ("html", "xml"):
        assert (one_definition.root / f"again.{suffix}").read_bytes() == (
            one_definition.root / f"r.{suffix}"
        ).read_bytes()


def test_validate_writes_them_too(one_definition: Project) -> None:
    one_definition.write("bad", "id: asst_2\nnmae: X\n")
    result = run("validate", *REPORTS, cwd=one_definition.root)
    assert result.code == 1
    assert read_cases(one_definition.root / "r.xml") == {"assistants/bad": ["error"], "assistants/team/a": []}
    assert "assistants/bad.yaml:2:1" in (one_definition.root / "r.html").read_text("utf-8")


@pytest.mark.parametrize(("name", "loaded"), [("r.md", False), ("r.html", True)])
def test_only_a_run_that_writes_a_page_loads_its_library(one_definition: Project, name: str, loaded: bool) -> None:
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "reconciler",
        "validate",
        "--report",
        "r.xml",
        "--report",
        name,
    ]
    result = subprocess.run(
        command, cwd=one_definition.root, env=environment({}), capture_output=True, text=True, check=True
    )
    assert ("jinja2" in result.stderr) == loaded


def test_lints_come_after_the_differences_equal_ones_together(project: Project) -> None:
    for key in ("a", "b", "c"):
        project.write(key, id=f"asst_{key}", name=key, voicemailMessage="We are closed. ")
    live = {f"asst_{key}": {"name": "Old", "model": MODEL, "voicemailMessage": "We are closed. "} for key in "abc"}
    with running_sandbox(live) as sandbox:
        result = run("plan", "--base", "none", cwd=project.root, env=connection_variables(sandbox))
    assert result.code == 0
    assert result.stdout.index('-> "a"') < result.stdout.index("[trailing-space] (3 times)")
    assert result.stdout.count("trailing-space") == 1
    assert result.stderr.startswith("assistants/a.yaml:3:19: warning: ")


def test_another_suffix_is_refused(one_definition: Project) -> None:
    result = run("validate", "--report", "r.pdf", cwd=one_definition.root)
    assert result.code == 1
    assert "a report ends in .json, .md, .html, .xml, .prom or .codequality" in result.stderr


def test_a_report_that_no_later_command_will_read_says_so_when_it_is_written(one_definition: Project) -> None:
    with running_sandbox(LIVE) as sandbox:
        assert (
            run("plan", "--report", "small.json", cwd=one_definition.root, env=connection_variables(sandbox)).stderr
            == ""
        )
    report = json.loads((one_definition.root / "small.json").read_text("utf-8"))
    for part, letter in (("a.json", "a"), ("b.json", "b")):
        report["assistants"][0]["patch"] = {"metadata": {"notes": letter * (LARGEST_REPORT // 2)}}
        (one_definition.root / part).write_text(json.dumps(report), "utf-8")
    result = run("report", "a.json", "b.json", "--format", "github", "--report", "both.json", cwd=one_definition.root)
    assert result.code == 0
    assert result.stderr.startswith("warning: both.json is larger than 24 MiB, so no later command can read it.\n")
    assert "is larger than 24 MiB" in run("report", "both.json", cwd=one_definition.root).stderr
