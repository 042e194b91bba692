"""The search for secrets in what commands show and write finds them: else its silence would mean nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
from leaks import PASSWORD, assert_no_secret, assert_no_secret_in_files, spellings
from servers import Sandbox, running_sandbox
from stories import story

ECHO = [sys.executable, "-c", "import sys; print(sys.stdin.read())"]


def token_of(sandbox: Sandbox) -> str:
    with sandbox.client() as client:
        return client.headers["cookie"].partition("=")[2]


@pytest.mark.parametrize("spelling", sorted(set(spellings(PASSWORD))))
def test_a_process_that_shows_the_password_is_found(spelling: str) -> None:
    with pytest.raises(AssertionError, match="holds a password"):
        subprocess.run(ECHO, input=f"it is {spelling}, yes".encode(), stdout=subprocess.PIPE, check=True)
    with pytest.raises(AssertionError, match="holds a password"):
        subprocess.run(["sh", "-c", "cat >&2"], input=spelling, stderr=subprocess.PIPE, text=True, check=True)


def test_a_process_that_shows_a_token_is_found() -> None:
    with running_sandbox() as sandbox:
        token = token_of(sandbox)
    assert len(token) > 20
    with pytest.raises(AssertionError, match="holds a password or a token") as error_info:
        subprocess.run(ECHO, input=f"auth-token={token};".encode(), stdout=subprocess.PIPE, check=True)
    assert token not in str(error_info.value)
    result = subprocess.run(ECHO, input=b"nothing", stdout=subprocess.PIPE, check=True)
    assert result.stdout == b"nothing\n"


def test_a_command_in_this_process_that_shows_the_password_is_found(tmp_path: Path) -> None:
    with story(tmp_path / "repository", {"a": {"name": "Old"}}) as repo:
        file = repo.write("a", name=PASSWORD)
        with pytest.raises(AssertionError, match="holds a password"):
            repo.run("plan")
        file.unlink()


def test_a_file_that_holds_a_secret_is_found(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    file = tmp_path / "deep" / "report.json"
    with running_sandbox() as sandbox:
        for secret in (PASSWORD, token_of(sandbox)):
            file.write_text(f'{{"x": "{secret}"}}', "utf-8")
            with pytest.raises(AssertionError, match=r"report\.json holds"):
                assert_no_secret_in_files(tmp_path)
    file.unlink()
    assert_no_secret_in_files(tmp_path)
    assert_no_secret(None, "nothing")
