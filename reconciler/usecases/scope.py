"""What a run is about, and the run that comes of it."""

import dataclasses
import datetime
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.api.client import AssistantsApi
from reconciler.assistant.paths import FieldPath, parse_pointer
from reconciler.core.definition import Definition, InvalidDefinition
from reconciler.core.ignore import expiry_notes, rules_for, unmatched_notes
from reconciler.core.origin import Base
from reconciler.core.outcome import Outcome
from reconciler.core.plan import Plan, Policy, make_plan
from reconciler.core.run import Failure, Gone, Result, Run
from reconciler.core.settings import Settings
from reconciler.core.tree import MISSING
from reconciler.files.definitions import Loaded
from reconciler.usecases.base import History
from reconciler.usecases.workers import never, nothing

NO_HISTORY = History()
DEFAULT_POLICY = Policy()
# To compare takes no time beside a request, and deepdiff parses what it compares: in several threads at once
# Python 3.11's parser fails now and then (https://github.com/python/cpython/issues/106905).
_COMPARING = threading.Lock()


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """What a run is about: the definitions, the settings, how many requests may be in flight, and when to stop.

    `history` is what git knows; `base_of` gives what an assistant's definition and live declared when it
    was last applied, `MISSING` where there is none. `resend` are the fields, by an assistant's id, that are
    to be sent even where live shows them.
    """

    loaded: Loaded
    settings: Settings
    policy: Policy = DEFAULT_POLICY
    concurrency: int = 16
    history: History = NO_HISTORY
    notes: tuple[str, ...] = ()
    resend: Mapping[str, tuple[FieldPath, ...]] = dataclasses.field(default_factory=dict)
    base_of: Callable[[Definition, Mapping[str, Any]], Base] = lambda _definition, _live: MISSING
    stopping: Callable[[], bool] = never
    aborted: Callable[[], bool] = never
    progress: Callable[[int, int], None] = nothing

    def plan_for(self, definition: Definition, live: Mapping[str, Any]) -> Plan:
        """Return what is to be done about one assistant that was read. Raises IncompleteObject."""
        with _COMPARING:
            return make_plan(
                definition.declared,
                live,
                self.base_of(definition, live),
                policy=self.policy,
                ignore=rules_for(self.settings.ignore, definition.key),
                resend=self.unclear(definition.id, str(live.get("id"))),
            )

    def unclear(self, *ids: str) -> tuple[FieldPath, ...]:
        """Return the fields of an assistant, by its ids, whose last write is unclear: by the record, or a report."""
        recorded = (parse_pointer(field) for entry in self.history.unclear(ids) for field in entry.fields)
        reported = (path for name in ids for path in self.resend.get(name, ()))
        return tuple(dict.fromkeys([*recorded, *reported]))


def make_run(
    command: str, api: AssistantsApi | None, scope: Scope, started_at: datetime.datetime, results: Sequence[Result]
) -> Run:
    """Return the run of a command that ends now, its results sorted by file, invalid definitions among them."""
    invalid = [
        Result(entry, error=Failure(entry.kind, entry.message), outcome=Outcome.REFUSED if command == "apply" else None)
        for entry in scope.loaded.invalid
    ]
    return Run(
        command=command,
        started_at=started_at,
        finished_at=now(),
        results=tuple(sorted([*results, *invalid], key=lambda result: result.definition.file)),
        problems=scope.loaded.problems,
        notes=tuple(_notes(scope)),
        api_url=api.url if api else None,
        environment=scope.settings.environment,
        api_calls=dict(api.calls) if api else {},
        head=scope.history.head,
        base=dataclasses.asdict(scope.history.base) if scope.history.base else None,
        gone=tuple(_gone(scope, results)),
        stopped=scope.stopping(),
        options={"on_drift": scope.policy.on_drift, "force_conflicts": scope.policy.force_conflicts},
    )


def _gone(scope: Scope, results: Sequence[Result]) -> Iterator[Gone]:
    """Yield the definitions that the base had and that are there no longer, under neither of an assistant's ids.

    A run of selected files cannot tell, but for files that git has removed.
    """
    present: list[Definition | InvalidDefinition] = [*scope.loaded.definitions, *scope.loaded.invalid]
    ids = {entry.id for entry in present} | {result.live["id"] for result in results if result.live}
    files = {entry.file for entry in scope.loaded.invalid if entry.id is None}
    for base in sorted(scope.history.definitions.by_id.values(), key=lambda definition: definition.file):
        known = scope.loaded.whole or base.file in scope.history.removed
        if known and base.id not in ids and base.file not in files:
            yield Gone(base.file, base.id)


def _notes(scope: Scope) -> Iterator[str]:
    yield from scope.notes
    yield from scope.history.definitions.warnings
    yield from expiry_notes(scope.settings.ignore, now().date())
    if scope.loaded.whole and not scope.loaded.invalid:  # what an invalid file declares is not known
        yield from unmatched_notes(scope.settings.ignore, scope.loaded.definitions)


def now() -> datetime.datetime:
    """Return the time, in UTC."""
    return datetime.datetime.now(datetime.UTC)
