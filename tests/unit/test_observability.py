"""Counting outcomes and durations, series of jobs, and trace contexts."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from common.domain.execution import LedgerKind, Reason, Status
from common.domain.records import LedgerRow, Seq
from common.domain.tracing import accepted_trace_parent, trace_parent
from common.runtime.timings import Timings
from master.services.metrics import Metrics, StoreCalls
from tests.records import chunk, execution
from worker.domain.outcomes import Outcomes

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
AT = datetime(2026, 3, 29, tzinfo=UTC)


def test_outcomes_are_counted_as_records_pass():
    """Terminal states once, skips and misses by their ticks, starts and output not at all."""
    outcomes = Outcomes()
    for status, lateness_ms in ((Status.SUCCEEDED, 4), (Status.SUCCEEDED, 400), (Status.FAILED, 90_000)):
        record = replace(
            execution(1), seq=Seq.FINISHED, status=status, lateness_ms=lateness_ms, started_at=AT
        )
        outcomes.note(record)
    outcomes.note(replace(execution(1), status=Status.RUNNING))
    outcomes.note(chunk(1))
    outcomes.note(
        LedgerRow(
            namespace="default",
            job="hello",
            uid="u",
            tick=1,
            kind=LedgerKind.MISSED,
            reason=Reason.DOWNTIME,
            generation=1,
            recorded_at=AT,
            expires_at=AT,
            recorded_by="w1",
            count=7,
        )
    )
    buckets = dict(outcomes.lateness_buckets())

    assert {"succeeded": 2, "failed": 1, "missed": 7} == dict(outcomes.counts)
    assert (1, 1, 2, 2, 3) == tuple(buckets[bound] for bound in ("0.005", "0.25", "0.5", "60.0", "300.0"))
    assert 3 == buckets["+Inf"]


def test_calls_of_the_stores_are_a_histogram():
    """By store and operation, with buckets that add up."""
    timings = Timings()
    for seconds in (0.0005, 0.003, 20):
        timings.observe("etcd", "txn", seconds)
    registry = CollectorRegistry()
    registry.register(StoreCalls(timings))
    text = generate_latest(registry).decode()

    for line in (
        'le="0.001",operation="txn",store="etcd"} 1.0',
        'le="+Inf",operation="txn",store="etcd"} 3.0',
    ):
        assert line in text


def test_watched_counters_are_counters():
    """Read when somebody looks, one series per label."""
    metrics = Metrics("1")
    for number in (1, 2):
        metrics.count("feed_drift", "Text.", lambda number=number: number, feed=f"f{number}")
    text = metrics.exposition().decode()

    assert "# TYPE everytick_feed_drift_total counter" in text
    assert 'everytick_feed_drift_total{feed="f2"} 2.0' in text


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(TRACE, TRACE, id="as it is"),
        pytest.param(f" {TRACE} ", TRACE, id="with space around"),
        pytest.param(None, None, id="none"),
        pytest.param(TRACE.upper(), None, id="upper case is not allowed"),
        pytest.param(f"00-{'0' * 32}-00f067aa0ba902b7-00", None, id="no trace"),
        pytest.param(f"{TRACE}-more", None, id="of a newer version"),
        pytest.param("x\n", None, id="rubbish"),
    ],
)
def test_foreign_trace_contexts_are_taken_or_left(header: str | None, expected: str | None):
    """What cannot be read is as if it had not been sent."""
    assert expected == accepted_trace_parent(header)


def test_a_command_continues_the_trace_it_was_asked_in():
    """Trace id and flags are kept, the span is its own; without one all attempts of a tick are one trace."""
    own, again = trace_parent("uid.1774746000.1"), trace_parent("uid.1774746000.2")
    asked = trace_parent("uid.m1.1", TRACE)

    assert own == accepted_trace_parent(own)
    assert own.split("-")[1] == again.split("-")[1]
    assert own.split("-")[2] != again.split("-")[2]
    assert (TRACE.split("-")[1], "00") == (asked.split("-")[1], asked.split("-")[3])
    assert TRACE.split("-")[2] != asked.split("-")[2]
