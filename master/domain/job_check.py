"""A definition looked at before it is saved: what would be accepted and surprise.

Pure. Nothing here refuses anything; what does is decided where jobs are saved.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from common.domain.codec import WorkerHealth
from common.domain.eligibility import eligible, reasons_against
from common.domain.job import JobDefinition
from common.domain.preview import preview_schedule
from common.domain.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Caution:
    """Something that is allowed and often not meant: a code for programs, a sentence for people."""

    code: str
    text: str


def cautions(
    definition: JobDefinition, schedule: Schedule | None, workers: Sequence[WorkerHealth], now: datetime
) -> list[Caution]:
    """What to tell somebody who is about to save *definition*."""
    return [*_of_workers(definition, workers), *_of_schedule(definition, schedule, now)]


def _of_workers(definition: JobDefinition, workers: Sequence[WorkerHealth]) -> Iterator[Caution]:
    if eligible(definition, workers):
        return
    if not workers:
        yield Caution("no_worker_online", "No worker is online.")
        return
    reasons = [f"{worker.worker} {reasons_against(definition, worker)[0]}" for worker in workers[:3]]
    yield Caution("no_eligible_worker", f"No live worker may run it: {'; '.join(reasons)}.")


def _of_schedule(definition: JobDefinition, schedule: Schedule | None, now: datetime) -> Iterator[Caution]:
    if schedule is None:
        yield Caution("no_schedule", "Without a schedule it runs only when somebody asks.")
        return
    for warning in preview_schedule(schedule, now, 2).warnings:
        yield Caution(warning.code.value, warning.message)
    if definition.ends_at is not None and definition.ends_at <= now:
        yield Caution("has_ended", "Its last day has passed: no tick is left.")
