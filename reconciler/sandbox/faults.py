"""Faults on request: an ASGI middleware around the application, and the hook that the application asks when it writes.

Which rule does what stands in docs/sandbox.md. Every rule counts for itself; nothing here outlives the
server.
"""

import asyncio
import contextlib
import dataclasses
import random
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.sandbox import connection
from reconciler.sandbox.accounts import COOKIE, Sessions
from reconciler.sandbox.answers import in_api
from reconciler.sandbox.fault_answers import fail, refuse
from reconciler.sandbox.fault_limits import Gate
from reconciler.sandbox.fault_rules import DropUnknown, Edit, Failure, Limit, Normalise, Rule, TokenLife
from reconciler.sandbox.fault_values import edit, kept
from reconciler.sandbox.hook import Copies, StoreName
from reconciler.sandbox.request_log import note
from reconciler.sandbox.settings import BASE_PATH
from reconciler.sandbox.store import Store

_STORES = "reconciler.stores"
_ASSISTANTS = "/assistants/"


@dataclasses.dataclass(slots=True)
class Tally:
    """How often a rule was looked at and how often it did something; `number` is its place, from 1."""

    number: int
    rule: Rule
    seen: int = 0
    hit: int = 0

    def strike(self, scope: Scope) -> None:
        """Count that the rule hit a request, and say so in the request's log."""
        self.hit += 1
        note(scope, self.number)


class Faults:
    """All rules of one sandbox, with their counters."""

    def __init__(self, rules: Sequence[Rule], store: Store, sessions: Sessions, seed: int) -> None:
        self.tallies = [Tally(number, rule) for number, rule in enumerate(rules, 1)]
        self._store = store
        self._sessions = sessions
        self._gates = [(tally, Gate(tally.rule)) for tally in self.tallies if isinstance(tally.rule, Limit)]
        self._uses: dict[tuple[int, str], int] = {}
        # One sequence for each rule: another rule must not change which requests it chooses.
        self._chances = {tally.number: random.Random(f"{seed}/{tally.number}") for tally in self.tallies}  # noqa: S311

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return the application with the faults before it."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if not in_api(scope["path"]):
                await app(scope, receive, send)
                return
            try:
                await self._request(app, scope, receive, send)
            except asyncio.CancelledError:
                # The sandbox is stopping, and the request still hangs. A loop that ends cancels twice.
                with contextlib.suppress(asyncio.CancelledError):
                    await connection.reset(scope, receive)

        return guarded

    async def _request(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.ExitStack() as inside:
            for tally, gate in self._gates:
                tally.seen += 1
                if not inside.enter_context(gate.request()):
                    tally.strike(scope)
                    await refuse(429, gate.limit.retry_after, scope, receive, send)
                    return
            self._use_token(scope)
            due = [(tally, tally.rule) for tally in self.tallies if self._is_due(tally, scope)]
            edits = [(tally, rule) for tally, rule in due if isinstance(rule, Edit)]
            self._edit(scope, [one for one in edits if one[1].moment == "before"])
            if later := [one for one in edits if one[1].moment == "after"]:
                send = self._then_edit(scope, later, send)
            for tally, rule in due:
                if isinstance(rule, Failure):
                    tally.strike(scope)
                    scope = {**scope, _STORES: rule.what.after or "both"}
                    await fail(rule.what, app, scope, receive, send)
                    return
            await app(scope, receive, send)

    def _is_due(self, tally: Tally, scope: Scope) -> bool:
        """Let a rule count a request if it is about it; tell whether it is one that it hits."""
        rule = tally.rule
        if not isinstance(rule, Failure | Edit):
            return False
        if not rule.requests.matches(scope["method"], scope["path"].removeprefix(BASE_PATH)):
            return False
        tally.seen += 1
        return rule.requests.when.hits(tally.seen, self._chances[tally.number].random())

    def _use_token(self, scope: Scope) -> None:
        token = Request(scope).cookies.get(COOKIE, "")
        for tally in self.tallies:
            if isinstance(tally.rule, TokenLife) and self._sessions.owner(token):
                tally.seen += 1
                used = self._uses[tally.number, token] = self._uses.get((tally.number, token), 0) + 1
                if used > tally.rule.requests:
                    tally.strike(scope)
                    self._sessions.revoke(token)

    def _edit(self, scope: Scope, rules: Sequence[tuple[Tally, Edit]]) -> None:
        for tally, rule in rules:
            if edit(self._store, scope["path"].removeprefix(BASE_PATH + _ASSISTANTS), rule):
                tally.strike(scope)

    def _then_edit(self, scope: Scope, rules: Sequence[tuple[Tally, Edit]], send: Send) -> Send:
        """Return a `send` that edits before the answer's last byte: whoever has the answer finds the edit done."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._edit(scope, rules)
            await send(message)

        return sending

    def reaches(self, scope: Scope, store: StoreName) -> bool:
        """Tell whether a request's write reaches a store."""
        return scope.get(_STORES, "both") in ("both", store)

    def kept(self, scope: Scope, body: Mapping[str, Any], copies: Copies) -> Copies:
        """Return what the two stores keep of the copies that a request's body has just changed or made."""
        for tally in self.tallies:
            rule = tally.rule
            if isinstance(rule, Normalise | DropUnknown):
                provider, database = copies
                before, copies = copies, (kept(rule, provider, body), kept(rule, database, body))
                tally.seen += 1
                if copies != before:
                    tally.strike(scope)
        return copies
