"""Stories of ticks, clocks, leases and etcd: situations 2 to 24, as far as they need a cluster."""

from typing import Any, Final

import pytest

from common.domain.job import RetryPolicy
from common.domain.records import LedgerRow
from tests.sim.invariants import broken_invariants
from tests.sim.machine import Behaviour
from tests.sim.world import World, world

MINUTELY: Final[dict[str, Any]] = {"schedule": "* * * * *"}


def rounded(starts: list[float]) -> list[int]:
    return [round(start) for start in starts]


def owner(w: World, name: str) -> str:
    """The worker that ran the job last."""
    return str(w.executions(name)[-1]["worker"])


def test_02_a_tick_is_skipped_while_its_job_runs() -> None:
    """The ledger names the overlap, and nothing else is lost."""
    with world(workers=2, seed=2) as w:
        w.save_job("slow", **MINUTELY, duration_s=150, overlap="skip")
        w.run(minutes=7)

        assert [60, 240] == rounded(w.starts("slow"))[:2]
        assert [(120, 120, "skipped: overlap"), (180, 180, "skipped: overlap")] == w.ledger("slow")[:2]
        assert [] == broken_invariants(w)


def test_02_a_skip_that_could_not_be_decided_gives_way_to_the_run() -> None:
    """Seed 34: the row was durable, the cursor did not move, and the tick was caught up later."""
    with world(workers=1, seed=34) as w:
        w.save_job("slow", **MINUTELY, duration_s=70, overlap="skip", start_deadline_s=2)
        client, disk = w.store.client("worker-1"), w.nodes["worker-1"].disk

        def after_the_row(kind: str) -> bool:
            is_written = any(isinstance(record, LedgerRow) for record in disk.records) or w.ledger("slow")
            return kind == "txn" and bool(is_written) and w.loop.time() < 125

        client.lose_request = after_the_row
        w.run(seconds=124)
        before = w.ledger("slow")
        w.run(seconds=40)

        assert [(120, 120, "skipped: overlap")] == before
        assert [60, 120] == [execution["tick"] - w.beginning for execution in w.executions("slow")]
        assert [] == w.ledger("slow")
        assert [] == broken_invariants(w)


def test_03_the_first_blocked_tick_waits_the_others_are_skipped() -> None:
    """`queue_one`: it starts the moment the lock is free."""
    with world(workers=2, seed=3) as w:
        fields: dict[str, Any] = {"overlap": "queue_one", "catch_up_window_s": 600}
        w.save_job("slow", **MINUTELY, duration_s=200, **fields)
        w.run(seconds=300)

        assert [60, 260] == rounded(w.starts("slow"))
        assert "queued" == w.executions("slow")[-1]["cause"]
        assert 140_000 == pytest.approx(w.executions("slow")[-1]["queued_ms"], abs=3000)
        assert (180, 180, "skipped: overlap") in w.ledger("slow")


def test_03_a_queued_tick_does_not_start_after_its_window() -> None:
    """Seed 9: its worker slept, and started it 40 s late when it woke up."""
    with world(workers=1, seed=3) as w:
        w.save_job("slow", **MINUTELY, duration_s=70, overlap="queue_one", catch_up_window_s=15)
        w.at(122, w.partition, "worker-1", 40)
        w.run(seconds=170)

        assert 120 not in [execution["tick"] - w.beginning for execution in w.executions("slow")]
        assert (120, 120, "skipped: overlap") in w.ledger("slow")


def test_03_a_queued_tick_survives_the_late_answer_to_the_one_before() -> None:
    """Seed 891: both have the same key, and the answer to the first claim made the desk forget the second."""
    with world(workers=1, seed=891) as w:
        w.save_job("slow", every_s=5, duration_s=7, overlap="queue_one", catch_up_window_s=20)
        client = w.store.client("worker-1")
        w.at(20, setattr, client, "lose_answer", lambda _kind: w.chance.random() < 0.6)
        w.at(110, setattr, client, "lose_answer", lambda _kind: False)
        w.run(seconds=190)

        assert [] == broken_invariants(w)
        assert 180 < w.starts("slow")[-1]


