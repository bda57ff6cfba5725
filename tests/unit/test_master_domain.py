"""The master's pure rules, as tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.domain.errors import InvalidJob, InvalidPageToken
from common.domain.execution import Status
from common.domain.ids import epoch_s
from common.domain.job import JobDefinition, JobSpec
from common.domain.schedule import parse_schedule
from master.api.pointers import pointer_of
from master.domain.explain import Candidate, Verdict, explain_tick
from master.domain.job_rows import Activity, JobOrder, JobQuery, JobRow, JobStatus, LastRun, select_page
from master.domain.keyset import decode_page_token, encode_page_token
from master.domain.secrets import MASK, masked_fields, with_stored_secrets
from master.domain.statistics import percentile, summarise
from master.domain.words import describe_schedule

NOW = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("*/10 * * * * *", "Every 10 seconds", id="every ten seconds"),
        pytest.param("* * * * *", "Every minute", id="every minute"),
        pytest.param("* * * * * *", "Every second", id="every second"),
        pytest.param("*/5 * * * *", "Every 5 minutes", id="every five minutes"),
        pytest.param("30 2 * * *", "At 02:30", id="every night"),
        pytest.param(
            "0 8,12 * * 1-5", "At 08:00 and 12:00, on Monday through Friday", id="twice on weekdays"
        ),
        pytest.param("0 0 L * *", "At 00:00, on the last day of the month", id="last day"),
        pytest.param("0 9 * * 1#2", "At 09:00, on the second Monday of the month", id="second monday"),
        pytest.param("0 9 1 * 1", "At 09:00, on day 1 of the month or on Monday", id="either day"),
        pytest.param("15 * * * *", "At minute 15 of every hour", id="once an hour"),
        pytest.param("H H * * *", "At a minute of the job's own, at an hour of the job's own", id="hashed"),
        pytest.param("0 0 1 jan *", "At 00:00, on day 1 of the month, in January", id="new year"),
        pytest.param("@every 1h30m", "Every 1 hour 30 minutes", id="interval"),
        pytest.param("@every 90s", "Every 90 seconds", id="interval of seconds"),
        pytest.param("@daily", "Every day at 00:00", id="word"),
    ],
)
def test_schedules_in_words(text: str, words: str):
    """What a person reads beside the cron text, in its one spelling."""
    normal = parse_schedule(text, "UTC").text

    assert words == describe_schedule(normal)


@pytest.mark.parametrize(
    ("location", "body", "pointer"),
    [
        pytest.param(("body", "schedule"), {"schedule": 1}, "/schedule", id="plain field"),
        pytest.param(
            ("body", "retry", "on", 1), {"retry": {"on": ["a", "b"]}}, "/retry/on/1", id="in a list"
        ),
        pytest.param(("body", "env", "A", "SecretValue"), {"env": {"A": 5}}, "/env/A", id="union member"),
        pytest.param(("body", "env", "a/b", "[key]"), {"env": {"a/b": ""}}, "/env/a~1b", id="escaped key"),
        pytest.param(("query", "page_size"), None, "/query/page_size", id="query"),
        pytest.param(("body",), {}, "", id="the whole body"),
    ],
)
def test_pointers(location: tuple[object, ...], body: object, pointer: str):
    """A pointer leads to what was sent, not to pydantic's idea of it."""
    assert pointer == pointer_of(location, body)


def test_a_missing_field_is_pointed_to():
    """It is not in the body, and still is the place to look at."""
    assert "/name" == pointer_of(("body", "name"), {}, is_missing=True)


