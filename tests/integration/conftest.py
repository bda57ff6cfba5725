"""A master over real servers, without a port."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from common.kv.etcd import EtcdStore
from master.config import MasterConfig
from tests.integration.api_client import RunningApi, config_for, running_api
from tests.integration.master_programs import Masters, running_masters


@pytest.fixture
def master_config(
    tmp_path: Path,
    etcd_endpoint: str,
    mongo_uri: str,
    mongo_database: AsyncDatabase[dict[str, Any]],
    key_prefix: str,
) -> MasterConfig:
    """The configuration of a master with a corner of its own in both servers."""
    return config_for(tmp_path, etcd_endpoint, mongo_uri, mongo_database.name, key_prefix)


@pytest.fixture
async def api(master_config: MasterConfig, store: EtcdStore) -> AsyncIterator[RunningApi]:
    """A master that is ready, and a client with its token."""
    async with running_api(master_config, store) as running:
        yield running


@pytest.fixture
def masters(
    tmp_path: Path,
    etcd_endpoint: str,
    mongo_uri: str,
    mongo_database: AsyncDatabase[dict[str, Any]],
    key_prefix: str,
) -> Iterator[Masters]:
    """Two masters as programs, with a corner of their own in both servers."""
    with running_masters(tmp_path, etcd_endpoint, mongo_uri, mongo_database.name, key_prefix) as running:
        yield running
