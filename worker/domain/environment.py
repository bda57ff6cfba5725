"""The environment of a command: built from scratch, so that nothing of the worker's own leaks into it.

Pure. The worker's environment holds credentials of etcd and MongoDB; a command gets what is listed here,
what its job declares, and nothing else. A job may override everything but the `CRON_` names.
"""

import re
from datetime import datetime
from typing import Final

from common.domain.job import JobDefinition, SecretValue
from common.domain.tracing import trace_parent
from worker.domain.account import DEFAULT_PATH, EXECUTION_VARIABLE, Account
from worker.domain.assignment import Assignment

_NOT_IN_NAMES: Final = re.compile(r"[^A-Z0-9_]")


def environment_of(assignment: Assignment, account: Account) -> dict[str, str]:
    """The complete environment of the command of *assignment*, run as *account*."""
    spec = assignment.spec
    env = {
        "PATH": DEFAULT_PATH,
        "HOME": account.home,
        "USER": account.name,
        "LOGNAME": account.name,
        "SHELL": account.shell,
        "LANG": "C.UTF-8",
        "TZ": spec.timezone,
    }
    for name, value in spec.env.items():
        env[name] = value.value if isinstance(value, SecretValue) else value
    for name, text in assignment.parameters.items():
        env[f"CRON_PARAM_{_NOT_IN_NAMES.sub('_', name.upper())}"] = text.replace("\x00", "")
    env["CRON_NAMESPACE"] = spec.namespace
    env["CRON_JOB"] = spec.name
    env[EXECUTION_VARIABLE] = assignment.id
    env["CRON_TICK"] = "" if assignment.tick_s is None else str(assignment.tick_s)
    env["CRON_SCHEDULED_AT"] = _in_utc(assignment.scheduled_at)
    env["CRON_ATTEMPT"] = str(assignment.execution.attempt)
    env["CRON_FENCE"] = str(assignment.fence)
    if "TRACEPARENT" not in env:
        env["TRACEPARENT"] = trace_parent(assignment.id, assignment.trace_parent)
    return env


def _in_utc(instant: datetime) -> str:
    """*instant*, which is in UTC, to the second; strftime takes twenty times longer."""
    return instant.isoformat()[:19] + "Z"


def secrets_of(spec: JobDefinition) -> frozenset[str]:
    """The values of *spec* that must not appear in its output."""
    values = list(spec.env.values())
    if spec.request is not None:
        values += spec.request.headers.values()
    return frozenset(value.value for value in values if isinstance(value, SecretValue) and value.value)
