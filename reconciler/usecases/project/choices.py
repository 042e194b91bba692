"""A user's choices: the definitions, the base, and what to do about live edits.

Only values. The command's options and the Python functions are both turned into these.
"""

import dataclasses
from pathlib import Path

from reconciler.core.plan import Policy
from reconciler.core.settings import OnDrift, Settings


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
    """What to do with fields that somebody else moved; None if the settings decide."""

    on_drift: OnDrift | None = None
    force_conflicts: bool = False


def choose_policy(settings: Settings, options: PolicyOptions | None) -> Policy:
    """Return what to do with fields that somebody else moved: the option, else the settings."""
    if options is None:
        return Policy(always_send=settings.always_send)
    return Policy(
        on_drift=options.on_drift or settings.on_drift or "keep",
        force_conflicts=options.force_conflicts,
        always_send=settings.always_send,
    )
