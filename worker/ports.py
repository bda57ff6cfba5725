"""What the worker's halves need from the outside and from each other, as protocols.

The coordinating half (`dispatcher`, `claims`, `runner`) sees `Supervisor` and `Journal`; the running half
sees what is in `processes`; the journal sees `RecordSink` and `Spool`. Simulations replace the outermost
ones: clock, store, spawner, sink, spool.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from common.domain.records import Record, WriteReport
from worker.domain.assignment import Assignment, RunReport
from worker.processes import at_any_time
from worker.stopping import StopSwitch


class Supervisor(Protocol):
    """Runs the command of one assignment from spawn to the last byte of output."""

    async def run(
        self,
        assignment: Assignment,
        switch: StopSwitch,
        on_started: Callable[[datetime], None],
        start_by: Callable[[], float] = at_any_time,
    ) -> RunReport:
        """
        Run it and return how it ended. Never raises for anything the command or its definition did.

        *on_started* is called when the command is found running: at most once, and not for one that has ended
        by then. A switch that is pressed before the spawn
        ends the execution without one (`before_start`), and so does *start_by*; see `Command`.
        """
        ...


class Journal(Protocol):
    """Takes records and gets them to MongoDB: at once if it is there, from the spool if it was not."""

    def record(self, record: Record) -> None:
        """Keep *record*; it is written to the spool soon and shipped within `logCommitTimeout`."""
        ...

    async def record_durably(self, record: Record) -> None:
        """Return when *record* has reached the disk (one fsync is shared by all who wait at that time)."""
        ...


class RecordSink(Protocol):
    async def write(self, records: Sequence[Record]) -> WriteReport:
        """
        Store *records* durably; may be repeated.

        Raises:
            StoreUnavailable: Nothing is known to be stored; write the same records again later.
        """
        ...


class Spool(Protocol):
    """
    Records on the worker's own disk, in two lanes: statuses (executions, ledger) are never dropped, output
    is dropped oldest first when the lane is full. What is dropped leaves an `OutputLoss` among the statuses.
    """

    def __len__(self) -> int:
        """Records that are not acknowledged."""
        ...

    def append(self, record: Record) -> None: ...

    async def sync(self) -> None:
        """
        Return when everything appended before the call has reached the disk.

        Raises:
            OSError: The disk refuses; what was appended is kept in memory and written later.
        """
        ...

    def peek(self, limit: int, limit_bytes: int) -> tuple[Record, ...]:
        """The oldest records that are not acknowledged, statuses first."""
        ...

    def acknowledge(self, records: Sequence[Record]) -> None:
        """Forget *records*: they are stored."""
        ...

    def set_aside(self, record: Record, reason: str) -> None:
        """Move a record the database refuses to the side, where an operator finds it."""
        ...

    @property
    def size_bytes(self) -> int: ...

    @property
    def dropped_output(self) -> int: ...
