"""The stores every part of the contract of key-value stores runs on: the fake, etcd 3.5 and etcd 3.4.

A fake that passes may be trusted by the simulation.
"""

import uuid
from collections.abc import AsyncIterator

import pytest

from common.kv.etcd import EtcdStore
from common.kv.etcd_settings import EtcdSettings
from common.kv.port import KeyValueStore
from tests.contract.stores import Backend
from tests.fakes.kv import FakeStore


@pytest.fixture(
    params=[
        "fake",
        pytest.param("etcd_endpoint", marks=pytest.mark.integration, id="etcd 3.5"),
        pytest.param("etcd34_endpoint", marks=pytest.mark.integration, id="etcd 3.4"),
    ]
)
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    if request.param == "fake":
        fake = FakeStore()
        yield Backend(fake.client("test"), fake, "")
        return
    endpoint = request.getfixturevalue(request.param)
    async with EtcdStore(EtcdSettings(endpoints=(endpoint,))) as store:
        yield Backend(store, None, endpoint)


@pytest.fixture
def kv(backend: Backend) -> KeyValueStore:
    return backend.store


@pytest.fixture
def at() -> str:
    """A prefix of this test's own."""
    return f"/contract/{uuid.uuid4().hex}/"
