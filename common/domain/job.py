"""The job: what a user saves, and what is stored of it.

Pure. `JobDefinition` is the border: it is what arrives over REST or from a file, checked field by field.
`JobSpec` is the value below `/cron/jobs/`: the definition plus the identity the master gave it.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from common.domain.calendar_limits import Instant
from common.domain.ids import JobName, Name
from common.domain.policy import CatchUp, OnLeaseLoss, Overlap

#: Version of the stored value; a worker quarantines what is newer than it knows.
SPEC_VERSION: Final = 1
MAX_SPEC_BYTES: Final = 64 * 1024
MAX_COMMAND_CHARS: Final = 32 * 1024

EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
LabelKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$")]
LabelValue = Annotated[str, StringConstraints(max_length=128)]
#: No NUL: neither a command line nor an environment can carry one.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]


def _not_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("number_type", "Input should be a number, not true or false")
    return value


#: `timeout_s: true` is a slip and no limit of one second. Not `strict`: text and 60.0 have always been read.
NotBoolean: Final = BeforeValidator(_not_boolean)


class _Border(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _no_entries() -> Any:
    """An empty mapping as a default: made, not copied. Copying took a tenth of the time of a load."""
    return Field(default_factory=dict, json_schema_extra={"default": {}})


class SecretValue(_Border):
    """A value that is passed to the command and shown to nobody."""

    value: Annotated[Text, Field(max_length=8192)]
    secret: Literal[True] = True


EnvValue = Annotated[Text, Field(max_length=8192)] | SecretValue


class RetryPolicy(_Border):
    """When and how a tick is tried again."""

    max_attempts: Annotated[
        int, Field(ge=1, le=100, description="Attempts in all; 1 never retries."), NotBoolean
    ] = 1
    delay_s: Annotated[float, Field(ge=0, le=86_400), NotBoolean] = 10.0
    backoff: Annotated[
        float, Field(ge=1, le=10, description="Factor between one delay and the next."), NotBoolean
    ] = 2.0
    max_delay_s: Annotated[float, Field(ge=0, le=86_400), NotBoolean] = 600.0
    on: Annotated[
        tuple[Literal["failed", "timed_out", "lost"], ...],
        Field(description="Outcomes that are retried.", max_length=3),
    ] = ("failed", "timed_out")


class JobTarget(_Border):
    """Where a job may run: on any one worker that is named (if any are) and carries all labels."""

    workers: Annotated[tuple[Name, ...], Field(max_length=256)] = ()
    labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=64)] = _no_entries()

    def __hash__(self) -> int:
        # Without one, pydantic copies the default for every job it reads.
        return hash((self.workers, tuple(sorted(self.labels.items()))))


class Limits(_Border):
    """Limits of the command's process tree; what is not given is the worker's own."""

    nofile: Annotated[int | None, Field(ge=16, le=1_048_576), NotBoolean] = None
    nproc: Annotated[int | None, Field(ge=1, le=1_000_000), NotBoolean] = None
    core_bytes: Annotated[int | None, Field(ge=0), NotBoolean] = None
    memory_mb: Annotated[int | None, Field(ge=8, le=16_777_216), NotBoolean] = None
    nice: Annotated[int | None, Field(ge=-20, le=19), NotBoolean] = None


class HttpRequest(_Border):
    """The one request of an `http` job."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s\x00]+$", max_length=4096)]
    headers: Annotated[
        dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,128}$")], EnvValue],
        Field(max_length=64),
    ] = _no_entries()
    body: Annotated[Text, Field(max_length=MAX_COMMAND_CHARS)] | None = None
    expected_status: Annotated[
        tuple[Annotated[int, Field(ge=100, le=599), NotBoolean], ...], Field(max_length=64)
    ] = ()
    """Status codes that count as success; empty means 200 to 299."""


_FIELD_OF_EXECUTOR: Final = {"shell": "command", "exec": "argv", "python": "script", "http": "request"}


def _wrong(field: str, message: str) -> PydanticCustomError:
    """An error of a rule over several fields; `ctx.field` names the one to blame."""
    return PydanticCustomError("job", "{message}", {"field": field, "message": message})


