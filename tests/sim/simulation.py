"""One random simulation from a seed: a cluster, jobs, a storm, a calm, and the verdict."""

import random
from collections import Counter
from dataclasses import dataclass, field, replace

from tests.faults.judging import Kind
from tests.sim.invariants import STORMY, broken_invariants
from tests.sim.node import Product, Settings
from tests.sim.weather import CALM_S, STORM_S, is_overloaded, make_jobs, make_storm
from tests.sim.world import World, world


@dataclass(slots=True)
class Outcome:
    """What came of one seed; `broken` is empty when everything held."""

    seed: int
    broken: list[str]
    digest: str
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    lateness_ms: list[int] = field(default_factory=list)
    trace: str = ""

    def explain(self) -> str:
        """For whoever has to find the bug."""
        listed = "\n".join(f"  {text}" for text in self.broken)
        return (
            f"seed {self.seed} broke {len(self.broken)} invariants:\n{listed}\n"
            f"replay: pytest tests/sim --seed {self.seed}\ntrace:\n{self.trace}"
        )


def simulate(seed: int, *, product: Product | None = None, lines: int = 0) -> Outcome:
    """
    Run the world of *seed* and look at all invariants.

    Args:
        lines: How much of the trace to keep when something broke; 0: the last 400 events.
    """
    chance = random.Random(f"world {seed}")
    settings = Settings(slots=chance.choice([2, 5, 20]))
    workers, masters = chance.choice([1, 2, 3, 3]), chance.choice([1, 1, 2])
    with world(workers=workers, masters=masters, seed=seed, product=product, settings=settings) as w:
        for node in w.nodes.values():
            node.machine.clock.step(chance.uniform(-0.5, 0.5))
        make_jobs(w, chance)
        make_storm(w, chance)
        w.run(seconds=STORM_S + CALM_S)
        return _outcome(seed, w, lines or 400)


def _outcome(seed: int, w: World, lines: int) -> Outcome:
    crowded = is_overloaded(w)
    rules = replace(STORMY, accounting_s=CALM_S) if crowded else STORMY
    verdict = w.judge(rules)
    broken = broken_invariants(w, rules, calm_since=STORM_S, is_overloaded=crowded, verdict=verdict)
    faults = Counter(entry.event for entry in w.trace.events if entry.event.startswith("fault."))
    return Outcome(
        seed=seed,
        broken=broken,
        digest=w.trace.digest(),
        counts=Counter({kind.value: verdict.counts[kind] for kind in Kind}),
        faults=faults,
        lateness_ms=verdict.lateness_ms,
        trace=w.trace.text(lines) if broken else "",
    )
