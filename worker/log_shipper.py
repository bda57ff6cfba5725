"""The journal: every record goes to the spool first and from there to the sink, in batches.

While the sink is away records wait on disk and the worker goes on; afterwards they follow at a limited
rate. A record the sink will never take is set aside. Plain asyncio and injected ports, so it runs on
virtual time too.
"""

import asyncio
from typing import Final

import structlog

from common.domain.errors import StoreUnavailable
from common.domain.records import OutputChunk, Record
from common.runtime.clock import jittered
from common.runtime.lifecycle import run_together
from common.runtime.wakeup import Wakeup
from worker.domain.outcomes import Outcomes
from worker.ports import RecordSink, Spool

log = structlog.get_logger()

MAX_BATCH_BYTES: Final = 256 * 1024
#: A batch starts at `logBatchSize` records; what came meanwhile goes with it, up to this many times as much.
_BATCH_GROWTH: Final = 20
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_SYNC_PAUSE_S: Final = 0.5
#: Between two syncs, and between two batches of small records, at least: those who come share the next.
_SYNC_DISTANCE_S: Final = 0.005
_BATCH_DISTANCE_S: Final = 0.1
#: Output of this size and more is not made to wait: it would fill the spool.
_LARGE_BYTES: Final = 8 * 1024
_CLOSE_S: Final = 5.0


