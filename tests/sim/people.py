"""What people do to a simulated cluster: save, change and delete jobs, run and kill them.

Written to the store as a master would write it, over a connection that shares the store's outages.
"""

from datetime import timedelta
from typing import Any

from common.domain.codec import KillRequest, Trigger, encode_cursor
from common.domain.execution import Cause
from common.domain.job import JobSpec
from common.kv.values import Put, absent, modified_at
from common.runtime.clock import new_uid
from master.accept_etcd import accept
from tests.sim.clocks import SkewedClock, true_time
from tests.sim.cluster import Cluster
from tests.sim.machine import Behaviour
from tests.sim.node import KEYS


class People(Cluster):
    """Jobs are named; the newest job of a name is meant."""

    def save_job(
        self,
        name: str,
        *,
        every_s: int | None = None,
        duration_s: float = 0.05,
        behaviour: Behaviour | None = None,
        **fields: Any,
    ) -> None:
        """Create the job, or save its next version; *fields* are those of the job."""
        behaviour = behaviour or Behaviour(duration_s=duration_s)
        if every_s is not None:
            fields["schedule"] = f"@every {every_s}s"
        self._soon(self._save(name, {"command": behaviour.words(), **fields}))

    def change_job(self, name: str, **fields: Any) -> None:
        """Save the next version with *fields* changed."""
        self._soon(self._save(name, fields))

    def disable(self, name: str) -> None:
        self.change_job(name, enabled=False)

    def enable(self, name: str) -> None:
        self.change_job(name, enabled=True)

    async def _save(self, name: str, fields: dict[str, Any]) -> None:
        now = true_time(self.loop)
        key = KEYS.job("default", name)
        stored = self.store.get(key)
        if stored is None and "command" not in fields:
            return  # a change of a job that is gone: the API answers 404
        if stored is None:
            spec = JobSpec(name=name, uid=new_uid(), created_at=now, changed_at=now, **fields)
            cursor = Put(KEYS.cursor(spec.uid), encode_cursor(spec.changed_at))
            compares, puts = [absent(key)], [cursor]
        else:
            before = JobSpec.model_validate_json(stored.value)
            known = before.model_dump(exclude={"generation", "changed_at"})
            spec = JobSpec(generation=before.generation + 1, changed_at=now, **(known | fields))
            compares, puts = [modified_at(key, stored.mod_revision)], []
        puts.append(Put(key, spec.model_dump_json(exclude_none=True).encode()))
        await self._operator.txn(compares=compares, puts=puts)

    def delete_job(self, name: str) -> None:
        self._soon(self._delete(name))

    async def _delete(self, name: str) -> None:
        key = KEYS.job("default", name)
        stored = self.store.get(key)
        if stored is None:
            return
        uid = JobSpec.model_validate_json(stored.value).uid
        await self._operator.txn(
            compares=[modified_at(key, stored.mod_revision)], deletes=[key, KEYS.cursor(uid)]
        )

    def run_job(
        self, name: str, *, force: bool = False, request: str | None = None, **parameters: str
    ) -> None:
        """Run now; *request* is an idempotency key: the second one of a name asks for nothing new."""
        self._soon(self._run_now(name, force, request, parameters))

    async def _run_now(self, name: str, force: bool, request: str | None, parameters: dict[str, str]) -> None:
        now = true_time(self.loop)
        trigger = Trigger(
            cause=Cause.MANUAL,
            not_before=now,
            expires_at=now + timedelta(hours=24),
            scheduled_at=now,
            parameters=parameters,
            requested_by="somebody",
            force=force,
        )
        lease = await self._operator.grant(86_400)
        key = KEYS.trigger(self.uid(name), request or new_uid())
        await self._operator.txn(compares=[absent(key)], puts=[Put(key, trigger.encode(), lease=lease.id)])
        self.trace.note("job.requested", job=name, key=key)

    def kill_running(self, name: str) -> None:
        """Kill every execution of the job that has a run record now."""
        self._soon(self._kill(name))

    async def _kill(self, name: str) -> None:
        for key in self.store.keys(KEYS.runs_of(self.uid(name))):
            execution = KEYS.parse_run(key)
            self.kills.add(str(execution))
            lease = await self._operator.grant(120)
            request = KillRequest(requested_by="somebody", requested_at=true_time(self.loop))
            await self._operator.txn(puts=[Put(KEYS.kill(execution), request.encode(), lease=lease.id)])
            self.trace.note("kill.requested", execution=execution)

    def accept_store(self) -> None:
        """`master --accept-etcd`."""
        clock = SkewedClock(self.loop)
        self._soon(accept(self._operator, KEYS, clock, "somebody"))

    def put_garbage(self, name: str) -> None:
        """Somebody writes nonsense over a stored job by hand."""
        key = KEYS.job("default", name)
        self._soon(self._operator.txn(puts=[Put(key, b"{nonsense")]))
