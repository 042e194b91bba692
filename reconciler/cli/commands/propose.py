"""`reconciler propose`."""

import os

import click

from reconciler.cli.help import declare_command
from reconciler.cli.hosted import insecure_option, name_option, show_result
from reconciler.cli.options import directory_option
from reconciler.core.run import Edits
from reconciler.errors import RepositoryError, UsageError
from reconciler.files.folders import folder_in_git
from reconciler.git.working_tree import read_edits
from reconciler.hosts.ci_variables import find_host
from reconciler.hosts.keep import keep_request
from reconciler.report.differences.values import escape
from reconciler.usecases.project.choices import Choices
from reconciler.usecases.project.project import Project
from reconciler.usecases.project.reading import read_bare_project

# A paragraph is one line: GitHub shows each line end of a request as one.
_ACCEPT = (
    "## Accept live edits\n\n"
    "Somebody edited assistants in the dashboard, or new ones were created. This writes the edits and the ids into "
    "the definitions, so that git matches live. Merging it changes nothing live. To undo an edit instead, change it "
    "back in the dashboard. This request then closes automatically. If you close it, it is not opened again "
    "for the same edits."
)
_IDS = (
    "## Ids of new assistants\n\n"
    "These assistants were created. This writes their ids into the definitions, in place of `id: new`. Merging it "
    "changes nothing live. Until then, the record keeps the ids, so that no assistant is created twice."
)
_RETIRE = (
    "## Remove the files of a deleted assistant\n\n"
    "Somebody deleted this assistant by hand. This removes "
    "its files. Merging it changes nothing live. The report of the run contains the whole assistant."
)
_KINDS = {
    "accept": ("Accept live edits", _ACCEPT),
    "ids": ("Ids of new assistants", _IDS),
    "retire": ("Remove the files of a deleted assistant", _RETIRE),
}


@declare_command(
    "propose", ("reconciler propose", "After `reconciler pull`, open a request that accepts the live edits")
)
@name_option
@click.option(
    "--kind",
    type=click.Choice(list(_KINDS)),
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
    # The host comes first: outside a pipeline there is nobody to propose anything to.
    host = find_host(os.environ, allow_insecure_http=allow_insecure_http)
    project = read_bare_project(choices)
    if not host.branch:
        raise UsageError("this run has no branch", hint="run propose in a pipeline of the default branch")
    subject = name or project.settings.environment or "assistants"
    title, text = _KINDS[kind]
    result = keep_request(host, kind, subject, escape(f"{title} ({subject})"), text, _read_edits(project))
    show_result(host.proposal, result)
    return 0


def _read_edits(project: Project) -> Edits | None:
    if project.repository is None or project.head is None:
        raise RepositoryError("there is not a repository with a commit", hint="run this in a clone")
    paths = set[str]()
    for folder in (project.folder, project.overlays):
        if folder is not None:
            below = folder_in_git(folder, project.root)
            tracked, untracked = project.repository.uncommitted_paths(below)
            # Only overlays that `pull` or an id created are new. Other untracked files are not proposed.
            paths |= tracked | {path for path in untracked if path.endswith((".yaml", ".yml"))}
    return read_edits(project.root, project.head, paths)
