"""Every saved version of a job: remembered by the master that saved it, read back to compare and to revert.

A save never waits for MongoDB: versions wait in a bounded queue. What never got there (a crash, a long
outage, another program) is found by comparing the jobs in etcd with what is kept, so the present version of
every job is there sooner or later.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from common.domain.errors import StoreUnavailable, VersionNotFound
from common.domain.job import JobDefinition, JobSpec
from common.domain.records import Document
from common.runtime.clock import Clock
from master.domain.job_rows import TEST_RUN_LABEL
from master.domain.versions import changes, shown_definition
from master.services.job_view import JobView

log: Final = structlog.get_logger(__name__)

_WAITING: Final = 10_000
_BATCH: Final = 200
_LOOK_EVERY_S: Final = 1.0
#: Whoever saved a version writes it itself; the comparison comes after it.
_COMPARE_EVERY_S: Final = 15.0
_SWEEP_EVERY_S: Final = 3_600.0
_COMPARED_AT_ONCE: Final = 1_000


class VersionStore(Protocol):
    """
    Raises (every method):
        StoreUnavailable: MongoDB cannot be reached.
    """

    async def put(self, specs: Sequence[JobSpec]) -> None:
        """Store versions that are not stored yet; the oldest ones beyond what is kept go."""
        ...

    async def missing(self, specs: Sequence[JobSpec]) -> list[JobSpec]:
        """Those of *specs* that are not stored."""
        ...

    async def page(self, uid: str, before: int | None, limit: int) -> list[JobSpec]:
        """Versions of a job whose generation is below *before*, newest first."""
        ...

    async def count(self, uid: str) -> int: ...

    async def find(self, uid: str, generation: int) -> JobSpec | None: ...

    async def uids(self) -> set[str]:
        """Jobs whose versions do not expire."""
        ...

    async def let_expire(self, uids: Sequence[str], at: datetime) -> None:
        """Keep the versions of these jobs until *at* only."""
        ...


@dataclass(frozen=True, slots=True)
class VersionPage:
    items: list[Document]
    total: int
    next_before: int | None
    """Generations below this one are on the next page; None when this was the last."""


class JobVersions:
    """Writes in the background; reading raises StoreUnavailable when MongoDB is away."""

    def __init__(self, store: VersionStore, view: JobView, clock: Clock, *, kept_days: int) -> None:
        """*kept_days*: how long versions of a deleted job are kept."""
        self._store = store
        self._view = view
        self._clock = clock
        self._kept = timedelta(days=kept_days)
        self._waiting: deque[JobSpec] = deque(maxlen=_WAITING)
        self._stored: dict[str, int] = {}
        self._gone: set[str] = set()
        self._writing = asyncio.Lock()

    def remember(self, spec: JobSpec) -> None:
        """A version this master has just saved; a test run has none."""
        if TEST_RUN_LABEL not in spec.labels:
            self._waiting.append(spec)

    async def run(self) -> None:
        """Write what waits and look for what is missing, for ever."""
        compared_s = swept_s = self._clock.uptime_s()
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            now_s = self._clock.uptime_s()
            try:
                await self._write_waiting()
                if now_s - compared_s >= _COMPARE_EVERY_S and self._view.is_current:
                    compared_s = now_s
                    await self._compare()
                if now_s - swept_s >= _SWEEP_EVERY_S and self._view.is_current:
                    swept_s = now_s
                    await self._sweep()
            except StoreUnavailable as error:
                log.debug("versions.postponed", waiting=len(self._waiting), error=str(error))

    async def page(self, current: JobSpec, *, before: int | None, size: int) -> VersionPage:
        """Versions of the job whose present one is *current*, newest first."""
        await self._write_waiting()
        await self._put([current])
        found = await self._store.page(current.uid, before, size + 1)
        earlier = {spec.generation: spec for spec in found}
        items = [
            {
                "generation": spec.generation,
                "changed_at": spec.changed_at,
                "changed_by": spec.changed_by,
                "definition": shown_definition(spec),
                "changes": changes(earlier.get(spec.generation - 1), spec),
                "is_current": spec.generation == current.generation,
            }
            for spec in found[:size]
        ]
        more = found[size - 1].generation if len(found) > size else None
        return VersionPage(items, await self._store.count(current.uid), more)

    async def definition(self, uid: str, generation: int) -> JobDefinition:
        """
        What was saved as that version, secret values included.

        Raises:
            VersionNotFound: It is not kept.
        """
        await self._write_waiting()
        spec = await self._store.find(uid, generation)
        if spec is None:
            raise VersionNotFound(f"version {generation} of this job is not kept", generation=generation)
        return spec.definition()

    async def _write_waiting(self) -> None:
        async with self._writing:
            while self._waiting:
                batch = [self._waiting[index] for index in range(min(_BATCH, len(self._waiting)))]
                await self._store.put(batch)
                for spec in batch:
                    # A full queue drops its oldest while this one waits for MongoDB.
                    if self._waiting and self._waiting[0] is spec:
                        self._waiting.popleft()
                    self._stored[spec.uid] = max(spec.generation, self._stored.get(spec.uid, 0))

    async def _put(self, specs: Sequence[JobSpec]) -> None:
        lacking = [spec for spec in specs if self._stored.get(spec.uid, 0) < spec.generation]
        if lacking:
            await self._store.put(lacking)
            self._stored.update({spec.uid: spec.generation for spec in lacking})

    async def _compare(self) -> None:
        """Write the present version of every job that is not known to be stored."""
        specs = [row.spec for row in self._view.listed() if row.spec]
        unknown = [spec for spec in specs if self._stored.get(spec.uid, 0) < spec.generation]
        for start in range(0, len(unknown), _COMPARED_AT_ONCE):
            part = unknown[start : start + _COMPARED_AT_ONCE]
            missing = await self._store.missing(part)
            for first in range(0, len(missing), _BATCH):
                await self._store.put(missing[first : first + _BATCH])
            self._stored.update({spec.uid: spec.generation for spec in part})
            if missing:
                log.info("versions.completed", versions=len(missing))

    async def _sweep(self) -> None:
        """Let versions of deleted jobs expire: seen twice, because a new job may be here before its view."""
        known = {row.uid for row in self._view.rows()}
        if any(row.quarantined for row in self._view.rows()):
            return
        gone = await self._store.uids() - {uid for uid in known if uid}
        expired = sorted(gone & self._gone)
        if expired:
            await self._store.let_expire(expired, self._clock.now() + self._kept)
        self._gone = gone
        self._stored = {uid: generation for uid, generation in self._stored.items() if uid in known}
