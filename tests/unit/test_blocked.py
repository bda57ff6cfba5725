"""What becomes of a tick whose job still runs (situations 1 to 4)."""

import pytest

from common.domain.execution import Cause
from common.domain.policy import Overlap
from tests.builders import at
from worker.domain.blocked import Queue, Replace, Skip, Wait, decide_blocked


@pytest.mark.parametrize(
    ("now", "overlap", "expected"),
    [
        pytest.param(
            "09:59:59", "skip", Wait(at("10:00:00")), id="claimed ahead: the other has until the tick"
        ),
        pytest.param("10:00:01", "skip", Skip(), id="2: skip drops the tick"),
        pytest.param("10:00:01", "queue_one", Queue(), id="3: queue_one remembers it"),
        pytest.param(
            "10:00:01",
            "replace",
            Replace(at("10:00:01.1"), at("10:00:40")),
            id="4: replace kills the old one",
        ),
        pytest.param("10:00:40", "replace", Skip(), id="4: bounded by start deadline and grace"),
    ],
)
def test_overlap(now, overlap, expected):
    """A tick at 10:00:00, start deadline 30 s, kill grace 10 s, behind another worker's execution."""
    decision = decide_blocked(
        Overlap(overlap),
        tick=at("10:00:00"),
        now=at(now),
        cause=Cause.SCHEDULE,
        start_deadline_s=30,
        kill_grace_s=10,
        blocker_claimed_at=None,
    )

    assert expected == decision


@pytest.mark.parametrize(
    ("now", "cause", "blocker", "expected"),
    [
        pytest.param("10:00:05", "schedule", "09:59:00", Skip(), id="ran when the tick came due"),
        pytest.param("10:00:05", "schedule", "10:00:04", Wait(at("10:00:05.25")), id="started late itself"),
        pytest.param("10:00:35", "schedule", "10:00:04", Skip(), id="waited until the deadline"),
        pytest.param("10:30:00", "catch_up", "10:29:59", Wait(at("10:30:00.25")), id="7: one at a time"),
    ],
)
def test_recovery_does_not_skip_what_it_catches_up(now, cause, blocker, expected):
    """An execution that was started late itself is waited for."""
    decision = decide_blocked(
        Overlap.SKIP,
        tick=at("10:00:00"),
        now=at(now),
        cause=Cause(cause),
        start_deadline_s=30,
        kill_grace_s=10,
        blocker_claimed_at=at(blocker),
    )

    assert expected == decision
