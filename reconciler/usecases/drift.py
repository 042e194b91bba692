"""What was edited live, outside git. Never writes."""

import dataclasses

from reconciler.core.base import BaseDefinitions, Entries, Entry
from reconciler.core.plan import Policy
from reconciler.core.ports import Assistants
from reconciler.core.run import Run
from reconciler.usecases.plan import plan
from reconciler.usecases.project.project import Project
from reconciler.usecases.writing.workers import Control


def drift(api: Assistants, project: Project, control: Control) -> Run:
    """Return where live moved. Without a base the definitions themselves are the base.

    No patch is in it: nothing is sent under any option, so there is none that would be.
    """
    # A read-only policy: the report says of each difference that it is not sent, and why.
    based = dataclasses.replace(project, policy=Policy(read_only=True))
    if project.base is None:
        own = {found.file: Entry(found.id, found.file, found.declared) for found in project.loaded.definitions}
        based = dataclasses.replace(based, base=BaseDefinitions(ref="", commit="", entries=Entries(own)))
    run = plan(api, based, control, command="drift")
    return run if project.base is not None else dataclasses.replace(run, base=None)
