"""The one door to coordination: the key-value store as this product needs it.

Two implementations pass the same contract suite (`tests/contract/test_kv_*.py`): etcd over gRPC, and the
in-memory store of the simulation.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from common.kv.values import Changes, Compare, Lease, Listing, Put, StoreStatus, TxnResult


class KeyValueStore(Protocol):
    """
    A linearizable key-value store with transactions, leases and watches.

    Raises (every method):
        StoreUnavailable: The request surely did not happen.
        OutcomeUnknown: A writing request may or may not have happened.
        NotAllowed: The store refused the credentials.
    """

    async def list(self, prefix: str) -> Listing:
        """Every key that starts with *prefix*, in pages, all read at one revision."""
        ...

    async def txn(
        self,
        *,
        compares: Sequence[Compare] = (),
        puts: Sequence[Put] = (),
        deletes: Sequence[str] = (),
        reads: Sequence[str] = (),
    ) -> TxnResult:
        """
        If all *compares* hold, make all writes at one revision; otherwise read *reads*.

        *reads* are also answered by a transaction that has nothing to write. At most 128 operations; the
        same key may be written only once.

        Raises:
            LeaseLost: A put names a lease that does not exist; nothing was written.
        """
        ...

    def watch(self, prefix: str, *, from_revision: int) -> AsyncGenerator[Changes, None]:
        """
        Every change below *prefix* from *from_revision* on, whole revisions at a time, until closed.

        The first answer says that the watch stands: no items, and the revision before *from_revision*.

        Close the iterator (`aclosing`) to end the watch at the server.

        Raises:
            Compacted: The store no longer holds *from_revision*; list again.
            StoreUnavailable: The stream broke or fell silent; watch again from the last revision + 1.
        """
        ...

    async def grant(self, ttl_s: int) -> Lease:
        """A new lease; use the TTL the store granted."""
        ...

    async def renew(self, lease_id: int) -> int:
        """
        Renew once and return the granted TTL in seconds.

        Raises:
            LeaseLost: The lease has ended (the server answers such a renewal with TTL 0).
        """
        ...

    async def revoke(self, lease_id: int) -> None:
        """End the lease and delete its keys; a lease that has ended already is no error."""
        ...

    async def status(self) -> StoreStatus:
        """Version, cluster id and size, from the endpoint in use."""
        ...
