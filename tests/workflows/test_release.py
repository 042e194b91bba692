"""A release is made where tag, version and changelog agree, of packages that are built once."""

import subprocess
import sys
from pathlib import Path

import pytest
from workflow_files import ROOT, WORKFLOWS, read_workflow

SCRIPT = ROOT / ".github" / "scripts" / "release_notes.py"
CHANGELOG = """\
# Changelog

## [Unreleased]

### Added

- Later.

## [0.2.0] - 2027-01-31

### Added

- A thing.

## [0.1.0] - 2026-12-01

- The first.

[0.2.0]: https://example.com/compare
"""


def notes(folder: Path, tag: str, version: str, changelog: str = CHANGELOG) -> tuple[int, str, str]:
    (folder / "reconciler").mkdir()
    (folder / "reconciler" / "__init__.py").write_text(f'"""A package."""\n\n__version__ = "{version}"\n', "utf-8")
    (folder / "CHANGELOG.md").write_text(changelog, "utf-8")
    result = subprocess.run([sys.executable, SCRIPT, tag], cwd=folder, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("version", "section"),
    [("0.2.0", "### Added\n\n- A thing.\n"), ("0.1.0", "- The first.\n")],
    ids=["middle", "last"],
)
def test_the_notes_are_the_section_of_the_version(tmp_path: Path, version: str, section: str) -> None:
    assert notes(tmp_path, f"v{version}", version) == (0, section, "")


@pytest.mark.parametrize(
    ("tag", "version", "complaint"),
    [
        ("v0.2.1", "0.2.0", "the tag is v0.2.1, and reconciler/__init__.py says version 0.2.0"),
        ("0.2.0", "0.2.0", "the tag is 0.2.0"),
        ("v0.3.0", "0.3.0", "CHANGELOG.md has no section `## [0.3.0] - YYYY-MM-DD`"),
    ],
)
def test_what_does_not_agree_is_no_release(tmp_path: Path, tag: str, version: str, complaint: str) -> None:
    code, shown, errors = notes(tmp_path, tag, version)
    assert (code, shown) == (1, "")
    assert complaint in errors


def test_only_the_job_that_needs_it_may_sign_publish_or_write() -> None:
    jobs = read_workflow(WORKFLOWS / "release.yml")["jobs"]
    assert {name: {*job["permissions"]} for name, job in jobs.items()} == {
        "build": {"contents"},
        "attest": {"id-token", "attestations"},
        "publish": {"id-token"},
        "release": {"contents"},
    }
    assert jobs["publish"]["environment"] == "pypi"
    assert [jobs[name]["needs"] for name in ("attest", "publish", "release")] == ["build", "attest", "publish"]
    # What a job with a right downloads was built by the one without.
    assert not any(
        "checkout" in step.get("uses", "") for name in jobs if name != "build" for step in jobs[name]["steps"]
    )
