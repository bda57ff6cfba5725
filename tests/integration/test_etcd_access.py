"""Users, passwords and TLS, on an etcd of each test's own."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import grpc.aio
import pytest
from pyetcd.etcdrpc import auth_pb2, rpc_pb2, rpc_pb2_grpc

from common.domain.errors import ConfigError, NotAllowed, StoreUnavailable
from common.kv.etcd import EtcdStore
from common.kv.etcd_settings import EtcdSettings
from common.kv.values import Put
from tests.servers import EtcdServer, find_etcd, start_etcd

pytestmark = pytest.mark.integration


@pytest.fixture
async def guarded(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[EtcdServer]:
    """An etcd with authentication: root, and a worker who may use /cron/ only."""
    arguments = ("--bcrypt-cost", "4", *getattr(request, "param", ()))
    server = start_etcd(find_etcd("3.5"), tmp_path, arguments=arguments)
    await _switch_authentication_on(server.endpoint)
    yield server
    server.kill()


async def _switch_authentication_on(endpoint: str) -> None:
    async with grpc.aio.insecure_channel(endpoint) as channel:
        auth = rpc_pb2_grpc.AuthStub(channel)
        for name in ("root", "worker"):
            await auth.UserAdd(rpc_pb2.AuthUserAddRequest(name=name, password="secret"))
            await auth.RoleAdd(rpc_pb2.AuthRoleAddRequest(name=name))
            await auth.UserGrantRole(rpc_pb2.AuthUserGrantRoleRequest(user=name, role=name))
        may = auth_pb2.Permission(permType=auth_pb2.Permission.READWRITE, key=b"/cron/", range_end=b"/cron0")
        await auth.RoleGrantPermission(rpc_pb2.AuthRoleGrantPermissionRequest(name="worker", perm=may))
        await auth.AuthEnable(rpc_pb2.AuthEnableRequest())


def as_worker(server: EtcdServer, password: str = "secret") -> EtcdStore:
    return EtcdStore(EtcdSettings(endpoints=(server.endpoint,), username="worker", password=password))


async def test_a_user_works_with_what_is_his(guarded: EtcdServer) -> None:
    """Reads, writes, leases and watches carry the token."""
    async with as_worker(guarded) as store:
        lease = await store.grant(5)
        written = await store.txn(puts=[Put("/cron/a", b"1", lease.id)])
        listing = await store.list("/cron/")
        ttl_s = await store.renew(lease.id)
        async with asyncio.timeout(10), aclosing(store.watch("/cron/", from_revision=1)) as watch:
            await anext(watch)
            batch = await anext(watch)

    assert (written.revision, 5) == (batch.revision, ttl_s)
    assert ["/cron/a"] == [item.key for item in listing.items]


async def test_what_is_not_his_is_refused(guarded: EtcdServer) -> None:
    """A missing right is told as such, for every kind of call."""
    async with as_worker(guarded) as store:
        for request in (store.txn(puts=[Put("/other/a", b"")]), store.list("/other/")):
            with pytest.raises(NotAllowed):
                await request
        with pytest.raises(NotAllowed):
            await anext(store.watch("/other/", from_revision=1))


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="no user"),
        pytest.param({"username": "worker", "password": "wrong"}, id="wrong password"),
        pytest.param({"username": "nobody", "password": "secret"}, id="unknown user"),
    ],
)
async def test_wrong_credentials_are_refused(guarded: EtcdServer, settings: dict[str, str]) -> None:
    """Nobody gets in without the right password, and the error is not a broken connection."""
    async with EtcdStore(EtcdSettings(endpoints=(guarded.endpoint,), **settings)) as store:
        with pytest.raises(NotAllowed):
            await store.txn(puts=[Put("/cron/a", b"")])


@pytest.mark.parametrize("guarded", [("--auth-token-ttl", "1")], indirect=True)
async def test_an_expired_token_is_replaced(guarded: EtcdServer) -> None:
    """Calls and new watches go on after the token has run out."""
    async with as_worker(guarded) as store:
        await store.list("/cron/")
        for _ in range(3):
            await asyncio.sleep(2.5)
            await store.txn(puts=[Put("/cron/a", b"1")])
        await asyncio.sleep(2.5)
        async with asyncio.timeout(10), aclosing(store.watch("/cron/", from_revision=1)) as watch:
            await anext(watch)
            batch = await anext(watch)

    assert batch.items


async def test_tokens_do_not_survive_a_restart_and_calls_do(guarded: EtcdServer) -> None:
    """etcd forgets its tokens when it restarts; the store signs in again."""
    async with as_worker(guarded) as store:
        await store.list("/cron/")
        guarded.restart()
        await _until_available(store)
        lease = await store.grant(5)

    assert 5 == lease.ttl_s


async def test_a_password_for_an_open_etcd_is_no_error(etcd_endpoint: str, key_prefix: str) -> None:
    """Authentication that is not switched on at the server is a warning, not an outage."""
    settings = EtcdSettings(endpoints=(etcd_endpoint,), username="worker", password="secret")
    async with EtcdStore(settings) as store:
        assert () == (await store.list(key_prefix)).items


async def _until_available(store: EtcdStore) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                await store.list("/cron/")
            except StoreUnavailable:
                await asyncio.sleep(0.05)
            else:
                return


# -- TLS ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority, another authority, and certificates for server and client."""
    folder = tmp_path_factory.mktemp("tls")
    for authority in ("ca", "other-ca"):
        _openssl(
            folder,
            f"req -x509 -newkey rsa:2048 -nodes -keyout {authority}.key -out {authority}.pem -days 2 "
            f"-subj /CN={authority}",
        )
    for name in ("server", "client"):
        (folder / f"{name}.ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        _openssl(folder, f"req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}")
        _openssl(
            folder,
            f"x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
            f"-extfile {name}.ext -out {name}.pem",
        )
    return folder


