"""Folders in memory for servers whose data need not outlive the run.

MongoDB waits for the disk at every collection, index and confirmed write: a first start of a master takes 1 s
on a disk, and a fifth of that in memory. Tests about durability and `make faults` keep to the disk.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")
_PREFIX: Final = "everytick-tests-"
#: A container's default of 64 MB is too little for one journal.
_ENOUGH_BYTES: Final = 4 * 1024**3


@contextmanager
def quick_folder(otherwise: Path) -> Iterator[Path]:
    """A folder in memory, removed afterwards; *otherwise* where there is not enough."""
    if not (_MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ENOUGH_BYTES):
        yield otherwise
        return
    _remove_forgotten()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_MEMORY))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_forgotten() -> None:
    """What runs that were killed left: it would stay until the next boot."""
    for folder in _MEMORY.glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)
