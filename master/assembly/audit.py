"""Area: the audit trail, with its journal below the state directory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from master.adapters.audit_journal import open_journal
from master.adapters.mongo_audit import MongoAudit
from master.assembly.ground import Ground, Loop
from master.services.audit import AuditTrail


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The trail, and what moves it from the disk into MongoDB."""

    trail: AuditTrail

    @property
    def loops(self) -> tuple[Loop, ...]:
        return (self.trail.run, self.trail.prune)


@asynccontextmanager
async def open_audit(ground: Ground) -> AsyncIterator[Audit]:
    """
    The trail of this master, its journal open until the context ends.

    Raises:
        ConfigError: The state directory cannot be used.
    """
    with open_journal(ground.config.state_dir / "audit") as journal:
        chain = MongoAudit(ground.database, lambda: ground.reader.is_connected)
        trail = AuditTrail(chain, journal, ground.clock, audit_days=ground.config.audit_days)
        ground.metrics.watch(
            "audit_entries_waiting", "Audit entries on this master's disk only.", lambda: trail.waiting
        )
        yield Audit(trail=trail)
