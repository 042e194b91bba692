"""What somebody chooses of a project, by options or from Python: which definitions, which base, what of live edits."""

import dataclasses
from pathlib import Path

from reconciler.core.plan import Policy
from reconciler.core.settings import OnDrift, Settings


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Where the definitions are, in which environment, and which are meant: `paths` (none named means all) or changed.

    `base` is the revision that counts as applied; `changed` means what differs from it, `changed_since` from another.
    Without `on_drift` the settings say what becomes of live edits.
    """

    directory: Path
    paths: tuple[Path, ...] = ()
    environment: str | None = None
    base: str | None = None
    changed: bool = False
    changed_since: str | None = None
    on_drift: OnDrift | None = None
    force_conflicts: bool = False


def choose_policy(settings: Settings, choices: Choices) -> Policy:
    """Return what to do with fields that somebody else moved: what was chosen, else what the settings say."""
    return Policy(
        on_drift=choices.on_drift or settings.on_drift or "keep",
        force_conflicts=choices.force_conflicts,
        always_send=settings.always_send,
    )
