"""One gRPC connection to one etcd endpoint, with the calls the adapter uses.

Opens nothing by itself: gRPC connects on the first call, and again whenever it has to. Must be made inside
the event loop that uses it.
"""

import asyncio
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio
from pyetcd.etcdrpc import rpc_pb2_grpc

from common.domain.errors import ConfigError
from common.kv.etcd_settings import Address, EtcdSettings

#: What a read answers when the server has ended the stream without an error (grpc-stubs do not know it).
END_OF_STREAM: Final[Any] = grpc.aio.EOF  # type: ignore[attr-defined]

# A page holds up to 1000 values of up to 64 KiB.
_MESSAGE_LIMIT_BYTES: Final = 256 * 1024 * 1024
_KEEPALIVE_EVERY_MS: Final = 10_000  # etcd closes connections that ping more often than every 5 s
_KEEPALIVE_TIMEOUT_MS: Final = 5_000
_IDLE_AFTER_MS: Final = 120_000  # an endpoint that was left behind gives its socket back
_BACKOFF_FIRST_MS: Final = 100
# gRPC would wait up to two minutes between attempts; after an outage the next call must work within a second.
_BACKOFF_LIMIT_MS: Final = 500


class Connection:
    """The channel to one endpoint and its multi-callables, looked up once."""

    def __init__(self, address: Address, settings: EtcdSettings) -> None:
        self.endpoint = address.target
        options = _channel_options(settings)
        self._channel = (
            grpc.aio.secure_channel(address.target, _tls_credentials(settings), options)
            if address.tls
            else grpc.aio.insecure_channel(address.target, options)
        )
        kv = rpc_pb2_grpc.KVStub(self._channel)
        lease = rpc_pb2_grpc.LeaseStub(self._channel)
        self.range: Any = kv.Range
        self.txn: Any = kv.Txn
        self.grant: Any = lease.LeaseGrant
        self.revoke: Any = lease.LeaseRevoke
        self._keep_alive: Any = lease.LeaseKeepAlive
        self.watch: Any = rpc_pb2_grpc.WatchStub(self._channel).Watch
        self.status: Any = rpc_pb2_grpc.MaintenanceStub(self._channel).Status
        self.authenticate: Any = rpc_pb2_grpc.AuthStub(self._channel).Authenticate

    async def renew(self, request: Any, *, timeout: float, metadata: grpc.aio.Metadata) -> Any:
        """
        One renewal as one call: a stream that is kept would have no deadline for a single answer.

        Raises:
            grpc.aio.AioRpcError: It failed, or the server ended the stream without an answer.
        """
        call = self._keep_alive(timeout=timeout, metadata=metadata)
        try:
            await call.write(request)
            answer = await call.read()
        except asyncio.InvalidStateError:
            # The write found the stream ended already; its status says why.
            await call.read()
            raise
        finally:
            call.cancel()
        if answer is END_OF_STREAM:
            nothing = grpc.aio.Metadata()
            reason = "the server ended the stream without an answer"
            raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, nothing, nothing, reason, None)
        return answer

    async def close(self) -> None:
        await self._channel.close(None)


def _channel_options(settings: EtcdSettings) -> list[tuple[str, Any]]:
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", _MESSAGE_LIMIT_BYTES),
        ("grpc.max_send_message_length", _MESSAGE_LIMIT_BYTES),
        ("grpc.keepalive_time_ms", _KEEPALIVE_EVERY_MS),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
        ("grpc.http2.max_pings_without_data", 0),  # or a quiet watch would stop noticing a dead link
        ("grpc.client_idle_timeout_ms", _IDLE_AFTER_MS),
        ("grpc.initial_reconnect_backoff_ms", _BACKOFF_FIRST_MS),
        ("grpc.max_reconnect_backoff_ms", _BACKOFF_LIMIT_MS),
        # In spite of its name this is how long one attempt to connect may take (20 s unless told).
        ("grpc.min_reconnect_backoff_ms", int(settings.dial_timeout_s * 1000)),
        # Two stores in one process must not share a connection, and with it each other's back-off.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_http_proxy", 0),
    ]
    if settings.tls_server_name:
        options.append(("grpc.ssl_target_name_override", settings.tls_server_name))
    return options


def _tls_credentials(settings: EtcdSettings) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        root_certificates=_read(settings.ca_cert, "CA certificate"),
        private_key=_read(settings.key, "client key"),
        certificate_chain=_read(settings.cert, "client certificate"),
    )


def _read(path: str, what: str) -> bytes | None:
    if not path:
        return None
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read the {what} for etcd, {path}: {error.strerror}", path=path) from error
