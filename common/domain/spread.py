"""Values that look random and never change: SHA-256 of a job's uid.

Pure. Used for `H` in a schedule and for jitter. The same seed gives the same value on every worker, in every
Python version and after every restart, which `hash()` and `random` do not promise.
"""

import hashlib


def spread_value(seed: str, purpose: str, count: int) -> int:
    """
    One of 0 ... *count* - 1, fixed for (*seed*, *purpose*) and even over many seeds.

    *purpose* keeps the choices of one job apart: without it `H H * * *` would only ever use times in which
    minute and hour agree.
    """
    digest = hashlib.sha256(f"{purpose}:{seed}".encode()).digest()
    # 64 bits over at most a few million choices: the bias of the modulo is below one in a trillion.
    return int.from_bytes(digest[:8], "big") % count
