"""A program of the simulated cluster: one process at a time, with a connection of its own to the store."""

import asyncio

from tests.fakes.kv_client import FakeClient
from tests.sim.loop import Host, JumpingLoop


class Program:
    """
    Subclasses say in `main` what the process does.

    Attributes:
        client: Its connection to the store; faults of the network are set there.
        hosts: Every process it ever had, the present one last.
    """

    def __init__(self, name: str, loop: JumpingLoop, client: FakeClient) -> None:
        self.name = name
        self.loop = loop
        self.client = client
        self.hosts: list[Host] = []
        self._mains: list[asyncio.Task[None]] = []

    @property
    def is_running(self) -> bool:
        return bool(self._mains) and not self._mains[-1].done() and not self.hosts[-1].is_dead

    @property
    def is_frozen(self) -> bool:
        return bool(self.hosts) and self.hosts[-1].is_frozen

    @property
    def failures(self) -> list[BaseException]:
        """What its processes died of by themselves; a healthy program never does."""
        ended = [task for task in self._mains if task.done() and not task.cancelled()]
        return [error for task in ended if (error := task.exception()) is not None]

    def start(self) -> None:
        """Start a process; nothing happens when one runs already."""
        if not self.is_running:
            host = Host(self.loop, self.name)
            self.hosts.append(host)
            self._mains.append(host.start(self.main(), name="main"))

    def kill(self) -> None:
        """kill -9."""
        if self.is_running:
            self.hosts[-1].kill()

    async def main(self) -> None:
        """The process, from start to end."""
        raise NotImplementedError

    def dispose(self) -> None:
        """After the simulation: cancel what is left of every process."""
        for host in self.hosts:
            host.dispose()
