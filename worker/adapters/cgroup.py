"""Containment by cgroup v2: one leaf per running execution, from a pool and used again when empty.

Whatever a command does (setsid, double fork, empty environment) it stays in its leaf, and the kernel kills
the whole leaf at once. No controller is enabled: the leaves only hold processes together. Needs write
access below the worker's own cgroup, as root or by delegation.
"""

import errno
import hashlib
import os
import signal
from pathlib import Path
from typing import Final

import structlog

from worker.adapters.containment import Containment, SessionContainment
from worker.adapters.process_table import (
    ProcessEntry,
    children_of,
    cpu_s,
    entry_of,
    has_ended,
    signal_exactly,
)
from worker.adapters.subreaper import Subreaper

log = structlog.get_logger()

_MAX_MOVES: Final = 5
#: Free leaves that are kept.
_SPARE_LEAVES: Final = 128
#: What the system says of a directory that is gone: by its name, and by a file of it that is still open.
_REMOVED: Final = (errno.ENOENT, errno.ENODEV)
_CPU_BEFORE_FORK_S: Final = 0.000_25


class Leaf:
    """
    One cgroup directory.

    Its files are opened for each use. Kept open, those of all leaves would be copied and closed at each start
    of a command, which takes longer from thirty leaves on.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.is_removed = False
        self._procs = str(path / "cgroup.procs")
        self._events = str(path / "cgroup.events")

    def put(self, pid: int) -> bool:
        """Move *pid* in; False if it is gone, or the leaf is."""
        try:
            fd = os.open(self._procs, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(fd, b"%d" % pid)
            finally:
                os.close(fd)
        except OSError as error:
            # Somebody cleaned up behind our back. Looking before each use would take longer than the move.
            self.is_removed = error.errno in _REMOVED
            return False
        return True

    @property
    def is_populated(self) -> bool:
        try:
            fd = os.open(self._events, os.O_RDONLY | os.O_CLOEXEC)
            try:
                return b"populated 1" in os.read(fd, 256)
            finally:
                os.close(fd)
        except OSError as error:
            # Somebody removed the directory, which the kernel allows only when nobody is in it. Whatever else
            # it is, somebody may be.
            return error.errno not in _REMOVED

    def pids(self) -> list[int]:
        """Processes in this leaf and in cgroups the command made below it."""
        found: list[int] = []
        for directory, _, files in os.walk(self.path):
            if "cgroup.procs" in files:
                found += _pids_in(Path(directory))
        return found

    def kill(self) -> None:
        """SIGKILL to everything in it, also to what is just being forked."""
        try:
            (self.path / "cgroup.kill").write_text("1", encoding="ascii")
        except OSError:
            # Linux before 5.14. Frozen, nobody can fork away while the rest is killed.
            self._write("cgroup.freeze", "1")
            for pid in self.pids():
                entry = entry_of(pid)
                if entry is not None:
                    signal_exactly(entry, signal.SIGKILL)
            self._write("cgroup.freeze", "0")

    def remove(self) -> bool:
        """Delete the directory; False while somebody is in it."""
        for directory, _, _ in os.walk(self.path, topdown=False):
            try:
                os.rmdir(directory)
            except FileNotFoundError:
                continue
            except OSError:
                return False
        return True

    def _write(self, name: str, text: str) -> None:
        try:
            (self.path / name).write_text(text, encoding="ascii")
        except OSError as error:
            log.warning("cgroup.refused", file=str(self.path / name), error=str(error))


class LeafPool:
    """The worker's leaves below one directory. Making and removing one per execution would cost 70 us."""

    def __init__(self, directory: Path) -> None:
        """
        Raises:
            OSError: Cgroups cannot be used here.
        """
        directory.mkdir(exist_ok=True)
        self._directory = directory
        self._free: list[Leaf] = []
        self._inhabited: list[Leaf] = []
        self._made = 0
        _check(directory)
        self._kill_predecessors()

    def take(self) -> Leaf:
        """
        An empty leaf.

        Raises:
            OSError: None can be made.
        """
        if self._free:
            return self._free.pop()
        self._made += 1
        return Leaf(self._directory / str(self._made))

    def give_back(self, leaf: Leaf, *, is_empty: bool) -> None:
        """The execution is over; a leaf with processes that were left running is kept aside."""
        emptied = [left for left in self._inhabited if not left.is_populated]
        self._inhabited = [left for left in self._inhabited if left not in emptied]
        if is_empty or not leaf.is_populated:
            emptied.append(leaf)
        else:
            self._inhabited.append(leaf)
        for empty in emptied:
            if empty.is_removed or len(self._free) >= _SPARE_LEAVES:
                empty.remove()
            else:
                self._free.append(empty)

    def close(self) -> None:
        """Remove what is empty."""
        for leaf in (*self._free, *self._inhabited):
            leaf.remove()
        self._free.clear()
        try:
            self._directory.rmdir()
        except OSError:
            log.info("cgroup.left", directory=str(self._directory))

    def _kill_predecessors(self) -> None:
        # What a worker that was killed left behind: its leaves carry its id, so nobody else is in there.
        for path in self._directory.iterdir():
            if path.is_dir():
                leaf = Leaf(path)
                if leaf.is_populated:
                    log.warning("cgroup.leftovers_killed", pids=leaf.pids(), directory=str(path))
                    leaf.kill()
                leaf.remove()


