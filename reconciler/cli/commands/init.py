"""`reconciler init`."""

import os
import re
import shlex
from pathlib import Path

import click

from reconciler.cli.help import declare_command
from reconciler.cli.options import folder_option
from reconciler.cli.streams import eprint
from reconciler.core.base_url import check_base_url
from reconciler.errors import UsageError
from reconciler.files.folders import folder_in_git, repository_root
from reconciler.usecases.init import Ci, list_files, read_next_steps, write_new
from reconciler.usecases.project.choices import Choices

_SOURCE = re.compile(r"(?:https://[\w.:-]+/)?[\w.-]+(?:/[\w.-]+)+@[0-9a-f]{40}", re.ASCII)


@declare_command(
    "init",
    ("reconciler init", "Start a project here"),
    ("reconciler init --ci github --from OWNER/REPOSITORY@COMMIT", "Start a project with GitHub workflows"),
)
@click.option("--ci", type=click.Choice(["github", "gitlab"]), help="Also write the files for a pipeline.")
@click.option("--from", "source", metavar="OWNER/REPOSITORY@COMMIT", help="What the pipeline installs.")
@click.option("--api-url", metavar="URL", help="The API's base URL, for reconciler.yaml.")
@folder_option
def command(choices: Choices, ci: Ci | None, source: str | None, api_url: str | None) -> int:
    """Create the files of a new project.

    Creates the definitions' folder, reconciler.yaml, schemas and editor settings; --ci adds the files for a pipeline.
    Existing files are never changed. At the end, it prints the next steps as commands.
    """
    if source is not None and not _SOURCE.fullmatch(source):
        raise UsageError(f"--from is {source!r}", hint="give OWNER/REPOSITORY@COMMIT, with all 40 digits of the commit")
    # Paths in the workflows and the editors' settings begin at the project's root.
    directory = choices.directory
    if directory.is_absolute() or ".." in directory.parts or not directory.parts:
        message = f"the definitions' folder is {directory}, and init works only in a folder above it"
        raise UsageError(message, hint="change to that folder, or pass the name of a subfolder to --directory")
    root = repository_root(directory)
    if ci and root != Path.cwd().resolve():
        hint = f"run this in {root}, with --directory {shlex.quote(folder_in_git(directory, root))}"
        raise UsageError("a pipeline's files work only in the repository's root", hint=hint)
    if api_url is not None:
        api_url = check_base_url(api_url, allow_insecure_http=True).text
    for file, text in list_files(directory.as_posix(), api_url=api_url, ci=ci, package=source).items():
        if write_new(file, text):
            click.echo(f"wrote {file}")
        elif not file.endswith(".gitkeep"):
            subject = "it" if os.path.lexists(file) else "what it would replace"
            eprint(f"left {file}: {subject} already exists")
    if not (root / ".git").exists():
        eprint("This is not a git repository yet: git init")
    eprint(read_next_steps(directory.as_posix(), ci, package=source).removesuffix("\n"))
    return 0
