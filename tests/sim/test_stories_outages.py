"""Stories of outages and of people: situations 25 to 37, and what an ordinary day brings."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.sim.invariants import broken_invariants
from tests.sim.node import KEYS, Settings
from tests.sim.world import World, world

MINUTELY: Final[dict[str, Any]] = {"schedule": "* * * * *"}


def rounded(starts: list[float]) -> list[int]:
    return [round(start) for start in starts]


def test_25_while_mongodb_is_away_starts_go_on_and_records_wait() -> None:
    """Nothing is lost; everything is stored once it is back."""
    with world(workers=2, seed=25) as w:
        w.save_job("job", every_s=10)
        w.at(55, w.mongo_away, 120)
        w.run(minutes=5)

        assert 29 <= len(w.starts("job"))
        assert [] == broken_invariants(w)


def test_26_without_masters_scheduling_goes_on() -> None:
    """They are needed for people and for accounts, not for ticks."""
    with world(workers=2, masters=2, seed=26) as w:
        w.save_job("job", every_s=10)
        w.at(30, w.crash, "master-1")
        w.at(30, w.crash, "master-2")
        w.run(minutes=3)

        assert 17 == len(w.starts("job"))
        assert [] == broken_invariants(w)


def test_27_a_claim_taken_ahead_is_given_up_when_the_job_changes() -> None:
    """Changed half a second before the tick: recorded as skipped, and the new version goes on."""
    with world(workers=2, seed=27) as w:
        w.save_job("job", **MINUTELY)
        w.at(59.5, w.change_job, "job", description="another one")
        w.run(seconds=130)

        assert [(60, 60, "skipped: changed")] == w.ledger("job")
        assert [120] == rounded(w.starts("job"))


def test_28_the_time_a_job_was_disabled_is_not_caught_up() -> None:
    """Neither run nor missed."""
    with world(workers=2, seed=28) as w:
        w.save_job("job", every_s=10, catch_up="all", catch_up_window_s=3600)
        w.at(35, w.disable, "job")
        w.at(95, w.enable, "job")
        w.run(seconds=130)

        assert [10, 20, 30, 100, 110, 120, 130] == [*rounded(w.starts("job")), 130][:7]
        assert [] == w.ledger("job")


def test_29_a_job_deleted_while_it_runs_finishes_and_is_recorded() -> None:
    """A new job of that name is another job."""
    with world(workers=2, seed=29) as w:
        w.save_job("job", **MINUTELY, duration_s=20)
        w.run(seconds=65)
        old = w.uid("job")
        w.delete_job("job")
        w.save_job("job", **MINUTELY)
        w.run(seconds=70)
        ended = [document for document in w.history.executions.values() if document["uid"] == old]

        assert ["succeeded"] == [document["status"] for document in ended]
        assert old != w.uid("job")
        assert [120] == rounded(w.starts("job"))
        assert [] == w.store.keys(KEYS.runs_of(old))


def test_29_a_claim_nobody_heard_of_is_closed_though_its_job_is_gone() -> None:
    """No answer to the claim came in time, then the job went: the worker itself finds the run record."""
    with world(workers=1, seed=29) as w:
        w.save_job("job", **MINUTELY, start_deadline_s=1)
        client = w.store.client("worker-1")
        w.at(59, setattr, client, "lose_answer", lambda kind: kind == "txn")
        w.at(63, w.delete_job, "job")
        w.at(64, setattr, client, "lose_answer", lambda _kind: False)
        w.run(seconds=130)

        assert [] == w.starts("job")
        assert ["lost: before_start"] == w.statuses("job")
        assert [] == w.store.keys(KEYS.runs) + w.store.keys(KEYS.locks)


def test_30_run_now_waits_for_its_turn_unless_forced() -> None:
    """Who asked and with what is in the record; the same request twice is one execution."""
    with world(workers=2, seed=30) as w:
        w.save_job("job", **MINUTELY, duration_s=20)
        w.at(65, w.run_job, "job", request="onceonly", env="prod")
        w.at(66, w.run_job, "job", request="onceonly", env="prod")
        w.at(70, w.run_job, "job", force=True)
        w.run(seconds=115)
        asked = [document for document in w.executions("job") if document["cause"] == "manual"]

        assert [60, 70, 80] == rounded(w.starts("job"))
        assert ["somebody", "somebody"] == [document["requested_by"] for document in asked]
        assert [{}, {"env": "prod"}] == sorted(
            [document.get("parameters", {}) for document in asked], key=len
        )


def test_32_a_command_that_ended_before_its_kill_keeps_its_outcome() -> None:
    """Its worker slept while both happened and finds them together: the exit counts, the wish is noted."""
    with world(workers=1, seed=32) as w:
        w.save_job("job", **MINUTELY, duration_s=7)
        w.at(65, w.freeze, "worker-1", 4)
        w.at(66, w.kill_running, "job")
        w.run(seconds=100)

        assert ["succeeded"] == w.statuses("job")
        assert "somebody" == w.executions("job")[0]["kill_requested"]
        assert [] == broken_invariants(w)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param(59.6, "killed: before_start", id="31: before the start"),
        pytest.param(65, "killed: requested", id="while it runs"),
    ],
)
def test_31_a_kill(at: float, expected: str) -> None:
    """It hits the execution it names, at any time of its life, and not the next one."""
    with world(workers=2, seed=31) as w:
        w.save_job("job", **MINUTELY, duration_s=20)
        w.at(at, w.kill_running, "job")
        w.run(seconds=150)

        assert [expected, "succeeded"] == w.statuses("job")
        assert "somebody" == w.executions("job")[0]["kill_requested"]


def test_33_a_kill_of_an_unreachable_worker_ends_by_itself() -> None:
    """The request lives 120 s and never hits a later run."""
    with world(workers=1, seed=33) as w:
        w.save_job("job", **MINUTELY, duration_s=10)
        w.at(60.5, w.partition, "worker-1", 200)
        w.at(65, w.kill_running, "job")
        w.run(seconds=400)

        assert [] == w.store.keys(KEYS.kills)
        assert "succeeded" == w.statuses("job")[-1]
        assert [] == broken_invariants(w)


@pytest.mark.parametrize(
    ("settings", "fields", "reason"),
    [
        pytest.param(
            Settings(), {"target": {"labels": {"zone": "x"}}}, "missed: no_worker", id="34: no worker"
        ),
        pytest.param(Settings(slots=1), {}, "missed: no_slot", id="35: no slot"),
    ],
)
def test_34_and_35_nobody_can_run_it(settings: Settings, fields: dict[str, Any], reason: str) -> None:
    """The master accounts for the tick with the reason."""
    with world(workers=1, seed=34, settings=settings) as w:
        w.save_job("hog", schedule="50 * * * * *", duration_s=150, overlap="skip")
        w.save_job("job", **MINUTELY, catch_up="none", start_deadline_s=10, **fields)
        w.run(seconds=170)

        assert [reason, reason] == [text for _, _, text in w.ledger("job")][:2]
        assert [] == w.starts("job")


def test_36_the_real_result_replaces_lost() -> None:
    """The owner was only cut off: what it says with the same fence wins, and both are kept."""
    with world(workers=2, seed=36) as w:
        w.save_job("job", **MINUTELY, duration_s=40, overlap="allow")
        w.run(seconds=65)
        w.partition(next(node.name for node in w.nodes.values() if node.machine.processes), 70)
        w.run(seconds=200)
        first = w.executions("job")[0]

        assert "succeeded" == first["status"]
        assert ["running", "lost", "succeeded"] == [entry["status"] for entry in first["history"]]


def test_37_an_unreadable_job_stops_itself_alone() -> None:
    """All others go on; a repaired one comes back."""
    with world(workers=2, seed=37) as w:
        w.save_job("good", every_s=10)
        w.save_job("bad", every_s=10)
        w.at(35, w.put_garbage, "bad")
        w.run(minutes=2)

        assert 11 == len(w.starts("good"))
        assert [10, 20, 30] == rounded(w.starts("bad"))


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(lambda w: w.store.compact(), id="compaction"),
        pytest.param(lambda w: w.store.restart(), id="restart"),
        pytest.param(lambda w: w.etcd_without_leader(2), id="leader change"),
    ],
)
def test_a_store_that_hiccups_costs_no_tick(fault: Callable[[World], None]) -> None:
    """Ten times in a row, while jobs run every five seconds."""
    with world(workers=3, seed=40) as w:
        w.save_job("job", every_s=5)
        for number in range(10):
            w.at(22 + 10 * number, fault, w)
        w.run(minutes=3)

        assert [] == broken_invariants(w)
        assert 35 <= len(w.starts("job"))


def test_a_stop_in_order_loses_nothing() -> None:
    """C3: a worker that is told to stop finishes what runs and misses no tick."""
    with world(workers=2, seed=41) as w:
        w.save_job("job", every_s=10, duration_s=5)
        w.at(42, w.stop, "worker-1")
        w.at(80, w.start, "worker-1")
        w.at(112, w.stop, "worker-2")
        w.run(minutes=3)

        assert {"succeeded"} == set(w.statuses("job"))
        assert 17 <= len(w.starts("job"))
        assert [] == broken_invariants(w)


@pytest.mark.slow
def test_etcd_holds_nothing_that_grows() -> None:
    """Six hours of a job each minute leave as many keys as six minutes."""
    with world(workers=1, seed=42) as w:
        w.save_job("job", **MINUTELY)
        w.run(minutes=6)
        before = len(w.store.keys())
        w.run(minutes=360)

        assert before == len(w.store.keys())
        assert 3 >= len(w.store.lease_ids)
        assert 365 <= len(w.starts("job"))
