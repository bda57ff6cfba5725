"""How many writes to etcd does an execution cost, with 1, 5 and 20 workers?

Counted at the server, twice: how far its revision moved (by one for every writing transaction, each of which
is one entry in the log that is synced), and how many keys were put or deleted in those. What workers write
without running anything (their health keys) is measured first, over the same time, and subtracted.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from bench.figures import Figure, Goal
from bench.jobs import make_jobs, revision, save_jobs
from bench.program import Form, run
from bench.rig import Rig, installation
from bench.usage import sleep_until

_JOBS = 100


def measure(form: Form) -> Sequence[Figure]:
    seconds = form.pick(full=30, short=10)
    sizes = (1, 5) if form.is_short else (1, 5, 20)
    figures: list[Figure] = []
    for workers in sizes:
        with installation() as rig:
            figures += _count(rig, workers, seconds)
    return [
        *figures,
        Figure("jobs_per_s", "jobs due each second", _JOBS),
        Figure("seconds", "counted for", seconds),
    ]


def _count(rig: Rig, workers: int, seconds: int) -> list[Figure]:
    for number in range(workers):
        rig.start_worker(f"bench-{number:02d}", slots=_JOBS)
    rig.wait_planned(0)
    idle = _Written.by(rig)
    time.sleep(seconds)
    idle = _Written.by(rig).since(idle)
    save_jobs(
        rig.etcd.endpoint, make_jobs(_JOBS, schedule="* * * * * *", executor="exec", argv=("/bin/true",))
    )
    rig.wait_finished(3 * _JOBS)
    # From the middle of a second to the middle of another: claims and finishes lie together in between.
    sleep_until(int(time.time()) + 1.5)
    before = _Written.by(rig)
    sleep_until(int(time.time()) + seconds + 0.5)
    after = _Written.by(rig)
    # Three more seconds of ticks: by then the records of those counted have left every worker's batch.
    rig.wait_finished(rig.finished() + 3 * _JOBS)
    # The fence of an execution is the revision of its claim, so it tells exactly who belongs in between.
    fence = {"$gt": before.revisions, "$lte": after.revisions}
    claimed = max(1, rig.database["executions"].count_documents({"fence": fence}))
    used = after.since(before).since(idle)
    each = f"per execution, {workers} workers"
    return [
        Figure(f"writes_{workers}", f"writes {each}", used.revisions / claimed, "", Goal("at most", 2.0)),
        Figure(f"keys_{workers}", f"keys written {each}", used.keys / claimed),
        Figure(f"executions_{workers}", "executions counted", claimed),
        Figure(f"idle_writes_{workers}", "writes of idle workers in the same time", idle.revisions),
    ]


@dataclass(frozen=True, slots=True)
class _Written:
    """Where the server's counters stand, or how far they moved."""

    revisions: int
    keys: int

    @classmethod
    def by(cls, rig: Rig) -> Self:
        keys = rig.etcd_counters("etcd_mvcc_put_total", "etcd_mvcc_delete_total")
        return cls(revision(rig.etcd.endpoint), keys)

    def since(self, before: Self) -> Self:
        return type(self)(self.revisions - before.revisions, self.keys - before.keys)


if __name__ == "__main__":
    run("etcd_writes", "How many writes to etcd does an execution cost?", measure)
