"""What every spool must do: the one on disk, and the disk of the simulation that stands for it."""

import asyncio
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from common.domain.records import OutputLoss, Seq
from tests.records import chunk, execution, missed
from tests.sim.disk import Disk
from worker.adapters import spool_lane
from worker.adapters.spool import FileSpool
from worker.ports import Spool

_MANY = 10_000


@pytest.fixture(params=["simulated", "file"])
async def spool(request: pytest.FixtureRequest, tmp_path: Path) -> Spool:
    return Disk() if request.param == "simulated" else FileSpool(tmp_path)


async def test_statuses_come_before_output(spool):
    records = [chunk(seq=0), execution(1), chunk(seq=1), missed(2)]
    for record in records:
        spool.append(record)

    assert (records[1], records[3], records[0], records[2]) == spool.peek(10, 1_000_000)
    assert 4 == len(spool)


async def test_acknowledged_is_forgotten(spool):
    records = [execution(tick) for tick in range(5)]
    for record in records:
        spool.append(record)

    spool.acknowledge(spool.peek(3, 1_000_000))

    assert tuple(records[3:]) == spool.peek(10, 1_000_000)
    assert 2 == len(spool)


async def test_peeking_takes_nothing(spool):
    spool.append(execution(1))

    assert spool.peek(1, 1_000) == spool.peek(1, 1_000)


async def test_one_record_at_least_however_large(spool):
    spool.append(chunk(text="x" * 10_000))

    assert 1 == len(spool.peek(10, 1))


async def test_set_aside_is_not_peeked_again(spool):
    poison, good = execution(1), execution(2)
    spool.append(poison)
    spool.append(good)

    spool.set_aside(poison, "refused")

    assert (good,) == spool.peek(10, 1_000_000)


async def test_what_was_synced_is_there_after_a_crash(tmp_path):
    """A new worker on the same directory finds everything, in order, and nothing that was acknowledged."""
    spool = FileSpool(tmp_path)
    records = [execution(tick, Seq.FINISHED, tells_start=tick > 20) for tick in range(50)]
    records += [chunk(tick) for tick in range(50)]
    with closing(spool):
        for record in records:
            spool.append(record)
        await spool.sync()
        spool.acknowledge(records[:10])

        # Not closed yet: this is a crash.
        again = FileSpool(tmp_path)

    assert tuple(records[10:50] + records[50:]) == again.peek(1_000, 10_000_000)


async def test_acknowledged_while_replayed(tmp_path):
    spool = FileSpool(tmp_path)
    for tick in range(20):
        spool.append(execution(tick))
    spool.close()
    again = FileSpool(tmp_path)
    again.acknowledge(again.peek(15, 1_000_000))
    again.append(execution(99))
    again.close()

    third = FileSpool(tmp_path)

    assert [*range(15, 20), 99] == [record.tick for record in third.peek(100, 1_000_000)]


@pytest.mark.parametrize("cut", [1, 5, 9, 100])
async def test_torn_end_loses_only_what_was_torn(tmp_path, cut):
    """A power failure in the middle of a write; new records are not put behind the torn one."""
    spool = FileSpool(tmp_path)
    for tick in range(3):
        spool.append(execution(tick))
    spool.close()
    file = next(tmp_path.glob("status-*.log"))
    os.truncate(file, file.stat().st_size - cut)

    again = FileSpool(tmp_path)
    again.append(execution(7))
    again.close()

    assert [0, 1, 7] == [record.tick for record in FileSpool(tmp_path).peek(10, 1_000_000)]


async def test_killed_writer_loses_nothing_it_was_told_is_safe(tmp_path):
    """kill -9 at any instant: every record whose sync returned is there."""
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.records import execution\n"
        "from worker.adapters.spool import FileSpool\n"
        "async def main():\n"
        "    spool = FileSpool(Path(sys.argv[1]))\n"
        "    for tick in range(10**6):\n"
        "        spool.append(execution(tick))\n"
        "        if tick % 7 == 0:\n"
        "            await spool.sync()\n"
        "            print(tick, flush=True)\n"
        "asyncio.run(main())\n"
    )
    writer = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs in this loop
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) >= 700:
            writer.kill()
            break
    rest = writer.stdout.read().split()
    writer.wait()
    safe = int(rest[-1]) if rest else int(line)

    ticks = [record.tick for record in FileSpool(tmp_path).peek(100_000, 10**9)]

    assert list(range(len(ticks))) == ticks
    assert len(ticks) > safe


