"""Where a line of an execution's output came from."""

from enum import StrEnum


class Stream(StrEnum):
    STDOUT = "stdout"
    STDERR = "stderr"
    SYSTEM = "system"
    """Remarks of the worker itself, such as a kill or a gap."""
