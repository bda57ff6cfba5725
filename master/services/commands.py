"""Run now, kill, retry: requests left in etcd for the workers.

A request is a key on a lease of its own, so one that nobody answers disappears. The ids of what will run are
known before it runs.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from common.domain.codec import KillRequest, StoredValue, Trigger
from common.domain.errors import (
    Conflict,
    ExecutionNotFound,
    InvalidInput,
    InvalidJob,
    JobNotFound,
    StoreUnavailable,
    Throttled,
)
from common.domain.execution import Cause, Status
from common.domain.ids import ExecutionId
from common.domain.keys import Keyspace
from common.kv.port import KeyValueStore
from common.kv.values import Compare, Put, absent, created_at
from common.runtime.clock import Clock, new_uid
from master.domain.job_rows import JobRow
from master.domain.rate_limit import RateLimit
from master.services.history import History
from master.services.job_catalog import JobCatalog
from master.services.roster import Roster
from master.services.writing import write_once

log = structlog.get_logger()

_TRIGGER_LIFE: Final = timedelta(hours=24)
_KILL_LIFE_S: Final = 120
_KILLS_PER_TXN: Final = 50
#: Asked for by people and programs, of one job, at this master.
_RUNS_PER_MINUTE: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What somebody asks for: an extra execution, with parameters, on a certain worker, despite overlap."""

    parameters: Mapping[str, str]
    worker: str | None = None
    force: bool = False
    trace_parent: str | None = None
    """W3C trace context of the request; no part of what is asked for."""

    def fingerprint(self) -> str:
        text = json.dumps([dict(self.parameters), self.worker, self.force], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class RememberedRequest(StoredValue):
    """What an idempotency key stands for: below `requests/`, for 24 h."""

    trigger_id: str
    uid: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Requested:
    """The execution that will be, and the request it comes from."""

    execution_id: str
    trigger_id: str


class Commands:
    """
    Raises (every method):
        StoreUnavailable: etcd is away; nothing was requested.
        OutcomeUnknown: The answer got lost.
    """

    def __init__(
        self,
        store: KeyValueStore,
        keyspace: Keyspace,
        catalog: JobCatalog,
        history: History,
        roster: Roster,
        clock: Clock,
    ) -> None:
        self._store = store
        self._keyspace = keyspace
        self._catalog = catalog
        self._history = history
        self._roster = roster
        self._clock = clock
        self._limit = RateLimit(_RUNS_PER_MINUTE, 60.0)

    async def run(
        self,
        namespace: str,
        name: str,
        request: RunRequest,
        *,
        requested_by: str,
        idempotency_key: str | None = None,
    ) -> Requested:
        """
        Ask for one execution now. The same *idempotency_key* within 24 h answers the same execution.

        Raises:
            JobNotFound: There is none.
            InvalidInput: The worker is not alive.
            Conflict: The idempotency key was used for another request.
            Throttled: The job was run too often within a minute.
        """
        row = await self._catalog.read(namespace, name)
        if row.spec is None:
            raise InvalidJob("what is stored of this job cannot be read: save or delete it")
        if request.worker is not None and not self._roster.is_live(request.worker):
            raise InvalidInput(f"no worker {request.worker!r} is online", field="worker")
        remember = (
            self._keyspace.request(namespace, name, _digest(idempotency_key)) if idempotency_key else None
        )
        return await self._trigger(row, row.spec.uid, request, requested_by, remember)

    async def retry(self, execution_id: str, *, requested_by: str) -> Requested:
        """
        Run the job of an execution that has ended once more, with the same parameters.

        Raises:
            ExecutionNotFound: It is not known.
            Conflict: It has not ended, or its job does not exist any more.
        """
        document = await self._history.document(execution_id)
        if not Status(document["status"]).is_terminal:
            raise Conflict("the execution has not ended yet", execution_id=execution_id)
        namespace, name = document["namespace"], document["job"]
        try:
            row = await self._catalog.read(namespace, name)
        except JobNotFound:
            row = None
        if row is None or row.uid != document["uid"]:
            raise Conflict(f"the job {namespace}/{name} of this execution does not exist any more")
        request = RunRequest(parameters=document.get("parameters") or {})
        return await self._trigger(row, document["uid"], request, requested_by, None)

    async def kill_job(self, namespace: str, name: str, *, requested_by: str) -> list[str]:
        """Ask for the end of every running execution of a job; answers their ids, maybe none."""
        row = await self._catalog.read(namespace, name)
        return await self.kill_all_of(row.uid, requested_by=requested_by) if row.uid else []

    async def kill_all_of(self, uid: str, *, requested_by: str) -> list[str]:
        """Like `kill_job`, for a job that may have been deleted."""
        runs = await self._store.list(self._keyspace.runs_of(uid))
        executions = [self._keyspace.parse_run(kv.key) for kv in runs.items]
        await self._kill(executions, requested_by)
        return [str(execution) for execution in executions]

    async def kill(self, execution_id: str, *, requested_by: str) -> list[str]:
        """
        Ask for the end of one execution.

        Raises:
            ExecutionNotFound: It is not known.
            Conflict: It has ended.
        """
        execution = ExecutionId.parse(execution_id)
        run = self._keyspace.run(execution)
        if (await self._store.txn(reads=[run])).reads[run] is None:
            await self._explain_absence(execution_id)
        await self._kill([execution], requested_by)
        return [execution_id]

    async def _explain_absence(self, execution_id: str) -> None:
        try:
            document = await self._history.document(execution_id)
        except StoreUnavailable as error:
            raise ExecutionNotFound(
                f"{execution_id!r} does not run; history, which would know more, is away"
            ) from error
        raise Conflict(
            f"the execution does not run any more (status {document['status']})", execution_id=execution_id
        )

    async def _trigger(
        self, row: JobRow, uid: str, request: RunRequest, requested_by: str, remember: str | None
    ) -> Requested:
        self._check_rate(row, uid)
        now = self._clock.now()
        trigger_id = new_uid()
        trigger = Trigger(
            cause=Cause.MANUAL,
            not_before=now,
            expires_at=now + _TRIGGER_LIFE,
            scheduled_at=now,
            parameters=dict(request.parameters),
            requested_by=requested_by,
            worker=request.worker,
            force=request.force,
            trace_parent=request.trace_parent,
        )
        lease = await self._store.grant(int(_TRIGGER_LIFE.total_seconds()))
        job, key = self._keyspace.job(row.namespace, row.name), self._keyspace.trigger(uid, trigger_id)
        compares: list[Compare] = [created_at(job, row.create_revision), absent(key)]
        puts = [Put(key, trigger.encode(), lease.id)]
        if remember:
            remembered = RememberedRequest(trigger_id=trigger_id, uid=uid, fingerprint=request.fingerprint())
            compares.append(absent(remember))
            puts.append(Put(remember, remembered.encode(), lease.id))
        # A trigger is deleted by the worker that takes it: only a remembered one may be sent again, any other
        # could run twice.
        result, _ = await write_once(
            self._store,
            compares=compares,
            puts=puts,
            reads=[remember] if remember else [],
            sendings=3 if remember else 1,
        )
        if result.succeeded:
            log.info("job.run_requested", namespace=row.namespace, job=row.name, trigger=trigger_id)
            return _requested(uid, trigger_id)
        earlier = result.reads[remember] if remember else None
        if remember and earlier is not None:
            found = RememberedRequest.decode(remember, earlier.value)
            if found.trigger_id != trigger_id:
                await self._store.revoke(lease.id)
            return _same(found, request)
        await self._store.revoke(lease.id)
        raise JobNotFound(f"there is no job {row.namespace}/{row.name} any more")

    def _check_rate(self, row: JobRow, uid: str) -> None:
        wait_s = self._limit.wait_s(uid, self._clock.uptime_s())
        if wait_s > 0:
            seconds = math.ceil(wait_s)
            raise Throttled(
                f"{row.namespace}/{row.name} was run {_RUNS_PER_MINUTE} times within a minute: "
                f"the next time is possible in {seconds} s",
                retry_after_s=seconds,
            )

    async def _kill(self, executions: Sequence[ExecutionId], requested_by: str) -> None:
        if not executions:
            return
        lease = await self._store.grant(_KILL_LIFE_S)
        value = KillRequest(requested_by=requested_by, requested_at=self._clock.now()).encode()
        for start in range(0, len(executions), _KILLS_PER_TXN):
            puts = [
                Put(self._keyspace.kill(execution), value, lease.id)
                for execution in executions[start : start + _KILLS_PER_TXN]
            ]
            # No compare: the same request written twice is one request.
            await write_once(self._store, compares=[], puts=puts, reads=[])
        log.info("execution.kill_requested", executions=len(executions), by=requested_by)


def _same(remembered: RememberedRequest, request: RunRequest) -> Requested:
    if remembered.fingerprint != request.fingerprint():
        raise Conflict(
            "this Idempotency-Key was used for a request with other parameters: use a new one",
            code="idempotency_key_reused",
        )
    return _requested(remembered.uid, remembered.trigger_id)


def _requested(uid: str, trigger_id: str) -> Requested:
    return Requested(str(ExecutionId.of_trigger(uid, trigger_id)), trigger_id)


def _digest(idempotency_key: str) -> str:
    return hashlib.sha256(idempotency_key.encode()).hexdigest()[:32]
