"""Field reports E4 to E20: files that are not read, what PATHS mean, how places are shown, and what nobody sees."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from projects import Project

from reconciler.cli.boundary import run_guarded
from reconciler.cli.main import reconciler
from reconciler.git.commit_layers import parse_definition

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line in the project's root, or in another folder."""

    def call(*arguments: str, cwd: Path = project.root) -> tuple[int, str, str]:
        monkeypatch.chdir(cwd)
        code = run_guarded(reconciler, arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return call


def read_problems(command: Command, *arguments: str, cwd: Path | None = None) -> list[dict[str, Any]]:
    options = {"cwd": cwd} if cwd else {}
    problems_found: list[dict[str, Any]] = json.loads(
        command("validate", "--format", "json", *arguments, **options)[1]
    )["problems"]
    return problems_found


def select_keys(command: Command, *paths: str, cwd: Path | None = None) -> list[str]:
    options = {"cwd": cwd} if cwd else {}
    code, out, err = command("validate", "--format", "json", *paths, **options)
    assert code == 0, err
    return [entry["key"] for entry in json.loads(out)["assistants"]]


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("b.yaml.txt", "b.yaml"),
        ("b.yml.txt", "b.yml"),
        ("c.YAML", "c.yaml"),
        ("c.Yml", "c.yml"),
        ("d.yaml.md", "d.yaml"),
        ("d.yaml ", "d.yaml"),
        ("d.yalm", "d.yaml"),
        ("e.yaml\u200b", "e.yaml"),
        ("_default.yaml", "_defaults.yaml"),
        ("_Defaults.yaml", "_defaults.yaml"),
        ("_defaults.yml", "_defaults.yaml"),
    ],
)
def test_a_file_that_was_surely_meant_to_be_read_is_named(
    project: Project, command: Command, name: str, right: str
) -> None:
    project.write("a", id="asst_1", name="A")
    (project.folder / "admissions").mkdir()
    (project.folder / "admissions" / name).write_text("id: asst_2\nname: 5\n")
    (found,) = read_problems(command)
    assert (found["file"], found["line"], found["severity"]) == (f"assistants/admissions/{name}", 1, "warning")
    assert f"rename it to {right}" in found["message"]
    assert found["message"].endswith("[skipped-file]")
    assert command("validate", "--format", "json")[0] == 0
    assert command("validate", "--format", "json", "--strict")[0] == 1


@pytest.mark.parametrize("name", ["README.md", "notes.txt", "b.yaml~", "b.yaml.bak", ".b.yaml.swp", "b.json", "yaml"])
def test_other_files_are_nobody_s_business(project: Project, command: Command, name: str) -> None:
    project.write("a", id="asst_1", name="A")
    (project.folder / name).write_text("id: asst_2\n")
    assert read_problems(command) == []


def test_a_text_file_may_have_any_name(project: Project, command: Command) -> None:
    project.write("a", "id: asst_1\nfirstMessage: {$file: hello.yaml.txt}\n")
    (project.folder / "hello.yaml.txt").write_text("Hello!\n")
    assert read_problems(command) == []


def test_a_skipped_file_is_told_where_it_was_meant(project: Project, command: Command) -> None:
    project.write("a", id="asst_1", name="A")
    project.write("x/b", id="asst_2", name="B")
    (project.folder / "x" / "c.YAML").write_text("id: asst_3\n")
    assert read_problems(command, "assistants/a.yaml") == []
    assert [found["file"] for found in read_problems(command, "assistants/x")] == ["assistants/x/c.YAML"]
    code, _, err = command("validate", "assistants/x/c.YAML")
    assert code == 1
    assert "rename it to c.yaml" in err


def test_a_folder_of_misnamed_files_says_how_to_name_them(project: Project, command: Command) -> None:
    (project.folder / "a.yaml.txt").write_text("id: asst_1\n")
    code, _, err = command("validate")
    assert code == 1
    assert "assistants/a.yaml.txt is not read; rename it to a.yaml" in err


def test_settings_say_how_grave_a_skipped_file_is(project: Project, command: Command) -> None:
    project.write("a", id="asst_1", name="A")
    (project.folder / "b.YAML").write_text("id: asst_2\n")
    project.configure(lints={"skipped-file": "error"})
    assert command("validate", "--format", "json")[0] == 1
    project.configure(lints={"skipped-file": {"level": "none", "assistants": ["b"]}})
    assert read_problems(command) == []


