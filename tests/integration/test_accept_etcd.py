"""`master --accept-etcd` on a real etcd: what it writes is what a worker looks for."""

import subprocess
import sys

import pytest

from common.domain.codec import StoreAcceptance
from common.domain.keys import Keyspace
from common.kv.etcd import EtcdStore
from common.kv.etcd_settings import EtcdSettings

pytestmark = pytest.mark.integration


def accept_at(endpoint: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "master", "--set", f"etcdEndpoints={endpoint}", *options]
    return subprocess.run(
        [*command, "--accept-etcd"], capture_output=True, text=True, check=False, timeout=60
    )


async def test_the_command_accepts_the_etcd_it_is_pointed_at(etcd_endpoint: str) -> None:
    """It names the cluster and who said so, goes by itself, and needs no running master."""
    prefix = "/accepting/"
    done = accept_at(etcd_endpoint, "--set", f"keyPrefix={prefix}")
    async with EtcdStore(EtcdSettings(endpoints=(etcd_endpoint,))) as store:
        key = Keyspace(prefix).accepted_store
        stored = (await store.txn(reads=[key])).reads[key]
        cluster_id = f"{(await store.status()).cluster_id:x}"

    assert (0, "") == (done.returncode, done.stderr)
    assert f"etcd cluster {cluster_id} is accepted" in done.stdout
    assert stored is not None
    assert stored.lease
    assert cluster_id == StoreAcceptance.decode(key, stored.value).cluster_id


def test_an_etcd_that_is_away_is_said_in_one_line() -> None:
    """No traceback, and an exit code that tells."""
    done = accept_at("http://127.0.0.1:1")

    assert 1 == done.returncode
    assert done.stderr.startswith("master: etcd at 127.0.0.1:1 cannot be reached")
    assert 1 == done.stderr.count("\n")