class JobDefinition(_Border):
    """What a user writes."""

    namespace: Name = "default"
    name: JobName
    description: Annotated[Text, Field(max_length=2000)] = ""
    labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=64)] = _no_entries()

    # What
    executor: Name = "shell"
    command: Annotated[Text, Field(max_length=MAX_COMMAND_CHARS)] | None = None
    """For `shell`: one string for the shell."""
    argv: Annotated[tuple[Text, ...], Field(min_length=1, max_length=1024)] | None = None
    """For `exec`: program and arguments, no shell."""
    script: Annotated[Text, Field(max_length=MAX_COMMAND_CHARS)] | None = None
    """For `python`: the text of the script."""
    request: HttpRequest | None = None
    """For `http`."""
    options: Annotated[dict[str, str], Field(max_length=64)] = _no_entries()
    """For plug-in executors: passed through as it is."""
    shell: Annotated[Text, Field(min_length=1, max_length=256)] = "/bin/bash"
    interpreter: Annotated[Text, Field(min_length=1, max_length=256)] = "python3"
    env: Annotated[dict[EnvName, EnvValue], Field(max_length=64)] = _no_entries()
    cwd: Annotated[Text, Field(max_length=4096)] | None = None
    user: Annotated[Text, Field(max_length=64)] | None = None
    umask: Annotated[str, StringConstraints(pattern=r"^0?[0-7]{3}$")] | None = None
    stdin: Annotated[Text, Field(max_length=MAX_COMMAND_CHARS)] | None = None
    success_exit_codes: Annotated[
        tuple[Annotated[int, Field(ge=0, le=255), NotBoolean], ...], Field(min_length=1, max_length=64)
    ] = (0,)
    limits: Limits = Limits()
    max_output_bytes: Annotated[int, Field(ge=0, le=1_073_741_824), NotBoolean] = 10 * 1024 * 1024
    kill_leftovers: bool = True

    # When
    schedule: Annotated[Text, Field(max_length=128)] | None = None
    """Cron text of 5 fields, or 6 with seconds first, or `@every 90s`; None: only when somebody asks."""
    timezone: Annotated[str, Field(max_length=64)] = "UTC"
    enabled: bool = True
    paused_until: Instant | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    jitter_s: Annotated[int, Field(ge=0, le=3600), NotBoolean] = 0

    # Behaviour
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.LAST
    catch_up_window_s: Annotated[int, Field(ge=0, le=31 * 86_400), NotBoolean] | None = None
    """None: the smaller of the interval and 3600."""
    start_deadline_s: Annotated[int, Field(ge=1, le=86_400), NotBoolean] = 30
    timeout_s: Annotated[int, Field(ge=0, le=31 * 86_400), NotBoolean] = 3600
    """0: none."""
    kill_grace_s: Annotated[int, Field(ge=0, le=3600), NotBoolean] = 10
    on_lease_loss: OnLeaseLoss | None = None
    """None: kill, unless overlap is allow."""
    retry: RetryPolicy = RetryPolicy()

    # Where
    target: JobTarget = JobTarget()

    # Keep
    history_days: Annotated[int, Field(ge=1, le=3650), NotBoolean] | None = None
    """None: the installation's `historyDays`."""
    history_runs: Annotated[int, Field(ge=1, le=1_000_000), NotBoolean] | None = None

    @model_validator(mode="after")
    def _what_fits_the_executor(self) -> Self:
        needed = _FIELD_OF_EXECUTOR.get(self.executor)
        if needed is not None:
            if not getattr(self, needed):
                raise _wrong(needed, f"executor {self.executor!r} needs {needed!r}")
            for other in _FIELD_OF_EXECUTOR.values():
                if other != needed and getattr(self, other) is not None:
                    raise _wrong(other, f"{other!r} does not belong to executor {self.executor!r}")
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise _wrong("ends_at", "ends_at must be later than starts_at")
        return self

    @property
    def is_exclusive(self) -> bool:
        """At most one execution of this job runs at a time."""
        return self.overlap is not Overlap.ALLOW

    @property
    def effective_on_lease_loss(self) -> OnLeaseLoss:
        if self.on_lease_loss is not None:
            return self.on_lease_loss
        return OnLeaseLoss.KILL if self.is_exclusive else OnLeaseLoss.CONTINUE

    @property
    def qualified_name(self) -> str:
        return f"{self.namespace}/{self.name}"


class JobSpec(JobDefinition):
    """
    What is stored: the definition with its identity.

    Attributes:
        uid: Given at creation and never used again, so that a new job of an old name is another job.
        generation: Counts the saved versions, from 1.
        created_at: Anchor of `@every`.
        changed_at: When this version was saved; no tick at or before it belongs to this version.
        changed_by: Who saved it.
        retention_days: How long its history is kept: `history_days`, or what the installation keeps.
    """

    v: Literal[1] = SPEC_VERSION
    uid: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{7,31}$")]
    generation: Annotated[int, Field(ge=1)] = 1
    created_at: AwareDatetime
    changed_at: AwareDatetime
    changed_by: str = ""
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 30

    def definition(self) -> JobDefinition:
        """The part a user writes."""
        return JobDefinition.model_validate(self.model_dump(exclude=set(_IDENTITY_FIELDS)))

    def is_paused_at(self, instant: datetime) -> bool:
        """Whether ticks at *instant* are dropped because the job is disabled, paused or out of its time."""
        return (
            not self.enabled
            or (self.paused_until is not None and instant < self.paused_until)
            or (self.starts_at is not None and instant < self.starts_at)
            or (self.ends_at is not None and instant > self.ends_at)
        )


_IDENTITY_FIELDS: Final = (
    "v",
    "uid",
    "generation",
    "created_at",
    "changed_at",
    "changed_by",
    "retention_days",
)
