"""The disk of a simulated machine: what was synced survives the crash of the worker, the rest may not."""

import asyncio
from collections.abc import Sequence

from common.domain.records import OutputChunk, OutputLoss, Record


class Disk:
    """
    A `Spool` in two lanes.

    Attributes:
        is_full: Output is dropped; statuses are kept.
        set_aside_records: What the database refused, with the reason.
    """

    def __init__(self, sync_s: float = 0.004) -> None:
        self.dropped_output = 0
        self.is_full = False
        self.set_aside_records: list[tuple[Record, str]] = []
        self._sync_s = sync_s
        self._records: list[Record] = []
        self._synced = 0

    def __len__(self) -> int:
        return len(self._records)

    @property
    def size_bytes(self) -> int:
        return 200 * len(self._records)

    @property
    def records(self) -> tuple[Record, ...]:
        return tuple(self._records)

    def append(self, record: Record) -> None:
        if self.is_full and isinstance(record, OutputChunk):
            self.dropped_output += 1
            self._records.append(OutputLoss(execution_id=record.execution_id, fence=record.fence))
            return
        self._records.append(record)

    async def sync(self) -> None:
        there = len(self._records)
        await asyncio.sleep(self._sync_s)
        self._synced = max(self._synced, min(there, len(self._records)))

    def peek(self, limit: int, limit_bytes: int) -> tuple[Record, ...]:
        statuses = [record for record in self._records if not isinstance(record, OutputChunk)]
        chunks = [record for record in self._records if isinstance(record, OutputChunk)]
        return tuple((statuses + chunks)[: min(limit, max(1, limit_bytes // 200))])

    def acknowledge(self, records: Sequence[Record]) -> None:
        gone = {id(record) for record in records}
        before = [record for record in self._records[: self._synced] if id(record) not in gone]
        self._records = [record for record in self._records if id(record) not in gone]
        self._synced = len(before)

    def set_aside(self, record: Record, reason: str) -> None:
        self.set_aside_records.append((record, reason))
        self.acknowledge([record])

    def crash(self, kept: int) -> None:
        """The worker died: of what was not synced only the first *kept* records reached the disk."""
        self._records = self._records[: self._synced + kept]
