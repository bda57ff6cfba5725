"""How late do jobs start when a thousand are due at the same second?

One worker, one slot per job, all jobs on one second some way ahead. Each command writes down when it really
began. Peers are measured with the same program (see `peers`).
"""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from bench.figures import Figure, Goal
from bench.jobs import make_jobs, save_jobs
from bench.program import Form, run
from bench.rig import installation
from bench.stamps import Punctuality, judge, read_stamps, stamping_command
from bench.usage import Cpu, sleep_until

_JOBS = 1000
_AHEAD_S = 15
_SETTLE_LIMIT_S = 45.0


def measure(form: Form) -> Sequence[Figure]:
    rounds = form.pick(full=5, short=1)
    outcomes: Counter[str] = Counter()
    results = [_one_burst(outcomes) for _ in range(rounds)]
    # The median round: one disturbed by something else on the machine does not decide.
    late, cpu_s = sorted(results, key=lambda result: result[0].p99_s)[len(results) // 2]
    return [
        Figure("p50_s", "lateness p50", late.p50_s, "s"),
        Figure("p99_s", "lateness p99", late.p99_s, "s", Goal("at most", 0.67)),
        Figure("max_s", "lateness max", late.max_s, "s", Goal("at most", 0.9)),
        Figure("worst_round_p99_s", "p99 of the worst round", max(late.p99_s for late, _ in results), "s"),
        Figure(
            "missed", "missed, all rounds", sum(late.missed for late, _ in results), "", Goal("at most", 0)
        ),
        Figure("twice", "started twice", sum(late.twice for late, _ in results), "", Goal("at most", 0)),
        Figure("early", "started early", sum(late.early for late, _ in results), "", Goal("at most", 0)),
        Figure("outcomes", "recorded", ", ".join(f"{n} {words}" for words, n in outcomes.most_common())),
        Figure("worker_cpu_ms", "worker CPU per execution", cpu_s / _JOBS * 1000, "ms"),
        Figure("jobs", "jobs due at one second", _JOBS),
        Figure("rounds", "rounds, each on new servers", rounds),
    ]


def _one_burst(outcomes: Counter[str]) -> tuple[Punctuality, float]:
    """Lateness of one burst, and the CPU seconds the worker spent on it; counts *outcomes*."""
    with installation() as rig:
        marker = rig.directory / "stamps"
        argv = stamping_command(rig.directory, marker)
        worker = rig.start_worker(slots=_JOBS)
        rig.wait_planned(0)
        tick = int(time.time()) + _AHEAD_S
        jobs = make_jobs(
            _JOBS, schedule=_once_at(tick), executor="exec", argv=argv, overlap="skip", catch_up="none"
        )
        save_jobs(rig.etcd.endpoint, jobs)
        rig.wait_planned(_JOBS)
        sleep_until(tick - 2)
        before = Cpu.of(worker.pid)
        sleep_until(tick)
        rig.wait_finished(_JOBS, _SETTLE_LIMIT_S)
        used = Cpu.of(worker.pid).since(before)
        for document in rig.database["executions"].find({}, {"status": 1, "reason": 1}):
            outcomes[" ".join(filter(None, (document["status"], document.get("reason"))))] += 1
        return judge(read_stamps(marker), [f"{job.uid}.{tick}.1" for job in jobs]), used.own_s


def _once_at(tick: int) -> str:
    """A schedule whose next tick is *tick*, and the one after it a year away."""
    at = datetime.fromtimestamp(tick, UTC)
    return f"{at.second} {at.minute} {at.hour} {at.day} {at.month} *"


if __name__ == "__main__":
    run("burst", "How late do 1,000 jobs start that are due at the same second?", measure)
