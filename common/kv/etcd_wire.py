"""Between our values and etcd's messages: builds requests, reads answers.

Pure, and on the hot path: two transactions per execution come through here, so there are no intermediate
objects. Keys that are not UTF-8 (somebody else wrote them) survive the round trip as surrogates.
"""

from collections.abc import Sequence
from typing import Any, Final

from pyetcd.etcdrpc import kv_pb2, rpc_pb2

from common.kv.values import Change, Changes, Compare, KeyValue, Operator, Put, Target, TxnResult

# Looked up once: a member of an enumeration is a call, and so is a name of a generated message. That was half
# of the time of a request.
_VALUE: Final = Target.VALUE
_CREATED: Final = Target.CREATE_REVISION
_EQUAL: Final = Operator.EQUAL
_COMPARE_VALUE: Final = rpc_pb2.Compare.VALUE
_COMPARE_CREATED: Final = rpc_pb2.Compare.CREATE
_COMPARE_MODIFIED: Final = rpc_pb2.Compare.MOD
_TxnRequest: Final = rpc_pb2.TxnRequest
_OPERATORS: Final = {
    Operator.NOT_EQUAL: rpc_pb2.Compare.NOT_EQUAL,
    Operator.LESS: rpc_pb2.Compare.LESS,
    Operator.GREATER: rpc_pb2.Compare.GREATER,
}
_DELETE: Final = kv_pb2.Event.DELETE


def encode_key(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")


def prefix_end(prefix: bytes) -> bytes:
    """The first key behind all keys that start with *prefix*; a zero byte means "to the very end"."""
    head = prefix.rstrip(b"\xff")
    return head[:-1] + bytes((head[-1] + 1,)) if head else b"\0"


def key_value(stored: Any) -> KeyValue:
    return KeyValue(
        stored.key.decode("utf-8", "surrogateescape"),
        stored.value,
        stored.create_revision,
        stored.mod_revision,
        stored.version,
        stored.lease,
    )


def txn_request(
    compares: Sequence[Compare], puts: Sequence[Put], deletes: Sequence[str], reads: Sequence[str]
) -> Any:
    """
    The transaction as etcd wants it.

    The reads go into the failure branch, and into the success branch too when there is nothing to write.
    """
    request = _TxnRequest()
    add = request.compare.add
    for key, target, operator, operand in compares:
        compare = add()
        compare.key = encode_key(key)
        if operator is not _EQUAL:
            compare.result = _OPERATORS[operator]
        if target is _VALUE:
            compare.target = _COMPARE_VALUE
            compare.value = operand
        elif target is _CREATED:
            compare.target = _COMPARE_CREATED
            compare.create_revision = operand
        else:
            compare.target = _COMPARE_MODIFIED
            compare.mod_revision = operand
    add = request.success.add
    for key, value, lease in puts:
        put_op = add().request_put
        put_op.key = encode_key(key)
        put_op.value = value
        if lease:
            put_op.lease = lease
    for key in deletes:
        add().request_delete_range.key = encode_key(key)
    add = request.failure.add
    for key in reads:
        add().request_range.key = encode_key(key)
    if reads and not puts and not deletes:
        request.success.extend(request.failure)
    return request


def txn_result(response: Any, revision: int, reads: Sequence[str], *, has_writes: bool) -> TxnResult:
    """The answer to one transaction; *revision* is the outer request's, a nested answer carries none."""
    succeeded = response.succeeded
    if not reads or (succeeded and has_writes):
        return TxnResult(succeeded, revision)
    found: dict[str, KeyValue | None] = {}
    for key, answer in zip(reads, response.responses, strict=True):
        stored = answer.response_range.kvs
        found[key] = key_value(stored[0]) if stored else None
    return TxnResult(succeeded, revision, found)


def changes(response: Any) -> Changes:
    """
    The events of one answer of a watch.

    They are whole revisions, because fragments are off. `revision` is that of the last event: the header says
    how far the store is, which may be ahead of what this stream has delivered.
    """
    items = tuple(Change(key_value(event.kv), event.type == _DELETE) for event in response.events)
    return Changes(items[-1].kv.mod_revision, items)


def watch_request(prefix: str, from_revision: int) -> Any:
    start = encode_key(prefix)
    return rpc_pb2.WatchRequest(
        create_request=rpc_pb2.WatchCreateRequest(
            key=start or b"\0",
            range_end=prefix_end(start),
            start_revision=from_revision,
            progress_notify=True,
        )
    )


def progress_request() -> Any:
    return rpc_pb2.WatchRequest(progress_request=rpc_pb2.WatchProgressRequest())