@pytest.mark.parametrize(("one", "other"), [("Desk", "desk"), ("caf\u00e9", "cafe\u0301"), ("A/x", "a/x")])
def test_names_that_some_systems_take_for_one_are_a_warning(
    project: Project, command: Command, one: str, other: str
) -> None:
    project.write(one, id="asst_1", name="A")
    project.write(other, id="asst_2", name="B")
    found = read_problems(command)
    assert {entry["file"] for entry in found} == {f"assistants/{one}.yaml", f"assistants/{other}.yaml"}
    assert all(entry["severity"] == "warning" and "[similar-names]" in entry["message"] for entry in found)
    assert all("some systems treat them as one file" in entry["message"] for entry in found)
    differs = "(caf\\xe9 and cafe\\u0301)" if one == "caf\u00e9" else "differ only in upper and lower case"
    assert any(differs in entry["message"] for entry in found)


def test_a_doubled_id_is_named_with_both_places(project: Project, command: Command) -> None:
    project.write("a", "id: asst_1\n")
    project.write("b", "name: B\nid: asst_1\n")
    messages = {(entry["file"], entry["line"]): entry["message"] for entry in read_problems(command)}
    assert "the id asst_1 is also used in assistants/b.yaml:2:5" in messages["assistants/a.yaml", 1]
    assert "the id asst_1 is also used in assistants/a.yaml:1:5" in messages["assistants/b.yaml", 2]


@pytest.fixture
def campus(project: Project) -> Project:
    project.write("admissions/enrollment", id="asst_001", name="E")
    project.write("admissions/visits", id="asst_002", name="V")
    project.write("desk", id="asst_003", name="D")
    return project


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        ("assistants/desk.yaml", ["desk"]),
        ("assistants/admissions", ["admissions/enrollment", "admissions/visits"]),
        ("admissions/enrollment", ["admissions/enrollment"]),
        ("admissions/enrollment.yaml", ["admissions/enrollment"]),
        ("admissions", ["admissions/enrollment", "admissions/visits"]),
        ("asst_001", ["admissions/enrollment"]),
        ("asst_003", ["desk"]),
    ],
)
def test_paths_are_files_folders_keys_or_ids(campus: Project, command: Command, given: str, keys: list[str]) -> None:
    assert select_keys(command, given) == keys


def test_a_file_comes_before_a_key_and_a_key_before_an_id(campus: Project, command: Command) -> None:
    campus.write("asst_001", id="asst_9", name="N")
    assert select_keys(command, "asst_001") == ["asst_001"]
    # What lies elsewhere is no definition, whatever it is called.
    (campus.root / "desk").mkdir()
    assert select_keys(command, "desk") == ["desk"]
    assert select_keys(command, "visits.yaml", cwd=campus.folder / "admissions") == ["admissions/visits"]


@pytest.mark.parametrize(
    ("name", "meant"), [("admissions/enrolment", "admissions/enrollment"), ("assistants/desk", "desk")]
)
def test_a_name_that_nothing_has_is_an_error_with_a_guess(
    campus: Project, command: Command, name: str, meant: str
) -> None:
    code, _, err = command("validate", name)
    assert code == 1
    assert f"{name} does not exist" in err
    assert f"did you mean {meant}?" in err


def test_an_id_may_be_an_environment_s(campus: Project, command: Command) -> None:
    campus.configure(environments={"staging": {"api_url": "http://localhost:1/api", "overlay": "environments/staging"}})
    campus.overlay("staging", "desk", id="asst_stage")
    assert select_keys(command, "asst_stage") == ["desk"]
    assert select_keys(command, "asst_stage", "--environment", "staging") == ["desk"]


@pytest.mark.parametrize("below", ["assistants", "assistants/admissions", "docs/deep"])
def test_a_folder_below_finds_the_project(campus: Project, command: Command, below: str) -> None:
    (campus.root / "docs" / "deep").mkdir(parents=True)
    campus.configure(lints={"blank-text": "none"})
    everything = ["admissions/enrollment", "admissions/visits", "desk"]
    assert select_keys(command, cwd=campus.root / below) == everything
    assert select_keys(command, "asst_003", cwd=campus.root / below) == ["desk"]


def test_relative_paths_are_relative_to_where_the_user_stands(campus: Project, command: Command) -> None:
    subfolder = campus.folder / "admissions"
    assert select_keys(command, "visits.yaml", cwd=subfolder) == ["admissions/visits"]
    assert select_keys(command, ".", cwd=subfolder) == ["admissions/enrollment", "admissions/visits"]
    assert select_keys(command, "../desk.yaml", cwd=subfolder) == ["desk"]
    # A report, and a command in a hint, name files from the root.
    assert select_keys(command, "assistants/desk.yaml", cwd=subfolder) == ["desk"]


