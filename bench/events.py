"""What do 200 open event streams cost the master while 100 executions a second run?

A real worker runs them, real connections read the streams. One stream is looked into: how long after an
execution's end its outcome is heard.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from bench.figures import Figure, Goal, spread
from bench.jobs import make_jobs, remove_jobs, save_jobs
from bench.program import Form, run
from bench.rig import Master, installation
from bench.usage import Cpu, peak_rss_bytes
from common.domain.job import JobSpec

_STREAMS = 200
_WARM_UP_S = 5.0
_SETTLE_S = 15.0


@dataclass
class _Heard:
    """What one stream was told."""

    events: int = 0
    resyncs: int = 0
    received_bytes: int = 0
    outcomes: dict[str, float] = field(default_factory=dict)


def measure(form: Form) -> Sequence[Figure]:
    length_s = form.pick(full=60, short=10)
    per_s = form.pick(full=100, short=30)
    with installation() as rig:
        master = rig.start_master(eventStreamsPerUser=_STREAMS)
        rig.start_worker(slots=2 * per_s)
        rig.wait_planned(0)
        jobs = make_jobs(per_s, schedule="* * * * * *", command="true")
        return asyncio.run(_listen(master, rig.etcd.endpoint, jobs, length_s))


async def _listen(master: Master, endpoint: str, jobs: Sequence[JobSpec], length_s: int) -> list[Figure]:
    heard = [_Heard() for _ in range(_STREAMS)]
    readers = [
        asyncio.create_task(_read(master, one, looks_inside=number == 0)) for number, one in enumerate(heard)
    ]
    await asyncio.sleep(1)
    idle_mb = peak_rss_bytes(master.program.pid) / 1e6
    await asyncio.to_thread(save_jobs, endpoint, jobs)
    await asyncio.sleep(_WARM_UP_S)
    before, begun_s = Cpu.of(master.program.pid), time.monotonic()
    events_before = sum(one.events for one in heard)
    ended_before = len(heard[0].outcomes)
    await asyncio.sleep(length_s)
    took_s = time.monotonic() - begun_s
    cpu = Cpu.of(master.program.pid).since(before)
    ended = len(heard[0].outcomes) - ended_before
    events = sum(one.events for one in heard) - events_before
    await asyncio.to_thread(remove_jobs, endpoint, jobs)
    await asyncio.sleep(_SETTLE_S)
    for reader in readers:
        reader.cancel()
    delays = spread(list(heard[0].outcomes.values()))
    told = {one.events for one in heard}
    return [
        Figure("streams", "streams open", _STREAMS),
        Figure("outcomes_per_s", "outcomes told, a second, on each stream", round(ended / took_s, 1), "/s"),
        Figure("events_per_s", "events delivered, all streams", round(events / took_s), "/s"),
        Figure("master_cores", "CPU of the master", cpu.own_s / took_s, "cores", Goal("at most", 1)),
        Figure("idle_rss_mb", "memory with the streams open", idle_mb, "MB"),
        Figure(
            "peak_rss_mb",
            "peak memory of the master",
            peak_rss_bytes(master.program.pid) / 1e6,
            "MB",
            Goal("at most", 300),
        ),
        Figure("delay_p50_ms", "from an execution's end to its outcome heard: p50", delays.p50 * 1000, "ms"),
        Figure("delay_p99_ms", "... p99", delays.p99 * 1000, "ms"),
        Figure("streams_apart", "difference between the streams", max(told) - min(told), "events"),
        Figure("resyncs", "resyncs, all streams", sum(one.resyncs for one in heard), "", Goal("at most", 0)),
    ]


async def _read(master: Master, heard: _Heard, *, looks_inside: bool) -> None:
    """Read one stream over a bare connection: a client library would cost more than the server."""
    at = urlsplit(master.address)
    reader, writer = await asyncio.open_connection(at.hostname, at.port, limit=4 * 1024 * 1024)
    token = master.token_file.read_text().strip()
    writer.write(
        f"GET /api/v1/events HTTP/1.1\r\nHost: {at.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    with suppress(ConnectionError):
        while text := await reader.read(256 * 1024):
            heard.received_bytes += len(text)
            heard.events += text.count(b"event: ")
            heard.resyncs += text.count(b"event: resync")
            if looks_inside:
                _note_outcomes(text, heard)


def _note_outcomes(text: bytes, heard: _Heard) -> None:
    now_s = time.time()
    for line in text.splitlines():
        # A line cut in two by the connection is left out: it is one in thousands.
        if line.startswith(b"data: {") and line.endswith(b"}") and b'"finished_at":"' in line:
            data = json.loads(line[6:])
            heard.outcomes[data["id"]] = now_s - datetime.fromisoformat(data["finished_at"]).timestamp()


if __name__ == "__main__":
    run("events", "What do 200 event streams cost the master at 100 executions/s?", measure)
