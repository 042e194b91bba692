"""Read every assistant once and plan what would be done about it. Nothing is ever written here."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.api.client import AssistantsApi
from reconciler.core.definition import Definition
from reconciler.core.patch import IncompleteObject
from reconciler.core.run import Failure, Result, Run
from reconciler.core.settings import Settings
from reconciler.errors import ApiError
from reconciler.usecases.scope import Scope, make_run, now
from reconciler.usecases.workers import for_each


def plan(api: AssistantsApi, scope: Scope, *, command: str = "plan") -> Run:
    """Return what `apply` would do, after one GET per definition; what could not be read says why."""
    started_at = now()
    definitions = scope.loaded.definitions
    found = for_each(
        definitions,
        lambda definition: _read(api, scope, definition),
        concurrency=scope.concurrency,
        stopping=scope.stopping,
        aborted=scope.aborted,
        progress=scope.progress,
    )
    results = [result or Result(definition) for definition, result in zip(definitions, found, strict=True)]
    return make_run(command, api, scope, started_at, _without_duplicates(results))


def failure(error: ApiError) -> Failure:
    """Return an API error as the report tells it."""
    return Failure(error.kind, error.message, error.status, error.hint)


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
