"""Between our values and etcd's messages: builds requests, reads answers.

Pure, and on the hot path: two transactions per execution come through here, so there are no intermediate
objects. Keys that are not UTF-8 (somebody else wrote them) survive the round trip as surrogates.
"""

from collections.abc import Sequence
from typing import Any, Final

from pyetcd.etcdrpc import kv_pb2, rpc_pb2

from common.kv.values import Change, Changes, Compare, KeyValue, Operator, Put, Target, TxnResult

_OPERATORS: Final = {
    Operator.EQUAL: rpc_pb2.Compare.EQUAL,
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
    request = rpc_pb2.TxnRequest()
    for compare in compares:
        _fill_compare(request.compare.add(), compare)
    for put in puts:
        put_op = request.success.add().request_put
        put_op.key = encode_key(put.key)
        put_op.value = put.value
        if put.lease:
            put_op.lease = put.lease
    for key in deletes:
        request.success.add().request_delete_range.key = encode_key(key)
    for key in reads:
        request.failure.add().request_range.key = encode_key(key)
    if reads and not puts and not deletes:
        request.success.extend(request.failure)
    return request


def _fill_compare(message: Any, compare: Compare) -> None:
    message.key = encode_key(compare.key)
    message.result = _OPERATORS[compare.operator]
    if compare.target is Target.VALUE:
        message.target = rpc_pb2.Compare.VALUE
        message.value = compare.operand
    elif compare.target is Target.CREATE_REVISION:
        message.target = rpc_pb2.Compare.CREATE
        message.create_revision = compare.operand
    else:
        message.target = rpc_pb2.Compare.MOD
        message.mod_revision = compare.operand


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
