"""Where `cronctl up` keeps what it needs: one directory, one holder at a time.

Only paths, the lock and the two small files others read. The lock is a flock: it ends with its holder,
so a killed `cronctl up` never has to be cleaned up after by hand.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from common.domain.errors import Conflict, CronError


class DataDirInUse(Conflict):
    """Another `cronctl up` runs on this data directory."""


class DataDirUnusable(CronError):
    """The data directory cannot be written."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the programs of a data directory listen; what `addresses.json` holds."""

    api: str
    etcd: str
    mongo: str


@dataclass(frozen=True, slots=True)
class DataDir:
    """The paths below one data directory."""

    path: Path

    @property
    def admin_token(self) -> Path:
        return self.path / "admin-token"

    @property
    def addresses(self) -> Path:
        return self.path / "addresses.json"

    @property
    def processes(self) -> Path:
        """Who runs now, so that the next start finds what a killed one left behind."""
        return self.path / "processes.json"

    @property
    def sample_created(self) -> Path:
        """Exists once the sample job was created: a user who deletes it does not get it back."""
        return self.path / "sample-created"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def etcd(self) -> Path:
        return self.path / "etcd"

    @property
    def mongo(self) -> Path:
        return self.path / "mongo"

    def config(self, program: str) -> Path:
        """Configuration file of `master` or `worker-N`."""
        return self.path / f"{program}.json"

    def log(self, program: str) -> Path:
        return self.path / "logs" / f"{program}.log"

    def state(self, program: str) -> Path:
        return self.path / "state" / program

    def prepare(self) -> None:
        """
        Create the directories, readable by their owner only: they hold a token and the output of jobs.

        Raises:
            DataDirUnusable: The directory cannot be created or written.
        """
        try:
            for path in (self.path, self.etcd, self.mongo, self.path / "logs", self.path / "state"):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DataDirUnusable(
                f"cannot create {error.filename or self.path}: {error.strerror}; "
                f"choose another with --data-dir"
            ) from error
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise DataDirUnusable(f"cannot write to {self.path}; choose another with --data-dir")

    def read_addresses(self) -> Addresses | None:
        """The addresses of the last start, or None if there was none (or the file cannot be read)."""
        try:
            stored = json.loads(self.addresses.read_text())
            return Addresses(api=stored["api"], etcd=stored["etcd"], mongo=stored["mongo"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write_addresses(self, addresses: Addresses) -> None:
        document = {"api": addresses.api, "etcd": addresses.etcd, "mongo": addresses.mongo}
        write_atomically(self.addresses, json.dumps(document, indent=2) + "\n")

    @contextmanager
    def held(self) -> Iterator[None]:
        """
        Be the only `cronctl up` on this directory.

        Raises:
            DataDirInUse: Another one is; the message names its pid and its address.
        """
        with self.lock.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise DataDirInUse(self._in_use_by(file.read().strip())) from None
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield

    def _in_use_by(self, pid: str) -> str:
        addresses = self.read_addresses()
        where = f", its dashboard is at {addresses.api}/" if addresses else ""
        return (
            f"`cronctl up` already runs on {self.path} (pid {pid or 'unknown'}{where}). "
            f"Stop that one first, or choose another directory with --data-dir."
        )

    def is_held(self) -> bool:
        """Whether a `cronctl up` runs on this directory."""
        try:
            with self.lock.open("r") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False


def default_data_dir(env: Mapping[str, str]) -> Path:
    """
    The directory used unless one is named: `EVERYTICK_DATA_DIR`, or `everytick` below `XDG_DATA_HOME`.

    It lies in the user's home and not in the working directory, so that `cronctl job list` in any
    directory finds the running installation.
    """
    if named := env.get("EVERYTICK_DATA_DIR"):
        return Path(named).expanduser().absolute()
    xdg = env.get("XDG_DATA_HOME", "")
    # The XDG specification says to ignore a relative value.
    home = Path(xdg) if xdg.startswith("/") else Path("~/.local/share").expanduser()
    return home / "everytick"


def write_atomically(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace *path*: a reader sees the old text or the new one, never half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
