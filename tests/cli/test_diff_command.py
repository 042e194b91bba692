"""`reconciler diff` as people run it: two environments of one repository, no API and no credentials."""

import json
from pathlib import Path

import pytest
from offline_environments import Offline

BOTH = ("--environment", "staging", "--against", "production")
LONG = "Hello, this is the enrollment office of Example University. How can I help you today?"


@pytest.fixture
def offline(tmp_path: Path) -> Offline:
    """One definition that is alike in both, one that differs."""
    repo = Offline(tmp_path / "work")
    repo.configure("staging", "production", sensitive=["/metadata/crmKey"])
    repo.project.write("alike", name="Alike", firstMessage="Hi")
    repo.project.write(
        "sub/differs", f"name: Differs\nfirstMessage: {LONG}\nmodel:\n  provider: openai\n  temperature: 0.7\n"
    )
    for name in ("staging", "production"):
        repo.overlay("alike", f"id: asst_alike_{name}\nfirstMessage: Hi\n", name)
    repo.overlay(
        "sub/differs",
        "id: asst_s\nmodel: {temperature: 0.2}\nmetadata:\n  crmKey: hush\n"
        f"firstMessage: {LONG.replace('today', 'now')}\n",
    )
    repo.overlay("sub/differs", "id: asst_p\nname: Enrollment\nmodel: {provider: openai}\n", "production")
    return repo


def test_what_differs_with_both_values_and_their_places(offline: Offline) -> None:
    result = offline.run("diff", *BOTH)
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout == (
        "assistants/sub/differs.yaml: 4 fields differ\n"
        "  ~ firstMessage: production has [-this-] (assistants/sub/differs.yaml:2), "
        "staging has {+this+} (environments/staging/sub/differs.yaml:5)\n"
        "      ~ Hello, this is the enrollment office of Example University. How can I help you [-today-]{+now+}?\n"
        "  + metadata.crmKey: production has nothing, "
        "staging has (sensitive) (environments/staging/sub/differs.yaml:4)\n"
        "  ~ model.temperature: production has 0.7 (assistants/sub/differs.yaml:5), "
        "staging has 0.2 (environments/staging/sub/differs.yaml:2)\n"
        '  ~ name: production has "Enrollment" (environments/production/sub/differs.yaml:2), '
        'staging has "Differs" (assistants/sub/differs.yaml:1)\n'
        "\n"
        "Diff: 1 differs, 0 only in staging, 0 only in production, 1 alike, 0 errors.\n"
    )


def test_ids_do_not_count_and_nothing_differs(offline: Offline) -> None:
    result = offline.run("diff", *BOTH, "--detailed-exitcode", "assistants/alike.yaml")
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout == (
        "staging and production do not differ.\n"
        "Diff: 0 differ, 0 only in staging, 0 only in production, 1 alike, 0 errors.\n"
    )


@pytest.mark.parametrize(
    "path", ["assistants/sub", "environments/staging/sub/differs.yaml", "environments/production/sub/differs.yaml"]
)
def test_paths_select_an_overlay_means_its_definition(offline: Offline, path: str) -> None:
    result = offline.run("diff", *BOTH, "--detailed-exitcode", "--format", "json", path)
    assert result.code == 2, result.stderr
    assert [entry["file"] for entry in json.loads(result.stdout)["definitions"]] == ["assistants/sub/differs.yaml"]


def test_a_path_that_is_no_definition_is_refused(offline: Offline) -> None:
    result = offline.run("diff", *BOTH, "reconciler.yaml")
    assert (result.code, result.stdout) == (1, "")
    assert "reconciler.yaml is not in the definitions' folder" in result.stderr


def test_a_definition_of_one_environment_alone(offline: Offline) -> None:
    offline.project.write("one", name="One")
    offline.project.write("none", name="None")
    offline.overlay("one", "id: asst_one\n", "production")
    result = offline.run("diff", *BOTH, "--detailed-exitcode", "assistants/one.yaml")
    assert result.code == 2
    assert "assistants/one.yaml: only in production: it has no id in staging\n" in result.stdout
    assert result.stdout.endswith("Diff: 0 differ, 0 only in staging, 1 only in production, 0 alike, 0 errors.\n")
    whole = json.loads(offline.run("diff", *BOTH, "--format", "json").stdout)
    assert [entry["key"] for entry in whole["definitions"]] == ["alike", "one", "sub/differs"], "not `none`"


