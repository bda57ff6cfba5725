"""What the reconciler repairs, and why it says a tick was missed."""

import pytest

from common.domain.catchup import MissedSpan
from common.domain.codec import MissedTicks, RunRecord, WorkerHealth
from common.domain.execution import Cause, Reason
from master.domain.reconcile import final_misses, has_session_ended, is_abandoned, why_nobody_started
from tests.builders import CREATED_AT, at, spec_of


def worker(name="worker-1", **fields):
    defaults = {"session": "aa", "executors": ("shell",), "slots": 2, "started_at": CREATED_AT}
    return WorkerHealth(worker=name, **(defaults | fields))


RECORD = RunRecord(
    worker="worker-1",
    session="aa",
    nonce="n",
    namespace="default",
    name="job",
    generation=1,
    cause=Cause.SCHEDULE,
    scheduled_at=CREATED_AT,
    claimed_at=CREATED_AT,
)


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        pytest.param(worker(), False, id="alive"),
        pytest.param(None, True, id="gone"),
        pytest.param(worker(session="bb"), True, id="came back under another session"),
    ],
)
def test_is_abandoned(health, expected):
    """Identity is the session, not the name."""
    assert expected == is_abandoned(RECORD, {"worker-1": health}.get)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(worker(), None, True, id="gone"),
        pytest.param(worker(), worker(session="bb"), True, id="back under another session"),
        pytest.param(worker(), worker(status="draining"), False, id="draining"),
        pytest.param(None, worker(), False, id="came"),
        pytest.param(None, None, False, id="never readable"),
    ],
)
def test_has_session_ended(before, after, expected):
    """What makes a master look at once."""
    assert expected == has_session_ended(before, after)


@pytest.mark.parametrize(
    ("workers", "running", "cut_off", "expected"),
    [
        pytest.param([], {}, False, Reason.NO_WORKER, id="34: nobody there"),
        pytest.param([worker(executors=("http",))], {}, False, Reason.NO_WORKER, id="34: nobody fits"),
        pytest.param([worker()], {"worker-1": 2}, False, Reason.NO_SLOT, id="35: all full"),
        pytest.param([worker(claims_paused="clock")], {}, False, Reason.CLOCK, id="14: clock distrusted"),
        pytest.param([worker()], {}, True, Reason.COORDINATION, id="23: etcd was away"),
        pytest.param([worker()], {}, False, Reason.DEADLINE, id="nothing known stood in the way"),
    ],
)
def test_why_nobody_started(workers, running, cut_off, expected):
    """The reason in the ledger."""
    running_on = lambda worker_id: running.get(worker_id, 0)  # noqa: E731

    assert expected == why_nobody_started(spec_of(), workers, running_on, was_cut_off=cut_off)


def test_only_ticks_before_anything_startable_are_final():
    """A span behind a tick that may still start is not accounted for yet: the cursor cannot pass the tick."""
    before = MissedSpan(at("10:00:00"), at("10:02:00"), 3, Reason.DEADLINE)
    behind = MissedSpan(at("10:06:00"), at("10:08:00"), 3, Reason.DEADLINE)

    missed = final_misses([before, behind], at("10:05:00"))

    first, last = int(at("10:00:00").timestamp()), int(at("10:02:00").timestamp())
    assert MissedTicks(first=first, last=last, count=3, reason=Reason.DEADLINE) == missed
