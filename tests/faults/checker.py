"""The checker: was every tick accounted for?

Reads marker files, job definitions and, if given, exported records, and prints what became of every tick:

    python -m tests.faults.checker --jobs jobs.json --marks 'marks/*' --since 2026-01-01T00:00:00Z --until ...

Exit code 0: nothing violated; 1: something was; 2: the evidence cannot be read. It knows nothing of the
scheduler but its job format and its schedules, so it may judge another one by the same rules.
"""

import argparse
import glob
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.faults.evidence import Evidence, Frozen, read_documents, read_marks, read_versions
from tests.faults.judging import Kind, Rules, Verdict, judge


def report_json(verdict: Verdict, *, shown: int = 100) -> dict[str, Any]:
    """Figures of *verdict*, and the first *shown* violations in words."""
    return {
        "counts": {kind.value: verdict.counts[kind] for kind in Kind},
        "reasons": dict(sorted(verdict.reasons.items())),
        "lateness_ms": {
            "p50": quantile(verdict.lateness_ms, 0.50),
            "p99": quantile(verdict.lateness_ms, 0.99),
            "max": max(verdict.lateness_ms, default=None),
        },
        "violations": [str(finding) for finding in verdict.violations[:shown]],
        "violations_total": len(verdict.violations),
    }


def report_table(verdict: Verdict, *, shown: int = 20) -> str:
    """The same for people."""
    figures = report_json(verdict, shown=shown)
    lines = [f"{kind:<16} {count:>8}" for kind, count in figures["counts"].items()]
    if figures["reasons"]:
        lines += ["", "not started, and why:"]
        lines += [f"  {reason:<32} {count:>8}" for reason, count in figures["reasons"].items()]
    late = figures["lateness_ms"]
    lines += ["", f"lateness in ms: p50 {late['p50']}, p99 {late['p99']}, max {late['max']}"]
    if figures["violations"]:
        lines += ["", f"{figures['violations_total']} violations:"]
        lines += [f"  {text}" for text in figures["violations"]]
    else:
        lines += ["", "no violation"]
    return "\n".join(lines)


def quantile(values: Sequence[int], share: float) -> int | None:
    """The smallest value that at least *share* of *values* do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        evidence = _evidence(options)
    except (OSError, ValueError, KeyError) as error:
        print(f"checker: {error}", file=sys.stderr)
        return 2
    rules = Rules(
        clock_bound_s=options.clock_bound, change_grace_s=options.change_grace, settle_s=options.settle
    )
    verdict = judge(evidence, rules)
    if options.json:
        print(json.dumps(report_json(verdict), indent=2))
    else:
        print(report_table(verdict))
    return 1 if verdict.violations else 0


def _evidence(options: argparse.Namespace) -> Evidence:
    marks = read_marks(Path(name) for name in sorted(glob.glob(options.marks)))
    executions = None
    if options.executions:
        executions = {str(document["_id"]): document for document in read_documents(options.executions)}
    return Evidence(
        versions=read_versions(options.jobs),
        marks=marks,
        executions=executions,
        ledger=read_documents(options.ledger) if options.ledger else (),
        since=options.since.timestamp(),
        until=options.until.timestamp(),
        frozen=[_frozen(text) for text in options.frozen],
        alive=frozenset(options.alive),
    )


def _frozen(text: str) -> Frozen:
    host, since, until = text.split(",")
    return Frozen(host, float(since), float(until))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="checker", description="Judge what became of every tick.")
    parser.add_argument("--jobs", type=Path, required=True, help="JSON list of stored job specs")
    parser.add_argument("--marks", required=True, help="marker files (a glob pattern)")
    parser.add_argument("--executions", type=Path, help="collection `executions` as JSON lines")
    parser.add_argument("--ledger", type=Path, help="collection `ledger` as JSON lines")
    parser.add_argument("--since", type=_instant, required=True, help="first instant to judge, ISO 8601")
    parser.add_argument("--until", type=_instant, required=True, help="end of the observation, ISO 8601")
    parser.add_argument("--clock-bound", type=float, default=0.0, help="allowed clock offset of a host, s")
    parser.add_argument("--change-grace", type=float, default=5.0, help="excuse for ticks before a change, s")
    parser.add_argument("--settle", type=float, default=60.0, help="time records had to be closed, s")
    parser.add_argument("--frozen", action="append", default=[], metavar="HOST,SINCE,UNTIL")
    parser.add_argument("--alive", action="append", default=[], metavar="EXECUTION")
    parser.add_argument("--json", action="store_true", help="figures as JSON instead of a table")
    return parser


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} needs a zone, such as a Z at its end")
    return instant


if __name__ == "__main__":
    sys.exit(main())
