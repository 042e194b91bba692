"""Seeds: what becomes of a folder of definitions."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import SandboxError
from reconciler.sandbox.accounts import ADMIN, create_sessions
from reconciler.sandbox.seed import read_seed

OWN = ("id", "orgId", "createdAt", "updatedAt")


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def read_only_assistant(folder: Path) -> dict[str, Any]:
    (assistant,) = read_seed(folder)
    return assistant


def test_reads_every_definition_below_the_folder_in_order(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "b.yaml": "id: b",
            "a/deep/er.yml": "id: a",
            "c.YAML.txt": "id: no",
            ".hidden.yaml": "- : -",
            ".cache/hidden.yaml": "- : -",
            "new.yaml": "id: new",
            "readme.md": "#",
        },
    )
    (tmp_path / "folder.yaml").mkdir()
    assert [assistant["id"] for assistant in read_seed(tmp_path)] == ["a", "b"]


def test_defaults_and_texts_are_part_of_a_definition(tmp_path: Path) -> None:
    files = {
        "_defaults.yaml": "voice: {provider: azure, voiceId: a}\nmetadata: {team: {$file: t.txt}, x: 1}\n",
        "sub/_defaults.yaml": "metadata: {x: 2}\nendCallMessage: Bye\n",
        "sub/a.yaml": "id: a\nendCallMessage: null\nendCallPhrases: [{$file: ../t.txt}]\n",
        "t.txt": "\ufeffBe kind.\r\nBe short.\n",
    }
    assistant, text = read_only_assistant(write(tmp_path, files)), "Be kind.\nBe short."
    assert (assistant["voice"], assistant["metadata"]) == (
        {"provider": "azure", "voiceId": "a"},
        {"team": text, "x": 2},
    )
    assert (assistant["endCallMessage"], assistant["endCallPhrases"]) == (None, [text])
    (tmp_path / "t.txt").unlink()
    with pytest.raises(SandboxError, match=r"t\.txt"):
        read_seed(tmp_path)


def test_what_is_not_declared_gets_a_believable_value(tmp_path: Path) -> None:
    assistant = read_only_assistant(write(tmp_path, {"campus/after-hours_line.yaml": "id: a"}))
    assert {key: value for key, value in assistant.items() if key not in OWN} == {
        "name": "After hours line",
        "model": {"provider": "openai", "model": "gpt-4o"},
        "voice": {"provider": "openai", "voiceId": "alloy"},
    }
    assert assistant["orgId"] == "org_sandbox"


def test_a_model_keeps_what_it_has_and_gets_what_it_needs(tmp_path: Path) -> None:
    text = "id: a\nmodel: {model: claude, temperature: 0.2, tools: [x]}\nvoice: {speed: 2}"
    assistant = read_only_assistant(write(tmp_path, {"a.yaml": text}))
    assert assistant["model"] == {"provider": "openai", "model": "claude", "temperature": 0.2, "tools": ["x"]}
    assert assistant["voice"] == {"speed": 2}


def test_nulls_and_unlisted_fields_stay(tmp_path: Path) -> None:
    text = "id: a\nname: null\nmodel: null\nvoice:\nmetadata: {x: null}\ntools: [{deep: 1}]\norgId: org_other"
    assistant = read_only_assistant(write(tmp_path, {"a.yaml": "\ufeff" + text}))
    assert {key: assistant[key] for key in ("name", "model", "voice", "metadata", "tools", "orgId")} == {
        "name": None,
        "model": None,
        "voice": None,
        "metadata": {"x": None},
        "tools": [{"deep": 1}],
        "orgId": "org_other",
    }


def test_without_an_id_the_path_decides(tmp_path: Path) -> None:
    folder = write(tmp_path, {"a.yaml": "name: A", "x/a.yaml": "name: XA", "b.yml": "id: null"})
    ids = [assistant["id"] for assistant in read_seed(folder)]
    assert len(set(ids)) == 3
    assert all(one.startswith("asst_") for one in ids)
    assert [assistant["id"] for assistant in read_seed(folder)] == ids


def test_a_local_id_names_the_providers_assistant(tmp_path: Path) -> None:
    assert read_only_assistant(write(tmp_path, {"a.yaml": "id: local_asst_7"}))["id"] == "asst_7"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name: [", "while parsing"),
        ("- a\n- b", "it is not a mapping"),
        ("", "it is not a mapping"),
        ("1: one", "it is not a mapping"),
        ("a: 1\n---\nb: 2", "expected a single document"),
        ("id: 5", "its id is not a text"),
        ("id: ''", "its id is not a text"),
        ("id: local_", "its id is not a text"),
        ("id: a\nmetadata: {day: 2024-01-01}", "date is not JSON serializable"),
        ("id: a\nmetadata: {n: .nan}", "not JSON compliant"),
        ("id: a\nmetadata: &m {again: *m}", "Circular reference"),
        ("id: a\nmetadata: !!python/object:os.system {}", "could not determine a constructor"),
        ("{" * 5000, "cannot be used"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str, reason: str) -> None:
    write(tmp_path, {"good.yaml": "id: good", "sub/bad.yaml": text})
    with pytest.raises(SandboxError) as error_info:
        read_seed(tmp_path)
    assert str(tmp_path / "sub" / "bad.yaml") in str(error_info.value)
    assert reason in str(error_info.value)
    assert "\n" not in str(error_info.value)
    assert "reconciler validate" in error_info.value.hint


def test_text_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(b"name: \xff")
    with pytest.raises(SandboxError, match=r"bad\.yaml cannot be used: 'utf-8' codec"):
        read_seed(tmp_path)


def test_a_folder_that_is_none_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="is not a folder"):
        read_seed(tmp_path / "missing")
    with pytest.raises(SandboxError, match=r"contains no \*\.yaml or \*\.yml file"):
        read_seed(tmp_path)


class TestAccountsOfTheEnvironment:
    def test_without_variables_there_is_no_further_account(self) -> None:
        sessions = create_sessions({"RECONCILER_EMAIL": "me@example.com"})
        assert sessions.find_account("me@example.com", "") is None
        assert sessions.find_owner("") is None

    def test_ones_own_account_is_an_admin_and_the_token_is_its(self) -> None:
        sessions = create_sessions(
            {
                "RECONCILER_EMAIL": "me@example.com",
                "RECONCILER_PASSWORD": "s3cret",
                "RECONCILER_AUTH_TOKEN": "my-token",
            }
        )
        account = sessions.find_account("me@example.com", "s3cret")
        assert account is not None
        assert account.role == "ADMIN"
        assert sessions.find_owner("my-token") is account
        assert sessions.find_account("me@example.com", "sandbox") is None
        assert "s3cret" not in repr(account)
        assert "s3cret" not in str(account.to_user())

    def test_a_token_alone_is_the_fixed_admins(self) -> None:
        assert create_sessions({"RECONCILER_AUTH_TOKEN": "my-token"}).find_owner("my-token") is ADMIN

    def test_a_fixed_account_stays_what_it_is(self) -> None:
        variables = {"RECONCILER_EMAIL": "viewer@sandbox.test", "RECONCILER_PASSWORD": "sandbox"}
        viewer = create_sessions(variables).find_account("viewer@sandbox.test", "sandbox")
        assert viewer is not None
        assert viewer.role == "VIEWER"

    def test_a_disabled_account_has_no_token(self) -> None:
        variables = {
            "RECONCILER_EMAIL": "disabled@sandbox.test",
            "RECONCILER_PASSWORD": "sandbox",
            "RECONCILER_AUTH_TOKEN": "my-token",
        }
        assert create_sessions(variables).find_owner("my-token") is None
