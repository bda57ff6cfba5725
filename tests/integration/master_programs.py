"""Two masters as programs over real servers, and people who listen to their live streams."""

import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from common.domain.keys import Keyspace
from tests import servers
from tests.e2e.installation import clean_environment, eventually
from tests.faults.programs import Program

EventRow = tuple[str, dict[str, Any]]


@dataclass
class Listener:
    """One open stream, read by a thread of its own."""

    events: list[EventRow] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    headers: httpx2.Headers = field(default_factory=httpx2.Headers)
    status: int = 0
    has_ended: threading.Event = field(default_factory=threading.Event)

    def about(self, name: str) -> list[dict[str, Any]]:
        return [data for kind, data in self.events if kind == name]


@dataclass
class Masters:
    """Two masters over the same etcd and MongoDB."""

    programs: list[Program]
    token: str
    keys: Keyspace
    stack: ExitStack

    def client(self, number: int = 0, credential: Mapping[str, str] | None = None) -> httpx2.Client:
        """A client with the headers of *credential*, else with the admin token."""
        return httpx2.Client(
            base_url=f"{self.programs[number].ready_address}/api/v1",
            headers=credential or {"Authorization": f"Bearer {self.token}"},
            timeout=10,
            trust_env=False,
        )

    def listen(
        self,
        number: int = 0,
        last_event_id: str = "",
        *,
        credential: Mapping[str, str] | None = None,
        **query: str,
    ) -> Listener:
        """Open a stream and return once it has said hello."""
        listener = Listener()
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        client = self.stack.enter_context(self.client(number, credential))
        threading.Thread(target=self._read, args=(client, listener, headers, query), daemon=True).start()
        eventually(lambda: listener.events or listener.has_ended.is_set(), "the first word of a stream")
        return listener

    @staticmethod
    def _read(
        client: httpx2.Client, listener: Listener, headers: dict[str, str], query: dict[str, str]
    ) -> None:
        try:
            with client.stream("GET", "/events", headers=headers, params=query, timeout=60) as answer:
                listener.status, listener.headers = answer.status_code, answer.headers
                event: dict[str, str] = {}
                for line in answer.iter_lines():
                    if line and not line.startswith(":"):
                        name, _, value = line.partition(": ")
                        event[name] = value
                    elif event.get("event"):
                        listener.ids.append(event["id"])
                        listener.events.append((event["event"], json.loads(event["data"])))
                        event = {}
        except httpx2.HTTPError:
            pass  # the test closed the client, or the master went
        finally:
            listener.has_ended.set()


@contextmanager
def running_masters(
    folder: Path, etcd: str, mongo_uri: str, database: str, key_prefix: str
) -> Iterator[Masters]:
    """Both, ready; ended with TERM."""
    programs = []
    for name in ("m1", "m2"):
        port = servers.free_port()
        path = folder / f"{name}.json"
        path.write_text(
            json.dumps(
                {
                    "etcdEndpoints": [etcd],
                    "allowUnsafeEtcd": True,
                    "mongoUri": mongo_uri,
                    "mongoDatabase": database,
                    "keyPrefix": f"{key_prefix}cron/",
                    "healthPrefix": f"{key_prefix}health/",
                    "apiPort": port,
                    "masterId": name,
                    "adminTokenFile": str(folder / "admin-token"),
                    "stateDir": str(folder / name),
                    "logFormat": "json",
                    "eventStreamsPerUser": 20 if name == "m1" else 200,
                }
            )
        )
        command = (str(Path(sys.executable).with_name("master")), "-config", str(path))
        programs.append(
            Program(name, command, folder / f"{name}.log", f"http://127.0.0.1:{port}", clean_environment())
        )
    with ExitStack() as stack:
        for program in programs:
            program.start()
            stack.callback(lambda one=program: one.is_running and one.kill())
        for program in programs:
            program.wait_ready()
        keys = Keyspace(f"{key_prefix}cron/", f"{key_prefix}health/")
        yield Masters(programs, (folder / "admin-token").read_text().strip(), keys, stack)
