"""`doctor` names each thing that a setup lacks, and is green where nothing does."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from stories import REF, Story, story
from two_hosts import GITHUB, GITLAB, TOKEN, Hosts, running_hosts

from reconciler.hosts.ci_variables import find_variables

ROOT = Path(__file__).parents[2]
LeftOut = tuple[int, dict[str, object], list[str]]


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Story]:
    """A project that lacks nothing."""
    with story(tmp_path / "work", {"a": {"firstMessage": "old"}}) as repo:
        repo.project.configure(record=True)
        repo.write("a", firstMessage="old")
        repo.commit()
        repo.apply_and_record()
        repo.sandbox.forget_requests()
        yield repo


def list_missing(repo: Story, *arguments: str, **env: str) -> list[str]:
    """The subjects of what is missing; the exit code says the same."""
    result = repo.run("doctor", *arguments, env=env)
    lines = result.stdout.splitlines()
    assert all(line[:8] in ("ok      ", "missing ", "unknown ") for line in lines)
    subjects = [line[8:].partition(":")[0] for line in lines if line.startswith("missing")]
    assert all(re.search(r"[^.?][.?] To do: ", line) for line in lines if line.startswith("missing"))
    assert result.code == int(bool(subjects)), result.stdout
    return subjects


def test_a_set_up_that_lacks_nothing_is_green_and_nothing_is_written(repo: Story) -> None:
    assert list_missing(repo) == []
    assert {method for method, path, _ in repo.sandbox.requests if path != "/auth/login"} == {"GET"}


def test_an_unclear_write_is_missing_as_long_as_an_apply_would_send_it_again(repo: Story) -> None:
    repo.write("a", firstMessage="new")
    repo.commit()
    repo.sandbox.rehearse("PATCH *: 500")
    repo.apply()
    repo.sandbox.mend()
    assert list_missing(repo) == ["unclear write"]
    repo.write("a", name="A")
    repo.commit()
    repo.apply()
    assert list_missing(repo) == []
    assert "unknown unclear write: the outcome of the last write of assistants/a.yaml" in repo.run("doctor").stdout


def test_each_thing_that_is_missing_is_named(repo: Story) -> None:
    assert list_missing(repo, RECONCILER_PASSWORD="wrong") == ["login"]
    assert list_missing(repo, RECONCILER_API_URL="") == ["URL"]
    assert list_missing(repo, RECONCILER_API_URL="ftp://x") == ["URL"]
    assert list_missing(repo, RECONCILER_PASSWORD="", RECONCILER_AUTH_TOKEN="") == ["login"]
    repo.write("a", firstMessage="old", id="asst_gone")
    assert list_missing(repo) == ["reading"]
    repo.write("a", "id: asst_a\nnmae: x\n")
    assert list_missing(repo) == ["definitions"]
    repo.git("checkout", "--quiet", ".")
    record = repo.record
    repo.git("update-ref", "-d", REF)
    assert list_missing(repo) == ["record"]
    repo.git("update-ref", REF, str(record))
    repo.project.configure(record=True, org_id="org_other")
    assert list_missing(repo) == ["organisation"]
    # Whatever `validate` refuses in the pipeline.
    expired = {"assistants": ["*"], "reason": "exams", "expires": "2020-01-01"}
    repo.project.configure(record=True, frozen=[expired])
    assert list_missing(repo) == ["definitions"]
    repo.project.configure(record=True, environments={"staging": {"api_url": repo.sandbox.url}})
    repo.write("a", "firstMessage: old\n")
    result = repo.run("doctor")
    assert "no environment is selected. To do: pass --environment NAME" in result.stdout
    (repo.root / "reconciler.yaml").write_text("recrod: true\n")
    assert list_missing(repo) == ["settings"]


def test_outside_of_git_that_is_what_is_missing(tmp_path: Path, repo: Story) -> None:
    (repo.root / ".git").rename(tmp_path / "gone")
    assert list_missing(repo) == ["git"]


def test_a_repository_that_git_refuses_is_not_a_fault_of_the_settings(repo: Story) -> None:
    assert list_missing(repo, GIT_TEST_ASSUME_DIFFERENT_OWNER="1") == ["git"]
    assert list_missing(repo, PATH="/nowhere") == ["git"]


REPOSITORY = f"{GITHUB}/repos/north/field"
SECRETS = {"secrets": [{"name": "RECONCILER_EMAIL"}, {"name": "RECONCILER_PASSWORD"}]}
CALLER = ".github/workflows/assistants.yml"
# What a repository has after the steps of docs/ci.md, by the address at which GitHub says so.
AT_GITHUB: dict[str, object] = {
    REPOSITORY: {"default_branch": "main"},
    f"{REPOSITORY}/actions/workflows": {"workflows": [{"path": CALLER, "state": "active"}]},
    f"{REPOSITORY}/branches/main": {"protected": False},
    f"{REPOSITORY}/rules/branches/main": [{"type": "pull_request"}],  # of which a branch itself says nothing
    f"{REPOSITORY}/environments/production": {"deployment_branch_policy": {"custom_branch_policies": True}},
    f"{REPOSITORY}/environments/production/secrets": SECRETS,
    f"{REPOSITORY}/actions/permissions/workflow": {"can_approve_pull_request_reviews": True},
    f"{REPOSITORY}/actions/variables/RECONCILER_API_URL": {"name": "RECONCILER_API_URL"},
    f"{REPOSITORY}/actions/secrets": SECRETS,
}
# The step that was left out, what GitHub says then, and what is named.
LEFT_OUT_AT_GITHUB: list[LeftOut] = [
    (1, {}, ["workflow"]),
    (2, {}, ["definitions"]),
    (3, {f"{REPOSITORY}/actions/workflows": {"workflows": []}}, ["workflow"]),
    (
        3,
        {f"{REPOSITORY}/actions/workflows": {"workflows": [{"path": CALLER, "state": "disabled_inactivity"}]}},
        ["workflow"],
    ),
    (4, {f"{REPOSITORY}/actions/variables/RECONCILER_API_URL": {"name": ""}}, ["API URL"]),
    (5, {f"{REPOSITORY}/actions/secrets": {"secrets": SECRETS["secrets"][:1]}}, ["reading account"]),
    (7, {f"{REPOSITORY}/environments/production": {"deployment_branch_policy": None}}, ["environment"]),
    (7, {f"{REPOSITORY}/environments/production/secrets": {"secrets": []}}, ["writing account"]),
    (8, {f"{REPOSITORY}/actions/permissions/workflow": {"can_approve_pull_request_reviews": False}}, ["pull requests"]),
    (9, {}, ["record"]),
    (10, {f"{REPOSITORY}/rules/branches/main": []}, ["branch"]),
    # And what a token may not ask, or what is no answer.
    (0, {f"{REPOSITORY}/actions/workflows": None, f"{REPOSITORY}/environments/production/secrets": None}, []),
    (0, {f"{REPOSITORY}/actions/workflows": {"odd": 1}}, []),
    # What the organization has for all of its repositories, and where that may not be asked.
    (
        0,
        {
            f"{REPOSITORY}/actions/variables/RECONCILER_API_URL": {"name": ""},
            f"{REPOSITORY}/actions/organization-variables": {
                "total_count": 42,
                "variables": [*({"name": f"A{number}"} for number in range(41)), {"name": "RECONCILER_API_URL"}],
            },
            f"{REPOSITORY}/actions/secrets": {"secrets": []},
            f"{REPOSITORY}/actions/organization-secrets": SECRETS,
        },
        [],
    ),
    (0, {f"{REPOSITORY}/rules/branches/main": None}, []),
    (0, {REPOSITORY: False}, ["repository"]),
]


def test_each_step_at_github_that_was_left_out_is_named(repo: Story) -> None:
    file, caller, record = repo.root / "assistants" / "a.yaml", repo.root / CALLER, str(repo.record)
    caller.parent.mkdir(parents=True)
    text = (ROOT / "reconciler" / "starter" / "github" / "assistants.yml").read_text("utf-8")
    with running_hosts() as hosts:
        job = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "north/field",
            "GITHUB_API_URL": f"{hosts.url}{GITHUB}",
            "GITHUB_TOKEN": TOKEN,
        }
        for step, facts, missing in [(0, {}, []), *LEFT_OUT_AT_GITHUB]:
            hosts.facts = {**AT_GITHUB, **facts}
            # As it is packaged, it names nothing that GitHub could call.
            caller.write_text(text if step == 1 else text.replace("@COMMIT", f"@{'a' * 40}"), "utf-8")
            if step == 2:
                file.unlink()
            if step == 9:
                repo.git("update-ref", "-d", REF)
            assert list_missing(repo, **job) == missing, (step, facts)
            repo.git("checkout", "--quiet", ".")
            repo.git("update-ref", REF, record)
        hosts.facts = AT_GITHUB
        assert list_missing(repo, **{**job, "GITHUB_TOKEN": ""}) == ["CI"]
        for name in ("live", "caf\udcff"):  # a byte that is not UTF-8
            assert list_missing(repo, "--protected-environment", name, **job) == ["environment", "writing account"]
        hosts.facts = {REPOSITORY: ["odd"]}
        assert "repository: the answer cannot be understood. To do:" in repo.run("doctor", env=job).stdout


PROJECT = f"{GITLAB}/projects/north%2Ffield"
LOGIN = ("RECONCILER_EMAIL", "RECONCILER_PASSWORD")


def variable(key: str, scope: str = "*", *, protected: bool = False) -> dict[str, object]:
    return {"key": key, "environment_scope": scope, "protected": protected, "value": "s3cret-value"}


VARIABLES = [
    *map(variable, ("RECONCILER_API_URL", "GITLAB_TOKEN", *LOGIN)),
    *(variable(name, "production", protected=True) for name in LOGIN),
    variable("RECORD_TOKEN", protected=True),
]
# What a project has after the steps of docs/ci.md, by the address at which GitLab says so.
COMPLETE: dict[str, object] = {
    PROJECT: {
        "default_branch": "main",
        "path_with_namespace": "north/field",
        "issues_access_level": "enabled",
        "permissions": {"project_access": {"access_level": 20}, "group_access": None},
    },
    f"{GITLAB}/personal_access_tokens/self": {"scopes": ["api"]},
    f"{PROJECT}/ci/lint": {"valid": True, "merged_yaml": "assistants-plan:\n  script: x"},
    f"{PROJECT}/protected_branches/main": {"name": "main", "allow_force_push": False},
    f"{PROJECT}/variables": VARIABLES,
    f"{PROJECT}/pipeline_schedules": [{"active": True}],
}


def without_variables(*removed: dict[str, object]) -> dict[str, object]:
    variables = [one for one in VARIABLES if one not in removed]
    return {f"{PROJECT}/variables": variables, "project": {"inheritedCiVariables": {"nodes": []}}}


def inherited(*variables: dict[str, object]) -> dict[str, object]:
    """What the groups of the project have instead of it."""
    return {**without_variables(*variables), "project": {"inheritedCiVariables": {"nodes": [*variables]}}}


@pytest.fixture(scope="module")
def gitlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Story, Hosts]]:
    """A project at GitLab that lacks nothing."""
    with story(tmp_path_factory.mktemp("gitlab") / "work", {"a": {"firstMessage": "old"}}) as repo:
        repo.project.configure(record=True)
        repo.write("a", firstMessage="old")
        repo.commit()
        repo.apply_and_record()
        with running_hosts() as hosts:
            yield repo, hosts


ACCOUNTS = ["reading account", "writing account"]
LEFT_OUT: list[LeftOut] = [
    (1, {f"{PROJECT}/ci/lint": {"valid": True, "merged_yaml": "test:\n  script: x"}}, ["pipeline"]),
    (1, {f"{PROJECT}/ci/lint": {"valid": False, "merged_yaml": None}}, ["pipeline"]),
    (2, {}, ["definitions"]),
    (3, without_variables(variable("RECONCILER_API_URL")), ["API URL"]),
    (4, without_variables(*map(variable, LOGIN)), ["reading account"]),
    (5, {f"{GITLAB}/personal_access_tokens/self": {"scopes": ["read_api"]}}, ["token"]),
    (5, {PROJECT: {"permissions": {"project_access": {"access_level": 10}}}}, ["token"]),
    (6, without_variables(variable("GITLAB_TOKEN")), ["GITLAB_TOKEN"]),
    (8, without_variables(*(variable(name, "production", protected=True) for name in LOGIN)), ["writing account"]),
    (8, {f"{PROJECT}/protected_branches/main": {"allow_force_push": True}}, ["branch"]),
    # Whoever may push a branch reads what is not protected.
    (9, {**inherited(), f"{PROJECT}/variables": [*VARIABLES[:-1], variable("RECORD_TOKEN")]}, ["RECORD_TOKEN"]),
    (9, {f"{PROJECT}/pipeline_schedules": [{"active": False}]}, ["schedule"]),
    (10, {}, ["record"]),
    # And what a project may have switched off.
    (0, {PROJECT: {"issues_access_level": "disabled"}}, ["features"]),
    (0, {f"{PROJECT}/variables": {"odd": 1}}, []),
    (0, {PROJECT: {"permissions": {"project_access": {"access_level": "odd"}}}}, []),
    (0, {f"{PROJECT}/variables": [variable(f"OTHER_{number}") for number in range(150)] + VARIABLES}, []),
    (0, {f"{PROJECT}/protected_branches/main": None, f"{PROJECT}/ci/lint": None}, []),
    # What the project's groups have for all of their projects, where that may be asked, and where not.
    (0, inherited(variable("RECONCILER_API_URL"), variable("GITLAB_TOKEN"), variable(LOGIN[1])), []),
    (0, inherited(*(variable(name, "production", protected=True) for name in LOGIN)), []),
    (4, inherited(variable(LOGIN[0])) | {f"{PROJECT}/variables": VARIABLES[:2]}, [*ACCOUNTS, "RECORD_TOKEN"]),
    (0, {f"{PROJECT}/variables": [], "project": None}, []),
    (
        0,
        {
            f"{PROJECT}/variables": [],
            "project": {"inheritedCiVariables": {"nodes": [], "pageInfo": {"hasNextPage": 1}}},
        },
        [],
    ),
]


@pytest.mark.parametrize(("step", "facts", "missing"), [(0, {}, []), *LEFT_OUT])
def test_each_step_at_gitlab_that_was_left_out_is_named(
    gitlab: tuple[Story, Hosts], step: int, facts: dict[str, object], missing: list[str]
) -> None:
    repo, hosts = gitlab
    hosts.facts = {**COMPLETE, **facts}
    job = {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": f"{hosts.url}{GITLAB}",
        "CI_PROJECT_ID": "north/field",
        "GITLAB_TOKEN": TOKEN,
    }
    file, record = repo.root / "assistants" / "a.yaml", str(repo.record)
    if step == 2:
        file.rename(repo.root / "a.yaml")
    if step == 10:
        repo.git("update-ref", "-d", REF)
    try:
        assert list_missing(repo, **job) == missing
    finally:
        if step == 2:
            (repo.root / "a.yaml").rename(file)
        repo.git("update-ref", REF, record)


def test_at_gitlab_a_url_of_the_settings_is_enough(gitlab: tuple[Story, Hosts]) -> None:
    """As that of each environment: one variable would be wrong for all but one of them."""
    repo, hosts = gitlab
    hosts.facts = {**COMPLETE, **without_variables(variable("RECONCILER_API_URL"))}
    job = {"GITLAB_CI": "true", "CI_API_V4_URL": f"{hosts.url}{GITLAB}", "CI_PROJECT_ID": "north/field"}
    settings = repo.root / "reconciler.yaml"
    before = settings.read_text("utf-8")
    settings.write_text(f"{before}api_url: {repo.sandbox.url}\n", "utf-8")
    try:
        assert list_missing(repo, **job, GITLAB_TOKEN=TOKEN, RECONCILER_API_URL="") == []
    finally:
        settings.write_text(before, "utf-8")


@pytest.mark.parametrize(
    ("heading", "left_out", "seen"), [("GitHub: the settings", LEFT_OUT_AT_GITHUB, 6), ("GitLab", LEFT_OUT, 7)]
)
def test_the_page_lists_these_steps_and_at_most_ten(heading: str, left_out: list[LeftOut], seen: int) -> None:
    page = (ROOT / "docs" / "ci.md").read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    steps = [int(number) for number in re.findall(r"^(\d+)\. ", page, re.MULTILINE)]
    assert steps == [*range(1, 11)]
    # One is the request in which all of it is seen.
    assert {step for step, _, _ in left_out} - {0} == {*steps} - {seen}


def test_in_gitlab_s_protected_pipeline_the_other_token_is_asked_about_too(gitlab: tuple[Story, Hosts]) -> None:
    repo, hosts = gitlab
    hosts.facts = COMPLETE
    job = {"GITLAB_CI": "true", "CI_API_V4_URL": f"{hosts.url}{GITLAB}", "CI_PROJECT_ID": "north/field"}
    tokens = {"GITLAB_TOKEN": TOKEN, "RECORD_TOKEN": TOKEN}
    assert list_missing(repo, **job, **tokens) == ["RECORD_TOKEN", "RECORD_TOKEN"]
    hosts.facts = {
        **COMPLETE,
        PROJECT: {"permissions": {"group_access": {"access_level": 30}}},
        f"{GITLAB}/personal_access_tokens/self": {"scopes": ["api", "write_repository"]},
    }
    assert list_missing(repo, **job, **tokens) == []


def test_an_account_that_may_do_more_or_less_than_its_job_wants_is_missing(repo: Story) -> None:
    assert list_missing(repo, "--account", "writes") == []
    assert list_missing(repo, "--account", "reads") == ["account"]
    viewer = {"RECONCILER_EMAIL": "viewer@sandbox.test"}
    assert list_missing(repo, "--account", "reads", **viewer) == []
    assert list_missing(repo, "--account", "writes", **viewer) == ["account"]


@pytest.mark.parametrize(
    ("origin", "variables", "found"),
    [
        ("https://github.com/north/field.git", {}, {"GITHUB_REPOSITORY": "north/field"}),
        ("git@github.com:north/field.git", {}, {"GITHUB_REPOSITORY": "north/field"}),
        ("ssh://git@gitlab.com/a/b/c", {}, {"CI_PROJECT_ID": "a/b/c", "CI_API_V4_URL": "https://gitlab.com/api/v4"}),
        ("https://u:p@git.test/a/b.git", {"GITLAB_HOST": "https://git.test"}, {"CI_PROJECT_ID": "a/b"}),
        ("https://git.test/a/b.git", {"GITLAB_HOST": "https://git.test/"}, {"CI_PROJECT_ID": "a/b"}),
        ("https://git.test/a/b.git", {"GH_HOST": "git.test"}, {"GITHUB_API_URL": "https://git.test/api/v3"}),
        # A token goes to no server that only a clone's address names.
        ("https://evil.test/a/b.git", {}, {}),
        ("https://github.com.evil.test/a/b.git", {}, {}),
        ("https://github.com@evil.test/a/b.git", {}, {}),
        ("https://evil.test/github.com/a.git", {"GITLAB_HOST": "gitlab.com"}, {}),
        ("ext::sh -c x", {}, {}),
        ("/srv/git/field.git", {}, {}),
        ("", {"GH_HOST": "", "GITLAB_HOST": ""}, {}),
    ],
)
def test_where_a_token_of_a_laptop_goes(origin: str, variables: dict[str, str], found: dict[str, str]) -> None:
    assert find_variables(variables, origin).items() >= found.items()
    assert bool(find_variables(variables, origin)) is bool(found)


def test_on_a_laptop_the_host_is_asked_where_there_is_a_token(repo: Story) -> None:
    repo.git("remote", "add", "origin", "https://github.com/north/field.git")
    result = repo.run("doctor")
    assert "unknown host: variables and protection were not checked" in result.stdout
    assert result.code == 0
    # A server that only the clone's address names gets no token, and that is not silent.
    repo.git("remote", "set-url", "origin", "https://git.test/north/field.git")
    assert "host: " not in repo.run("doctor").stdout
    result = repo.run("doctor", env={"GH_TOKEN": TOKEN})
    assert (result.code, "To do: set GH_HOST or GITLAB_HOST" in result.stdout) == (0, True)
