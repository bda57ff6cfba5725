"""The key-value store of the simulation: etcd's semantics in memory, on the time of the running loop.

Passes the contract suite of the real adapter. Holds no clock and no randomness: leases, delays and time-outs
are timers of the loop, and every fault is switched on by the test. `FakeStore` is the server; each simulated
process talks through a `FakeClient` of its own, and the network between them can fail.
"""

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextvars import Context
from dataclasses import dataclass, field, replace

from common.domain.errors import Compacted, InvalidInput, LeaseLost, StoreUnavailable
from common.kv.values import (
    Change,
    Changes,
    Compare,
    KeyValue,
    Lease,
    Listing,
    Operator,
    Put,
    StoreStatus,
    Target,
    TxnResult,
)
from tests.fakes.kv_client import FakeClient, FakeWatch

_MOST_OPERATIONS = 128
_SHORTEST_TTL_S = 2


@dataclass
class _LiveLease:
    ttl_s: int
    ends: asyncio.TimerHandle
    keys: set[str] = field(default_factory=set)


class FakeStore:
    """
    Attributes:
        revision: As etcd counts: 1 when empty, one more for every transaction that changed something.
        cluster_id: Set another one to play a restored backup.
        writes: Transactions that changed something, by client name; "" for lease ends.
        calls: Requests that arrived, by (client name, kind).
        observers: Called with (client name, changes) at every commit, before anybody is notified.
    """

    def __init__(self) -> None:
        self.revision = 1
        self.cluster_id = 1
        self.writes: Counter[str] = Counter()
        self.calls: Counter[tuple[str, str]] = Counter()
        self.observers: list[Callable[[str, Changes], None]] = []
        self._keys: dict[str, KeyValue] = {}
        self._leases: dict[int, _LiveLease] = {}
        self._last_lease_id = 0
        self._history: list[Changes] = []
        self._compact_revision = 0
        self._clients: dict[str, FakeClient] = {}
        self._waiting: list[Callable[[], None]] = []
        self._is_paused = False
        self._is_away = False

    def client(self, name: str) -> FakeClient:
        """The connection of the process *name*; always the same one for the same name."""
        if name not in self._clients:
            self._clients[name] = FakeClient(self, name)
        return self._clients[name]

    def forget(self, name: str) -> None:
        """The process *name* is dead: its connection is gone, and the next `client(name)` is a new one."""
        client = self._clients.pop(name, None)
        if client is not None:
            client.drop_watches()

    # -- faults of the server ------------------------------------------------------------------------------

    @property
    def paused(self) -> bool:
        """No leader: requests wait, leases do not end. Afterwards all leases start anew, as etcd does it."""
        return self._is_paused

    @paused.setter
    def paused(self, value: bool) -> None:
        was, self._is_paused = self._is_paused, value
        if was and not value:
            self._refresh_leases()
            waiting, self._waiting = self._waiting, []
            for arrive in waiting:
                arrive()

    @property
    def away(self) -> bool:
        """The server is down: connections are refused, watches break, leases are kept and start anew."""
        return self._is_away

    @away.setter
    def away(self, value: bool) -> None:
        was, self._is_away = self._is_away, value
        if value:
            self._waiting.clear()
            self._break_watches("the store went away")
        elif was:
            self._refresh_leases()

    def restart(self) -> None:
        """Down and up again at once: watches break, all leases start anew."""
        self.away = True
        self.away = False

    def compact(self, revision: int | None = None) -> None:
        """Forget the changes before *revision*, without one before the present."""
        self._compact_revision = self.revision if revision is None else revision
        self._history = [past for past in self._history if past.revision >= self._compact_revision]

    def expire(self, lease_id: int) -> None:
        """End a lease now, as if its time was over."""
        self.revoke(lease_id)

    def arrive(self, perform: Callable[[], None]) -> None:
        """Run a request that has arrived, now or once there is a leader again."""
        if self._is_paused:
            self._waiting.append(perform)
        else:
            perform()

    # -- what tests look at --------------------------------------------------------------------------------

    def get(self, key: str) -> KeyValue | None:
        return self._keys.get(key)

    def keys(self, prefix: str = "") -> list[str]:
        return sorted(key for key in self._keys if key.startswith(prefix))

    @property
    def lease_ids(self) -> list[int]:
        return sorted(self._leases)

    # -- the operations, as a server performs them ---------------------------------------------------------

    def list(self, prefix: str) -> Listing:
        items = tuple(self._keys[key] for key in self.keys(prefix))
        return Listing(self.revision, items, self.cluster_id)

    def txn(
        self,
        client: str,
        compares: Sequence[Compare],
        puts: Sequence[Put],
        deletes: Sequence[str],
        reads: Sequence[str],
    ) -> TxnResult:
        _refuse_malformed(compares, puts, deletes, reads)
        succeeded = all(_holds(compare, self._keys.get(compare.key)) for compare in compares)
        if not succeeded or not (puts or deletes):
            return TxnResult(succeeded, self.revision, {key: self._keys.get(key) for key in reads})
        for put in puts:
            if put.lease and put.lease not in self._leases:
                raise LeaseLost(lease_id=put.lease)
        self._commit(client, puts, deletes)
        return TxnResult(True, self.revision)

    def grant(self, ttl_s: int) -> Lease:
        self._last_lease_id += 1
        lease_id, ttl_s = self._last_lease_id, max(ttl_s, _SHORTEST_TTL_S)
        self._leases[lease_id] = _LiveLease(ttl_s, self._timer(lease_id, ttl_s))
        return Lease(lease_id, ttl_s)

    def renew(self, lease_id: int) -> int:
        lease = self._leases.get(lease_id)
        if lease is None:
            raise LeaseLost(lease_id=lease_id)
        lease.ends.cancel()
        lease.ends = self._timer(lease_id, lease.ttl_s)
        return lease.ttl_s

    def revoke(self, lease_id: int) -> None:
        lease = self._leases.get(lease_id)
        if lease is not None:
            lease.ends.cancel()
            self._commit("", (), sorted(lease.keys))
            del self._leases[lease_id]

    def status(self) -> StoreStatus:
        size_bytes = sum(len(item.key) + len(item.value) for item in self._keys.values())
        return StoreStatus("3.5.0-fake", self.cluster_id, self.revision, size_bytes, "fake")

    def changes_since(self, prefix: str, from_revision: int) -> Iterable[Changes]:
        """The past of a watch.

        Raises:
            Compacted: Part of it is gone.
        """
        if from_revision < self._compact_revision:
            raise Compacted(compact_revision=self._compact_revision)
        start = bisect_left(self._history, from_revision, key=lambda past: past.revision)
        return filter(None, (_below(prefix, past) for past in self._history[start:]))

    # -- inside --------------------------------------------------------------------------------------------

    def _commit(self, client: str, puts: Iterable[Put], deletes: Iterable[str]) -> None:
        revision = self.revision + 1
        items = [self._put(put, revision) for put in puts]
        items += [self._delete(key, revision) for key in deletes if key in self._keys]
        if not items:
            return
        self.revision = revision
        self.writes[client] += 1
        changes = Changes(revision, tuple(items))
        self._history.append(changes)
        for observe in self.observers:
            observe(client, changes)
        below: dict[str, Changes | None] = {}
        for watch in self._watches():
            prefix = watch.prefix
            if prefix not in below:  # a dozen watches have the same
                below[prefix] = _below(prefix, changes)
            if (news := below[prefix]) is not None and revision >= watch.from_revision:
                watch.send(news)

    def _put(self, put: Put, revision: int) -> Change:
        old = self._keys.get(put.key)
        if old is not None and old.lease in self._leases:
            self._leases[old.lease].keys.discard(put.key)
        if put.lease:
            self._leases[put.lease].keys.add(put.key)
        if old is None:
            stored = KeyValue(put.key, bytes(put.value), revision, revision, 1, put.lease)
        else:
            version = old.version + 1
            stored = replace(
                old, value=bytes(put.value), mod_revision=revision, version=version, lease=put.lease
            )
        self._keys[put.key] = stored
        return Change(stored)

    def _delete(self, key: str, revision: int) -> Change:
        old = self._keys.pop(key)
        if old.lease in self._leases:
            self._leases[old.lease].keys.discard(key)
        return Change(KeyValue(key, b"", 0, revision, version=0), deleted=True)

    def _timer(self, lease_id: int, ttl_s: int) -> asyncio.TimerHandle:
        # In a context of its own: the server's timers are not those of the client that asked.
        return asyncio.get_running_loop().call_later(ttl_s, self._end_lease, lease_id, context=Context())

    def _end_lease(self, lease_id: int) -> None:
        # Without a leader nobody ends leases; when there is one again, all of them start anew.
        if not self._is_paused and not self._is_away:
            self.revoke(lease_id)

    def _refresh_leases(self) -> None:
        for lease_id in self._leases:
            self.renew(lease_id)

    def _watches(self) -> Sequence[FakeWatch]:
        return [watch for client in self._clients.values() for watch in client.watches]

    def _break_watches(self, reason: str) -> None:
        for watch in self._watches():
            watch.fail(StoreUnavailable(reason))


