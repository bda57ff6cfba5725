"""CPU and memory of processes, between two moments.

`children` are those a process has waited for, so the commands a worker ran are told from the worker itself.
A worker is two processes, one of which runs its commands: both count.
"""

import os
import resource
import threading
import time
from dataclasses import dataclass
from typing import Self

import psutil


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds of CPU a process, and its waited-for children, have used."""

    own_s: float
    children_s: float

    @classmethod
    def of(cls, pid: int) -> Self:
        times = [process.cpu_times() for process in _program(pid)]
        return cls(
            sum(time.user + time.system for time in times),
            sum(time.children_user + time.children_system for time in times),
        )

    def since(self, before: "Cpu") -> "Cpu":
        return Cpu(self.own_s - before.own_s, self.children_s - before.children_s)


def rss_bytes(pid: int) -> int:
    return sum(int(process.memory_info().rss) for process in _program(pid))


def peak_rss_bytes(pid: int) -> int:
    """The most memory *pid* has ever held, by the kernel's own count; of a worker, the sum of both peaks."""
    return sum(_peak_of(process.pid) for process in _program(pid))


def _program(pid: int) -> list[psutil.Process]:
    """The process, and with it the command host of a worker."""
    main = psutil.Process(pid)
    return [main, *(child for child in main.children() if "worker.command_host" in child.cmdline())]


def _peak_of(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise ValueError(f"process {pid} has no memory of its own")


class DirectoryPeak:
    """The most bytes a directory held while this watched, sampled ten times a second."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.bytes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            self.bytes = max(self.bytes, directory_bytes(self._directory))


def directory_bytes(directory: str) -> int:
    """Bytes of all files below *directory*; files that vanish meanwhile count as nothing."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.stat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                continue
    return total


def raise_open_files() -> None:
    """Lift the soft limit of open files to the hard one: the programs under test inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def sleep_until(epoch_s: float) -> None:
    """Return at *epoch_s* by the wall clock."""
    while (left_s := epoch_s - time.time()) > 0:
        time.sleep(left_s)
