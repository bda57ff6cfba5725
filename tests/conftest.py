"""Fixtures that give tests real servers: one of each per run, and a corner of its own for every test."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from common.kv.etcd import EtcdStore
from common.kv.etcd_settings import EtcdSettings
from tests import servers


@pytest.fixture(scope="session")
def etcd_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of an etcd 3.5 that all tests of this run share."""
    address = os.environ.get("EVERYTICK_TEST_ETCD")
    if address:
        yield address
        return
    try:
        binary = servers.find_etcd("3.5")
    except servers.ServerMissing:
        if not servers.docker_runs():
            raise
        with servers.etcd_container() as endpoint:
            yield endpoint
        return
    server = servers.start_etcd(binary, tmp_path_factory.mktemp("etcd35"))
    yield server.endpoint
    server.stop()


@pytest.fixture(scope="session")
def etcd34_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of an etcd 3.4, the oldest version that is supported."""
    server = servers.start_etcd(servers.find_etcd("3.4"), tmp_path_factory.mktemp("etcd34"))
    yield server.endpoint
    server.stop()


@pytest.fixture(scope="session")
def mongo_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URI of a MongoDB that all tests of this run share."""
    address = os.environ.get("EVERYTICK_TEST_MONGO")
    if address:
        yield address
        return
    try:
        binary = servers.find_mongod()
    except servers.ServerMissing:
        if not servers.docker_runs():
            raise
        with servers.mongo_container() as uri:
            yield uri
        return
    server = servers.start_mongod(binary, tmp_path_factory.mktemp("mongod"))
    yield server.uri
    server.stop()


@pytest.fixture
def key_prefix() -> str:
    """A prefix no other test uses, with a slash at its end."""
    return f"/test/{uuid.uuid4().hex}/"


@pytest.fixture
async def store(etcd_endpoint: str) -> AsyncIterator[EtcdStore]:
    """A connection to the shared etcd 3.5; keep to `key_prefix`."""
    async with EtcdStore(EtcdSettings(endpoints=(etcd_endpoint,))) as connected:
        yield connected


@pytest.fixture
async def mongo_database(mongo_uri: str) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    """A database of its own, dropped afterwards."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo_uri, tz_aware=True)
    async with client:
        database = client[f"test_{uuid.uuid4().hex}"]
        yield database
        await client.drop_database(database.name)
