"""Tests of the tests: every planted mistake is found within 100 seeds."""

from collections.abc import Callable

import pytest

from tests.sim.node import Product
from tests.sim.planted import PLANTED
from tests.sim.simulation import simulate

_ENOUGH = 100


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("make_product", "known"), [pytest.param(product, known, id=name) for name, product, known in PLANTED]
)
def test_a_planted_mistake_is_found(make_product: Callable[[], Product], known: tuple[int, ...]) -> None:
    """Seeds that found it before are tried first, to save time; any of the hundred may."""
    for seed in dict.fromkeys([*known, *range(_ENOUGH)]):
        if _finds(seed, make_product()):
            return

    pytest.fail(f"{_ENOUGH} seeds did not notice it")


def _finds(seed: int, product: Product) -> bool:
    try:
        return bool(simulate(seed, product=product).broken)
    except AssertionError:
        # A part that ends by itself is noticed as well.
        return True
