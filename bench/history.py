"""How long does the master take to answer from a million executions?

Lists with the filters of the page, deep pages, and everything a job's page asks for, one request after the
other on one connection.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx2

from bench.asking import answer_figures, ask, walk
from bench.figures import Figure, Spread, spread
from bench.history_documents import WORKERS, insert_history
from bench.jobs import make_jobs, save_jobs
from bench.program import Form, run
from bench.rig import installation

_JOBS = 1_000
_LIST_GOAL_MS = 50
_PAGE_GOAL_MS = 100


def measure(form: Form) -> Sequence[Figure]:
    count = form.pick(full=1_000_000, short=100_000)
    times = form.pick(full=200, short=40)
    jobs = make_jobs(_JOBS, schedule="0 0 1 1 *", command="true")
    with installation() as rig:
        save_jobs(rig.etcd.endpoint, jobs)
        insert_history(rig.database, jobs, count)
        master = rig.start_master()
        with master.client() as client:
            figures = [*_lists(client, jobs[7].name, times), *_job_page(client, jobs[7].name, times)]
    return [*figures, Figure("executions", "executions stored", count), Figure("jobs", "jobs", _JOBS)]


def _lists(client: httpx2.Client, job: str, times: int) -> list[Figure]:
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    questions: list[tuple[str, str, dict[str, str | int]]] = [
        ("all", "list, no filter", {}),
        ("job", "list of a job", {"job": job}),
        ("job_failed", "failed of a job", {"job": job, "status": "failed"}),
        ("failed", "failed of all", {"status": "failed"}),
        ("worker", "of a worker", {"worker": WORKERS[2]}),
        ("hour", "of the last hour", {"from": hour_ago}),
        ("lost", "lost ones, of which there are none", {"status": "lost"}),
        ("finished", "by end", {"order_by": "-finished_at"}),
    ]
    figures: list[Figure] = []
    for key, words, params in questions:
        took = ask(client, "/log/list", {"page_size": 50, **params}, times)
        figures += answer_figures(f"list_{key}", words, took, _LIST_GOAL_MS)
    deep = walk(client, "/log/list", {"page_size": 50}, times)
    return figures + answer_figures("list_deep", f"page after page, {times} of 50", deep, _LIST_GOAL_MS)


def _job_page(client: httpx2.Client, job: str, times: int) -> list[Figure]:
    """The requests of a job's page, one after the other, as one figure and each alone."""
    parts: dict[str, Spread] = {
        "job": ask(client, f"/job/{job}", {}, times),
        "executions": ask(client, "/log/list", {"job": job, "page_size": 50}, times),
        "statistics": ask(client, f"/log/stats/{job}", {}, times),
        "ledger": ask(client, f"/job/{job}/ledger", {"page_size": 50}, times),
    }
    figures = [Figure(f"page_{key}_p95_ms", f"its {key}: p95", took.p95, "ms") for key, took in parts.items()]
    total = spread([sum(took.p50 for took in parts.values()), sum(took.p95 for took in parts.values())])
    return [
        *answer_figures("page", "a job's page, all requests in a row", total, _PAGE_GOAL_MS)[1:],
        *figures,
    ]


if __name__ == "__main__":
    run("history", "How long does the master take to answer from many executions?", measure)