def _openssl(folder: Path, arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def tls_server(certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    """An etcd that speaks TLS only and asks for a client certificate."""
    arguments = (
        f"--cert-file={certificates / 'server.pem'}",
        f"--key-file={certificates / 'server.key'}",
        f"--trusted-ca-file={certificates / 'ca.pem'}",
        "--client-cert-auth",
    )
    server = start_etcd(
        find_etcd("3.5"), tmp_path_factory.mktemp("etcd-tls"), arguments=arguments, scheme="https"
    )
    yield server
    server.kill()


def tls_settings(endpoint: str, folder: Path, *, ca: str = "ca", client: str = "client") -> EtcdSettings:
    return EtcdSettings(
        endpoints=(endpoint,),
        ca_cert=str(folder / f"{ca}.pem"),
        cert=str(folder / f"{client}.pem") if client else "",
        key=str(folder / f"{client}.key") if client else "",
    )


@pytest.mark.parametrize("scheme", ["", "https://"])
async def test_tls_with_a_client_certificate(tls_server: EtcdServer, certificates: Path, scheme: str) -> None:
    """Both sides show a certificate of the same authority; with TLS files the scheme need not be written."""
    async with EtcdStore(tls_settings(scheme + tls_server.endpoint, certificates)) as store:
        assert (await store.txn(puts=[Put("/a", b"1")])).succeeded


@pytest.mark.parametrize(
    ("ca", "client"),
    [pytest.param("other-ca", "client", id="other authority"), pytest.param("ca", "", id="no certificate")],
)
async def test_tls_that_does_not_match_is_refused(
    tls_server: EtcdServer, certificates: Path, ca: str, client: str
) -> None:
    """No call goes through, and it surely did not happen."""
    async with EtcdStore(tls_settings(tls_server.endpoint, certificates, ca=ca, client=client)) as store:
        with pytest.raises(StoreUnavailable):
            await store.list("/")


async def test_a_missing_tls_file_is_named(tmp_path: Path) -> None:
    """The error names the file, before any connection is tried."""
    store = EtcdStore(EtcdSettings(endpoints=("localhost:2379",), ca_cert=str(tmp_path / "missing.pem")))

    with pytest.raises(ConfigError, match=r"missing\.pem"):
        await store.open()
