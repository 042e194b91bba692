"""Detects the host from the variables that its CI sets. There are no options for this."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reconciler.errors import UsageError
from reconciler.hosts.github_host import GitHub
from reconciler.hosts.gitlab_host import GitLab
from reconciler.hosts.host import Host, get_group
from reconciler.hosts.host_client import HostClient

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
# The forms that git accepts: https://host/path.git, ssh://git@host/path.git, git@host:path.git.
_ORIGIN = re.compile(
    r"(?:(?:https|ssh)://(?:[^@/]+@)?|[^@/]+@)(?P<host>[\w.-]+)(?::\d+)?[/:](?P<path>[\w./-]+?)(?:\.git)?/?"
)
# A merge queue deletes its branches, so they do not count.
_BRANCH = re.compile(r"refs/heads/(?!gh-readonly-queue/)(.+)")
_LARGEST_EVENT = 32 * 1024 * 1024  # bytes


def find_host(variables: Mapping[str, str], *, allow_insecure_http: bool = False) -> Host:
    """Return the host whose CI has set its variables. Raises UsageError that names what is missing."""
    # A mirrored project's pipeline in GitLab may also have GitHub's variables; GITLAB_CI decides.
    if variables.get("GITLAB_CI") == "true" or ("CI_API_V4_URL" in variables and "GITHUB_REPOSITORY" not in variables):
        return _find_gitlab(variables, allow_insecure_http=allow_insecure_http)
    if "GITHUB_REPOSITORY" in variables:
        return _find_github(variables, allow_insecure_http=allow_insecure_http)
    message = "this is not a job of GitHub or GitLab: neither GITHUB_REPOSITORY nor CI_API_V4_URL is set"
    hint = "run this in a workflow or a pipeline, or set the same variables"
    raise UsageError(message, hint=hint)


def find_variables(variables: Mapping[str, str], origin: str) -> dict[str, str]:
    """Return the variables that a CI would set for a clone of `origin`; none if the host is unknown."""
    # A clone may have any address, so the address alone never decides where a token goes.
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        return {}
    host, path = match["host"].lower(), match["path"]
    if host == "gitlab.com" or host == variables.get("GITLAB_HOST", "").rstrip("/").rpartition("/")[2].lower():
        return {"CI_API_V4_URL": f"https://{host}/api/v4", "CI_PROJECT_ID": path, "GITLAB_CI": "true"}
    if host == "github.com":
        return {"GITHUB_REPOSITORY": path}
    if host == variables.get("GH_HOST", "").lower():
        return {"GITHUB_REPOSITORY": path, "GITHUB_API_URL": f"https://{host}/api/v3"}
    return {}


def _find_github(variables: Mapping[str, str], *, allow_insecure_http: bool) -> GitHub:
    token = _require_token(variables, "GITHUB_TOKEN", "GH_TOKEN")
    repository = variables["GITHUB_REPOSITORY"]
    if not _REPOSITORY.fullmatch(repository):
        raise UsageError(f"GITHUB_REPOSITORY is {repository!r}, not OWNER/NAME")
    url, header = variables.get("GITHUB_API_URL") or "https://api.github.com", ("Authorization", f"Bearer {token}")
    client = HostClient("GitHub", url, header, token, allow_insecure_http=allow_insecure_http)
    ref = variables.get("GITHUB_REF", "")
    server, run = variables.get("GITHUB_SERVER_URL"), variables.get("GITHUB_RUN_ID")
    number, commit = _find_pull_request(_read_event(variables.get("GITHUB_EVENT_PATH")), ref)
    return GitHub(
        client=client,
        path=f"/repos/{repository}",
        number=number,
        run_url=f"{server}/{repository}/actions/runs/{run}" if server and run else "",
        commit=variables.get("GITHUB_SHA", "") if commit is None else commit,
        branch=match[1] if (match := _BRANCH.fullmatch(ref)) else "",
    )


def _find_gitlab(variables: Mapping[str, str], *, allow_insecure_http: bool) -> GitLab:
    token = _require_token(variables, "GITLAB_TOKEN")
    for name in ("CI_API_V4_URL", "CI_PROJECT_ID"):
        if not variables.get(name):
            raise UsageError(f"{name} is not set, and GitLab's CI always sets it")
    number, url = variables.get("CI_MERGE_REQUEST_IID", ""), variables["CI_API_V4_URL"]
    # A fork's pipeline runs in the fork, where this number may belong to another merge request.
    project = variables.get("CI_MERGE_REQUEST_PROJECT_ID") or variables["CI_PROJECT_ID"]
    return GitLab(
        client=HostClient("GitLab", url, ("PRIVATE-TOKEN", token), token, allow_insecure_http=allow_insecure_http),
        path=f"/projects/{quote(project, safe='', errors='surrogatepass')}",
        number=int(number) if re.fullmatch(r"[0-9]{1,18}", number) else None,
        run_url=variables.get("CI_PIPELINE_URL", ""),
        commit=variables.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or variables.get("CI_COMMIT_SHA", ""),
        branch=variables.get("CI_COMMIT_BRANCH", ""),
    )


def _require_token(variables: Mapping[str, str], *names: str) -> str:
    token = next((variables[name] for name in names if variables.get(name)), "").strip()
    # A header allows nothing else. Anything else is no token, but may be a password in the wrong variable.
    if not token or not token.isascii() or not token.isprintable():
        hint = "on GitHub, a job has it as `${{ github.token }}`; on GitLab, it is an access token with the scope api"
        raise UsageError(f"{names[0]} is not set, or is not a token", hint=hint)
    return token


def _read_event(path: str | None) -> dict[str, Any]:
    """Return the event that started the run, or {} if there is none. Raises UsageError."""
    if not path:
        return {}
    try:
        with Path(path).open("rb") as file:
            event = json.loads(file.read(_LARGEST_EVENT))
    except FileNotFoundError:
        return {}  # as in a container that got only the variables
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"the event in GITHUB_EVENT_PATH cannot be read: {error}") from None
    return event if isinstance(event, dict) else {}


def _find_pull_request(event: Mapping[str, Any], ref: str) -> tuple[int | None, str | None]:
    """Return the number of the pull request that an event is about, and its commit.

    The commit is None if GITHUB_SHA is the right one, and "" if the event does not name it.
    """
    # GITHUB_SHA is a temporary merge commit for a pull request, and the head of the default branch for a comment or a
    # workflow run.
    pull_request, issue = get_group(event, "pull_request"), get_group(event, "issue")
    if type(pull_request.get("number")) is int:
        return pull_request["number"], str(get_group(pull_request, "head").get("sha") or "")
    if "pull_request" in issue and type(issue.get("number")) is int:
        return issue["number"], ""
    run = get_group(event, "workflow_run")
    numbers = _list_numbers(run, get_group(event, "repository").get("id"))
    if len(numbers) == 1:
        return numbers.pop(), str(run.get("head_sha") or "")
    # Without an event, the ref has the number.
    match = re.fullmatch(r"refs/pull/([0-9]{1,18})/(?:merge|head)", ref)
    return int(match[1]) if match else None, None


def _list_numbers(run: Mapping[str, Any], repository: Any) -> set[int]:
    """Return the pull requests of a workflow run, if its branch is in this repository."""
    # A fork can give its branch the name and the commit of a branch here, so runs of forks are ignored. A request
    # from here to a fork is also listed, but its number belongs to the fork.
    listed = run.get("pull_requests")
    requests = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return {
        item["number"]
        for item in requests
        if type(item.get("number")) is int
        and repository is not None
        and get_group(run, "head_repository").get("id") == repository
        and all(get_group(get_group(item, side), "repo").get("id") == repository for side in ("head", "base"))
    }