@pytest.mark.parametrize("seed", [130, 133])
def test_03_a_queued_tick_survives_the_drop_of_the_one_before(seed: int) -> None:
    """It was queued while the answer to that drop travelled; the desk forgot it, and it blocked the queue."""
    with world(workers=1, seed=seed) as w:
        w.save_job(
            "slow", every_s=5, duration_s=150, overlap="queue_one", catch_up_window_s=0, start_deadline_s=5
        )
        w.store.client("worker-1").delay_s = lambda: w.chance.uniform(0.0005, 0.1)
        w.run(seconds=250)

        assert [] == broken_invariants(w)


def test_04_the_next_tick_replaces_the_running_one() -> None:
    """Even if the command ignores TERM: KILL after the grace, and only then the next one."""
    with world(workers=3, seed=4) as w:
        stubborn = Behaviour(duration_s=500, is_deaf=True)
        w.save_job("stubborn", **MINUTELY, behaviour=stubborn, overlap="replace", kill_grace_s=5)
        w.run(seconds=200)

        assert ["killed: replaced", "killed: replaced"] == w.statuses("stubborn")[:2]
        assert [60, 125, 185] == rounded(w.starts("stubborn"))
        assert [] == w.overlaps("stubborn")


@pytest.mark.parametrize(
    ("catch_up", "caught_up", "missed"),
    [
        pytest.param("none", [], [120, 180, 240], id="5: none"),
        pytest.param("last", [240], [120, 180], id="6: last"),
        pytest.param("all", [120, 180, 240], [], id="7: all"),
    ],
)
def test_05_to_07_after_an_outage_of_all_workers(
    catch_up: str, caught_up: list[int], missed: list[int]
) -> None:
    """Down from 90 s to 285 s: three ticks are late by then."""
    with world(workers=2, seed=5) as w:
        w.save_job("job", **MINUTELY, catch_up=catch_up, catch_up_window_s=600)
        for name in w.nodes:
            w.at(90, w.crash, name)
            w.at(285, w.start, name)
        w.run(seconds=420)
        ran = [execution["tick"] - w.beginning for execution in w.executions("job")]

        assert [60, *caught_up, 300, 360] == ran[: len(caught_up) + 3]
        assert missed == [
            tick for tick in range(60, 300, 60) if w.ledger_row(w.uid("job"), w.beginning + tick)
        ]


def test_13_a_clock_that_is_set_ahead_starts_nothing_early() -> None:
    """Seed 3: an hour of ticks that had not come yet was caught up."""
    with world(workers=3, seed=13) as w:
        w.save_job("job", every_s=10, catch_up="all", catch_up_window_s=3600)
        w.run(seconds=55)
        w.step_clock(owner(w, "job"), 3600)
        w.run(minutes=4)

        assert [] == [text for text in broken_invariants(w) if not text.startswith("9 late")]
        assert 28 <= len(w.starts("job"))


def test_15_a_clock_that_is_set_back_runs_nothing_again() -> None:
    """The cursor refuses what was decided."""
    with world(workers=1, seed=15) as w:
        w.save_job("job", every_s=10)
        w.at(55, w.step_clock, "worker-1", -120)
        w.at(100, w.step_clock, "worker-1", 120)
        w.run(minutes=4)
        ids = [execution["_id"] for execution in w.executions("job")]

        assert len(set(ids)) == len(w.starts("job"))
        assert [] == broken_invariants(w)


def test_16_clocks_within_bounds_change_nothing() -> None:
    """-1.5 s, 0 and +1.5 s: every tick runs once, and on time by somebody's clock."""
    with world(workers=3, seed=16) as w:
        for node, offset_s in zip(w.nodes.values(), (-1.5, 0.0, 1.5), strict=True):
            node.machine.clock.step(offset_s)
        for number in range(5):
            w.save_job(f"job{number}", schedule="* * * * * *", start_deadline_s=10)
        w.run(minutes=1)

        assert all(len(w.starts(f"job{number}")) >= 57 for number in range(5))
        assert [] == broken_invariants(w)


def test_18_a_worker_that_dies_before_the_start_loses_the_tick() -> None:
    """Not restarted, unless the job retries lost executions."""
    with world(workers=2, seed=18) as w:
        retried = RetryPolicy(max_attempts=2, delay_s=1, on=("lost",))
        w.save_job("plain", **MINUTELY)
        w.save_job("retried", **MINUTELY, retry=retried)
        for name in w.nodes:
            w.at(59.7, w.crash, name)
            w.at(62, w.start, name)
        w.run(seconds=110)

        assert ["lost: before_start"] == w.statuses("plain")
        assert ["lost: before_start", "succeeded"] == w.statuses("retried")


