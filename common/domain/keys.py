"""Every etcd key of the product, built and parsed in this one place.

Pure. `Keyspace` is made from the two configurable prefixes. The table of what each key holds, who
writes it and what guards it is in `docs/concepts.md`.
"""

from dataclasses import dataclass

from common.domain.ids import ExecutionId


@dataclass(frozen=True, slots=True)
class Keyspace:
    """
    Keys below *prefix* (`/cron/`) and *health_prefix* (`/agent/health/`); both end with a slash.
    """

    prefix: str = "/cron/"
    health_prefix: str = "/agent/health/"

    def __post_init__(self) -> None:
        for value in (self.prefix, self.health_prefix):
            if not value.startswith("/") or not value.endswith("/"):
                raise ValueError(f"key prefix {value!r} must start and end with '/'")

    # prefixes to list and watch
    @property
    def jobs(self) -> str:
        return f"{self.prefix}jobs/"

    @property
    def cursors(self) -> str:
        return f"{self.prefix}cursors/"

    @property
    def locks(self) -> str:
        return f"{self.prefix}locks/"

    @property
    def runs(self) -> str:
        return f"{self.prefix}runs/"

    @property
    def triggers(self) -> str:
        return f"{self.prefix}triggers/"

    @property
    def kills(self) -> str:
        return f"{self.prefix}kills/"

    @property
    def drains(self) -> str:
        """Workers that shall take nothing new, until somebody deletes their key."""
        return f"{self.prefix}drains/"

    @property
    def masters(self) -> str:
        return f"{self.prefix}masters/"

    @property
    def admin_tokens(self) -> str:
        """Digests of the masters' admin tokens, each on a lease of its own."""
        return f"{self.prefix}admin-tokens/"

    @property
    def requests(self) -> str:
        """Idempotency keys of run-now requests, each on a lease of its own."""
        return f"{self.prefix}requests/"

    # one key
    def job(self, namespace: str, name: str) -> str:
        return f"{self.prefix}jobs/{namespace}/{name}"

    def cursor(self, uid: str) -> str:
        return f"{self.prefix}cursors/{uid}"

    def lock(self, uid: str) -> str:
        return f"{self.prefix}locks/{uid}"

    def run(self, execution: ExecutionId) -> str:
        return f"{self.prefix}runs/{execution.uid}/{execution.tick}.{execution.attempt}"

    def runs_of(self, uid: str) -> str:
        return f"{self.prefix}runs/{uid}/"

    def trigger(self, uid: str, trigger_id: str) -> str:
        return f"{self.prefix}triggers/{uid}/{trigger_id}"

    def triggers_of(self, uid: str) -> str:
        return f"{self.prefix}triggers/{uid}/"

    def kill(self, execution: ExecutionId) -> str:
        return f"{self.prefix}kills/{execution}"

    def drain(self, worker_id: str) -> str:
        return f"{self.prefix}drains/{worker_id}"

    def health(self, worker_id: str) -> str:
        return f"{self.health_prefix}{worker_id}"

    def master(self, master_id: str) -> str:
        return f"{self.prefix}masters/{master_id}"

    def request(self, namespace: str, name: str, token: str) -> str:
        return f"{self.prefix}requests/{namespace}/{name}/{token}"

    @property
    def accepted_store(self) -> str:
        """An operator's word that this etcd is to be taken as it is, for ten minutes."""
        return f"{self.prefix}accepted-store"

    def lead(self, work: str) -> str:
        """The lease-bound key of a piece of work that only one master does at a time."""
        return f"{self.prefix}lead/{work}"

    # back from a key
    def parse_job(self, key: str) -> tuple[str, str]:
        """
        (namespace, name) of a job key.

        Raises:
            ValueError: *key* is not a job key of this keyspace.
        """
        parts = self._tail(key, self.jobs).split("/")
        if len(parts) != 2 or not all(parts):
            raise ValueError(f"{key!r} is not {self.jobs}<namespace>/<name>")
        return parts[0], parts[1]

    def parse_run(self, key: str) -> ExecutionId:
        """The execution a run record speaks of; ValueError if *key* is none."""
        uid, _, rest = self._tail(key, self.runs).partition("/")
        tick, _, attempt = rest.rpartition(".")
        if not uid or not tick or not attempt.isdecimal():
            raise ValueError(f"{key!r} is not {self.runs}<uid>/<tick>.<attempt>")
        return ExecutionId(uid, tick, int(attempt))

    def parse_trigger(self, key: str) -> tuple[str, str]:
        """(uid, trigger id) of a trigger key; ValueError if *key* is none."""
        uid, _, trigger_id = self._tail(key, self.triggers).partition("/")
        if not uid or not trigger_id or "/" in trigger_id:
            raise ValueError(f"{key!r} is not {self.triggers}<uid>/<id>")
        return uid, trigger_id

    def parse_kill(self, key: str) -> ExecutionId:
        """The execution a kill request names; InvalidInput or ValueError if *key* is none."""
        return ExecutionId.parse(self._tail(key, self.kills))

    def parse_last(self, key: str, prefix: str) -> str:
        """What stands behind *prefix*: the uid of a cursor or lock, the id of a worker or master."""
        tail = self._tail(key, prefix)
        if not tail:
            raise ValueError(f"{key!r} names nothing below {prefix!r}")
        return tail

    @staticmethod
    def _tail(key: str, prefix: str) -> str:
        if not key.startswith(prefix):
            raise ValueError(f"{key!r} is not below {prefix!r}")
        return key[len(prefix) :]
