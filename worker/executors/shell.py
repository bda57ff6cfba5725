"""Executor `shell`: the job's command as one string for its shell."""

from worker.executors.interface import StartRequest
from worker.processes import Process


class ShellExecutor:
    name = "shell"

    async def start(self, request: StartRequest) -> Process:
        spec = request.assignment.spec
        return await request.spawn(spec.shell, "-c", spec.command or "")
