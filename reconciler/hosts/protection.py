"""Checks the setup at a host. Only reads, and never a value; what the token may not read is unknown, no failure."""

import functools
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from reconciler.core.run import Requirement
from reconciler.dataclass import dataclass
from reconciler.errors import HostError
from reconciler.hosts.calls import Calls
from reconciler.hosts.github_host import GitHub
from reconciler.hosts.gitlab_host import GitLab
from reconciler.hosts.host import Host

_LOGIN = ("RECONCILER_EMAIL", "RECONCILER_PASSWORD")
_TOKEN = "RECONCILER_AUTH_TOKEN"  # noqa: S105 - a variable's name; it stands for the two
_SELF = "//personal_access_tokens/self"
_SCOPES = {"api", "write_repository"}  # of what pushes the record
_REPORTER, _DEVELOPER = 20, 30  # GitLab's levels of access


@dataclass(frozen=True, slots=True)
class _Question:
    """One GET below the repository's address, and what its answer has to be."""

    subject: str
    path: str
    holds: Callable[[Any], bool]
    told: str
    hint: str
    elsewhere: str = ""  # where it may hold as well: an answer that is not empty says so


def check_protection(
    host: Host, environment: str, *, workflow: str = "", of_record: bool = False
) -> Iterator[Requirement]:
    """Yield what the host says; `environment` is the one that holds the writing account.

    `workflow` is the file by which GitHub plans pull requests. `of_record` asks only whether the host's token may push
    the record and open requests.
    """
    if isinstance(host, GitHub):
        asked = functools.partial(_ask_github, workflow)
        yield from _check(host, "repository", environment, asked)
    elif isinstance(host, GitLab):
        questions = _ask_gitlab_about_record if of_record else _ask_gitlab
        yield from _check(host, "project", environment, questions)


def _check(
    host: Host, kind: str, environment: str, questions: Callable[[str, str], Iterator[_Question]]
) -> Iterator[Requirement]:
    # Several questions may have one answer: GitLab lists all variables at once.
    base = host.path
    ask = functools.cache(lambda path: _ask(host.calls, path))
    found, refused = ask(base)
    if not isinstance(found, dict):
        yield Requirement(kind, refused, "check the token, and which repository this is", met=False)
        return
    branch = str(found.get("default_branch") or "main")
    name = found.get("full_name") or found.get("path_with_namespace") or base.rpartition("/")[2]
    yield Requirement(kind, f"{name}, default branch {branch}")
    for one in questions(branch, environment):
        # What begins with `//` is no part of the repository.
        answer, refused = ask(one.path[1:] if one.path.startswith("//") else f"{base}{one.path}")
        try:
            holds = None if answer is None else answer is not False and one.holds(answer)
            if holds is False and one.elsewhere:
                holds = bool(ask(f"{base}{one.elsewhere}")[0])
        except (AttributeError, KeyError, TypeError):
            holds, refused = None, "the answer cannot be understood"
        told = f"unknown: {refused}" if holds is None else one.told if holds else f"expected: {one.told}"
        yield Requirement(one.subject, told, "" if holds else one.hint, met=holds)


def _ask_github(workflow: str, branch: str, environment: str) -> Iterator[_Question]:
    place = f"/environments/{quote(environment, safe='')}"
    yield _ask_about_workflow(workflow, branch)
    yield _Question(
        "branch",
        f"/branches/{quote(branch, safe='')}",
        lambda one: bool(one.get("protected")),
        f"{branch} is protected",
        f"add a ruleset for {branch} that requires a pull request and the check `plan / Plan`",
        elsewhere=f"/rules/branches/{quote(branch, safe='')}",  # rulesets, which the branch itself knows nothing of
    )
    yield _Question(
        "environment",
        place,
        lambda one: bool(one.get("deployment_branch_policy")),
        f"only some branches may deploy to {environment}",
        f"create the environment {environment}, and allow only the default branch to deploy to it",
    )
    yield _Question(
        "pull requests",
        "/actions/permissions/workflow",
        lambda one: bool(one.get("can_approve_pull_request_reviews")),
        "workflows may open pull requests",
        "allow Actions to create pull requests: Settings, Actions, General",
    )
    yield _Question(
        "API's address",
        "/actions/variables?per_page=30",
        lambda one: "RECONCILER_API_URL" in _names(one, "variables"),
        "the variable RECONCILER_API_URL is set",
        "gh variable set RECONCILER_API_URL --body https://...",
    )
    for subject, path, option in (
        ("reading account", "/actions/secrets?per_page=100", ""),
        ("writing account", f"{place}/secrets?per_page=100", f" --env {environment}"),
    ):
        yield _Question(
            subject,
            path,
            lambda one: _has_login(_names(one, "secrets")),
            f"its secrets are set{option and f', in {environment}'}",
            f"gh secret set{option} RECONCILER_EMAIL && gh secret set{option} RECONCILER_PASSWORD",
        )


