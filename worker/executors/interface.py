"""What an executor is: it turns a job into something that runs and can be stopped.

An executor of its own is a class with a name and a `start`, offered by an installed package under the entry
point group `everytick.executors`; `docs/executors.md` shows one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from worker.domain.assignment import Assignment
from worker.processes import Command, Process, ProcessListener, Spawner, at_any_time


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """
    One execution to start.

    Attributes:
        assignment: What is to run; `assignment.spec` is the job with all its fields, secrets included.
        env: The complete environment for a command: nothing of the worker's own is in it.
        spawner: Starts processes on this host, contained and limited as the job asks.
        listener: Is told about output and exit.
        start_by: See `Command`; for executors that start something without the spawner.
    """

    assignment: Assignment
    env: dict[str, str]
    spawner: Spawner
    listener: ProcessListener
    start_by: Callable[[], float] = at_any_time

    async def spawn(self, *argv: str, env: dict[str, str] | None = None) -> Process:
        """
        Start a program with the job's directory, user, umask, stdin and limits.

        Args:
            env: Variables in addition to, or instead of, those of the request.

        Raises:
            SpawnFailed: It could not be started; the message says why.
        """
        spec = self.assignment.spec
        command = Command(
            execution_id=str(self.assignment.execution),
            argv=argv,
            env={**self.env, **env} if env else self.env,
            cwd=spec.cwd,
            user=spec.user,
            umask=int(spec.umask, 8) if spec.umask is not None else None,
            stdin=spec.stdin.encode("utf-8", "surrogateescape") if spec.stdin is not None else None,
            limits=spec.limits.model_dump(exclude_none=True) if spec.limits.model_fields_set else {},
            kill_leftovers=spec.kill_leftovers,
            start_by=self.start_by,
        )
        return await self.spawner.spawn(command, self.listener)


class Executor(Protocol):
    """Starts executions of the jobs that name it. One object serves all executions of a worker."""

    name: str

    async def start(self, request: StartRequest) -> Process:
        """
        Start the execution and return at once; its output and exit go to the listener.

        Raises:
            SpawnFailed: It cannot be started; the message tells the job's owner why and what to check.
        """
        ...
