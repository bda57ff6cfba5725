"""How each program of `cronctl up` is started: its arguments and its configuration file.

The servers listen on loopback only. etcd's HTTP gateway is off, because any web page open on this machine
could write through it; history is compacted hourly, because etcd keeps all of it otherwise.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cronctl.up_layout import write_atomically

_DEFAULT_SHUTDOWN_GRACE_S: Final = 60.0
_DEFAULT_KILL_GRACE_S: Final = 10.0
#: Above the graces: to flush the spool, revoke the lease and close the clients.
_CLOSING_S: Final = 15.0


def etcd_argv(program: Path, *, data: Path, client_port: int, peer_port: int) -> list[str]:
    """Arguments of an etcd of one member; they fit 3.4 to 3.6."""
    client, peer = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{peer_port}"
    return [
        str(program),
        "--name=everytick",
        f"--data-dir={data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=everytick={peer}",
        "--enable-grpc-gateway=false",
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=1h",
        "--logger=zap",
        "--log-outputs=stderr",
        "--log-level=warn",
    ]


def mongod_argv(program: Path, *, data: Path, port: int) -> list[str]:
    """Arguments of a mongod for one machine: a small cache, no socket file that a second one would want."""
    return [
        str(program),
        f"--dbpath={data}",
        f"--port={port}",
        "--bind_ip=127.0.0.1",
        "--wiredTigerCacheSizeGB=0.25",
        "--nounixsocket",
        "--quiet",
    ]


def program_argv(program: Path, config: Path) -> list[str]:
    """Arguments of a master or worker, as anyone would start it."""
    return [str(program), "-config", str(config)]


def write_config(path: Path, owned: Mapping[str, object]) -> None:
    """
    Write *owned* keys to the configuration file at *path*; what the user added to it stays.

    A file that cannot be read as a JSON object is replaced: the program would refuse it anyway.
    """
    try:
        stored = json.loads(path.read_text())
    except (OSError, ValueError):
        stored = {}
    kept = stored if isinstance(stored, dict) else {}
    write_atomically(path, json.dumps({**kept, **owned}, indent=2) + "\n")


def worker_stop_limit_s(config: Path, env: Mapping[str, str]) -> float:
    """Seconds an orderly stop of the worker may take: the graces of its configuration and a margin."""
    try:
        stored = json.loads(config.read_text())
        grace = env.get("WORKER_SHUTDOWN_GRACE") or stored.get("shutdownGrace", _DEFAULT_SHUTDOWN_GRACE_S)
        kill = env.get("WORKER_KILL_GRACE") or stored.get("killGrace", _DEFAULT_KILL_GRACE_S)
        return float(grace) + float(kill) + _CLOSING_S
    except (OSError, ValueError, AttributeError, TypeError):
        return _DEFAULT_SHUTDOWN_GRACE_S + _DEFAULT_KILL_GRACE_S + _CLOSING_S
