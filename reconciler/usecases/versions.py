"""The definitions with their history: which of them are meant, what the base declared, and by which policy."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reconciler.core.definition import SUFFIXES
from reconciler.core.plan import Policy
from reconciler.errors import UsageError
from reconciler.files.definitions import Loaded
from reconciler.files.folders import repository_root
from reconciler.git.record import Record, read_record
from reconciler.git.repository import Git
from reconciler.usecases.base import (
    BaseRevision,
    History,
    applied_ref,
    commit_of,
    find_base,
    how_to_fetch,
    read_history,
)
from reconciler.usecases.changed import Changed, changed_files
from reconciler.usecases.choices import DefinitionOptions, HistoryOptions, PolicyOptions
from reconciler.usecases.inputs import Inputs, read_inputs, read_settings
from reconciler.usecases.scope import Scope


@dataclasses.dataclass(frozen=True, slots=True)
class Versions:
    """What was chosen, read: `history` is what git knows of it, `notes` what the report has to say of the choice."""

    inputs: Inputs
    history: History
    notes: tuple[str, ...] = ()

    def scope(self, policy: Policy, **rest: Any) -> Scope:
        """Return what a use case works on; `rest` are Scope's other fields, such as how it is stopped."""
        return Scope(
            loaded=self.inputs.loaded,
            settings=self.inputs.settings,
            policy=policy,
            history=self.history,
            base_of=self.history.declared,
            notes=self.notes,
            **rest,
        )


def read_versions(definitions: DefinitionOptions, options: HistoryOptions, *, or_head: bool = False) -> Versions:
    """Return the definitions that are meant, with their history. Raises RepositoryError and what `read_inputs` does.

    With `or_head` the commit that is checked out is the base where nothing else is.
    """
    git = Git.at(repository_root(definitions.directory))
    ref = applied_ref(definitions.environment)
    base = find_base(git, options.base, ref, or_head=or_head)
    record = read_record(git, ref) if git is not None else None
    if not options.changed and options.changed_since is None:
        inputs = read_inputs(definitions)
        _check_environment(inputs)
        return Versions(inputs, _history(git, base, record, inputs))
    since = base.commit if base else None
    if options.changed_since is not None:
        since = commit_of(git, options.changed_since)
    if git is None or since is None:
        raise UsageError(
            "--changed needs a base", hint=f"give --base REV or --changed-since REV, or {how_to_fetch(ref)}"
        )
    settings = read_settings(definitions)
    changed = changed_files(git, definitions.directory, since, record)
    files, removed = changed.files, changed.removed
    if settings.overlay is not None:
        overlays = definitions.directory.resolve().parent / settings.overlay
        files += tuple(_shared_files(changed_files(git, overlays, since, record), git.root, overlays, definitions))
    if settings.environment is not None:  # a definition that has lost its id is no longer part of it
        removed |= {path.relative_to(git.root).as_posix() for path in files}
    chosen = tuple(path for path in files if _selected(path, definitions.paths))
    if definitions.paths:
        removed = frozenset()
    if chosen:
        inputs = read_inputs(dataclasses.replace(definitions, paths=chosen))
    else:
        inputs = Inputs(definitions.directory, settings, Loaded((), (), (), whole=False))
    nothing = not chosen and not removed
    notes = (f"No definition differs from {since[:12]}: there is nothing to look at.",) if nothing else ()
    return Versions(inputs, dataclasses.replace(_history(git, base, record, inputs), removed=removed), notes)


def _check_environment(inputs: Inputs) -> None:
    """Refuse to look at nothing where the environment was forgotten: the ids are most likely in the overlays."""
    settings, loaded = inputs.settings, inputs.loaded
    if settings.environment is None and settings.environments and not (loaded.definitions or loaded.invalid):
        raise UsageError(
            "no definition has an id, so there is nothing to look at: which environment is meant?",
            hint=f"give --environment NAME; reconciler.yaml has these: {', '.join(sorted(settings.environments))}",
        )


def policy_for(versions: Versions, options: PolicyOptions) -> Policy:
    """Return the policy of a run: the option, else the settings. Raises UsageError where it cannot be followed."""
    settings = versions.inputs.settings
    on_drift = options.on_drift or settings.on_drift or "keep"
    ref = applied_ref(settings.environment)
    if on_drift == "fail" and versions.history.base is None:
        raise UsageError(
            "--on-drift fail needs a base: without one nobody can tell a live edit from a change",
            hint=f"give --base REV, or {how_to_fetch(ref)}",
        )
    return Policy(on_drift=on_drift, force_conflicts=options.force_conflicts, always_send=settings.always_send)


def _shared_files(changed: Changed, root: Path, overlays: Path, options: DefinitionOptions) -> Iterator[Path]:
    """Yield the definitions whose overlays differ or are gone; an overlay without a definition stands for itself."""
    folder, overlays = options.directory.resolve(), overlays.resolve()
    for path in (*changed.files, *(root / name for name in changed.removed)):
        key = path.relative_to(overlays).with_suffix("")
        there = [place for suffix in SUFFIXES if (place := folder / f"{key}{suffix}").exists()]
        yield from there or ([path] if path.exists() else [])


def _selected(path: Path, chosen: tuple[Path, ...]) -> bool:
    return not chosen or any(path.resolve().is_relative_to(named.resolve()) for named in chosen)


def _history(git: Git | None, base: BaseRevision | None, record: Record | None, inputs: Inputs) -> History:
    return read_history(git, base, record, inputs.folder, inputs.loaded.definitions, inputs.settings.environment)
