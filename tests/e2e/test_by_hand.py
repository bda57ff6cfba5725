"""Masters and workers started by hand, with the two configuration files of the repository."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest

from tests import servers
from tests.e2e.installation import clean_environment, duplicates, eventually, marked_ticks, marking_command

ROOT = Path(__file__).parents[2]
WORKERS = ("worker-a", "worker-b", "worker-c")


@contextmanager
def program(name: str, *arguments: str, log: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """One `master` or `worker`, ended with TERM."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [Path(sys.executable).with_name(name), "-config", str(ROOT / f"{name}.json"), *arguments],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=env,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def apis(etcd_endpoint, mongo_uri, key_prefix, tmp_path):
    """The addresses of two masters, with three workers behind them."""
    shared = {
        "ETCD_ENDPOINTS": json.dumps([etcd_endpoint]),
        "MONGO_URI": mongo_uri,
        "MONGO_DATABASE": f"byhand_{os.getpid()}",
        "KEY_PREFIX": key_prefix + "cron/",
        "HEALTH_PREFIX": key_prefix + "health/",
        "ALLOW_UNSAFE_ETCD": "true",
    }
    env = clean_environment(
        XDG_STATE_HOME=str(tmp_path / "state"),
        **{f"{name}_{key}": value for name in ("MASTER", "WORKER") for key, value in shared.items()},
    )
    ports = [servers.free_port() for _ in range(2)]
    with ExitStack() as stack:
        for port in ports:
            settings = ("--set", f"apiPort={port}", "--set", f"adminTokenFile={tmp_path / 'admin-token'}")
            stack.enter_context(program("master", *settings, log=tmp_path / f"master-{port}.log", env=env))
        for name in WORKERS:
            settings = ("--set", f"workerId={name}", "--set", f"stateDir={tmp_path / name}")
            stack.enter_context(program("worker", *settings, log=tmp_path / f"{name}.log", env=env))
        yield [f"http://127.0.0.1:{port}" for port in ports], tmp_path / "admin-token"


def is_ready(api):
    try:
        return httpx2.get(f"{api}/readyz", timeout=2, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False


def test_two_masters_and_three_workers(apis, tmp_path):
    """What one master saves the other shows, three workers share the work, and no tick runs twice."""
    addresses, token_file = apis
    for api in addresses:
        eventually(lambda api=api: is_ready(api), f"{api} being ready", within_s=40)
    headers = {"Authorization": f"Bearer {token_file.read_text().strip()}"}
    first, second = (
        httpx2.Client(base_url=f"{api}/api/v1", headers=headers, timeout=10, trust_env=False)
        for api in addresses
    )
    with first, second:
        eventually(lambda: second.get("/worker/stats").json()["online"] == 3, "three workers", within_s=40)
        markers = {f"shared-{number}": tmp_path / f"marker-{number}" for number in range(6)}
        for name, marker in markers.items():
            job = {"name": name, "schedule": "* * * * * *", "command": marking_command(marker)}
            assert 200 == first.post("/job/save", json=job).status_code
        for marker in markers.values():
            eventually(lambda marker=marker: len(marked_ticks(marker)) > 5, "six runs", within_s=30)
        names = {job["name"] for job in second.get("/job/list").json()["items"]}
        for name in markers:
            second.post(f"/job/disable/{name}", json={})
        finished_by_s = time.monotonic() + 20
        workers: set[str] = set()
        while len(workers) < 2 and time.monotonic() < finished_by_s:
            items = second.get("/log/list", params={"page_size": 100}).json()["items"]
            workers = {execution["worker"] for execution in items}
            time.sleep(0.2)

    assert set(markers) == names
    assert [] == [tick for marker in markers.values() for tick in duplicates(marked_ticks(marker))]
    assert len(workers) > 1
