"""The user a command runs as, and what its environment always holds. Pure."""

from dataclasses import dataclass
from typing import Final

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: Names the execution a process belongs to; the sweep after a kill looks for it.
EXECUTION_VARIABLE: Final = "CRON_EXECUTION"


@dataclass(frozen=True, slots=True)
class Account:
    """The user a command runs as."""

    name: str
    home: str
    shell: str = "/bin/sh"