def _ask_about_workflow(workflow: str, branch: str) -> _Question:
    begin = "reconciler init --ci github --from OWNER/REPOSITORY@COMMIT; commit and push"
    # GitHub lists what is on the default branch, and switches off what has a schedule and was long idle.
    return _Question(
        "workflow",
        "/actions/workflows?per_page=100",
        lambda one: workflow in [known["path"] for known in one["workflows"] if known.get("state") == "active"],
        f"{workflow or 'a file in .github/workflows that plans pull requests'} is on {branch} and enabled",
        "commit and push it, or enable it again: Actions, Enable workflow" if workflow else begin,
    )


def _ask_gitlab(branch: str, environment: str) -> Iterator[_Question]:
    hint = "GITLAB_TOKEN needs the role Reporter and the scope api, to write notes and issues"
    yield _Question("token", _SELF, lambda one: "api" in (one.get("scopes") or []), "has the scope api", hint)
    yield _Question("token", "", lambda one: _find_role(one) >= _REPORTER, "has the role Reporter, or more", hint)
    yield _Question(
        "features",
        "",
        lambda one: "disabled" not in (one.get("issues_access_level"), one.get("merge_requests_access_level")),
        "issues and merge requests are enabled",
        "enable issues and merge requests: Settings, General, Visibility",
    )
    yield _Question(
        "pipeline",
        "/ci/lint",
        lambda one: bool(one.get("valid")) and "assistants-plan:" in str(one.get("merged_yaml")),
        f"{branch} has the jobs of ci/assistants.yml",
        "reconciler init --ci gitlab; add `include: [local: ci/assistants.yml]` to .gitlab-ci.yml; commit and push",
    )
    yield _Question(
        "branch",
        f"/protected_branches/{quote(branch, safe='')}",
        lambda one: not one.get("allow_force_push"),
        f"{branch} is protected, and nobody may force-push",
        f"glab api --method POST projects/:id/protected_branches -f name={branch}",
    )
    yield from _ask_variables(environment)
    yield _Question(
        "schedule",
        "/pipeline_schedules?per_page=100",
        lambda found: any(one.get("active") for one in found),
        "the nightly check has a schedule",
        'glab schedule create --cron "17 4 * * *" --ref main --description "Assistants, every night"',
    )


def _ask_gitlab_about_record(_branch: str, _environment: str) -> Iterator[_Question]:
    hint = "RECORD_TOKEN needs the role Developer and the scopes api and write_repository"
    yield _Question("RECORD_TOKEN", _SELF, lambda one: {*(one.get("scopes") or [])} >= _SCOPES, "has its scopes", hint)
    yield _Question("RECORD_TOKEN", "", lambda one: _find_role(one) >= _DEVELOPER, "may open merge requests", hint)


def _ask_variables(environment: str) -> Iterator[_Question]:
    for subject, told, hint, holds in (
        (
            "API's address",
            "the variable RECONCILER_API_URL is set",
            "glab variable set RECONCILER_API_URL https://...",
            lambda found: bool(_find(found, "RECONCILER_API_URL")),
        ),
        (
            "reading account",
            "its variables are set and not protected, so that merge requests get them",
            "glab variable set RECONCILER_EMAIL ...; then the password, masked",
            lambda found: _has_login(_find(found, scope="*", protected=False)),
        ),
        (
            "writing account",
            f"its variables are set, protected, only in the scope {environment}",
            f"glab variable set --scope {environment} --protected RECONCILER_EMAIL ...; then the password, masked",
            lambda found: _has_login(_find(found, scope=environment, protected=True)),
        ),
        (
            "GITLAB_TOKEN",
            "is set, for notes and issues",
            "a project access token, role Reporter, scope api, as a masked variable",
            lambda found: bool(_find(found, "GITLAB_TOKEN")),
        ),
        (
            "RECORD_TOKEN",
            "is set and protected, for the record and merge requests",
            "a project access token, role Developer, scopes api and write_repository, as a masked, protected variable",
            lambda found: bool(_find(found, "RECORD_TOKEN", protected=True)),
        ),
    ):
        yield _Question(subject, "/variables?per_page=100", holds, told, hint)


def _find_role(project: Any) -> int:
    """Return what a token may do in a project; who sees one without being a member is an administrator."""
    ways = filter(None, (project.get("permissions") or {}).values())
    return max((int(way["access_level"]) for way in ways), default=_DEVELOPER)


def _names(found: Any, key: str) -> set[str]:
    return {str(one.get("name")) for one in found.get(key) or []}


def _find(found: Any, name: str = "", *, scope: str = "", protected: bool | None = None) -> set[str]:
    return {
        str(one.get("key"))
        for one in found
        if name in ("", one.get("key"))
        and scope in ("", one.get("environment_scope"))
        and protected in (None, one.get("protected"))
    }


def _has_login(names: set[str]) -> bool:
    return names.issuperset(_LOGIN) or _TOKEN in names


def _ask(calls: Calls, path: str) -> tuple[Any, str]:
    """Return what the host answers; False if it says that there is no such thing, None if it does not say."""
    try:
        return calls.ask("GET", path), ""
    except HostError as error:
        return False if error.status == 404 else None, error.message
