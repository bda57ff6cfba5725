"""What can happen to a simulated cluster, one method each; `weather` strikes with them at random."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from tests.faults.evidence import Frozen
from tests.sim.loop import Host
from tests.sim.node import Node
from tests.sim.people import People

Action = TypeVar("Action", bound=Callable[..., None])


def _in_loop(action: Action) -> Action:
    """Let a fault that is called while time stands still happen inside the loop all the same."""

    @functools.wraps(action)
    def act(w: "Disasters", *args: Any, **options: Any) -> None:
        async def now() -> None:
            action(w, *args, **options)

        if w.loop.is_running():
            action(w, *args, **options)
        else:
            w.loop.run_until_complete(now())

    return cast(Action, act)


class Disasters(People):
    """Every fault is noted in the trace when it begins and when it ends."""

    @_in_loop
    def crash(self, name: str) -> None:
        """kill -9 of a worker; its service manager kills the commands with it."""
        self.note_fault("crash", name)
        program = self.program(name)
        if isinstance(program, Node):
            program.kill(kept_records=self.chance.randrange(3))
        else:
            program.kill()

    @_in_loop
    def start(self, name: str) -> None:
        self.note_fault("start", name)
        self.program(name).start()

    @_in_loop
    def stop(self, name: str) -> None:
        """SIGTERM."""
        self.note_fault("stop", name)
        self.nodes[name].stop()

    @_in_loop
    def freeze(self, name: str, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after *seconds*; the commands go on."""
        node = self.nodes[name]
        if not node.is_running or node.is_frozen:
            return
        self.note_fault("freeze", name, seconds=seconds)
        host = node.hosts[-1]
        host.freeze()
        now_s = self.now().timestamp()
        self.stalls.append(Frozen(name, now_s, now_s + seconds))
        if seconds >= node.settings.limits.lease_ttl_s / 2:
            # Even after the thaw its commands need a moment to die.
            self.frozen.append(Frozen(name, now_s, now_s + seconds + 2.0))
        self.loop.call_later(seconds, self._thaw, host)

    def _thaw(self, host: Host) -> None:
        self.note_fault("thaw", host.name)
        host.thaw()

    @_in_loop
    def partition(self, name: str, seconds: float | None = None) -> None:
        """Messages between the store and *name* vanish, until `heal` or for *seconds*."""
        self.note_fault("partition", name, seconds=seconds)
        self.store.client(name).partitioned = True
        if seconds is not None:
            self.loop.call_later(seconds, self.heal, name)

    @_in_loop
    def heal(self, name: str) -> None:
        self.note_fault("heal", name)
        self.store.client(name).partitioned = False

    @_in_loop
    def step_clock(self, name: str, seconds: float) -> None:
        """Set the wall clock of a machine."""
        self.stepped_hosts.add(name)
        self.note_fault("clock_step", name, seconds=seconds)
        self.nodes[name].machine.clock.step(seconds)

    @_in_loop
    def etcd_away(self, seconds: float) -> None:
        self.note_fault("etcd_away", "etcd", seconds=seconds)
        self.store.away = True
        self.loop.call_later(seconds, self._etcd_back)

    def _etcd_back(self) -> None:
        self.note_fault("etcd_back", "etcd")
        self.store.away = False

    @_in_loop
    def etcd_without_leader(self, seconds: float) -> None:
        self.note_fault("leader_pause", "etcd", seconds=seconds)
        self.store.paused = True
        self.loop.call_later(seconds, self._leader_back)

    def _leader_back(self) -> None:
        self.note_fault("leader_back", "etcd")
        self.store.paused = False

    @_in_loop
    def mongo_away(self, seconds: float) -> None:
        self.note_fault("mongo_away", "mongodb", seconds=seconds)
        self.history.is_away = True
        self.loop.call_later(seconds, self._mongo_back)

    def _mongo_back(self) -> None:
        self.note_fault("mongo_back", "mongodb")
        self.history.is_away = False
