"""How many writes to etcd does an execution cost, with 1, 5 and 20 workers?

Counted at the server: how far its revision moved, which is by one for every writing transaction. What
workers write without running anything (their health keys, when they come and go) is measured first, over the
same time.
"""

import time
from collections.abc import Sequence

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
    idle = _revisions_in(rig, seconds)
    argv = ("/bin/true",)
    jobs = make_jobs(_JOBS, schedule="* * * * * *", executor="exec", argv=argv, overlap="skip")
    save_jobs(rig.etcd.endpoint, jobs)
    rig.wait_finished(3 * _JOBS)
    # From the middle of a second to the middle of another: claims and finishes lie together in between.
    sleep_until(int(time.time()) + 1.5)
    before = revision(rig.etcd.endpoint)
    sleep_until(int(time.time()) + seconds + 0.5)
    after = revision(rig.etcd.endpoint)
    # Three more seconds of ticks: by then the records of those counted have left every worker's batch.
    rig.wait_finished(rig.finished() + 3 * _JOBS)
    # The fence of an execution is the revision of its claim, so it tells exactly who belongs in between.
    claimed = rig.database["executions"].count_documents({"fence": {"$gt": before, "$lte": after}})
    per_execution = (after - before - idle) / max(1, claimed)
    return [
        Figure(
            f"writes_{workers}",
            f"writes per execution, {workers} workers",
            per_execution,
            "",
            Goal("at most", 2.0),
        ),
        Figure(f"executions_{workers}", "executions counted", claimed),
        Figure(f"idle_writes_{workers}", "writes of idle workers in the same time", idle),
    ]


def _revisions_in(rig: Rig, seconds: int) -> int:
    before = revision(rig.etcd.endpoint)
    time.sleep(seconds)
    return revision(rig.etcd.endpoint) - before


if __name__ == "__main__":
    run("etcd_writes", "How many writes to etcd does an execution cost?", measure)
