"""How large each fault is made, and what is kept of it.

`EVERYTICK_FAULTS=full` (`make faults`) runs every scenario at the length its claim is made for, and keeps the
figures; otherwise the same scenarios run in seconds, as part of all tests.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from bench.program import machine, versions
from tests.faults.checker import report_json
from tests.faults.judging import Verdict

RESULTS: Final = Path(__file__).parents[2] / "bench" / "results" / "faults.json"

T = TypeVar("T", int, float)


def is_full() -> bool:
    return os.environ.get("EVERYTICK_FAULTS") == "full"


def pick(*, full: T, short: T) -> T:
    """The size of something in this form."""
    return full if is_full() else short


def figures_of(verdict: Verdict) -> dict[str, Any]:
    """What the checker found, without what it did not find."""
    report = report_json(verdict)
    return {
        "ticks": {kind: count for kind, count in report["counts"].items() if count},
        "not_started": report["reasons"],
        "lateness_ms": report["lateness_ms"],
        "violations": report["violations_total"],
    }


def keep(scenario: str, figures: dict[str, Any]) -> None:
    """Print *figures* as one JSON line; in the full form also keep them among the results."""
    print(json.dumps({"scenario": scenario, "form": "full" if is_full() else "short"} | figures), flush=True)
    if not is_full():
        return
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    document = {
        "bench": "faults",
        "command": "make faults",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "scenarios": kept.get("scenarios", {}) | {scenario: figures},
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(document, indent=2) + "\n")
