"""What a failed etcd call means: it surely did not happen, it may have happened, or it was refused.

Pure translation of gRPC codes and etcd's texts. A writing request counts as "surely did not happen" only
when that is certain; everything else is `OutcomeUnknown`, because a claim that happened unseen must be read
back and never repeated blindly.
"""

import re
from typing import Final

import grpc
import grpc.aio

from common.domain.errors import (
    Compacted,
    CronError,
    InvalidInput,
    LeaseLost,
    NotAllowed,
    OutcomeUnknown,
    StoreUnavailable,
)

# gRPC prefixes these when no connection was up to send the request on. What a connection dies of while a
# request is under way reads differently ("Socket closed", "recvmsg:Connection reset by peer", "GOAWAY ...").
_NEVER_SENT: Final = ("failed to connect to all addresses", "DNS resolution failed", "empty address list")

# Said by etcd before it proposes the request to the cluster, or instead of applying it.
_REFUSED_UNAPPLIED: Final = ("etcdserver: no leader", "etcdserver: too many requests")
_NO_SPACE: Final = "database space exceeded"
_TOO_LARGE_TO_SEND: Final = ("trying to send message larger", "Sent message larger")

# All of them are checked before the request is applied.
_STALE_TOKEN: Final = ("etcdserver: invalid auth token", "etcdserver: revision of auth store is old")
_BAD_CREDENTIALS: Final = (
    "etcdserver: authentication failed",
    "etcdserver: user name is empty",
    "etcdserver: permission denied",
)
_LEASE_NOT_FOUND: Final = "requested lease not found"
_COMPACTED: Final = "required revision has been compacted"
AUTH_NOT_ENABLED: Final = "etcdserver: authentication is not enabled"


def is_stale_token(error: grpc.aio.AioRpcError) -> bool:
    """True when a new token may help; the request was refused before it was applied."""
    return (error.details() or "").startswith(_STALE_TOKEN)


def translate(error: grpc.aio.AioRpcError, *, writes: bool, endpoint: str) -> CronError:
    """
    The error of ours that says what the failed call means.

    Args:
        writes: The request would have changed something at the server.
        endpoint: Where it was sent, for the message.
    """
    code, text = error.code(), error.details() or "no reason given"
    refusal = _refusal(code, text, endpoint)
    if refusal is not None:
        return refusal
    if not writes:
        return StoreUnavailable(
            f"etcd at {endpoint} could not answer: {text}", endpoint=endpoint, code=code.name
        )
    return OutcomeUnknown(
        f"etcd at {endpoint} did not confirm the write, which may have happened: {text}",
        endpoint=endpoint,
        code=code.name,
    )


def _refusal(code: grpc.StatusCode, text: str, endpoint: str) -> CronError | None:
    """What is certain about a failed request; None when it may have been carried out."""
    if text.startswith(_NEVER_SENT):
        return StoreUnavailable(f"etcd at {endpoint} cannot be reached: {text}", endpoint=endpoint)
    if text.startswith(_REFUSED_UNAPPLIED):
        return StoreUnavailable(f"etcd at {endpoint} cannot serve requests now: {text}", endpoint=endpoint)
    if _NO_SPACE in text:
        return StoreUnavailable(
            f"etcd at {endpoint} is full and refuses writes: compact and defragment it, then disarm its "
            "NOSPACE alarm (and switch periodic auto-compaction on)",
            endpoint=endpoint,
        )
    if _LEASE_NOT_FOUND in text:
        return LeaseLost(endpoint=endpoint)
    if _COMPACTED in text:
        return Compacted(endpoint=endpoint)
    if (
        text.startswith(_BAD_CREDENTIALS + _STALE_TOKEN)
        or code is grpc.StatusCode.PERMISSION_DENIED
        or code is grpc.StatusCode.UNAUTHENTICATED
    ):
        return NotAllowed(f"etcd at {endpoint} refuses the credentials: {text}", endpoint=endpoint)
    if code is grpc.StatusCode.INVALID_ARGUMENT or any(part in text for part in _TOO_LARGE_TO_SEND):
        return InvalidInput(f"etcd refuses the request: {text}", endpoint=endpoint)
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return StoreUnavailable(
            f"what answers at {endpoint} is not an etcd 3 server: {text}", endpoint=endpoint
        )
    return None


def cancelled_watch(reason: str, compact_revision: int, endpoint: str) -> CronError:
    """Why the server ended a watch by itself."""
    if compact_revision or _COMPACTED in reason:
        return Compacted(compact_revision=compact_revision, endpoint=endpoint)
    if re.search(r"permission denied|PermissionDenied|auth token", reason):
        return NotAllowed(f"etcd at {endpoint} refuses the watch: {reason}", endpoint=endpoint)
    return StoreUnavailable(
        f"etcd at {endpoint} ended the watch: {reason or 'no reason given'}", endpoint=endpoint
    )
