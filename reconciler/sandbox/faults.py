"""Applies the fault rules: in a middleware before the application, and when the application writes."""

import asyncio
import collections
import contextlib
import dataclasses
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.sandbox.accounts import COOKIE, Sessions
from reconciler.sandbox.fault_rules import FAILURES, NORMALISATIONS, Effect, Rule, path_matches
from reconciler.sandbox.openapi import KEYS_INSIDE
from reconciler.sandbox.responses import answer_with_fault, in_api, make_refusal, reset_connection
from reconciler.sandbox.seed import now
from reconciler.sandbox.settings import BASE_PATH
from reconciler.sandbox.store import STORES, Assistant, Store, StoreName

Copies = tuple[Assistant, Assistant]
Log = Callable[[str], None]
# Keys in a request's scope: the rules that apply to it, the numbers of those that have fired, and the stores that its
# write reaches.
_DUE = "reconciler.due"
_HITS = "reconciler.hits"
_REACHED = "reconciler.stores"


@dataclasses.dataclass(slots=True)
class Tally:
    """One rule with its counters: the requests that it applies to, and those that it hit. `number` begins at 1."""

    number: int
    rule: Rule
    chances: random.Random
    request_count: int = 0
    hit_count: int = 0
    # For a limit, the requests that it has admitted. For a token's life, how often each token was used.
    entry_times: collections.deque[float] = dataclasses.field(default_factory=collections.deque)
    uses: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    def count_hit(self, scope: Scope) -> None:
        """Count that the rule hit a request, for the totals and for the request's line in the log."""
        self.hit_count += 1
        scope[_HITS].append(self.number)

    def admit(self) -> bool:
        """Return whether a limit admits a request, and count the request if it does."""
        moment = time.monotonic()
        while self.rule.seconds and self.entry_times and self.entry_times[0] <= moment - self.rule.seconds:
            self.entry_times.popleft()
        # Only admitted requests count, so that a client that keeps trying is not locked out for ever.
        is_open = len(self.entry_times) < self.rule.number
        if is_open:
            self.entry_times.append(moment)
        return is_open


