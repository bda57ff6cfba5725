"""A whole everytick as `cronctl up` starts it: started, asked over plain HTTP, stopped, found again.

The oracle of what ran is a marker file the jobs append to, not what the product says about itself.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2

T = TypeVar("T")

START_LIMIT_S = 90.0
STOP_LIMIT_S = 60.0
CRONCTL = Path(sys.executable).with_name("cronctl")


def clean_environment(**more: str) -> dict[str, str]:
    """Ours without anything that would configure the programs under test."""
    ours = ("EVERYTICK_", "MASTER_", "WORKER_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | more


def eventually(ask: Callable[[], T], what: str, within_s: float = 10.0) -> T:
    """Ask until the answer is truthy and return it; fail saying *what* did not happen."""
    deadline_s = time.monotonic() + within_s
    while not (answer := ask()):
        assert time.monotonic() < deadline_s, f"{what} did not happen within {within_s:.0f} s"
        time.sleep(0.05)
    return answer


@dataclass
class Installation:
    """One data directory and, while it runs, the `cronctl up` on it."""

    data_dir: Path
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=clean_environment)

    @property
    def transcript(self) -> Path:
        """What `cronctl up` told, of all starts."""
        return self.data_dir.with_suffix(".out")

    def start(self) -> float:
        """Start and wait until it says that it is ready; return the seconds that took."""
        told_before = len(self.told())
        started_s = time.monotonic()
        with self.transcript.open("ab") as out:
            self.process = subprocess.Popen(
                [CRONCTL, "up", "--data-dir", self.data_dir, *self.arguments],
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self.environment,
                process_group=0,  # see tests/servers.py: not a session of its own
            )
        process = self.process

        def is_ready() -> bool:
            assert process.poll() is None, f"cronctl up ended with {process.returncode}:\n{self.told()}"
            return "everytick is ready" in self.told()[told_before:]

        eventually(is_ready, f"the start in {self.data_dir}", START_LIMIT_S)
        return time.monotonic() - started_s

    def stop(self) -> int:
        """Ask it to stop, as Ctrl-C does; return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_LIMIT_S)

    def end(self) -> None:
        """Whatever happened: nothing is left running."""
        if self.process is None or self.process.poll() is not None:
            return
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def told(self) -> str:
        return self.transcript.read_text() if self.transcript.exists() else ""

    @property
    def api(self) -> str:
        return str(json.loads((self.data_dir / "addresses.json").read_text())["api"])

    @property
    def token(self) -> str:
        return (self.data_dir / "admin-token").read_text().strip()

    def pid(self, program: str) -> int:
        """The process of *program* now."""
        entries = json.loads((self.data_dir / "processes.json").read_text())["processes"]
        return int(next(entry["pid"] for entry in entries if entry["name"] == program))

    def client(self) -> httpx2.Client:
        """Plain HTTP with the token of the data directory."""
        return httpx2.Client(
            base_url=f"{self.api}/api/v1",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=10,
            trust_env=False,
        )

    def cronctl(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run the command line against this installation, as a user would."""
        environment = self.environment | {"EVERYTICK_DATA_DIR": str(self.data_dir)}
        return subprocess.run(
            [CRONCTL, *arguments], env=environment, capture_output=True, text=True, timeout=60, **more
        )


def marking_command(marker: Path) -> str:
    """A command that appends its execution id to *marker*; one short write, so lines never mix."""
    return f'echo "$CRON_EXECUTION" >> {marker}'


def marked_ticks(marker: Path) -> list[int]:
    """The ticks in *marker*, in the order they ran."""
    if not marker.exists():
        return []
    return [int(line.split(".")[1]) for line in marker.read_text().splitlines()]


def duplicates(ticks: list[int]) -> list[int]:
    return [tick for tick, count in Counter(ticks).items() if count > 1]
