"""Checks the setup at a host. Reads no value of a secret; what the token may not read is unknown, not a failure."""

import functools
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from reconciler.core.run import Requirement
from reconciler.dataclass import dataclass
from reconciler.errors import HostError
from reconciler.hosts.github_host import GitHub
from reconciler.hosts.gitlab_host import GitLab
from reconciler.hosts.host import Host
from reconciler.hosts.host_client import HostClient

_LOGIN = ("RECONCILER_EMAIL", "RECONCILER_PASSWORD")
_TOKEN = "RECONCILER_AUTH_TOKEN"  # noqa: S105 - a variable's name; it stands for the two
_SELF = "//personal_access_tokens/self"
_SCOPES = {"api", "write_repository"}  # of what pushes the record
_REPORTER, _DEVELOPER = 20, 30  # GitLab's levels of access


@dataclass(frozen=True, slots=True)
class _Question:
    """One GET below the repository's path, and what its answer must be."""

    subject: str
    path: str
    is_met: Callable[[Any], bool]
    detail: str
    hint: str
    fallback_path: str = ""  # if not met: it is met all the same if this path's answer is not empty


def check_protection(
    host: Host, environment: str, *, workflow: str = "", of_record: bool = False
) -> Iterator[Requirement]:
    """Yield each requirement and whether it is met; `environment` is the one that has the writing account.

    `workflow` is the file by which GitHub plans pull requests. `of_record` asks only whether the host's token may push
    the record and open requests.
    """
    if isinstance(host, GitHub):
        yield from _check(host, "repository", environment, functools.partial(_list_github_questions, workflow))
    elif isinstance(host, GitLab):
        list_questions = _list_record_questions if of_record else _list_gitlab_questions
        yield from _check(host, "project", environment, list_questions)


def _check(
    host: Host, kind: str, environment: str, list_questions: Callable[[str, str], Iterator[_Question]]
) -> Iterator[Requirement]:
    # Several questions may have one answer: GitLab lists all variables at once.
    base = host.path
    read_answer = functools.cache(lambda path: _read_answer(host.client, path))
    project, reason = read_answer(base)
    if not isinstance(project, dict):
        yield Requirement(kind, reason, "check the token, and which repository this is", met=False)
        return
    branch = str(project.get("default_branch") or "main")
    name = project.get("full_name") or project.get("path_with_namespace") or base.rpartition("/")[2]
    yield Requirement(kind, f"{name}, default branch {branch}")
    for question in list_questions(branch, environment):
        # What begins with `//` is no part of the repository.
        answer, reason = read_answer(question.path[1:] if question.path.startswith("//") else f"{base}{question.path}")
        try:
            met = None if answer is None else answer is not False and question.is_met(answer)
            if met is False and question.fallback_path:
                met = bool(read_answer(f"{base}{question.fallback_path}")[0])
        except (AttributeError, KeyError, TypeError):
            met, reason = None, "the answer cannot be understood"
        detail = f"unknown: {reason}" if met is None else question.detail if met else f"expected: {question.detail}"
        yield Requirement(question.subject, detail, "" if met else question.hint, met=met)


def _list_github_questions(workflow: str, branch: str, environment: str) -> Iterator[_Question]:
    place = f"/environments/{quote(environment, safe='')}"
    yield _make_workflow_question(workflow, branch)
    yield _Question(
        "branch",
        f"/branches/{quote(branch, safe='')}",
        lambda answer: bool(answer.get("protected")),
        f"{branch} is protected",
        f"add a ruleset for {branch} that requires a pull request and the check `plan / Plan`",
        fallback_path=f"/rules/branches/{quote(branch, safe='')}",  # rulesets, which the branch itself knows nothing of
    )
    yield _Question(
        "environment",
        place,
        lambda answer: bool(answer.get("deployment_branch_policy")),
        f"only some branches may deploy to {environment}",
        f"create the environment {environment}, and allow only the default branch to deploy to it",
    )
    yield _Question(
        "pull requests",
        "/actions/permissions/workflow",
        lambda answer: bool(answer.get("can_approve_pull_request_reviews")),
        "workflows may open pull requests",
        "allow Actions to create pull requests: Settings, Actions, General",
    )
    yield _Question(
        "API's address",
        "/actions/variables?per_page=30",
        lambda answer: "RECONCILER_API_URL" in _list_names(answer, "variables"),
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
            lambda answer: _has_login(_list_names(answer, "secrets")),
            f"its secrets are set{option and f', in {environment}'}",
            f"gh secret set{option} RECONCILER_EMAIL && gh secret set{option} RECONCILER_PASSWORD",
        )


def _make_workflow_question(workflow: str, branch: str) -> _Question:
    setup_hint = "reconciler init --ci github --from OWNER/REPOSITORY@COMMIT; commit and push"
    # GitHub lists what is on the default branch, and switches off what has a schedule and was long idle.
    return _Question(
        "workflow",
        "/actions/workflows?per_page=100",
        lambda answer: workflow in [entry["path"] for entry in answer["workflows"] if entry.get("state") == "active"],
        f"{workflow or 'a file in .github/workflows that plans pull requests'} is on {branch} and enabled",
        "commit and push it, or enable it again: Actions, Enable workflow" if workflow else setup_hint,
    )


