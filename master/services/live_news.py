"""What the master sees happen, as live events: jobs, executions and workers of the feeds it follows anyway.

An execution begins with its run record and ends with it; how it ended stands in MongoDB, where the worker (or
its spool, a little later) writes it. So ends are looked up in batches and again until they can be read; two
masters tell the same, because both say what the record says.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from common.domain.errors import StoreUnavailable
from common.domain.execution import Status
from common.domain.records import Document
from common.runtime.clock import Clock
from master.domain.live_events import EventKind, LiveEvent
from master.ports import HistoryReader
from master.services.event_hub import EventHub
from master.services.live_runs import LiveRun

log: Final = structlog.get_logger(__name__)

_LOOK_EVERY_S: Final = 0.25
_BATCH: Final = 500
#: After this an end is told without its outcome, and looked for less often.
_PATIENCE_S: Final = 10.0
_SLOW_LOOK_S: Final = 5.0
#: A spool that takes longer than this to deliver is an outage: it ends with a `resync`.
_GIVE_UP_S: Final = 600.0
_MOST_WAITING: Final = 10_000


@dataclass(slots=True, eq=False)
class _Ended:
    """An execution whose run record has gone."""

    execution_id: str
    known: Mapping[str, object]
    ended_s: float
    due_s: float
    is_told: bool = False


class LiveNews:
    """
    Turns changes into events.

    Attributes:
        unresolved: Ends whose outcome was not to be had in time, since the start.
    """

    def __init__(self, hub: EventHub, history: HistoryReader, clock: Clock) -> None:
        self.unresolved = 0
        self._hub = hub
        self._history = history
        self._clock = clock
        self._waiting: dict[str, _Ended] = {}
        self._owes_resync = False
        self._has_work = asyncio.Event()

    def job_changed(self, namespace: str, name: str, uid: str | None, revision: int, deleted: bool) -> None:
        data = {
            "namespace": namespace,
            "name": name,
            "uid": uid,
            "revision": revision,
            "deleted": deleted,
        }
        self._hub.publish(LiveEvent(EventKind.JOB, f"{namespace}/{name}", namespace, data))

    def worker_changed(self, worker_id: str, status: str) -> None:
        data = {"id": worker_id, "status": status}
        self._hub.publish(LiveEvent(EventKind.WORKER, worker_id, None, data))

    def run_started(self, run: LiveRun) -> None:
        self._tell(_from_run(run))

    def run_ended(self, run: LiveRun) -> None:
        """The outcome follows as soon as it can be read."""
        if len(self._waiting) >= _MOST_WAITING:
            self._drop(self._waiting[next(iter(self._waiting))])
        now_s = self._clock.uptime_s()
        execution_id = str(run.execution)
        self._waiting[execution_id] = _Ended(execution_id, _from_run(run), now_s, now_s)
        self._has_work.set()

    async def run(self) -> None:
        """Look up how executions ended, for ever."""
        while True:
            await self._has_work.wait()
            await self._look()
            if not self._waiting:
                self._has_work.clear()
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _look(self) -> None:
        """One look at every end that is due, in batches."""
        now_s = self._clock.uptime_s()
        due = [ended for ended in self._waiting.values() if ended.due_s <= now_s]
        for start in range(0, len(due), _BATCH):
            batch = due[start : start + _BATCH]
            try:
                found = await self._history.executions_by_id([ended.execution_id for ended in batch])
            except StoreUnavailable as error:
                log.debug("live.outcomes_unread", reason=str(error), waiting=len(self._waiting))
                for ended in due[start:]:
                    self._wait_longer(ended)
                break
            if self._owes_resync:
                self._owes_resync = False
                self._hub.start_over()
            self._take(batch, {document["_id"]: document for document in found})

    def _take(self, batch: Sequence[_Ended], found: Mapping[str, Document]) -> None:
        for ended in batch:
            document = found.get(ended.execution_id)
            if document is not None and Status(document["status"]).is_terminal:
                self._tell(_from_record(document))
                self._waiting.pop(ended.execution_id, None)
            else:
                self._wait_longer(ended)

    def _wait_longer(self, ended: _Ended) -> None:
        now_s = self._clock.uptime_s()
        waited_s = now_s - ended.ended_s
        if waited_s >= _GIVE_UP_S:
            self._drop(ended)
            return
        if waited_s >= _PATIENCE_S and not ended.is_told:
            ended.is_told = True
            self.unresolved += 1
            # It has ended, and that much is known: a list must not show it as running for ever.
            self._tell({**ended.known, "status": None})
        ended.due_s = now_s + (_SLOW_LOOK_S if ended.is_told else _LOOK_EVERY_S)

    def _drop(self, ended: _Ended) -> None:
        self._waiting.pop(ended.execution_id, None)
        self._owes_resync = True
        log.warning("live.outcome_given_up", execution=ended.execution_id)

    def _tell(self, data: Mapping[str, object]) -> None:
        namespace = data["namespace"]
        self._hub.publish(LiveEvent(EventKind.EXECUTION, str(data["id"]), str(namespace), data))


def _from_run(run: LiveRun) -> Mapping[str, object]:
    record = run.record
    return {
        "id": str(run.execution),
        "namespace": record.namespace,
        "job": record.name,
        "status": Status.RUNNING.value,
        "worker": record.worker,
        "at": record.scheduled_at,
        "started_at": record.claimed_at,
        "finished_at": None,
    }


def _from_record(document: Document) -> Mapping[str, object]:
    return {
        "id": document["_id"],
        "namespace": document["namespace"],
        "job": document["job"],
        "status": document["status"],
        "worker": document.get("worker"),
        "at": document["scheduled_at"],
        "started_at": document.get("started_at"),
        "finished_at": document.get("finished_at"),
    }
