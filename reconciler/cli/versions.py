"""The definitions with their history: which of them are meant, what the base declared, and by which policy."""

import dataclasses
from pathlib import Path

from reconciler.adapters.definitions import Loaded
from reconciler.adapters.folders import repository_root
from reconciler.adapters.git import Git
from reconciler.adapters.record import read_record
from reconciler.cli.inputs import Inputs, read_inputs, read_settings
from reconciler.cli.options import DefinitionOptions, HistoryOptions, PolicyOptions
from reconciler.cli.streams import tell
from reconciler.core.plan import Policy
from reconciler.errors import UsageError
from reconciler.reconcile.base import APPLIED_REF, History, commit_of, find_base, read_history
from reconciler.reconcile.changed import changed_files


@dataclasses.dataclass(frozen=True, slots=True)
class Versions:
    """What the options name, read: `history` is what git knows of it."""

    inputs: Inputs
    history: History


def read_versions(definitions: DefinitionOptions, options: HistoryOptions, *, or_head: bool = False) -> Versions:
    """Return the definitions that are meant, with their history. Raises RepositoryError and what `read_inputs` does.

    With `or_head` the commit that is checked out is the base where nothing else is.
    """
    git = Git.at(repository_root(definitions.directory))
    base = find_base(git, options.base, or_head=or_head)
    record = read_record(git, APPLIED_REF) if git is not None else None
    if not options.changed and options.changed_since is None:
        inputs = read_inputs(definitions)
        return Versions(inputs, read_history(git, base, record, inputs.folder, inputs.loaded.definitions))
    since = commit_of(git, options.changed_since) if options.changed_since else base.commit if base else None
    if git is None or since is None:
        raise UsageError("--changed needs a base", hint="give --base REV, or --changed-since REV")
    changed = changed_files(git, definitions.directory, since, record)
    chosen = tuple(path for path in changed.files if _selected(path, definitions.paths))
    removed = frozenset[str]() if definitions.paths else changed.removed
    if chosen:
        inputs = read_inputs(dataclasses.replace(definitions, paths=chosen))
    else:
        if not removed:
            tell(f"No definition differs from {since[:12]}: there is nothing to look at.")
        inputs = Inputs(definitions.directory, read_settings(definitions), Loaded((), (), (), whole=False))
    history = read_history(git, base, record, inputs.folder, inputs.loaded.definitions)
    return Versions(inputs, dataclasses.replace(history, removed=removed))


def policy_for(versions: Versions, options: PolicyOptions) -> Policy:
    """Return the policy of a run: the option, else the settings. Raises UsageError where it cannot be followed."""
    settings = versions.inputs.settings
    on_drift = options.on_drift or settings.on_drift or "keep"
    if on_drift == "fail" and versions.history.base is None:
        raise UsageError(
            "--on-drift fail needs a base: without one nobody can tell a live edit from a change",
            hint=f"give --base REV, or fetch the applied record (git fetch origin {APPLIED_REF}:{APPLIED_REF})",
        )
    return Policy(on_drift=on_drift, force_conflicts=options.force_conflicts, always_send=settings.always_send)


def _selected(path: Path, chosen: tuple[Path, ...]) -> bool:
    return not chosen or any(path.resolve().is_relative_to(named.resolve()) for named in chosen)
