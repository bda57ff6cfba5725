"""The channel between a worker and its command host."""

import asyncio
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest

from worker.adapters.channel import Channel


@dataclass
class End:
    """One end of a channel, and what it has heard."""

    connection: socket.socket
    heard: list[Any] = field(default_factory=list)
    pauses: list[bool] = field(default_factory=list)
    is_lost: asyncio.Event = field(default_factory=asyncio.Event)

    async def connected(self) -> Channel:
        channel = Channel(self.heard.append, on_lost=self.is_lost.set, on_pause=self.pauses.append)
        await asyncio.get_running_loop().create_connection(lambda: channel, sock=self.connection)
        return channel

    async def has_heard(self, count: int) -> list[Any]:
        async with asyncio.timeout(10):
            while len(self.heard) < count:  # noqa: ASYNC110 - a poll; it has a time limit
                await asyncio.sleep(0.001)
        return self.heard


@pytest.fixture
async def ends() -> tuple[End, End]:
    ours, theirs = socket.socketpair()
    return End(ours), End(theirs)


async def test_messages_arrive_in_their_order(ends):
    """Small ones share a batch, a large one is cut into many reads, and what follows it stays behind it."""
    near, far = ends
    channel = await near.connected()
    await far.connected()
    sent = [("a", 1, None), ("b", 2, b"x" * 3_000_000), ("c", {"env": {"A": "\udc80"}}), ("d", (1.5, "ü"))]
    for message in sent:
        channel.send(*message, size=3_000_000 if message[0] == "b" else 0)

    assert sent == await far.has_heard(4)
    channel.close()


async def test_what_is_sent_before_there_is_a_connection_is_sent_then(ends):
    near, far = ends
    channel = Channel(near.heard.append, on_lost=near.is_lost.set)
    channel.send("early", 1)
    await asyncio.sleep(0.01)
    await far.connected()
    await asyncio.get_running_loop().create_connection(lambda: channel, sock=near.connection)

    assert [("early", 1)] == await far.has_heard(1)
    channel.close()


async def test_closing_sends_what_is_left_and_both_ends_learn_of_it(ends):
    near, far = ends
    channel = await near.connected()
    await far.connected()
    channel.send("last", 1)
    channel.close()
    async with asyncio.timeout(10):
        await near.is_lost.wait()
        await far.is_lost.wait()

    assert [("last", 1)] == far.heard


async def test_a_slow_reader_pauses_the_sender_and_loses_nothing(ends):
    near, far = ends
    channel = await near.connected()
    for number in range(100):
        channel.send("output", number, b"x" * 65536, size=65536)
    paused = list(near.pauses)
    await far.connected()

    assert list(range(100)) == [message[1] for message in await far.has_heard(100)]
    assert ([True], [True, False]) == (paused, near.pauses)
    channel.close()
