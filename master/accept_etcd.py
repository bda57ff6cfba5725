"""`master -config master.json --accept-etcd`: an operator takes a restored etcd as it is (situation 24).

Writes one key that every worker finds within seconds. Reaches etcd directly: whoever restores it has the
configuration of a master, and need not have one running.
"""

import getpass
import socket
from typing import Final

from common.config.command_line import Errand
from common.domain.codec import StoreAcceptance
from common.domain.keys import Keyspace
from common.kv.check import settings_of
from common.kv.etcd import EtcdStore
from common.kv.port import KeyValueStore
from common.kv.values import Put
from common.runtime.clock import Clock, SystemClock
from master.config import MasterConfig

#: Long enough for workers that are being restarted at the same time.
LEASE_S: Final = 600
_NOTICED_S: Final = 10


async def accept(store: KeyValueStore, keyspace: Keyspace, clock: Clock, by: str) -> str:
    """Write the acceptance; returns the cluster's id, as it stands in the workers' alarms."""
    cluster_id = f"{(await store.status()).cluster_id:x}"
    acceptance = StoreAcceptance(cluster_id=cluster_id, accepted_by=by, accepted_at=clock.now())
    lease = await store.grant(LEASE_S)
    await store.txn(puts=[Put(keyspace.accepted_store, acceptance.encode(), lease=lease.id)])
    return cluster_id


async def _accept_configured(config: MasterConfig) -> str:
    keyspace = Keyspace(config.key_prefix, config.health_prefix)
    by = f"{getpass.getuser()}@{socket.gethostname()}"
    async with EtcdStore(settings_of(config)) as store:
        cluster_id = await accept(store, keyspace, SystemClock(), by)
    return f"etcd cluster {cluster_id} is accepted as it is; workers go on within {_NOTICED_S} s"


ACCEPT_ETCD: Final[Errand[MasterConfig]] = Errand(
    "accept an etcd that was restored from a backup, so that workers claim again", _accept_configured
)