async def test_long_outage_waits_on_disk_not_in_memory(tmp_path):
    """More than the window holds comes back in order, the later part from disk."""
    spool = FileSpool(tmp_path)
    for tick in range(_MANY):
        spool.append(execution(tick))
    in_memory = len(spool._statuses._window)

    seen: list[int] = []
    while batch := spool.peek(1_000, 10_000_000):
        seen += [record.tick for record in batch]
        spool.acknowledge(batch)

    assert spool_lane._WINDOW_RECORDS >= in_memory
    assert list(range(_MANY)) == seen
    assert 0 == len(spool)


async def test_full_spool_drops_the_oldest_output_and_says_whose(tmp_path):
    spool = FileSpool(tmp_path, max_bytes=1024 * 1024)
    for tick in range(300):
        spool.append(chunk(tick, text="x" * 10_000))
        spool.append(execution(tick))

    everything = []
    while batch := spool.peek(1_000, 10_000_000):
        everything += batch
        spool.acknowledge(batch)
    kept = {record.execution_id for record in everything if record in everything and hasattr(record, "lines")}
    lost = {record.execution_id for record in everything if isinstance(record, OutputLoss)}
    statuses = [record for record in everything if hasattr(record, "status")]

    assert 300 == len(statuses)
    assert 300 - len(kept) == spool.dropped_output
    assert {f"samplejob1.{tick}.1" for tick in range(300)} == kept | lost
    assert "samplejob1.299.1" in kept


async def test_files_of_stored_records_go_away(tmp_path):
    with closing(FileSpool(tmp_path)) as spool:
        for _ in range(40):
            for tick in range(500):
                spool.append(execution(tick))
            await spool.sync()
            spool.acknowledge(spool.peek(1_000, 10_000_000))

    assert 1 == len(list(tmp_path.glob("status-*.log")))


async def test_number_of_a_finished_segment_is_not_used_again(tmp_path):
    """All was stored before it was ever written: only the note of the position is on disk."""
    spool = FileSpool(tmp_path)
    spool.append(execution(1))
    spool.acknowledge(spool.peek(10, 1_000_000))
    second = FileSpool(tmp_path)
    second.append(execution(2))
    second.close()

    assert [2] == [record.tick for record in FileSpool(tmp_path).peek(10, 1_000_000)]


async def test_a_note_may_become_shorter(tmp_path):
    """From 100 of the first segment to 1 of the second: what is left of the longer note must not be read."""
    spool = FileSpool(tmp_path)
    for tick in range(101):
        spool.append(execution(tick))
    spool.acknowledge(spool.peek(100, 10_000_000))
    spool.close()
    second = FileSpool(tmp_path)
    second.append(execution(200))
    second.append(execution(201))
    second.acknowledge(second.peek(2, 10_000_000))
    second.close()

    assert [201] == [record.tick for record in FileSpool(tmp_path).peek(10, 10_000_000)]


async def test_record_that_cannot_be_encoded_is_set_aside(tmp_path):
    """It would be in everybody's way for ever."""
    spool = FileSpool(tmp_path)

    spool.append(execution(1, exit_code=2**70))
    spool.append(execution(2))

    assert [2] == [record.tick for record in spool.peek(10, 1_000_000)]
    assert "samplejob1.1.1" in (tmp_path / "refused.jsonl").read_text()


async def test_syncs_are_shared(tmp_path):
    """Many waiters, few syncs: that is the shipper's part; concurrent calls must not hurt each other."""
    with closing(FileSpool(tmp_path)) as spool:
        for tick in range(20):
            spool.append(execution(tick))

        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(spool.sync())

    assert 20 == len(FileSpool(tmp_path))
