"""Jobs saved, switched and deleted: every write compares what it replaces, in one transaction.

A job and its cursor are born and die together. The cursor starts at the moment of creation, so a new job owes
no earlier tick; later versions leave it alone, because it belongs to the workers.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

import structlog

from common.domain.codec import encode_cursor, encode_job
from common.domain.errors import (
    CorruptValue,
    InvalidInput,
    InvalidJob,
    JobExists,
    JobNotFound,
    RevisionConflict,
)
from common.domain.job import JobDefinition, JobSpec
from common.domain.keys import Keyspace
from common.domain.schedule import parse_schedule
from common.kv.port import KeyValueStore
from common.kv.values import Change, Compare, KeyValue, Put, absent, modified_at
from common.runtime.clock import Clock, new_uid
from master.domain.job_rows import OWN_LABELS, JobRow
from master.domain.secrets import with_stored_secrets
from master.services.job_view import JobView, read_job
from master.services.writing import write_once

log = structlog.get_logger()

#: How often a save without If-Match tries again when others keep changing the job under it.
_TRIES: Final = 5
_TICK: Final = timedelta(microseconds=1)
_UID: Final = re.compile(r"[a-z][a-z0-9]{7,31}")
#: Room for the job and its cursor beside the triggers in one transaction of at most 128 operations.
_TRIGGERS_PER_DELETE: Final = 100


#: Told what a change replaced by what, once it was made; None stands for no job (or one that is unreadable).
Witness: TypeAlias = Callable[[JobSpec | None, JobSpec | None], None]


def _nobody(_before: JobSpec | None, _after: JobSpec | None) -> None:
    """The witness of a change that nobody looks at."""


class DeleteMode(StrEnum):
    """What becomes of executions that run while their job is deleted."""

    WAIT = "wait"
    """They end by themselves and are recorded."""
    KILL = "kill"
    """They are stopped."""


@dataclass(frozen=True, slots=True)
class Precondition:
    """What a change insists on: a revision (If-Match), or that there is no such job (If-None-Match: *)."""

    revision: int | None = None
    must_be_new: bool = False


@dataclass(frozen=True, slots=True)
class _Stored:
    """What etcd holds under a job's key now: `spec` is None when it cannot be read."""

    kv: KeyValue
    spec: JobSpec | None


