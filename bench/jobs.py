"""Jobs for measuring: made in numbers and written straight to etcd, each with its cursor.

The same keys and values a master writes; only validation over HTTP is left out, because saving is not what is
measured and 100,000 requests would take minutes.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from common.domain.codec import encode_cursor, encode_job
from common.domain.job import JobSpec
from common.domain.keys import Keyspace
from common.kv.etcd import EtcdStore
from common.kv.etcd_settings import EtcdSettings
from common.kv.values import Put

KEYS: Final = Keyspace()
#: Two puts per job; etcd takes 128 operations in a transaction.
_JOBS_PER_TXN: Final = 60
_TXNS_AT_ONCE: Final = 8


def make_jobs(count: int, *, prefix: str = "bench", **definition: Any) -> list[JobSpec]:
    """*count* jobs of the same *definition*, named and numbered; due from a second ago on."""
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
    return [
        JobSpec(
            name=f"{prefix}-{number:06d}",
            uid=f"j{prefix.replace('-', '')}{number:08d}",
            created_at=now,
            changed_at=now,
            **definition,
        )
        for number in range(count)
    ]


def save_jobs(endpoint: str, jobs: Sequence[JobSpec]) -> None:
    """Write *jobs* and their cursors to the etcd at *endpoint*."""
    asyncio.run(_save(endpoint, jobs))


def remove_jobs(endpoint: str, jobs: Sequence[JobSpec]) -> None:
    """Delete *jobs* and their cursors."""
    asyncio.run(_remove(endpoint, jobs))


def revision(endpoint: str) -> int:
    """The store's revision: every writing transaction moves it by one."""
    return asyncio.run(_revision(endpoint))


async def _save(endpoint: str, jobs: Sequence[JobSpec]) -> None:
    at_once = asyncio.Semaphore(_TXNS_AT_ONCE)
    async with EtcdStore(settings_of(endpoint)) as store, asyncio.TaskGroup() as group:

        async def write(batch: Sequence[JobSpec]) -> None:
            async with at_once:
                await store.txn(puts=[put for job in batch for put in _puts(job)])

        for start in range(0, len(jobs), _JOBS_PER_TXN):
            group.create_task(write(jobs[start : start + _JOBS_PER_TXN]), name="save_jobs")


async def _remove(endpoint: str, jobs: Sequence[JobSpec]) -> None:
    async with EtcdStore(settings_of(endpoint)) as store:
        for start in range(0, len(jobs), _JOBS_PER_TXN):
            batch = jobs[start : start + _JOBS_PER_TXN]
            keys = [key for job in batch for key in (KEYS.job(job.namespace, job.name), KEYS.cursor(job.uid))]
            await store.txn(deletes=keys)


async def _revision(endpoint: str) -> int:
    async with EtcdStore(settings_of(endpoint)) as store:
        return (await store.txn(reads=[KEYS.cursor("none")])).revision


def _puts(job: JobSpec) -> tuple[Put, Put]:
    return (
        Put(KEYS.job(job.namespace, job.name), encode_job(job)),
        Put(KEYS.cursor(job.uid), encode_cursor(job.changed_at)),
    )


def settings_of(endpoint: str) -> EtcdSettings:
    """How programs here reach the etcd at *endpoint*: patient, as the machine is at its limit."""
    return EtcdSettings(endpoints=(endpoint,), call_timeout_s=30.0)
