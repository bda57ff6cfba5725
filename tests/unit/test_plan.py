"""The heap of next ticks."""

import pytest

from tests.builders import at, planned, spec_of
from worker.domain.plan import Plan


def job(name):
    return planned(spec_of(name), cursor=at("09:00:00"))


def names(jobs):
    return [entry.key.rsplit("/", 1)[1] for entry in jobs]


def test_due_jobs_come_earliest_first_and_once():
    """A job that was taken out is not due again until it is put."""
    plan = Plan()
    for name, due_at in [("c", 30.0), ("a", 10.0), ("b", 20.0)]:
        plan.put(job(name), due_at)

    assert ["a", "b"] == names(plan.pop_due(20.0))
    assert [] == plan.pop_due(20.0)
    assert 30.0 == plan.next_wakeup()


def test_a_changed_job_is_due_only_at_its_new_instant():
    """The entry before is dropped when it surfaces."""
    plan = Plan()
    plan.put(job("a"), 10.0)
    changed = job("a")
    plan.put(changed, 50.0)

    assert [] == plan.pop_due(40.0)
    assert [changed] == plan.pop_due(50.0)


def test_a_removed_job_is_never_due():
    """Also when it was the next one."""
    plan = Plan()
    entry = job("a")
    plan.put(entry, 10.0)
    plan.remove(entry.uid)

    assert plan.next_wakeup() is None
    assert [] == plan.pop_due(100.0)


def test_a_job_that_changes_often_does_not_grow_the_heap():
    """Dead entries are cleared long before they surface."""
    plan = Plan()
    entry = job("a")
    for number in range(10_000):
        plan.put(entry, 1_000_000.0 + number)

    assert len(plan._heap) <= 128
    assert 1 == len(plan.pop_due(2_000_000.0))


@pytest.mark.parametrize("is_known", [pytest.param(True, id="known"), pytest.param(False, id="not known")])
def test_the_tick_after_a_tick_is_the_same_whether_it_is_known_or_not(is_known):
    """What was kept of the schedule is what the schedule says, and is used once."""
    entry = job("a")
    entry.following = entry.timing.next_tick(entry.tick) if is_known else None
    ticks = [entry.tick]
    for _ in range(2):
        entry.cursor = entry.tick
        entry.look_ahead()
        ticks.append(entry.tick)

    assert [int(at(f"09:0{minute}:00").timestamp()) for minute in (1, 2, 3)] == ticks


def test_a_cursor_that_moved_further_than_a_tick_is_followed():
    """Somebody else decided several ticks: what was kept does not count."""
    entry = job("a")
    entry.following = entry.timing.next_tick(entry.tick)
    entry.cursor = int(at("09:30:00").timestamp())
    entry.look_ahead()

    assert int(at("09:31:00").timestamp()) == entry.tick
