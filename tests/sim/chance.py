"""All chance from one seed: what `random` and `secrets` give is the same on every replay of a simulation."""

import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def seeded_chance(seed: int) -> Iterator[random.Random]:
    """
    Replace the two sources of chance of the standard library until the block ends.

    Yields a generator of its own for the simulation's faults, so that a product that asks for chance once
    more or less does not change the weather.
    """
    product = random.Random(f"product {seed}")
    state = random.getstate()
    choice, token_hex, token_urlsafe = secrets.choice, secrets.token_hex, secrets.token_urlsafe
    random.seed(f"module {seed}")
    secrets.choice = product.choice
    secrets.token_hex = lambda nbytes=None: product.randbytes(nbytes or 32).hex()
    secrets.token_urlsafe = lambda nbytes=None: product.randbytes(nbytes or 32).hex()
    try:
        yield random.Random(f"weather {seed}")
    finally:
        secrets.choice, secrets.token_hex, secrets.token_urlsafe = choice, token_hex, token_urlsafe
        random.setstate(state)
