"""`reconciler propose`."""

import os

import click

from reconciler.cli.help import Command
from reconciler.cli.hosted import tell_done
from reconciler.cli.options import directory_option
from reconciler.core.edits import Edits
from reconciler.errors import RepositoryError, UsageError
from reconciler.files.folders import folder_in_git
from reconciler.git.working_tree import read_edits
from reconciler.hosts.ci_variables import find_host
from reconciler.hosts.keep import keep_request
from reconciler.usecases.project.choices import DefinitionOptions
from reconciler.usecases.project.project import Project
from reconciler.usecases.project.reading import read_bare_project

_TEXT = """## Accept live edits

Somebody edited assistants in the dashboard, or new ones were created. This writes the edits and the ids into the
definitions, so that git says what is live. Merging it changes nothing live. To undo an edit instead, change it back in
the dashboard: this is closed by itself then. If you close it, it is not opened again for the same edits.
"""


@click.command(
    "propose",
    cls=Command,
    examples=[("reconciler propose", "After `reconciler pull`: one request that accepts what was edited live")],
)
@click.option(
    "--name",
    default="",
    metavar="NAME",
    help="What it is about, so that several folders have one each. Default: the environment, else `assistants`.",
)
@click.option("--allow-insecure-http", is_flag=True, help="Allow plain http:// to another machine.")
@directory_option
def command(definitions: DefinitionOptions, name: str, allow_insecure_http: bool) -> int:
    """Keep one pull request or merge request with what an earlier command has written into the definitions.

    What differs from HEAD in the definitions' folder, and in the environment's overlays, goes onto a branch of its
    own, by the host's API. Other edits get another request, and the old one is closed; so it is where nothing
    differs any more. One that people have closed, or added to, is left to them.
    """
    host = find_host(os.environ, allow_insecure_http=allow_insecure_http)
    project = read_bare_project(definitions)
    if not host.branch:
        raise UsageError("this run is about no branch", hint="propose in a run of the default branch")
    about = name or project.settings.environment or "assistants"
    title = f"Accept live edits ({about})"
    tell_done("request", keep_request(host, about, title, _TEXT, _read_edits(project)))
    return 0


def _read_edits(project: Project) -> Edits | None:
    if project.repository is None or project.head is None:
        raise RepositoryError("there is no repository with a commit here", hint="run this in a clone")
    paths = set[str]()
    for folder in (project.folder, project.overlays):
        if folder is not None:
            below = folder_in_git(folder, project.root)
            paths |= {*project.repository.changed_paths(project.head, below)}
            # New is only an overlay that `pull` or an id has made: whatever else lies about is nobody's proposal.
            paths |= {one for one in project.repository.untracked_paths(below) if one.endswith((".yaml", ".yml"))}
    return read_edits(project.root, project.head, paths)
