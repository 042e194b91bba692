"""Read every assistant once and plan what would be done about it. Nothing is ever written here."""

import dataclasses
import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.adapters.api import AssistantsApi
from reconciler.adapters.definitions import Loaded
from reconciler.core.definition import Definition
from reconciler.core.ignore import expiry_notes, rules_for, unmatched_notes
from reconciler.core.missing import MISSING
from reconciler.core.origin import Base
from reconciler.core.patch import IncompleteObject
from reconciler.core.plan import Plan, Policy, make_plan
from reconciler.core.run import Failure, Result, Run
from reconciler.core.settings import Settings
from reconciler.errors import ApiError
from reconciler.reconcile.workers import for_each, nothing

DEFAULT_POLICY = Policy()


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """What a run is about: the definitions, the settings, how many requests may be in flight, and when to stop.

    `base_of` gives the definition as last applied, `MISSING` where there is none. `head` is the commit that
    is checked out.
    """

    loaded: Loaded
    settings: Settings
    policy: Policy = DEFAULT_POLICY
    concurrency: int = 16
    base_of: Callable[[Definition], Base] = lambda _: MISSING
    base: Mapping[str, str] | None = None
    head: str | None = None
    stopping: Callable[[], bool] = lambda: False
    progress: Callable[[int, int], None] = nothing

    def plan_for(self, definition: Definition, live: Mapping[str, Any]) -> Plan:
        """Return what is to be done about one assistant that was read. Raises IncompleteObject."""
        return make_plan(
            definition.declared,
            live,
            self.base_of(definition),
            policy=self.policy,
            ignore=rules_for(self.settings.ignore, definition.key),
        )


def make_run(
    command: str, api: AssistantsApi | None, scope: Scope, started_at: datetime.datetime, results: Sequence[Result]
) -> Run:
    """Return the run of a command that ends now, its results sorted by file, invalid definitions among them."""
    invalid = [
        Result(entry, error=Failure(entry.kind, entry.message), outcome="refused" if command == "apply" else None)
        for entry in scope.loaded.invalid
    ]
    return Run(
        command=command,
        started_at=started_at,
        finished_at=now(),
        results=tuple(sorted([*results, *invalid], key=lambda result: result.definition.file)),
        problems=scope.loaded.problems,
        notes=tuple(_ignore_notes(scope)),
        api_url=api.url if api else None,
        api_calls=dict(api.calls) if api else {},
        head=scope.head,
        base=scope.base,
        stopped=scope.stopping(),
        options={"on_drift": scope.policy.on_drift, "force_conflicts": scope.policy.force_conflicts},
    )


def plan(api: AssistantsApi, scope: Scope, *, command: str = "plan") -> Run:
    """Return what `apply` would do, after one GET per definition; what could not be read says why."""
    started_at = now()
    definitions = scope.loaded.definitions
    found = for_each(
        definitions,
        lambda definition: _read(api, scope, definition),
        concurrency=scope.concurrency,
        stopping=scope.stopping,
        progress=scope.progress,
    )
    results = [result or Result(definition) for definition, result in zip(definitions, found, strict=True)]
    return make_run(command, api, scope, started_at, _without_duplicates(results))


def _ignore_notes(scope: Scope) -> Iterator[str]:
    yield from expiry_notes(scope.settings.ignore, now().date())
    if scope.loaded.whole:
        yield from unmatched_notes(scope.settings.ignore, scope.loaded.definitions)


def failure(error: ApiError) -> Failure:
    """Return an API error as the report tells it."""
    return Failure(error.kind, error.message, error.status, error.hint)


def now() -> datetime.datetime:
    """Return the time, in UTC."""
    return datetime.datetime.now(datetime.UTC)


def _read(api: AssistantsApi, scope: Scope, definition: Definition) -> Result:
    try:
        live = api.get(definition.id)
    except ApiError as error:
        return Result(definition, error=failure(error))
    stranger = foreign(live, scope.settings)
    if stranger is not None:
        return Result(definition, live, error=stranger)
    try:
        return Result(definition, live, scope.plan_for(definition, live))
    except IncompleteObject as error:
        return Result(definition, live, error=Failure("invalid", error.message, hint=error.hint))


def foreign(live: Mapping[str, Any], settings: Settings) -> Failure | None:
    """Return why an assistant is not ours to write: it is of another organisation than `org_id`, or of none."""
    if settings.org_id is None or live.get("orgId") == settings.org_id:
        return None
    owner = f"organisation {live['orgId']!r}" if live.get("orgId") else "no organisation"
    return Failure(
        "forbidden",
        f"the assistant belongs to {owner}, and org_id in reconciler.yaml is {settings.org_id!r}",
        hint="check the id and the API's URL, or correct org_id",
    )


def _without_duplicates(results: Sequence[Result]) -> list[Result]:
    """Return the results with an error for each definition whose assistant another definition has too.

    An assistant has two ids, so only the API's answers show it; which of the definitions is right, nobody
    can tell.
    """
    by_live_id: dict[str, list[Result]] = {}
    for result in results:
        if result.live is not None:
            by_live_id.setdefault(result.live["id"], []).append(result)
    return [_checked(result, by_live_id) for result in results]


def _checked(result: Result, by_live_id: Mapping[str, Sequence[Result]]) -> Result:
    sharing = by_live_id[result.live["id"]] if result.live is not None else []
    others = [other.definition.file for other in sharing if other is not result]
    if not others:
        return result
    error = Failure(
        "duplicate",
        f"the same assistant as in {', '.join(others)}, under another id",
        hint="keep one of the definitions",
    )
    return dataclasses.replace(result, plan=None, error=error)
