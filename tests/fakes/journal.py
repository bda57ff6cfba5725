"""A journal that keeps everything in memory."""

from common.domain.records import ExecutionRecord, OutputChunk, Record, Stream


class MemoryJournal:
    """As `worker.ports.Journal`; every record counts as durable."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def record(self, record: Record) -> None:
        self.records.append(record)

    async def record_durably(self, record: Record) -> None:
        self.records.append(record)

    def executions(self) -> list[ExecutionRecord]:
        return [record for record in self.records if isinstance(record, ExecutionRecord)]

    def lines(self, stream: Stream = Stream.STDOUT) -> list[str]:
        """All lines of one stream, in order."""
        return [
            text
            for record in self.records
            if isinstance(record, OutputChunk)
            for _, of, text in record.lines
            if of is stream
        ]
