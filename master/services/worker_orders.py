"""What people do to workers: drain, resume, forget; and the jobs that depend on one of them.

An order to drain is a key in etcd that the worker follows; it stays until it is taken back, so it holds for a
worker that is offline or is started anew.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import structlog

from common.domain.codec import DrainOrder
from common.domain.eligibility import eligible
from common.domain.errors import Conflict, WorkerNotFound
from common.domain.job import JobSpec
from common.domain.keys import Keyspace
from common.kv.port import KeyValueStore
from common.kv.values import Put, absent
from common.runtime.clock import Clock
from master.domain.job_rows import JobRow
from master.services.job_view import JobView
from master.services.roster import Roster
from master.services.writing import write_once
from master.workers_port import WorkerRecords

log: Final = structlog.get_logger(__name__)

_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class Dependents:
    """Jobs that name a worker, and jobs that no other live worker may run."""

    pinned: list[JobRow]
    only_here: list[JobRow]


class WorkerOrders:
    """
    Raises (every changing method):
        WorkerNotFound: Neither alive nor remembered.
        StoreUnavailable: etcd is away; nothing was changed.
    """

    def __init__(
        self,
        store: KeyValueStore,
        keyspace: Keyspace,
        roster: Roster,
        view: JobView,
        records: WorkerRecords,
        clock: Clock,
    ) -> None:
        self._store = store
        self._keys = keyspace
        self._roster = roster
        self._view = view
        self._records = records
        self._clock = clock

    async def drain(self, worker: str, *, requested_by: str) -> None:
        """Let *worker* take nothing new; a worker that is drained already stays so."""
        await self._check_known(worker)
        key = self._keys.drain(worker)
        order = DrainOrder(requested_by=requested_by, requested_at=self._clock.now())
        await write_once(self._store, compares=[absent(key)], puts=[Put(key, order.encode())], reads=[key])
        log.info("worker.drain_requested", worker=worker, by=requested_by)

    async def resume(self, worker: str, *, requested_by: str) -> None:
        """Let *worker* take ticks again; one that is not drained is left as it is."""
        await self._check_known(worker)
        await write_once(self._store, compares=[], deletes=[self._keys.drain(worker)], reads=[])
        log.info("worker.resume_requested", worker=worker, by=requested_by)

    async def forget(self, worker: str, *, force: bool) -> None:
        """
        Delete what is stored of a worker that is gone; the executions it ran stay.

        Raises:
            Conflict: `worker_online`, or `worker_pinned` unless *force*.
            StoreUnavailable: Also when MongoDB is away.
        """
        if self._roster.is_live(worker):
            raise Conflict(
                f"the worker {worker} is online and would be back at once: stop it first",
                code="worker_online",
            )
        await self._check_known(worker)
        pinned = self.dependents(worker, None).pinned
        if pinned and not force:
            names = [f"{row.namespace}/{row.name}" for row in pinned]
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            raise Conflict(
                f"jobs name the worker {worker}: {', '.join(names[:_NAMED])}{more}; change them, or force it",
                code="worker_pinned",
                jobs=names,
            )
        await self._records.forget(worker)
        await write_once(self._store, compares=[], deletes=[self._keys.drain(worker)], reads=[])
        log.info("worker.forgotten", worker=worker)

    def dependents(self, worker: str, namespaces: Collection[str] | None) -> Dependents:
        """The jobs of *namespaces* (None: all) that depend on *worker*."""
        live = self._roster.live()
        alone: dict[object, bool] = {}
        found = Dependents([], [])
        for row in self._view.rows():
            spec = row.spec
            if spec is None or (namespaces is not None and row.namespace not in namespaces):
                continue
            if worker in spec.target.workers:
                found.pinned.append(row)
            requirement = _requirement(spec)
            if requirement not in alone:
                alone[requirement] = eligible(spec, live) == [worker]
            if alone[requirement]:
                found.only_here.append(row)
        return found

    async def _check_known(self, worker: str) -> None:
        if not self._roster.is_live(worker) and worker not in await self._roster.reports():
            raise WorkerNotFound(f"there is no worker {worker!r}", worker=worker)


def _requirement(spec: JobSpec) -> tuple[object, ...]:
    return (spec.executor, spec.target.workers, tuple(sorted(spec.target.labels.items())))
