"""Records for tests: complete, and small enough to read."""

from datetime import UTC, datetime, timedelta
from typing import Any

from common.domain.execution import Cause, LedgerKind, Reason, Status
from common.domain.records import ExecutionRecord, LedgerRow, OutputChunk, Seq, Stream

#: Whole milliseconds: what BSON can carry.
NOW = datetime(2026, 11, 21, 10, 0, 0, 123_000, tzinfo=UTC)
EXPIRES = NOW + timedelta(days=30)


def execution(tick: int = 1, seq: Seq = Seq.STARTED, **fields: Any) -> ExecutionRecord:
    """One state of the execution of *tick*; its claim is revision 100 + tick."""
    status = {Seq.STARTED: Status.RUNNING, Seq.GIVEN_UP: Status.LOST, Seq.FINISHED: Status.SUCCEEDED}
    return ExecutionRecord(
        **{
            "execution_id": f"samplejob1.{tick}.1",
            "namespace": "default",
            "job": "sample",
            "uid": "samplejob1",
            "tick": tick,
            "attempt": 1,
            "cause": Cause.SCHEDULE,
            "worker": "worker-1",
            "session": "7",
            "fence": 100 + tick,
            "seq": seq,
            "status": status[seq],
            "generation": 1,
            "scheduled_at": NOW,
            "claimed_at": NOW,
            "expires_at": EXPIRES,
            "recorded_at": NOW + timedelta(seconds=int(seq)),
            **fields,
        }
    )


def chunk(tick: int = 1, seq: int = 0, text: str = "hello", **fields: Any) -> OutputChunk:
    """One chunk of the output of the execution of *tick*."""
    return OutputChunk(
        **{
            "execution_id": f"samplejob1.{tick}.1",
            "fence": 100 + tick,
            "seq": seq,
            "lines": ((3, Stream.STDOUT, text),),
            "size_bytes": len(text) + 48,
            "expires_at": EXPIRES,
            **fields,
        }
    )


def missed(tick: int = 1, **fields: Any) -> LedgerRow:
    """A tick nobody could run."""
    return LedgerRow(
        **{
            "namespace": "default",
            "job": "sample",
            "uid": "samplejob1",
            "tick": tick,
            "kind": LedgerKind.MISSED,
            "reason": Reason.NO_WORKER,
            "generation": 1,
            "recorded_at": NOW,
            "expires_at": EXPIRES,
            "recorded_by": "worker-1",
            **fields,
        }
    )
