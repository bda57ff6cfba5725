"""What does it cost to plan 10,000 due ticks?

In this process, without etcd or commands: each job is taken out of the plan, decided upon, its next tick
computed, and put back. Loading is told from planning, because it also parses the texts.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bench.figures import Figure, Goal
from bench.jobs import KEYS, make_jobs
from bench.program import Form, run
from common.domain.codec import encode_job
from common.domain.ids import epoch_s
from common.domain.job import JobSpec
from common.domain.schedule import forget_schedules
from common.domain.timing import timing_of
from worker.domain.due import decide_due
from worker.domain.plan import Plan, PlannedJob

_JOBS = 10_000
_ROUNDS = 5


def measure(form: Form) -> Sequence[Figure]:
    del form  # short enough as it is
    figures = []
    for key, words, schedules in (
        ("same", "the same text for all", ["*/5 * * * *"]),
        ("distinct", "3,600 distinct texts", [f"{n % 60} {n // 60} * * * *" for n in range(3600)]),
    ):
        load_s, plan_s = _cost(schedules)
        figures += [
            Figure(f"load_{key}_s", f"put 10,000 jobs into the plan, {words}", load_s, "s CPU"),
            Figure(f"plan_{key}_s", f"plan 10,000 due ticks, {words}", plan_s, "s CPU", Goal("at most", 1.0)),
        ]
    return figures


def _cost(schedules: Sequence[str]) -> tuple[float, float]:
    """CPU seconds to fill a plan, and to plan one due tick of each of its jobs."""
    forget_schedules()
    specs = {
        spec.uid: spec
        for number, text in enumerate(schedules)
        for spec in make_jobs(
            len(range(number, _JOBS, len(schedules))), prefix=f"s{number:04d}", schedule=text, command="true"
        )
    }
    began_s = time.process_time()
    plan = Plan()
    for spec in specs.values():
        _put(plan, _planned(spec))
    load_s = time.process_time() - began_s
    began_s = time.process_time()
    for _ in range(_ROUNDS):
        _plan_one_tick_each(plan, specs)
    return load_s, (time.process_time() - began_s) / _ROUNDS


def _planned(spec: JobSpec) -> PlannedJob:
    timing = timing_of(spec)
    assert timing is not None
    return PlannedJob(
        uid=spec.uid,
        key=KEYS.job(spec.namespace, spec.name),
        value=encode_job(spec),
        revision=1,
        timing=timing,
        cursor=epoch_s(spec.changed_at),
    )


def _put(plan: Plan, job: PlannedJob) -> None:
    job.tick = job.timing.next_tick(job.timing.base(job.cursor))
    plan.put(job, job.tick)


def _plan_one_tick_each(plan: Plan, specs: dict[str, JobSpec]) -> None:
    planned = 0
    while planned < _JOBS:
        wakeup = plan.next_wakeup()
        assert wakeup is not None
        now = datetime.fromtimestamp(wakeup, UTC) + timedelta(milliseconds=1)
        for job in plan.pop_due(now.timestamp()):
            due = decide_due(job, specs[job.uid], now, hindrance=None, started=0)
            assert due.tick is not None
            job.cursor = due.tick
            _put(plan, job)
            planned += 1


if __name__ == "__main__":
    run("plan_cost", "What does it cost to plan 10,000 due ticks?", measure)