def test_one_that_is_not_valid_does_not_keep_the_others(offline: Offline) -> None:
    offline.overlay("alike", "id: asst_a\nfirstMessage: 12\n", "production")
    result = offline.run("diff", *BOTH, "--detailed-exitcode")
    assert result.code == 1
    assert result.stderr.startswith("environments/production/alike.yaml:2:15: firstMessage ")
    assert "assistants/alike.yaml: error\n  error: environments/production/alike.yaml, line 2: firstM" in result.stdout
    assert result.stdout.endswith("Diff: 1 differs, 0 only in staging, 0 only in production, 0 alike, 1 error.\n")
    selected = offline.run("diff", *BOTH, "assistants/sub")
    assert (selected.code, selected.stderr) == (0, "")


def test_an_overlay_without_a_definition_is_an_error_in_either(offline: Offline) -> None:
    offline.overlay("lost", "id: asst_lost\n", "production")
    result = offline.run("diff", *BOTH)
    assert result.code == 1
    assert result.stderr.startswith("environments/production/lost.yaml:1:1: this overlay has no definition")


def test_warnings_are_told_once_and_fail_nothing(offline: Offline) -> None:
    offline.project.write("alike", name="Alike", voicemailMessage="Later ")
    result = offline.run("diff", *BOTH)
    assert result.code == 0
    assert result.stderr.count("assistants/alike.yaml:2:19: warning: ") == 1
    assert result.stderr.splitlines()[1:] == ["    voicemailMessage: 'Later '", "                      ^"]


def test_reports_and_formats(offline: Offline) -> None:
    result = offline.run("diff", *BOTH, "--format", "markdown", "--report", "d.json", "--report", "d.md")
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.startswith("## Diff\n")
    assert (offline.root / "d.md").read_text("utf-8") == result.stdout
    document = json.loads((offline.root / "d.json").read_text("utf-8"))
    assert (document["format_version"], document["command"]) == (1, "diff")
    assert (document["environment"], document["against"]) == ("staging", "production")
    assert "hush" not in result.stdout + json.dumps(document)
    again = offline.run("report", "d.json")
    assert (again.code, again.stdout) == (1, "")
    assert "d.json: compares two environments; it is not the report of a run" in again.stderr


def test_the_environments_variable_and_the_formats(offline: Offline) -> None:
    variables = {"RECONCILER_ENVIRONMENT": "staging", "RECONCILER_FORMAT": "json"}
    result = offline.run("diff", "--against", "production", env=variables)
    assert (result.code, json.loads(result.stdout)["environment"]) == (0, "staging")
    other = offline.run("diff", "--against", "production", env={**variables, "RECONCILER_FORMAT": "github"})
    assert (other.code, other.stdout) == (0, offline.run("diff", *BOTH).stdout)
    none = offline.run("diff", "--against", "production", env={**variables, "RECONCILER_FORMAT": "xml"})
    assert (none.code, none.stdout) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--environment", "staging"), "--against is missing: diff compares two environments"),
        (("--against", "staging"), "--environment is missing: diff compares two environments"),
        (("--environment", "staging", "--against", "staging"), "--environment and --against are both 'staging'"),
        (("--environment", "stagign", "--against", "production"), "there is no environment 'stagign'"),
        (("--environment", "staging", "--against", "none"), "there is no environment 'none'"),
        ((*BOTH, "--format", "github"), "'github' is not one of 'text', 'json', 'markdown'"),
        ((*BOTH, "--report", "d.html"), "d.html: a report ends in .json or .md"),
    ],
)
def test_what_makes_no_sense_is_refused(offline: Offline, arguments: tuple[str, ...], message: str) -> None:
    result = offline.run("diff", *arguments)
    assert (result.code, result.stdout) == (1, "")
    assert message in result.stderr


def test_the_example_of_the_documents(tmp_path: Path) -> None:
    repo = Offline(tmp_path / "work")
    repo.configure("staging", "production")
    repo.project.write("enrollment", "name: Enrollment\nmodel:\n  provider: openai\n  model: x\n  temperature: 0.7\n")
    repo.overlay("enrollment", "id: asst_001\nmodel:\n  temperature: 0.2\n")
    for key, names in (("enrollment", ["production"]), ("goodbye", ["staging", "production"]), ("survey", ["staging"])):
        if key != "enrollment":
            repo.project.write(key, name=key)
        for name in names:
            repo.overlay(key, f"id: asst_{key}_{name}\n", name)
    text = (Path(__file__).parents[2] / "docs/configuration.md").read_text("utf-8")
    example = text.partition("$ reconciler diff --environment staging --against production\n")[2].partition("```")[0]
    result = repo.run("diff", *BOTH, env={"COLUMNS": "80"})
    assert (result.code, result.stdout, result.stderr) == (0, example, "")
