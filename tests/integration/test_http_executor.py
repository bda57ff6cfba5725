"""The `http` executor against a server on loopback, and the addresses it refuses."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from common.domain.execution import Reason, Status
from common.domain.records import Stream
from tests.commands import Commands, job, running_commands
from worker.domain.assignment import StopCause
from worker.stopping import StopSwitch

_ANSWERS = {
    "/fine": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfine\n",
    "/gone": b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n",
    "/moved": b"HTTP/1.1 302 Found\r\nLocation: /fine\r\nContent-Length: 0\r\n\r\n",
    "/broken": b"HTTP/1.1 banana\r\n\r\n",
}


class Server:
    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(head)
        path = head.split()[1].decode()
        if path == "/slow":
            await reader.read()
        elif path == "/huge":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n")
            writer.write(b"x" * 20_000_000)
        else:
            writer.write(_ANSWERS[path])
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    served = Server()
    listening = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.port = listening.sockets[0].getsockname()[1]
    yield served
    listening.close()


@pytest.fixture
async def commands(tmp_path: Path) -> AsyncIterator[Commands]:
    async with running_commands(tmp_path, http_networks=("127.0.0.0/8",)) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "expected_status", "outcome"),
    [
        pytest.param("/fine", (), Status.SUCCEEDED, id="200"),
        pytest.param("/gone", (), Status.FAILED, id="410"),
        pytest.param("/gone", (410,), Status.SUCCEEDED, id="410 as expected"),
        pytest.param("/moved", (), Status.FAILED, id="a redirect is not followed"),
        pytest.param("/broken", (), Status.FAILED, id="no HTTP"),
    ],
)
async def test_status_decides(commands, server, path, expected_status, outcome):
    request = {"url": f"http://127.0.0.1:{server.port}{path}", "expected_status": expected_status}

    report = await commands.run(job(request=request))

    assert outcome == report.status
    assert 1 == len(server.requests)


async def test_answer_is_output(commands, server):
    await commands.run(job(request={"url": f"http://127.0.0.1:{server.port}/fine"}))

    assert ["fine"] == commands.journal.lines()
    assert ["HTTP 200 OK"] == commands.journal.lines(Stream.STDERR)


async def test_headers_and_host(commands, server):
    """The host the user named, although the connection goes to the address it was resolved to."""
    headers = {"X-Token": {"value": "hunter2", "secret": True}}

    await commands.run(job(request={"url": f"http://localhost:{server.port}/fine", "headers": headers}))
    head = server.requests[0].lower()

    assert f"host: localhost:{server.port}".encode() in head
    assert b"x-token: hunter2" in head


async def test_long_answer_is_cut(commands, server):
    report = await commands.run(job(request={"url": f"http://127.0.0.1:{server.port}/huge"}))

    assert Status.SUCCEEDED == report.status
    assert report.out.bytes < 1_100_000
    assert "was cut" in commands.journal.lines(Stream.STDERR)[-1]


async def test_kill_takes_the_same_path(commands, server):
    switch = StopSwitch()
    asyncio.get_running_loop().call_later(0.3, switch.press, StopCause.REQUESTED)

    report = await commands.run(job(request={"url": f"http://127.0.0.1:{server.port}/slow"}), switch)

    assert (Status.KILLED, Reason.REQUESTED) == (report.status, report.reason)
    assert report.duration_ms < 3_000


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://127.0.0.1:9/", "loopback"),
        ("http://localhost/", "loopback"),
        ("http://[::1]/", "loopback"),
        ("http://[::ffff:127.0.0.1]/", "loopback"),
        ("http://10.1.2.3/", "private"),
        ("http://192.168.0.1/", "private"),
        ("http://[fd00::1]/", "private"),
        ("http://169.254.169.254/latest/meta-data", "metadata"),
        ("http://100.100.100.200/", "metadata"),
        ("http://169.254.1.1/", "link-local"),
        ("http://0.0.0.0/", "unspecified"),
        ("http://100.64.0.1/", "not public"),
        ("http://2130706433/", "loopback"),
        ("http://[64:ff9b::7f00:1]/", "loopback"),
    ],
)
async def test_refused_target_names_the_rule(tmp_path, url, rule):
    async with running_commands(tmp_path) as commands:
        report = await commands.run(job(request={"url": url}))

    assert (Status.FAILED, Reason.SPAWN) == (report.status, report.reason)
    assert rule in (report.error or "")


async def test_unknown_name_is_said(tmp_path):
    async with running_commands(tmp_path) as commands:
        report = await commands.run(job(request={"url": "http://no-such-host.invalid/"}))

    assert "cannot be resolved" in (report.error or "")


async def test_only_the_allowed_network_is_open(tmp_path, server):
    """Allowing one private network opens no other, loopback included."""
    async with running_commands(tmp_path, http_networks=("10.0.0.0/8",)) as commands:
        report = await commands.run(job(request={"url": f"http://127.0.0.1:{server.port}/fine"}))

    assert (Status.FAILED, Reason.SPAWN) == (report.status, report.reason)
    assert "httpAllowedNetworks" in (report.error or "")
    assert [] == server.requests
