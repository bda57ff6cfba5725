"""The worker's place in the cluster: its health key, under the lease of its session.

The key is created only if it is absent, so two processes that were given one worker id can never both be
registered. After a lost session the worker registers anew; until then it claims nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from common.domain.codec import WorkerHealth
from common.domain.errors import STORE_FAILURES, CorruptValue, LeaseLost
from common.domain.keys import Keyspace
from common.kv.port import KeyValueStore
from common.kv.session import Session
from common.kv.values import Put, absent, created_at
from common.runtime.wakeup import Wakeup

log: Final = structlog.get_logger(__name__)

_RETRY_S: Final = 0.5
_VERIFY_S: Final = 5.0

#: Decides whether a registered health value is a dead predecessor of this very worker.
IsPredecessor = Callable[[WorkerHealth], Awaitable[bool]]


class Membership:
    """What other parts of the worker need to know of its registration."""

    def __init__(self, worker_id: str, health_key: str) -> None:
        self.worker_id = worker_id
        self.health_key = health_key
        self.health_revision = 0
        self.lease_id = 0
        self.changed = Wakeup()

    @property
    def is_active(self) -> bool:
        return self.health_revision > 0

    @property
    def session(self) -> str:
        """The session's name in run records: its lease in hexadecimal."""
        return f"{self.lease_id:x}"

    def activate(self, lease_id: int, health_revision: int) -> None:
        self.lease_id = lease_id
        self.health_revision = health_revision
        self.changed.set()

    def deactivate(self) -> None:
        self.health_revision = 0
        self.changed.set()


class Registration:
    """Keeps the health key where it should be."""

    def __init__(
        self,
        store: KeyValueStore,
        keyspace: Keyspace,
        session: Session,
        describe: Callable[[str], WorkerHealth],
        is_predecessor: IsPredecessor,
        worker_id: str,
    ) -> None:
        self._store = store
        self._session = session
        self._describe = describe
        self._is_predecessor = is_predecessor
        self._stored: WorkerHealth | None = None
        self._wake = asyncio.Event()
        self.membership = Membership(worker_id, keyspace.health(worker_id))

    async def run(self) -> None:
        """Register under each new lease, for ever; a key that vanished is a session that was lost."""
        while True:
            epoch = await self._session.opened()
            registered = await self._register(epoch)
            if registered:
                await self._stay(epoch)
            self.membership.deactivate()

    def announce(self) -> None:
        """The worker's state has changed (draining, claims paused): write the key again soon."""
        self._wake.set()

    async def withdraw(self) -> None:
        """Delete the health key, so that others need not wait for the lease to end."""
        membership = self.membership
        if membership.is_active:
            await self._store.txn(
                compares=[created_at(membership.health_key, membership.health_revision)],
                deletes=[membership.health_key],
            )
            membership.deactivate()

    async def _register(self, epoch: int) -> bool:
        """Create the health key; False when the session ended meanwhile."""
        membership = self.membership
        told = False
        while self._session.epoch == epoch and self._session.lease_id:
            lease_id = self._session.lease_id
            health = self._describe(f"{lease_id:x}")
            try:
                result = await self._store.txn(
                    compares=[absent(membership.health_key)],
                    puts=[Put(membership.health_key, health.encode(), lease=lease_id)],
                    reads=[membership.health_key],
                )
            except LeaseLost:
                return False
            except STORE_FAILURES as error:
                log.debug("worker.registration_failed", error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            if result.succeeded:
                self._activate(lease_id, result.revision, health)
                return True
            existing = result.reads[membership.health_key]
            if existing is None:
                continue
            if existing.lease == lease_id:
                # An earlier try of ours whose answer was lost.
                self._activate(lease_id, existing.create_revision, health)
                return True
            told = await self._wait_for_other(existing.key, existing.value, existing.lease, told)
        return False

    def _activate(self, lease_id: int, revision: int, health: WorkerHealth) -> None:
        self._stored = health
        self.membership.activate(lease_id, revision)
        log.info("worker.registered", worker=health.worker, session=health.session)

    async def _wait_for_other(self, key: str, value: bytes, lease_id: int, told: bool) -> bool:
        """Somebody holds our name: end a dead predecessor's session, wait for anybody else's."""
        try:
            other = WorkerHealth.decode(key, value)
        except CorruptValue:
            other = None
        if other is not None and lease_id and await self._is_predecessor(other):
            log.info("worker.predecessor_ended", worker=other.worker, pid=other.pid)
            try:
                await self._store.revoke(lease_id)
            except STORE_FAILURES as error:
                log.debug("worker.registration_failed", error=str(error))
                await asyncio.sleep(_RETRY_S)
            return told
        if not told:
            log.warning(
                "worker.id_in_use",
                worker=self.membership.worker_id,
                host=other.host if other else None,
                pid=other.pid if other else None,
                hint="waiting for its session to end; give each worker its own workerId",
            )
        await asyncio.sleep(_RETRY_S)
        return True

    async def _stay(self, epoch: int) -> None:
        """Hold the key until the session is lost; write it again when the worker's state changes."""
        lost = asyncio.create_task(self._session.lost(epoch), name="registration.lost")
        try:
            while not lost.done():
                woken = asyncio.create_task(self._wake.wait(), name="registration.wake")
                try:
                    await asyncio.wait({lost, woken}, timeout=_VERIFY_S, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    woken.cancel()
                self._wake.clear()
                if not lost.done() and not await self._refresh(epoch):
                    log.warning("worker.health_key_lost", worker=self.membership.worker_id)
                    return
        finally:
            lost.cancel()

    async def _refresh(self, epoch: int) -> bool:
        """Write the key if its value changed, otherwise only look; False when it is no longer ours."""
        membership = self.membership
        health = self._describe(membership.session)
        ours = created_at(membership.health_key, membership.health_revision)
        try:
            if health == self._stored:
                result = await self._store.txn(reads=[membership.health_key])
                existing = result.reads[membership.health_key]
                return existing is not None and existing.create_revision == membership.health_revision
            result = await self._store.txn(
                compares=[ours], puts=[Put(membership.health_key, health.encode(), lease=membership.lease_id)]
            )
        except LeaseLost:
            return False
        except STORE_FAILURES as error:
            # The session's own deadline decides when silence means loss.
            log.debug("worker.registration_failed", error=str(error), epoch=epoch)
            return True
        if result.succeeded:
            self._stored = health
        return result.succeeded
