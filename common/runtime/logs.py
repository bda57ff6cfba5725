"""Logging set-up: one stream of events for our own code and for every library.

Events go to stderr and, when a file is given, to that file as well. Nothing is configured at import time.
Whatever is logged passes `mask_secrets` last, so no caller has to remember it.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from logging.handlers import RotatingFileHandler, WatchedFileHandler
from pathlib import Path
from typing import Any, Final, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from common.domain.errors import ConfigError

LogFormat = Literal["auto", "console", "json"]
MASK: Final = "***"

_SECRET_WORDS: Final = frozenset(
    {"password", "passwd", "passphrase", "secret", "secrets", "token", "authorization", "cookie"}
)
#: `password_file` and `token_id` say where or which, not what.
_HARMLESS_ENDINGS: Final = frozenset({"file", "path", "id", "count", "name"})
_URI_PASSWORD: Final = re.compile(r"(://[^\s/:@]*:)[^\s/]*@")
#: Made once: `json.dumps` makes one for every event that is not all plain.
_JSON: Final = json.JSONEncoder(ensure_ascii=False, default=str)
#: Their debug output is about themselves, and pymongo's quotes whole commands: never below info.
_LIBRARIES: Final = ("asyncio", "grpc", "pymongo", "uvicorn", "urllib3")
#: One line per request is the master's own event, not uvicorn's.
_SILENCED: Final = ("uvicorn.access",)


def configure_logging(
    level: str = "info",
    fmt: LogFormat = "auto",
    file: Path | None = None,
    *,
    max_bytes: int = 0,
    backups: int = 5,
) -> None:
    """
    Send everything that is logged, by structlog or by the standard library, to stderr and to *file*.

    Calling it again replaces the earlier set-up.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        fmt: `auto` is `console` on a terminal and `json` everywhere else, files included.
        file: Opened for appending.
        max_bytes: Start a new file at this size and keep *backups* older ones. 0 never does, and follows
            the file when logrotate moves it away.

    Raises:
        ConfigError: *file* cannot be written.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    handlers = [_on_stderr(fmt)]
    if file is not None:
        handlers.append(_in_file(file, fmt, max_bytes, backups))
    _replace_root_handlers(handlers, threshold)
    logging.captureWarnings(True)
    # A closed stderr (the pipe's reader has gone) must not become a traceback on every event.
    logging.raiseExceptions = False
    # Nobody is told file and line, and looking for them took a tenth of every event. The logging how-to names
    # this switch ("Optimization").
    logging._srcfile = None
    structlog.configure(
        processors=[*_shared_processors(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        # structlog's own factory walks the stack for a name, at every event; ours need none.
        logger_factory=_own_logger,
        cache_logger_on_first_use=False,
    )


def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace values whose key speaks of a secret, and passwords inside URIs, by `***`."""
    return {key: MASK if _is_secret(key) and value else _masked(value) for key, value in event.items()}


def mask_uri_password(text: str) -> str:
    """Return *text* with the password of every `scheme://user:password@host` in it replaced by `***`."""
    return _URI_PASSWORD.sub(rf"\1{MASK}@", text) if "://" in text else text


def _own_logger(*_args: object) -> logging.Logger:
    return logging.getLogger("everytick")


# Keys are fixed strings in our code and few in anybody's: so each is asked about once.
@lru_cache(maxsize=1024)
def _is_secret(key: str) -> bool:
    words = key.lower().replace("-", "_").split("_")
    return not _SECRET_WORDS.isdisjoint(words) and words[-1] not in _HARMLESS_ENDINGS


def _masked(value: object) -> object:
    match value:
        case str():
            return mask_uri_password(value)
        case None | int() | float():
            # As most values are: asking whether one is a Mapping takes longer than all the rest.
            return value
        case Mapping():
            return {
                key: MASK if _is_secret(str(key)) and item else _masked(item) for key, item in value.items()
            }
        case bytes() | bytearray():
            return value
        case Sequence():
            return [_masked(item) for item in value]
        case BaseException():
            return mask_uri_password(f"{type(value).__name__}: {value}")
        case _:
            return value


def _on_stderr(fmt: LogFormat) -> logging.Handler:
    on_terminal = sys.stderr.isatty()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter("console" if _is_console(fmt, on_terminal) else "json", on_terminal))
    return handler


def _in_file(file: Path, fmt: LogFormat, max_bytes: int, backups: int) -> logging.Handler:
    try:
        handler: logging.Handler = (
            RotatingFileHandler(file, maxBytes=max_bytes, backupCount=backups, encoding="utf-8")
            if max_bytes
            else WatchedFileHandler(file, encoding="utf-8")
        )
    except OSError as error:
        raise ConfigError(
            f"logFile: cannot write {file}: {(error.strerror or str(error)).lower()}", key="logFile"
        ) from error
    handler.setFormatter(_formatter("console" if _is_console(fmt, False) else "json", colours=False))
    return handler


def _is_console(fmt: LogFormat, on_terminal: bool) -> bool:
    return fmt == "console" or (fmt == "auto" and on_terminal)


def _formatter(kind: Literal["console", "json"], colours: bool) -> logging.Formatter:
    renderers: list[Processor] = (
        [
            structlog.processors.format_exc_info,
            mask_secrets,
            structlog.dev.ConsoleRenderer(colors=colours, sort_keys=False),
        ]
        if kind == "console"
        else [
            structlog.processors.format_exc_info,
            mask_secrets,
            _as_json,
        ]
    )
    return _Formatter(renderers)


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """
    Renders our own events from their dict; libraries' records pass the same renderers.

    ProcessorFormatter makes a copy of every record and formats it once more: half of what an event costs.
    """

    def __init__(self, renderers: Sequence[Processor]) -> None:
        super().__init__(
            foreign_pre_chain=[*_shared_processors(), structlog.stdlib.add_logger_name],
            processors=[self.remove_processors_meta, *renderers],
        )
        self._renderers = renderers

    def format(self, record: logging.LogRecord) -> str:
        # What `wrap_for_formatter` leaves on a record: then its message is the event's dict.
        method = getattr(record, "_name", None)
        if method is None:
            return super().format(record)
        event: Any = record.msg
        # The next handler gets the same record.
        event = event.copy()
        for render in self._renderers:
            event = render(None, method, event)
        return str(event)


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return _JSON.encode(event)


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.add_log_level,
    ]


def _replace_root_handlers(handlers: Sequence[logging.Handler], threshold: int) -> None:
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(threshold)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(max(threshold, logging.INFO))
    for name in _SILENCED:
        logging.getLogger(name).setLevel(logging.WARNING)
