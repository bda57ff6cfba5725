"""What `master -config ... --check=online` looks at: etcd, MongoDB, the port and the token file."""

import os
from collections.abc import Sequence

from common.config.command_line import OnlineCheck
from common.domain.errors import ConfigError
from common.kv.check import EtcdCheck
from common.mongo.check import MongoCheck
from common.runtime.clock import SystemClock
from master.config import MasterConfig
from master.listening import listen
from master.services.admin_token import read_token


def online_checks(config: MasterConfig) -> Sequence[OnlineCheck]:
    """Everything that can be tried without starting; nothing is created or changed."""
    return (
        EtcdCheck(config),
        MongoCheck(config, SystemClock()),
        PortCheck(config),
        TokenFileCheck(config),
    )


class PortCheck:
    """The port of the API is free."""

    name = "port"

    def __init__(self, config: MasterConfig) -> None:
        self._config = config

    async def run(self) -> str:
        listen(self._config.api_host, self._config.api_port).close()
        return f"{self._config.api_host}:{self._config.api_port} is free"


class TokenFileCheck:
    """The admin token can be used, or made."""

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
        return f"will be made in {path}"
