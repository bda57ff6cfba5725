"""Who else is there: the live workers, as every worker sees them below `/agent/health/`.

Answers which workers may run a job and how this one ranks among them. Jobs of the same requirement (executor
and target) share one list, so 100,000 jobs cost one evaluation per distinct requirement and change.
"""

from collections.abc import Callable
from contextlib import aclosing
from typing import Final

import structlog

from common.domain.codec import WorkerHealth
from common.domain.eligibility import eligible
from common.domain.errors import CorruptValue
from common.domain.job import JobDefinition
from common.domain.keys import Keyspace
from common.domain.preference import rank_of
from common.kv.feed import Feed

log: Final = structlog.get_logger(__name__)

#: What of a job decides where it may run.
Requirement = tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]


def requirement_of(job: JobDefinition) -> Requirement:
    return (job.executor, job.target.workers, tuple(sorted(job.target.labels.items())))


class Roster:
    """The live workers and what follows from them."""

    def __init__(self, feed: Feed, keyspace: Keyspace, worker_id: str) -> None:
        self._feed = feed
        self._keys = keyspace
        self._worker_id = worker_id
        self._workers: dict[str, WorkerHealth] = {}
        self._eligible: dict[Requirement, list[str]] = {}
        self._listeners: list[Callable[[], None]] = []

    @property
    def workers(self) -> dict[str, WorkerHealth]:
        return self._workers

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call *listener* after every change of who is there or what they offer."""
        self._listeners.append(listener)

    def rank(self, uid: str, requirement: Requirement, job: Callable[[], JobDefinition]) -> int | None:
        """This worker's rank for a job; None when it does not plan it. *job* is called on a cache miss."""
        candidates = self._eligible.get(requirement)
        if candidates is None:
            candidates = eligible(job(), self._workers.values())
            self._eligible[requirement] = candidates
        return rank_of(uid, self._worker_id, candidates)

    async def run(self) -> None:
        """Follow the health keys, for ever."""
        async with aclosing(self._feed.events()) as events:
            async for event in events:
                changed = False
                for change in event.changes:
                    changed |= self._apply(change.key, change.kv.value, deleted=change.deleted)
                if changed:
                    self._eligible.clear()
                    log.debug("roster.changed", workers=sorted(self._workers))
                    for listener in self._listeners:
                        listener()

    def _apply(self, key: str, value: bytes, *, deleted: bool) -> bool:
        worker_id = self._keys.parse_last(key, self._keys.health_prefix)
        if deleted:
            return self._workers.pop(worker_id, None) is not None
        try:
            health = WorkerHealth.decode(key, value)
        except CorruptValue as error:
            log.warning("worker.health_unreadable", key=key, error=str(error))
            return self._workers.pop(worker_id, None) is not None
        if self._workers.get(worker_id) == health:
            return False
        self._workers[worker_id] = health
        return True
