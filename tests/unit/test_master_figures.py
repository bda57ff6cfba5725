"""The pure parts behind overview, timeline, versions and worker logs, as tables."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from common.domain.codec import WorkerHealth
from common.domain.job import JobDefinition, JobSpec
from common.domain.schedule import parse_schedule
from master.domain.job_check import cautions
from master.domain.job_fit import fit
from master.domain.load_curve import SameTicks, ticks_by_minute
from master.domain.minute_counts import MinuteCount, MinuteCounts
from master.domain.versions import changes
from master.domain.worker_events import events_of
from master.services.worker_setup import Installation, worker_setup

NOW = datetime(2026, 3, 29, 12, 0, 30, tzinfo=UTC)


def spec(**fields: object) -> JobSpec:
    known = {"name": "hello", "command": "true", "uid": "abcdefgh", "created_at": NOW, "changed_at": NOW}
    return JobSpec.model_validate({**known, **fields})


def worker(name: str, **fields: object) -> WorkerHealth:
    known = {"worker": name, "session": "s1", "executors": ("shell",), "started_at": NOW}
    return WorkerHealth.model_validate({**known, **fields})


def test_counts_of_a_stretch_are_replaced_as_a_whole():
    """Counted twice is counted once; buckets begin at the first minute asked for."""
    counts = MinuteCounts()
    for _ in range(2):
        counts.replace(
            0,
            60,
            [
                MinuteCount(1, "a", "failed", 2),
                MinuteCount(1, "b", "failed", 1),
                MinuteCount(31, "a", "lost", 5),
            ],
        )

    assert {1: Counter(failed=3), 31: Counter(lost=5)} == counts.buckets(1, 60, 30, None)
    assert {0: Counter(failed=2, lost=5)} == counts.buckets(0, 60, 60, {"a"})
    assert {"failed": 1} == counts.totals(0, 60, {"b"})
    counts.forget_before(31)
    assert {31: Counter(lost=5)} == counts.buckets(0, 60, 1, None)


@pytest.mark.parametrize(
    ("schedule", "minutes", "total"),
    [
        pytest.param("* * * * *", 3, 3, id="every minute"),
        pytest.param("*/10 * * * * *", 2, 9, id="every ten seconds, from the half minute"),
        pytest.param("@every 90s", 5, 3, id="an interval longer than a minute"),
        pytest.param("@every 20s", 2, 5, id="an interval shorter than a minute"),
        pytest.param("@yearly", 5, 0, id="nothing due"),
    ],
)
def test_ticks_ahead_by_minute(schedule: str, minutes: int, total: int):
    """What asking tick by tick from 12:00:30 on would count; an interval begins at 12:00:00."""
    group = SameTicks(parse_schedule(schedule, anchor=NOW.replace(second=0)), 0, Counter(default=1))
    until = NOW.replace(second=0) + timedelta(minutes=minutes)
    counts, reaches = ticks_by_minute(group, NOW, until)
    walked = Counter[int]()
    tick = group.schedule.next_after(NOW)
    while tick is not None and tick <= until:
        walked[int(tick.timestamp()) // 60] += 1
        tick = group.schedule.next_after(tick)

    assert reaches
    assert walked == Counter(dict(counts))
    assert total == sum(counts.values())


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({}, {}, [], id="nothing"),
        pytest.param({"timeout_s": 1}, {"timeout_s": 2}, [("/timeout_s", 1, 2)], id="a field"),
        pytest.param(
            {"retry": {"max_attempts": 1}},
            {"retry": {"max_attempts": 3}},
            [("/retry/max_attempts", 1, 3)],
            id="inside an object",
        ),
        pytest.param(
            {"labels": {"a/b": "1"}}, {}, [("/labels/a~1b", "1", None)], id="gone, with an escaped key"
        ),
        pytest.param(
            {"env": {"S": {"secret": True, "value": "one"}}},
            {"env": {"S": {"secret": True, "value": "two"}}},
            [("/env/S", {"secret": True, "value": "********"}, {"secret": True, "value": "********"})],
            id="a secret, masked",
        ),
        pytest.param(
            {"env": {"S": "plain"}},
            {"env": {"S": {"secret": True, "value": "two"}}},
            [("/env/S", "plain", {"secret": True, "value": "********"})],
            id="became a secret",
        ),
    ],
)
def test_changes_between_versions(
    before: dict[str, object], after: dict[str, object], expected: list[tuple[object, ...]]
):
    """Each differing field once, by its pointer; what every save sets is no change."""
    found = changes(spec(**before), spec(**after, generation=2, changed_by="x"))

    assert expected == [(change["pointer"], change["before"], change["after"]) for change in found]


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        pytest.param(None, {}, ["online"], id="came"),
        pytest.param({}, None, ["offline"], id="went"),
        pytest.param(None, None, [], id="was never there"),
        pytest.param({}, {"session": "s2"}, ["offline", "online"], id="came back between two looks"),
        pytest.param({}, {"status": "draining"}, ["draining"], id="drained"),
        pytest.param({"status": "draining"}, {}, ["resumed"], id="resumed"),
        pytest.param({}, {"claims_paused": "clock"}, ["alarm"], id="an alarm"),
        pytest.param({"claims_paused": "clock"}, {}, ["alarm_over"], id="an alarm ends"),
        pytest.param(None, {"claims_paused": "not measured yet"}, ["online"], id="no alarm at the start"),
        pytest.param({}, {"labels": {"a": "b"}}, [], id="other labels"),
    ],
)
def test_events_in_a_workers_log(
    before: dict[str, object] | None, after: dict[str, object] | None, kinds: list[str]
):
    """Two masters that see the same change under the same revision name the same events."""
    old = worker("w1", **before) if before is not None else None
    new = worker("w1", **after) if after is not None else None
    one, two = (list(events_of("w1", old, new, 7, NOW + timedelta(seconds=n))) for n in (0, 3))

    assert kinds == [event.event.value for event in one]
    assert [event.id for event in one] == [event.id for event in two]


def test_workers_a_job_fits_come_first():
    """Those that may run it by rank, then the others with every reason, also those that are gone."""
    live = [worker("w2"), worker("w1", status="draining", executors=()), worker("w3")]
    found = fit(spec(), live, ["w0", "w2"])

    assert {"w2", "w3"} == {entry["worker"] for entry in found[:2]}
    assert [0, 1, None, None] == [entry["rank"] for entry in found]
    assert [("w0", "offline", 1), ("w1", "draining", 2)] == [
        (entry["worker"], entry["status"], len(entry["reasons"])) for entry in found[2:]
    ]


@pytest.mark.parametrize(
    ("fields", "workers", "code"),
    [
        pytest.param({"schedule": "* * * * *"}, [], "no_worker_online", id="nobody there"),
        pytest.param({"target": {"workers": ["w2"]}}, [worker("w1")], "no_eligible_worker", id="nobody fits"),
        pytest.param({}, [worker("w1")], "no_schedule", id="no schedule"),
        pytest.param({"schedule": "@daily", "ends_at": NOW}, [worker("w1")], "has_ended", id="over"),
        pytest.param({"schedule": "* * * * * *"}, [worker("w1")], "every_second", id="a preview's"),
    ],
)
def test_cautions_of_a_draft(fields: dict[str, object], workers: list[WorkerHealth], code: str):
    """Allowed, and often not meant."""
    draft = JobDefinition.model_validate({"name": "hello", "command": "true", **fields})
    schedule = parse_schedule(draft.schedule) if draft.schedule else None

    assert code in [caution.code for caution in cautions(draft, schedule, workers, NOW)]


def test_the_setup_of_a_worker_says_what_to_mind():
    """No password in it; loopback addresses and a user of etcd are pointed out."""
    found = worker_setup(
        Installation(
            etcd_endpoints=("localhost:2379",),
            etcd_username="cron",
            etcd_ca_cert="/somewhere/ca.pem",
            etcd_cert=None,
            mongo_uri="mongodb://user:***@db7",
            mongo_database="cron",
            key_prefix="/cron/",
            health_prefix="/agent/health/",
        )
    )

    assert ("cron", "/etc/everytick/etcd-ca.pem") == (
        found["config"]["etcdUsername"],
        found["config"]["etcdCaCert"],
    )
    assert 4 == len(found["notes"])
