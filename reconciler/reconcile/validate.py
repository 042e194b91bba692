"""Check definitions offline: no network, no credentials."""

import datetime
from collections.abc import Iterator

from reconciler.adapters.definitions import Loaded
from reconciler.core.ignore import has_expired
from reconciler.core.paths import to_pointer
from reconciler.core.problem import Problem
from reconciler.core.run import Failure, Result, Run
from reconciler.core.settings import Settings


def validate(loaded: Loaded, settings: Settings, *, strict: bool = False) -> Run:
    """Return the run of `validate`: each definition with its problems; an `ignore` entry past its date is one too."""
    started_at = datetime.datetime.now(datetime.UTC)
    valid = [Result(definition) for definition in loaded.definitions]
    invalid = [Result(entry, error=Failure(entry.kind, entry.message)) for entry in loaded.invalid]
    expired = _expired(settings, started_at.date())
    return Run(
        command="validate",
        started_at=started_at,
        finished_at=datetime.datetime.now(datetime.UTC),
        results=tuple(sorted([*valid, *invalid], key=lambda result: result.definition.file)),
        problems=tuple(sorted([*loaded.problems, *expired])),
        options={"strict": strict},
    )


def _expired(settings: Settings, today: datetime.date) -> Iterator[Problem]:
    for rule in settings.ignore:
        if has_expired(rule, today):
            message = (
                f"ignore {to_pointer(rule.path)} expired on {rule.expires}: renew the entry, or remove it so that the "
                "difference is reported again"
            )
            yield Problem(settings.file or "reconciler.yaml", rule.line, 1, message)
