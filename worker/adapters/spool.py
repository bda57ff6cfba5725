"""The spool: records on the worker's own disk until MongoDB has them (implements `ports.Spool`).

Two lanes. Statuses are never dropped; output is bounded, its oldest segment goes first, and every execution
that lost some gets an `OutputLoss` among the statuses. Survives kill -9 with everything that was flushed
and a power failure with everything that was synced.
"""

import asyncio
import errno
import json
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from common.domain.records import OutputChunk, OutputLoss, Record
from worker.adapters.record_codec import encode
from worker.adapters.spool_lane import Lane
from worker.adapters.waiting_threads import WaitingThreads

log = structlog.get_logger()

_STATUS_SEGMENT_BYTES: Final = 4 * 1024 * 1024
_MAX_OUTPUT_SEGMENT_BYTES: Final = 4 * 1024 * 1024
_FLUSH_S: Final = 0.1
_SET_ASIDE_FILE: Final = "refused.jsonl"
_MAX_SET_ASIDE_BYTES: Final = 64 * 1024 * 1024


class FileSpool:
    """The spool in *directory*, which belongs to one worker."""

    def __init__(self, directory: Path, *, max_bytes: int = 1024 * 1024 * 1024) -> None:
        """
        Args:
            max_bytes: Bound of the output lane; statuses may exceed it, with an alarm.
        """
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory
        self._max_bytes = max_bytes
        segment_bytes = max(64 * 1024, min(_MAX_OUTPUT_SEGMENT_BYTES, max_bytes // 8))
        self._statuses = Lane(directory, "status", segment_bytes=_STATUS_SEGMENT_BYTES)
        self._output = Lane(directory, "output", segment_bytes=segment_bytes)
        # One sync is under way at a time, and hundreds in a second: the loop's executor costs twice as much.
        self._disk = WaitingThreads("sync", 1)
        self._dropped = 0
        self._set_aside = 0
        self._flush_timer: asyncio.TimerHandle | None = None
        self._is_alarmed = False

    def __len__(self) -> int:
        return self._statuses.count + self._output.count

    @property
    def size_bytes(self) -> int:
        return self._statuses.size_bytes + self._output.size_bytes

    @property
    def dropped_output(self) -> int:
        return self._dropped

    @property
    def set_aside_count(self) -> int:
        return self._set_aside

    def append(self, record: Record) -> None:
        try:
            payload = encode(record)
        except ValueError as error:
            self._keep_aside(record, str(error))
            return
        if isinstance(record, OutputChunk):
            self._output.append(record, payload)
            self._drop_output()
        else:
            self._statuses.append(record, payload)
        self._alarm_if_large()
        if self._flush_timer is None:
            self._flush_timer = asyncio.get_running_loop().call_later(_FLUSH_S, self._flush)

    async def sync(self) -> None:
        self._flush_or_make_room()
        descriptors = self._statuses.descriptors() + self._output.descriptors()
        if not descriptors:
            return
        _, is_cancelled = await self._disk.carry_out(partial(_sync_all, descriptors))
        if is_cancelled:
            raise asyncio.CancelledError

    def peek(self, limit: int, limit_bytes: int) -> tuple[Record, ...]:
        statuses = tuple(self._statuses.peek(limit, limit_bytes))
        # Output has a share of its own: an execution should not look finished long before its last lines.
        return statuses + tuple(self._output.peek(limit, limit_bytes))

    def acknowledge(self, records: Sequence[Record]) -> None:
        output = [record for record in records if isinstance(record, OutputChunk)]
        if output:
            self._output.acknowledge(output)
        if len(output) < len(records):
            self._statuses.acknowledge([r for r in records if not isinstance(r, OutputChunk)])

    def set_aside(self, record: Record, reason: str) -> None:
        self._keep_aside(record, reason)
        self.acknowledge([record])

    def close(self) -> None:
        """Write what is buffered and close the files; nothing may be synced after it."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()
        self._flush()
        self._statuses.close()
        self._output.close()
        self._disk.close()

    def _flush(self) -> None:
        self._flush_timer = None
        try:
            self._flush_or_make_room()
        except OSError as error:
            log.error("spool.not_written", directory=str(self._directory), error=str(error))

    def _flush_or_make_room(self) -> None:
        """
        Raises:
            OSError: Even without any output on disk there is no room for the statuses.
        """
        while True:
            try:
                self._statuses.flush()
                self._output.flush()
                return
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not self._output.count:
                    raise
                # Statuses need the room more.
                self._drop_segment()

    def _drop_output(self) -> None:
        while self._output.size_bytes > self._max_bytes and self._output.count:
            self._drop_segment()

    def _drop_segment(self) -> None:
        lost = [record for record in self._output.drop_oldest_segment() if isinstance(record, OutputChunk)]
        self._dropped += len(lost)
        log.error("spool.output_dropped", chunks=len(lost), size_bytes=self.size_bytes)
        for execution_id, fence in {(chunk.execution_id, chunk.fence) for chunk in lost}:
            loss = OutputLoss(execution_id=execution_id, fence=fence)
            self._statuses.append(loss, encode(loss))

    def _alarm_if_large(self) -> None:
        is_large = self._statuses.size_bytes > self._max_bytes
        if is_large and not self._is_alarmed:
            log.error("spool.statuses_large", size_bytes=self._statuses.size_bytes, limit=self._max_bytes)
        self._is_alarmed = is_large

    def _keep_aside(self, record: Record, reason: str) -> None:
        self._set_aside += 1
        log.error("record.set_aside", kind=type(record).__name__, key=record.key, reason=reason)
        path = self._directory / _SET_ASIDE_FILE
        line = json.dumps({"key": record.key, "reason": reason, "record": record.document()}, default=str)
        try:
            if path.exists() and path.stat().st_size > _MAX_SET_ASIDE_BYTES:
                path.replace(path.with_suffix(".old"))
            with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(line + "\n")
        except OSError as error:
            log.error("record.lost", key=record.key, error=str(error))


def _sync_all(descriptors: list[int]) -> int:
    try:
        for descriptor in descriptors:
            os.fdatasync(descriptor)
        return len(descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
