"""Who this worker is: its id, and the directories that are its alone.

Decided at the start, because it creates files: a state directory is locked for as long as the process lives,
and an id nobody chose is written into it. Several workers of one host, started with the same file, take
directories of their own.
"""

import fcntl
import os
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from common.config.files import default_state_root
from common.domain.errors import ConfigError
from common.domain.ids import checked_name
from common.runtime.clock import new_uid
from worker.config import WorkerConfig

_LOCK_FILE: Final = "lock"
_ID_FILE: Final = "worker-id"
#: More unnamed workers than this on one host are a supervisor gone wild, not a wish.
_SLOTS: Final = 100
_SUFFIX_LENGTH: Final = 5
_HOST_LENGTH: Final = 60


class DirectoryInUse(ConfigError):
    """Another worker uses this directory."""


class DirectoryLock:
    """A directory taken for this process; the kernel gives it back when the process ends, however it ends."""

    def __init__(self, directory: Path, descriptor: int) -> None:
        self.directory = directory
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the directory back; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


@dataclass(frozen=True, slots=True)
class Identity:
    """What a worker is called and where it keeps things. Hold it until the process ends."""

    worker_id: str
    state_dir: Path
    spool_dir: Path
    locks: tuple[DirectoryLock, ...] = field(repr=False)

    def release(self) -> None:
        """Let another worker take the directories."""
        for lock in self.locks:
            lock.release()


def take_identity(
    config: WorkerConfig,
    env: Mapping[str, str] = os.environ,
    hostname: Callable[[], str] = socket.gethostname,
) -> Identity:
    """
    Settle id and directories of this worker, creating and locking what is needed.

    | `stateDir` | `workerId` | directory | id |
    |---|---|---|---|
    | given | given | the given one | the given one |
    | given | - | the given one | kept in it, made at the first start |
    | - | given | `workers/<id>` below the state root | the given one |
    | - | - | `worker`, `worker-2`, ... below the state root: the first that is free | kept in it |

    Raises:
        ConfigError: A directory cannot be used, or (`DirectoryInUse`) another worker has it.
    """
    root = default_state_root(env)
    if config.state_dir is not None:
        lock, slot = lock_directory(config.state_dir), 1
    elif config.worker_id is not None:
        lock, slot = lock_directory(root / "workers" / config.worker_id), 1
    else:
        lock, slot = _first_free(root)
    try:
        worker_id = config.worker_id or _kept_id(lock.directory, slot, hostname())
        spool_dir = config.spool_dir or lock.directory / "spool"
        # A spool of its own needs no lock of its own; a chosen one may be chosen twice.
        spool_locks = (lock_directory(spool_dir, key="spoolDir"),) if config.spool_dir is not None else ()
    except ConfigError:
        lock.release()
        raise
    return Identity(worker_id, lock.directory, spool_dir, (lock, *spool_locks))


def lock_directory(directory: Path, *, key: str = "stateDir") -> DirectoryLock:
    """
    Create *directory* (mode 0700) where it is missing, and take it for this process.

    Args:
        key: The configuration key to name in errors.

    Raises:
        DirectoryInUse: Another process has it; the message names its pid.
        ConfigError: It cannot be created or written.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(directory / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(
            f"{key}: cannot use {directory}: {_reason(error)}; give this worker a directory it may write",
            key=key,
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise DirectoryInUse(
            f"{key}: another worker uses {directory} (pid {holder}): "
            f"give each worker its own {'workerId or stateDir' if key == 'stateDir' else key}",
            key=key,
            pid=holder,
        ) from None
    except OSError as error:
        os.close(descriptor)
        raise ConfigError(f"{key}: cannot lock {directory}: {_reason(error)}", key=key) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return DirectoryLock(directory, descriptor)


def host_part(hostname: str) -> str:
    """Return the first label of a host name in the letters a worker id may have."""
    label = re.sub(r"[^a-z0-9_-]+", "-", hostname.lower().partition(".")[0])
    return label[:_HOST_LENGTH].strip("-_") or "worker"


def _first_free(root: Path) -> tuple[DirectoryLock, int]:
    for slot in range(1, _SLOTS + 1):
        try:
            return lock_directory(root / ("worker" if slot == 1 else f"worker-{slot}")), slot
        except DirectoryInUse:
            continue
    raise DirectoryInUse(
        f"stateDir: {_SLOTS} workers run below {root} already: give this one its own stateDir", key="stateDir"
    )


def _kept_id(directory: Path, slot: int, hostname: str) -> str:
    """The id in the directory's file; made and written at the first start. The caller holds the lock."""
    path = directory / _ID_FILE
    try:
        kept = path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
        if kept:
            return checked_name(kept)
        number = f"-{slot}" if slot > 1 else ""
        worker_id = f"{host_part(hostname)}-{new_uid()[:_SUFFIX_LENGTH]}{number}"
        _write_durably(path, worker_id + "\n")
    except OSError as error:
        raise ConfigError(f"stateDir: cannot use {path}: {_reason(error)}", key="stateDir") from error
    except ValueError as error:
        raise ConfigError(
            f"stateDir: {path} holds no worker id ({error}): delete it to get a new one, or set workerId",
            key="stateDir",
        ) from error
    return worker_id


def _write_durably(path: Path, text: str) -> None:
    # Renamed into place: a crash leaves the old file or the new one, never half an id.
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
