"""A whole installation that can be broken: etcd and MongoDB, a master, workers, and jobs that leave marks.

Programs start as users start them, from a configuration file; each can be stopped, killed, frozen and started
again. What ran is known from the marks of the commands, and which worker ran it from the parent process they
name, so nothing that is judged here comes from the product but its records.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import psutil
from pymongo import MongoClient
from pymongo.database import Database

from common.domain.codec import decode_cursor, decode_job
from common.domain.execution import Status
from common.domain.ids import epoch_s
from common.domain.job import JobSpec
from common.domain.keys import Keyspace
from common.kv.etcd import EtcdStore
from common.kv.etcd_settings import EtcdSettings
from common.kv.values import KeyValue
from tests import servers
from tests.faults.evidence import (
    Evidence,
    Frozen,
    JobVersion,
    Mark,
    Phase,
    marking_command,
    read_marks,
    versions_of,
)
from tests.faults.judging import Rules, Verdict, expected_ticks, judge
from tests.faults.programs import Program, faketime_environment

KEYS: Final = Keyspace()
DATABASE: Final = "faults"
#: The shortest lease a worker may have; faults that wait for its end take the least time with it.
TTL_S: Final = 5
_READY_LIMIT_S: Final = 60.0
_OURS: Final = ("EVERYTICK_", "MASTER_", "WORKER_")
_TERMINAL: Final = [status.value for status in Status if status.is_terminal]


def hold(seconds: float) -> None:
    """Let the load, or the fault, go on for this long; nothing is waited for."""
    time.sleep(seconds)


@dataclass
class Cluster:
    """What is running, and what is known of it."""

    directory: Path
    etcd: servers.EtcdServer
    mongo: servers.MongoServer
    database: Database[dict[str, Any]]
    master: Program = field(init=False)
    workers: dict[str, Program] = field(default_factory=dict)
    since: float = field(init=False)
    _skew_s: dict[str, float] = field(default_factory=dict)
    #: By their command hosts, which start the commands.
    _worker_of_pid: dict[int, str] = field(default_factory=dict)
    _versions: dict[tuple[str, int], JobSpec] = field(default_factory=dict)

    # --- programs ---

    def start_master(self) -> None:
        """Start the master; `save` waits for it."""
        port = servers.free_port()
        settings = {"apiPort": port, "adminTokenFile": str(self.directory / "admin-token")}
        self.master = self._program("master", "master", f"http://127.0.0.1:{port}", settings, {})
        self.master.start()

    def start_workers(self, *names: str, skew_s: Sequence[float] = (), **settings: object) -> None:
        """Start workers side by side and wait until they take ticks; *skew_s*: how wrong their clocks are."""
        offsets = skew_s or [0.0] * len(names)
        for name, offset_s in zip(names, offsets, strict=True):
            port = servers.free_port()
            environment = faketime_environment(offset_s) if offset_s else {}
            own = {"workerId": name, "healthPort": port, "executorThreads": 40, "jobLockTtl": TTL_S}
            self.workers[name] = self._program(
                "worker", name, f"http://127.0.0.1:{port}", own | settings, environment
            )
            self._skew_s[name] = offset_s
        self.restart_workers(*names)

    def restart_workers(self, *names: str) -> None:
        """Start *names* again, as they were configured."""
        for name in names:
            self.workers[name].start()
        for name in names:
            self.workers[name].wait_ready()
            self._worker_of_pid[command_host_of(self.workers[name].pid)] = name

    def _program(
        self, kind: str, name: str, address: str, settings: dict[str, object], environment: dict[str, str]
    ) -> Program:
        directory = self.directory / name
        directory.mkdir()
        config = {
            "etcdEndpoints": [self.etcd.endpoint],
            "allowUnsafeEtcd": True,
            "mongoUri": self.mongo.uri,
            "mongoDatabase": DATABASE,
            "stateDir": str(directory / "state"),
            "logFormat": "json",
            "logLevel": "warning",
        } | settings
        path = directory / f"{kind}.json"
        path.write_text(json.dumps(config))
        ours = {key: value for key, value in os.environ.items() if not key.startswith(_OURS)}
        command = (sys.executable, "-m", kind, "-config", str(path))
        return Program(name, command, directory / "program.log", address, ours | environment)

    def stop_everything(self) -> None:
        """Whatever happened: nothing is left running, no command either."""
        programs = [*self.workers.values(), *([self.master] if hasattr(self, "master") else [])]
        for program in programs:
            if program.is_running:
                program.kill()
        for pid in self.commands_alive():
            os.kill(pid, 9)

    # --- jobs ---

    def client(self) -> httpx2.Client:
        token = (self.directory / "admin-token").read_text().strip()
        return httpx2.Client(
            base_url=f"{self.master.ready_address}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
            trust_env=False,
        )

    def marking(self, duration_s: float = 0.05) -> str:
        """A command that marks its start and end, names its worker, and tells of anything leaked into it."""
        leak = f'[ -z "$LD_PRELOAD$FAKETIME" ] || echo "$CRON_EXECUTION" >> {self.leaked}'
        return f"MARK_HOST=$PPID; {leak}; {marking_command(str(self.marker), duration_s=duration_s)}"

    def save(self, *jobs: Mapping[str, Any]) -> None:
        """Save *jobs* over HTTP; from now on their ticks are judged."""
        self.master.wait_ready()
        self.since = time.time()
        with self.client() as http:
            for job in jobs:
                answer = http.post("/job/save", json=dict(job))
                assert answer.is_success, answer.text
        self._remember_versions()

    def wait_current(self, limit_s: float = 60.0) -> None:
        """Wait until every tick up to two seconds ago is decided: whatever the fault held up is caught up."""

        def is_current() -> bool:
            until = time.time() - 2.0
            cursors = {kv.key: kv for kv in self.keys(KEYS.cursors)}
            for version in self.versions():
                ticks = expected_ticks(version, since=until - 10, until=until)
                key = KEYS.cursor(version.spec.uid)
                if ticks and epoch_s(decode_cursor(key, cursors[key].value)) < ticks[-1]:
                    return False
            return True

        servers.wait_until(is_current, "decision of every tick", limit_s, every_s=0.2)

    def settle(self, limit_s: float = 60.0) -> None:
        """Disable and kill every job, and wait until all that ran has its final record in MongoDB."""
        names = sorted({spec.name for spec in self._versions.values()})
        with self.client() as http:
            for name in names:
                assert http.post(f"/job/disable/{name}", json={}).is_success
            for name in names:
                http.post(f"/job/kill/{name}", json={})
        self._remember_versions()
        servers.wait_until(
            lambda: not self.keys(KEYS.runs), "the end of every execution", limit_s, every_s=0.2
        )
        servers.wait_until(
            lambda: not self.unrecorded(), "a final record of all that ran", limit_s, every_s=0.2
        )

    def versions(self) -> list[JobVersion]:
        """All saved versions of all jobs, each with the instant it ended."""
        by_uid: dict[str, list[JobSpec]] = {}
        for spec in self._versions.values():
            by_uid.setdefault(spec.uid, []).append(spec)
        return [version for saved in by_uid.values() for version in versions_of(saved)]

    def _remember_versions(self) -> None:
        for kv in self.keys(KEYS.jobs):
            spec = decode_job(kv.key, kv.value)
            self._versions[spec.uid, spec.generation] = spec

    # --- what happened ---

    @property
    def marker(self) -> Path:
        return self.directory / "marks"

    @property
    def leaked(self) -> Path:
        """Executions that saw a variable of their worker's environment."""
        return self.directory / "leaked"

    def marks(self) -> list[Mark]:
        """All marks; the host is the worker, `at` is by its clock and `true_at` by ours."""
        if not self.marker.exists():
            return []
        found = []
        for mark in read_marks([self.marker]):
            worker = self._worker_of_pid[int(mark.host)]
            at = mark.at + self._skew_s[worker]
            found.append(Mark(mark.execution, worker, mark.pid, at, mark.phase, true_at=mark.at))
        return found

    def starts(self, job: str | None = None) -> list[Mark]:
        uids = {spec.uid for spec in self._versions.values() if job in (None, spec.name)}
        return [
            mark
            for mark in self.marks()
            if mark.phase is Phase.START and mark.execution.split(".")[0] in uids
        ]

    def uid(self, job: str) -> str:
        return next(spec.uid for spec in self._versions.values() if spec.name == job)

    def unrecorded(self) -> set[str]:
        """Executions that marked their start and have no final document."""
        recorded = self.database["executions"].find({"status": {"$in": _TERMINAL}}, {"_id": 1})
        return {mark.execution for mark in self.marks()} - {document["_id"] for document in recorded}

    def commands_alive(self) -> dict[int, str]:
        """Processes that belong to a job of ours by their environment, each with its execution."""
        uids = {uid for uid, _ in self._versions}
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            try:
                variables = (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            for variable in variables:
                name, _, execution = variable.decode(errors="replace").partition("=")
                if name == "CRON_EXECUTION" and execution.split(".")[0] in uids:
                    found[int(folder.name)] = execution
        return found

    def keys(self, prefix: str) -> tuple[KeyValue, ...]:
        """What etcd holds below *prefix*."""

        async def read() -> tuple[KeyValue, ...]:
            async with EtcdStore(EtcdSettings(endpoints=(self.etcd.endpoint,))) as store:
                return tuple((await store.list(prefix)).items)

        return asyncio.run(read())

    def ledger(self, job: str) -> list[dict[str, Any]]:
        """`GET /job/{name}/ledger`, all pages, oldest first."""
        entries: list[dict[str, Any]] = []
        token: str | None = None
        with self.client() as http:
            while True:
                page = {"page_size": "1000"} | ({"page_token": token} if token else {})
                answer = http.get(f"/job/{job}/ledger", params=page)
                assert answer.is_success, answer.text
                entries += answer.json()["items"]
                token = answer.json()["next_page_token"]
                if token is None:
                    return sorted(entries, key=lambda entry: entry["tick"])

    def verdict(self, *, frozen: Sequence[Frozen] = (), clock_bound_s: float = 0.0) -> Verdict:
        """
        Judge everything since the jobs were saved; call `settle` first.

        Jobs are disabled and every execution is closed by then, so nothing can become of a tick any more: the
        observation counts as endless.
        """
        evidence = Evidence(
            versions=self.versions(),
            marks=self.marks(),
            executions={document["_id"]: document for document in self.database["executions"].find()},
            ledger=list(self.database["ledger"].find()),
            since=self.since,
            until=time.time() + 3600,
            frozen=frozen,
            alive=frozenset(),
        )
        return judge(evidence, Rules(clock_bound_s=clock_bound_s, settle_s=0))

    def tracebacks(self) -> list[str]:
        """Programs whose log shows one."""
        programs = [self.master, *self.workers.values()]
        return [program.name for program in programs if "Traceback" in program.log_path.read_text()]


@contextmanager
def running_cluster(directory: Path) -> Iterator[Cluster]:
    """etcd that syncs to disk, MongoDB and a master; whatever is started on it ends with the context."""
    with ExitStack() as stack:
        durable = ("--unsafe-no-fsync=false",)
        with ThreadPoolExecutor() as side_by_side:
            starting = side_by_side.submit(servers.start_mongod, servers.find_mongod(), directory / "mongo")
            etcd = servers.start_etcd(servers.find_etcd("3.5"), directory / "etcd", arguments=durable)
            stack.callback(etcd.stop)
            mongo = starting.result()
        stack.callback(mongo.stop)
        client: MongoClient[dict[str, Any]] = stack.enter_context(MongoClient(mongo.uri, tz_aware=True))
        cluster = Cluster(directory, etcd, mongo, client[DATABASE])
        stack.callback(cluster.stop_everything)
        cluster.start_master()
        yield cluster


def command_host_of(pid: int) -> int:
    """The process that runs the commands of the worker *pid*."""
    children = psutil.Process(pid).children(recursive=True)
    return next(child.pid for child in children if "worker.command_host" in child.cmdline())
