"""`worker -config worker.json`: run jobs on this host until a signal says stop."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Final

import structlog

from common.config.command_line import OnlineCheck
from common.domain.errors import ConfigError
from common.kv.check import EtcdCheck
from common.mongo.check import MongoCheck
from common.runtime.clock import SystemClock
from common.runtime.collector import relax_collector
from common.runtime.lifecycle import Stop, install_signal_handlers
from common.runtime.logs import configure_logging
from worker.config import WorkerConfig, parse_command_line
from worker.pid_file import pid_file
from worker.wiring import build

log: Final = structlog.get_logger(__name__)


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of the program."""
    config = parse_command_line(argv, online_checks=online_checks)
    try:
        configure_logging(
            config.log_level,
            config.log_format,
            config.log_file,
            max_bytes=config.log_file_max_bytes,
            backups=config.log_file_backups,
        )
        relax_collector()
        with pid_file(config.pid_file):
            code = asyncio.run(_work(config))
    except ConfigError as error:
        print(f"worker: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    raise SystemExit(code)


def online_checks(config: WorkerConfig) -> Sequence[OnlineCheck]:
    """Everything that can be tried without starting; nothing is created or changed."""
    return (EtcdCheck(config), MongoCheck(config, SystemClock()))


async def _work(config: WorkerConfig) -> int:
    code = 0
    stop = Stop()
    install_signal_handlers(stop)
    async with build(config) as assembly:
        log.info(
            "worker.starting",
            worker=assembly.description.worker_id,
            etcd=config.etcd_endpoints,
            slots=config.executor_threads,
            executors=assembly.description.executors,
        )
        try:
            await assembly.worker.run(stop)
        # A loop that failed is a bug: end with a code that makes the supervisor start a fresh process.
        except* Exception:
            log.exception("worker.crashed")
            code = 1
    return code


if __name__ == "__main__":
    main()
