"""Whether a registered worker is this one's dead predecessor.

After a crash the health key stays until its lease ends. The same worker on the same host, holding the state
directory of the one before, may end that lease at once if the process behind it is gone; anybody else waits.
"""

import os
from collections.abc import Callable

from common.domain.codec import WorkerHealth
from worker.registration import IsPredecessor


def predecessor_check(host: str, is_alive: Callable[[int], bool] | None = None) -> IsPredecessor:
    """
    The check for a worker on *host* that holds the lock of its state directory.

    Args:
        is_alive: Whether a process id is in use; asks the kernel by default.
    """
    alive = is_alive or _is_alive

    async def is_predecessor(other: WorkerHealth) -> bool:
        return other.host == host and other.pid > 0 and (other.pid == os.getpid() or not alive(other.pid))

    return is_predecessor


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
