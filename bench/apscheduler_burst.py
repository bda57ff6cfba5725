"""A burst in APScheduler, for `peers`: run by an interpreter that has it, not by ours.

In process, 32 threads, nothing coordinated and nothing recorded. Arguments: tick, number of jobs, command.
"""

import subprocess
import sys
import time
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-not-found]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-not-found]

_THREADS = 32


def main(tick: int, jobs: int, argv: list[str]) -> None:
    scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(_THREADS)}, timezone=UTC)
    for number in range(jobs):
        scheduler.add_job(
            subprocess.run,
            "date",
            run_date=datetime.fromtimestamp(tick, UTC),
            args=[argv],
            kwargs={"env": {"CRON_EXECUTION": f"peer{number:06d}.{tick}.1"}},
            misfire_grace_time=3600,
        )
    scheduler.start()
    # All are submitted within a second of the tick; shutdown then waits for those that still run.
    time.sleep(tick + 5 - time.time())
    scheduler.shutdown(wait=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
