"""What every program here has in common: its command line, its table, its JSON object.

The short form answers the same question with less load; its figures are for comparing one change with the
next on the same machine and are not published.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil

from bench.figures import Figure, table
from tests import servers

RESULTS: Final = Path(__file__).parent / "results"
_YARDSTICK_S: Final = 1.0
_LIBRARIES: Final = ("everytick", "grpcio", "pymongo", "croniter", "fastapi")


@dataclass(frozen=True, slots=True)
class Form:
    """How much is asked for."""

    is_short: bool

    def pick(self, *, full: int, short: int) -> int:
        """The size of something in this form."""
        return short if self.is_short else full


def run(name: str, question: str, measure: Callable[[Form], Sequence[Figure]]) -> None:
    """Measure, print a table and then one JSON object, and keep the object in `results/`."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{name}", description=question)
    parser.add_argument("--short", action="store_true", help="less load and time; not for publishing")
    # As Ctrl-C does: the servers that were started are stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(f"{name}: stopped"))
    form = Form(is_short=parser.parse_args().short)
    print(f"{question}\n", flush=True)
    ran_on = machine()
    figures = measure(form)
    print(f"{table(figures)}\n\nbare spawns on this machine just before: {ran_on['bare_spawns_per_s']} /s\n")
    document = {
        "bench": name,
        "question": question,
        "command": f"python -m bench.{name}{' --short' if form.is_short else ''}",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": ran_on,
        "versions": versions(),
        "figures": {figure.key: figure.document() for figure in figures},
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / (f"{name}.short.json" if form.is_short else f"{name}.json")
    path.write_text(json.dumps(document, indent=2) + "\n")
    print(json.dumps(document))


def machine() -> dict[str, Any]:
    """What it ran on, and how busy that was with other things right before the run."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "kernel": platform.release(),
        "load_1": round(os.getloadavg()[0], 2),
        "bare_spawns_per_s": round(bare_spawns_per_s()),
    }


def bare_spawns_per_s() -> float:
    """
    How many `/bin/true` a second this machine starts and ends just now, one after the other.

    The yardstick of a run: figures of two runs may be compared when it is about the same in both.
    """
    started_s = time.monotonic()
    count = 0
    while (took_s := time.monotonic() - started_s) < _YARDSTICK_S:
        os.waitpid(os.posix_spawn("/bin/true", ["/bin/true"], {}), 0)
        count += 1
    return count / took_s


def versions() -> dict[str, str]:
    """Everything whose release matters for a figure."""
    found = {"python": platform.python_version()}
    for library in _LIBRARIES:
        found[library] = importlib.metadata.version(library)
    found["etcd"] = servers.etcd_version(servers.find_etcd("3.5"))
    found["mongodb"] = _mongod_version()
    return found


def _mongod_version() -> str:
    answer = subprocess.run([servers.find_mongod(), "--version"], capture_output=True, text=True, check=True)
    return answer.stdout.splitlines()[0].removeprefix("db version v")
