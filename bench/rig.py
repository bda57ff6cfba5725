"""The installation a program measures: its own etcd, MongoDB, workers and master on loopback.

etcd syncs every write to disk here, as it does in production (the tests switch that off), and MongoDB keeps
its journal. All of it lives in one temporary directory and ends with the context.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
from pymongo import MongoClient
from pymongo.database import Database

from bench.usage import raise_open_files
from tests import servers

DATABASE: Final = "bench"
_OURS: Final = ("EVERYTICK_", "MASTER_", "WORKER_")
_READY_LIMIT_S: Final = 120.0


@dataclass
class Program:
    """One of our programs while it runs."""

    name: str
    process: servers.ServerProcess
    directory: Path

    @property
    def pid(self) -> int:
        assert self.process.process is not None
        return self.process.process.pid

    def wait_for_log(self, event: str, limit_s: float = _READY_LIMIT_S) -> dict[str, Any]:
        """The first log event of this name, waiting for it."""
        found: list[dict[str, Any]] = []

        def is_there() -> bool:
            found.extend(entry for entry in self.log() if entry.get("event") == event)
            return bool(found)

        servers.wait_until(is_there, f"{event} of {self.name}", limit_s)
        return found[0]

    def log(self) -> list[dict[str, Any]]:
        """Every event the program has logged so far."""
        lines = self.process.log_path.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


@dataclass
class Rig:
    """What is running."""

    directory: Path
    etcd: servers.EtcdServer
    mongo: servers.MongoServer
    database: Database[dict[str, Any]]
    programs: dict[str, Program] = field(default_factory=dict)

    @property
    def etcd_pid(self) -> int:
        assert self.etcd.process is not None
        return self.etcd.process.pid

    @property
    def mongod_pid(self) -> int:
        assert self.mongo.process is not None
        return self.mongo.process.pid

    def start_worker(self, name: str = "bench-1", *, slots: int = 64, **settings: object) -> Program:
        """Start a worker; it is at work when `wait_planned` says so."""
        return self._start(
            "worker",
            name,
            {"workerId": name, "executorThreads": slots, "heartbeatInterval": 1000, "jobLockTtl": 10}
            | settings,
        )

    def start_master(self, **settings: object) -> "Master":
        """Start a master and wait until it is ready."""
        port = servers.free_port()
        token_file = self.directory / "admin-token"
        program = self._start(
            "master", "master", {"apiPort": port, "adminTokenFile": str(token_file)} | settings
        )
        master = Master(program, f"http://127.0.0.1:{port}", token_file)
        servers.wait_until(master.is_ready, "start of the master", _READY_LIMIT_S)
        return master

    def wait_planned(self, count: int, *workers: str, limit_s: float = _READY_LIMIT_S) -> None:
        """Wait until each of *workers* (all by default) says that it plans *count* jobs."""
        names = workers or tuple(name for name in self.programs if name != "master")
        where = {"_id": {"$in": list(names)}, "planned": count, "status": "online"}

        def all_say_so() -> bool:
            self._fail_if_ended()
            return self.database["workers"].count_documents(where) == len(names)

        servers.wait_until(all_say_so, f"a plan of {count} jobs", limit_s)

    def finished(self) -> int:
        """Executions with a final document; counted in the index of `finished_at`, so it costs little."""
        return self.database["executions"].count_documents({"finished_at": {"$type": "date"}})

    def wait_finished(self, count: int, limit_s: float = 60.0) -> None:
        """Wait until *count* executions in all have their final document."""
        servers.wait_until(lambda: self.finished() >= count, f"{count} final documents", limit_s)

    def wait_settled(self, count: int, quiet_s: float = 10.0, limit_s: float = 60.0) -> None:
        """
        Wait until *count* executions have ended, or none has for *quiet_s*: the rest will not come.

        After *limit_s* what is still to come counts as not started: the worker has fallen far behind.
        """
        seen, seen_at_s = self.finished(), time.monotonic()
        deadline_s = seen_at_s + limit_s
        while seen < count and time.monotonic() < min(seen_at_s + quiet_s, deadline_s):
            time.sleep(0.1)
            now = self.finished()
            if now != seen:
                seen, seen_at_s = now, time.monotonic()

    def etcd_counters(self, *names: str) -> int:
        """The sum of some counters of etcd's own metrics."""
        text = httpx2.get(f"http://{self.etcd.endpoint}/metrics", timeout=10, trust_env=False).text
        values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return sum(int(float(values[name])) for name in names)

    def _fail_if_ended(self) -> None:
        for program in self.programs.values():
            if not program.process.is_running:
                tail = program.process.log_path.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{program.name} has ended:\n{tail}")

    def _start(self, kind: str, name: str, settings: dict[str, object]) -> Program:
        directory = self.directory / name
        directory.mkdir(exist_ok=True)
        config = {
            "etcdEndpoints": [self.etcd.endpoint],
            "allowUnsafeEtcd": True,
            "mongoUri": self.mongo.uri,
            "mongoDatabase": DATABASE,
            "stateDir": str(directory / "state"),
            "logLevel": "warning",
            "logFormat": "json",
        } | settings
        path = directory / f"{kind}.json"
        path.write_text(json.dumps(config))
        command = (sys.executable, "-m", kind, "-config", str(path))
        process = servers.ServerProcess(command, directory / "program.log", in_own_session=True)
        process.start(lambda: True)
        self.programs[name] = Program(name, process, directory)
        return self.programs[name]


@dataclass
class Master:
    """A running master, asked over HTTP."""

    program: Program
    address: str
    token_file: Path

    def is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.address}/readyz", timeout=2, trust_env=False).status_code == 200
        except httpx2.HTTPError:
            return False

    def client(self) -> httpx2.Client:
        """Requests below `/api/v1` with the admin token, on a connection that is kept."""
        return httpx2.Client(
            base_url=f"{self.address}/api/v1",
            headers={"Authorization": f"Bearer {self.token_file.read_text().strip()}"},
            timeout=60,
            trust_env=False,
        )


@contextmanager
def installation() -> Iterator[Rig]:
    """etcd and MongoDB, ready and empty; everything that is started on the rig ends with the context."""
    raise_open_files()
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        del os.environ[name]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="everytick-bench-")))
        etcd = servers.start_etcd(
            servers.find_etcd("3.5"),
            directory / "etcd",
            arguments=("--unsafe-no-fsync=false",),
            in_own_session=True,
        )
        stack.callback(etcd.stop)
        mongo = servers.start_mongod(servers.find_mongod(), directory / "mongo", in_own_session=True)
        stack.callback(mongo.stop)
        client: MongoClient[dict[str, Any]] = stack.enter_context(MongoClient(mongo.uri, tz_aware=True))
        rig = Rig(directory, etcd, mongo, client[DATABASE])
        stack.callback(_stop_all, rig)
        yield rig


def _stop_all(rig: Rig) -> None:
    for program in rig.programs.values():
        if program.process.process is not None and program.process.is_running:
            program.process.process.terminate()
    for program in rig.programs.values():
        program.process.stop()


def poll(ask: Callable[[], bool], *, limit_s: float, every_s: float = 0.005) -> float:
    """
    Ask until the answer is yes; return the seconds that took.

    Raises:
        TimeoutError: It was still no after *limit_s*.
    """
    started_s = time.monotonic()
    while not ask():
        if time.monotonic() - started_s > limit_s:
            raise TimeoutError(f"still not so after {limit_s:.0f} s")
        time.sleep(every_s)
    return time.monotonic() - started_s
