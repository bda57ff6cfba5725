"""JSON in and out of etcd: one model per kind of value, all with `"v": 1`.

Pure. `decode` names the key in its error, because the reader of a log line at night needs to find it. The
cursor is the one value that is not JSON: zero-padded decimal seconds, so that byte order is time order.
"""

import json
from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from common.domain.errors import CorruptValue, InvalidJob
from common.domain.execution import Cause, Reason
from common.domain.ids import epoch_s, from_epoch_s
from common.domain.job import MAX_SPEC_BYTES, SPEC_VERSION, JobSpec

_CURSOR_DIGITS: Final = 12
ModelT = TypeVar("ModelT", bound=BaseModel)


class StoredValue(BaseModel):
    """A small value of ours in etcd. Unknown fields of a newer release are ignored, a newer `v` is not."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    MAX_BYTES: ClassVar[int] = 4096

    v: Literal[1] = 1

    def encode(self) -> bytes:
        # What `model_dump_json` asks; its way over text took longer than the value itself.
        return self.__pydantic_serializer__.to_json(self, exclude_none=True)

    @classmethod
    def decode(cls, key: str, value: bytes) -> Self:
        return decode_model(cls, key, value)


class MissedTicks(BaseModel):
    """Ticks between the cursor and the claimed tick that nobody may start any more: one ledger row."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    first: int
    last: int
    count: int
    count_is_exact: bool = True
    reason: Reason = Reason.DOWNTIME


class RunRecord(StoredValue):
    """
    Who took which tick: below `runs/`, on no lease, until the record of the execution is durable.

    The nonce tells a worker whose transaction ended in an unknown outcome whether it was its own. The rest is
    what the reconciler needs to write the outcome `lost` when the worker is gone.
    """

    worker: str
    session: str
    nonce: str
    namespace: str
    name: str
    generation: int
    cause: Cause
    scheduled_at: AwareDatetime
    claimed_at: AwareDatetime
    exclusive: bool = True
    requested_by: str | None = None
    parameters: Annotated[dict[str, str], Field(max_length=32)] = {}
    missed: MissedTicks | None = None
    """Accounted for by this claim; whoever closes the run makes sure that the row is written."""
    origin: str | None = None
    trace_parent: Annotated[str | None, Field(max_length=64)] = None


class Trigger(StoredValue):
    """
    A stored request for one execution.

    `tick` and `attempt` are those of the execution to start; `tick` is None for one somebody asked for.
    """

    cause: Cause
    tick: int | None = None
    attempt: int = 1
    not_before: AwareDatetime
    expires_at: AwareDatetime
    scheduled_at: AwareDatetime
    parameters: Annotated[dict[str, str], Field(max_length=32)] = {}
    requested_by: str | None = None
    worker: str | None = None
    force: bool = False
    origin: str | None = None
    """Id of the trigger the first attempt came from: attempts of one manual run share it."""
    trace_parent: Annotated[str | None, Field(max_length=64)] = None
    """W3C trace context of the request: the command continues that trace."""


class KillRequest(StoredValue):
    """Somebody wants this execution stopped; lives 120 s."""

    requested_by: str
    requested_at: AwareDatetime
    reason: str = "requested"


class StoreAcceptance(StoredValue):
    """
    An operator takes a restored etcd as it is; on a lease of its own, ten minutes.

    It names the cluster and its moment, because a backup may hold an older one.
    """

    cluster_id: str
    accepted_by: str
    accepted_at: AwareDatetime


class DrainOrder(StoredValue):
    """Somebody wants a worker to take nothing new; stays until it is resumed, also over its restarts."""

    requested_by: str
    requested_at: AwareDatetime


class WorkerHealth(StoredValue):
    """
    What a live worker says of itself; below `/agent/health/`, on its session's lease.

    Changes only when the state or the labels change: every worker watches this prefix.
    """

    worker: str
    session: str
    status: Literal["online", "draining"] = "online"
    version: str = ""
    host: str = ""
    address: str = ""
    pid: int = 0
    labels: dict[str, str] = {}
    executors: tuple[str, ...] = ()
    slots: int = 1
    started_at: AwareDatetime
    tzdata: str = ""
    claims_paused: str | None = None
    """Why this worker takes no ticks at present (clock, restored store), if so."""


def decode_model(model: type[ModelT], key: str, value: bytes) -> ModelT:
    """
    Read *value* as *model*.

    Raises:
        CorruptValue: It is not JSON, has an unknown version, or lacks a field; the message names *key*.
    """
    try:
        return model.model_validate_json(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "value"
        raise CorruptValue(f"{key}: {where}: {first['msg']}", key=key) from error


def encode_job(spec: JobSpec) -> bytes:
    """
    *spec* as it is stored: defaults are left out, so that 100,000 jobs stay small.

    Raises:
        InvalidJob: The value would exceed 64 KiB.
    """
    fields = spec.model_dump(mode="json", exclude_defaults=True)
    value = json.dumps({"v": SPEC_VERSION, **fields}, separators=(",", ":"), ensure_ascii=False).encode()
    if len(value) > MAX_SPEC_BYTES:
        raise InvalidJob(
            f"the job takes {len(value)} bytes, at most {MAX_SPEC_BYTES} can be stored; "
            "keep large scripts in a file on the worker"
        )
    return value


def decode_job(key: str, value: bytes) -> JobSpec:
    """
    The job stored at *key*.

    Raises:
        CorruptValue: It cannot be read; the message says which field of which key.
    """
    return decode_model(JobSpec, key, value)


def encode_cursor(tick: datetime) -> bytes:
    """*tick* as cursor bytes; byte order is time order until the year 33658."""
    return cursor_at(epoch_s(tick))


def cursor_at(tick: int) -> bytes:
    """The same of epoch seconds."""
    return str(tick).zfill(_CURSOR_DIGITS).encode()


def decode_cursor(key: str, value: bytes) -> datetime:
    """
    The instant a cursor stands at.

    Raises:
        CorruptValue: It is not exactly twelve digits.
    """
    if len(value) != _CURSOR_DIGITS or not value.isdigit():
        raise CorruptValue(f"{key}: a cursor must be {_CURSOR_DIGITS} digits, not {value[:32]!r}", key=key)
    return from_epoch_s(int(value))
