"""The worker's own endpoint: three answers, loopback only."""

import asyncio
import socket

import httpx2
import pytest
from prometheus_client.metrics_core import GaugeMetricFamily

from common.domain.errors import ConfigError
from worker.health_endpoint import HealthEndpoint


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
async def endpoint():
    """(base address, what is not ready) of a running endpoint."""
    reasons: list[str] = []
    port = free_port()
    served = HealthEndpoint(
        port,
        lambda: reasons[0] if reasons else None,
        lambda: [GaugeMetricFamily("everytick_worker_running", "Running.", value=3.0)],
    )
    task = asyncio.create_task(served.run())
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(100):
            try:
                await client.get("/livez")
                break
            except httpx2.ConnectError:
                await asyncio.sleep(0.01)
        yield client, reasons
    task.cancel()


async def test_ready_says_why_it_is_not(endpoint):
    """503 with the reason in words."""
    client, reasons = endpoint

    assert 200 == (await client.get("/readyz")).status_code
    reasons.append("not registered in etcd")
    answer = await client.get("/readyz")
    assert (503, "not registered in etcd\n") == (answer.status_code, answer.text)


async def test_metrics_are_for_prometheus(endpoint):
    """Each figure with its help."""
    client, _ = endpoint

    text = (await client.get("/metrics")).text

    assert "# HELP everytick_worker_running Running." in text
    assert "everytick_worker_running 3.0" in text


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        pytest.param("GET", "/livez", 200, id="alive"),
        pytest.param("GET", "/", 404, id="unknown path"),
        pytest.param("POST", "/livez", 405, id="not a read"),
    ],
)
async def test_anything_else_is_refused(endpoint, method, path, expected):
    """There is nothing to change here."""
    client, _ = endpoint

    assert expected == (await client.request(method, path)).status_code


async def test_a_taken_port_is_said(endpoint):
    """With the key to change."""
    client, _ = endpoint
    port = client.base_url.port
    assert port is not None

    with pytest.raises(ConfigError, match="healthPort"):
        await HealthEndpoint(port, lambda: None, dict).run()
