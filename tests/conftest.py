"""Fixtures that give tests real servers: one of each per run, and a corner of its own for every test."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import structlog
from pymongo.asynchronous.database import AsyncDatabase

from common.kv.etcd import EtcdStore
from common.kv.etcd_settings import EtcdSettings
from tests import servers
from tests.databases import new_database
from tests.quick_disk import quick_folder

# Where an exception is logged structlog would have rich draw every frame with its variables: half a second,
# for a picture that nobody looks at.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


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
    with quick_folder(tmp_path_factory.mktemp("etcd35")) as folder:
        server = servers.start_etcd(binary, folder)
        yield server.endpoint
        server.stop()


@pytest.fixture(scope="session")
def etcd34_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of an etcd 3.4, the oldest version that is supported."""
    with quick_folder(tmp_path_factory.mktemp("etcd34")) as folder:
        server = servers.start_etcd(servers.find_etcd("3.4"), folder)
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
    with quick_folder(tmp_path_factory.mktemp("mongod")) as folder:
        server = servers.start_mongod(binary, folder)
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
    """A database of this test's own."""
    async with new_database(mongo_uri) as database:
        yield database
