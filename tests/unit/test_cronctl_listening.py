"""Who holds a port of `cronctl up`: the program it was given to, or a stranger."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cronctl.up_listening import and_listens, listens


@pytest.fixture
def port() -> Iterator[int]:
    """A port this process listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        yield server.getsockname()[1]


@pytest.fixture
def stranger() -> Iterator[int]:
    """The pid of a process that listens nowhere."""
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as idle:
        yield idle.pid


def test_the_listener_is_known_by_its_socket(port, stranger):
    """A port that answers is not enough: the process has to be the one that was started."""
    assert (True, False) == (listens(os.getpid(), port), listens(stranger, port))


def test_a_connected_socket_does_not_count(port):
    """The other end of a connection has a port as well, and does not listen there."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        own = connection.getsockname()[1]

        assert not listens(os.getpid(), own)


def test_a_process_that_has_ended_holds_nothing(port):
    """Its pid is asked while its end is still news."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()

        assert not listens(ended.pid, port)


@pytest.mark.parametrize("answers", [True, False])
async def test_ready_means_the_own_program_answers(port, stranger, answers):
    """A foreign program that says yes does not make ours ready."""

    async def ready() -> bool:
        return answers

    assert answers == await and_listens(ready, os.getpid(), port)()
    assert not await and_listens(ready, stranger, port)()
    assert not await and_listens(ready, None, port)()
