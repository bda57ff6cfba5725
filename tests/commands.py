"""Running real commands in tests: the running half of a worker without the rest of it."""

import asyncio
import itertools
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.domain.execution import Cause
from common.domain.ids import ExecutionId
from common.domain.job import JobSpec
from common.runtime.clock import SystemClock
from tests.fakes.journal import MemoryJournal
from worker.adapters.cgroup import Containments, open_leaf_pool
from worker.adapters.hosted import HostedSpawner
from worker.adapters.process_table import all_entries, children_of, execution_of
from worker.adapters.readiness import Readiness
from worker.adapters.run_as import RunAs
from worker.adapters.spawner import PosixSpawner
from worker.adapters.state_files import StateFile
from worker.adapters.subreaper import Subreaper
from worker.domain.assignment import Assignment, RunReport
from worker.executors.registry import find_executors
from worker.processes import Spawner, at_any_time
from worker.stopping import StopSwitch
from worker.supervisor import CommandSupervisor

#: As a worker does: in a process of their own, contained by cgroups where those can be used.
HOSTED = "hosted"
CGROUPS = "cgroups"
SESSIONS = "sessions"

_numbers: Iterator[int] = itertools.count(1_700_000_000 + os.getpid() * 100_000)


def job(**fields: Any) -> JobSpec:
    """A job with what every job needs; the executor follows from the field that says what to run."""
    for name, executor in (("argv", "exec"), ("script", "python"), ("request", "http")):
        if name in fields:
            fields.setdefault("executor", executor)
    made_at = datetime(2026, 1, 1, tzinfo=UTC)
    return JobSpec(
        **{
            "name": "sample",
            "uid": "samplejob1",
            "created_at": made_at,
            "changed_at": made_at,
            "kill_grace_s": 1,
            **fields,
        }
    )


def assignment(spec: JobSpec, **fields: Any) -> Assignment:
    """A claim of *spec* that may start now, with an id no other test uses."""
    now = datetime.now(UTC)
    number = next(_numbers)
    return Assignment(
        **{
            "execution": ExecutionId.of_tick(spec.uid, number),
            "spec": spec,
            "cause": Cause.SCHEDULE,
            "scheduled_at": now,
            "claimed_at": now,
            "start_not_before": now,
            "fence": number,
            "worker_id": "worker-1",
            "session": "1",
            "expires_at": now + timedelta(days=1),
            **fields,
        }
    )


@dataclass
class Commands:
    """Runs commands as a worker does, and knows what is left of them."""

    spawner: Spawner
    supervisor: CommandSupervisor
    journal: MemoryJournal
    #: The process whose children the commands are.
    host_pid: int
    #: Children it had before: what a browser of an earlier test left to this very process, for example.
    earlier: frozenset[int] = frozenset()
    executions: list[str] = field(default_factory=list)

    async def run(
        self,
        spec: JobSpec,
        switch: StopSwitch | None = None,
        *,
        start_by: Callable[[], float] = at_any_time,
        **fields: Any,
    ) -> RunReport:
        """Run *spec* once."""
        given = assignment(spec, **fields)
        self.executions.append(str(given.execution))

        return await self.supervisor.run(given, switch or StopSwitch(), lambda _at: None, start_by)

    def left(self) -> list[str]:
        """Processes of any execution of this test, by environment; zombies among the children."""
        host_session = os.getsid(self.host_pid)
        return [
            str(entry)
            for entry in all_entries().values()
            if execution_of(entry.pid) in self.executions
            or (
                entry.parent == self.host_pid
                and entry.session != host_session
                and entry.pid not in self.earlier
            )
        ]

    async def left_after_a_moment(self) -> list[str]:
        """What is left when the kernel and the subreaper have had time."""
        for _ in range(40):
            left = self.left()
            if not left:
                return []
            await asyncio.sleep(0.05)
        return left


@asynccontextmanager
async def running_commands(
    state_dir: Path, kind: str = SESSIONS, *, run_as_users: tuple[str, ...] = (), **options: Any
) -> AsyncIterator[Commands]:
    """The running half of a worker, contained by *kind*."""
    run_as = RunAs(frozenset(run_as_users))
    if kind == HOSTED:
        async with HostedSpawner(f"test-{os.getpid()}", state_dir, run_as_users) as spawner:
            supervisor, journal = _supervisor(spawner, run_as, options)
            yield Commands(spawner, supervisor, journal, spawner.pid)
        return
    subreaper = Subreaper()
    subreaper.enable()
    earlier = frozenset(children_of(os.getpid()))
    pool = open_leaf_pool(f"test-{os.getpid()}", Path.cwd()) if kind == CGROUPS else None
    if kind == CGROUPS and pool is None:
        pytest.skip("cgroup v2 cannot be written here: no root, no delegation")
    spawner = PosixSpawner(
        run_as=run_as,
        containments=Containments(subreaper, pool),
        subreaper=subreaper,
        readiness=Readiness(),
        state=StateFile(state_dir),
    )
    supervisor, journal = _supervisor(spawner, run_as, options)
    try:
        yield Commands(spawner, supervisor, journal, os.getpid(), earlier)
    finally:
        spawner.close()


def _supervisor(
    spawner: Spawner, run_as: RunAs, options: dict[str, Any]
) -> tuple[CommandSupervisor, MemoryJournal]:
    journal = MemoryJournal()
    supervisor = CommandSupervisor(
        executors=find_executors(http_networks=options.pop("http_networks", ())),
        spawner=spawner,
        account_of=run_as.account,
        journal=journal,
        clock=SystemClock(),
        **options,
    )
    return supervisor, journal


_PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from tests.commands import job, running_commands

async def main():
    state_dir, kind, jobs = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
    async with running_commands(state_dir, kind) as commands, asyncio.TaskGroup() as group:
        for fields in jobs:
            group.create_task(commands.run(job(**fields)))
        await asyncio.sleep(1)
        print("running", *commands.executions, flush=True)

asyncio.run(main())
"""


def worker_with(state_dir: Path, kind: str, *jobs: dict[str, Any]) -> tuple[subprocess.Popen[str], list[str]]:
    """A process that runs *jobs* as `running_commands` does, to be killed; and their executions."""
    arguments = [str(state_dir), kind, json.dumps(jobs)]
    worker = subprocess.Popen([sys.executable, "-c", _PROGRAM, *arguments], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    # A host says how it contains commands before that.
    line = next(line for line in worker.stdout if line.startswith("running"))
    return worker, line.split()[1:]
