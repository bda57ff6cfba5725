"""Accounts for ticks nobody started, and sweeps what deleted jobs left.

Runs on every master, without an election: each repair compares what it replaces. The record is stored before
the key is changed, so a master that dies in between is repeated, not missed. What becomes of the executions
of dead workers is in `abandoned`.
"""

import asyncio
import heapq
from datetime import datetime, timedelta
from typing import Final

import structlog

from common.domain.accounts import missed_row
from common.domain.codec import encode_cursor
from common.domain.errors import STORE_FAILURES
from common.domain.execution import Reason
from common.domain.ids import from_epoch_s
from common.domain.keys import Keyspace
from common.domain.timing import timing_of, undecided
from common.kv.port import KeyValueStore
from common.kv.values import Put, absent, modified_at, value_is
from common.runtime.clock import Clock
from master.domain.job_rows import JobRow
from master.domain.reconcile import final_misses, why_nobody_started
from master.services.abandoned import RecordWriter
from master.services.cursor_view import CursorView
from master.services.job_view import JobView
from master.services.live_runs import LiveRuns
from master.services.roster import Roster

log: Final = structlog.get_logger(__name__)

_INTERVAL_S: Final = 5.0
#: Workers account for missed ticks themselves when they claim the next one; the master comes after them.
_MISSED_GRACE: Final = timedelta(seconds=10)


class Reconciler:
    """Compares what is stored with what is alive, and closes the difference."""

    def __init__(
        self,
        store: KeyValueStore,
        keyspace: Keyspace,
        clock: Clock,
        jobs: JobView,
        cursors: CursorView,
        runs: LiveRuns,
        roster: Roster,
        records: RecordWriter,
        *,
        name: str,
    ) -> None:
        self._store = store
        self._keys = keyspace
        self._clock = clock
        self._jobs = jobs
        self._cursors = cursors
        self._runs = runs
        self._roster = roster
        self._records = records
        self._name = name
        self._checks: list[tuple[float, str, int]] = []
        self._checked: dict[str, int] = {}
        self._orphans: set[str] = set()
        self._cut_off_until: datetime | None = None
        #: Counter for /metrics.
        self.missed = 0

    async def run(self) -> None:
        """Look every five seconds, for ever."""
        while True:
            await asyncio.sleep(_INTERVAL_S)
            if not self._is_current():
                self._cut_off_until = self._clock.now()
                continue
            for look in (self._account_for_missed, self._sweep_orphans):
                try:
                    await look()
                except STORE_FAILURES as error:
                    log.debug("reconcile.postponed", what=look.__name__, error=str(error))

    def _is_current(self) -> bool:
        """A repair on an old view could only fail; there is no point in trying."""
        return (
            self._jobs.is_current
            and self._cursors.is_current
            and self._runs.is_current
            and self._roster.is_current
        )

    # --- ticks nobody started (situations 23, 34, 35) ---

    async def _account_for_missed(self) -> None:
        """Look at each job when its next undecided tick is past its deadline; only then."""
        now = self._clock.now()
        self._plan_checks()
        again: list[tuple[float, str, int]] = []
        while self._checks and self._checks[0][0] <= now.timestamp():
            _, uid, revision = heapq.heappop(self._checks)
            row = self._jobs.by_uid(uid)
            if row is None or row.revision != revision:
                continue
            await self._account_for(row, now)
            at = self._next_check(row, now)
            if at is not None:
                again.append((at, uid, revision))
        for check in again:
            heapq.heappush(self._checks, check)

    def _plan_checks(self) -> None:
        """Take in jobs that are new or were changed since the last round."""
        now = self._clock.now()
        seen: dict[str, int] = {}
        for row in self._jobs.rows():
            uid = row.uid
            if uid is None:
                continue
            seen[uid] = row.revision
            if self._checked.get(uid) != row.revision:
                at = self._next_check(row, now)
                if at is not None:
                    heapq.heappush(self._checks, (at, uid, row.revision))
        self._checked = seen

    def _next_check(self, row: JobRow, now: datetime) -> float | None:
        """When the job's next undecided tick will be past its deadline and the workers' own time."""
        spec = row.spec
        timing = timing_of(spec) if spec is not None else None
        cursor = self._cursors.cursor(spec.uid) if spec is not None else None
        if spec is None or timing is None:
            return None
        if cursor is None:
            return now.timestamp() + _INTERVAL_S
        tick = timing.next_tick(timing.base(cursor))
        if tick is None:
            return None
        due_at = tick + timing.offset + spec.start_deadline_s + _MISSED_GRACE.total_seconds()
        return max(due_at, now.timestamp() + _INTERVAL_S)

    async def _account_for(self, row: JobRow, now: datetime) -> None:
        spec = row.spec
        timing = timing_of(spec) if spec is not None else None
        cursor = self._cursors.cursor(spec.uid) if spec is not None else None
        if spec is None or timing is None or cursor is None:
            return
        then = now - _MISSED_GRACE
        plan = undecided(spec, timing, cursor, then, reason=Reason.DEADLINE)
        missed = final_misses(plan.missed, plan.due[0] if plan.due else None)
        if missed is None:
            return
        was_cut_off = self._cut_off_until is not None and self._cut_off_until >= from_epoch_s(missed.first)
        reason = why_nobody_started(spec, self._roster.live(), self._runs.on_worker, was_cut_off=was_cut_off)
        missed = missed.model_copy(update={"reason": reason})
        expires_at = now + timedelta(days=spec.retention_days)
        await self._records.write([missed_row(spec, missed, now=now, expires_at=expires_at, by=self._name)])
        cursor_key = self._keys.cursor(spec.uid)
        result = await self._store.txn(
            compares=[
                modified_at(self._keys.job(spec.namespace, spec.name), row.revision),
                value_is(cursor_key, encode_cursor(from_epoch_s(cursor))),
            ],
            puts=[Put(cursor_key, encode_cursor(from_epoch_s(missed.last)))],
        )
        if result.succeeded:
            self.missed += missed.count
            log.warning(
                "tick.missed",
                job=spec.qualified_name,
                first=missed.first,
                count=missed.count,
                reason=reason.value,
            )

    # --- what deleted jobs left ---

    async def _sweep_orphans(self) -> None:
        """Delete cursors of jobs that are gone: seen twice, because a new job's keys arrive by two feeds."""
        known = {row.uid for row in self._jobs.rows()}
        if any(row.quarantined for row in self._jobs.rows()):
            # The uid of a job that cannot be read is not known, and its cursor must survive the repair.
            self._orphans = set()
            return
        orphans = self._cursors.uids() - known
        for uid in orphans & self._orphans:
            key = self._keys.cursor(uid)
            found = (await self._store.txn(reads=[key])).reads[key]
            if found is not None:
                await self._store.txn(
                    compares=[modified_at(key, found.mod_revision), absent(self._keys.lock(uid))],
                    deletes=[key],
                )
                log.info("cursor.removed", uid=uid)
        self._orphans = orphans
