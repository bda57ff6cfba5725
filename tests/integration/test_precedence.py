"""The worker goes before its commands where it may, and is as it was where it may not."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_PROGRAM = """
import asyncio, json, os, sys
from pathlib import Path
from tests.commands import HOSTED, job, running_commands
from worker.adapters.precedence import go_first

async def main():
    before = os.nice(0), Path("/proc/self/autogroup").read_text().split()[2:]
    async with running_commands(Path(sys.argv[1]), HOSTED) as commands:
        if sys.argv[2] == "nobody":
            os.setuid(65534)
        is_allowed = go_first(10)
        report = await commands.run(job(command="nice; cat /proc/self/autogroup"))
    after = os.nice(0), Path("/proc/self/autogroup").read_text().split()[2:]
    output = report.out.head.splitlines()
    command = int(output[0]), output[1].split()[2:]
    print(json.dumps({"before": before, "allowed": is_allowed, "after": after, "command": command}))

asyncio.run(main())
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may go before others")


def _seen(state_dir: Path, user: str, *, leads_session: bool) -> dict[str, Any]:
    state_dir.chmod(0o777)
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(state_dir), user],
        capture_output=True,
        text=True,
        check=True,
        start_new_session=leads_session,
    )
    seen: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return seen


@needs_root
def test_worker_goes_first_and_its_commands_do_not(tmp_path: Path):
    seen = _seen(tmp_path, "root", leads_session=True)

    assert seen["allowed"]
    assert [seen["before"][0] - 10, ["-10"]] == seen["after"]
    assert [seen["before"][0], ["0"]] == seen["command"]


@needs_root
def test_a_session_of_others_is_left_alone(tmp_path: Path):
    """Started in a shell, the worker would take the shell and all that runs there with it."""
    seen = _seen(tmp_path, "root", leads_session=False)

    assert [seen["before"][0] - 10, seen["before"][1]] == seen["after"]


def test_without_the_right_to_it_all_stays_as_it_was(tmp_path: Path):
    seen = _seen(tmp_path, "nobody" if os.geteuid() == 0 else "self", leads_session=True)

    assert not seen["allowed"]
    assert seen["before"] == seen["after"]