def test_page_tokens_come_back():
    """The key is what was put in."""
    token = encode_page_token({"q": "x"}, (1.5, "default", "job"))

    assert (1.5, "default", "job") == decode_page_token({"q": "x"}, token, (float, str, str))


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(encode_page_token({"q": "other"}, ("a",)), id="of another query"),
        pytest.param(encode_page_token({"q": "x"}, (1,)), id="of another kind"),
        pytest.param(encode_page_token({"q": "x"}, ("a", "b")), id="of another length"),
        pytest.param("", id="empty"),
        pytest.param("not-base64!", id="no base64"),
        pytest.param("AAAA", id="no JSON"),
        pytest.param("W10", id="no object"),
        pytest.param("ä", id="no ASCII"),
        pytest.param("x" * 5000, id="too long"),
    ],
)
def test_foreign_page_tokens_are_refused(token: str):
    """Whatever was not made for this query is an error of its own kind, never a crash."""
    with pytest.raises(InvalidPageToken):
        decode_page_token({"q": "x"}, token, (str,))


def definition(**fields: Any) -> JobDefinition:
    return JobDefinition(**{"name": "a", "command": "true", **fields})


SECRET = {"secret": True, "value": "hunter2"}
MASKED = {"secret": True, "value": MASK}


def test_masks_stand_for_what_is_stored():
    """A secret goes out masked, and its mask comes back as the stored value."""
    stored = definition(env={"S": SECRET, "P": "x"})
    shown = masked_fields(stored)["env"]
    saved = with_stored_secrets(definition(env=shown), stored)

    assert {"S": MASKED, "P": "x"} == shown
    assert stored.env == saved.env


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(None, id="new job"),
        pytest.param(definition(), id="no such name"),
        pytest.param(definition(env={"S": "plain"}), id="stored in the open"),
    ],
)
def test_a_mask_of_nothing_is_refused(stored: JobDefinition | None):
    """Else eight stars would become the value."""
    with pytest.raises(InvalidJob, match=r"env\.S"):
        with_stored_secrets(definition(env={"S": MASKED}), stored)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        pytest.param([], 50, None, id="none"),
        pytest.param([7], 99, 7, id="one"),
        pytest.param([1, 2, 3, 4], 50, 2, id="half"),
        pytest.param([1, 2, 3, 4], 95, 4, id="nearly all"),
    ],
)
def test_percentiles(values: list[int], percent: int, expected: int | None):
    """The nearest rank: a value that really occurred."""
    assert expected == percentile(values, percent)


def test_success_rate_leaves_out_what_runs():
    """Only what has ended counts."""
    figures = summarise(
        [
            {"day": "2026-03-29", "status": "succeeded", "count": 3},
            {"day": "2026-03-29", "status": "failed", "count": 1},
            {"day": "2026-03-30", "status": "running", "count": 4},
        ],
        [],
    )

    assert (8, 0.75) == (figures.total, figures.success_rate)


def row(name: str, *, hour: int | None = None, enabled: bool = True, label: str = "x") -> JobRow:
    spec = JobSpec(
        name=name,
        command=f"run {name}",
        labels={"team": label},
        enabled=enabled,
        uid=f"uid{name:a>7}",
        created_at=NOW,
        changed_at=NOW,
    )
    next_tick = NOW + timedelta(hours=hour) if hour is not None else None
    return JobRow("default", name, 1, 1, spec=spec, next_tick=next_tick, haystack=f"default/{name}")


