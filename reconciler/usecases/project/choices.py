"""What somebody chooses of a project: which definitions are meant, which base, what to do with live edits.

Values alone; the command line's options and the Python functions both become these.
"""

import dataclasses
from pathlib import Path

from reconciler.core.settings import OnDrift


@dataclasses.dataclass(frozen=True, slots=True)
class DefinitionOptions:
    """Where the definitions are, which of them are meant (none named means all), and in which environment."""

    directory: Path
    paths: tuple[Path, ...] = ()
    environment: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class HistoryOptions:
    """Which revision is the base, and whether only what changed since is meant."""

    base: str | None = None
    changed: bool = False
    changed_since: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class PolicyOptions:
    """What to do with fields that somebody else moved; None where the settings decide."""

    on_drift: OnDrift | None = None
    force_conflicts: bool = False
