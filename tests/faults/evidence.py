"""What a run of the scheduler left behind: marks of the commands, definitions of the jobs, records.

Values and their readers; nothing is judged here. The oracle is the marks, because only the command itself
knows that it ran: each run appends one line when it starts and one when it ends,

    <execution> <tick> <host> <pid> <seconds since the epoch> start|end

with `O_APPEND`, so that lines of commands that run at the same time never mix. `marking_command` writes
such a job.
"""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

from common.domain.errors import InvalidInput
from common.domain.ids import ExecutionId
from common.domain.job import JobSpec

Document: TypeAlias = Mapping[str, Any]


class Phase(StrEnum):
    START = "start"
    END = "end"
    GONE = "gone"
    """Written by a harness that saw the process die, never by the command."""


@dataclass(frozen=True, slots=True)
class Mark:
    """
    One line of a marker file.

    Attributes:
        at: Seconds since the epoch by the clock of `host`.
        true_at: The same moment by the observer's clock, where a simulation knows it.
    """

    execution: str
    host: str
    pid: int
    at: float
    phase: Phase
    true_at: float | None = None

    @property
    def seen_at(self) -> float:
        return self.at if self.true_at is None else self.true_at


@dataclass(frozen=True, slots=True)
class JobVersion:
    """
    One saved version of a job.

    Attributes:
        until: Seconds since the epoch when the next version was saved or the job deleted; None: still valid.
            A tick at that very instant still belongs to this version.
    """

    spec: JobSpec
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Frozen:
    """A worker that stood still past its lease: overlap with its commands is flagged, not a violation."""

    host: str
    since: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """
    All there is to judge.

    Attributes:
        executions: Documents of the collection `executions` by id; None: history is not judged.
        ledger: Documents of the collection `ledger`.
        since: Ticks before it are not judged, seconds since the epoch.
        until: When the observation ended.
        alive: Executions whose command was found alive after everything had been stopped.
        stalls: Every time a worker stood still, however short: what it records then is late.
    """

    versions: Sequence[JobVersion]
    marks: Sequence[Mark]
    executions: Mapping[str, Document] | None = None
    ledger: Sequence[Document] = ()
    since: float
    until: float
    frozen: Sequence[Frozen] = ()
    alive: frozenset[str] = frozenset()
    stalls: Sequence[Frozen] = ()

    def stood_still(self, host: str, since: float, until: float) -> bool:
        """Whether the worker on *host* stood still at some time between the two."""
        return any(
            stall.host == host and stall.since <= until and since <= stall.until for stall in self.stalls
        )


def marking_command(marker: str, *, duration_s: float = 0.0, exit_code: int = 0) -> str:
    """A bash command for a job that marks its start and its end in the file *marker*, without a fork."""
    line = (
        'printf \'%s %s %s %s %s {phase}\\n\' "$CRON_EXECUTION" "$CRON_TICK" '
        '"${{MARK_HOST:-$HOSTNAME}}" "$$" "$EPOCHREALTIME" >> ' + shlex.quote(marker)
    )
    steps = [line.format(phase="start")]
    if duration_s > 0:
        steps.append(f"sleep {duration_s:g}")
    steps.append(line.format(phase="end"))
    if exit_code:
        steps.append(f"exit {exit_code}")
    return "; ".join(steps)


def parse_mark(line: str) -> Mark:
    """
    Read one line of a marker file.

    Raises:
        ValueError: The line is torn or was written by something else.
    """
    fields = line.split()
    if len(fields) != 6:
        raise ValueError(f"a mark has 6 fields, not {len(fields)}: {line!r}")
    execution, _tick, host, pid, at, phase = fields
    try:
        ExecutionId.parse(execution)
    except InvalidInput as error:
        raise ValueError(str(error)) from error
    # The tick is there for people; the id carries it as well. A decimal comma comes from the locale.
    return Mark(execution, host, int(pid), float(at.replace(",", ".")), Phase(phase))


def read_marks(paths: Iterable[Path]) -> list[Mark]:
    """Marks of all files, in order of time; the message of an error names file and line."""
    marks = []
    for path in paths:
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if not line.strip():
                continue
            try:
                marks.append(parse_mark(line))
            except ValueError as error:
                raise ValueError(f"{path}:{number}: {error}") from error
    return sorted(marks, key=lambda mark: mark.at)


def read_versions(path: Path) -> list[JobVersion]:
    """
    Job definitions: a JSON list of stored specs, or of `{"spec": ..., "deleted_at": "..."}`.

    Several specs of one uid are its versions: each ends when the next one was saved.
    """
    specs: dict[str, list[JobSpec]] = {}
    deleted: dict[str, float] = {}
    for entry in json.loads(path.read_text()):
        wrapped = entry if "spec" in entry else {"spec": entry}
        spec = JobSpec.model_validate(wrapped["spec"])
        specs.setdefault(spec.uid, []).append(spec)
        if wrapped.get("deleted_at"):
            deleted[spec.uid] = datetime.fromisoformat(wrapped["deleted_at"]).timestamp()
    return [
        version for uid, saved in specs.items() for version in versions_of(saved, deleted_at=deleted.get(uid))
    ]


def versions_of(saved: Iterable[JobSpec], *, deleted_at: float | None = None) -> list[JobVersion]:
    """The versions of one job with the instant each of them ended."""
    ordered = sorted(saved, key=lambda spec: spec.generation)
    ends = [spec.changed_at.timestamp() for spec in ordered[1:]] + [deleted_at]
    return [JobVersion(spec, until) for spec, until in zip(ordered, ends, strict=True)]


def read_documents(path: Path) -> list[dict[str, Any]]:
    """Documents as JSON lines; dates may be ISO text, or `{"$date": ...}` as mongoexport writes them."""
    return [_plain(json.loads(line)) for line in path.read_text().splitlines() if line.strip()]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        match value:
            case {"$date": str() as text}:
                return datetime.fromisoformat(text)
            case {"$date": {"$numberLong": ms}} | {"$date": ms}:
                return int(ms) / 1000
            case {"$numberLong": number} | {"$numberInt": number}:
                return int(number)
    return {name: _plain(item) for name, item in value.items()}


def seconds_of(value: object) -> float | None:
    """An instant of a document as seconds since the epoch, whatever the export made of it."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        return datetime.fromisoformat(value).timestamp()
    return None
