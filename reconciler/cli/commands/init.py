"""`reconciler init`."""

import os
import re
from pathlib import Path

import click

from reconciler.cli.help import declare_command
from reconciler.cli.options import folder_option
from reconciler.cli.streams import tell
from reconciler.core.base_url import check_base_url
from reconciler.errors import UsageError
from reconciler.files.folders import repository_root
from reconciler.usecases.init import Ci, list_files, write_new
from reconciler.usecases.project.choices import DefinitionOptions

_SOURCE = re.compile(r"(?:https://[\w.:-]+/)?[\w.-]+(?:/[\w.-]+)+@[0-9a-f]{40}", re.ASCII)
_BEGIN = """
Next:
  reconciler import ID...        # a file for each live assistant; or write one with `id: new`
  git add --all && git commit -m "Set up reconciler"
  export RECONCILER_API_URL=... RECONCILER_EMAIL=... RECONCILER_PASSWORD=...
  reconciler plan --base none    # what the first apply would do"""
_BY_HAND = """
  reconciler apply --base none   # the first apply starts the record
  git push origin HEAD 'refs/reconciler/*:refs/reconciler/*'"""
_CI: dict[Ci, str] = {
    "github": """
  git push origin HEAD

Once, so that each pull request gets a plan ({replace}settings are under Settings, Actions):
  gh variable set RECONCILER_API_URL --body https://...
  gh secret set RECONCILER_EMAIL && gh secret set RECONCILER_PASSWORD    # a read-only account

Once, so that merging applies it:
  gh api --method PUT 'repos/{{owner}}/{{repo}}/environments/production' --input - \\
    <<< '{{"deployment_branch_policy": {{"protected_branches": false, "custom_branch_policies": true}}}}'
  gh api --method POST 'repos/{{owner}}/{{repo}}/environments/production/deployment-branch-policies' -f name=main
  gh secret set --env production RECONCILER_EMAIL && gh secret set --env production RECONCILER_PASSWORD
  gh api --method PUT 'repos/{{owner}}/{{repo}}/actions/permissions/workflow' \\
    -f default_workflow_permissions=read -F can_approve_pull_request_reviews=true
  gh workflow run assistants.yml -f do=first-run      # applies what differs, and starts the record
  gh api --method POST 'repos/{{owner}}/{{repo}}/rulesets' --input - \\
    <<< '{{"name": "Assistants", "target": "branch", "enforcement": "active",
    "conditions": {{"ref_name": {{"include": ["~DEFAULT_BRANCH"], "exclude": []}}}}, "rules": [
    {{"type": "pull_request", "parameters": {{"required_approving_review_count": 1,
      "dismiss_stale_reviews_on_push": false, "require_code_owner_review": false,
      "require_last_push_approval": false, "required_review_thread_resolution": false}}}},
    {{"type": "required_status_checks", "parameters": {{"strict_required_status_checks_policy": false,
      "required_status_checks": [{{"context": "plan / Plan"}}]}}}}]}}'""",
    "gitlab": """
  git push origin HEAD

Once, so that each merge request gets a plan ({replace}settings are under Settings, CI/CD;
if you already had a .gitlab-ci.yml, add to it: include: [local: ci/assistants.yml]):
  glab variable set RECONCILER_API_URL https://...
  glab variable set RECONCILER_EMAIL ...    # a read-only account; the next line asks for its password
  read -rs secret && printf %s "$secret" | glab variable set --masked --raw RECONCILER_PASSWORD
  printf %s "$(glab token create notes -A reporter -S api -D 8760h)" | glab variable set --masked GITLAB_TOKEN

Once, so that merging applies it:
  glab api --method POST projects/:id/protected_branches -f name=main    # if it is not protected
  glab variable set --scope production --protected RECONCILER_EMAIL ...    # an account that may write
  read -rs secret && printf %s "$secret" |
    glab variable set --scope production --protected --masked --raw RECONCILER_PASSWORD
  printf %s "$(glab token create record -A developer -S api -S write_repository -D 8760h)" |
    glab variable set --masked --protected RECORD_TOKEN
  glab schedule create --cron "17 4 * * *" --ref main --description "Assistants, every night"
  then press assistants-first-run in the default branch's pipeline: it applies what differs, and starts the record""",
}
_DOCTOR = """
Then, and whenever something does not work: reconciler doctor    # GH_TOKEN or GITLAB_TOKEN: it names missing settings
To notify a chat: the secret RECONCILER_WEBHOOK_URL"""


@declare_command(
    "init",
    ("reconciler init", "Start a project here"),
    ("reconciler init --ci github --from OWNER/REPOSITORY@COMMIT", "Start a project with GitHub workflows"),
)
@click.option("--ci", type=click.Choice(["github", "gitlab"]), help="Also write the files for a pipeline.")
@click.option("--from", "source", metavar="OWNER/REPOSITORY@COMMIT", help="What the pipeline installs.")
@click.option("--api-url", metavar="URL", help="The API's base URL, for reconciler.yaml.")
@folder_option
def command(definitions: DefinitionOptions, ci: Ci | None, source: str | None, api_url: str | None) -> int:
    """Create the files of a new project.

    Creates the definitions' folder, reconciler.yaml, schemas and editor settings; --ci adds the files for a pipeline.
    Existing files are never changed. At the end, it prints the next steps as commands.
    """
    if source is not None and not _SOURCE.fullmatch(source):
        raise UsageError(f"--from is {source!r}", hint="give OWNER/REPOSITORY@COMMIT, with all 40 digits of the commit")
    directory = definitions.directory
    if directory.is_absolute() or ".." in directory.parts or len(directory.parts) != 1:
        raise UsageError("init works in the current folder", hint="pass the name of a subfolder to --directory")
    if api_url is not None:
        api_url = check_base_url(api_url, allow_insecure_http=True).text
    for file in list_files(directory.name, api_url=api_url, ci=ci, source=source):
        if write_new(Path(), file):
            click.echo(f"wrote {file.path}")
        elif not file.path.endswith(".gitkeep"):
            what = "it" if os.path.lexists(file.path) else "what it would replace"
            tell(f"left {file.path}: {what} already exists")
    if not (repository_root(directory) / ".git").exists():
        tell("This is not a git repository yet: git init")
    placeholders = "" if source else "replace OWNER/REPOSITORY and COMMIT in the files; "
    tell(_BEGIN + (_CI[ci].format(replace=placeholders) if ci is not None else _BY_HAND) + _DOCTOR)
    return 0
