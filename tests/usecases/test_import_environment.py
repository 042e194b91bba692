"""Imports into an environment: the id and what differs go into its overlay, the shared file is written once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import Completed
from projects import MODEL
from two_environments import TwoEnvironments, two_environments

LIVE: dict[str, Any] = {
    "name": "Enrollment",
    "firstMessage": "Hello",
    "model": MODEL,
    "endCallPhrases": ["bye", "goodbye"],
    "metadata": {"team": "admissions", "crmKey": "hush"},
    "voicemailMessage": "Later",
}
SHARED = """# For all environments.
name: Enrollment
firstMessage: "Hello"   # said first
model: {provider: openai, model: gpt-4o, temperature: 0.7}
"""


@pytest.fixture
def environments(tmp_path: Path) -> Iterator[TwoEnvironments]:
    """The same assistant in staging and production, and no file at all."""
    with two_environments(tmp_path / "work", {"a": LIVE, "b": LIVE}) as environments:
        environments.repo.project.folder.rmdir()
        for name in environments.sandboxes:
            (environments.root / "environments" / name).rmdir()
        (environments.root / "environments").rmdir()
        yield environments


def read_files(environments: TwoEnvironments) -> dict[str, str]:
    """Every YAML file below the two kinds of folders."""
    found = [*environments.root.glob("assistants/**/*.y*ml"), *environments.root.glob("environments/**/*.y*ml")]
    return {file.relative_to(environments.root).as_posix(): file.read_text("utf-8") for file in found}


def is_in_sync(environments: TwoEnvironments, name: str) -> bool:
    """Tell whether the one definition of an environment is in sync and nothing is wrong with it."""
    planned = environments.run(name, "plan", "--detailed-exitcode")
    valid = environments.run(name, "validate")
    return (planned.code, valid.code) == (0, 0) and "0 to change, 0 drifted, 0 conflicts, 1 in sync" in planned.stdout


def is_refused(result: Completed, *messages: str) -> bool:
    return (result.code, result.stdout) == (1, "") and all(message in result.stderr for message in messages)


def test_the_first_import_writes_both_files_and_the_next_environment_an_overlay(environments: TwoEnvironments) -> None:
    first = environments.run("staging", "import", "asst_a")
    before = read_files(environments)
    assert (first.code, first.stderr) == (0, "")
    assert first.stdout == (
        "assistants/enrollment.yaml: written without an id, for all environments\n"
        "environments/staging/enrollment.yaml: written for asst_a\n"
    )
    assert before["environments/staging/enrollment.yaml"] == "id: asst_a\n"
    assert yaml.safe_load(before["assistants/enrollment.yaml"]) == LIVE
    assert is_in_sync(environments, "staging")

    changed = {"firstMessage": "Welcome", "model": {**MODEL, "temperature": 0.2}, "voicemailMessage": None}
    environments.sandboxes["production"].edit("asst_a", **changed, metadata={"crmKey": "hush"}, maxDurationSeconds=60)
    second = environments.run("production", "import", "asst_a")
    after = read_files(environments)
    overlay = after.pop("environments/production/enrollment.yaml")
    assert (second.code, second.stderr) == (0, "")
    assert second.stdout == (
        "environments/production/enrollment.yaml: written for asst_a, merged on top of assistants/enrollment.yaml\n"
        "  not managed: maxDurationSeconds; assistants/enrollment.yaml does not declare it\n"
    )
    assert after == before
    assert overlay.startswith("id: asst_a\n")
    assert yaml.safe_load(overlay) == {
        "id": "asst_a",
        "firstMessage": "Welcome",
        "metadata": {"team": None},
        "model": {"temperature": 0.2},
        "voicemailMessage": None,
    }
    assert is_in_sync(environments, "production")
    assert is_in_sync(environments, "staging")
    assert not environments.sandboxes["staging"].patches + environments.sandboxes["production"].patches
    differ = environments.run("production", "diff", "--against", "staging", "--detailed-exitcode")
    assert (differ.code, differ.stdout.splitlines()[0]) == (2, "assistants/enrollment.yaml: 4 fields differ")


def test_a_definition_that_is_there_keeps_every_byte(environments: TwoEnvironments) -> None:
    environments.repo.project.folder.mkdir()
    shared = environments.shared("enrollment", SHARED)
    environments.sandboxes["staging"].edit("asst_a", firstMessage="A test")
    result = environments.run("staging", "import", "asst_a", "--force")
    assert result.code == 0, result.stderr
    assert "  not managed: metadata.team; assistants/enrollment.yaml does not declare it\n" in result.stdout
    assert shared.read_text("utf-8") == SHARED
    assert read_files(environments)["environments/staging/enrollment.yaml"] == "id: asst_a\nfirstMessage: A test\n"
    assert is_in_sync(environments, "staging")


def test_what_an_overlay_cannot_say_is_told(environments: TwoEnvironments) -> None:
    environments.configure(sensitive=["/metadata/crmKey"])
    environments.repo.project.folder.mkdir()
    shared = environments.shared("enrollment", SHARED + "metadata: {crmKey: other}\nmaxDurationSeconds: 60\n")
    environments.sandboxes["staging"].edit(
        "asst_a", model={"provider": "openai", "model": "gpt-4o"}, maxDurationSeconds=1.5
    )
    result = environments.run("staging", "import", "asst_a")
    assert result.code == 0
    fields = ("maxDurationSeconds", "metadata.crmKey", "model.temperature")
    reasons = (
        "the live value is not allowed in a definition: maxDuration",
        "listed under sensitive",
        "live has no value",
    )
    stderr_lines = result.stderr.splitlines()
    assert len(stderr_lines) == len(fields)
    for line, field, reason in zip(stderr_lines, fields, reasons, strict=True):
        assert line.startswith(f"environments/staging/enrollment.yaml: differs, but was not written: {field}; {reason}")
    assert "assistants/enrollment.yaml gives it one; to release it, move it from there" in stderr_lines[-1]
    assert "hush" not in result.stdout + result.stderr
    assert read_files(environments)["environments/staging/enrollment.yaml"] == "id: asst_a\n"
    shared.write_text(SHARED.replace(", temperature: 0.7", ""), "utf-8")
    assert is_in_sync(environments, "staging"), "as soon as the lines that were named are gone"


def test_an_id_that_is_defined_in_the_environment_is_refused_with_its_file(environments: TwoEnvironments) -> None:
    assert environments.run("staging", "import", "asst_a").code == 0
    before = read_files(environments)
    for arguments in (("asst_a",), ("local_asst_a",)):
        result = environments.run("staging", "import", *arguments)
        assert is_refused(result, "already defined in environments/staging/enrollment.yaml"), result.stderr
    broken = environments.overlay("staging", "enrollment", "id: asst_a\nfirstMessage: 7\n")
    assert is_refused(environments.run("staging", "import", "asst_a"), "already defined in assistants/enrollment.yaml")
    broken.write_text("id: asst_a\n", "utf-8")
    assert read_files(environments) == before


def test_force_writes_the_own_overlay_anew_and_no_definition_that_others_share(environments: TwoEnvironments) -> None:
    assert environments.run("staging", "import", "asst_a").code == 0
    before = read_files(environments)
    environments.sandboxes["staging"].edit("asst_a", firstMessage="Welcome")
    assert environments.run("staging", "import", "asst_a", "--force").code == 0
    after = read_files(environments)
    assert after.pop("environments/staging/enrollment.yaml") == "id: asst_a\nfirstMessage: Welcome\n"
    assert after.items() <= before.items()
    environments.shared("enrollment", f"id: asst_b\n{SHARED}")
    environments.overlay("staging", "enrollment", "firstMessage: Hello\n")
    assert is_refused(
        environments.run("staging", "import", "asst_b", "--force"), "already defined in assistants/enrollment.yaml"
    )


def test_a_definition_that_has_an_id_in_the_environment_is_not_laid_over(environments: TwoEnvironments) -> None:
    assert environments.run("staging", "import", "asst_a").code == 0
    before = read_files(environments)
    result = environments.run("staging", "import", "asst_b", "--force")
    after = read_files(environments)
    assert result.code == 0
    assert before.items() <= after.items()
    assert sorted(after.keys() - before.keys()) == [
        "assistants/enrollment-2.yaml",
        "environments/staging/enrollment-2.yaml",
    ]


def test_an_overlay_without_an_id_is_replaced_by_force_alone(environments: TwoEnvironments) -> None:
    environments.repo.project.folder.mkdir()
    environments.shared("enrollment", SHARED)
    overlay = environments.overlay("staging", "enrollment", "firstMessage: Mine\n")
    result = environments.run("staging", "import", "asst_a")
    assert is_refused(result, "environments/staging/enrollment.yaml exists, and nothing was written", "--force")
    assert overlay.read_text("utf-8") == "firstMessage: Mine\n"
    forced = environments.run("staging", "import", "asst_a", "--force")
    assert forced.code == 0, forced.stderr
    assert overlay.read_text("utf-8") == "id: asst_a\n", "compared with the shared file, not with the old overlay"
    assert is_in_sync(environments, "staging")
    overlay.rename(overlay.with_suffix(".yml"))
    overlay.with_suffix(".yml").write_text("firstMessage: Mine\n", "utf-8")
    assert is_refused(environments.run("staging", "import", "asst_a", "--force"), "enrollment.yml exists")


def test_an_overlay_without_a_definition_is_not_replaced_unasked(environments: TwoEnvironments) -> None:
    overlay = environments.overlay("staging", "enrollment", "firstMessage: Mine\n")
    assert is_refused(environments.run("staging", "import", "asst_a"), "environments/staging/enrollment.yaml exists")
    assert read_files(environments) == {"environments/staging/enrollment.yaml": "firstMessage: Mine\n"}, (
        "no half of two files"
    )
    assert environments.run("staging", "import", "asst_a", "--force").code == 0
    assert overlay.read_text("utf-8") == "id: asst_a\n"
    assert is_in_sync(environments, "staging")


def test_a_definition_that_is_not_valid_is_not_laid_over(environments: TwoEnvironments) -> None:
    environments.repo.project.folder.mkdir()
    environments.shared("enrollment", "name: 7\n")
    result = environments.run("staging", "import", "asst_a", "--force")
    assert is_refused(
        result, "assistants/enrollment.yaml: nothing can be merged on top of this definition: line 1: name"
    )
    assert [*read_files(environments)] == ["assistants/enrollment.yaml"]


def test_two_of_one_name_get_two_definitions(environments: TwoEnvironments) -> None:
    result = environments.run("staging", "import", "asst_a", "asst_b")
    assert result.code == 0, result.stderr
    assert sorted(read_files(environments)) == [
        "assistants/enrollment-2.yaml",
        "assistants/enrollment.yaml",
        "environments/staging/enrollment-2.yaml",
        "environments/staging/enrollment.yaml",
    ]
    again = environments.run("production", "import", "asst_b")
    assert again.code == 0
    assert "environments/production/enrollment.yaml: written for asst_b, merged on top of" in again.stdout


def test_a_half_of_an_import_is_completed_by_the_next(environments: TwoEnvironments) -> None:
    """The definition was written, its overlay was not: no part of the environment yet, and nothing is lost."""
    assert environments.run("staging", "import", "asst_a").code == 0
    (environments.root / "environments/staging/enrollment.yaml").unlink()
    assert environments.run("staging", "import", "asst_a").code == 0
    assert read_files(environments)["environments/staging/enrollment.yaml"] == "id: asst_a\n"
    assert is_in_sync(environments, "staging")


def test_an_assistant_without_any_field_and_a_folder_elsewhere(environments: TwoEnvironments) -> None:
    environments.sandboxes["staging"].put({"id": "asst_bare", "name": None})
    bare = environments.run("staging", "import", "asst_bare")
    assert is_refused(bare, "asst_bare has no field that a definition can contain")
    absolute = environments.run("staging", "import", "asst_a", "--directory", environments.root / "assistants")
    assert absolute.code == 0
    assert f"{environments.root}/environments/staging/enrollment.yaml: written for asst_a\n" in absolute.stdout
