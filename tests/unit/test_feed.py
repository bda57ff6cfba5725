"""The feed on virtual time, over the fake store."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest
from structlog.testing import capture_logs

from common.kv.feed import Feed, FeedEvent
from common.kv.values import KeyValue, Put
from tests.fakes.kv import FakeStore
from tests.fakes.kv_client import FakeClient
from tests.sim.loop import JumpingLoop
from tests.sim.playing import play

JOBS = "/jobs/"


class Scene:
    """A store, a feed of its jobs, and what the feed has told so far."""

    def __init__(self, loop: JumpingLoop) -> None:
        self.loop = loop
        self.store = FakeStore()
        self.client: FakeClient = self.store.client("reader")
        self.feed = Feed(self.client, JOBS, jitter=lambda: 1.0, name="jobs")
        self.events: list[FeedEvent] = []
        self.view: dict[str, bytes] = {}

    async def write(self, *names: str, value: bytes = b"x") -> int:
        return (
            await self.store.client("writer").txn(puts=[Put(JOBS + name, value) for name in names])
        ).revision

    async def delete(self, name: str) -> None:
        await self.store.client("writer").txn(deletes=[JOBS + name])

    async def read(self) -> None:
        async with aclosing(self.feed.events()) as events:
            async for event in events:
                self.events.append(event)
                for change in event.changes:
                    if change.deleted:
                        del self.view[change.key]  # telling of an unknown key is an error
                    else:
                        self.view[change.key] = change.kv.value

    def stored(self) -> dict[str, bytes]:
        return {item.key: item.value for item in self.store.list(JOBS).items}


def on_virtual_time(story: Callable[[Scene], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run *story* on a loop whose time jumps, next to a task that reads the feed."""

    async def told(scene: Scene) -> None:
        reading = asyncio.create_task(scene.read())
        await story(scene)
        reading.cancel()
        await asyncio.wait({reading})

    def test() -> None:
        play(lambda loop: told(Scene(loop)))

    test.__name__, test.__doc__ = story.__name__, story.__doc__
    return test


@on_virtual_time
async def test_an_empty_prefix_is_told_too(s: Scene) -> None:
    """Who waits for the first listing is not kept waiting because there is nothing."""
    await asyncio.sleep(1)

    assert [FeedEvent((), 1, synced=True)] == s.events
    assert s.feed.is_current


@on_virtual_time
async def test_changes_follow_the_listing(s: Scene) -> None:
    """First everything there is, then everything that happens."""
    await s.write("a", "b")
    await asyncio.sleep(1)
    await s.write("c")
    await s.write("a", value=b"2")
    await s.delete("b")
    await asyncio.sleep(1)

    assert {JOBS + "a": b"2", JOBS + "c": b"x"} == s.view
    assert [True, False, False, False] == [event.synced for event in s.events]
    assert s.store.revision == s.feed.revision


def test_a_large_listing_comes_in_chunks() -> None:
    """No event holds more than 1000 changes, and only the last one is synced."""

    async def story(s: Scene) -> None:
        for start in range(0, 2500, 100):
            await s.write(*(f"{number:04}" for number in range(start, start + 100)))
        reading = asyncio.create_task(s.read())
        await asyncio.sleep(1)
        reading.cancel()
        await asyncio.wait({reading})

        assert [(1000, False), (1000, False), (500, True)] == [
            (len(event.changes), event.synced) for event in s.events
        ]

    loop = JumpingLoop()
    loop.run_until_complete(story(Scene(loop)))
    loop.close()


@on_virtual_time
async def test_a_broken_watch_is_resumed_without_a_listing(s: Scene) -> None:
    """What happened in between is told once, and nothing else again."""
    await s.write("a")
    await asyncio.sleep(1)
    s.client.drop_watches()
    await s.write("b")
    await asyncio.sleep(5)

    assert (s.stored(), 1) == (s.view, s.feed.relist_count)
    assert [1, 1] == [len(event.changes) for event in s.events]


@on_virtual_time
async def test_an_outage_is_logged_once(s: Scene) -> None:
    """However often the connection is tried, an operator reads two lines."""
    await asyncio.sleep(1)
    with capture_logs() as logs:
        s.store.away = True
        await asyncio.sleep(300)
        is_current = s.feed.is_current
        s.store.away = False
        await asyncio.sleep(5)

    assert ["feed.interrupted", "feed.resumed"] == [entry["event"] for entry in logs]
    assert (False, True) == (is_current, s.feed.is_current)


