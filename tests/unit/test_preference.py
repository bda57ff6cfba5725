"""The order in which workers try a job."""

from collections import Counter

from common.domain.preference import PLANNING_RANKS, rank_of, ranked

WORKERS = [f"worker-{number}" for number in range(1, 11)]
UIDS = [f"job{number:05d}" for number in range(2000)]


def test_order_does_not_depend_on_the_order_of_the_list():
    """Two workers that see the roster in different orders agree."""
    assert ranked("job00001", WORKERS) == ranked("job00001", reversed(WORKERS))


def test_jobs_spread_evenly():
    """Each of ten workers goes first for a tenth of the jobs, give or take a quarter."""
    first = Counter(ranked(uid, WORKERS)[0] for uid in UIDS)

    assert set(WORKERS) == set(first)
    assert all(150 <= count <= 250 for count in first.values()), first


def test_a_leaving_worker_moves_only_its_own_jobs():
    """The order of the others stays as it was."""
    gone = "worker-4"
    rest = [worker for worker in WORKERS if worker != gone]

    for uid in UIDS[:200]:
        assert [worker for worker in ranked(uid, WORKERS) if worker != gone] == ranked(uid, rest)


def test_rank_of_agrees_with_the_order_and_ends_after_three():
    """Ranks 0 to 2 plan a job, the others do not."""
    order = ranked("job00001", WORKERS)

    expected = [0, 1, 2] + [None] * (len(WORKERS) - PLANNING_RANKS)
    assert expected == [rank_of("job00001", worker, WORKERS) for worker in order]
