"""A worker's remark to itself, over restarts, that its host's clock was not believed."""

from pathlib import Path
from typing import Final

import structlog

log: Final = structlog.get_logger(__name__)


class FileClockMark:
    """The reason in a file of the state directory (implements `clock_watch.ClockMark`)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str | None:
        try:
            return self._path.read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError):
            return None

    def write(self, why: str | None) -> None:
        try:
            if why is None:
                self._path.unlink(missing_ok=True)
            else:
                self._path.write_text(why + "\n", encoding="utf-8")
        except OSError as error:
            # A full disk: this process knows all the same, and only a restart would forget.
            log.warning("clock.not_noted", file=str(self._path), error=str(error))
