"""The built-in executors, and the example of the documentation, against the contract for plug-ins."""

# ruff: noqa: RUF012 - the attributes are the contract's declarations

import asyncio
import re
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from common.domain.errors import ConfigError
from tests.commands import job, running_commands
from worker.executors.contract import ExecutorContract
from worker.executors.exec import ExecExecutor
from worker.executors.http import HttpExecutor
from worker.executors.python import PythonExecutor
from worker.executors.registry import find_executors
from worker.executors.shell import ShellExecutor

_DOCUMENT = Path(__file__).parents[2] / "docs" / "executors.md"


def documented_greeter() -> Any:
    """The executor that docs/executors.md shows."""
    code = re.search(r"```python\n(# greeter\.py.*?)```", _DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    namespace: dict[str, Any] = {}
    exec(code[1], namespace)
    return namespace["GreeterExecutor"]


class TestShell(ExecutorContract):
    executor = ShellExecutor()
    succeeds = {"command": "echo hello"}
    fails = {"command": "exit 3"}
    runs_long = {"command": "sleep 60 & sleep 60"}


class TestExec(ExecutorContract):
    executor = ExecExecutor()
    succeeds = {"argv": ["/bin/echo", "hello"]}
    fails = {"argv": ["/no/such/program"]}
    runs_long = {"argv": ["/bin/sleep", "60"]}


class TestPython(ExecutorContract):
    executor = PythonExecutor()
    succeeds = {"script": "print('hello')"}
    fails = {"script": "raise SystemExit(3)"}
    runs_long = {"script": "import time; time.sleep(60)"}


class TestDocumentedExample(ExecutorContract):
    executor = documented_greeter()()
    succeeds = {"options": {"name": "ann"}}
    fails = {"options": {}}
    runs_long = {"options": {"name": "ann", "pause_s": "60"}}


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


class TestHttp(ExecutorContract):
    """Without a server that answers: what cannot be reached fails, what does not answer is stopped."""

    executor = HttpExecutor(allowed_networks=("127.0.0.0/8",))
    fails = {"request": {"url": "http://127.0.0.1:9/"}}

    @pytest.fixture(autouse=True)
    async def _servers(self):
        async def fine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            writer.close()

        answering = await asyncio.start_server(fine, "127.0.0.1", 0)
        silent = await asyncio.start_server(_silent, "127.0.0.1", 0)
        type(self).succeeds = {"request": {"url": _url(answering)}}
        type(self).runs_long = {"request": {"url": _url(silent)}}
        yield
        answering.close()
        silent.close()


def _url(server: asyncio.Server) -> str:
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


class Broken:
    name = "broken"

    def __init__(self) -> None:
        raise ImportError("no module named fortran")


class Loud:
    name = "loud"

    async def start(self, request: Any) -> Any:
        raise ZeroDivisionError("that was not planned")


def test_plug_ins_are_found_and_a_broken_one_is_left_out():
    """It must not keep the worker from running everything else."""
    plug_ins = [
        _Loaded("loud", Loud),
        _Loaded("shell", Loud),
        EntryPoint("missing", "no.such.module:Executor", "everytick.executors"),
        _Loaded("broken", Broken),
    ]

    found = find_executors(plug_ins=plug_ins)

    assert ["exec", "http", "loud", "python", "shell"] == sorted(found)
    assert isinstance(found["shell"], ShellExecutor)


class _Loaded:
    """An entry point whose package needs no installation."""

    def __init__(self, name: str, made: type) -> None:
        self.name = name
        self._made = made

    def load(self) -> type:
        return self._made


def test_offered_executors_only():
    assert ["exec", "shell"] == sorted(find_executors(["shell", "exec"], plug_ins=[]))


def test_unknown_executor_is_a_configuration_error():
    with pytest.raises(ConfigError, match=r"'cobol'.*exec, http, python, shell"):
        find_executors(["cobol"], plug_ins=[])


async def test_failure_of_a_plug_in_is_its_jobs_failure(tmp_path):
    """The worker goes on, and the record says what happened."""
    async with running_commands(tmp_path) as commands:
        commands.supervisor._executors["loud"] = Loud()
        report = await commands.run(job(executor="loud"))
        next_report = await commands.run(job(command="true"))

    assert "ZeroDivisionError: that was not planned" == report.error
    assert next_report.error is None
