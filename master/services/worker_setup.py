"""What somebody needs who adds a worker: its configuration, files, commands, and what to mind.

Pure. Passwords are not part of it: whoever adds a worker has them, and an answer of the API is no place for
them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from common.config.addresses import is_loopback

_PATH: Final = "/etc/everytick/worker.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What a worker has in common with the masters; `mongo_uri` with its password masked."""

    etcd_endpoints: Sequence[str]
    etcd_username: str | None
    etcd_ca_cert: str | None
    etcd_cert: str | None
    mongo_uri: str
    mongo_database: str
    key_prefix: str
    health_prefix: str


def worker_setup(found: Installation) -> dict[str, Any]:
    """`{config, files, commands, notes}` for a worker of this installation."""
    config: dict[str, Any] = {
        "etcdEndpoints": list(found.etcd_endpoints),
        "mongoUri": found.mongo_uri,
        "mongoDatabase": found.mongo_database,
        "keyPrefix": found.key_prefix,
        "healthPrefix": found.health_prefix,
        "executorThreads": 5,
        "labels": {},
    }
    if found.etcd_username:
        config |= {"etcdUsername": found.etcd_username, "etcdPasswordFile": "/etc/everytick/etcd-password"}
    if found.etcd_ca_cert:
        config["etcdCaCert"] = "/etc/everytick/etcd-ca.pem"
    if found.etcd_cert:
        config |= {"etcdCert": "/etc/everytick/etcd.pem", "etcdKey": "/etc/everytick/etcd.key"}
    return {
        "config": config,
        "files": [{"name": _PATH, "text": json.dumps(config, indent=2) + "\n"}],
        "commands": [
            {"title": "Check that it reaches everything", "text": f"worker -config {_PATH} --check=online"},
            {"title": "Start it", "text": f"worker -config {_PATH}"},
        ],
        "notes": list(_notes(found)),
    }


def _notes(found: Installation) -> list[str]:
    notes = ["Each worker needs a state directory of its own; its id is kept there."]
    hosts = [endpoint.partition("://")[2] or endpoint for endpoint in found.etcd_endpoints]
    names = [host.rpartition(":")[0].strip("[]") or host for host in hosts]
    if any(name == "localhost" or is_loopback(name) for name in names):
        notes.append(
            "etcd is reached over loopback here: a worker on another host needs an address it can reach."
        )
    if "localhost" in found.mongo_uri or "127.0.0.1" in found.mongo_uri:
        notes.append(
            "MongoDB is reached over loopback here: a worker on another host needs an address it can reach."
        )
    if "*" in found.mongo_uri:
        notes.append(
            "Fill in the password of MongoDB, or keep the URI in a file and name it in mongoUriFile."
        )
    if found.etcd_username:
        notes.append("Give the worker an etcd user of its own; docs/security.md has the rights it needs.")
    return notes
