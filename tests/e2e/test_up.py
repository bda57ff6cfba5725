"""`cronctl up` itself: found again, refused twice, killed, and etcd taken away from under it."""

import os
import signal
import subprocess
import time

import pytest

from cronctl.up_process_record import mark
from tests.e2e.installation import (
    CRONCTL,
    Installation,
    clean_environment,
    duplicates,
    eventually,
    marked_ticks,
    marking_command,
)

PROGRAMS = ("etcd", "mongod", "master", "worker-1")


@pytest.fixture
def own(tmp_path):
    """An installation of this test alone, with one worker."""
    installation = Installation(tmp_path / "data", ("--workers", "1"))
    yield installation
    installation.end()


def test_the_next_start_finds_the_data_again(own):
    """Jobs, token and address are those of the first start; the sample job is not made twice."""
    own.start()
    before = (own.api, own.token)
    with own.client() as http:
        http.post("/job/save", json={"name": "kept", "command": "true"})
        http.delete("/job/hello")

    assert 0 == own.stop()

    took_s = own.start()
    with own.client() as http:
        names = [job["name"] for job in http.get("/job/list").json()["items"]]

    assert (before, ["kept"]) == ((own.api, own.token), names)
    # Seven seconds on a machine that does nothing else.
    assert took_s < 60


def test_a_second_start_on_the_same_data_is_refused(installation):
    """The message names the pid and the address of the first one."""
    second = installation.cronctl("up")

    assert 4 == second.returncode
    assert f"pid {installation.process.pid}" in second.stderr
    assert installation.api in second.stderr


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(installation, tmp_path):
    """No other port is taken silently, and nothing is left running."""
    port = installation.api.rsplit(":", 1)[1]
    call = subprocess.run(
        [CRONCTL, "up", "--data-dir", tmp_path / "data", "--port", port],
        capture_output=True,
        text=True,
        env=clean_environment(),
        timeout=60,
    )

    assert (4, True) == (call.returncode, f"port {port} on 127.0.0.1 is in use" in call.stderr)


def test_an_orderly_stop_leaves_no_process(own):
    """Workers end before the masters, these before the servers."""
    own.start()
    pids = [own.pid(program) for program in PROGRAMS]

    assert 0 == own.stop()
    assert [None] * 4 == [mark(program, pid) for program, pid in zip(PROGRAMS, pids, strict=True)]
    told = own.told()
    order = [told.index(f"stopping {name}") for name in ("worker-1", "master", "mongod", "etcd")]
    assert sorted(order) == order


@pytest.mark.timeout(300)
def test_a_killed_up_leaves_no_process_for_long(own):
    """The kernel tells the programs; whatever is left, the next start stops."""
    own.start()
    pids = {program: own.pid(program) for program in PROGRAMS}
    assert own.process is not None
    own.process.kill()
    own.process.wait()
    # Usually at once; a worker that has just claimed the tick of a minute waits for etcd, which is gone.
    eventually(
        lambda: all(mark(program, pid) is None for program, pid in pids.items()), "their end", within_s=100
    )

    own.start()


def test_a_worker_that_dies_is_started_again(own):
    """Jobs go on, and it is said."""
    own.start()
    first = own.pid("worker-1")
    os.kill(first, signal.SIGKILL)
    eventually(lambda: own.pid("worker-1") != first, "another process", within_s=10)
    eventually(lambda: "worker-1 runs again" in own.told(), "the word about it")


@pytest.mark.slow
def test_etcd_away_for_ten_seconds(own, tmp_path):
    """Workers go on without a restart, ticks run again, and none of them twice."""
    own.start()
    marker = tmp_path / "marker"
    with own.client() as http:
        http.post(
            "/job/save",
            json={
                "name": "ticker",
                "schedule": "* * * * * *",
                "command": marking_command(marker),
                "overlap": "allow",
            },
        )
    eventually(lambda: len(marked_ticks(marker)) > 3, "the first runs", within_s=15)
    worker = own.pid("worker-1")
    until_s = time.monotonic() + 10
    while time.monotonic() < until_s:
        # `up` starts it again each time, and each time it is killed: it never gets to answer for long.
        pid = own.pid("etcd")
        if mark("etcd", pid) is not None:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    back_at = int(time.time())
    eventually(lambda: [t for t in marked_ticks(marker) if t > back_at + 15], "runs afterwards", within_s=60)

    assert worker == own.pid("worker-1")
    assert [] == duplicates(marked_ticks(marker))
