"""Ask the programs of `cronctl up` whether they are ready; each question is short and never raises."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

Probe = Callable[[], Awaitable[bool]]
_REFUSALS = (httpx2.HTTPError, OSError, ValueError)


def etcd_is_healthy(client: httpx2.AsyncClient, address: str) -> Probe:
    """etcd has a leader and answers."""

    async def ask() -> bool:
        try:
            answer = await client.get(f"{address}/health")
            return answer.status_code == 200 and answer.json().get("health") == "true"
        except _REFUSALS:
            return False

    return ask


def port_answers(port: int) -> Probe:
    """Something accepts connections on the port; mongod does only when its recovery is done."""

    async def ask() -> bool:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 1)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    return ask


def master_is_ready(client: httpx2.AsyncClient, api: str) -> Probe:
    """The master reaches etcd and MongoDB."""

    async def ask() -> bool:
        try:
            return (await client.get(f"{api}/readyz")).status_code == 200
        except _REFUSALS:
            return False

    return ask


def workers_are_online(client: httpx2.AsyncClient, api: str, token: str, names: set[str]) -> Probe:
    """The master sees all *names* online."""

    async def ask() -> bool:
        try:
            answer = await client.get(
                f"{api}/api/v1/worker/list",
                params={"page_size": 1000},
                headers={"Authorization": f"Bearer {token}"},
            )
            if answer.status_code != 200:
                return False
            workers: list[dict[str, Any]] = answer.json()["items"]
        except (*_REFUSALS, KeyError):
            return False
        return names <= {str(worker["id"]) for worker in workers if worker.get("status") == "online"}

    return ask
