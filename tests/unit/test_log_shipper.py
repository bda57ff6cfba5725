"""The journal between a spool and a sink that can be away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from common.domain.records import EXECUTIONS, Record, Seq, WriteReport
from tests.records import chunk, execution
from tests.sim.disk import Disk
from tests.sim.history import History
from worker.log_shipper import LogShipper


class PickySink:
    """Refuses records of one tick, as a database refuses a document."""

    def __init__(self, poison: int) -> None:
        self.poison = poison
        self.stored: list[Record] = []

    async def write(self, records):
        refused = tuple((r, "too large") for r in records if getattr(r, "tick", None) == self.poison)
        self.stored += [r for r in records if getattr(r, "tick", None) != self.poison]
        return WriteReport(stored=len(records) - len(refused), refused=refused)


class BrokenDisk(Disk):
    """A disk that takes nothing."""

    async def sync(self) -> None:
        raise OSError(28, "No space left on device")


@asynccontextmanager
async def shipping(sink, spool=None, **options) -> AsyncIterator[LogShipper]:
    # An empty disk has length 0 and would count as false.
    disk = Disk(0.001) if spool is None else spool
    shipper = LogShipper(spool=disk, sink=sink, **{"commit_timeout_s": 0.05, **options})
    running = asyncio.ensure_future(shipper.run())
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(10):
            yield shipper
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(condition) -> None:
    while not condition():  # noqa: ASYNC110 - a poll; `shipping` has a time limit
        await asyncio.sleep(0.002)


async def test_record_is_stored_within_the_commit_timeout():
    history = History()
    loop = asyncio.get_running_loop()

    async with shipping(history) as shipper:
        began_s = loop.time()
        shipper.record(execution(1))
        await until(lambda: history.executions)

    assert loop.time() - began_s < 0.5
    assert 0 == shipper.backlog


async def test_full_batch_does_not_wait():
    history = History()

    async with shipping(history, commit_timeout_s=600, batch_size=3) as shipper:
        for tick in range(3):
            shipper.record(execution(tick))
        await until(lambda: len(history.executions) == 3)

    assert 3 == shipper.shipped


async def test_much_output_does_not_wait():
    """What no batch can hold goes at once, batch after batch: also what was there before the first."""
    history = History()

    async with shipping(history, commit_timeout_s=600, batch_size=500) as shipper:
        for seq in range(40):
            shipper.record(chunk(1, seq=seq, size_bytes=64 * 1024))
        await until(lambda: len(history.output) >= 36)

    assert 40 - len(history.output) == shipper.backlog


async def test_durable_returns_when_the_disk_has_it():
    """One sync serves all who wait."""
    disk = Disk(0.01)

    async with shipping(History(), disk, commit_timeout_s=600) as shipper, asyncio.TaskGroup() as group:
        for tick in range(20):
            group.create_task(shipper.record_durably(execution(tick)))
    disk.crash(0)

    assert 20 == len(disk)


async def test_outage_keeps_everything_and_delays_nobody():
    history = History()
    history.is_away = True

    async with shipping(history) as shipper:
        for tick in range(100):
            await shipper.record_durably(execution(tick, Seq.FINISHED))
            shipper.record(chunk(tick))
        await until(lambda: not shipper.is_connected)
        backlog = shipper.backlog
        history.is_away = False
        await until(lambda: not shipper.backlog)

    assert 200 == backlog
    assert (100, 100) == (len(history.executions), len(history.output))
    assert shipper.is_connected
    assert 0.0 == shipper.oldest_age_s


async def test_lost_answer_is_written_again():
    """The sink had stored it: the second write changes nothing and counts as fenced."""
    history = History()
    history.loses_answers = True

    async with shipping(history) as shipper:
        shipper.record(execution(1))
        await until(lambda: history.executions)
        history.loses_answers = False
        await until(lambda: not shipper.backlog)

    assert 1 == shipper.fenced
    assert 1 == len(history.executions["samplejob1.1.1"]["history"])


async def test_poison_record_is_set_aside_and_the_rest_goes_on():
    sink, disk = PickySink(poison=2), Disk(0.001)

    async with shipping(sink, disk) as shipper:
        for tick in range(5):
            shipper.record(execution(tick))
        await until(lambda: not shipper.backlog)

    assert [0, 1, 3, 4] == [record.tick for record in sink.stored]
    assert [(2, "too large")] == [(record.tick, reason) for record, reason in disk.set_aside_records]
    assert 1 == shipper.set_aside


async def test_full_disk_is_no_reason_to_wait_for_ever():
    """What the database has is as durable as what the disk has."""
    async with shipping(History(), BrokenDisk(), commit_timeout_s=600) as shipper:
        await shipper.record_durably(execution(1))

    assert 0 == shipper.backlog


async def test_restart_replays_the_spool():
    disk, history = Disk(0.001), History()
    disk.append(execution(1))

    async with shipping(history, disk, commit_timeout_s=600):
        await until(lambda: history.executions)

    assert 0 == len(disk)


async def test_close_ships_what_is_left():
    history = History()

    async with shipping(history, commit_timeout_s=600) as shipper:
        shipper.record(execution(1))
        await shipper.close()

    assert ["samplejob1.1.1"] == list(getattr(history, EXECUTIONS))


async def test_close_leaves_in_the_spool_what_cannot_be_shipped():
    disk, history = Disk(0.001), History()
    history.is_away = True

    async with shipping(history, disk, commit_timeout_s=600) as shipper:
        shipper.record(execution(1))
        await shipper.close()
    disk.crash(0)

    assert 1 == len(disk)


async def test_bug_in_the_sink_ends_the_worker():
    """Only what is known to be temporary is tried again."""

    class Buggy:
        async def write(self, records):
            raise ZeroDivisionError

    shipper = LogShipper(spool=Disk(0.001), sink=Buggy(), commit_timeout_s=0.01)
    shipper.record(execution(1))

    with pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(5):
            await shipper.run()
