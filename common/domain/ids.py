"""Ids that are derived from what must be unique, and the rules for names.

Pure. An execution id is `{uid}.{tick}.{attempt}`: the same tick tried by two workers has the same id, so a
store that refuses a second insert refuses a second start. Ticks are whole seconds since the epoch (UTC);
an execution that was asked for (run now) carries the letter `m` and the trigger's id in place of the tick.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator

from common.domain.errors import InvalidInput

NAME_PATTERN: Final = r"[a-z0-9][a-z0-9._-]{0,127}"
_NAME: Final = re.compile(NAME_PATTERN)
#: Words that stand after `/api/v1/job/` and would hide a job of that name.
RESERVED_JOB_NAMES: Final = frozenset(
    {
        "save",
        "list",
        "kill",
        "disable",
        "enable",
        "run",
        "batch",
        "stats",
        "preview",
        "export",
        "import",
        "plan",
        "check",
        "test-run",
    }
)


def checked_name(value: str) -> str:
    """Return *value* if it may be part of an etcd key; raise ValueError with the rule otherwise."""
    if not _NAME.fullmatch(value):
        raise ValueError(
            "must be 1 to 128 of a-z, 0-9, dot, underscore and hyphen, starting with a letter or digit"
        )
    return value


def checked_job_name(value: str) -> str:
    """Return *value* if it may name a job; raise ValueError with the rule otherwise."""
    if value in RESERVED_JOB_NAMES:
        raise ValueError(f"{value!r} is a word of the API; choose another name")
    return checked_name(value)


Name = Annotated[str, AfterValidator(checked_name)]
JobName = Annotated[str, AfterValidator(checked_job_name)]


def epoch_s(instant: datetime) -> int:
    """Whole seconds since the epoch of an aware datetime (rounded down)."""
    return int(instant.timestamp() // 1)


def from_epoch_s(seconds: int) -> datetime:
    """The aware UTC datetime of *seconds* since the epoch."""
    return datetime.fromtimestamp(seconds, UTC)


class ExecutionId(NamedTuple):
    """
    Identity of one start of one job.

    Attributes:
        uid: The job's uid.
        tick: Whole epoch seconds as decimal text, or `m` + trigger id for an execution somebody asked for.
        attempt: 1, 2, ... for the same tick.
    """

    uid: str
    tick: str
    attempt: int

    @classmethod
    def of_tick(cls, uid: str, tick_s: int, attempt: int = 1) -> "ExecutionId":
        return cls(uid, str(tick_s), attempt)

    @classmethod
    def of_trigger(cls, uid: str, trigger_id: str, attempt: int = 1) -> "ExecutionId":
        return cls(uid, f"m{trigger_id}", attempt)

    @classmethod
    def parse(cls, text: str) -> "ExecutionId":
        """
        Read the id back from its text.

        Raises:
            InvalidInput: The text is not `{uid}.{tick}.{attempt}`.
        """
        parts = text.split(".")
        if len(parts) != 3 or not parts[0] or not parts[1] or not parts[2].isdecimal():
            raise InvalidInput(f"{text!r} is not an execution id", field="execution_id")
        return cls(parts[0], parts[1], int(parts[2]))

    @property
    def tick_s(self) -> int | None:
        """The tick in epoch seconds; None for an execution somebody asked for."""
        return int(self.tick) if self.tick.isdecimal() else None

    def next_attempt(self) -> "ExecutionId":
        return ExecutionId(self.uid, self.tick, self.attempt + 1)

    def __str__(self) -> str:
        return f"{self.uid}.{self.tick}.{self.attempt}"
