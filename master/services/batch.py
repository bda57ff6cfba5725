"""One action on many jobs or executions, each by itself: a result per item, never all or nothing.

The items go side by side, so many at a time: a thousand of them take a second and leave room for others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from common.domain.errors import CronError

_AT_ONCE: Final = 32
ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class ItemResult:
    """`error` is None for what was done; `execution_id` where the action starts one."""

    error: CronError | None
    execution_id: str | None = None


async def each(items: Sequence[ItemT], act: Callable[[ItemT], Awaitable[str | None]]) -> list[ItemResult]:
    """Do *act* for every item; the results are in the order of *items*."""
    results: list[ItemResult | None] = [None] * len(items)
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(index: int) -> None:
        async with places:
            try:
                results[index] = ItemResult(None, await act(items[index]))
            except CronError as error:
                results[index] = ItemResult(error)

    async with asyncio.TaskGroup() as group:
        for index in range(len(items)):
            group.create_task(one(index), name=f"batch.{index}")
    return [result for result in results if result is not None]
