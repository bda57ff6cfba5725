"""A simulated worker: the product's own assembly on a fake store, database, disk and machine.

It can be killed, frozen and started again on the same machine, where it finds its disk, its mark and its
clock. `Product` names what it is made of, so that a planted bug is a subclass of the real thing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from common.domain.codec import WorkerHealth
from common.domain.errors import StoreUnavailable
from common.domain.keys import Keyspace
from common.runtime.clock import new_nonce
from common.runtime.lifecycle import Stop
from tests.fakes.kv_client import FakeClient
from tests.sim.clocks import EPOCH
from tests.sim.disk import Disk
from tests.sim.history import History
from tests.sim.machine import Machine
from tests.sim.program import Program
from worker.assembly import Assembly, Deps, Description, Limits
from worker.clock_watch import OffsetSample
from worker.domain.account import Account
from worker.executors.shell import ShellExecutor
from worker.log_shipper import LogShipper
from worker.service import RunningJournal
from worker.supervisor import CommandSupervisor

KEYS: Final = Keyspace()


def make_journal(disk: Disk, history: History) -> RunningJournal:
    return LogShipper(spool=disk, sink=history, commit_timeout_s=1.0)


@dataclass(frozen=True, slots=True)
class Product:
    """What a worker is made of."""

    assembly: type[Assembly] = Assembly
    journal: Callable[[Disk, History], RunningJournal] = make_journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a worker's configuration would say."""

    slots: int = 5
    labels: dict[str, str] = field(default_factory=dict)
    limits: Limits = field(
        default_factory=lambda: Limits(heartbeat_s=5.0, shutdown_grace_s=20.0, kill_grace_s=3.0)
    )


@dataclass(slots=True)
class Mark:
    """The store this worker has seen last; survives a restart."""

    seen: tuple[int, int] | None = None
    place: str = "the state directory"

    def read(self) -> tuple[int, int] | None:
        return self.seen

    def write(self, cluster_id: int, revision: int) -> None:
        self.seen = (cluster_id, revision)


@dataclass(slots=True)
class ClockNote:
    """Why the clock of this machine is not trusted; survives a restart."""

    why: str | None = None

    def read(self) -> str | None:
        return self.why

    def write(self, why: str | None) -> None:
        self.why = why


class Reports:
    """The database as the reporter and the clock watch use it: states of all workers, and a clock."""

    def __init__(self, machine: Machine, history: History, offsets_ms: dict[str, int]) -> None:
        self._machine = machine
        self._history = history
        self._offsets_ms = offsets_ms

    async def report(self, state: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
        self._check()

    async def sample(self) -> OffsetSample:
        self._check()
        name = self._machine.name
        own_ms = round(self._machine.clock.offset_s * 1000)
        peers_ms = [ms for other, ms in self._offsets_ms.items() if other != name]
        self._offsets_ms[name] = own_ms
        return OffsetSample(own_ms, peers_ms)

    def _check(self) -> None:
        if self._history.is_away:
            raise StoreUnavailable("MongoDB is away")


class Node(Program):
    """
    One worker of the cluster, on its machine.

    Attributes:
        disk: Its spool; what was synced outlives the process.
        assembly: Of the present process.
    """

    def __init__(
        self,
        machine: Machine,
        client: FakeClient,
        history: History,
        offsets_ms: dict[str, int],
        settings: Settings,
        product: Product,
    ) -> None:
        super().__init__(machine.name, machine.loop, client)
        self.machine = machine
        self.disk = Disk()
        self.settings = settings
        self.assembly: Assembly | None = None
        self._history = history
        self._reports = Reports(machine, history, offsets_ms)
        self._product = product
        self._mark = Mark()
        self._clock_note = ClockNote()
        self._stop = Stop()
        self._pid = 0

    def stop(self) -> None:
        """SIGTERM."""
        if self.is_running:
            self._stop.request("SIGTERM")

    def kill(self, *, kept_records: int = 0) -> None:
        """kill -9, and the service manager takes the commands with it."""
        if self.is_running:
            super().kill()
            self.disk.crash(kept_records)
            self.machine.kill_all()

    async def main(self) -> None:
        self._stop, self._pid = Stop(), self._pid + 1
        description = Description(
            worker_id=self.name,
            version="sim",
            host=self.name,
            address="",
            pid=self._pid,
            labels=self.settings.labels,
            executors=("shell",),
            slots=self.settings.slots,
            started_at=EPOCH,
            tzdata="",
        )
        self.assembly = self._product.assembly(self._deps(), description, self.settings.limits)
        await self.assembly.worker.run(self._stop)

    def _deps(self) -> Deps:
        clock, pid = self.machine.clock, self._pid
        journal = self._product.journal(self.disk, self._history)

        async def is_predecessor(other: WorkerHealth) -> bool:
            return other.host == self.name and other.pid < pid

        return Deps(
            store=self.client,
            keyspace=KEYS,
            clock=clock,
            supervisor=CommandSupervisor(
                executors={"shell": ShellExecutor()},
                spawner=self.machine,
                account_of=lambda _: Account("nobody", "/"),
                journal=journal,
                clock=clock,
            ),
            journal=journal,
            reports=self._reports,
            clock_reference=self._reports,
            clock_mark=self._clock_note,
            store_mark=self._mark,
            is_predecessor=is_predecessor,
            new_nonce=new_nonce,
            metrics=dict,
        )
