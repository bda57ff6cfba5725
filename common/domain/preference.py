"""Who tries first: a stable order of the workers for every job.

Pure. Rendezvous hashing: each (job, worker) pair has a score, the highest goes first. When a worker leaves,
only its own jobs move; no worker needs to know more than the list of the others. Ranks only save work:
correctness rests on the claim transaction alone.
"""

import hashlib
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final

#: Workers of rank 0, 1 and 2 keep a job in their plan; the others leave it to them.
PLANNING_RANKS: Final = 3
#: How much later each rank tries, in seconds.
RANK_DELAY_S: Final = 0.150

_MASK: Final = (1 << 64) - 1


@lru_cache(maxsize=262_144)
def _seed(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def score(uid: str, worker_id: str) -> int:
    """The 64-bit score of *worker_id* for the job *uid*; the same on every host."""
    # The finaliser of splitmix64: two hashes are computed once per name, a pair costs three multiplications.
    mixed = (_seed(uid) ^ (_seed(worker_id) * 0x9E3779B97F4A7C15)) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return mixed ^ (mixed >> 31)


def ranked(uid: str, worker_ids: Iterable[str]) -> list[str]:
    """*worker_ids* in the order in which they try the ticks of job *uid*."""
    return sorted(worker_ids, key=lambda worker_id: (-score(uid, worker_id), worker_id))


def rank_of(uid: str, worker_id: str, worker_ids: Collection[str]) -> int | None:
    """The rank of *worker_id* (0 tries first), or None when it is not among the first three."""
    if worker_id not in worker_ids:
        return None
    if len(worker_ids) == 1:
        # Nobody to compare with: no score is needed.
        return 0
    own = (-score(uid, worker_id), worker_id)
    rank = sum((-score(uid, other), other) < own for other in worker_ids)
    return rank if rank < PLANNING_RANKS else None
