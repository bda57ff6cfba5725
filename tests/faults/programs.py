"""Our programs as child processes that a test stops, kills, freezes and starts again by their own pid."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests import servers


@dataclass
class Program:
    """One of our programs: it keeps its configuration, its directory and its ports over a restart."""

    name: str
    command: tuple[str, ...]
    log_path: Path
    ready_address: str
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,  # see tests/servers.py: not a session of its own
                env=dict(self.environment),
            )

    def wait_ready(self) -> None:
        servers.wait_until(
            lambda: self.is_ready() or not self.is_running, f"start of {self.name}", 60, every_s=0.1
        )
        if not self.is_running:
            raise RuntimeError(f"{self.name} has ended:\n{self.log_path.read_text()[-2000:]}")

    def is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.ready_address}/readyz", timeout=2, trust_env=False).status_code == 200
        except httpx2.HTTPError:
            return False

    def figure(self, name: str) -> float:
        """One figure of a worker's metrics endpoint, such as `journal_backlog`."""
        text = httpx2.get(f"{self.ready_address}/metrics", timeout=5, trust_env=False).text
        return next(
            float(line.split()[-1])
            for line in text.splitlines()
            if line.startswith(f"everytick_worker_{name} ")
        )

    def signal(self, signum: int) -> None:
        os.kill(self.pid, signum)

    def stop(self, limit_s: float = 40.0) -> int:
        """SIGTERM; returns the exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(limit_s)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


def faketime_environment(offset_s: float) -> dict[str, str]:
    """Variables that move the wall clock of a program by *offset_s* and leave its other clocks alone."""
    try:
        shown = subprocess.run(
            ["faketime", "-f", f"{offset_s:+g}s", "env"], capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        raise servers.ServerMissing(
            "this test needs faketime to set a worker's clock wrong: apt-get install faketime"
        ) from None
    wanted = {name: value for name, _, value in (line.partition("=") for line in shown.stdout.splitlines())}
    return {
        "LD_PRELOAD": wanted["LD_PRELOAD"],
        "FAKETIME": wanted["FAKETIME"],
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
