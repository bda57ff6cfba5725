"""How late do a thousand jobs of one second start in other schedulers, with the same command as in `burst`?

APScheduler is installed into a virtual environment of its own, outside this repository. Debian's cron is
measured where it is installed and this runs as root; else its row says why not.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figure
from bench.program import Form, run
from bench.stamps import Punctuality, judge, read_stamps, stamping_command
from bench.usage import sleep_until
from tests import servers

_JOBS = 1000
_APSCHEDULER = "apscheduler==3.11.*"
_AHEAD_S = 15
_CRON_TABLE = Path("/etc/cron.d/everytick-bench")
_SETTLE_S = 15


def measure(form: Form) -> Sequence[Figure]:
    del form  # one burst each is short enough
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="everytick-peers-") as folder:
        directory = Path(folder)
        figures += _figures("apscheduler", "APScheduler, 32 threads", _apscheduler(directory))
        why_not = _why_no_cron()
        if why_not is None:
            figures += _figures("cron", "Debian cron", _cron(directory))
        else:
            figures.append(Figure("cron", "Debian cron", f"not measured: {why_not}"))
    return [*figures, Figure("jobs", "jobs due at once", _JOBS)]


def _figures(key: str, words: str, late: Punctuality) -> list[Figure]:
    return [
        Figure(f"{key}_p50_s", f"{words}: lateness p50", late.p50_s, "s"),
        Figure(f"{key}_p99_s", f"{words}: lateness p99", late.p99_s, "s"),
        Figure(f"{key}_max_s", f"{words}: lateness max", late.max_s, "s"),
        Figure(f"{key}_missed", f"{words}: missed", late.missed),
    ]


def _apscheduler(directory: Path) -> Punctuality:
    venv = directory / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin" / "pip", "install", "--quiet", _APSCHEDULER], check=True)
    marker = directory / "apscheduler"
    argv = stamping_command(directory, marker)
    tick = int(time.time()) + _AHEAD_S
    program = Path(__file__).with_name("apscheduler_burst.py")
    subprocess.run([venv / "bin" / "python", program, str(tick), str(_JOBS), *argv], check=True)
    return judge(read_stamps(marker), [f"peer{number:06d}.{tick}.1" for number in range(_JOBS)])


def _why_no_cron() -> str | None:
    if shutil.which("cron") is None:
        return "cron is not installed"
    return None if os.geteuid() == 0 else "only root may write its table"


def _cron(directory: Path) -> Punctuality:
    """One line per job in a table of the system, for the minute after the next; removed afterwards."""
    marker = directory / "cron"
    argv = stamping_command(directory, marker)
    tick = (int(time.time()) // 60 + 2) * 60
    at = time.gmtime(tick) if time.localtime().tm_gmtoff == 0 else time.localtime(tick)
    lines = [
        f"{at.tm_min} {at.tm_hour} {at.tm_mday} {at.tm_mon} * root "
        f"CRON_EXECUTION=peer{number:06d}.{tick}.1 {' '.join(argv)}\n"
        for number in range(_JOBS)
    ]
    log = directory / "cron.log"
    daemon = servers.ServerProcess(("cron", "-f"), log)
    try:
        _CRON_TABLE.write_text("".join(lines))
        _CRON_TABLE.chmod(0o644)
        if not Path("/run/crond.pid").exists():
            daemon.start(lambda: True)
        sleep_until(tick + _SETTLE_S)
    finally:
        _CRON_TABLE.unlink(missing_ok=True)
        daemon.stop()
    return judge(read_stamps(marker), [f"peer{number:06d}.{tick}.1" for number in range(_JOBS)])


if __name__ == "__main__":
    run("peers", "How late do 1,000 jobs start in other schedulers?", measure)
