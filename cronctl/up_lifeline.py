"""Become another program that is sent TERM when `cronctl up` dies, however it dies.

Run as a file, before the program: `python -I -S up_lifeline.py PARENT_PID PROGRAM [ARGUMENT ...]`. The death
signal cannot be set from outside, and a preexec function is unsafe beside threads; it survives the exec.
Linux only; elsewhere the next start stops what was left behind.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> int:
    """Ask for the signal, then exec; returns only if that is not possible."""
    parent, program = int(argv[1]), argv[2]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    # It may have died before the call above: then the signal never comes.
    if os.getppid() != parent:
        return 1
    try:
        os.execv(program, argv[2:])  # noqa: S606 - a program with its arguments, no shell
    except OSError as error:
        print(f"cannot start {program}: {error.strerror}", file=sys.stderr)
    return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv))
