"""Runs every program here one after the other: `python -m bench [--short]`.

One that fails does not keep the others from running; then the exit code is 1. `peers` is left out, because it
installs something.
"""

import subprocess
import sys
from typing import Final

PROGRAMS: Final = (
    "plan_cost",
    "throughput",
    "burst",
    "steady",
    "etcd_writes",
    "load_jobs",
    "failover",
    "history",
    "job_list",
    "events",
    "output_memory",
    "record_loss",
)


def main() -> int:
    """Run them all; return the exit code."""
    failed = []
    for name in PROGRAMS:
        print(f"\n== {name}", flush=True)
        command = [sys.executable, "-m", f"bench.{name}", *sys.argv[1:]]
        if subprocess.run(command, check=False).returncode != 0:
            failed.append(name)
    if failed:
        print(f"\ncould not be measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