class JobCatalog:
    """
    The jobs: reads come from the view, writes go to etcd and into the view.

    Raises (every writing method):
        StoreUnavailable: etcd is away; nothing was changed.
        OutcomeUnknown: The answer got lost three times.
        RevisionConflict: `expected` and `actual` in the details; `actual` is 0 when there is no such job.
    """

    def __init__(
        self, store: KeyValueStore, keyspace: Keyspace, view: JobView, clock: Clock, *, history_days: int
    ) -> None:
        self._store = store
        self._keyspace = keyspace
        self._view = view
        self._clock = clock
        self._history_days = history_days
        self._listeners: list[Callable[[JobSpec], None]] = []

    def on_saved(self, listener: Callable[[JobSpec], None]) -> None:
        """Call *listener* with every version this master has stored."""
        self._listeners.append(listener)

    def find(self, namespace: str, name: str) -> JobRow:
        """
        The job as this master sees it.

        Raises:
            JobNotFound: There is none.
            StoreUnavailable: etcd has not been reached since this master started.
        """
        row = self._view.row(namespace, name)
        if row is None:
            self._view.check_synced()
            raise _not_found(namespace, name)
        return row

    def peek(self, namespace: str, name: str) -> JobRow | None:
        """The job as this master sees it, if it sees one."""
        return self._view.row(namespace, name)

    async def read(self, namespace: str, name: str) -> JobRow:
        """The job as it is stored at this moment, also when another master saved it just now."""
        stored = await self._read(namespace, name)
        if stored is None:
            raise _not_found(namespace, name)
        self._view.apply(Change(stored.kv))
        return self.find(namespace, name)

    async def save(
        self,
        definition: JobDefinition,
        precondition: Precondition,
        *,
        changed_by: str,
        witness: Witness = _nobody,
        is_our_own: bool = False,
    ) -> JobRow:
        """
        Create the job or replace its definition.

        Args:
            is_our_own: The program itself saves it, and may use labels nobody else may.

        Raises:
            InvalidSchedule, UnknownTimezone, InvalidJob: Names the field.
            JobExists: It must be new and is not.
        """
        check_timing(definition)
        if not is_our_own:
            _check_labels(definition)

        def next_version(stored: _Stored | None) -> JobSpec:
            spec = stored.spec if stored else None
            return self._version(with_stored_secrets(definition, spec), spec, changed_by)

        return await self._write(definition.namespace, definition.name, precondition, next_version, witness)

    def check(self, definition: JobDefinition, *, knows_secrets: bool) -> None:
        """
        Raise what `save` would refuse of *definition* itself, whatever is stored by then.

        Args:
            knows_secrets: Masks may stand for what is stored now; False for who may not see the job.
        """
        check_timing(definition)
        _check_labels(definition)
        row = self._view.row(definition.namespace, definition.name) if knows_secrets else None
        stored = row.spec if row else None
        encode_job(self._version(with_stored_secrets(definition, stored), stored, ""))

    async def switch(
        self,
        namespace: str,
        name: str,
        *,
        enabled: bool,
        until: datetime | None = None,
        precondition: Precondition,
        changed_by: str,
        witness: Witness = _nobody,
    ) -> JobRow:
        """
        Enable a job, or disable it; with *until* it pauses and resumes by itself.

        Raises:
            JobNotFound: There is none.
            InvalidJob: What is stored cannot be read, so it cannot be switched; or *until* has passed.
        """
        if until is not None and until <= self._clock.now():
            raise InvalidJob("until must be in the future", field="until")

        def switched(stored: _Stored | None) -> JobSpec:
            if stored is None:
                raise _not_found(namespace, name)
            if stored.spec is None:
                raise InvalidJob("what is stored of this job cannot be read: save or delete it")
            change = {"enabled": enabled or until is not None, "paused_until": until}
            return self._version(stored.spec.definition().model_copy(update=change), stored.spec, changed_by)

        return await self._write(namespace, name, precondition, switched, witness)

    async def delete(
        self, namespace: str, name: str, precondition: Precondition, *, witness: Witness = _nobody
    ) -> str | None:
        """
        Delete the job with its cursor and waiting triggers.

        Returns:
            Its uid, or None when what was stored could not be read.

        Raises:
            JobNotFound: There is none.
        """
        key = self._keyspace.job(namespace, name)
        for _ in range(_TRIES):
            stored = await self._read(namespace, name)
            if stored is None:
                raise _not_found(namespace, name)
            _check(precondition, stored.kv.mod_revision)
            uid = _uid_of(stored)
            result, is_echo = await write_once(
                self._store,
                compares=[modified_at(key, stored.kv.mod_revision)],
                deletes=[key, *await self._belongings(uid)],
                reads=[key],
            )
            # Gone after a lost answer: by us or by another, it is what was asked for.
            if result.succeeded or (is_echo and result.reads[key] is None):
                self._view.deleted_here(namespace, name, result.revision)
                log.info("job.deleted", namespace=namespace, job=name, uid=uid)
                witness(stored.spec, None)
                return uid
        raise _busy(namespace, name)

    async def _write(
        self,
        namespace: str,
        name: str,
        precondition: Precondition,
        next_version: Callable[[_Stored | None], JobSpec],
        witness: Witness,
    ) -> JobRow:
        key = self._keyspace.job(namespace, name)
        for _ in range(_TRIES):
            stored = await self._read(namespace, name)
            if precondition.must_be_new and stored is not None:
                raise JobExists(f"the job {namespace}/{name} exists already", namespace=namespace, job=name)
            _check(precondition, stored.kv.mod_revision if stored else 0)
            spec = next_version(stored)
            value = encode_job(spec)
            compares, puts, deletes = self._transaction(key, value, spec, stored)
            result, is_echo = await write_once(
                self._store, compares=compares, puts=puts, deletes=deletes, reads=[key]
            )
            now_stored = result.reads.get(key)
            if result.succeeded:
                revision = result.revision
            elif is_echo and now_stored is not None and now_stored.value == value:
                revision = now_stored.mod_revision
            else:
                continue
            created = revision if stored is None else stored.kv.create_revision
            self._view.apply(Change(KeyValue(key, value, created, revision)))
            for listener in self._listeners:
                listener(spec)
            log.info("job.saved", namespace=namespace, job=name, uid=spec.uid, generation=spec.generation)
            witness(stored.spec if stored else None, spec)
            return self.find(namespace, name)
        raise _busy(namespace, name)

    def _transaction(
        self, key: str, value: bytes, spec: JobSpec, stored: _Stored | None
    ) -> tuple[list[Compare], list[Put], list[str]]:
        cursor = Put(self._keyspace.cursor(spec.uid), encode_cursor(spec.changed_at))
        if stored is None:
            return [absent(key)], [Put(key, value), cursor], []
        compares = [modified_at(key, stored.kv.mod_revision)]
        if stored.spec is not None:
            return compares, [Put(key, value)], []
        # What was unreadable is replaced by a new job: nobody knows what its cursor stands for.
        old_uid = _uid_of(stored)
        return compares, [Put(key, value), cursor], [self._keyspace.cursor(old_uid)] if old_uid else []

    def _version(self, definition: JobDefinition, before: JobSpec | None, changed_by: str) -> JobSpec:
        now = self._clock.now()
        # Masters' clocks differ: a later version must never claim to be older.
        changed_at = max(now, before.changed_at + _TICK) if before else now
        return JobSpec(
            **{name: getattr(definition, name) for name in JobDefinition.model_fields},
            uid=before.uid if before else new_uid(),
            generation=before.generation + 1 if before else 1,
            created_at=before.created_at if before else now,
            changed_at=changed_at,
            changed_by=changed_by,
            retention_days=definition.history_days or self._history_days,
        )

    async def _read(self, namespace: str, name: str) -> _Stored | None:
        key = self._keyspace.job(namespace, name)
        kv = (await self._store.txn(reads=[key])).reads[key]
        if kv is None:
            return None
        try:
            spec, _ = read_job(key, kv.value, (namespace, name))
        except (CorruptValue, InvalidInput):
            return _Stored(kv, None)
        return _Stored(kv, spec)

    async def _belongings(self, uid: str | None) -> list[str]:
        """Keys that go with the job. Triggers beyond the first hundred are left to the reconciler."""
        if uid is None:
            return []
        triggers = await self._store.list(self._keyspace.triggers_of(uid))
        return [self._keyspace.cursor(uid), *(kv.key for kv in triggers.items[:_TRIGGERS_PER_DELETE])]


