"""Whether and when a tick is tried again.

Pure. The worker decides it for outcomes it saw, the reconciler for executions it gave up.
"""

from datetime import datetime, timedelta

from common.domain.codec import Trigger
from common.domain.errors import InvalidInput
from common.domain.execution import Cause, Status
from common.domain.ids import ExecutionId
from common.domain.job import JobSpec, RetryPolicy

#: A stored trigger nobody could claim is given up this long after it became due.
TRIGGER_LIFETIME: timedelta = timedelta(hours=24)


def next_delay_s(policy: RetryPolicy, attempt: int, outcome: Status) -> float | None:
    """
    Seconds until the attempt after *attempt*, which ended with *outcome*; None when there is none.

    The delay grows by `backoff` from attempt to attempt, up to `max_delay_s`.
    """
    if attempt >= policy.max_attempts or outcome.value not in policy.on:
        return None
    try:
        delay_s = policy.delay_s * policy.backoff ** (attempt - 1)
    except OverflowError:
        return policy.max_delay_s
    return min(delay_s, policy.max_delay_s)


def next_retry(
    spec: JobSpec,
    execution: ExecutionId,
    outcome: Status,
    *,
    scheduled_at: datetime,
    now: datetime,
    parameters: dict[str, str],
    requested_by: str | None,
    trace_parent: str | None = None,
) -> tuple[str, Trigger] | None:
    """Trigger id and trigger of the next attempt of *execution*; None when the policy wants none."""
    delay_s = next_delay_s(spec.retry, execution.attempt, outcome)
    if delay_s is None:
        return None
    following = execution.next_attempt()
    not_before = now + timedelta(seconds=delay_s)
    trigger = Trigger(
        cause=Cause.RETRY,
        tick=execution.tick_s,
        attempt=following.attempt,
        not_before=not_before,
        expires_at=not_before + TRIGGER_LIFETIME,
        scheduled_at=scheduled_at,
        parameters=parameters,
        requested_by=requested_by,
        origin=execution.tick.removeprefix("m") if execution.tick_s is None else None,
        trace_parent=trace_parent,
    )
    return f"{following.tick}.{following.attempt}", trigger


def execution_of(uid: str, trigger_id: str, trigger: Trigger) -> ExecutionId:
    """
    The execution a trigger asks for.

    Raises:
        InvalidInput: The trigger does not say which one.
    """
    if trigger.tick is not None:
        return ExecutionId.of_tick(uid, trigger.tick, trigger.attempt)
    if trigger.cause is Cause.MANUAL:
        return ExecutionId.of_trigger(uid, trigger_id, trigger.attempt)
    if trigger.origin:
        return ExecutionId.of_trigger(uid, trigger.origin, trigger.attempt)
    raise InvalidInput(f"trigger {trigger_id!r} of {uid} names neither a tick nor what it repeats")
