"""`reconciler propose`."""

import os
from pathlib import Path

import click

from reconciler.cli.help import declare_command
from reconciler.cli.hosted import insecure_option, name_option, show_result
from reconciler.cli.options import directory_option
from reconciler.core.run import Edits
from reconciler.errors import RepositoryError
from reconciler.git.working_tree import read_edits
from reconciler.hosts.ci_variables import find_host
from reconciler.hosts.keep import keep_request
from reconciler.report.differences.values import escape
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.project import Project
from reconciler.usecases.project.reading import read_bare_project

# propose-KIND.md has the title and the text of a request. Each paragraph is one line: GitHub shows every line end.
_KINDS = ("accept", "ids", "retire")


@declare_command(
    "propose", ("reconciler propose", "After `reconciler pull`, open a request that accepts the live edits")
)
@name_option
@click.option(
    "--kind",
    type=click.Choice(_KINDS),
    default="accept",
    show_default=True,
    help="What the request contains: live edits, ids of new assistants, or removed files.",
)
@insecure_option
@directory_option
def command(choices: Choices, name: str, kind: str, allow_insecure_http: bool) -> int:
    """Open one pull or merge request with what an earlier command has written into the definitions.

    Commits what differs from HEAD, in the definitions' folder and in the environment's overlays, to a new branch,
    through the host's API. If the edits change, a new request replaces the old one. If nothing differs any more, the
    request is closed. A request that people have closed or added commits to is left alone.
    """
    # The host comes first: outside a pipeline, there is no host to open a request at.
    host = find_host(os.environ, allow_insecure_http=allow_insecure_http)
    project = read_bare_project(choices)
    host.require_branch()
    subject = name or project.settings.environment or "assistants"
    text = Path(__file__).with_name(f"propose-{kind}.md").read_text("utf-8").strip()
    title = text.partition("\n")[0].removeprefix("## ")
    result = keep_request(host, kind, subject, escape(f"{title} ({subject})"), text, _read_edits(project))
    show_result(host.proposal, result)
    return 0


def _read_edits(project: Project) -> Edits | None:
    if not project.head:
        raise RepositoryError("there is not a repository with a commit", hint="run this in a clone")
    paths = set[str]()
    for place in project.places:
        tracked, untracked = project.repository.uncommitted_paths(place)
        # Only overlays that `pull` or an id created are new. Other untracked files are not proposed.
        paths |= tracked | {path for path in untracked if path.endswith((".yaml", ".yml"))}
    return read_edits(project.root, project.head, paths)