def check_timing(definition: JobDefinition) -> None:
    """
    Make sure that the schedule comes due and the zone exists.

    Raises:
        InvalidSchedule, UnknownTimezone: With the field and the reason.
    """
    # The zone is checked also without a schedule: a typo there would surface when a schedule is added.
    parse_schedule(definition.schedule or "@daily", definition.timezone)


def _check_labels(definition: JobDefinition) -> None:
    for label in definition.labels:
        if label.startswith(OWN_LABELS):
            raise InvalidJob(
                f"labels.{label}: labels that begin with {OWN_LABELS} belong to the program", field="labels"
            )


def _check(precondition: Precondition, actual: int) -> None:
    if precondition.revision is not None and precondition.revision != actual:
        raise RevisionConflict(
            "the job was changed since it was read" if actual else "the job does not exist any more",
            expected=precondition.revision,
            actual=actual,
        )


def _uid_of(stored: _Stored) -> str | None:
    """The uid of what is stored, fished out of the JSON when the rest of it cannot be read."""
    if stored.spec is not None:
        return stored.spec.uid
    try:
        fields = json.loads(stored.kv.value)
    except (ValueError, RecursionError):
        return None
    uid = fields.get("uid") if isinstance(fields, dict) else None
    return uid if isinstance(uid, str) and _UID.fullmatch(uid) else None


def _not_found(namespace: str, name: str) -> JobNotFound:
    return JobNotFound(f"there is no job {namespace}/{name}", namespace=namespace, job=name)


def _busy(namespace: str, name: str) -> RevisionConflict:
    return RevisionConflict(f"{namespace}/{name} is being changed by others all the time: try again")
