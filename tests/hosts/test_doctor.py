"""`doctor` names each thing that a set-up lacks, and is green where nothing does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from stories import REF, Story, story
from two_hosts import GITHUB, GITLAB, TOKEN, running_hosts


@pytest.fixture
def tale(tmp_path: Path) -> Iterator[Story]:
    """A project that lacks nothing."""
    with story(tmp_path / "work", {"a": {"firstMessage": "old"}}) as told:
        told.project.configure(record=True)
        told.write("a", firstMessage="old")
        told.commit()
        told.recorded()
        told.sandbox.forget_requests()
        yield told


def lacking(tale: Story, *arguments: str, **env: str) -> list[str]:
    """The subjects of what is missing; the exit code says the same."""
    done = tale.run("doctor", *arguments, env=env)
    lines = done.stdout.splitlines()
    assert all(line[:8] in ("ok      ", "missing ", "unknown ") for line in lines)
    found = [line[8:].partition(":")[0] for line in lines if line.startswith("missing")]
    assert all("To do: " in line for line in lines if line.startswith("missing"))
    assert done.code == int(bool(found)), done.stdout
    return found


def test_a_set_up_that_lacks_nothing_is_green_and_nothing_is_written(tale: Story) -> None:
    assert lacking(tale) == []
    assert {method for method, path, _ in tale.sandbox.requests if path != "/auth/login"} == {"GET"}


def test_each_thing_that_is_missing_is_named(tale: Story) -> None:
    assert lacking(tale, RECONCILER_PASSWORD="wrong") == ["login"]
    assert lacking(tale, RECONCILER_API_URL="") == ["URL"]
    tale.write("a", firstMessage="old", id="asst_gone")
    assert lacking(tale) == ["reading"]
    tale.write("a", "id: asst_a\nnmae: x\n")
    assert lacking(tale) == ["definitions"]
    tale.git("checkout", "--quiet", ".")
    record = tale.record
    tale.git("update-ref", "-d", REF)
    assert lacking(tale) == ["record"]
    tale.git("update-ref", REF, str(record))
    tale.project.configure(record=True, org_id="org_other")
    assert lacking(tale) == ["organisation"]
    (tale.root / "reconciler.yaml").write_text("recrod: true\n")
    assert lacking(tale) == ["settings"]


def test_outside_of_git_that_is_what_is_missing(tmp_path: Path, tale: Story) -> None:
    (tale.root / ".git").rename(tmp_path / "gone")
    assert lacking(tale) == ["git"]


def test_in_a_job_the_host_is_asked_too(tale: Story) -> None:
    repository = f"{GITHUB}/repos/north/field"
    project = f"{GITLAB}/projects/north%2Ffield"
    with running_hosts() as hosts:
        github = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "north/field",
            "GITHUB_API_URL": f"{hosts.url}{GITHUB}",
            "GITHUB_TOKEN": TOKEN,
        }
        assert lacking(tale, **github) == ["repository"]
        hosts.facts = {
            repository: {"default_branch": "main"},
            f"{repository}/branches/main": {"protected": False},
            f"{repository}/environments/production": {"deployment_branch_policy": None},
            f"{repository}/actions/permissions/workflow": None,
        }
        assert lacking(tale, **github) == ["branch", "environment"]
        hosts.facts |= {
            f"{repository}/branches/main": {"protected": True},
            f"{repository}/environments/live": {"deployment_branch_policy": {"protected_branches": True}},
        }
        assert lacking(tale, "--protected-environment", "live", **github) == []
        assert lacking(tale, **{**github, "GITHUB_TOKEN": ""}) == ["CI"]
        gitlab = {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": f"{hosts.url}{GITLAB}",
            "CI_PROJECT_ID": "north/field",
            "GITLAB_TOKEN": TOKEN,
        }
        hosts.facts = {
            project: {"default_branch": "main", "path_with_namespace": "north/field"},
            f"{GITLAB}/personal_access_tokens/self": {"scopes": ["read_api"]},
            f"{project}/protected_branches/main": {"name": "main"},
        }
        assert lacking(tale, **gitlab) == ["token", "environment"]
