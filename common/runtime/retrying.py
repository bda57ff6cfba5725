"""Retry policies by kind of caller: one who waits, and a loop that has all the time in the world.

Adapters only name what is temporary (`StoreUnavailable`, `OutcomeUnknown`); how often and how long is decided
here and nowhere else.

    async for attempt in store_call():
        with attempt:
            await store.txn(...)
"""

from typing import Final

import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from common.domain.errors import OutcomeUnknown, StoreUnavailable

log = structlog.get_logger()

_CALL_BUDGET_S: Final = 10
_CALL_PAUSE_CAP_S: Final = 2
_LOOP_PAUSE_CAP_S: Final = 30


def store_call() -> AsyncRetrying:
    """Short and jittered: the caller waits. Only failures that surely did not happen; 10 s at most."""
    return AsyncRetrying(
        retry=retry_if_exception_type(StoreUnavailable),
        wait=wait_random_exponential(multiplier=0.1, max=_CALL_PAUSE_CAP_S),
        stop=stop_after_delay(_CALL_BUDGET_S),
        reraise=True,
    )


def background_loop(
    name: str, *, on: tuple[type[Exception], ...] = (StoreUnavailable, OutcomeUnknown)
) -> AsyncRetrying:
    """
    Retry one round of a background loop for ever, with pauses that grow to 30 s at most.

    An outage is logged twice: `background.failing` at its first failure, `background.recovered` at its end.

    Args:
        name: The loop, as it shall stand in the log.
        on: What is worth another try. A round must be repeatable as a whole, so an unknown outcome is.
    """
    return AsyncRetrying(
        retry=_Outage(name, on),
        wait=wait_random_exponential(multiplier=0.2, max=_LOOP_PAUSE_CAP_S),
        reraise=True,
    )


class _Outage:
    """Decides on another try and keeps the log to one line per outage and one per recovery."""

    def __init__(self, name: str, on: tuple[type[Exception], ...]) -> None:
        self._name = name
        self._on = on

    def __call__(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if error is None:
            if state.attempt_number > 1:
                log.info("background.recovered", loop=self._name, attempts=state.attempt_number)
            return False
        if not isinstance(error, self._on):
            return False
        if state.attempt_number == 1:
            log.warning("background.failing", loop=self._name, error=str(error))
        return True