def test_nothing_above_the_repository_is_read(campus: Project, command: Command, tmp_path: Path) -> None:
    inner = campus.root / "vendor" / "tool"
    (inner / ".git").mkdir(parents=True)
    code, _, err = command("validate", cwd=inner)
    assert code == 1
    assert "there is no folder assistants" in err
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    assert command("validate", cwd=outside)[0] == 1


def test_the_nearest_project_counts(campus: Project, command: Command) -> None:
    inner = campus.root / "bots"
    (inner / "assistants").mkdir(parents=True)
    (inner / "assistants" / "only.yaml").write_text("id: asst_7\n")
    (inner / "src").mkdir()
    assert select_keys(command, cwd=inner / "src") == ["only"]
    assert select_keys(command, cwd=campus.root / "assistants") == [
        "admissions/enrollment",
        "admissions/visits",
        "desk",
    ]


SECRET = "hunter2-correct-horse"


def read_messages(command: Command) -> str:
    """What people see: of `validate` on stdout, and of another command on stderr."""
    out = command("validate")[1]
    err = command("plan", "--offline", "--base", "none")[2]
    assert out.split("\n\n")[0] in err
    return out


def test_a_place_is_shown_with_its_line_and_a_mark(project: Project, command: Command) -> None:
    project.write("a", "id: asst_1\nvoice:\n  provider: azur\n")
    assert "did you mean azure?\n      provider: azur\n                ^\n" in read_messages(command)
    assert "^" not in command("validate", "--format", "github")[1]
    assert "source" not in command("validate", "--format", "json")[1]


@pytest.mark.parametrize(
    "text",
    [
        f"metadata:\n  crmKey: {SECRET}#c\n  crmKey: {SECRET}\n",
        f"metadata:\n  crmKey: {SECRET}\n  note: x\n  crmKey: 'y{SECRET}\n   z'\n",
        f"metadata: {{note: yes, crmKey: {SECRET}}}\n",
        f"metadata: {{crmKey: 'a\n  {SECRET}', note: yes}}\n",
        f"metadata:\n  crmKey: |\n    {SECRET}\n    more\tof {SECRET}\n",
        f"metadata:\n  crmKey: >-\n    x\n    {SECRET}\n  note: yes\n",
        f"metadata:\n  crmKey: {SECRET}\tx\n",
        f"metadata:\n  crmKey: {SECRET}: x\n",
        f"metadata:\n  crmKey: [{SECRET}, &a]\n",
        f"metadata:\n  crmKey: '{SECRET}\n",
    ],
)
def test_a_line_with_a_sensitive_value_is_not_shown(project: Project, command: Command, text: str) -> None:
    project.configure(sensitive=["/metadata/crmKey"])
    project.write("a", f"id: asst_1\nmodel: {{temperature: 5}}\n{text}")
    for arguments in (["validate"], ["plan", "--offline", "--base", "none"]):
        _, out, err = command(*arguments)
        assert SECRET not in out + err


def test_other_lines_of_the_file_are_shown(project: Project, command: Command) -> None:
    project.configure(sensitive=["metadata.crmKey"])
    project.write("a", f"id: asst_1\nmetadata:\n  crmKey: {SECRET}\nmodel: {{temperature: 5}}\n")
    assert "    model: {temperature: 5}\n" in read_messages(command)


def test_settings_are_shown_too_but_never_a_url(project: Project, command: Command) -> None:
    project.write("a", id="asst_1")
    (project.root / "reconciler.yaml").write_text(f"api_url: 'http://me:{SECRET}@x.test/api'\non_drfit: keep\n")
    text = shown_settings = command("validate")[1]
    assert "    on_drfit: keep\n    ^\n" in text
    assert "    on_drfit: keep\n    ^\n" in command("plan")[2]
    assert SECRET not in shown_settings + command("plan")[2]


def test_what_nobody_sees_in_the_settings_is_named(project: Project, command: Command) -> None:
    project.write("a", id="asst_1")
    (project.root / "reconciler.yaml").write_text("on_drift: keep\u00a0\nrecord\u200b: true\n", "utf-8")
    out = command("validate")[1]
    assert "on_drift must be one of keep, revert, fail; there is a no-break space (U+00A0) at its end: delete it" in out
    assert "there is a zero width space (U+200B) at its end: delete it" in out


def test_a_layout_that_is_refused_today_is_still_read_in_history() -> None:
    """Read as no base, it would make every live edit a change, and overwrite it."""
    assert parse_definition(b"id: asst_1\nname:\tDesk\t\n") == {"id": "asst_1", "name": "Desk"}
    assert parse_definition(b"id: asst_1\nvoicemailMessage: |\n  Closed.") == {
        "id": "asst_1",
        "voicemailMessage": "Closed.",
    }
    assert parse_definition(b"id: [asst_1") is None
