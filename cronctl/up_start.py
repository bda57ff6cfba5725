"""Bring up everything in order: servers, master, workers, sample job; each step says how long it took.

Nothing here survives a failure: whoever calls owns the supervisor and stops what was started.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2

from common.domain.errors import CronError
from cronctl import up_commands, up_readiness
from cronctl.up_child import Child
from cronctl.up_layout import Addresses, DataDir
from cronctl.up_listening import and_listens
from cronctl.up_ports import Ports
from cronctl.up_programs import find_program, find_server
from cronctl.up_sample import SAMPLE_NAME, create_sample
from cronctl.up_supervision import Supervisor
from cronctl.up_welcome import ask_welcome

USUAL_API_PORT: Final = 8070
_USUAL_ETCD_PORTS: Final = (2379, 2380)
_USUAL_MONGO_PORT: Final = 27017
_SERVER_LIMIT_S: Final = 90.0
_PROGRAM_LIMIT_S: Final = 60.0
_ETCD_STOP_S: Final = 15.0
_MONGO_STOP_S: Final = 30.0
_MASTER_STOP_S: Final = 20.0
_ASK_TIMEOUT_S: Final = 5.0


class NoAdminToken(CronError):
    """The master did not write its admin token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """What the command line of `cronctl up` asks for."""

    data_dir: DataDir
    workers: int
    port: int | None
    with_sample: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What is up, for the closing lines."""

    api: str
    token: str
    welcome: str | None
    """Path of the page that makes the first account; None once there is one."""
    sample_was_created: bool


@dataclass(frozen=True, slots=True)
class _Places:
    """The ports of this start."""

    etcd_client: int
    etcd_peer: int
    mongo: int
    api: int

    @property
    def addresses(self) -> Addresses:
        return Addresses(
            api=f"http://127.0.0.1:{self.api}",
            etcd=f"http://127.0.0.1:{self.etcd_client}",
            mongo=f"mongodb://127.0.0.1:{self.mongo}",
        )


class Start:
    """One start of everything."""

    def __init__(
        self,
        options: UpOptions,
        supervisor: Supervisor,
        say: Callable[[str], None],
        env: Mapping[str, str],
        *,
        usual_ports: bool = True,
    ) -> None:
        """
        Args:
            usual_ports: Prefer those of the last start and the well-known ones; else any that are free.
        """
        self._usual_ports = usual_ports
        self._options = options
        self._dir = options.data_dir
        self._supervisor = supervisor
        self._say = say
        self._env = env

    async def run(self) -> Running:
        """
        Start everything and return when it is ready.

        Raises:
            CronError: A program is missing, ended or did not become ready; a port is taken.
        """
        etcd_program, mongod_program = find_server("etcd"), find_server("mongod")
        master_program, worker_program = find_program("master"), find_program("worker")
        places = choose_places(self._dir.read_addresses(), self._options.port, usual_ports=self._usual_ports)
        addresses = places.addresses
        # Loopback only: a proxy of the environment must not see these requests.
        async with httpx2.AsyncClient(timeout=_ASK_TIMEOUT_S, trust_env=False) as client:
            await self._servers(client, places, etcd_program, mongod_program)
            await self._master(client, master_program, addresses, places.api)
            self._dir.write_addresses(addresses)
            token = self._admin_token()
            await self._workers(client, worker_program, addresses, token)
            created = False
            if self._options.with_sample:
                created = await create_sample(client, addresses.api, token, self._dir)
                if created:
                    self._say(f"  job '{SAMPLE_NAME}' created, due every 10 s")
            welcome = await ask_welcome(client, addresses.api, token)
        return Running(api=addresses.api, token=token, welcome=welcome, sample_was_created=created)

    async def _servers(
        self, client: httpx2.AsyncClient, places: _Places, etcd_program: Path, mongod_program: Path
    ) -> None:
        etcd = Child(
            "etcd",
            up_commands.etcd_argv(
                etcd_program, data=self._dir.etcd, client_port=places.etcd_client, peer_port=places.etcd_peer
            ),
            log=self._dir.log("etcd"),
            stop_limit_s=_ETCD_STOP_S,
        )
        mongod = Child(
            "mongod",
            up_commands.mongod_argv(mongod_program, data=self._dir.mongo, port=places.mongo),
            log=self._dir.log("mongod"),
            stop_limit_s=_MONGO_STOP_S,
        )
        started_s = time.monotonic()
        # Both start at once, and are stopped one after the other: MongoDB first.
        await self._supervisor.start_group([etcd])
        await self._supervisor.start_group([mongod])
        etcd_ready = up_readiness.etcd_is_healthy(client, places.addresses.etcd)
        etcd_ready = and_listens(etcd_ready, etcd.pid, places.etcd_client)
        await self._supervisor.until(etcd_ready, etcd, limit_s=_SERVER_LIMIT_S)
        self._ready(f"etcd on port {places.etcd_client} ({etcd_program})", started_s)
        mongo_ready = and_listens(up_readiness.port_answers(places.mongo), mongod.pid, places.mongo)
        await self._supervisor.until(mongo_ready, mongod, limit_s=_SERVER_LIMIT_S)
        self._ready(f"MongoDB on port {places.mongo} ({mongod_program})", started_s)

    async def _master(
        self, client: httpx2.AsyncClient, program: Path, addresses: Addresses, port: int
    ) -> None:
        config = self._dir.config("master")
        up_commands.write_config(config, master_config(self._dir, addresses, port))
        master = Child(
            "master",
            up_commands.program_argv(program, config),
            log=self._dir.log("master"),
            stop_limit_s=_MASTER_STOP_S,
        )
        started_s = time.monotonic()
        await self._supervisor.start_group([master])
        ready = and_listens(up_readiness.master_is_ready(client, addresses.api), master.pid, port)
        await self._supervisor.until(ready, master, limit_s=_PROGRAM_LIMIT_S)
        self._ready(f"master on port {port}", started_s)

    async def _workers(
        self, client: httpx2.AsyncClient, program: Path, addresses: Addresses, token: str
    ) -> None:
        workers = [self._worker(program, addresses, number) for number in range(1, self._options.workers + 1)]
        if not workers:
            return
        started_s = time.monotonic()
        await self._supervisor.start_group(workers)
        names = {worker.name for worker in workers}
        ready = up_readiness.workers_are_online(client, addresses.api, token, names)
        await self._supervisor.until(ready, workers[0], limit_s=_PROGRAM_LIMIT_S)
        self._ready(f"{', '.join(worker.name for worker in workers)} online", started_s)

    def _worker(self, program: Path, addresses: Addresses, number: int) -> Child:
        name = f"worker-{number}"
        config = self._dir.config(name)
        up_commands.write_config(config, worker_config(self._dir, addresses, name))
        return Child(
            name,
            up_commands.program_argv(program, config),
            log=self._dir.log(name),
            stop_limit_s=up_commands.worker_stop_limit_s(config, self._env),
        )

    def _admin_token(self) -> str:
        try:
            token = self._dir.admin_token.read_text().strip()
        except OSError as error:
            raise NoAdminToken(f"cannot read {self._dir.admin_token}: {error.strerror}") from error
        if not token:
            raise NoAdminToken(f"{self._dir.admin_token} is empty; delete it and start again")
        return token

    def _ready(self, what: str, started_s: float) -> None:
        self._say(f"  {what}, ready after {time.monotonic() - started_s:.1f} s")


def choose_places(last: Addresses | None, api_port: int | None, *, usual_ports: bool = True) -> _Places:
    """
    Choose the ports: those of the *last* start where they are free, else the usual ones, else any.

    Args:
        api_port: The port that was asked for; then no other will do.
        usual_ports: False after a port was lost: whoever took it may want the others a moment later.

    Raises:
        PortTaken: *api_port* is in use.
    """
    ports = Ports()

    def choose(before: str | None, usual: int) -> int:
        return ports.first_free((*_port_of(before), usual) if usual_ports else ())

    return _Places(
        api=ports.exactly(api_port) if api_port else choose(last.api if last else None, USUAL_API_PORT),
        etcd_client=choose(last.etcd if last else None, _USUAL_ETCD_PORTS[0]),
        etcd_peer=choose(None, _USUAL_ETCD_PORTS[1]),
        mongo=choose(last.mongo if last else None, _USUAL_MONGO_PORT),
    )


def _port_of(address: str | None) -> tuple[int, ...]:
    try:
        port = urlsplit(address).port if address else None
    except ValueError:
        return ()
    return (int(port),) if port else ()


def master_config(data_dir: DataDir, addresses: Addresses, port: int) -> dict[str, object]:
    """The keys of `master.json` that `cronctl up` owns."""
    return {
        "etcdEndpoints": [addresses.etcd],
        "mongoUri": addresses.mongo,
        "apiHost": "127.0.0.1",
        "apiPort": port,
        "adminTokenFile": str(data_dir.admin_token),
        # The wheel's etcd is a 3.5.1; its fault needs a crash under load on several members.
        "allowUnsafeEtcd": True,
    }


def worker_config(data_dir: DataDir, addresses: Addresses, name: str) -> dict[str, object]:
    """The keys of `worker-N.json` that `cronctl up` owns."""
    state = data_dir.state(name)
    return {
        "workerId": name,
        "etcdEndpoints": [addresses.etcd],
        "mongoUri": addresses.mongo,
        "stateDir": str(state),
        "spoolDir": str(state / "spool"),
        "allowUnsafeEtcd": True,
    }
