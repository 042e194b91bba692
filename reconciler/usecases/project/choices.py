"""The user's choices, by options or from Python: which definitions, which base, and what to do about live edits."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from reconciler.core.plan import Policy
from reconciler.core.settings import OnDrift, Settings
from reconciler.dataclass import dataclass
from reconciler.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Where the definitions are, in which environment, and which of them are selected."""

    directory: Path
    paths: tuple[Path, ...] = ()  # none named means all
    environment: str | None = None
    base: str | None = None  # the revision that counts as applied
    changed: bool = False  # only what differs from the base
    changed_since: str | None = None  # only what differs from this revision
    on_drift: OnDrift | None = None  # None: the settings say it
    force_conflicts: bool = False
    named_by: tuple[str, ...] = ()  # the options of a command line that name directory and environment

    @property
    def only_changed(self) -> bool:
        """Whether only definitions that differ from a revision are selected."""
        return self.changed or self.changed_since is not None


def read_paths(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> tuple[Path, ...]:
    """Return the paths that were named, one or several. Raises UsageError if one is empty."""
    names = [os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)]
    # For Path, "" would be the working directory, and no name at all means every definition.
    if "" in names:
        raise UsageError("one of PATHS is empty", hint="is it a variable that is not set?")
    return tuple(map(Path, names))


def choose_policy(settings: Settings, choices: Choices) -> Policy:
    """Return what to do with fields that somebody else changed: the user's choice, or else the settings'.

    Raises UsageError for an unknown choice.
    """
    on_drift = choices.on_drift or settings.on_drift or "keep"
    # Only a type checker keeps a script from another value, which would restore git's values.
    if on_drift not in get_args(OnDrift):
        raise UsageError(f"on_drift must be keep, revert or fail, not {on_drift!r}")
    return Policy(on_drift=on_drift, force_conflicts=choices.force_conflicts, always_send=settings.always_send)
