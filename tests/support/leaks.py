"""The secrets of the tests' own sandboxes, and the search for them in everything that a command shows or writes.

Whatever a command shows passes `subprocess.Popen.communicate` or `Story.run`, where `conftest.py` looks; what is
read before a command has ended, from a pipe or a terminal, is looked through by those who read it. Whatever it
writes is in the test's temporary folder, which is searched after the test.
"""

import dataclasses
import json
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reconciler.sandbox.accounts import FIXED, Account, Sessions

# The sandbox's own password is a word that its help shows. This one stands nowhere by chance, and each of its
# characters at the end is written differently by some format.
PASSWORD = 'hush-word-of-the-tests"&/\u00df'
_WRITTEN_BY_TESTS = {"schemathesis.toml"}  # files in which a test hands a token to another tool
_LARGEST = 8 * 1024 * 1024  # of a file that is looked through
# Every token begins with this, in characters that no format writes differently: one search finds any of them, or
# what is left of one, however many a run of the tests has given out.
_TOKEN = "hush-token-of-the-tests-"


class WatchedSessions(Sessions):
    """The fixed accounts with a password that stands nowhere by chance, and tokens that can be told from any text."""

    def __init__(self) -> None:
        super().__init__(dataclasses.replace(account, password=PASSWORD) for account in FIXED)

    def log_in(self, account: Account) -> str:
        """Return a new token, which nothing may show."""
        token = _TOKEN + secrets.token_urlsafe(32)
        self._tokens[token] = account
        return token

    def expire(self) -> None:
        """Forget every token that was given out."""
        self._tokens.clear()


def spellings(secret: str) -> Iterator[str]:
    """How formats write a secret."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield quote(secret, safe="")


_FORMS = {form: secret[:4] for secret in (PASSWORD, _TOKEN) for form in spellings(secret)}


def assert_no_secret(output: str | bytes | None, label: str) -> None:
    """Make sure that no secret of a sandbox is in what somebody can see. The secret itself is not told."""
    if not output:
        return
    text = output.decode("utf-8", "replace") if isinstance(output, bytes) else output
    leaked = sorted({begins for form, begins in _FORMS.items() if form in text})
    assert not leaked, f"{label} holds a password or a token that begins with {leaked}"


def assert_no_secret_in_files(folder: Path) -> None:
    """Make sure that no file below a folder holds a secret; git's own folders are left out."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in set(names) - _WRITTEN_BY_TESTS:
            file = Path(place) / name
            if file.is_file() and not file.is_symlink() and file.stat().st_size <= _LARGEST:
                assert_no_secret(file.read_bytes(), str(file))


def check_output_of(communicate: Callable[..., Any]) -> Callable[..., Any]:
    """Return subprocess's `communicate` with a look at what every process shows."""

    def communicate_and_check(self: Any, *arguments: Any, **options: Any) -> Any:
        streams = communicate(self, *arguments, **options)
        for stream in streams:
            assert_no_secret(stream, f"what {self.args} shows")
        return streams

    return communicate_and_check