class LogShipper:
    """
    Takes records and gets them to the sink (implements `ports.Journal`). `run` must be running.

    Attributes:
        is_connected: The last write succeeded, or none was needed yet.
        shipped: Records the sink has taken.
        fenced: Records the sink refused because something newer is stored, or the same.
        set_aside: Records it will never take.
        outcomes: What the records of this process said, counted.
    """

    def __init__(
        self,
        *,
        spool: Spool,
        sink: RecordSink,
        batch_size: int = 50,
        commit_timeout_s: float = 2.0,
        drain_per_s: int = 5_000,
    ) -> None:
        """
        Args:
            batch_size: Records that start a write at once.
            commit_timeout_s: Longest time a record waits for others.
            drain_per_s: Records per second at most while a backlog is shipped.
        """
        self._spool = spool
        self._sink = sink
        self._batch_size = batch_size
        # The command's lines waited for each other already, and the write itself takes its time.
        self._patience_s = commit_timeout_s * 0.6
        self._drain_per_s = drain_per_s
        self._oldest_s: float | None = None
        self._unshipped = asyncio.Event()
        self._is_batch_full = Wakeup()
        self._has_large = False
        #: Output that came since the last batch was taken.
        self._fresh_bytes = 0
        self._shipped_at_s = 0.0
        self._sync_wanted = asyncio.Event()
        self._waiters: dict[int, tuple[Record, asyncio.Future[None]]] = {}
        self._shipping = asyncio.Lock()
        self.is_connected = True
        self.shipped = 0
        self.fenced = 0
        self.set_aside = 0
        self.outcomes = Outcomes()

    @property
    def backlog(self) -> int:
        """Records that are not stored yet."""
        return len(self._spool)

    @property
    def oldest_age_s(self) -> float:
        """About how long the oldest of them waits."""
        return 0.0 if self._oldest_s is None else asyncio.get_running_loop().time() - self._oldest_s

    @property
    def dropped_output(self) -> int:
        """Chunks of output that were dropped because the spool was full."""
        return self._spool.dropped_output

    @property
    def spool_bytes(self) -> int:
        return self._spool.size_bytes

    def record(self, record: Record) -> None:
        self.outcomes.note(record)
        self._spool.append(record)
        if self._oldest_s is None:
            self._oldest_s = asyncio.get_running_loop().time()
            self._unshipped.set()
        if isinstance(record, OutputChunk):
            self._fresh_bytes += record.size_bytes
            self._has_large |= record.size_bytes >= _LARGE_BYTES
        if len(self._spool) >= self._batch_size or self._fresh_bytes >= MAX_BATCH_BYTES:
            self._is_batch_full.set()

    async def record_durably(self, record: Record) -> None:
        self.record(record)
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters[id(record)] = (record, durable)
        self._sync_wanted.set()
        await durable

    async def run(self) -> None:
        """Sync and ship until cancelled."""
        if len(self._spool):
            log.info("journal.replaying", records=len(self._spool), size_bytes=self._spool.size_bytes)
            self._oldest_s = asyncio.get_running_loop().time()
            self._unshipped.set()
            self._is_batch_full.set()
        await run_together(self._keep_syncing, self._keep_shipping)

    async def close(self) -> None:
        """Ship what is left, for some seconds at most, and sync the rest; call it after the last record."""
        try:
            async with asyncio.timeout(_CLOSE_S):
                while len(self._spool):
                    if not await self._ship():
                        break
        except (StoreUnavailable, TimeoutError) as error:
            log.warning("journal.left_in_spool", records=len(self._spool), error=str(error))
        await self._sync()

    # Durability.

    async def _keep_syncing(self) -> None:
        loop = asyncio.get_running_loop()
        synced_at_s = 0.0
        while True:
            await self._sync_wanted.wait()
            if (waits_s := synced_at_s + _SYNC_DISTANCE_S - loop.time()) > 0:
                await asyncio.sleep(waits_s)
            synced_at_s = loop.time()
            self._sync_wanted.clear()
            if not await self._sync():
                # The disk is full or broken. Whoever waits is served by the sink, or by a later sync.
                await asyncio.sleep(_SYNC_PAUSE_S)
                self._sync_wanted.set()

    async def _sync(self) -> bool:
        """One sync for everybody who waits now; those who come meanwhile share the next one."""
        waiting = list(self._waiters.values())
        try:
            await self._spool.sync()
        except OSError as error:
            log.error("spool.not_synced", error=str(error))
            self._is_batch_full.set()
            return False
        for record, _ in waiting:
            self._release(record)
        return True

    def _release(self, record: Record) -> None:
        waiter = self._waiters.pop(id(record), None)
        if waiter is not None and not waiter[1].done():
            waiter[1].set_result(None)

    # Shipping.

    async def _keep_shipping(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            await self._wait_for_batch()
            started_s = asyncio.get_running_loop().time()
            try:
                count = await self._ship()
            except StoreUnavailable as error:
                if self.is_connected:
                    log.warning("sink.unavailable", error=str(error), backlog=self.backlog)
                self.is_connected = False
                await asyncio.sleep(jittered(pause_s, 0.2))
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                continue
            if not self.is_connected:
                log.info("sink.recovered", backlog=self.backlog)
            self.is_connected = True
            pause_s = _FIRST_PAUSE_S
            await self._respect_rate(count, started_s)

    async def _wait_for_batch(self) -> None:
        """Until there are enough records, or the oldest has waited long enough."""
        loop = asyncio.get_running_loop()
        await self._unshipped.wait()
        await self._is_batch_full.wait(max(0.0, self._patience_s - self.oldest_age_s))
        waits_s = self._shipped_at_s + min(_BATCH_DISTANCE_S, self._patience_s) - loop.time()
        if waits_s > 0 and not self._has_large and len(self._spool) < self._batch_size * _BATCH_GROWTH:
            # A batch costs as much as fifty records, and both states of a short execution become one.
            await asyncio.sleep(waits_s)
        self._shipped_at_s = loop.time()

    async def _ship(self) -> int:
        """
        Write one batch; return how many records are done with.

        Raises:
            StoreUnavailable: Nothing was acknowledged.
        """
        # `close` ships as well, while the loop may be about to be cancelled in the middle of a write.
        async with self._shipping:
            loop = asyncio.get_running_loop()
            started_s = loop.time()
            self._has_large = False
            self._fresh_bytes = 0
            waiting = len(self._spool)
            records = self._spool.peek(self._batch_size * _BATCH_GROWTH, MAX_BATCH_BYTES)
            if records:
                report = await self._sink.write(records)
                refused = {id(record) for record, _ in report.refused}
                for record, reason in report.refused:
                    self._spool.set_aside(record, reason)
                done = [record for record in records if id(record) not in refused] if refused else records
                self._spool.acknowledge(done)
                self.shipped += report.stored
                self.fenced += len(report.fenced)
                self.set_aside += len(refused)
                if self._waiters:
                    # In the database it is as durable as on the disk, which may be full.
                    for record in records:
                        self._release(record)
            left = len(self._spool)
            if not records or not left:
                self._oldest_s = None if not left else started_s
            else:
                self._oldest_s = started_s
            if not left:
                self._unshipped.clear()
            # More than one batch could take is the next batch already.
            is_cut = len(records) < waiting
            if left < self._batch_size and self._fresh_bytes < MAX_BATCH_BYTES and not is_cut:
                self._is_batch_full.clear()
            return len(records)

    async def _respect_rate(self, count: int, started_s: float) -> None:
        """Leave MongoDB and this worker room for the present while the past is shipped."""
        if self.backlog < self._batch_size * _BATCH_GROWTH:
            return
        due_s = started_s + count / self._drain_per_s
        await asyncio.sleep(max(0.0, due_s - asyncio.get_running_loop().time()))
