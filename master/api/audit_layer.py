"""Around every request that may change something: its entry in the audit trail, before its answer.

Outside the door, so that what is refused there is recorded as well. The answer begins when the entry is on
this host's disk: nobody is told of a change that has none.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.runtime.clock import Clock
from master.api.audited import CHANGING_METHODS, Draft, action_at, fact_of
from master.domain.audit import Fact, Outcome, outcome_of, storable
from master.services.audit import AuditTrail

_UNAUTHENTICATED: Final = 401


class AuditLayer:
    """Writes what the drafts of operations say, and what they never came to say."""

    def __init__(self, app: ASGIApp, *, trail: AuditTrail, clock: Clock, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._routes = routes
        self._trail = trail
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_answered = False

        async def send_recorded(message: Message) -> None:
            nonlocal is_answered
            if message["type"] == "http.response.start" and not is_answered:
                is_answered = True
                await self._record(scope, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_recorded)
        # The layer around this one makes a 500 of it.
        except Exception:
            if not is_answered:
                await self._record(scope, 500)
            raise

    async def _record(self, scope: Scope, status: int) -> None:
        draft: Draft | None = scope["state"].get("audit")
        if draft is None:
            if scope["method"] not in CHANGING_METHODS or status < 400:
                return
            action = action_at(scope, self._routes)
            # Who has a credential and asks for what is not there has changed nothing and tried nothing.
            if action is None or (action.family == "request" and status != _UNAUTHENTICATED):
                return
            draft = Draft(action)
        await self._trail.record(self._facts(draft, scope, status))

    def _facts(self, draft: Draft, scope: Scope, status: int) -> list[Fact]:
        outcome = outcome_of(status)
        whole = fact_of(draft, scope, self._clock, outcome)
        if outcome is not Outcome.DONE:
            # What was not done has no result; what stood there before is nothing this entry is about.
            reason = storable(scope["state"].get("problem")) or f"HTTP status {status}"
            return [replace(whole, before=None, after=None, detail=draft.detail or reason)]
        if not draft.items:
            return [whole]
        self._trail.forget(whole.id)
        return [fact_of(part, scope, self._clock, outcome) for part in draft.items]
