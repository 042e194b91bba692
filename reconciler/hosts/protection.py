"""What a host says about the safety of a pipeline: the token, and whether branches and environments are protected.

Only reads. What a token may not ask is unknown, which is no failure: a job's token seldom may.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from reconciler.errors import HostError
from reconciler.hosts.calls import Calls
from reconciler.hosts.github_host import GitHub
from reconciler.hosts.gitlab_host import GitLab
from reconciler.hosts.host import Host


@dataclasses.dataclass(frozen=True, slots=True)
class Protection:
    """One thing that was asked of a host: `holds` is None where the token may not ask."""

    subject: str
    holds: bool | None
    told: str
    hint: str = ""


def check_protection(host: Host, environment: str) -> Iterator[Protection]:
    """Yield what the host says; `environment` is the one that holds the writing account."""
    if isinstance(host, GitHub):
        yield from _check_github(host, environment)
    elif isinstance(host, GitLab):
        yield from _check_gitlab(host, environment)


def _check_github(host: GitHub, environment: str) -> Iterator[Protection]:
    calls, base = host.calls, f"/repos/{host.repository}"
    repository, refused = _ask(calls, base)
    if not isinstance(repository, dict):
        yield Protection("repository", holds=False, told=refused, hint="check GITHUB_TOKEN and GITHUB_REPOSITORY")
        return
    branch = str(repository.get("default_branch") or "main")
    yield Protection("repository", holds=True, told=f"{host.repository}, default branch {branch}")
    found, refused = _ask(calls, f"{base}/branches/{quote(branch, safe='')}")
    hint = f"add a ruleset for {branch} that wants a pull request and the check `Plan`"
    yield _judge("branch", found, refused, lambda one: bool(one.get("protected")), f"{branch} is protected", hint)
    found, refused = _ask(calls, f"{base}/environments/{quote(environment, safe='')}")
    hint = f"make the environment {environment}, and allow protected branches alone to deploy to it"
    yield _judge(
        "environment",
        found,
        refused,
        lambda one: bool(one.get("deployment_branch_policy")),
        f"{environment} is for some branches alone",
        hint,
    )
    found, refused = _ask(calls, f"{base}/actions/permissions/workflow")
    hint = "allow Actions to create pull requests: Settings, Actions, General"
    yield _judge(
        "pull requests",
        found,
        refused,
        lambda one: bool(one.get("can_approve_pull_request_reviews")),
        "workflows may open them",
        hint,
    )


def _check_gitlab(host: GitLab, environment: str) -> Iterator[Protection]:
    calls, base = host.calls, f"/projects/{host.project}"
    project, refused = _ask(calls, base)
    if not isinstance(project, dict):
        yield Protection("project", holds=False, told=refused, hint="check GITLAB_TOKEN and CI_PROJECT_ID")
        return
    branch = str(project.get("default_branch") or "main")
    yield Protection("project", holds=True, told=f"{project.get('path_with_namespace')}, default branch {branch}")
    found, refused = _ask(calls, "/personal_access_tokens/self")
    hint = "GITLAB_TOKEN needs the scope api, to keep notes and issues"
    yield _judge("token", found, refused, lambda one: "api" in (one.get("scopes") or []), "has the scope api", hint)
    found, refused = _ask(calls, f"{base}/protected_branches/{quote(branch, safe='')}")
    hint = f"protect {branch}: Settings, Repository, Protected branches"
    yield _judge("branch", found, refused, lambda _one: True, f"{branch} is protected", hint)
    found, refused = _ask(calls, f"{base}/protected_environments/{quote(environment, safe='')}")
    hint = f"protect the environment {environment}, or keep the writing account in protected variables"
    yield _judge("environment", found, refused, lambda _one: True, f"{environment} is protected", hint)


def _ask(calls: Calls, path: str) -> tuple[Any, str]:
    """Return what the host answers; False where it says that there is no such thing, None where it does not say."""
    try:
        return calls.ask("GET", path), ""
    except HostError as error:
        return False if error.status == 404 else None, error.message


def _judge(subject: str, found: Any, refused: str, holds: Any, told: str, hint: str) -> Protection:
    if found is None:
        return Protection(subject, holds=None, told=f"not known: {refused}", hint=hint)
    if isinstance(found, dict) and holds(found):
        return Protection(subject, holds=True, told=told)
    return Protection(subject, holds=False, told=f"not so: {told}", hint=hint)
