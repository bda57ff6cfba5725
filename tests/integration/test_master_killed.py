"""A master that is killed under load, behind a second one: clients that retry lose nothing."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from common.domain.codec import decode_job
from common.kv.etcd import EtcdStore
from tests.integration.master_programs import Masters

pytestmark = pytest.mark.integration

JOBS = 20
CALLS_PER_S = 50
LOAD_S = 9.0
KILL_AFTER_S = 3.0


@dataclass
class Acknowledged:
    """What clients were told: the newest acknowledged text of each job, and how often they had to retry."""

    texts: dict[str, int] = field(default_factory=dict)
    saves: int = 0
    retries: int = 0


async def save_again_and_again(
    clients: list[httpx2.AsyncClient], name: str, until_s: float, told: Acknowledged
) -> None:
    """One client: saves versions 1, 2, 3, ... of its job, each until some master has said yes."""
    version = 0
    while time.monotonic() < until_s:
        version += 1
        body = {
            "name": name,
            "schedule": "@daily",
            "command": f"echo {version}",
            "description": f"{version}" * 50,
        }
        tries = 0
        while True:
            try:
                answer = await clients[(version + tries) % 2].post("/api/v1/job/save", json=body)
                if answer.status_code == 200:
                    break
                assert answer.status_code in (409, 412, 503), answer.text
            except httpx2.TransportError:
                pass
            tries += 1
            told.retries += 1
            await asyncio.sleep(0.05)
        told.texts[name] = version
        told.saves += 1
        await asyncio.sleep(JOBS / CALLS_PER_S)


async def test_a_master_killed_under_load_loses_no_acknowledged_save(masters: Masters, store: EtcdStore):
    """Every acknowledged save is at the other master with exactly that definition; none is half done."""
    first, second = masters.programs
    headers = {"Authorization": f"Bearer {masters.token}"}
    told = Acknowledged()
    async with (
        httpx2.AsyncClient(base_url=first.ready_address, headers=headers, timeout=5, trust_env=False) as one,
        httpx2.AsyncClient(
            base_url=second.ready_address, headers=headers, timeout=5, trust_env=False
        ) as other,
    ):
        until_s = time.monotonic() + LOAD_S
        async with asyncio.TaskGroup() as group:
            for number in range(JOBS):
                group.create_task(save_again_and_again([one, other], f"job-{number}", until_s, told))
            await asyncio.sleep(KILL_AFTER_S)
            saves_before = told.saves
            first.kill()
        shown: dict[str, Any] = {}
        for name in told.texts:
            shown[name] = (await other.get(f"/api/v1/job/{name}")).raise_for_status().json()
    stored = await store.list(masters.keys.jobs)
    cursors = {kv.key.rpartition("/")[2] for kv in (await store.list(masters.keys.cursors)).items}
    specs = {spec.name: spec for spec in (decode_job(kv.key, kv.value) for kv in stored.items)}

    assert told.retries > 0
    assert told.saves > saves_before > 0
    assert {name: f"echo {version}" for name, version in told.texts.items()} == {
        name: job["command"] for name, job in shown.items()
    }
    assert {name: f"{version}" * 50 for name, version in told.texts.items()} == {
        name: spec.description for name, spec in specs.items()
    }
    # A job and its cursor are born together.
    assert {spec.uid for spec in specs.values()} <= cursors
