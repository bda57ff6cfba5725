"""Requests for one execution, put into etcd at an even pace: what `run now` writes, without the master."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bench.jobs import KEYS, settings_of
from common.domain.codec import Trigger
from common.domain.execution import Cause
from common.domain.job import JobSpec
from common.kv.etcd import EtcdStore
from common.kv.values import Put


def ask_evenly(endpoint: str, jobs: Sequence[JobSpec], *, per_s: int, seconds: float) -> list[str]:
    """
    Ask for `per_s` executions a second of *jobs* in turn, for *seconds*; return the ids of the executions.

    The id of a request is the wall clock in nanoseconds at which it was sent: that is when it is due.
    """
    return asyncio.run(_ask(endpoint, jobs, per_s, seconds))


async def _ask(endpoint: str, jobs: Sequence[JobSpec], per_s: int, seconds: float) -> list[str]:
    asked: list[str] = []
    began_s = time.monotonic()
    async with EtcdStore(settings_of(endpoint)) as store, asyncio.TaskGroup() as group:
        for number in range(int(per_s * seconds)):
            await asyncio.sleep(max(0.0, began_s + number / per_s - time.monotonic()))
            uid = jobs[number % len(jobs)].uid
            now_ns = time.time_ns()
            asked.append(f"{uid}.m{now_ns}.1")
            group.create_task(_put(store, uid, now_ns), name="ask")
    return asked


async def _put(store: EtcdStore, uid: str, now_ns: int) -> None:
    now = datetime.fromtimestamp(now_ns / 1e9, UTC)
    trigger = Trigger(
        cause=Cause.MANUAL,
        not_before=now,
        expires_at=now + timedelta(seconds=600),
        scheduled_at=now,
        requested_by="bench",
    )
    await store.txn(puts=[Put(KEYS.trigger(uid, str(now_ns)), trigger.encode())])
