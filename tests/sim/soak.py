"""Many random simulations in a row: `make soak` runs 5,000 and prints figures as JSON.

    python -m tests.sim.soak --seeds 5000 --processes 2

Exit code 1 when an invariant broke; the seeds and what they broke are in the figures.
"""

import argparse
import gc
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tests.faults.checker import quantile
from tests.sim.simulation import Outcome, simulate

_PROGRESS_EVERY = 100
_COLLECT_EVERY = 5


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    seeds = range(options.first, options.first + options.seeds)
    started_s = time.monotonic()
    if options.processes > 1:
        with multiprocessing.Pool(options.processes) as pool:
            outcomes = _followed(pool.imap_unordered(run, seeds, chunksize=5), options)
    else:
        outcomes = _followed(map(run, seeds), options)
    print(json.dumps(figures(outcomes, time.monotonic() - started_s), indent=2))
    return 1 if any(outcome.broken for outcome in outcomes) else 0


def run(seed: int) -> Outcome:
    """One simulation; an error of the simulation itself counts as a broken invariant, too."""
    # Collecting while a world is alive finds nothing and costs an eighth of the time.
    gc.disable()
    if seed % _COLLECT_EVERY == 0:
        gc.collect()
    try:
        return simulate(seed, lines=150)
    except Exception as error:  # one seed must not end a night's run
        notes = "\n".join(getattr(error, "__notes__", []))
        return Outcome(seed, [f"0 {type(error).__name__}: {error}"], "", trace=notes)


def figures(outcomes: Sequence[Outcome], duration_s: float) -> dict[str, Any]:
    """What a release publishes of its simulations."""
    counts: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    lateness_ms: list[int] = []
    for outcome in outcomes:
        counts += outcome.counts
        faults += outcome.faults
        lateness_ms += outcome.lateness_ms
    broken = {str(outcome.seed): outcome.broken[:5] for outcome in outcomes if outcome.broken}
    return {
        "seeds": len(outcomes),
        "first_seed": min((outcome.seed for outcome in outcomes), default=None),
        "duration_s": round(duration_s, 1),
        "seeds_broken": len(broken),
        "broken": dict(sorted(broken.items(), key=lambda item: int(item[0]))),
        "ticks": dict(counts),
        "faults": dict(sorted(faults.items())),
        "lateness_ms": {"p50": quantile(lateness_ms, 0.5), "p99": quantile(lateness_ms, 0.99)},
    }


def _followed(outcomes: Iterable[Outcome], options: argparse.Namespace) -> list[Outcome]:
    """Collect *outcomes* and say on stderr how it goes."""
    collected = []
    for outcome in outcomes:
        collected.append(outcome)
        if outcome.broken:
            print(f"seed {outcome.seed}: {outcome.broken[0]}", file=sys.stderr)
        if options.digests:
            print(f"{outcome.seed} {outcome.digest}", file=sys.stderr)
        elif len(collected) % _PROGRESS_EVERY == 0:
            print(f"{len(collected)} of {options.seeds}", file=sys.stderr)
    return collected


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="soak", description="Run many random simulations.")
    parser.add_argument("--seeds", type=int, default=5000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--digests", action="store_true", help="print the digest of every trace on stderr")
    return parser


if __name__ == "__main__":
    sys.exit(main())
