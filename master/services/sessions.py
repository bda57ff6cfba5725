"""Who is signed in: opaque tokens in browsers, their digests in MongoDB."""

import hashlib
from contextlib import suppress
from dataclasses import replace
from typing import Final

from common.domain.errors import StoreError
from common.runtime.clock import Clock, new_token
from master.accounts_port import SessionStore
from master.domain.accounts import NOTE_EVERY, Session
from master.services.brief_cache import BriefCache

_LONGEST_TOKEN: Final = 64


class Sessions:
    """
    Raises (every method):
        StoreUnavailable: MongoDB is away, and the session was not looked at lately.
    """

    def __init__(self, store: SessionStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._cache: BriefCache[Session] = BriefCache(clock)

    async def start(self, user: str, client: str) -> tuple[str, Session]:
        """A new session of *user*, with the token the browser keeps: 256 random bits."""
        token, now = new_token(), self._clock.now()
        session = Session(id=_digest(token), user=user, created_at=now, seen_at=now, client=client)
        await self._store.add_session(session)
        return token, session

    async def find(self, token: str) -> Session | None:
        """The live session of *token*; asking is a sign of life."""
        if len(token) > _LONGEST_TOKEN:
            return None
        session = await self._cache.get(_digest(token), self._store.session)
        now = self._clock.now()
        if session is None or not session.is_live(now):
            return None
        if now - session.seen_at >= NOTE_EVERY:
            session = replace(session, seen_at=now)
            self._cache.replace(session.id, session)
            # The next sign of life tells; a session is not lost to an outage of a minute.
            with suppress(StoreError):
                await self._store.note_seen(session)
        return session

    async def end(self, token: str) -> None:
        """End the session of *token*, if there is one."""
        await self._store.end_session(_digest(token))
        self._cache.clear()

    async def end_all(self, user: str, *, but: str | None = None) -> int:
        """End all sessions of *user* except the one of id *but*; answers how many."""
        ended = await self._store.end_sessions_of(user, but=but)
        self._cache.clear()
        return ended

    async def count(self, users: list[str]) -> dict[str, int]:
        """How many times each of *users* is signed in."""
        return await self._store.count_sessions(users)


def csrf_token(token: str) -> str:
    """What changes must carry beside the cookie: made from it, so that nothing more has to be kept."""
    return hashlib.sha256(f"csrf:{token}".encode()).hexdigest()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
