"""The metadata every etcd call carries: "only with a leader", and the token of a user.

A token is asked for when the first call needs one and again after the server refused it; calls that wait for
one share the same request. Without a user name no request is ever made.
"""

import asyncio
from typing import Final

import grpc
import grpc.aio
import structlog
from pyetcd.etcdrpc import rpc_pb2

from common.kv.etcd_connection import Connection
from common.kv.etcd_errors import AUTH_NOT_ENABLED, translate
from common.kv.etcd_settings import EtcdSettings

_log = structlog.get_logger(__name__)

# A member that has lost the cluster then refuses at once ("no leader": surely not done) instead of letting
# the request run into its deadline (outcome unknown).
_LEADER_ONLY: Final = ("hasleader", "true")


class CallMetadata:
    """
    Attributes:
        current: What to send with a call; None when a token has to be fetched first.
    """

    def __init__(self, settings: EtcdSettings) -> None:
        self._settings = settings
        self._fetching = asyncio.Lock()
        self.current: grpc.aio.Metadata | None = (
            None if settings.username else grpc.aio.Metadata(_LEADER_ONLY)
        )

    async def fetch(self, connection: Connection) -> grpc.aio.Metadata:
        """
        The metadata, with a token fetched over *connection* if there is none.

        Raises:
            NotAllowed: The user name or the password is wrong.
            StoreUnavailable: No token could be had.
        """
        async with self._fetching:
            if self.current is None:
                self.current = await self._authenticate(connection)
            return self.current

    def refused(self, used: grpc.aio.Metadata) -> bool:
        """Note that the server refused *used*; True when another try with a new token makes sense."""
        if not self._settings.username:
            return False
        if self.current is used:
            self.current = None
        return True

    async def _authenticate(self, connection: Connection) -> grpc.aio.Metadata:
        request = rpc_pb2.AuthenticateRequest(name=self._settings.username, password=self._settings.password)
        try:
            response = await connection.authenticate(request, timeout=self._settings.call_timeout_s)
        except grpc.aio.AioRpcError as error:
            if error.details() == AUTH_NOT_ENABLED:
                _log.warning("etcd.authentication_disabled", endpoint=connection.endpoint)
                return grpc.aio.Metadata(_LEADER_ONLY)
            # Nothing of ours is written by signing in, so for the caller it surely did not happen.
            raise translate(error, writes=False, endpoint=connection.endpoint) from error
        return grpc.aio.Metadata(_LEADER_ONLY, ("token", response.token))
