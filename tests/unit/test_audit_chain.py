"""The chain of the audit trail: what a check of it finds, and what an entry shows."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from common.domain.job import JobDefinition
from master.domain.audit import Action, ActorKind, Anchor, Entry, Fact, Outcome, chained, outcome_of
from master.domain.audit_check import AuditVerdict, ChainCheck
from master.domain.audit_values import audit_text, job_change
from master.domain.refusal_budget import RefusalBudget
from master.domain.secrets import MASK

NOON = datetime(2026, 3, 29, 12, 0, 0, 123_000, tzinfo=UTC)


def fact(number: int) -> Fact:
    return Fact(
        id=f"fact-{number}",
        at=NOON,
        actor="anna",
        actor_kind=ActorKind.USER,
        client="10.0.0.1",
        action=Action.JOB_SAVE,
        object=f"job-{number}",
        namespace="default",
        outcome=Outcome.DONE,
        after='{"schedule":"@daily"}',
    )


def chain(count: int, behind: Anchor | None = None) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(count):
        entries.append(chained(fact(number), entries[-1].anchor if entries else behind or Anchor()))
    return entries


def verdict_on(
    entries: list[Entry], anchor: Anchor | None = None, newest: Anchor | None = None
) -> AuditVerdict:
    check = ChainCheck(anchor or Anchor(), newest)
    for entry in entries:
        if not check.accepts(entry):
            break
    return check.verdict()


def altered(entry: Entry) -> Entry:
    return replace(entry, fact=replace(entry.fact, actor="nobody"))


def forged(entries: list[Entry]) -> list[Entry]:
    """The third entry altered and given the hash that fits it."""
    again = chained(replace(entries[2].fact, actor="nobody"), entries[1].anchor)
    return [*entries[:2], again, *entries[3:]]


WHOLE = chain(5)


@pytest.mark.parametrize(
    ("entries", "broken_at", "reason"),
    [
        pytest.param(WHOLE, None, "every entry follows", id="whole"),
        pytest.param([], None, "every entry follows", id="empty"),
        pytest.param([*WHOLE[:2], altered(WHOLE[2]), *WHOLE[3:]], 3, "was altered", id="altered"),
        pytest.param(forged(WHOLE), 4, "was replaced", id="altered, with a hash that fits"),
        pytest.param([*WHOLE[:2], *WHOLE[3:]], 3, "is missing", id="one taken out"),
        pytest.param(WHOLE[1:], 1, "is missing", id="the first taken out"),
        pytest.param([*WHOLE[:3], WHOLE[2], *WHOLE[3:]], 4, "is missing", id="one twice"),
    ],
)
def test_check_of_five_entries(entries: list[Entry], broken_at: int | None, reason: str):
    """The first entry that does not fit is named."""
    verdict = verdict_on(entries)

    assert (broken_at is None, broken_at) == (verdict.ok, verdict.broken_at)
    assert reason in verdict.detail


def test_a_shortened_end_is_found_by_a_master_that_has_seen_it():
    """The last two entries are gone, and the chain without them is whole in itself."""
    verdict = verdict_on(WHOLE[:3], newest=WHOLE[4].anchor)

    assert (False, 4) == (verdict.ok, verdict.broken_at)


def test_a_chain_made_anew_is_found_by_a_master_that_has_seen_the_old_one():
    """Same numbers, other hashes."""
    verdict = verdict_on(chain(6, Anchor(0, "1" * 64)), Anchor(0, "1" * 64), newest=WHOLE[4].anchor)

    assert (False, 5) == (verdict.ok, verdict.broken_at)


def test_what_is_left_after_a_cut_is_still_proved():
    """The anchor stands for what was removed."""
    assert verdict_on(WHOLE[3:], WHOLE[2].anchor).ok
    assert not verdict_on(WHOLE[3:], WHOLE[1].anchor).ok


def test_a_fact_survives_its_way_through_the_journal():
    """Written as JSON and read again it has the same hash."""
    assert fact(1) == Fact.of_plain(fact(1).plain())


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (202, Outcome.DONE),
        (302, Outcome.DONE),
        (401, Outcome.REFUSED),
        (403, Outcome.REFUSED),
        (429, Outcome.REFUSED),
        (412, Outcome.FAILED),
        (500, Outcome.FAILED),
        (503, Outcome.FAILED),
    ],
)
def test_outcome_of_an_answer(status: int, expected: Outcome):
    """Refused is about who asked; failed would have happened to anybody."""
    assert expected == outcome_of(status)


def job(**fields: object) -> JobDefinition:
    return JobDefinition.model_validate({"name": "a", "schedule": "@daily", "command": "true", **fields})


def test_a_changed_job_shows_what_differs():
    """Only that; the rest is in the versions of the job."""
    assert ({"schedule": "@daily"}, {"schedule": "@hourly"}) == job_change(job(), job(schedule="@hourly"))


def test_a_changed_secret_shows_that_it_changed_and_not_what():
    """Masked on both sides."""
    secret = {"secret": True, "value": "hunter2"}
    before, after = job_change(job(env={"KEY": {**secret, "value": "old"}}), job(env={"KEY": secret}))

    masked = {"env": {"KEY": {"secret": True, "value": MASK}}}
    assert (masked, masked) == (before, after)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"password": "hunter2"}, id="by name"),
        pytest.param({"roles": [{"token": "hunter2"}]}, id="by name, deep inside"),
        pytest.param({"env": {"A": {"secret": True, "value": "hunter2"}}}, id="by its mark"),
        pytest.param({"request": {"headers": {"X-Any": "hunter2"}}}, id="a header"),
        pytest.param({"url": "https://anna:hunter2@host/x"}, id="inside an address"),
    ],
)
def test_no_secret_gets_into_an_entry(value: object):
    """Whatever an operation hands over."""
    assert "hunter2" not in str(audit_text(value))


def test_a_flood_of_refusals_is_counted_and_not_kept():
    """Twenty a minute of one client get an entry, and the next minute knows of the others."""
    budget = RefusalBudget()
    first = [budget.spend("10.0.0.9", 0.0) for _ in range(100)]

    assert 20 == sum(found is not None for found in first)
    assert 80 == budget.spend("10.0.0.9", 61.0)


def test_many_clients_share_one_budget():
    """A thousand addresses get no more than two hundred entries a minute."""
    budget = RefusalBudget()
    kept = [budget.spend(f"10.0.{n // 250}.{n % 250}", 0.0) for n in range(1000)]

    assert 200 == sum(found is not None for found in kept)
