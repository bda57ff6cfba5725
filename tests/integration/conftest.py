"""A master over real servers, without a port: one per test, or one per module where tests change nothing."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pymongo.asynchronous.database import AsyncDatabase

from common.kv.etcd import EtcdStore
from common.kv.etcd_settings import EtcdSettings
from master.config import MasterConfig
from tests.databases import new_database
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_database(mongo_uri: str) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    """The database behind `shared_master`."""
    async with new_database(mongo_uri) as database:
        yield database


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_master(
    tmp_path_factory: pytest.TempPathFactory,
    etcd_endpoint: str,
    mongo_uri: str,
    shared_database: AsyncDatabase[dict[str, Any]],
) -> AsyncIterator[RunningApi]:
    """
    A master for what tests of a module share; `wake` it before it is asked, or use `shared_api`.

    Starting one costs more than most requests do. It works while such a test runs and stands still in
    between: what it does by itself, every so many seconds, is no matter for these tests.
    """
    folder = tmp_path_factory.mktemp("shared")
    prefix = f"/test/{uuid.uuid4().hex}/"
    config = config_for(folder, etcd_endpoint, mongo_uri, shared_database.name, prefix)
    async with (
        EtcdStore(EtcdSettings(endpoints=(etcd_endpoint,))) as store,
        running_api(config, store) as running,
    ):
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def shared_api(shared_master: RunningApi) -> RunningApi:
    """The master for tests that change nothing another of their module sees; mark these `ON_SHARED_LOOP`."""
    await shared_master.wake()
    return shared_master