ROWS = [row("a", hour=3), row("b", hour=1, label="y"), row("c"), row("d", hour=2, enabled=False)]
ACTIVITY = Activity(
    running=lambda: {"uidaaaaaab"},
    last=lambda: {"uidaaaaaac": LastRun("x", Status.FAILED, NOW)},
)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param(JobQuery(), "abcd", id="all by name"),
        pytest.param(JobQuery(order_by=JobOrder.NAME_DESC), "dcba", id="by name, descending"),
        pytest.param(JobQuery(order_by=JobOrder.NEXT_TICK), "bdac", id="by next tick, none last"),
        pytest.param(JobQuery(order_by=JobOrder.NEXT_TICK_DESC), "adbc", id="descending, none last"),
        pytest.param(JobQuery(q="DEFAULT/B"), "b", id="by words, in any case"),
        pytest.param(JobQuery(labels=(("team", "y"),)), "b", id="by label"),
        pytest.param(JobQuery(labels=(("team", "y"), ("other", None))), "", id="by two labels"),
        pytest.param(JobQuery(order_by=JobOrder.LAST_RUN_DESC), "cabd", id="by last run, none last"),
        pytest.param(JobQuery(labels=(("team", None),)), "abcd", id="by label of any value"),
        pytest.param(JobQuery(enabled=False), "d", id="disabled"),
        pytest.param(JobQuery(status=JobStatus.RUNNING), "b", id="running"),
        pytest.param(JobQuery(status=JobStatus.FAILED), "c", id="failed last"),
        pytest.param(JobQuery(status=JobStatus.NEVER_RUN), "ad", id="never run"),
        pytest.param(JobQuery(namespaces=("other",)), "", id="another namespace"),
    ],
)
def test_jobs_are_filtered_and_ordered_page_by_page(query: JobQuery, names: str):
    """Pages of one row each show the same rows in the same order as one page of all."""
    seen, after = "", None
    while True:
        page = select_page(ROWS, query, ACTIVITY, after=after, size=1)
        seen += "".join(found.name for found in page.rows)
        after = page.last_key
        if after is None:
            break

    assert names == seen
    assert len(names) == page.total


SPEC = JobSpec(
    name="a",
    command="true",
    schedule="0 * * * *",
    uid="uidaaaaaaa",
    created_at=NOW - timedelta(days=9),
    changed_at=NOW - timedelta(days=1),
)
RAN = {"status": "succeeded", "worker": "w1", "attempt": 1, "cause": "schedule", "reason": None}


@pytest.mark.parametrize(
    ("hours", "change", "known", "verdict", "words"),
    [
        pytest.param(-1, {}, {"execution": RAN}, Verdict.RAN, "ran on w1 and succeeded", id="ran"),
        pytest.param(
            -1, {}, {"execution": RAN | {"status": "running"}}, Verdict.RUNNING, "runs now", id="runs"
        ),
        pytest.param(
            -1,
            {},
            {"ledger": {"kind": "skipped", "reason": "overlap"}},
            Verdict.SKIPPED,
            "still running",
            id="skipped",
        ),
        pytest.param(
            -1, {}, {"ledger": {"kind": "missed", "reason": "no_slot"}}, Verdict.MISSED, "full", id="missed"
        ),
        pytest.param(
            2, {}, {"candidates": [Candidate("w1", True, None)]}, Verdict.FUTURE, "w1", id="to come"
        ),
        pytest.param(2, {}, {}, Verdict.FUTURE, "No live worker", id="to come, nobody there"),
        pytest.param(2, {"enabled": False}, {}, Verdict.NOT_EXPECTED, "disabled", id="disabled"),
        pytest.param(2, {"ends_at": NOW}, {}, Verdict.NOT_EXPECTED, "out of its", id="after its last day"),
        pytest.param(-48, {}, {}, Verdict.NOT_EXPECTED, "present version", id="before this version"),
        pytest.param(0.5, {}, {}, Verdict.NOT_EXPECTED, "no tick at that instant", id="between ticks"),
        pytest.param(-1, {}, {}, Verdict.UNKNOWN, "nothing is recorded", id="no record"),
        pytest.param(-1, {}, {"closed_by": "w1"}, Verdict.UNKNOWN, "w1 has closed it", id="record under way"),
        pytest.param(
            -1, {}, {"closed_by": "w1", "execution": RAN}, Verdict.RAN, "ran on w1", id="record arrived"
        ),
    ],
)
def test_ticks_are_explained(
    hours: float, change: dict[str, Any], known: dict[str, Any], verdict: Verdict, words: str
):
    """What is recorded decides; without a record the job and its workers speak."""
    spec = SPEC.model_copy(update=change)
    tick = NOW + timedelta(hours=hours)
    facts: dict[str, Any] = {"execution": None, "ledger": None, "candidates": []} | known
    explained = explain_tick(spec, parse_schedule("0 * * * *"), tick, now=NOW, **facts)

    assert verdict is explained.verdict
    assert words in explained.sentence
    assert epoch_s(tick) % 1800 == 0