@on_virtual_time
async def test_compaction_during_an_outage(s: Scene) -> None:
    """The feed lists again and tells the difference, deletions included."""
    await s.write("kept", "changed", "deleted")
    await asyncio.sleep(1)
    s.client.partitioned = True
    await s.write("changed", value=b"2")
    await s.delete("deleted")
    await s.write("new")
    s.store.compact()
    await asyncio.sleep(20)
    del s.events[:]
    s.client.partitioned = False
    await asyncio.sleep(10)

    assert s.stored() == s.view
    assert [{JOBS + "changed", JOBS + "deleted", JOBS + "new"}] == [
        {change.key for change in event.changes} for event in s.events
    ]
    assert (2, 0) == (s.feed.relist_count, s.feed.drift_count)


@on_virtual_time
async def test_a_periodic_listing_finds_nothing_when_all_is_well(s: Scene) -> None:
    """Listings go on every five minutes, and a busy watch is not called drift."""
    s.client.delay_s = lambda: 0.2
    for number in range(3000):
        await s.write(f"{number % 10}", value=b"%d" % number)
        await asyncio.sleep(0.3)
    await asyncio.sleep(5)

    assert (s.stored(), 0) == (s.view, s.feed.drift_count)
    assert 3 <= s.feed.relist_count <= 5


@on_virtual_time
async def test_a_periodic_listing_finds_what_the_watch_lost(s: Scene) -> None:
    """Lost changes come with the next full listing and are counted."""
    await s.write("a", "b", "c")
    await asyncio.sleep(1)
    # Changes that no watch is told of: behind the store's back.
    watch = s.client.watches[0]
    s.client.watches.remove(watch)
    await s.write("a", value=b"2")
    await s.delete("b")
    await s.write("d")
    await asyncio.sleep(1)
    s.client.watches.append(watch)
    before = dict(s.view)
    await asyncio.sleep(310)

    assert before != s.view
    assert (s.stored(), 3) == (s.view, s.feed.drift_count)


@on_virtual_time
async def test_a_restored_store_is_noticed(s: Scene) -> None:
    """The revision went back: told at once after the reconnect, and the feed shows what is stored now."""
    await s.write("a", "b")
    for number in range(20):
        await s.write("a", value=b"%d" % number)
    await asyncio.sleep(1)
    was_rewound = s.feed.rewound.is_set()
    s.store.away = True
    restored = s.store
    restored.revision = 5
    restored._keys = {JOBS + "a": KeyValue(JOBS + "a", b"old", 2, 5)}
    restored._history.clear()
    restored.away = False
    await asyncio.sleep(5)

    assert (False, True) == (was_rewound, s.feed.rewound.is_set())
    assert ({JOBS + "a": b"old"}, 5) == (s.view, s.feed.revision)


@on_virtual_time
async def test_another_cluster_is_noticed_by_a_listing(s: Scene) -> None:
    """A restored store may have overtaken the old revision; its id tells."""
    await s.write("a")
    await asyncio.sleep(1)
    with capture_logs() as logs:
        s.store.cluster_id = 2
        await asyncio.sleep(310)

    assert s.feed.rewound.is_set()
    assert ["feed.rewound"] == [entry["event"] for entry in logs if entry["log_level"] == "error"]
    assert s.stored() == s.view


@pytest.mark.parametrize("seed", range(10))
def test_the_view_always_arrives_at_what_is_stored(seed: int) -> None:
    """Random writes, partitions, restarts and compactions; afterwards view and store agree."""
    import random

    chance = random.Random(seed)

    async def story(s: Scene) -> None:
        s.client.delay_s = lambda: chance.choice((0.0, 0.01, 0.5))
        reading = asyncio.create_task(s.read())
        for _ in range(300):
            match chance.randrange(12):
                case 0:
                    s.client.partitioned = not s.client.partitioned
                case 1:
                    s.store.restart()
                case 2:
                    s.store.compact()
                case 3:
                    await s.delete(str(chance.randrange(20)))
                case _:
                    await s.write(str(chance.randrange(20)), value=b"%d" % chance.randrange(9))
            await asyncio.sleep(chance.choice((0.0, 0.1, 1.0, 20.0)))
        s.client.partitioned = False
        await asyncio.sleep(20)
        reading.cancel()
        await asyncio.wait({reading})

        assert (s.stored(), 0) == (s.view, s.feed.drift_count)

    loop = JumpingLoop()
    loop.run_until_complete(story(Scene(loop)))
    loop.close()
