"""Looks for claims of this worker that nobody runs.

A claim whose answer never came may still be made after the worker gave it up. Its run record then names a
live session, so no reconciler may touch it: the worker itself must find and close it.
"""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from common.domain.accounts import lost_record, missed_row
from common.domain.codec import RunRecord
from common.domain.errors import STORE_FAILURES, CorruptValue
from common.domain.execution import Status
from common.domain.ids import ExecutionId
from common.domain.keys import Keyspace
from common.domain.retry import next_retry
from common.kv.port import KeyValueStore
from common.kv.values import KeyValue
from common.runtime.clock import Clock
from worker.claims import Claims
from worker.domain.accounts import expires_at
from worker.job_feed import JobFeed
from worker.ports import Journal
from worker.registration import Membership
from worker.running import RunningExecutions

log: Final = structlog.get_logger(__name__)

_INTERVAL_S: Final = 15.0
_MIN_AGE: Final = timedelta(seconds=20)
_DEFAULT_RETENTION: Final = timedelta(days=30)


class SelfAudit:
    """Closes run records that carry this session and belong to no running execution."""

    def __init__(
        self,
        store: KeyValueStore,
        keyspace: Keyspace,
        clock: Clock,
        membership: Membership,
        running: RunningExecutions,
        claims: Claims,
        journal: Journal,
        job_feed: JobFeed,
    ) -> None:
        self._store = store
        self._keys = keyspace
        self._clock = clock
        self._membership = membership
        self._running = running
        self._claims = claims
        self._journal = journal
        self._job_feed = job_feed

    async def run(self) -> None:
        """Look every quarter of a minute, for ever."""
        while True:
            await asyncio.sleep(_INTERVAL_S)
            try:
                await self.look()
            except STORE_FAILURES as error:
                log.debug("self_audit.postponed", error=str(error))

    async def look(self) -> None:
        """Close every claim of ours that nobody runs."""
        if not self._membership.is_active:
            return
        listing = await self._store.list(self._keys.runs)
        for kv in listing.items:
            try:
                record = RunRecord.decode(kv.key, kv.value)
                execution = self._keys.parse_run(kv.key)
            except (CorruptValue, ValueError):
                continue
            if self._is_unattended(record, execution):
                await self._close(kv, record, execution)

    def _is_unattended(self, record: RunRecord, execution: ExecutionId) -> bool:
        return (
            record.worker == self._membership.worker_id
            and record.session == self._membership.session
            and self._running.get(str(execution)) is None
            and self._clock.now() - record.claimed_at > _MIN_AGE
        )

    async def _close(self, kv: KeyValue, record: RunRecord, execution: ExecutionId) -> None:
        known = self._job_feed.job(execution.uid)
        spec = known.spec() if known is not None else None
        now = self._clock.now()
        # A job that was deleted meanwhile is known by its run record alone, and wants no retry.
        until = expires_at(spec, now) if spec is not None else now + _DEFAULT_RETENTION
        log.warning("execution.unattended", execution=str(execution))
        if record.missed is not None and spec is not None:
            self._journal.record(missed_row(spec, record.missed, now=now, expires_at=until, by=record.worker))
        lost = lost_record(
            execution, record, fence=kv.create_revision, was_started=False, now=now, expires_at=until
        )
        await self._journal.record_durably(lost)
        retry = None
        if spec is not None:
            retry = next_retry(
                spec,
                execution,
                Status.LOST,
                scheduled_at=record.scheduled_at,
                now=now,
                parameters=record.parameters,
                requested_by=record.requested_by,
            )
        await self._claims.finish(execution, kv.create_revision, exclusive=record.exclusive, retry=retry)
