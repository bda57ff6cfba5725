"""Stories of hosts: clocks nobody believes, machines that sleep, workers that die beside their command."""

from typing import Any, Final

import pytest

from tests.sim.invariants import broken_invariants
from tests.sim.machine import Behaviour
from tests.sim.world import World, world

MINUTELY: Final[dict[str, Any]] = {"schedule": "* * * * *"}
HOURS: Final = 3600


def since(w: World, event: str, after_s: float) -> float:
    """When *event* was logged first after that time."""
    return next(entry.at_s for entry in w.trace.named(event) if entry.at_s >= after_s)


def test_14_a_clock_that_is_four_hours_ahead_is_not_believed() -> None:
    """The worker stops claiming, says so, and resumes after three good samples; the ledger says clock."""
    with world(workers=1, seed=14) as w:
        w.save_job("job", every_s=10, catch_up="none", start_deadline_s=5)
        w.at(55, w.step_clock, "worker-1", 4 * HOURS)
        w.at(125, w.step_clock, "worker-1", -4 * HOURS)
        w.run(minutes=4)
        distrusted = [entry for entry in w.trace.named("clock.distrusted") if entry.host == "worker-1"]

        assert distrusted
        assert [] == [start for start in w.starts("job") if 56 < start < 135]
        assert {"missed: clock"} == {reason for _, _, reason in w.ledger("job")}
        assert 9 <= len([start for start in w.starts("job") if start > 145])


def test_14_a_restart_does_not_make_a_clock_right() -> None:
    """A fresh process has nobody to ask while MongoDB is away, and knows of its predecessor's doubts."""
    with world(workers=1, seed=14) as w:
        w.save_job("job", every_s=10, catch_up="none", start_deadline_s=5)
        w.at(55, w.step_clock, "worker-1", HOURS)
        w.at(70, w.mongo_away, 60)
        w.at(75, w.crash, "worker-1")
        w.at(80, w.start, "worker-1")
        w.at(120, w.step_clock, "worker-1", -HOURS)
        w.run(minutes=4)

        assert [] == [start for start in w.starts("job") if 56 < start < 130]
        assert 7 <= len([start for start in w.starts("job") if start > 160])


def test_14_the_others_take_over_from_a_clock_that_is_off() -> None:
    """No tick is lost while somebody has the right time."""
    with world(workers=3, seed=15) as w:
        w.save_job("job", every_s=10)
        w.at(55, w.step_clock, "worker-1", 4 * HOURS)
        w.run(minutes=4)

        assert 23 <= len(w.starts("job"))
        assert [] == [text for text in broken_invariants(w) if not text.startswith("9 late")]


@pytest.mark.parametrize(
    ("catch_up", "ran_late", "missed"),
    [
        pytest.param("none", [], [120, 180, 240], id="5: none"),
        pytest.param("last", [240], [120, 180], id="6: last"),
        pytest.param("all", [120, 180, 240], [], id="7: all"),
    ],
)
def test_17_a_suspended_host_gets_a_session_before_anything_else(
    catch_up: str, ran_late: list[int], missed: list[int]
) -> None:
    """Asleep from 90 s to 285 s: all its timers are due when it wakes, and its lease is over."""
    with world(workers=1, seed=17) as w:
        w.save_job("job", **MINUTELY, catch_up=catch_up, catch_up_window_s=600)
        w.run(seconds=10)
        w.at(90, w.freeze, "worker-1", 195)
        w.run(seconds=340)
        ran = [execution["tick"] - w.beginning for execution in w.executions("job")]

        assert [60, *ran_late, 300] == ran
        assert missed == [
            tick for tick in range(60, 300, 60) if w.ledger_row(w.uid("job"), w.beginning + tick)
        ]
        assert since(w, "worker.registered", 285) < since(w, "command.start", 285)


def test_19_a_command_does_not_survive_its_worker() -> None:
    """kill -9 in the middle: the command goes with it, the run is closed, the restarted worker goes on."""
    with world(workers=1, seed=19) as w:
        w.save_job("job", **MINUTELY, duration_s=40)
        w.at(70, w.crash, "worker-1")
        w.at(73, w.start, "worker-1")
        w.run(seconds=180)

        assert ["lost: worker_gone", "succeeded"] == w.statuses("job")[:2]
        assert 70 == round(since(w, "command.gone", 0))
        assert [60, 120] == [round(start) for start in w.starts("job")][:2]
        assert [] == broken_invariants(w)


def test_a_command_that_ends_before_it_is_heard_of_is_recorded_once() -> None:
    """Its start has no record of its own; the one of its end tells both."""
    with world(workers=2, seed=21) as w:
        for node in w.nodes.values():
            node.machine.hearing_delay_s = 0.2
        w.save_job("job", every_s=10, duration_s=0.05)
        w.run(seconds=65)
        told = [[entry["status"] for entry in document["history"]] for document in w.executions("job")]

        assert [["running", "succeeded"]] * 6 == told
        assert [document["duration_ms"] for document in w.executions("job")] == [50] * 6
        assert [] == broken_invariants(w)


def test_a_worker_that_dies_before_it_hears_of_a_command_leaves_an_account() -> None:
    """It has run and nobody was told: lost, as far as is known before its start, and not run again."""
    with world(workers=1, seed=22) as w:
        w.nodes["worker-1"].machine.hearing_delay_s = 0.2
        w.save_job("job", **MINUTELY, duration_s=0.05)
        w.at(60.1, w.crash, "worker-1")
        w.at(63, w.start, "worker-1")
        w.run(seconds=150)

        assert ["lost: before_start", "succeeded"] == w.statuses("job")
        assert [60, 120] == [round(start) for start in w.starts("job")]
        assert [] == broken_invariants(w)


@pytest.mark.parametrize("died_at_s", [70, 71.5, 73, 74.5])
def test_20_an_execution_is_lost_soon_after_the_lease(died_at_s: float) -> None:
    """A session of 10 s and 4 s for a worker that comes back, whenever it died: no round is waited for."""
    with world(workers=1, seed=20) as w:
        w.save_job("job", **MINUTELY, duration_s=40)
        w.at(died_at_s, w.crash, "worker-1")
        w.run(seconds=100)

        assert ["lost: worker_gone"] == w.statuses("job")[:1]
        assert since(w, "execution.closed", died_at_s) - died_at_s < 10 + 4 + 1


@pytest.mark.parametrize("before_s", [0.02, 0.06, 0.1, 0.14, 0.18])
def test_22_a_claim_that_succeeds_as_the_lease_ends_is_not_started(before_s: float) -> None:
    """etcd is back a moment before the worker gives its lease up, and keeps that ten seconds longer."""
    with world(workers=1, seed=22) as w:
        slow = Behaviour(duration_s=60)
        w.at(61, lambda: w.save_job("job", every_s=10, behaviour=slow, start_deadline_s=60))
        w.at(64, lambda: w.etcd_away(w.nodes["worker-1"].assembly.session.remaining_s() - before_s))
        w.run(minutes=3)

        assert w.starts("job")
        assert [] == w.lease_violations
        assert [] == broken_invariants(w)