class CgroupContainment:
    """A leaf, and the session rules for whoever ran away before it was in there."""

    def __init__(self, leaf: Leaf, pool: LeafPool, session: SessionContainment) -> None:
        self._leaf = leaf
        self._pool = pool
        self._session = session
        #: Somebody was put into the leaf.
        self._is_used = False
        self._is_empty = False

    def enclose(self, pid: int) -> None:
        """
        Move the main process in, at once after the spawn.

        Python cannot spawn into a cgroup (clone3), and a wrapper that enters it first costs a second exec,
        0.9 ms of CPU against 0.04. So the command runs some microseconds outside: children it had by then are
        moved too, and one that lost its parent before that is an orphan, which the session rules find.
        """
        self._session.enclose(pid)
        # One that has ended already cannot be moved, and took with it nobody whom this would find.
        if has_ended(pid) or not self._leaf.put(pid):
            return
        self._is_used = True
        # Looking for children costs as much as the move. Loading a program and its libraries takes longer
        # than this, so one that has used less cannot have forked.
        if cpu_s(pid) > _CPU_BEFORE_FORK_S:
            self._move_children(pid)

    def _move_children(self, pid: int) -> None:
        moved = {pid}
        for _ in range(_MAX_MOVES):
            outside = [child for parent in moved for child in children_of(parent) if child not in moved]
            if not outside:
                return
            for child in outside:
                self._leaf.put(child)
            moved.update(outside)

    def signal(self, signum: int) -> None:
        inside = self._leaf.pids()
        for pid in inside:
            entry = entry_of(pid)
            if entry is not None and entry.is_alive:
                signal_exactly(entry, signum)
        for entry in self._session.members():
            if entry.pid not in inside:
                signal_exactly(entry, signum)

    def kill(self) -> None:
        self._leaf.kill()
        self._session.kill()

    def ended(self) -> None:
        self._session.ended()

    def reaped(self) -> None:
        self._session.reaped()

    def is_surely_empty(self) -> bool:
        # Once it is, it stays so: only who is in there can bring in others.
        if not self._is_empty:
            is_leaf_empty = not self._is_used or not self._leaf.is_populated
            self._is_empty = is_leaf_empty and self._session.is_surely_empty()
        return self._is_empty

    def members(self) -> list[ProcessEntry]:
        inside = [entry for pid in self._leaf.pids() if (entry := entry_of(pid)) and entry.is_alive]
        known = {entry.pid for entry in inside}
        return inside + [entry for entry in self._session.members() if entry.pid not in known]

    def release(self) -> None:
        self._pool.give_back(self._leaf, is_empty=self._is_empty)


class Containments:
    """Makes the containment of each execution: a cgroup leaf where that works, else the session rules."""

    def __init__(self, subreaper: Subreaper, pool: LeafPool | None) -> None:
        self._subreaper = subreaper
        self._pool = pool

    def make(self, execution_id: str) -> Containment:
        session = SessionContainment(execution_id, self._subreaper)
        if self._pool is None:
            return session
        try:
            leaf = self._pool.take()
        except OSError as error:
            log.warning("cgroup.refused", error=str(error))
            return session
        return CgroupContainment(leaf, self._pool, session)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()


def open_leaf_pool(worker_id: str, state_dir: Path) -> LeafPool | None:
    """
    The pool below the worker's own cgroup; None where cgroup v2 is missing or may not be written.

    Args:
        state_dir: Locked by this worker. It goes into the name, because what is found under the name is
            killed as a predecessor's, and two installations on one host may use the same worker id.
    """
    own = own_cgroup()
    if own is None:
        return None
    try:
        digest = hashlib.sha256(str(state_dir.resolve()).encode()).hexdigest()[:12]
        return LeafPool(own / f"everytick-{worker_id}-{digest}")
    except OSError as error:
        log.info("cgroup.unavailable", directory=str(own), error=str(error))
        return None


def own_cgroup() -> Path | None:
    """The directory of this process's own cgroup v2, wherever that tree is mounted; None if it is not."""
    mount = _unified_mount(Path("/proc/self/mountinfo").read_text(encoding="utf-8"))
    for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        hierarchy, _, path = line.split(":", 2)
        if hierarchy == "0" and mount is not None:
            root, mount_point = mount
            # In a container the mounted root may be a part of the tree.
            inside = os.path.relpath(path, root) if path.startswith(root) else path.lstrip("/")
            return mount_point / inside
    return None


def _unified_mount(mountinfo: str) -> tuple[str, Path] | None:
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        if after.split()[:1] == ["cgroup2"]:
            root, mount_point = before.split()[3:5]
            return root, Path(mount_point)
    return None


def _check(directory: Path) -> None:
    probe = Leaf(directory / "probe")
    if not os.access(directory.parent / "cgroup.procs", os.W_OK):
        probe.remove()
        raise PermissionError(f"{directory.parent}/cgroup.procs may not be written")
    probe.remove()


def _pids_in(directory: Path) -> list[int]:
    try:
        return [int(pid) for pid in (directory / "cgroup.procs").read_text(encoding="ascii").split()]
    except OSError:
        return []
