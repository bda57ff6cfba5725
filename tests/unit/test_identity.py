"""Who a worker is: stable ids, and no two workers in one directory."""

import os
import re
import stat
import subprocess
import sys

import pytest

from common.domain.errors import ConfigError
from worker.config import WorkerConfig
from worker.identity import DirectoryInUse, host_part, lock_directory, take_identity


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A host whose state root is below the test's directory, whoever runs the tests."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "access", lambda *_: False)
    return tmp_path


@pytest.fixture
def taken(home):
    """Takes identities on that host and gives them all back."""
    identities = []

    def take(hostname="Node7.example.com", **settings):
        identity = take_identity(
            WorkerConfig(**settings), {"XDG_STATE_HOME": str(home)}, hostname=lambda: hostname
        )
        identities.append(identity)
        return identity

    yield take
    for identity in identities:
        identity.release()


def place(identity, home):
    return str(identity.state_dir.relative_to(home)), str(identity.spool_dir.relative_to(home))


def test_nothing_given(taken, home):
    """Host name and suffix, in a directory below the state root."""
    identity = taken()

    assert re.fullmatch(r"node7-[a-z][a-z0-9]{4}", identity.worker_id)
    expected = ("everytick/worker", "everytick/worker/spool")
    assert expected == place(identity, home)


def test_id_given(taken, home):
    """A directory per id, so that three workers of one file run side by side."""
    found = [place(taken(worker_id=f"w{number}"), home)[0] for number in (1, 2, 3)]

    expected = ["everytick/workers/w1", "everytick/workers/w2", "everytick/workers/w3"]
    assert expected == found


def test_directory_given(taken, home):
    """The id is made in the given directory, and the spool lies in it."""
    identity = taken(state_dir=home / "mine")

    expected = ("mine", "mine/spool")
    assert expected == place(identity, home)
    expected_id = identity.worker_id + "\n"
    assert expected_id == (home / "mine" / "worker-id").read_text()


def test_both_given(taken, home):
    """Nothing is made up."""
    identity = taken(worker_id="w1", state_dir=home / "mine", spool_dir=home / "spool")

    expected = ("w1", ("mine", "spool"))
    assert expected == (identity.worker_id, place(identity, home))
    assert not (home / "mine" / "worker-id").exists()


def test_the_id_survives_a_restart_and_a_new_host_name(taken):
    """Stable for as long as the directory is."""
    first = taken()
    first.release()

    second = taken(hostname="renamed")

    assert first.worker_id == second.worker_id


def test_the_second_of_two_takes_the_next_place(taken, home):
    """Started twice by hand, two workers are two workers; each finds its place again."""
    first, second = taken(), taken()
    second.release()
    again = taken()

    expected = ["everytick/worker", "everytick/worker-2", "everytick/worker-2"]
    assert expected == [place(identity, home)[0] for identity in (first, second, again)]
    assert re.fullmatch(r"node7-[a-z][a-z0-9]{4}-2", second.worker_id)
    assert second.worker_id == again.worker_id


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        pytest.param(lambda _: {"worker_id": "w1"}, "stateDir", id="one id twice"),
        pytest.param(lambda home: {"state_dir": home / "mine"}, "stateDir", id="one directory twice"),
        pytest.param(lambda home: {"spool_dir": home / "spool"}, "spoolDir", id="one spool twice"),
    ],
)
def test_what_is_given_is_not_shared(taken, home, settings, key):
    """The second worker is refused, and told who is there."""
    taken(**settings(home))

    with pytest.raises(DirectoryInUse) as caught:
        taken(**settings(home))

    assert str(caught.value).startswith(f"{key}: another worker uses {home}")
    assert f"(pid {os.getpid()})" in str(caught.value)


def test_a_refused_worker_leaves_nothing_locked(taken, home):
    """The state directory it had taken before the spool was refused is free again."""
    taken(worker_id="w1", spool_dir=home / "spool")
    with pytest.raises(DirectoryInUse):
        taken(worker_id="w2", spool_dir=home / "spool")

    identity = taken(worker_id="w2")

    expected = "w2"
    assert expected == identity.worker_id


def test_a_killed_worker_leaves_nothing_locked(home):
    """The kernel frees the directory of a process that died by KILL; what it had started keeps nothing."""
    program = (
        "import pathlib, subprocess, sys; from worker.identity import lock_directory\n"
        f"lock = lock_directory(pathlib.Path({str(home / 'mine')!r}))\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "print(child.pid, flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child_pid = int(holder.stdout.readline())
    try:
        with pytest.raises(DirectoryInUse, match=rf"\(pid {holder.pid}\)"):
            lock_directory(home / "mine")
        holder.kill()
        holder.wait()

        lock_directory(home / "mine").release()
    finally:
        os.kill(child_pid, 9)
        holder.stdin.close()
        holder.stdout.close()


@pytest.mark.parametrize("name", ["worker-id", "lock"])
def test_files_are_for_the_owner_alone(taken, home, name):
    """Mode 0600, in a directory of mode 0700."""
    taken(state_dir=home / "mine")

    expected = (0o600, 0o700)
    found = [stat.S_IMODE(path.stat().st_mode) for path in (home / "mine" / name, home / "mine")]
    assert expected == tuple(found)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("", None, id="empty: the start before was cut short"),
        pytest.param("w7\n", "w7", id="an id"),
        pytest.param("not an id!\n", "error", id="something else"),
    ],
)
def test_what_the_id_file_may_hold(taken, home, content, expected):
    """Garbage is not used as an id, and not thrown away either."""
    (home / "mine").mkdir()
    (home / "mine" / "worker-id").write_text(content)

    if expected == "error":
        with pytest.raises(ConfigError, match=r"worker-id holds no worker id .* delete it"):
            taken(state_dir=home / "mine")
    else:
        assert taken(state_dir=home / "mine").worker_id.startswith(expected or "node7-")


def test_a_directory_that_cannot_be_made(taken, home):
    """The key, the path, the reason, the way out."""
    (home / "file").write_text("")

    with pytest.raises(ConfigError) as caught:
        taken(state_dir=home / "file" / "state")

    expected = (
        f"stateDir: cannot use {home}/file/state: not a directory; give this worker a directory it may write"
    )
    assert expected == str(caught.value)


@pytest.mark.parametrize(
    ("hostname", "expected"),
    [
        pytest.param("node7", "node7", id="plain"),
        pytest.param("Node7.example.com", "node7", id="first label, lower case"),
        pytest.param("web_1-a", "web_1-a", id="hyphen and underscore stay"),
        pytest.param("-büro-", "b-ro", id="other letters"),
        pytest.param("", "worker", id="none"),
        pytest.param("x" * 200, "x" * 60, id="long"),
    ],
)
def test_host_part(hostname, expected):
    """Whatever the host is called, the id may be part of an etcd key."""
    assert expected == host_part(hostname)
