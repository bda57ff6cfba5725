"""Executor `exec`: the job's program and arguments as they are, without a shell."""

from worker.executors.interface import StartRequest
from worker.processes import Process


class ExecExecutor:
    name = "exec"

    async def start(self, request: StartRequest) -> Process:
        return await request.spawn(*(request.assignment.spec.argv or ("",)))
