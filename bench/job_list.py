"""How long does the master take to list jobs when there are 10,000?

Every filter of the page, with some history behind the jobs so that the status filters have something to find.
"""

from collections.abc import Sequence

import httpx2

from bench.asking import answer_figures, ask, walk
from bench.figures import Figure
from bench.history_documents import insert_history
from bench.jobs import make_jobs, save_jobs
from bench.program import Form, run
from bench.rig import installation
from tests import servers

_JOBS = 10_000
_GOAL_MS = 50
_QUESTIONS: tuple[tuple[str, str, dict[str, str | int]], ...] = (
    ("all", "no filter", {}),
    ("words", "words in the name", {"q": "bench-0042"}),
    ("nothing", "words nobody has", {"q": "zebra"}),
    ("namespace", "one namespace", {"namespace": "default"}),
    ("label", "a label", {"label": "team=three"}),
    ("disabled", "disabled ones", {"enabled": "false"}),
    ("failed", "those that failed last", {"status": "failed"}),
    ("never_run", "those that never ran", {"status": "never_run"}),
    ("next_tick", "by next tick", {"order_by": "next_tick"}),
    ("last_run", "by last run", {"order_by": "-last_run"}),
    ("both", "words and status", {"q": "bench", "status": "succeeded", "order_by": "-last_run"}),
)


def measure(form: Form) -> Sequence[Figure]:
    times = form.pick(full=200, short=40)
    teams = ("one", "two", "three", "four")
    jobs = [
        job.model_copy(
            update={
                "labels": {"team": teams[n % 4]},
                "enabled": n % 20 != 0,
                "schedule": f"{n % 60} {n % 24} * * *",
            }
        )
        for n, job in enumerate(make_jobs(_JOBS, schedule="@daily", command="true"))
    ]
    figures: list[Figure] = []
    with installation() as rig:
        save_jobs(rig.etcd.endpoint, jobs)
        insert_history(rig.database, jobs[: _JOBS // 2], form.pick(full=100_000, short=10_000))
        master = rig.start_master()
        with master.client() as client:
            servers.wait_until(lambda: _total(client) == _JOBS, f"a list of {_JOBS} jobs")
            for key, words, params in _QUESTIONS:
                took = ask(client, "/job/list", {"page_size": 50, **params}, times)
                figures += answer_figures(key, words, took, _GOAL_MS)
            deep = walk(client, "/job/list", {"page_size": 50}, times)
            figures += answer_figures("deep", f"page after page, {times} of 50", deep, _GOAL_MS)
    return [*figures, Figure("jobs", "jobs", _JOBS)]


def _total(client: httpx2.Client) -> int:
    body = client.get("/job/list", params={"page_size": 1}).raise_for_status().json()
    return int(body["total"]["count"])


if __name__ == "__main__":
    run("job_list", "How long does the master take to list 10,000 jobs?", measure)
