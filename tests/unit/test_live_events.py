"""Live events: numbering, resuming, coalescing, and what a slow listener is told."""

import asyncio
import json
from collections.abc import Iterable

import pytest

from common.domain.errors import TooManyStreams
from master.domain.live_events import Audience, EventKind, Journal, LiveEvent
from master.services.event_hub import EventHub

ALL = Audience()


def job(name: str, revision: int = 1, namespace: str = "default") -> LiveEvent:
    return LiveEvent(
        EventKind.JOB, f"{namespace}/{name}", namespace, {"namespace": namespace, "revision": revision}
    )


def worker(name: str) -> LiveEvent:
    return LiveEvent(EventKind.WORKER, name, None, {"id": name})


def hub() -> EventHub:
    return EventHub(master="m1", version="1")


def told(text: bytes | None) -> list[tuple[str, dict[str, object]]]:
    """Names and data of the events in *text*."""
    return [(name, data) for name, data, _ in parsed(text)]


def parsed(text: bytes | None) -> Iterable[tuple[str, dict[str, object], str]]:
    for block in (text or b"").decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if fields:
            yield fields["event"], json.loads(fields["data"]), fields["id"]


@pytest.mark.parametrize(
    ("added", "asked", "expected"),
    [
        pytest.param(3, "i-1", [2, 3], id="missed two"),
        pytest.param(3, "i-3", [], id="missed none"),
        pytest.param(3, "i-0", [1, 2, 3], id="from the start"),
        pytest.param(3, "i-4", None, id="a number that was never given"),
        pytest.param(3, "other-1", None, id="of another master"),
        pytest.param(3, "rubbish", None, id="no id of ours"),
        pytest.param(3, "i-gap", None, id="stood in a gap"),
        pytest.param(9, "i-4", [5, 6, 7, 8, 9], id="exactly what is kept"),
        pytest.param(9, "i-3", None, id="one more than is kept"),
    ],
)
def test_resuming_from_an_id(added: int, asked: str, expected: list[int] | None):
    """Either everything behind the id, or the news that this cannot be told."""
    journal = Journal("i", kept=5)
    for number in range(added):
        journal.add(worker(f"w{number}"))

    frames = journal.since(asked)

    assert expected == (None if frames is None else [frame.number for frame in frames])


def test_nobody_resumes_from_before_a_break():
    """What was left out is never skipped over."""
    journal = Journal("i")
    journal.add(worker("w1"))
    before = journal.id
    journal.break_off()
    at_break = journal.id
    journal.add(worker("w2"))

    assert journal.since(before) is None
    assert [3] == [frame.number for frame in journal.since(at_break) or []]


async def test_changes_of_one_subject_within_a_moment_are_one_event():
    """The last one counts, and stands where it happened."""
    events = hub()
    stream = events.open("ann", ALL, None)
    await stream.next()
    for news in (job("a", 1), job("b", 1), job("a", 2)):
        events.publish(news)
    events.flush()

    assert [("default", 1), ("default", 2)] == [
        (data["namespace"], data["revision"]) for _, data in told(await stream.next())
    ]


async def test_first_event_goes_out_at_once_and_a_burst_is_collected():
    """Nobody waits for the end of a moment unless something was told just before."""
    events = hub()
    stream = events.open("ann", ALL, None)
    await stream.next()
    running = asyncio.create_task(events.run())
    events.publish(job("a", 1))
    async with asyncio.timeout(0.1):
        first = told(await stream.next())
    for revision in range(2, 50):
        events.publish(job("a", revision))
        await asyncio.sleep(0)
    rest = told(await stream.next())
    running.cancel()

    assert [1] == [data["revision"] for _, data in first]
    assert [49] == [data["revision"] for _, data in rest]


@pytest.mark.parametrize(
    ("namespaces", "expected"),
    [
        pytest.param(None, ["default", "shop", None], id="all namespaces"),
        pytest.param({"shop"}, ["shop", None], id="one namespace, and workers"),
        pytest.param(set(), [None], id="no namespace"),
    ],
)
async def test_a_stream_hears_of_its_namespaces_only(namespaces: set[str] | None, expected: list[str | None]):
    """Also when it comes back with an id."""
    events = hub()
    audience = Audience(None if namespaces is None else frozenset(namespaces))
    stream = events.open("ann", audience, None)
    (_, _, hello_id), *_ = parsed(await stream.next())
    for news in (job("a"), job("b", namespace="shop"), worker("w1")):
        events.publish(news)
    events.flush()
    live = [data.get("namespace") for _, data in told(await stream.next())]
    back = events.open("ann", audience, hello_id)
    hello, *resumed = told(await back.next())

    assert expected == live
    assert "hello" == hello[0]
    assert expected == [data.get("namespace") for _, data in resumed]


async def test_slow_listener_loses_its_queue_and_is_told_once():
    """Memory stays bounded, the others hear everything, and what comes behind the gap is told again."""
    events = hub()
    slow, quick = events.open("ann", ALL, None), events.open("bob", ALL, None)
    heard = 0
    for round_ in range(60):
        for number in range(100):
            events.publish(job(f"job-{round_}-{number}-{'x' * 60}"))
        events.flush()
        heard += sum(name == "job" for name, _ in told(await quick.next()))
    text = await slow.next()
    names = [name for name, _ in told(text)]

    assert 6_000 == heard
    assert len(text or b"") <= 256 * 1024
    assert "resync" == names[0]
    assert {"job"} == set(names[1:])


async def test_more_news_than_anybody_wants_is_one_resync():
    """A burst of ten thousand jobs is one event, for streams that come back as well."""
    events = hub()
    stream = events.open("ann", ALL, None)
    (_, _, hello_id), *_ = parsed(await stream.next())
    for number in range(10_001):
        events.publish(job(f"j{number}"))
    events.flush()
    names = [name for name, _ in told(await stream.next())]
    back = events.open("ann", ALL, hello_id)

    assert "resync" == names[0]
    assert names.count("resync") == 1
    assert ["hello", "resync"] == [name for name, _ in told(await back.next())]


async def test_a_gap_that_was_not_read_stays_a_gap():
    """A connection that breaks between the hello and the resync must not resume behind both."""
    events = hub()
    (_, _, hello_id), *_ = parsed(await events.open("ann", ALL, "other-7").next())

    assert ["hello", "resync"] == [name for name, _ in told(await events.open("ann", ALL, hello_id).next())]


def test_streams_of_a_user_are_limited():
    """One user cannot take all of them, and a closed one makes room."""
    events = EventHub(master="m1", version="1", streams_per_user=3)
    opened = [events.open("ann", ALL, None) for _ in range(3)]
    with pytest.raises(TooManyStreams):
        events.open("ann", ALL, None)
    events.open("bob", ALL, None)
    events.close(opened[0])
    events.close(opened[0])

    assert events.open("ann", ALL, None)
    assert 4 == len(events)


async def test_streams_end_when_the_master_stops():
    """What is queued is still told; then all of them end, also those that come too late."""
    events = hub()
    early = events.open("ann", ALL, None)
    events.close_all()
    late = events.open("ann", ALL, None)

    assert [["hello"], ["hello"]] == [[name for name, _ in told(await s.next())] for s in (early, late)]
    assert [None, None] == [await early.next(), await late.next()]
