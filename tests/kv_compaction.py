"""What tests do to etcd that the product never does: compact its history."""

import grpc.aio
from pyetcd.etcdrpc import rpc_pb2, rpc_pb2_grpc


async def compact_etcd(endpoint: str, revision: int) -> None:
    """Make etcd forget all changes before *revision*."""
    async with grpc.aio.insecure_channel(endpoint) as channel:
        await rpc_pb2_grpc.KVStub(channel).Compact(rpc_pb2.CompactionRequest(revision=revision))
