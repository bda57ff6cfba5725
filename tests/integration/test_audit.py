"""The audit trail over real servers: what gets an entry, and what becomes of entries when things break."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from common.domain.records import AUDIT
from common.kv.etcd import EtcdStore
from common.mongo.schema import ensure_schema
from common.runtime.clock import SystemClock
from master.adapters.audit_journal import open_journal
from master.adapters.mongo_audit import MongoAudit
from master.audit_port import AuditFilter
from master.config import MasterConfig
from master.domain.audit import Action, ActorKind, Fact, Outcome
from master.domain.secrets import MASK
from master.services.audit import AuditTrail
from tests.integration.api_client import RunningApi, config_for, running_api
from tests.integration.test_api_door import anonymous

pytestmark = pytest.mark.integration
Entries = list[dict[str, Any]]

JOB = {"name": "backup", "schedule": "@daily", "command": "true"}


async def entries(api: RunningApi, count: int, **params: object) -> Entries:
    """The newest *count* entries, newest first, as soon as there are as many."""
    for _ in range(200):
        page = (await api.get("/audit/list", **params)).json()
        if len(page["items"]) >= count:
            break
        await asyncio.sleep(0.02)
    assert count == len(page["items"])
    items: Entries = page["items"]
    return items


async def test_a_saved_job_leaves_who_what_and_the_difference(api: RunningApi):
    """Creation in full, a change as what differs, secrets as a mask."""
    secret = {"KEY": {"secret": True, "value": "hunter2"}}
    first = await api.post("/job/save", JOB | {"env": secret})
    await api.post("/job/save", JOB | {"schedule": "@hourly", "env": secret})
    changed, created = await entries(api, 2, object="backup", namespace="default")

    assert ("job.save", "done", "admin", "admin_token") == tuple(
        changed[name] for name in ("action", "outcome", "actor", "actor_kind")
    )
    assert ({"schedule": "@daily"}, {"schedule": "@hourly"}) == (changed["before"], changed["after"])
    assert None is created["before"]
    assert {"KEY": {"secret": True, "value": MASK}} == created["after"]["env"]
    assert first.headers["X-Request-ID"] == created["request_id"]
    assert changed["previous_hash"] == created["hash"]


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        pytest.param("DELETE", "/job/none", None, ("job.delete", "none", "failed"), id="no such job"),
        pytest.param("POST", "/job/save", {"name": "x"}, ("job.save", None, "failed"), id="not valid"),
        pytest.param("POST", "/job/save", "{", ("job.save", None, "failed"), id="not JSON"),
        pytest.param(
            "POST", "/execution/a.1.1/kill", {}, ("execution.kill", "a.1.1", "failed"), id="no such execution"
        ),
    ],
)
async def test_what_failed_has_an_entry_with_the_reason(
    api: RunningApi, method: str, path: str, body: object, expected: tuple[object, ...]
):
    """Also when the body was never understood."""
    answer = await api.client.request(
        method,
        f"/api/v1{path}",
        content=body if isinstance(body, str) else None,
        json=None if isinstance(body, str) else body,
        headers={"Content-Type": "application/json"},
    )
    (entry,) = await entries(api, 1)

    assert answer.is_error
    assert expected == (entry["action"], entry["object"], entry["outcome"])
    assert answer.json()["detail"] == entry["detail"]


async def test_what_was_refused_at_the_door_has_an_entry(api: RunningApi):
    """Without a credential; the body is not looked at, the action is known from the address."""
    async with anonymous(api, peer="10.0.0.9") as client:
        await client.post("/api/v1/job/save", json=JOB)
        await client.delete("/api/v1/job/backup?namespace=shop")
        await client.post("/api/v1/nothing")
        await client.post("/api/v1/schedule/preview", json={"schedule": "@daily"})
        await client.get("/api/v1/job/list")
    nothing, delete, save = await entries(api, 3)

    assert ("job.save", None, "refused", "anonymous", "10.0.0.9") == tuple(
        save[name] for name in ("action", "object", "outcome", "actor_kind", "client")
    )
    assert ("job.delete", "backup", "shop") == (delete["action"], delete["object"], delete["namespace"])
    assert ("request.refused", "/api/v1/nothing") == (nothing["action"], nothing["object"])


async def test_looking_leaves_no_entry(api: RunningApi):
    """Questions, also those that are asked with POST."""
    await api.get("/job/list")
    await api.post("/schedule/preview", {"schedule": "nonsense"})
    await api.client.put("/api/v1/job/list")
    await api.post("/job/save", JOB)

    assert ["job.save"] == [entry["action"] for entry in await entries(api, 1)]


async def test_entries_of_a_job_are_found_from_the_job(api: RunningApi):
    """Those of its executions included, those of a job of the same name elsewhere not."""
    saved = (await api.post("/job/save", JOB)).json()
    await api.post("/job/save", JOB | {"namespace": "shop"})
    await api.post(f"/execution/{saved['uid']}.1.1/kill")
    await api.post("/job/save", JOB | {"name": "other"})
    await entries(api, 4)
    page = (await api.get("/job/backup/audit")).json()

    assert ["execution.kill", "job.save"] == [entry["action"] for entry in page["items"]]


async def test_a_batch_has_an_entry_per_item(api: RunningApi):
    """Each with the action it stands for and its own outcome."""
    await api.post("/job/save", JOB)
    jobs = [{"namespace": "default", "name": name} for name in ("backup", "absent")]
    await api.post("/job/batch", {"action": "disable", "jobs": jobs})
    absent, backup, _ = await entries(api, 3)

    assert ("job.disable", "backup", "done") == (backup["action"], backup["object"], backup["outcome"])
    assert ("job.disable", "absent", "failed") == (absent["action"], absent["object"], absent["outcome"])


async def test_pages_and_filters(api: RunningApi):
    """Newest first, each entry once; a family of actions; a time range."""
    for name in ("a", "b", "c"):
        await api.post("/job/save", JOB | {"name": name})
    await api.post("/job/disable/a")
    await entries(api, 4)
    first = (await api.get("/audit/list", page_size=3)).json()
    second = (await api.get("/audit/list", page_size=3, page_token=first["next_page_token"])).json()
    family = (await api.get("/audit/list", action="job")).json()
    later = (await api.get("/audit/list", **{"from": "2999-01-01T00:00:00Z"})).json()
    unknown = await api.get("/audit/list", action="dance")

    assert [4, 3, 2, 1] == [entry["seq"] for entry in first["items"] + second["items"]]
    assert (None, 4, 0) == (second["next_page_token"], family["total"]["count"], later["total"]["count"])
    assert (422, "/query/action") == (unknown.status_code, unknown.json()["errors"][0]["pointer"])


async def test_an_altered_entry_is_found(api: RunningApi, mongo_database: AsyncDatabase[dict[str, Any]]):
    """By its number; and while nobody altered one, all are counted."""
    for name in ("a", "b", "c"):
        await api.post("/job/save", JOB | {"name": name})
    await entries(api, 3)
    whole = (await api.get("/audit/verify")).json()
    await mongo_database[AUDIT].update_one({"_id": 2}, {"$set": {"actor": "somebody else"}})
    broken = (await api.get("/audit/verify")).json()

    assert (True, 3, 1, 3, None) == tuple(
        whole[name] for name in ("ok", "checked", "first_seq", "last_seq", "broken_at")
    )
    assert (False, 2) == (broken["ok"], broken["broken_at"])


async def test_entries_removed_at_the_end_are_found(
    api: RunningApi, mongo_database: AsyncDatabase[dict[str, Any]]
):
    """The master has seen them."""
    await api.post("/job/save", JOB)
    await api.post("/job/save", JOB | {"name": "b"})
    await entries(api, 2)
    await mongo_database[AUDIT].delete_one({"_id": 2})

    broken = (await api.get("/audit/verify")).json()

    assert (False, 2) == (broken["ok"], broken["broken_at"])


async def test_without_mongodb_changes_are_made_and_their_entries_follow(
    tmp_path: Path,
    etcd_endpoint: str,
    store: EtcdStore,
    key_prefix: str,
    master_config: MasterConfig,
):
    """The entry has the time of the change, and survives the master that made it."""
    away = config_for(
        tmp_path, etcd_endpoint, "mongodb://127.0.0.1:9/?directConnection=true", "x", key_prefix
    )
    async with running_api(away, store, needs_history=False) as api:
        saved = await api.post("/job/save", JOB)
        shown = await api.get("/audit/list")
    before = datetime.now(UTC)
    async with running_api(master_config, store) as api:
        (entry,) = await entries(api, 1)

    assert (200, 503) == (saved.status_code, shown.status_code)
    assert ("job.save", "backup", "done") == (entry["action"], entry["object"], entry["outcome"])
    assert datetime.fromisoformat(entry["at"]) < before


def fact(number: int, at: datetime) -> Fact:
    return Fact(
        id=f"{number}-{at.isoformat()}",
        at=at.replace(microsecond=0),
        actor="anna",
        actor_kind=ActorKind.USER,
        client=None,
        action=Action.JOB_RUN,
        object=f"job-{number}",
        outcome=Outcome.DONE,
    )


async def test_masters_that_append_at_once_make_one_chain(mongo_database: AsyncDatabase[dict[str, Any]]):
    """Three of them, 200 facts each, in batches: every fact once, no gap, and the order of each kept."""
    await ensure_schema(mongo_database)
    now = datetime.now(UTC)

    async def master(number: int) -> None:
        chain = MongoAudit(mongo_database)
        for start in range(0, 200, 8):
            facts = [fact(number * 1000 + start + offset, now) for offset in range(8)]
            await chain.append(facts)
            # An answer that got lost: the same once more.
            if start % 40 == 0:
                await chain.append(facts)

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(master(number))
    found = [
        int(entry.fact.object.split("-")[1]) async for entry in MongoAudit(mongo_database).entries_behind(0)
    ]
    of_each = [[number for number in found if number // 1000 == master] for master in range(3)]

    assert [sorted(numbers) for numbers in of_each] == of_each
    assert 600 == len(set(found)) == len(found)


async def test_what_has_expired_is_cut_off_and_the_rest_still_proved(
    mongo_database: AsyncDatabase[dict[str, Any]], tmp_path: Path
):
    """Only at the beginning: an old entry that was stored late stays until all before it are old."""
    await ensure_schema(mongo_database)
    now = datetime.now(UTC)
    chain = MongoAudit(mongo_database)
    days = [400, 390, 10, 380, 1]
    await chain.append([fact(n, now - timedelta(days=age)) for n, age in enumerate(days)])
    with open_journal(tmp_path) as journal:
        trail = AuditTrail(chain, journal, SystemClock(), audit_days=365)
        removed, again = await trail.cut_expired(), await trail.cut_expired()
        verdict = await trail.verify()
    left = [entry.fact.action async for entry in chain.entries_behind(0)]

    assert (2, 0) == (removed, again)
    assert (True, 3, 6) == (verdict.ok, verdict.first_seq, verdict.last_seq)
    assert [Action.JOB_RUN] * 3 + [Action.AUDIT_CUT] == left


async def test_a_beginning_that_was_removed_by_hand_is_found(
    mongo_database: AsyncDatabase[dict[str, Any]], tmp_path: Path
):
    """No anchor stands for it."""
    await ensure_schema(mongo_database)
    chain = MongoAudit(mongo_database)
    await chain.append([fact(number, datetime.now(UTC)) for number in range(4)])
    await mongo_database[AUDIT].delete_many({"_id": {"$lt": 3}})
    with open_journal(tmp_path) as journal:
        verdict = await AuditTrail(chain, journal, SystemClock(), audit_days=365).verify()

    assert (False, 1) == (verdict.ok, verdict.broken_at)


async def test_a_cancellation_somebody_declined_does_not_end_later_reads(mongo_database: AsyncDatabase[Any]):
    """Only what comes during a read is taken for one the driver has swallowed."""
    chain = MongoAudit(mongo_database)

    async def decline_and_count() -> int:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        return (await chain.count(AuditFilter())).count

    task = asyncio.create_task(decline_and_count())
    await asyncio.sleep(0)
    task.cancel()

    assert 0 == await task
