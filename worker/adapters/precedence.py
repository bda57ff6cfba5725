"""The worker goes before the commands it runs, as far as it may.

Linux shares processors among sessions (autogroup, sched(7)), and each command has a session of its own: the
worker beside a hundred busy ones is given a hundredth. Its lease would end, and ticks would come late, when
there is most to do. Where sessions do not count (containers, services with a limit of CPU) nice values do.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

log: Final = structlog.get_logger(__name__)

_LEAST_NICE: Final = -20


def go_first(by: int, proc: Path = Path("/proc/self")) -> bool:
    """
    Lower the nice value of this process by *by*, and that of its session if it leads one.

    Call it after whatever starts the commands has been started, which keeps the present values. Where that
    is not allowed (it takes root, CAP_SYS_NICE or a limit of nice values), all stays as it is.

    Returns:
        Whether it was allowed.
    """
    if by == 0:
        return True
    nice = max(_LEAST_NICE, os.getpriority(os.PRIO_PROCESS, 0) - by)
    try:
        for task in os.listdir(proc / "task"):
            # One that ends just now must not keep the others, and the session, from it.
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, int(task), nice)
        if os.getsid(0) == os.getpid():
            _move_session(proc / "autogroup", by)
    except (PermissionError, BlockingIOError) as error:
        log.info("precedence.refused", by=by, reason=error.strerror, hint="systemd: LimitNICE=")
        return False
    return True


def _move_session(autogroup: Path, by: int) -> None:
    """Nobody else is in the session: whoever started the worker would not be its leader then."""
    try:
        # Such as "/autogroup-42 nice 0".
        nice = int(autogroup.read_text(encoding="ascii").split()[2])
    except (FileNotFoundError, IndexError, ValueError):
        # A kernel without it.
        return
    autogroup.write_text(str(max(_LEAST_NICE, nice - by)), encoding="ascii")
