"""Time stamps that jobs write themselves, and how late they say the jobs began.

The oracle is the command: it appends its execution id and the wall clock to a file as the first thing it
does. Nothing the product says about itself is believed here.
"""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from bench.figures import spread

NS_PER_S: Final = 1_000_000_000
_SOURCE: Final = Path(__file__).with_name("stamp.c")


@dataclass(frozen=True, slots=True)
class Stamp:
    """
    One start, as the command saw it.

    Attributes:
        execution: The execution's id, `uid.tick.attempt`.
        due_ns: When it was due: its tick, or for a request the nanoseconds that are its id.
        started_ns: The command's own clock at its first instruction.
    """

    execution: str
    due_ns: int
    started_ns: int

    @property
    def uid(self) -> str:
        return self.execution.partition(".")[0]

    @property
    def lateness_s(self) -> float:
        """Seconds from due to started; negative when it ran early."""
        return (self.started_ns - self.due_ns) / 1e9

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read `execution nanoseconds`; ValueError when it is anything else."""
        execution, _, started = line.partition(" ")
        _, tick, _ = execution.split(".")
        due_ns = int(tick[1:]) if tick.startswith("m") else int(tick) * NS_PER_S
        return cls(execution, due_ns, int(started))


@dataclass(frozen=True, slots=True)
class Punctuality:
    """What the stamps of a run say together; lateness in seconds."""

    started: int
    missed: int
    twice: int
    early: int
    p50_s: float
    p99_s: float
    max_s: float


def judge(stamps: Sequence[Stamp], expected: Iterable[str]) -> Punctuality:
    """
    Compare what started with the executions (ids) that were *expected*.

    Raises:
        ValueError: Nothing started.
    """
    counted = Counter(stamp.execution for stamp in stamps)
    late = spread([stamp.lateness_s for stamp in stamps])
    return Punctuality(
        started=len(stamps),
        missed=len(set(expected) - set(counted)),
        twice=sum(count - 1 for count in counted.values()),
        early=sum(stamp.lateness_s < 0 for stamp in stamps),
        p50_s=late.p50,
        p99_s=late.p99,
        max_s=late.max,
    )


def read_stamps(path: Path) -> list[Stamp]:
    """Every complete line of *path*; none when nothing has run yet."""
    if not path.exists():
        return []
    complete, _, _ = path.read_text().rpartition("\n")
    return [Stamp.parse(line) for line in complete.splitlines()]


def stamping_command(directory: Path, marker: Path) -> tuple[str, ...]:
    """
    An argv that appends a stamp to *marker*.

    A tiny static C program where there is a compiler; else the shell, which takes a millisecond or two
    longer to start.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        script = f'echo "$CRON_EXECUTION $(date +%s%N)" >> {marker}'
        return ("/bin/sh", "-c", script)
    program = directory / "stamp"
    subprocess.run([compiler, "-O2", "-static", "-o", program, _SOURCE], check=True)
    return (str(program), str(marker))
