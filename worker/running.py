"""The executions this worker runs at this moment, by id and by job."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from common.domain.codec import RunRecord
from worker.domain.assignment import Assignment
from worker.stopping import StopSwitch


@dataclass(slots=True)
class RunningExecution:
    """A claimed execution from its claim until its run record is gone."""

    assignment: Assignment
    record: RunRecord
    exclusive: bool
    job_revision: int
    switch: StopSwitch = field(default_factory=StopSwitch)
    is_start_recorded: bool = False
    has_ended: bool = False
    """The command has ended; what is left is to record and release it."""

    @property
    def id(self) -> str:
        return self.assignment.id


class RunningExecutions:
    """Added at the claim, removed when the execution is closed; `idle` is set when there is none."""

    def __init__(self) -> None:
        self._by_id: dict[str, RunningExecution] = {}
        self._by_uid: dict[str, set[str]] = {}
        self.idle = asyncio.Event()
        self.idle.set()

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[RunningExecution]:
        return iter(list(self._by_id.values()))

    def get(self, execution_id: str) -> RunningExecution | None:
        return self._by_id.get(execution_id)

    def of_job(self, uid: str) -> list[RunningExecution]:
        return [self._by_id[execution_id] for execution_id in self._by_uid.get(uid, ())]

    def has_exclusive(self, uid: str) -> bool:
        return any(running.exclusive for running in self.of_job(uid))

    def add(self, running: RunningExecution) -> None:
        self._by_id[running.id] = running
        self._by_uid.setdefault(running.assignment.execution.uid, set()).add(running.id)
        self.idle.clear()

    def remove(self, running: RunningExecution) -> None:
        if self._by_id.pop(running.id, None) is None:
            return
        uid = running.assignment.execution.uid
        ids = self._by_uid.get(uid)
        if ids is not None:
            ids.discard(running.id)
            if not ids:
                del self._by_uid[uid]
        if not self._by_id:
            self.idle.set()
