"""What a run does with fields that somebody else moved: its options, else the settings."""

from reconciler.core.plan import Policy
from reconciler.core.settings import Settings
from reconciler.errors import UsageError
from reconciler.usecases.project.choices import PolicyOptions
from reconciler.usecases.project.project import Project


def choose_policy(settings: Settings, options: PolicyOptions | None) -> Policy:
    """Return what to do with fields that somebody else moved: the option, else the settings."""
    if options is None:
        return Policy(always_send=settings.always_send)
    return Policy(
        on_drift=options.on_drift or settings.on_drift or "keep",
        force_conflicts=options.force_conflicts,
        always_send=settings.always_send,
    )


def check_policy(project: Project) -> None:
    """Refuse a policy that cannot be followed without a base. Raises UsageError."""
    if project.policy.on_drift == "fail" and project.base is None:
        raise UsageError(
            "--on-drift fail needs a base: without one a live edit cannot be told from a change",
            hint=f"give --base REV, or {project.how_to_fetch}",
        )
