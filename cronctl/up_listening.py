"""Whether a program holds the port it was given, or somebody else answers there.

Two starts in the same second may choose the same port. The program of one of them then ends, but not before
the program of the other has answered in its place: without this look the first would use a foreign etcd.
Linux only; elsewhere the answer is always yes.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from cronctl.up_readiness import Probe

_LISTENING: Final = "0A"


def listens(pid: int, port: int) -> bool:
    """Whether process *pid* itself listens on *port*; of its children nothing is asked."""
    if sys.platform != "linux":
        return True
    sockets = _sockets_on(port)
    # The process may end meanwhile, and close files between the list and the look.
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if os.readlink(entry) in sockets:
                    return True
    return False


def and_listens(ready: Probe, pid: int | None, port: int) -> Probe:
    """Ready, and it is process *pid* that answers."""

    async def ask() -> bool:
        return pid is not None and listens(pid, port) and await ready()

    return ask


def _sockets_on(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        path = Path(table)
        for line in path.read_text(encoding="ascii").splitlines()[1:] if path.exists() else ():
            _, local, _, state, *rest = line.split()
            if state == _LISTENING and int(local.rpartition(":")[2], 16) == port:
                found.add(f"socket:[{rest[5]}]")
    return found
