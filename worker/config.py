"""What a worker can be told: keys, defaults, rules, and its command line.

Nothing is read at import time. Which id and directories a worker takes that was given none is decided at its
start, in `identity`: checking a configuration creates nothing.
"""

import ipaddress
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from common.config.command_line import OnlineCheck, configuration_of
from common.config.loader import Program
from common.config.sections import (
    SECRET_FILES,
    EtcdSection,
    FilePath,
    LogSection,
    MongoSection,
    Port,
)
from common.domain.ids import Name
from common.domain.job import LabelKey, LabelValue


def _checked_network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise ValueError(f"{text!r} must be a network such as 10.0.0.0/8") from None


Network = Annotated[str, AfterValidator(_checked_network)]


class WorkerConfig(LogSection, MongoSection, EtcdSection):
    """Everything a worker can be told."""

    SECRET_FILES = SECRET_FILES

    worker_id: Annotated[
        Name | None,
        Field(
            description="Name of this worker, never two at a time. By default the host name and a suffix, "
            "kept in `stateDir`."
        ),
    ] = None
    heartbeat_interval_ms: Annotated[
        int, Field(ge=500, le=600_000, description="Between two reports of metrics, in milliseconds.")
    ] = 3_000
    log_batch_size: Annotated[
        int, Field(ge=1, le=10_000, description="Records that are written to MongoDB at a time.")
    ] = 50
    log_commit_timeout_ms: Annotated[
        int, Field(ge=10, le=60_000, description="Longest wait of a record for its batch, in milliseconds.")
    ] = 2_000
    executor_threads: Annotated[int, Field(ge=1, le=10_000, description="Executions at a time (slots).")] = 5
    job_lock_ttl_s: Annotated[
        int,
        Field(
            ge=5,
            le=300,
            description="Lease of the worker's session, in seconds: how soon others notice that it died.",
        ),
    ] = 10
    labels: Annotated[
        dict[LabelKey, LabelValue],
        Field(default_factory=dict, max_length=64, description="What jobs can ask for, such as zone=eu."),
    ]
    executors: Annotated[
        tuple[Name, ...] | None,
        Field(min_length=1, description="Executors this worker offers; all that are installed by default."),
    ] = None
    state_dir: Annotated[
        FilePath | None,
        Field(
            description="Directory of this worker alone. By default one of its own below "
            "`/var/lib/everytick` or `~/.local/state/everytick`."
        ),
    ] = None
    spool_dir: Annotated[
        FilePath | None,
        Field(description="Where records wait while MongoDB is away; `spool` in `stateDir` by default."),
    ] = None
    spool_max_bytes: Annotated[
        int,
        Field(
            ge=1024 * 1024, description="Most that may wait there; beyond it the oldest output is dropped."
        ),
    ] = 1024 * 1024 * 1024
    shutdown_grace_s: Annotated[
        int,
        Field(ge=0, le=86_400, description="Time running commands get when the worker stops, in seconds."),
    ] = 60
    kill_grace_s: Annotated[
        int, Field(ge=0, le=3_600, description="Between TERM and KILL of a command, in seconds.")
    ] = 10
    precedence: Annotated[
        int,
        Field(
            ge=0,
            le=20,
            description="How far the worker itself goes before the commands it runs, as a difference of nice "
            "values. Without root it needs a limit that allows it (systemd: `LimitNICE=-10`).",
        ),
    ] = 10
    run_as_users: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        Field(description="Users that jobs may ask to run as; root only when it is listed."),
    ] = ()
    http_allowed_networks: Annotated[
        tuple[Network, ...],
        Field(description="Private networks that jobs of the HTTP executor may reach, such as 10.0.0.0/8."),
    ] = ()
    health_port: Annotated[
        Port | None, Field(description="Port of the health endpoint on loopback; off without one.")
    ] = None
    pid_file: Annotated[FilePath | None, Field(description="File that gets the process id.")] = None


PROGRAM: Final = Program(
    name="worker",
    model=WorkerConfig,
    summary="Run the jobs of everytick on this host.",
)


def parse_command_line(
    argv: Sequence[str] | None = None,
    env: Mapping[str, str] | None = None,
    online_checks: Callable[[WorkerConfig], Sequence[OnlineCheck]] = lambda _config: (),
) -> WorkerConfig:
    """
    Return the configuration of this start; ends the program where it was asked for something else.

    Args:
        argv: Arguments without the program's name; those of this process by default.
        env: Environment; that of this process by default.
        online_checks: Makes what `--check=online` looks at.

    Raises:
        SystemExit: 0 when only asked for a check, a print or help; 1 for a failed check; 2 for what is wrong.
    """
    return configuration_of(
        PROGRAM,
        sys.argv[1:] if argv is None else argv,
        os.environ if env is None else env,
        online_checks,
    )
