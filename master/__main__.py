"""`master -config master.json`: serve the API and the dashboard until a signal says stop.

Shutdown order: not ready any more, stop accepting, let open requests end, stop the loops, give the session
back, close the clients. A second signal does not wait for open requests.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import structlog
import uvicorn

from common.domain.errors import ConfigError
from common.runtime.lifecycle import Stop, end_all, install_signal_handlers
from common.runtime.logs import configure_logging
from master.accept_etcd import ACCEPT_ETCD
from master.app import build_app
from master.assembly.ground import Loop
from master.config import MasterConfig, parse_command_line
from master.listening import listen
from master.online_checks import online_checks
from master.tracing import trace_requests
from master.wiring import Deps, build_deps

log = structlog.get_logger()

#: One open event stream would keep uvicorn from ending for ever.
_GRACE_S: Final = 5


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of the program."""
    errands = {"--accept-etcd": ACCEPT_ETCD}
    config = parse_command_line(argv, online_checks=online_checks, errands=errands)
    try:
        configure_logging(
            config.log_level,
            config.log_format,
            config.log_file,
            max_bytes=config.log_file_max_bytes,
            backups=config.log_file_backups,
        )
        code = asyncio.run(_serve(config))
    except ConfigError as error:
        print(f"master: {error}", file=sys.stderr)
        # A port that is taken is no fault of the configuration: another start may find it free.
        raise SystemExit(1 if error.details.get("key") == "apiPort" else 2) from None
    raise SystemExit(code)


async def _serve(config: MasterConfig) -> int:
    stop = Stop()
    install_signal_handlers(stop)
    listener = listen(config.api_host, config.api_port)
    try:
        address = _address(config, listener)
        async with build_deps(config, address=address) as deps:
            log.info("master.started", address=address, etcd=config.etcd_endpoints)
            await _run(config, deps, listener, stop)
    # A loop that fails is the end of the process; the supervisor starts a new one.
    except ExceptionGroup:
        log.exception("master.crashed")
        return 1
    finally:
        listener.close()
    log.info("master.stopped", reason=stop.reason)
    return 0


async def _run(config: MasterConfig, deps: Deps, listener: socket.socket, stop: Stop) -> None:
    async with asyncio.TaskGroup() as group:
        session = group.create_task(deps.session.run(), name="session")
        loops = [group.create_task(_owned(loop), name=loop.__qualname__) for loop in deps.loops]
        try:
            await _serve_requests(_Server(_uvicorn_config(config, deps)), deps, listener, stop)
        finally:
            # Also when one of them has failed: the group would ask the others only once.
            await end_all(loops)
        await deps.session.close()
        session.cancel()


async def _owned(loop: Loop) -> None:
    await loop()


async def _serve_requests(server: "_Server", deps: Deps, listener: socket.socket, stop: Stop) -> None:
    """Serve until a stop is requested, then until open requests have ended or the stop is hurried."""
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve(sockets=[listener]), name="api")
        requested = group.create_task(stop.wait(), name="stop")
        await asyncio.wait({serving, requested}, return_when=asyncio.FIRST_COMPLETED)
        deps.services.health.is_stopping = True
        deps.services.events.close_all()
        server.should_exit = True
        hurried = group.create_task(stop.hurried.wait(), name="hurry")
        await asyncio.wait({serving, hurried}, return_when=asyncio.FIRST_COMPLETED)
        server.force_exit = stop.hurried.is_set()
        await serving
        requested.cancel()
        hurried.cancel()


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the first signal belongs to `Stop`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _uvicorn_config(config: MasterConfig, deps: Deps) -> uvicorn.Config:
    app = build_app(deps.services, config)
    trace_requests(app, os.environ)
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        # The client's address decides who may see /metrics: no header may change it.
        proxy_headers=False,
        lifespan="off",
        ws="none",
        loop="asyncio",
        timeout_keep_alive=65,
        timeout_graceful_shutdown=min(_GRACE_S, config.shutdown_grace_s),
        ssl_certfile=config.tls_cert,
        ssl_keyfile=config.tls_key,
    )


def _address(config: MasterConfig, listener: socket.socket) -> str:
    scheme = "https" if config.uses_tls else "http"
    host = f"[{config.api_host}]" if ":" in config.api_host else config.api_host
    return f"{scheme}://{host}:{listener.getsockname()[1]}"


if __name__ == "__main__":
    main()