def test_20_a_host_that_dies_is_closed_and_others_go_on() -> None:
    """The lock is free at the end of the lease; the next tick runs elsewhere."""
    with world(workers=2, seed=20) as w:
        w.save_job("job", **MINUTELY, duration_s=30)
        w.run(seconds=70)
        dead = next(node.name for node in w.nodes.values() if node.machine.processes)
        w.crash(dead)
        w.run(seconds=120)

        assert ["lost: worker_gone", "succeeded"] == w.statuses("job")[:2]
        assert dead != owner(w, "job")
        assert [] == broken_invariants(w)


def test_21_a_frozen_worker_is_fenced_off() -> None:
    """It kills what it ran when it wakes up; its late word does not undo what history says."""
    with world(workers=2, seed=21) as w:
        w.save_job("job", **MINUTELY, duration_s=300, overlap="skip")
        w.run(seconds=70)
        w.freeze(next(node.name for node in w.nodes.values() if node.machine.processes), 80)
        w.run(seconds=300)

        assert "lost: fenced" == w.statuses("job")[0]
        assert [] == broken_invariants(w)


@pytest.mark.parametrize(
    "overlap",
    [pytest.param("skip", id="exclusive: seed 106"), pytest.param("allow", id="parallel: seed 377")],
)
def test_21_a_claim_that_slept_through_its_lease_does_not_start(overlap: str) -> None:
    """Frozen between claim and tick, it started 29 s late, and once beside its own next attempt."""
    with world(workers=2, seed=22) as w:
        w.save_job("job", **MINUTELY, overlap=overlap)
        w.at(59.6, lambda: [w.freeze(name, 40) for name in w.nodes])
        w.run(seconds=115)

        assert [] == w.starts("job")
        assert "lost" == w.statuses("job")[0].split(":")[0]


def test_21_a_claim_that_slept_past_its_deadline_does_not_start() -> None:
    """The lease was renewed right before the freeze and outlived it; the tick was 6.5 s late."""
    with world(workers=1, seed=23) as w:
        w.save_job("job", schedule="4 * * * * *", catch_up="none", start_deadline_s=1)
        w.run(seconds=10)
        w.at(63.5, w.freeze, "worker-1", 7)
        w.run(seconds=90)

        assert [4] == rounded(w.starts("job"))
        assert "lost: before_start" == w.statuses("job")[-1]


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        pytest.param("skip", "lost: lease", id="exclusive"),
        pytest.param("allow", "succeeded", id="allow goes on"),
    ],
)
def test_22_a_cut_off_worker_stops_its_exclusive_commands(overlap: str, expected: str) -> None:
    """Before the lease can end, so that nobody else's execution overlaps."""
    with world(workers=2, seed=7) as w:
        w.save_job("slow", every_s=60, duration_s=100, overlap=overlap)
        w.run(seconds=90)
        w.partition(next(node.name for node in w.nodes.values() if node.machine.processes), 45)
        w.run(minutes=10)

        assert expected == w.statuses("slow")[0]
        assert [] == w.overlaps("slow")
        assert [] == broken_invariants(w)


def test_23_while_etcd_is_away_nothing_starts_and_all_is_accounted_for() -> None:
    """A minute without it; the ledger says coordination."""
    with world(workers=2, seed=23) as w:
        w.save_job("job", every_s=10, catch_up="none", start_deadline_s=5)
        w.at(55, w.etcd_away, 60)
        w.run(minutes=4)

        assert [] == [start for start in w.starts("job") if 61 < start < 115]
        assert {"missed: coordination"} == {reason for _, _, reason in w.ledger("job")}
        assert [] == broken_invariants(w)


def test_24_a_restored_etcd_stops_all_claims_until_an_operator_accepts() -> None:
    """Its cursors are old: ticks that ran would look undecided. What was accepted before does not count."""
    with world(workers=2, seed=24) as w:
        w.save_job("job", every_s=10)
        w.run(seconds=55)
        w.accept_store()
        w.store.cluster_id = 99
        w.run(seconds=60)
        before = len(w.starts("job"))
        w.run(seconds=60)
        stopped = len(w.starts("job"))
        w.accept_store()
        w.run(seconds=60)

        assert before == stopped
        assert stopped + 4 <= len(w.starts("job"))
