"""What the user chooses of a project, by options or from Python: which definitions, which base, what of live edits."""

from pathlib import Path

from reconciler.core.plan import Policy
from reconciler.core.settings import OnDrift, Settings
from reconciler.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Where the definitions are, in which environment, and which of them are meant."""

    directory: Path
    paths: tuple[Path, ...] = ()  # none named means all
    environment: str | None = None
    base: str | None = None  # the revision that counts as applied
    changed: bool = False  # only what differs from the base
    changed_since: str | None = None  # only what differs from this revision
    on_drift: OnDrift | None = None  # None: the settings say it
    force_conflicts: bool = False
    named_by: tuple[str, ...] = ()  # the options of a command line that name directory and environment


def choose_policy(settings: Settings, choices: Choices) -> Policy:
    """Return what to do with fields that somebody else moved: what was chosen, else what the settings say."""
    return Policy(
        on_drift=choices.on_drift or settings.on_drift or "keep",
        force_conflicts=choices.force_conflicts,
        always_send=settings.always_send,
    )
