"""Random jobs and random faults from one seed: a storm over the whole cluster, then calm.

Faults overlap as they like. Everything heals by itself at the end of the storm, so that the calm afterwards
shows whether the cluster recovers for good.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from common.domain.job import JobSpec
from common.domain.policy import CatchUp, Overlap
from common.domain.schedule import parse_schedule, typical_interval_s
from tests.sim.machine import Behaviour
from tests.sim.node import KEYS
from tests.sim.world import World

STORM_S: Final = 300.0
CALM_S: Final = 180.0
FIRST_FAULT_S: Final = 20.0
#: A worker that was told to stop has ended by then.
LONGEST_STOP_S: Final = 30.0

Fault = Callable[[World, random.Random], None]


def make_jobs(w: World, chance: random.Random) -> None:
    """Four to seven jobs of all policies; some slow, some failing, some deaf, some chatty."""
    for number in range(chance.randint(4, 7)):
        every_s = chance.choice([5, 7, 10, 15, 30, 60])
        behaviour = Behaviour(
            duration_s=chance.choice([0.05, 0.05, 0.5, 2.0, every_s * 0.7, every_s * 1.4, every_s * 2.5]),
            exit_code=chance.choice([0, 0, 0, 0, 3]),
            is_deaf=chance.random() < 0.15,
            is_broken=chance.random() < 0.04,
            lines=chance.choice([0, 1, 1, 5, 400]),
        )
        fields: dict[str, Any] = {
            "overlap": chance.choice(list(Overlap)),
            "catch_up": chance.choice(list(CatchUp)),
            "start_deadline_s": chance.choice([2, 5, 10, 30]),
            "kill_grace_s": chance.choice([1, 3, 10]),
            "timeout_s": chance.choice([0, 8, 60, 3600]),
        }
        if chance.random() < 0.25:
            fields["catch_up_window_s"] = chance.choice([0, 20, 120, 3600])
        if behaviour.duration_s > every_s:
            # A job slower than its interval that may catch up for an hour is behind for that hour.
            fields["catch_up_window_s"] = chance.choice([0, 20])
        elif 2 * behaviour.duration_s > every_s:
            fields["catch_up_window_s"] = 20
        if chance.random() < 0.3:
            on = chance.choice([("failed",), ("failed", "timed_out", "lost"), ("lost",)])
            fields["retry"] = {"max_attempts": 3, "delay_s": chance.choice([0, 1, 5]), "on": on}
        if chance.random() < 0.15:
            fields["jitter_s"] = chance.choice([1, 5])
        if chance.random() < 0.5:
            w.save_job(f"job{number}", every_s=every_s, behaviour=behaviour, **fields)
        else:
            step = chance.choice(["*/5", "*/10", "*/20", "0"])
            w.save_job(f"job{number}", behaviour=behaviour, schedule=f"{step} * * * * *", **fields)


def is_overloaded(w: World) -> bool:
    """Whether the jobs, as they are now, want more than two thirds of all slots on average."""
    wanted = 0.0
    for specs in w.specs.values():
        spec = specs[-1]
        if spec.uid in w.deleted_at or not spec.enabled or spec.schedule is None:
            continue
        busy = busy_share(spec)
        wanted += min(1.0, busy) if spec.is_exclusive else busy
    return wanted > sum(node.settings.slots for node in w.nodes.values()) * 2 / 3


def busy_share(spec: JobSpec) -> float:
    """How many slots a job wants on average, with the attempts that are made after failures."""
    if spec.schedule is None:
        return 0.0
    schedule = parse_schedule(spec.schedule, spec.timezone, uid=spec.uid, anchor=spec.created_at)
    behaviour = Behaviour.read(spec.command or "")
    is_timed_out = 0 < spec.timeout_s < behaviour.duration_s
    outcome = "timed_out" if is_timed_out else "failed" if behaviour.exit_code else "succeeded"
    attempts = spec.retry.max_attempts if outcome in spec.retry.on else 1
    return attempts * behaviour.duration_s / typical_interval_s(schedule, spec.changed_at)


def make_storm(w: World, chance: random.Random) -> None:
    """Plan the faults of one storm; at its end everything is well again."""
    count = chance.randint(4, 14)
    for _ in range(count):
        w.at(chance.uniform(FIRST_FAULT_S, STORM_S - 5), _strike, w, chance.choice(FAULTS), chance)
    w.at(STORM_S, clear_up, w)
    w.at(STORM_S + LONGEST_STOP_S, start_all, w)


def clear_up(w: World) -> None:
    """The end of the storm: everything that was broken works again."""
    w.note_fault("calm", "-")
    for client in w.clients():
        _make_healthy(w, client.name)
        if client.partitioned:
            client.partitioned = False
    w.store.paused = False
    w.store.away = False
    w.history.is_away = False
    w.history.loses_answers = False
    w.history.delay_s = lambda: 0.002
    for node in w.nodes.values():
        node.machine.fails_to_spawn = False
        node.disk.is_full = False
        clock = node.machine.clock
        clock.run_at(0.0)
        if abs(clock.offset_s) > 1.0:
            clock.step(-clock.offset_s)
        if node.is_frozen:
            node.hosts[-1].thaw()
    start_all(w)


def start_all(w: World) -> None:
    """Everybody runs; called again for a worker that was still stopping when the storm ended."""
    for program in [*w.nodes.values(), *w.masters.values()]:
        program.start()


def _strike(w: World, fault: Fault, chance: random.Random) -> None:
    fault(w, chance)


def _some_worker(w: World, chance: random.Random) -> str:
    return chance.choice(sorted(w.nodes))


def _some_job(w: World, chance: random.Random) -> str:
    return chance.choice(sorted({specs[0].name for specs in w.specs.values()}))


def _later(w: World, seconds: float, action: Callable[..., object], *args: Any) -> None:
    """Undo a fault, at the latest when the storm ends."""
    w.at(min(w.loop.time() + seconds, STORM_S - 1), action, *args)


def _turn_deaf(w: World) -> str | None:
    """Let the exclusive command that has longest to run ignore TERM; its host."""
    running = [
        (process.ends_s, node.name, process)
        for node in w.nodes.values()
        for process in node.machine.processes.values()
        if (spec := w.newest_spec(process.execution)) is not None and spec.is_exclusive
    ]
    if not running:
        return None
    _, name, process = max(running, key=lambda one: one[:2])
    process.behaviour = replace(process.behaviour, is_deaf=True)
    return name


def _make_healthy(w: World, name: str) -> None:
    client = w.store.client(name)
    client.delay_s = lambda: w.chance.uniform(0.0005, 0.003)
    client.answer_delay_s = None
    client.lose_request = lambda _kind: False
    client.lose_answer = lambda _kind: False


# the faults


def slow_network(w: World, chance: random.Random) -> None:
    name, most_s = _some_worker(w, chance), chance.choice([0.05, 0.3, 1.0, 2.0])
    w.note_fault("slow_network", name, most_s=most_s)
    w.store.client(name).delay_s = lambda: w.chance.uniform(0.0, most_s)
    _later(w, chance.uniform(5, 60), _make_healthy, w, name)


def lost_requests(w: World, chance: random.Random) -> None:
    name, share = _some_worker(w, chance), chance.choice([0.1, 0.5])
    w.note_fault("lost_requests", name, share=share)
    w.store.client(name).lose_request = lambda _kind: w.chance.random() < share
    _later(w, chance.uniform(5, 60), _make_healthy, w, name)


def lost_answers(w: World, chance: random.Random) -> None:
    name, share = _some_worker(w, chance), chance.choice([0.1, 0.5])
    w.note_fault("lost_answers", name, share=share)
    w.store.client(name).lose_answer = lambda _kind: w.chance.random() < share
    _later(w, chance.uniform(5, 60), _make_healthy, w, name)


def slow_answers_then_cut(w: World, chance: random.Random) -> None:
    """
    Renewals are answered as late as may be, then nothing comes any more: the hardest case for the deadline.

    It strikes where an exclusive command will not listen, so that only the KILL at the last moment ends it.
    """
    name = _some_worker(w, chance)
    name = _turn_deaf(w) or name
    w.note_fault("slow_answers", name)
    w.store.client(name).answer_delay_s = lambda: 1.9
    _later(w, chance.uniform(6, 12), w.partition, name)
    _later(w, 40, w.heal, name)
    _later(w, 41, _make_healthy, w, name)


def partition(w: World, chance: random.Random) -> None:
    name = chance.choice(sorted([*w.nodes, *w.masters]))
    w.partition(name)
    _later(w, chance.choice([2, 6, 15, 45, 90]), w.heal, name)


def leader_pause(w: World, chance: random.Random) -> None:
    w.etcd_without_leader(chance.choice([0.5, 2, 6]))


def store_away(w: World, chance: random.Random) -> None:
    w.etcd_away(chance.choice([1, 8, 40]))


def store_restart(w: World, chance: random.Random) -> None:
    w.note_fault("store_restart", "etcd")
    w.store.restart()


def compaction(w: World, chance: random.Random) -> None:
    w.note_fault("compaction", "etcd")
    w.store.compact()
    for client in w.clients():
        if chance.random() < 0.5:
            client.drop_watches()


def lease_end(w: World, chance: random.Random) -> None:
    """An operator ends a session that is alive and well, and its worker hears of it late."""
    name = _some_worker(w, chance)
    w.note_fault("slow_network", name, most_s=0.7)
    w.store.client(name).delay_s = lambda: 0.7
    _later(w, 3, _end_session, w, name)
    _later(w, 8, _make_healthy, w, name)


def _end_session(w: World, name: str) -> None:
    health = w.store.get(KEYS.health(name))
    if health is not None and health.lease:
        w.note_fault("lease_end", name)
        w.note_revoked(name)
        w.store.expire(health.lease)


def crash(w: World, chance: random.Random) -> None:
    name = chance.choice(sorted([*w.nodes, *w.nodes, *w.masters]))
    w.crash(name)
    _later(w, chance.choice([0.5, 3, 20, 60]), w.start, name)


def stop(w: World, chance: random.Random) -> None:
    name = _some_worker(w, chance)
    w.stop(name)
    _later(w, chance.choice([40, 60]), w.start, name)


def freeze(w: World, chance: random.Random) -> None:
    name = _some_worker(w, chance)
    left_s = STORM_S - w.loop.time()
    w.freeze(name, min(left_s, chance.choice([1, 5, 12, 30])))


def clock_step(w: World, chance: random.Random) -> None:
    name = _some_worker(w, chance)
    w.step_clock(name, chance.choice([1.5, -1.5, 5, -5, 60, -60, 3600, -3600]))


def clock_drift(w: World, chance: random.Random) -> None:
    name, drift = _some_worker(w, chance), chance.choice([0.002, -0.002, 0.01, -0.01])
    w.note_fault("clock_drift", name, drift=drift)
    w.nodes[name].machine.clock.run_at(drift)


def database_away(w: World, chance: random.Random) -> None:
    w.mongo_away(chance.choice([3, 30, 90]))


def database_slow(w: World, chance: random.Random) -> None:
    w.note_fault("mongo_slow", "mongodb")
    w.history.delay_s = lambda: w.chance.uniform(0.0, 6.0)

    def recover() -> None:
        w.history.delay_s = lambda: 0.002

    _later(w, chance.uniform(5, 40), recover)


def database_loses_answers(w: World, chance: random.Random) -> None:
    w.note_fault("mongo_answers_lost", "mongodb")
    w.history.loses_answers = True

    def recover() -> None:
        w.history.loses_answers = False

    _later(w, chance.uniform(3, 30), recover)


def spawn_failure(w: World, chance: random.Random) -> None:
    machine = w.nodes[_some_worker(w, chance)].machine
    w.note_fault("spawn_failure", machine.name)
    machine.fails_to_spawn = True

    def recover() -> None:
        machine.fails_to_spawn = False

    _later(w, chance.uniform(3, 30), recover)


def disk_full(w: World, chance: random.Random) -> None:
    disk = w.nodes[_some_worker(w, chance)].disk
    w.note_fault("disk_full", "-")
    disk.is_full = True

    def recover() -> None:
        disk.is_full = False

    _later(w, chance.uniform(3, 30), recover)


def edit(w: World, chance: random.Random) -> None:
    w.change_job(_some_job(w, chance), description=f"edited {chance.random():.6f}")


def edit_schedule(w: World, chance: random.Random) -> None:
    w.change_job(_some_job(w, chance), schedule=f"@every {chance.choice([6, 11, 20])}s")


def edit_while_deaf(w: World, chance: random.Random) -> None:
    """A job is saved while nobody's watch is up: it must be heard of afterwards."""
    w.note_fault("deaf", "all")
    for client in w.clients():
        client.lose_request = lambda _kind: True
        client.drop_watches()
        _later(w, 3, _make_healthy, w, client.name)
    _later(w, 1, edit, w, chance)


