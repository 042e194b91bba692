"""Stands here so that pytest puts this folder on the path: its modules serve the tests of all rooms."""

from pathlib import Path

import pytest
from projects import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty repository with a folder for definitions."""
    return Project(tmp_path / "repository")