def _below(prefix: str, changes: Changes) -> Changes | None:
    items = tuple(change for change in changes.items if change.key.startswith(prefix))
    return Changes(changes.revision, items) if items else None


def _holds(compare: Compare, stored: KeyValue | None) -> bool:
    if compare.target is Target.VALUE:
        # As etcd does it: no comparison with the value of a missing key is true, not even "differs".
        return stored is not None and _compared(stored.value, compare.operator, compare.operand)
    if compare.target is Target.CREATE_REVISION:
        return _compared(stored.create_revision if stored else 0, compare.operator, compare.operand)
    return _compared(stored.mod_revision if stored else 0, compare.operator, compare.operand)


def _compared(actual: int | bytes, operator: Operator, operand: int | bytes) -> bool:
    match operator:
        case Operator.EQUAL:
            return actual == operand
        case Operator.NOT_EQUAL:
            return actual != operand
        case Operator.LESS:
            return actual < operand  # type: ignore[operator]  # both are of the kind the target says
        case Operator.GREATER:
            return actual > operand  # type: ignore[operator]


def _refuse_malformed(
    compares: Sequence[Compare], puts: Sequence[Put], deletes: Sequence[str], reads: Sequence[str]
) -> None:
    if max(len(compares), len(puts) + len(deletes), len(reads)) > _MOST_OPERATIONS:
        raise InvalidInput("too many operations in txn request")
    written = [put.key for put in puts]
    if len(set(written)) < len(written) or not set(written).isdisjoint(deletes):
        raise InvalidInput("duplicate key given in txn request")
