"""Executor `python`: the text of a script for an interpreter of the job's choice.

The text goes in as an argument, not through stdin (the script may want to read that) and not as a file
(somebody would have to delete it).
"""

from worker.executors.interface import StartRequest
from worker.processes import Process


class PythonExecutor:
    name = "python"

    async def start(self, request: StartRequest) -> Process:
        spec = request.assignment.spec
        # Unbuffered, so that a running script can be followed.
        return await request.spawn(spec.interpreter, "-u", "-c", spec.script or "")
