"""The pid file: the number of this process while it runs, for scripts that look for it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.domain.errors import ConfigError


@contextmanager
def pid_file(path: Path | None) -> Iterator[None]:
    """
    Hold the process id in *path*; nothing happens without one.

    Raises:
        ConfigError: It cannot be written.
    """
    if path is None:
        yield
        return
    try:
        path.write_text(f"{os.getpid()}\n", encoding="ascii")
    except OSError as error:
        raise ConfigError(
            f"pidFile: cannot write {path}: {(error.strerror or str(error)).lower()}", key="pidFile"
        ) from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
