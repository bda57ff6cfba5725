"""What the API accepts as bodies, beside the job definition itself. Unknown fields are refused."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from common.domain.calendar_limits import Instant
from common.domain.ids import Name
from common.domain.job import JobDefinition, Text
from master.services.job_catalog import DeleteMode

ParameterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
ParameterValue = Annotated[Text, Field(max_length=2048)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunBody(_Body):
    """How to run a job now."""

    parameters: Annotated[
        dict[ParameterName, ParameterValue],
        Field(max_length=32, description="Each becomes `CRON_PARAM_<NAME>` in the command's environment."),
    ] = {}
    worker: Annotated[Name | None, Field(description="Run on this worker, which must be online.")] = None
    force: Annotated[bool, Field(description="Start although an execution of this job runs.")] = False


class DisableBody(_Body):
    """How long a job is paused."""

    until: Annotated[Instant | None, Field(description="The job resumes by itself at this instant.")] = None


class PreviewBody(_Body):
    """A schedule to look at before it is saved."""

    schedule: Annotated[Text, Field(max_length=1024)]
    timezone: Annotated[str, Field(max_length=64)] = "UTC"
    name: Annotated[str | None, Field(max_length=128, description="A stored job, for `H` and `@every`.")] = (
        None
    )
    namespace: Name = "default"
    count: Annotated[int, Field(ge=1, le=50)] = 5


class RevertBody(_Body):
    """Which version of a job to go back to."""

    generation: Annotated[int, Field(ge=1)]


class JobRef(_Body):
    """One job."""

    namespace: Name = "default"
    name: Name


class JobAction(StrEnum):
    """What can be done to many jobs at once."""

    ENABLE = "enable"
    DISABLE = "disable"
    RUN = "run"
    KILL = "kill"
    DELETE = "delete"


class JobBatchBody(_Body):
    """One action on many jobs."""

    action: JobAction
    jobs: Annotated[list[JobRef], Field(min_length=1, max_length=1000)]
    until: Annotated[Instant | None, Field(description="For `disable`: resume at this instant.")] = None
    mode: Annotated[DeleteMode, Field(description="For `delete`: what becomes of what runs.")] = (
        DeleteMode.WAIT
    )


class CheckBody(_Body):
    """A definition that may be wrong: it is an answer here, and no error."""

    definition: dict[str, Any]


class TestRunBody(_Body):
    """A definition to run once without saving it."""

    definition: JobDefinition


class ExecutionAction(StrEnum):
    """What can be done to many executions at once."""

    RETRY = "retry"
    KILL = "kill"


class ExecutionBatchBody(_Body):
    """One action on many executions."""

    action: ExecutionAction
    ids: Annotated[list[Annotated[str, Field(max_length=128)]], Field(min_length=1, max_length=1000)]
