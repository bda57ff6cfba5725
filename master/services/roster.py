"""The workers: who is alive (etcd), how they are (MongoDB).

Liveness is the health key and nothing else. The `workers` collection adds metrics, and the workers that are
gone; without MongoDB the live ones are still listed.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import structlog

from common.domain.codec import WorkerHealth
from common.domain.eligibility import eligible, why_not
from common.domain.errors import CorruptValue, StoreUnavailable, WorkerNotFound
from common.domain.job import JobDefinition
from common.domain.keys import Keyspace
from common.domain.records import Document
from common.kv.feed import Feed
from common.kv.values import Change
from master.ports import HistoryReader
from master.services.live_runs import LiveRuns

log = structlog.get_logger()

#: Worker id, its health before (None: it was not there), its health now (None: it is gone), the change.
HealthListener: TypeAlias = Callable[[str, WorkerHealth | None, WorkerHealth | None, Change], None]


class Roster:
    """
    Live workers, kept current, joined with what they reported last.

    Attributes:
        synced: Set once all health keys have been seen; it stays set when etcd goes away.
    """

    def __init__(self, feed: Feed, keyspace: Keyspace, history: HistoryReader, runs: LiveRuns) -> None:
        self._feed = feed
        self._keyspace = keyspace
        self._history = history
        self._runs = runs
        self._live: dict[str, WorkerHealth] = {}
        self.synced = asyncio.Event()
        self._on_change: Callable[[str, str], None] = _ignored
        self._on_health: list[HealthListener] = []

    def on_health(self, listener: HealthListener) -> None:
        """Call *listener* with every change of a health key, also with those of a listing."""
        self._on_health.append(listener)

    def tell(self, on_change: Callable[[str, str], None]) -> None:
        """Call *on_change* with the id and the status of every worker that changes from now on."""
        self._on_change = on_change

    @property
    def is_current(self) -> bool:
        return self.synced.is_set() and self._feed.is_current

    async def run(self) -> None:
        """Follow the store for ever."""
        async for event in self._feed.events():
            for change in event.changes:
                self._apply(change)
                if self.synced.is_set():
                    worker_id = change.key.removeprefix(self._keyspace.health_prefix)
                    self._on_change(worker_id, self.status(worker_id))
            if event.synced:
                self.synced.set()

    def live(self) -> list[WorkerHealth]:
        """Workers whose session is alive, by id; also those that are draining."""
        return [self._live[worker_id] for worker_id in sorted(self._live)]

    def health(self, worker_id: str) -> WorkerHealth | None:
        """What a live worker says of itself."""
        return self._live.get(worker_id)

    def is_live(self, worker_id: str) -> bool:
        return worker_id in self._live

    def status(self, worker_id: str) -> str:
        """`online`, `draining` or `offline`."""
        health = self._live.get(worker_id)
        return health.status if health else "offline"

    def count_eligible(self, job: JobDefinition) -> int:
        return len(eligible(job, self._live.values()))

    def candidates(self, job: JobDefinition) -> list[tuple[WorkerHealth, str | None]]:
        """Every live worker with the reason why it may not run *job*; None when it may."""
        return [(worker, worker.claims_paused or why_not(job, worker)) for worker in self.live()]

    async def reports(self) -> dict[str, Document]:
        """What every worker reported last, by id; nothing when MongoDB is away."""
        try:
            return {report["_id"]: report for report in await self._history.workers()}
        except StoreUnavailable:
            return {}

    async def workers(self, namespaces: Collection[str] | None = None) -> list[Document]:
        """
        Every known worker as the API shows it, by id; the live ones alone when MongoDB is away.

        Args:
            namespaces: Executions of these are counted; None counts all.
        """
        reports = await self.reports()
        running = self._runs.per_worker(namespaces)
        names = sorted({*self._live, *reports})
        return [
            self._shown(name, self._live.get(name), reports.get(name, {}), running.get(name, 0))
            for name in names
        ]

    async def worker(self, worker_id: str, namespaces: Collection[str] | None = None) -> Document:
        """
        One worker; *namespaces* as for `workers`.

        Raises:
            WorkerNotFound: Neither alive nor remembered.
        """
        for shown in await self.workers(namespaces):
            if shown["id"] == worker_id:
                return shown
        raise WorkerNotFound(f"there is no worker {worker_id!r}", worker=worker_id)

    def _shown(self, worker_id: str, health: WorkerHealth | None, report: Document, running: int) -> Document:
        """Health says who and what, as long as there is any; the report adds figures."""
        said: dict[str, Any] = health.model_dump() if health else report
        metrics = report.get("metrics") or {}
        return {
            "id": worker_id,
            "status": self.status(worker_id),
            "host": said.get("host") or "",
            "address": said.get("address") or "",
            "pid": said.get("pid"),
            "version": said.get("version") or "",
            "labels": said.get("labels") or {},
            "executors": list(said.get("executors") or ()),
            "slots": said.get("slots") or 0,
            "running": running,
            "started_at": _instant(said.get("started_at")),
            "last_seen_at": _instant(report.get("last_seen_at")),
            "metrics": _shown_metrics(metrics) if metrics else None,
            "clock_offset_ms": report.get("clock_offset_ms"),
            "tzdata": said.get("tzdata") or "",
            "claims_paused": health.claims_paused if health else None,
        }

    def _apply(self, change: Change) -> None:
        worker_id = change.key.removeprefix(self._keyspace.health_prefix)
        before = self._live.pop(worker_id, None)
        after = None
        if not change.deleted:
            try:
                after = self._live[worker_id] = WorkerHealth.decode(change.key, change.kv.value)
            except CorruptValue as error:
                log.warning("worker.unreadable", key=change.key, reason=str(error))
        for listener in self._on_health:
            listener(worker_id, before, after, change)


def _ignored(_worker_id: str, _status: str) -> None:
    """Nobody listens."""


def _shown_metrics(metrics: Mapping[str, Any]) -> Document:
    return {
        "cpu_percent": metrics.get("cpu_percent"),
        "memory_percent": _share(metrics.get("memory_used_bytes"), metrics.get("memory_total_bytes")),
        "memory_bytes": metrics.get("memory_used_bytes"),
        "load1": metrics.get("load_1"),
        "disk_percent": _share(metrics.get("disk_used_bytes"), metrics.get("disk_total_bytes")),
    }


def _share(part: float | None, whole: float | None) -> float | None:
    return round(100 * part / whole, 1) if part is not None and whole else None


def _instant(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None
