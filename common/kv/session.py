"""The session: the one kept-alive lease of a process.

Counts its deadline from the moment a renewal was *sent*, on a clock that never jumps, so it ends here no
later than at the server. Says when a lease was won and lost; what to do then is the owner's business.
"""

import asyncio
from typing import Final

import structlog

from common.domain.errors import LeaseLost, NotAllowed, StoreError
from common.kv.port import KeyValueStore
from common.runtime.clock import Clock

_log = structlog.get_logger(__name__)

_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 2.0
_REVOKE_LIMIT_S: Final = 2.0


class Session:
    """
    Attributes:
        lease_id: Of the live lease; 0 when there is none.
        epoch: Number of the newest lease, 1, 2, ...; 0 before the first.
        deadline_s: Uptime until which the lease surely lives; 0.0 when there is none.
        ttl_s: As granted; before the first grant as asked for.
    """

    def __init__(self, store: KeyValueStore, clock: Clock, *, ttl_s: int, name: str = "session") -> None:
        self.lease_id = 0
        self.epoch = 0
        self.deadline_s = 0.0
        self.ttl_s = ttl_s
        self._asked_ttl_s = ttl_s
        self._store = store
        self._clock = clock
        self._is_closed = False
        self._changed = asyncio.Event()
        self._log = _log.bind(session=name)

    async def run(self) -> None:
        """Keep a lease for ever: renew it, and get a new one whenever it is lost. Returns after `close`."""
        while not self._is_closed:
            await self._open()
            reason = await self._keep()
            self._lose(reason)

    async def opened(self) -> int:
        """Wait until there is a live lease; returns its epoch."""
        while not self.lease_id:
            await self._changed.wait()
        return self.epoch

    async def lost(self, epoch: int) -> None:
        """Wait until the lease of that *epoch* is lost; at once when it is lost already."""
        while self.lease_id and self.epoch == epoch:
            await self._changed.wait()

    def remaining_s(self) -> float:
        """How long the lease surely lives without a further renewal; zero or less: not at all."""
        return self.deadline_s - self._clock.uptime_s()

    async def close(self) -> None:
        """Give the lease back, so that others need not wait for its end. Best effort, at most 2 s."""
        self._is_closed = True
        lease_id = self.lease_id
        if not lease_id:
            return
        self._forget()  # before the request: from now on nobody may count on the lease
        try:
            async with asyncio.timeout(_REVOKE_LIMIT_S):
                await self._store.revoke(lease_id)
        except (StoreError, NotAllowed, TimeoutError) as error:
            self._log.warning("session.revoke_failed", reason=str(error), lease_id=lease_id)
        else:
            self._log.info("session.closed", epoch=self.epoch)

    async def _open(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._is_closed:
            sent_at_s = self._clock.uptime_s()
            try:
                lease = await self._store.grant(self._asked_ttl_s)
            except (StoreError, NotAllowed) as error:
                # Said once per outage; an operator may mend wrong credentials at the server, too.
                if pause_s == _FIRST_PAUSE_S:
                    self._log.warning("session.waiting", reason=str(error))
            else:
                if sent_at_s + lease.ttl_s > self._clock.uptime_s():
                    self._begin(lease.id, lease.ttl_s, sent_at_s)
                    return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _keep(self) -> str:
        """Renew until the lease is lost; returns why it was."""
        pause_s = self.ttl_s / 3
        while True:
            await asyncio.sleep(min(pause_s, max(self.remaining_s(), 0.0)))
            sent_at_s, rest_s = self._clock.uptime_s(), self.remaining_s()
            if rest_s <= 0:
                return "no renewal before the deadline"
            try:
                async with asyncio.timeout(rest_s):
                    granted_ttl_s = await self._store.renew(self.lease_id)
            except LeaseLost:
                return "ended by the store"
            except (StoreError, NotAllowed, TimeoutError) as error:
                self._log.debug("session.renewal_failed", reason=str(error), remaining_s=self.remaining_s())
                pause_s = max(self.ttl_s / 10, 0.2)
                continue
            # An answer read after the deadline (the process was frozen) is good news too late: whoever asked
            # in the meantime was told that the lease is gone.
            if self.remaining_s() <= 0:
                return "no renewal before the deadline"
            # Counted from the moment the renewal was sent, not answered: the server may have started its
            # countdown at any time in between.
            self.ttl_s = granted_ttl_s
            self.deadline_s = sent_at_s + granted_ttl_s
            pause_s = granted_ttl_s / 3

    def _begin(self, lease_id: int, ttl_s: int, sent_at_s: float) -> None:
        self.lease_id, self.ttl_s = lease_id, ttl_s
        self.deadline_s = sent_at_s + ttl_s
        self.epoch += 1
        self._announce()
        self._log.info("session.opened", epoch=self.epoch, lease_id=lease_id, ttl_s=ttl_s)

    def _lose(self, reason: str) -> None:
        # The lease is not revoked: it may live on at the server, and the locks on it keep others out while
        # this worker still stops what ran under them.
        if self.lease_id:
            self._log.warning("session.lost", epoch=self.epoch, lease_id=self.lease_id, reason=reason)
            self._forget()

    def _forget(self) -> None:
        self.lease_id, self.deadline_s = 0, 0.0
        self._announce()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
