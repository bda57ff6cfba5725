"""Starting a program: two ways to spawn, limits, and errors that say what to check.

Plain commands go through `posix_spawn`; a working directory, another user or a umask needs `subprocess`,
without a preexec function. Limits are set by a shell that then becomes the command: setting them from outside
comes too late for what the command does first.
"""

import errno
import os
import resource
import stat
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

from common.domain.errors import SpawnFailed
from worker.adapters.posix_spawn import PosixSpawn
from worker.adapters.run_as import Identity
from worker.domain.account import DEFAULT_PATH
from worker.processes import Command

#: Takes descriptors for input, output and errors; returns the pid.
Start: TypeAlias = Callable[[int, int, int], int]

_plain: Final = PosixSpawn()
_LIMITS: Final = (
    # field, ulimit option of a POSIX shell, its unit in bytes (or 1), resource
    ("nofile", "n", 1, resource.RLIMIT_NOFILE),
    ("nproc", "u", 1, resource.RLIMIT_NPROC),
    ("core_bytes", "c", 512, resource.RLIMIT_CORE),
    ("memory_mb", "v", 1, resource.RLIMIT_AS),
)


def prepare(command: Command, identity: Identity | None) -> Start:
    """
    Everything up to the start of *command* in a session of its own.

    What is returned starts it with three descriptors as its input, output and errors, which stay open here,
    and returns its pid. That waits for the kernel, so call it in a thread; it raises SpawnFailed as this
    does.

    Args:
        identity: The user to switch to; None keeps the worker's.

    Raises:
        SpawnFailed: It cannot be started; the message says why and what to check.
    """
    program = _program_of(command)
    argv: Sequence[str] = command.argv
    if command.limits:
        program, argv = _limited(command, program, identity)
    try:
        if identity is None and command.cwd is None and command.umask is None:
            starting: Start = _plain.prepare(program, argv, command.env)
        else:
            starting = partial(_start_with_subprocess, command, program, argv, identity)
    except ValueError as error:
        raise _unpassable(error) from error

    def start(stdin: int, stdout: int, stderr: int) -> int:
        try:
            return starting(stdin, stdout, stderr)
        except OSError as error:
            raise SpawnFailed(_explain(error, command, program, identity)) from error
        except ValueError as error:
            raise _unpassable(error) from error

    return start


def _unpassable(error: ValueError) -> SpawnFailed:
    return SpawnFailed(f"the command cannot be passed to the system: {error}")


def checked_cwd(cwd: str) -> None:
    """
    Raise SpawnFailed unless *cwd* is a directory. May block on a file system that does not answer, so call
    it in a thread.
    """
    try:
        mode = os.stat(cwd).st_mode
    except OSError as error:
        raise SpawnFailed(
            f"the working directory {cwd!r} cannot be used: {error.strerror}; check the job's cwd"
        ) from error
    if not stat.S_ISDIR(mode):
        raise SpawnFailed(f"the working directory {cwd!r} is not a directory; check the job's cwd")


def _start_with_subprocess(
    command: Command,
    program: str,
    argv: Sequence[str],
    identity: Identity | None,
    stdin: int,
    stdout: int,
    stderr: int,
) -> int:
    popen = subprocess.Popen(
        argv,
        executable=program,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=command.cwd,
        env=command.env,
        start_new_session=True,
        umask=-1 if command.umask is None else command.umask,
        user=identity.uid if identity else None,
        group=identity.gid if identity else None,
        extra_groups=identity.groups if identity else None,
    )
    # The pid is ours to wait for: the object must not do it when it is collected.
    popen.returncode = 0
    return popen.pid


def _limited(command: Command, program: str, identity: Identity | None) -> tuple[str, list[str]]:
    """The command behind a shell that sets the limits and is replaced by it."""
    script = []
    for name, option, unit, kind in _LIMITS:
        value = command.limits.get(name)
        if value is None:
            continue
        in_bytes = value * 1024 * 1024 if name == "memory_mb" else value
        _check_hard_limit(name, in_bytes, kind, identity)
        if name == "memory_mb":
            script.append(f"ulimit -v {value * 1024}")
        elif name == "nproc":
            # dash calls it -p, bash and others -u.
            script.append(f"{{ ulimit -u {value} 2>/dev/null || ulimit -p {value}; }}")
        else:
            script.append(f"ulimit -{option} {-(-in_bytes // unit)}")
    start_argv = '"$@"'
    if "nice" in command.limits:
        start_argv = f"nice -n {command.limits['nice']} {start_argv}"
    script.append(f"exec {start_argv}")
    return "/bin/sh", ["/bin/sh", "-c", " && ".join(script), "sh", program, *command.argv[1:]]


def _check_hard_limit(name: str, value: int, kind: int, identity: Identity | None) -> None:
    hard = resource.getrlimit(kind)[1]
    may_raise = os.geteuid() == 0 and identity is None
    if hard != resource.RLIM_INFINITY and value > hard and not may_raise:
        raise SpawnFailed(
            f"limits.{name} is {value}, more than the worker's own hard limit of {hard}; lower it, or raise "
            "the limit of the worker (systemd: Limit...=)"
        )


def _program_of(command: Command) -> str:
    """The path of the program: the one given, or the first of that name on the command's own PATH."""
    program = command.argv[0]
    if "/" in program:
        return program
    path = command.env.get("PATH") or DEFAULT_PATH
    for directory in path.split(":"):
        # An empty entry means the current directory, as for any shell.
        candidate = os.path.join(directory or ".", program)
        if os.access(candidate, os.X_OK) and not os.path.isdir(candidate):
            return candidate
    raise SpawnFailed(
        f"there is no program {program!r} in PATH={path} on this host; install it, or give its full path"
    )


def _explain(error: OSError, command: Command, program: str, identity: Identity | None) -> str:
    """What went wrong, for the owner of the job."""
    on_disk = os.path.join(command.cwd, program) if command.cwd else program
    match error.errno:
        case errno.ENOENT if not os.path.exists(on_disk):
            return f"there is no program {program!r} on this host; install it, or correct the path"
        case errno.ENOENT:
            return f"{program!r} names an interpreter in its first line (#!) that is not on this host"
        case errno.EACCES if os.path.isdir(on_disk):
            return f"{program!r} is a directory, not a program"
        case errno.EACCES | errno.EPERM:
            who = f"user {identity.name!r}" if identity else "the worker's user"
            where = f", or to enter {command.cwd!r}" if command.cwd else ""
            return f"{who} may not execute {program!r}{where}; check owner and mode (chmod +x)"
        case errno.ENOEXEC:
            return f"{program!r} is not a program: it is no binary and its first line is not #!interpreter"
        case errno.E2BIG:
            return "the command line and environment are too long for the system; move text to a file"
        case errno.EAGAIN | errno.ENOMEM:
            return (
                f"the host could not start another process ({error.strerror}); check its limits on processes "
                "and memory"
            )
        case errno.EMFILE | errno.ENFILE:
            return "the worker has no file descriptor left; raise its limit (systemd: LimitNOFILE=)"
        case errno.ENOTDIR | errno.ENAMETOOLONG | errno.ELOOP:
            return f"{program!r} cannot be reached: {error.strerror}; correct the path"
        case _:
            return f"{program!r} could not be started: {error.strerror or error}"