def _list_gitlab_questions(branch: str, environment: str) -> Iterator[_Question]:
    hint = "GITLAB_TOKEN needs the role Reporter and the scope api, to write notes and issues"
    yield _Question("token", _SELF, lambda answer: "api" in (answer.get("scopes") or []), "has the scope api", hint)
    yield _Question("token", "", lambda answer: _find_role(answer) >= _REPORTER, "has the role Reporter, or more", hint)
    yield _Question(
        "features",
        "",
        lambda answer: "disabled" not in (answer.get("issues_access_level"), answer.get("merge_requests_access_level")),
        "issues and merge requests are enabled",
        "enable issues and merge requests: Settings, General, Visibility",
    )
    yield _Question(
        "pipeline",
        "/ci/lint",
        lambda answer: bool(answer.get("valid")) and "assistants-plan:" in str(answer.get("merged_yaml")),
        f"{branch} has the jobs of ci/assistants.yml",
        "reconciler init --ci gitlab; add `include: [local: ci/assistants.yml]` to .gitlab-ci.yml; commit and push",
    )
    yield _Question(
        "branch",
        f"/protected_branches/{quote(branch, safe='')}",
        lambda answer: not answer.get("allow_force_push"),
        f"{branch} is protected, and nobody may force-push",
        f"glab api --method POST projects/:id/protected_branches -f name={branch}",
    )
    yield from _list_variable_questions(environment)
    yield _Question(
        "schedule",
        "/pipeline_schedules?per_page=100",
        lambda answer: any(schedule.get("active") for schedule in answer),
        "the nightly check has a schedule",
        'glab schedule create --cron "17 4 * * *" --ref main --description "Assistants, every night"',
    )


def _list_record_questions(_branch: str, _environment: str) -> Iterator[_Question]:
    hint = "RECORD_TOKEN needs the role Developer and the scopes api and write_repository"
    name = "RECORD_TOKEN"
    yield _Question(name, _SELF, lambda answer: {*(answer.get("scopes") or [])} >= _SCOPES, "has its scopes", hint)
    yield _Question(name, "", lambda answer: _find_role(answer) >= _DEVELOPER, "may open merge requests", hint)


def _list_variable_questions(environment: str) -> Iterator[_Question]:
    for subject, detail, hint, is_met in (
        (
            "API's address",
            "the variable RECONCILER_API_URL is set",
            "glab variable set RECONCILER_API_URL https://...",
            lambda answer: bool(_find_variables(answer, "RECONCILER_API_URL")),
        ),
        (
            "reading account",
            "its variables are set and not protected, so that merge requests get them",
            "glab variable set RECONCILER_EMAIL ...; then the password, masked",
            lambda answer: _has_login(_find_variables(answer, scope="*", protected=False)),
        ),
        (
            "writing account",
            f"its variables are set, protected, only in the scope {environment}",
            f"glab variable set --scope {environment} --protected RECONCILER_EMAIL ...; then the password, masked",
            lambda answer: _has_login(_find_variables(answer, scope=environment, protected=True)),
        ),
        (
            "GITLAB_TOKEN",
            "is set, for notes and issues",
            "a project access token, role Reporter, scope api, as a masked variable",
            lambda answer: bool(_find_variables(answer, "GITLAB_TOKEN")),
        ),
        (
            "RECORD_TOKEN",
            "is set and protected, for the record and merge requests",
            "a project access token, role Developer, scopes api and write_repository, as a masked, protected variable",
            lambda answer: bool(_find_variables(answer, "RECORD_TOKEN", protected=True)),
        ),
    ):
        yield _Question(subject, "/variables?per_page=100", is_met, detail, hint)


def _find_role(project: Any) -> int:
    """Return what a token may do in a project; who sees one without being a member is an administrator."""
    grants = filter(None, (project.get("permissions") or {}).values())
    return max((int(grant["access_level"]) for grant in grants), default=_DEVELOPER)


def _list_names(answer: Any, key: str) -> set[str]:
    return {str(item.get("name")) for item in answer.get(key) or []}


def _find_variables(variables: Any, name: str = "", *, scope: str = "", protected: bool | None = None) -> set[str]:
    return {
        str(variable.get("key"))
        for variable in variables
        if name in ("", variable.get("key"))
        and scope in ("", variable.get("environment_scope"))
        and protected in (None, variable.get("protected"))
    }


def _has_login(names: set[str]) -> bool:
    return names.issuperset(_LOGIN) or _TOKEN in names


def _read_answer(client: HostClient, path: str) -> tuple[Any, str]:
    """Return what the host answers; False if it says that there is no such thing, None if it does not say."""
    try:
        return client.request("GET", path), ""
    except HostError as error:
        return False if error.status == 404 else None, error.message