def disable(w: World, chance: random.Random) -> None:
    name = _some_job(w, chance)
    w.disable(name)
    _later(w, chance.uniform(5, 60), w.enable, name)


def delete(w: World, chance: random.Random) -> None:
    name = _some_job(w, chance)
    newest = w.specs[w.uid(name)][-1]
    w.delete_job(name)
    if chance.random() < 0.5:
        _later(w, chance.uniform(1, 30), _recreate, w, name, newest)


def _recreate(w: World, name: str, like: JobSpec) -> None:
    known = like.definition().model_dump(exclude={"name", "command"})
    w.save_job(name, behaviour=Behaviour.read(like.command or ""), **known)


def kill(w: World, chance: random.Random) -> None:
    w.kill_running(_some_job(w, chance))


def run_now(w: World, chance: random.Random) -> None:
    w.run_job(_some_job(w, chance))


FAULTS: Final[tuple[Fault, ...]] = (
    slow_network,
    lost_requests,
    lost_answers,
    lost_answers,
    slow_answers_then_cut,
    partition,
    partition,
    leader_pause,
    store_away,
    store_restart,
    compaction,
    compaction,
    lease_end,
    crash,
    crash,
    crash,
    stop,
    freeze,
    freeze,
    clock_step,
    clock_drift,
    database_away,
    database_slow,
    database_loses_answers,
    spawn_failure,
    disk_full,
    edit,
    edit_schedule,
    edit_while_deaf,
    disable,
    delete,
    kill,
    kill,
    run_now,
)
