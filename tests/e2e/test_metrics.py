"""What programs show and what `docs/metrics.md` says they show, side by side; and a trace into a command."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests import servers
from tests.e2e.installation import Installation, clean_environment, eventually

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
FAMILY = re.compile(r"^# TYPE (everytick_[a-z_]+) ", re.MULTILINE)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def observed(tmp_path: Path) -> Iterator[tuple[Installation, str]]:
    """An installation of one worker with a health endpoint, and its address."""
    port = servers.free_port()
    running = Installation(
        tmp_path / "data", ("--workers", "1"), environment=clean_environment(WORKER_HEALTH_PORT=str(port))
    )
    try:
        running.start()
        yield running, f"http://127.0.0.1:{port}"
    finally:
        running.end()


def shown(address: str) -> set[str]:
    """Names of the families at *address*; creation times are the library's own."""
    text = httpx2.get(f"{address}/metrics", timeout=10, trust_env=False).text
    return {name for name in FAMILY.findall(text) if not name.endswith("_created")}


def test_programs_show_what_the_page_says(observed: tuple[Installation, str]):
    """Nothing undocumented, nothing invented, on both sides; the page's labels of a job are there."""
    installation, worker = observed
    documented = set(re.findall(r"`(everytick_[a-z_]+)`", PAGE.read_text()))
    ran = installation.cronctl("job", "run", "hello", "--follow")
    eventually(
        lambda: (
            'everytick_job_last_status{job="hello",namespace="default",status="succeeded"} 1.0'
            in httpx2.get(f"{installation.api}/metrics", trust_env=False).text
        ),
        "the series of a job",
        within_s=30,
    )

    assert 0 == ran.returncode
    assert documented == shown(installation.api) | shown(worker)


def test_a_command_continues_the_trace_of_its_request(observed: tuple[Installation, str]):
    """Run-now with a traceparent: the command has the trace id, in its own span."""
    installation, _ = observed
    installation.cronctl("job", "save", "traced", "--command", "echo $TRACEPARENT")
    with installation.client() as client:
        asked = client.post("/job/run/traced", json={}, headers={"traceparent": TRACE}).json()
    followed = installation.cronctl("execution", "logs", "-f", asked["execution_id"])
    listed = json.loads(installation.cronctl("worker", "get", "worker-1", "-o", "json").stdout)

    assert followed.stdout.startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    assert TRACE != followed.stdout.strip()
    assert "online" == listed["status"]
