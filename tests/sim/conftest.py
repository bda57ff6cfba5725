"""`pytest tests/sim --seed N` replays one random simulation; `--seeds N` makes fewer or more of them."""

import pytest

#: How many random simulations every test run makes.
SEEDS = 200


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, action="append", default=None, help="replay this simulation only")
    parser.addoption("--seeds", type=int, default=SEEDS, help="how many random simulations to make")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "random_seed" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--seed", default=None)
        seeds = chosen or range(metafunc.config.getoption("--seeds", default=SEEDS))
        metafunc.parametrize("random_seed", seeds)
