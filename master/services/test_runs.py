"""A definition run once before it is saved: a temporary job, run at once and deleted when its execution runs.

The job carries a label of the program's own and no schedule; lists leave it out. Every master deletes those
whose execution has begun, or that are five minutes old, so the death of the master that made one leaves
nothing behind.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

import structlog

from common.domain.errors import STORE_FAILURES, JobNotFound, RevisionConflict, StoreUnavailable
from common.domain.execution import Status
from common.domain.job import JobDefinition, JobSpec, RetryPolicy
from common.domain.records import Document
from common.runtime.clock import Clock, new_uid
from master.domain.job_rows import TEST_RUN_LABEL, JobRow
from master.domain.secrets import with_stored_secrets
from master.services.commands import Commands, Requested, RunRequest
from master.services.job_catalog import JobCatalog, Precondition
from master.services.job_view import JobView
from master.services.live_runs import LiveRuns

log: Final = structlog.get_logger(__name__)

_NAME_LENGTH: Final = 128
_NONCE_LENGTH: Final = 8
_LOOK_EVERY_S: Final = 2.0
_LIFE: Final = timedelta(minutes=5)
#: What a claimed execution gets to start in when MongoDB, which would know, is away.
_STARTED_SURELY: Final = timedelta(seconds=30)


class RecentReader(Protocol):
    async def recent(self, jobs: Sequence[JobSpec], count: int) -> dict[str, list[Document]]:
        """The newest executions of each job by uid; StoreUnavailable when MongoDB is away."""
        ...


@dataclass(frozen=True, slots=True)
class TestRun:
    """The execution, and the temporary job it belongs to."""

    execution_id: str
    namespace: str
    name: str


class TestRuns:
    """Starts test runs, and deletes the jobs of all that are over, whoever has started them."""

    def __init__(
        self,
        catalog: JobCatalog,
        commands: Commands,
        view: JobView,
        runs: LiveRuns,
        reader: RecentReader,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._commands = commands
        self._view = view
        self._runs = runs
        self._reader = reader
        self._clock = clock

    async def start(self, definition: JobDefinition, *, requested_by: str) -> TestRun:
        """
        Run *definition* once.

        Raises:
            InvalidJob, InvalidSchedule, UnknownTimezone: It could not be saved either.
            StoreUnavailable: etcd is away.
        """
        self._catalog.check(definition, knows_secrets=True)
        stored = self._catalog.peek(definition.namespace, definition.name)
        temporary = _temporary(with_stored_secrets(definition, stored.spec if stored else None))
        await self._catalog.save(
            temporary, Precondition(must_be_new=True), changed_by=requested_by, is_our_own=True
        )
        requested: Requested = await self._commands.run(
            temporary.namespace, temporary.name, RunRequest(parameters={}), requested_by=requested_by
        )
        return TestRun(requested.execution_id, temporary.namespace, temporary.name)

    async def run(self) -> None:
        """Delete the jobs of test runs that have begun, for ever."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            for row in self._view.test_runs():
                try:
                    if await self._is_over(row):
                        await self._catalog.delete(
                            row.namespace, row.name, Precondition(revision=row.revision)
                        )
                except (JobNotFound, RevisionConflict):
                    # Another master was faster.
                    continue
                except STORE_FAILURES as error:
                    log.debug("test_run.kept", job=row.name, error=str(error))

    async def _is_over(self, row: JobRow) -> bool:
        spec = row.spec
        if spec is None:
            return False
        age = self._clock.now() - spec.created_at
        if age > _LIFE:
            return True
        try:
            newest = (await self._reader.recent([spec], 1)).get(spec.uid, [])
        except StoreUnavailable:
            live = self._runs.of_job(spec.uid)
            return bool(live) and self._clock.now() - live[0].record.claimed_at > _STARTED_SURELY
        # A job that is deleted between claim and start takes its execution along: wait for the start.
        return bool(newest) and newest[0]["status"] != Status.CLAIMED.value


def _temporary(definition: JobDefinition) -> JobDefinition:
    ending = f".test-{new_uid()[:_NONCE_LENGTH]}"
    return definition.model_copy(
        update={
            "name": definition.name[: _NAME_LENGTH - len(ending)] + ending,
            "labels": {**definition.labels, TEST_RUN_LABEL: "true"},
            "schedule": None,
            "enabled": True,
            "paused_until": None,
            "starts_at": None,
            "ends_at": None,
            "retry": RetryPolicy(),
        }
    )
