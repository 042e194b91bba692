"""Checks the setup at a host. Reads no secret. What the token may not read is unknown, not a failure.

protection.yaml contains the questions; this module asks them, and has the checks that they name.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

import yaml

from reconciler.core.run import Requirement
from reconciler.errors import HostError
from reconciler.hosts.github_host import GitHub
from reconciler.hosts.gitlab_host import GitLab
from reconciler.hosts.host import Host
from reconciler.hosts.host_client import PAGE_SIZE

_TABLE: Final = Path(__file__).with_name("protection.yaml")
_LOGIN: Final = {"RECONCILER_EMAIL", "RECONCILER_PASSWORD"}
_TOKEN: Final = "RECONCILER_AUTH_TOKEN"  # noqa: S105 - a variable's name; it stands for both
_DEVELOPER: Final = 30  # an access level of GitLab


def check_protection(
    host: Host, environment: str, *, workflow: str = "", has_url: bool = False, of_record: bool = False
) -> Iterator[Requirement]:
    """Yield each requirement and whether it is met. `environment` has the writing account.

    `workflow` is the file that plans pull requests on GitHub. With `has_url`, reconciler.yaml has the API's URL, which
    is enough for the jobs of GitLab. With `of_record`, the only question is whether GitLab's token may push the record
    and open requests.
    """
    kind, groups = "project", ["gitlab"] if has_url else ["gitlab without a URL", "gitlab"]
    if of_record:
        groups = ["gitlab record"]
    if isinstance(host, GitHub):
        kind, groups = "repository", ["github with a workflow" if workflow else "github without a workflow", "github"]
    # Several questions may need the same answer: GitLab lists all variables at once.
    read_answer = functools.cache(functools.partial(_read_answer, host))
    project, reason = read_answer("")
    if not isinstance(project, dict):
        detail = reason or "the answer cannot be understood"
        yield Requirement(kind, detail, "check the token, and which repository this is", met=False)
        return
    branch = str(project.get("default_branch") or "main")
    name = project.get("full_name") or project.get("path_with_namespace") or host.path.rpartition("/")[2]
    yield Requirement(kind, f"{name}, default branch {branch}")
    names = {"branch": branch, "environment": environment, "workflow": workflow, "project": str(name)}
    quoted = {key: quote(text, safe="", errors="surrogatepass") for key, text in names.items()}
    table = yaml.load(_TABLE.read_text("utf-8"), Loader=yaml.CSafeLoader)

    def judge(question: Mapping[str, Any]) -> tuple[bool | None, str]:
        answer, reason = read_answer(question["path"].format(**quoted))
        check, *wanted = (part.format(**names) if isinstance(part, str) else part for part in question["check"])
        try:
            return (None, reason) if answer is None else (answer is not False and _CHECKS[check](answer, *wanted), "")
        except (AttributeError, KeyError, TypeError, ValueError):
            return None, "the answer cannot be understood"

    for row in (row for group in groups for row in table[group]):
        met, reason = judge(row)
        if met is False and "fallback" in row:
            met, reason = judge({**row, **row["fallback"]})
        expected, hint = row["expected"].format(**names), row["hint"].format(**names)
        detail = f"could not be checked: {reason}" if met is None else expected if met else f"expected: {expected}"
        yield Requirement(row["subject"], detail, "" if met else hint, met=met)


def _has_role(project: Any, level: int) -> bool:
    # Somebody who sees a project without being a member is an administrator.
    grants = filter(None, (project.get("permissions") or {}).values())
    return max((int(grant["access_level"]) for grant in grants), default=_DEVELOPER) >= level


def _has_account(variables: Any, scope: str, protected: bool) -> bool:
    kind = (scope, protected)
    matching = (each for each in variables if (each.get("environment_scope"), each.get("protected")) == kind)
    return _is_login({each.get("key") for each in matching})


def _is_login(names: set[Any]) -> bool:
    return names >= _LOGIN or _TOKEN in names


def _list_names(answer: Any, key: str) -> set[Any]:
    return {item.get("name") for item in answer.get(key) or []}


_CHECKS: Final[Mapping[str, Callable[..., bool]]] = {
    "is_set": lambda answer, key: bool(answer.get(key)),
    "is_filled": bool,
    "is_unset": lambda answer, key: not answer.get(key),
    "is_enabled": lambda answer, *keys: "disabled" not in map(answer.get, keys),
    "has_workflow": lambda answer, path: path in [x["path"] for x in answer["workflows"] if x.get("state") == "active"],
    "has_name": lambda answer, key, name: name in _list_names(answer, key),
    "has_secrets": lambda answer: _is_login(_list_names(answer, "secrets")),
    "has_scopes": lambda answer, *scopes: {*(answer.get("scopes") or [])}.issuperset(scopes),
    "has_role": _has_role,
    "has_job": lambda answer, job: bool(answer.get("valid")) and job in str(answer.get("merged_yaml")),
    "has_variable": lambda answer, name, protected=None: any(
        variable.get("key") == name and protected in (None, variable.get("protected")) for variable in answer
    ),
    "has_account": _has_account,
    "has_active": lambda answer: any(schedule.get("active") for schedule in answer),
}


def _read_answer(host: Host, path: str) -> tuple[Any, str]:
    """Return the host's answer; False if it says that there is no such thing, None if it does not say."""
    try:
        if path.startswith("inherited:") and isinstance(host, GitLab):
            own = host.client.list_all(f"{host.path}/variables")
            return [*own, *host.list_inherited_variables(unquote(path.partition(":")[2]))], ""
        # A path that begins with `//` is not below the repository.
        path = path[1:] if path.startswith("//") else f"{host.path}{path}"
        answer, plain = host.client.request("GET", path), path.partition("?")[0]
        # GitHub counts the entries of all pages. At GitLab, a full page may be the first of several.
        for key, entries in answer.items() if isinstance(answer, dict) and "total_count" in answer else ():
            if isinstance(entries, list) and len(entries) != answer["total_count"]:
                return {key: [*host.client.list_all(plain, key)]}, ""
        is_page = isinstance(answer, list) and len(answer) == PAGE_SIZE
        return [*host.client.list_all(plain)] if is_page else answer, ""
    except HostError as error:
        return False if error.status == 404 else None, error.message
