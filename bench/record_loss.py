"""Is a record lost when MongoDB is killed under load, and how long until everything is there again?

The commands' own stamps are compared with the final documents: every start must have one. Lateness during the
outage shows that nothing waited for MongoDB.
"""

import time
from collections.abc import Sequence

from bench.figures import Figure, Goal, spread
from bench.jobs import make_jobs, remove_jobs, save_jobs
from bench.program import Form, run
from bench.rig import Rig, installation, poll
from bench.stamps import NS_PER_S, Stamp, read_stamps, stamping_command
from bench.usage import DirectoryPeak

_LOAD_S = 10
_DRAIN_LIMIT_S = 300.0


def measure(form: Form) -> Sequence[Figure]:
    away_s = form.pick(full=120, short=10)
    per_s = form.pick(full=100, short=30)
    with installation() as rig:
        marker = rig.directory / "stamps"
        argv = stamping_command(rig.directory, marker)
        worker = rig.start_worker(slots=2 * per_s)
        rig.wait_planned(0)
        # Output too: it takes the other lane of the spool.
        jobs = make_jobs(per_s, schedule="* * * * * *", command=f"{' '.join(argv)}; echo done")
        save_jobs(rig.etcd.endpoint, jobs)
        rig.wait_finished(3 * per_s)
        with DirectoryPeak(str(worker.directory / "state" / "spool")) as spool:
            time.sleep(_LOAD_S)
            killed_ns = time.time_ns()
            rig.mongo.kill()
            time.sleep(away_s)
            rig.mongo.start()
            back_ns = time.time_ns()
            # Drained while the load goes on: what ran in the outage is there.
            drain_s = poll(
                lambda: not _without_record(rig, marker_stamps(rig), back_ns), limit_s=_DRAIN_LIMIT_S
            )
        remove_jobs(rig.etcd.endpoint, jobs)
        poll(lambda: _is_still(rig), limit_s=60, every_s=1.5)
        stamps = read_stamps(marker)
        lost = _without_record(rig, stamps, time.time_ns())
        phantom = _without_stamp(rig, stamps)
    before = spread([stamp.lateness_s for stamp in stamps if stamp.due_ns < killed_ns - NS_PER_S])
    during = spread([stamp.lateness_s for stamp in stamps if killed_ns <= stamp.due_ns < back_ns])
    return [
        Figure("lost", "starts without a final record", lost, "", Goal("at most", 0)),
        Figure("phantom", "final records without a start", phantom, "", Goal("at most", 0)),
        Figure("started", "starts", len(stamps)),
        Figure("drain_s", "until all of the outage was stored", drain_s, "s"),
        Figure("spool_peak_kb", "spool at most", spool.bytes / 1024, "KB"),
        Figure("before_p99_s", "lateness p99 before", before.p99, "s"),
        Figure("during_p99_s", "lateness p99 while MongoDB was away", during.p99, "s"),
        Figure("during_starts", "starts in that time", during.count),
        Figure("away_s", "MongoDB away for", (back_ns - killed_ns) / NS_PER_S, "s"),
    ]


def marker_stamps(rig: Rig) -> list[Stamp]:
    """What has started so far."""
    return read_stamps(rig.directory / "stamps")


def _without_record(rig: Rig, stamps: Sequence[Stamp], before_ns: int) -> int:
    """Starts before an instant that have no final document."""
    started = {stamp.execution for stamp in stamps if stamp.started_ns < before_ns}
    return len(started - _final(rig))


def _without_stamp(rig: Rig, stamps: Sequence[Stamp]) -> int:
    return len(_final(rig) - {stamp.execution for stamp in stamps})


def _final(rig: Rig) -> set[str]:
    documents = rig.database["executions"].find({"finished_at": {"$type": "date"}}, {"_id": 1})
    return {str(document["_id"]) for document in documents}


def _is_still(rig: Rig) -> bool:
    """Nothing started within a second, and MongoDB has as many final documents as a second ago."""
    started, stored = len(marker_stamps(rig)), rig.finished()
    time.sleep(1)
    return (started, stored) == (len(marker_stamps(rig)), rig.finished())


if __name__ == "__main__":
    run("record_loss", "Is a record lost when MongoDB is killed under load?", measure)
