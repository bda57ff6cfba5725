"""The worker's own HTTP endpoint: alive, ready, metrics. On loopback only, off unless `healthPort` is set.

Three fixed answers to GET, so there is no framework behind it; anything else is refused.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from common.domain.errors import ConfigError

log: Final = structlog.get_logger(__name__)

_HOST: Final = "127.0.0.1"
_REQUEST_S: Final = 5.0
_MAX_REQUEST_BYTES: Final = 8192
_PLAIN: Final = "text/plain; charset=utf-8"
_EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"

Figures = Callable[[], Iterable[Metric]]


class HealthEndpoint:
    """Serves `/livez`, `/readyz` and `/metrics`."""

    def __init__(self, port: int, why_not_ready: Callable[[], str | None], figures: Figures) -> None:
        self._port = port
        self._why_not_ready = why_not_ready
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_FiguresCollector(figures))

    async def run(self) -> None:
        """
        Serve, for ever.

        Raises:
            ConfigError: The port is taken.
        """
        try:
            server = await asyncio.start_server(self._serve, _HOST, self._port, limit=_MAX_REQUEST_BYTES)
        except OSError as error:
            raise ConfigError(
                f"healthPort: {_HOST}:{self._port} cannot be used: {error.strerror}", key="healthPort"
            ) from error
        async with server:
            await server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_S):
                request = await reader.readuntil(b"\r\n\r\n")
                status, kind, body = self._answer(request.split(b"\r\n", 1)[0].decode("latin-1"))
                head = (
                    f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
                    "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
                )
                writer.write(head.encode() + body)
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            log.debug("health_endpoint.failed", error=str(error))
        finally:
            writer.close()

    def _answer(self, request_line: str) -> tuple[str, str, bytes]:
        method, _, rest = request_line.partition(" ")
        path = rest.partition(" ")[0].partition("?")[0]
        if method not in ("GET", "HEAD"):
            return "405 Method Not Allowed", _PLAIN, b"only GET\n"
        match path:
            case "/livez":
                return "200 OK", _PLAIN, b"ok\n"
            case "/readyz":
                why = self._why_not_ready()
                if why is None:
                    return "200 OK", _PLAIN, b"ok\n"
                return "503 Service Unavailable", _PLAIN, f"{why}\n".encode()
            case "/metrics":
                return "200 OK", _EXPOSITION, generate_latest(self._registry)
            case _:
                return "404 Not Found", _PLAIN, b"/livez, /readyz or /metrics\n"


class _FiguresCollector(Collector):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        return self._figures()