class Faults:
    """All rules of one sandbox, with their counters; `log` gets a line for every request to the API."""

    def __init__(
        self, rules: Sequence[Rule], store: Store, sessions: Sessions, seed: int, log: Log | None = None
    ) -> None:
        # Each rule has its own random numbers, so that another rule does not change which requests it hits.
        self.tallies = [Tally(number, rule, random.Random(f"{seed}/{number}")) for number, rule in enumerate(rules, 1)]  # noqa: S311
        self._store = store
        self._sessions = sessions
        self._log = log
        # For each provider's id, the copies from before a write and until when they are shown; the oldest first.
        self._lagging: dict[str, list[tuple[float, str | None]]] = {}

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return the application behind the faults. Pages outside the API never fail and are not logged."""

        async def app_with_faults(scope: Scope, receive: Receive, send: Send) -> None:
            if not in_api(scope["path"]):
                await app(scope, receive, send)
                return
            scope = {**scope, _DUE: [], _HITS: [], _REACHED: "both"}
            status = "no answer"

            async def edit_and_send(message: Message) -> None:
                nonlocal status
                status = str(message.get("status", status))
                # Before the last byte of the answer, so that an edit is done once the client has the answer.
                if message["type"] == "http.response.body" and not message.get("more_body"):
                    self._edit(scope, "after")
                await send(message)

            try:
                await self._apply_rules(app, scope, receive, edit_and_send)
            except asyncio.CancelledError:
                # The sandbox stops while the request hangs. A loop that ends cancels twice.
                with contextlib.suppress(asyncio.CancelledError):
                    await reset_connection(scope, receive)
            finally:
                # The path as it was sent, with its percent signs, so it contains no control characters.
                path = scope["raw_path"].decode("ascii", "backslashreplace")
                if self._log:
                    self._log(f"{scope['method']} {path}: {status}{''.join(f', fault {hit}' for hit in scope[_HITS])}")

        return app_with_faults

    async def _apply_rules(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.ExitStack() as in_flight:
            # Limits come first, as they would at a gateway: no other rule sees the requests that they reject.
            for tally in _pick(self.tallies, "limit"):
                tally.request_count += 1
                if not tally.admit():
                    tally.count_hit(scope)
                    await make_refusal(tally.rule, 429)(scope, receive, send)
                    return
                if not tally.rule.seconds:
                    in_flight.callback(tally.entry_times.popleft)
            self._use_token(scope)
            # All rules count a request, even if another decides its result.
            candidates = _pick(self.tallies, *FAILURES, "edit", "lag")
            scope[_DUE] += [tally for tally in candidates if self._is_due(tally, scope)]
            self._edit(scope, "before")
            for tally in _pick(scope[_DUE], *FAILURES):
                tally.count_hit(scope)
                scope[_REACHED] = tally.rule.after or "both"
                await answer_with_fault(tally.rule, app, scope, receive, send)
                return
            await app(scope, receive, send)

    def _is_due(self, tally: Tally, scope: Scope) -> bool:
        """Count a request to which a rule applies, and return whether the rule hits it."""
        rule = tally.rule
        path = scope["path"].removeprefix(BASE_PATH)
        if rule.method not in ("*", scope["method"]) or not path_matches(rule.path, path):
            return False
        tally.request_count += 1
        return rule.hits(tally.request_count, tally.chances.random())

    def _use_token(self, scope: Scope) -> None:
        token = Request(scope).cookies.get(COOKIE, "")
        for tally in _pick(self.tallies, "token"):
            if self._sessions.find_owner(token):
                tally.request_count += 1
                tally.uses[token] += 1
                if tally.uses[token] > tally.rule.number:
                    tally.count_hit(scope)
                    self._sessions.revoke(token)

    def _edit(self, scope: Scope, moment: str) -> None:
        """Set fields of the assistant in a request's path, as somebody in the dashboard would."""
        store = self._store
        for tally in _pick(scope[_DUE], "edit"):
            if tally.rule.moment != moment:
                continue
            with store.lock:
                provider_id = store.find(scope["path"].removeprefix(f"{BASE_PATH}/assistants/"))
                if provider_id is None:
                    continue
                tally.count_hit(scope)
                for name in STORES:
                    if copy := store.copy(name, provider_id):
                        edited = _set_value(copy, tally.rule.field, tally.rule.value)
                        store.write(name, {**edited, "updatedAt": now(after=copy.get("updatedAt"))})

    def reaches(self, scope: Scope, store: StoreName) -> bool:
        """Return whether a request's write reaches a store. Called right before each of the two writes."""
        return scope[_REACHED] in ("both", store)

    def hold_reads(self, scope: Scope, provider_id: str) -> None:
        """Let reads lag behind the coming write to the local database, if a rule says so."""
        # A lag decides nothing: it is added to the result of the other rules.
        for tally in _pick(scope[_DUE], "lag"):
            stored = self._store.read(provider_id)
            until = time.monotonic() + (tally.rule.seconds or 0)
            self._lagging.setdefault(provider_id, []).append((until, stored[1] if stored else None))
            tally.count_hit(scope)

    def show(self, provider_id: str, text: str) -> str | None:
        """Return the copy of an assistant that GET shows, or None if it shows none yet."""
        moment = time.monotonic()
        # The oldest write that still lags decides, because a lagging store shows its past in order.
        return next((old for until, old in self._lagging.get(provider_id, ()) if until > moment), text)

    def normalise(self, scope: Scope, body: Mapping[str, Any], copies: Copies) -> Copies:
        """Return the two copies, which a request has just changed or created, as the stores keep them."""
        for tally in _pick(self.tallies, *NORMALISATIONS):
            provider, database = (_normalise_fields(tally.rule, copy, body) for copy in copies)
            tally.request_count += 1
            if copies != (provider, database):
                tally.count_hit(scope)
            copies = (provider, database)
        return copies


def _pick(tallies: Iterable[Tally], *effects: Effect) -> Iterator[Tally]:
    """Yield the rules that have one of some effects."""
    return (tally for tally in tallies if tally.rule.effect in effects)


def _normalise_fields(rule: Rule, assistant: Assistant, body: Mapping[str, Any]) -> Assistant:
    """Return an assistant after a rule has normalised the top-level fields that a body has just set."""
    fields = {name: value for name, value in assistant.items() if name in body}
    for name, known in KEYS_INSIDE.items():
        if rule.effect == "drop" and isinstance(fields.get(name), dict):
            fields[name] = {key: inner for key, inner in fields[name].items() if key in known}
    return {**assistant, **_normalise(rule, fields, rule.field)}


def _normalise(rule: Rule, value: Any, path: tuple[str, ...]) -> Any:
    """Return a value in which everything at and below a path is normalised."""
    if path:
        if not isinstance(value, dict) or path[0] not in value:
            return value
        return {**value, path[0]: _normalise(rule, value[path[0]], path[1:])}
    if isinstance(value, dict):
        return {key: _normalise(rule, item, ()) for key, item in value.items()}
    if isinstance(value, list):
        items = [_normalise(rule, item, ()) for item in value]
        # Sort by JSON, because a list may contain values that Python cannot compare.
        return sorted(items, key=lambda entry: json.dumps(entry, sort_keys=True)) if rule.effect == "sort" else items
    if rule.effect == "trim" and isinstance(value, str):
        return value.strip()
    if rule.effect == "round" and isinstance(value, float):
        return round(value, rule.digits or None)
    return value


def _set_value(value: Any, path: tuple[str, ...], new: Any) -> Any:
    """Return a value with another value at a path. Anything on the way that is no object becomes one."""
    if not path:
        return new
    fields = value if isinstance(value, dict) else {}
    return {**fields, path[0]: _set_value(fields.get(path[0]), path[1:], new)}
