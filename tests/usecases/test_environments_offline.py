"""What `validate` says of environments, and of one that is not there: no API, no credentials."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from offline_environments import URLS, Offline
from projects import MODEL

STAGING = {"staging": {"api_url": "https://staging.example/api", "overlay": "environments/staging"}}
SHARED: dict[str, Any] = {"name": "Enrollment", "firstMessage": "Hello", "model": MODEL}


@pytest.fixture
def offline(tmp_path: Path) -> Offline:
    """A definition with an overlay in staging."""
    repo = Offline(tmp_path / "work")
    repo.configure("staging")
    repo.project.write("a", **SHARED)
    repo.overlay("a", "id: asst_a\n")
    return repo


@pytest.mark.parametrize("command", ["validate", "plan", "drift", "pull", "history", "whoami"])
def test_an_environment_that_is_not_there(offline: Offline, command: str) -> None:
    result = offline.run(command, "--environment", "stagign")
    assert (result.code, result.stdout) == (1, "")
    assert "there is no environment 'stagign'" in result.stderr
    assert "staging" in result.stderr.partition("has")[2]


@pytest.mark.parametrize(
    ("command", "which"),
    [
        ("plan", "no"),
        ("apply --yes", "no"),
        ("pull", "no"),
        ("plan assistants/a.yaml", "no selected"),
        ("apply --yes a", "no selected"),
        ("drift assistants", "no selected"),
        ("delete a --yes --name A", "no selected"),
    ],
)
def test_an_environment_that_was_forgotten(offline: Offline, command: str, which: str) -> None:
    result = offline.run(*command.split(), env={"RECONCILER_API_URL": "http://127.0.0.1:9/api"})
    assert (result.code, result.stdout) == (1, "")
    assert result.stderr == (
        f"Error: {which} definition has an id, and no environment is selected\n"
        "  pass --environment NAME; reconciler.yaml has these: staging\n"
    )


def test_a_history_of_which_environment(offline: Offline) -> None:
    result = offline.run("history")
    assert (result.code, result.stdout) == (0, "")
    assert "pass --environment NAME (staging)" in result.stderr


def test_an_api_of_which_environment(offline: Offline) -> None:
    result = offline.run("whoami")
    assert (result.code, result.stderr) == (
        1,
        "Error: no API URL is configured\n  pass --environment NAME; reconciler.yaml has these: staging\n",
    )


def test_problems_stand_in_the_file_that_declares_the_value(offline: Offline) -> None:
    offline.project.write("a", "name: A\nmaxDurationSeconds: ten\nmodel:\n  provider: openai\n")
    offline.overlay("a", "id: asst_a\nfirstMessage: Hi\nmodel:\n  temperature: 7\nnmae: x\n")
    result = offline.run("validate", "--environment", "staging")
    places = [line.split(": ")[0] for line in result.stdout.splitlines() if ": " in line]
    assert result.code == 1
    assert {"assistants/a.yaml:2:21", "environments/staging/a.yaml:4:16", "environments/staging/a.yaml:5:1"} <= {
        *places
    }


def test_an_overlay_mends_what_it_replaces(offline: Offline) -> None:
    offline.project.write("a", "name: A\nmaxDurationSeconds: ten\n")
    offline.overlay("a", "id: asst_a\nmaxDurationSeconds: 10\n")
    assert offline.run("validate", "--environment", "staging").code == 0


def test_an_overlay_that_cannot_be_read_has_its_place(offline: Offline) -> None:
    offline.overlay("a", "id: [\n")
    result = offline.run("validate", "--environment", "staging")
    assert result.code == 1
    assert "environments/staging/a.yaml:" in result.stdout


@pytest.mark.parametrize("arguments", [(), ("--environment", "staging")])
def test_an_overlay_without_a_definition(offline: Offline, arguments: tuple[str, ...]) -> None:
    offline.overlay("sub/lost", "id: asst_lost\n")
    result = offline.run("validate", *arguments)
    assert result.code == 1
    assert "environments/staging/sub/lost.yaml:1:1: this overlay has no definition of the same name" in result.stdout


def test_an_overlay_may_be_for_the_definition_of_another_folder(offline: Offline) -> None:
    offline.overlay("other", "maxDurationSeconds: 10\n")
    (offline.root / "chat").mkdir()
    (offline.root / "chat" / "other.yaml").write_text("id: asst_other\n", "utf-8")
    assert offline.run("validate").code == 0
    # Whoever chooses the environment for this folder has an overlay that does nothing.
    assert "no definition of the same name" in offline.run("validate", "--environment", "staging").stdout


def test_an_overlay_folder_that_is_missing(offline: Offline) -> None:
    offline.overlay("a").unlink()
    (offline.root / "environments/staging").rmdir()
    settings = "environments:\n  staging:\n    overlay: environments/staging\n"
    (offline.root / "reconciler.yaml").write_text(settings, "utf-8")
    message = "reconciler.yaml:3:14: there is no overlay folder environments/staging; correct this line, or create"
    validated = offline.run("validate")
    planned = offline.run("plan", "--offline", "--environment", "staging")
    assert (validated.code, planned.code) == (1, 1)
    assert message in validated.stdout
    assert message in planned.stderr


def test_an_overlay_folder_that_is_a_link_out_of_the_repository(
    offline: Offline, tmp_path_factory: pytest.TempPathFactory
) -> None:
    offline.overlay("a").unlink()
    folder, elsewhere = offline.root / "environments/staging", tmp_path_factory.mktemp("elsewhere")
    folder.rmdir()
    folder.symlink_to(elsewhere)
    (elsewhere / "a.yaml").write_text("id: asst_a\n", "utf-8")
    result = offline.run("validate", "--environment", "staging")
    assert result.code == 1
    assert ": the overlay folder environments/staging is a link" in result.stdout
    assert result.stdout.startswith("reconciler.yaml:")


def test_validate_checks_all_environments(offline: Offline) -> None:
    fine = offline.run("validate")
    offline.project.configure(environments={**STAGING, "production": {"overlay": "environments/production"}})
    offline.overlay("a", "id: asst_a\nfirstMessage: 12\n", "production")
    both, one = offline.run("validate"), offline.run("validate", "--environment", "staging")
    assert (fine.code, one.code) == (0, 0), fine.stdout
    assert both.code == 1
    assert "environments/production/a.yaml:2:15: " in both.stdout


def test_a_lint_that_is_graver_in_one_environment_is_told_once(offline: Offline) -> None:
    lints: dict[str, dict[str, Any]] = {"staging": {}, "production": {"lints": {"spoken-markdown": "error"}}}
    for name, own in lints.items():
        own |= {"api_url": URLS[name], "overlay": f"environments/{name}"}
        offline.overlay("a", f"id: asst_{name}\n", name)
    offline.project.configure(environments=lints)
    offline.project.write("a", 'name: A\nendCallMessage: "**Bye**"\n')
    result = offline.run("validate")
    assert (result.code, result.stdout.count("spoken-markdown"), result.stdout.count("warning")) == (1, 1, 0)


def test_two_environments_that_write_to_one_assistant_name_both_files(offline: Offline) -> None:
    other = {"api_url": "https://Staging.example:443/api/", "overlay": "environments/production"}
    offline.project.configure(environments={**STAGING, "production": other})
    offline.overlay("a", "# Production.\nid: asst_a\n", "production")
    result = offline.run("validate")
    swapped = offline.run("validate", "assistants/a.yaml")
    assert (result.code, swapped.stdout) == (1, result.stdout)
    # A pipeline checks its own environment alone.
    assert "production and staging have the same URL" in offline.run("validate", "--environment", "production").stdout
    assert result.stdout.splitlines()[0] == (
        "environments/production/a.yaml:2:5: production and staging have the same URL, and the id asst_a is also "
        "used in "
        "environments/staging/a.yaml:1:5: both would write to that assistant; correct the id or the URL "
        "of one of them"
    )


def test_a_neighbour_without_its_overlay_folder_is_no_concern_of_a_run(offline: Offline) -> None:
    other = {"api_url": "https://staging.example/api/", "overlay": "environments/production"}
    offline.project.configure(environments={**STAGING, "production": other})
    result = offline.run("validate", "--environment", "staging")
    assert (result.code, result.stderr) == (0, ""), result.stdout
    assert "there is no overlay folder environments/production" in offline.run("validate").stdout


def test_assistants_to_create_in_two_environments_are_two(offline: Offline) -> None:
    same = {name: {"api_url": "https://one.example/api", "overlay": f"environments/{name}"} for name in URLS}
    offline.project.configure(environments=same)
    offline.overlay("a", "id: new\n")
    offline.overlay("a", "id: new\n", "production")
    result = offline.run("validate")
    assert (result.code, result.stderr) == (0, ""), result.stdout


def test_an_id_that_two_environments_share_stands_where_it_is_declared(offline: Offline) -> None:
    """In the shared file, where no overlay has one of its own."""
    offline.configure("staging", "production")
    same = {name: {"api_url": "https://one.example/api", "overlay": f"environments/{name}"} for name in URLS}
    offline.project.configure(environments=same)
    offline.project.write("a", "name: A\nid: asst_a\n")
    offline.overlay("a", "firstMessage: Hi\n")
    result = offline.run("validate")
    assert result.code == 1
    assert "assistants/a.yaml:2:5: production and staging have the same URL" in result.stdout
    assert "and the id asst_a is here for both: both would write" in result.stdout
    assert "Validate: 1 problem in 1 file, 0 definitions are valid." in result.stdout
    (entry,) = json.loads(offline.run("validate", "--format", "json").stdout)["assistants"]
    assert (entry["status"], entry["error"]["kind"]) == ("error", "duplicate")


def test_an_overlay_as_a_path_means_its_definition_in_every_environment(offline: Offline) -> None:
    offline.configure("staging", "production")
    offline.project.write("b", "nmae: x\n")
    overlay = offline.overlay("a", "id: asst_a\nnmae: x\n").relative_to(offline.root)
    result = offline.run("validate", overlay)
    assert result.code == 1
    assert result.stdout.splitlines()[0] == f"{overlay}:2:1: unknown field nmae; did you mean name?"
    assert "assistants/b.yaml" not in result.stdout
    offline.overlay("lost", id="asst_lost")
    result = offline.run("validate", "environments/staging/lost.yaml")
    assert (result.code, result.stdout) == (1, "")
    assert "the overlay environments/staging/lost.yaml has no definition" in result.stderr


def test_an_id_is_missing_where_no_environment_could_give_it(offline: Offline) -> None:
    assert offline.run("validate").code == 0
    offline.project.configure(environments={})
    result = offline.run("validate")
    assert result.code == 1
    assert result.stdout.startswith('assistants/a.yaml:1:1: has no "id"; ')


def test_a_definition_that_no_environment_gives_an_id_is_named(offline: Offline) -> None:
    offline.project.write("lost", name="Lost")
    result = offline.run("validate")
    assert (result.code, "warning: assistants/lost.yaml: no environment gives it an id" in result.stdout) == (0, True)
    assert "assistants/a.yaml" not in result.stdout
    assert "lost" not in offline.run("validate", "--environment", "staging").stdout
    offline.overlay("lost", "id: new\n")
    assert "lost" not in offline.run("validate").stdout


def test_an_environment_hides_allows_and_sends_more_than_the_project(offline: Offline) -> None:
    own = {"sensitive": ["metadata.key"], "extra_fields": ["model.messages"], "always_send": ["model"]}
    offline.configure("staging", "production", sensitive=["metadata.old"], always_send=["voice"])
    settings = yaml.safe_load((offline.root / "reconciler.yaml").read_text("utf-8"))
    settings["environments"]["staging"] |= own
    (offline.root / "reconciler.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    chosen = offline.project.settings.choose("staging")
    assert chosen.sensitive == (("metadata", "old"), ("metadata", "key"))
    assert (chosen.always_send, chosen.extra_fields) == (("voice", "model"), (("model", "messages"),))
    offline.project.write("a", "name: A\nmetadata: {key: geheim }\n")
    offline.overlay("a", id="s", model={"messages": [1]})
    offline.overlay("a", name="production", id="p", metadata={"key": "other"}, firstMessage="Hi ")
    assert offline.run("validate").code == 0
    assert '"messages"' in offline.run("schema").stdout
    output = offline.run("diff", "--environment", "production", "--against", "staging").stdout
    assert "geheim" not in output
    assert "other" not in output
    offline.overlay("a", name="production", id="p", model={"messages": [1]})
    result = offline.run("validate")
    assert (result.code, "unknown field model.messages" in result.stdout) == (1, True)


def test_an_entry_of_the_project_may_be_for_another_environment(offline: Offline) -> None:
    entries = [{"path": f"metadata.{key}", "reason": "the CRM's"} for key in ("crm", "none", "own")]
    environments: dict[str, Any] = {
        name: {"api_url": url, "overlay": f"environments/{name}"} for name, url in URLS.items()
    }
    environments["staging"] |= {"ignore": entries[2:]}
    offline.overlay("a", "id: asst_p\nmetadata: {crm: 1}\n", "production")
    offline.project.configure(environments=environments, ignore=entries[:2])
    results = [offline.run("validate", *words) for words in ((), ("--environment", "staging"))]
    assert [sorted(re.findall(r"ignore (\S+) matches nothing", result.stdout)) for result in results] == [
        ["metadata.none", "metadata.own"],
        ["metadata.own"],
    ]
