"""Stands here so that pytest puts this folder on the path: its modules serve the tests of all rooms."""

import subprocess
import unittest.mock
from collections.abc import Iterator
from pathlib import Path

import pytest
from leaks import assert_no_secret_in_files, watched
from projects import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty repository with a folder for definitions."""
    return Project(tmp_path / "repository")


@pytest.fixture(scope="session", autouse=True)
def _no_process_shows_a_secret() -> Iterator[None]:
    with unittest.mock.patch.object(subprocess.Popen, "communicate", watched(subprocess.Popen.communicate)):
        yield


@pytest.fixture(autouse=True)
def _no_file_holds_a_secret(request: pytest.FixtureRequest) -> Iterator[None]:
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if folder is not None:
        assert_no_secret_in_files(folder)
