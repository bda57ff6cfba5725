"""What `master -config ... --check=online` looks at: etcd, MongoDB, the port, the token file, the clock."""

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pymongo.errors import PyMongoError

from common.config.command_line import OnlineCheck
from common.domain.errors import ConfigError, CronError
from common.kv.etcd import EtcdStore
from common.mongo.client import connect, unavailable
from common.runtime.clock import SystemClock
from master.config import MasterConfig
from master.listening import listen
from master.services.admin_token import read_token
from master.settings import etcd_settings, is_unsafe_etcd

_CLOCK_LIMIT_S: Final = 2.0


def online_checks(config: MasterConfig) -> Sequence[OnlineCheck]:
    """Everything that can be tried without starting; nothing is created or changed."""
    return (EtcdCheck(config), MongoCheck(config), PortCheck(config), TokenFileCheck(config))


class EtcdCheck:
    name = "etcd"

    def __init__(self, config: MasterConfig) -> None:
        self._config = config

    async def run(self) -> str:
        async with EtcdStore(etcd_settings(self._config)) as store:
            status = await store.status()
            await store.txn(reads=[self._config.key_prefix])
        if is_unsafe_etcd(status.version) and not self._config.allow_unsafe_etcd:
            raise ConfigError(
                f"etcd {status.version} can lose data in a crash: upgrade it, or set allowUnsafeEtcd"
            )
        return f"version {status.version} at {status.endpoint}, {status.db_size_bytes} bytes"


class MongoCheck:
    name = "MongoDB"

    def __init__(self, config: MasterConfig) -> None:
        self._config = config

    async def run(self) -> str:
        clock = SystemClock()
        uri = self._config.mongo_uri.get_secret_value()
        async with connect(uri, connect_timeout_ms=self._config.mongo_connect_timeout_ms) as client:
            try:
                build = await client.admin.command("buildInfo")
                before = clock.now()
                hello = await client.admin.command("hello")
                await client[self._config.mongo_database].list_collection_names()
            except PyMongoError as error:
                raise unavailable(error) from error
        offset_s = _offset_s(before, clock.now(), hello["localTime"])
        if abs(offset_s) > _CLOCK_LIMIT_S:
            raise CronError(f"its clock and this host's differ by {offset_s:+.1f} s: set both by NTP")
        return f"version {build['version']}, database {self._config.mongo_database}, clock {offset_s:+.3f} s"


class PortCheck:
    name = "port"

    def __init__(self, config: MasterConfig) -> None:
        self._config = config

    async def run(self) -> str:
        listen(self._config.api_host, self._config.api_port).close()
        return f"{self._config.api_host}:{self._config.api_port} is free"


class TokenFileCheck:
    name = "admin token"

    def __init__(self, config: MasterConfig) -> None:
        self._config = config

    async def run(self) -> str:
        path = self._config.token_file
        if path.exists():
            read_token(path)
            return f"in {path}"
        folder = next(folder for folder in path.parents if folder.exists())
        if not os.access(folder, os.W_OK):
            raise ConfigError(f"adminTokenFile: {path} cannot be created: {folder} is not writable")
        return f"will be created in {path}"


def _offset_s(before: datetime, after: datetime, theirs: datetime) -> float:
    return ((before + (after - before) / 2) - theirs).total_seconds()
