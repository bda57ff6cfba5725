"""Bodies and answers as they stand in the OpenAPI document and in `docs/http-api.md`."""

from typing import Any, Final

from common.domain.job import JobDefinition
from master.api import examples_more as more
from master.api import people_examples

Examples = dict[str, Any]

JOBS: Final[Examples] = {
    "shell": {
        "summary": "A command, every night",
        "value": {
            "name": "backup",
            "schedule": "30 2 * * *",
            "timezone": "Europe/Berlin",
            "executor": "shell",
            "command": "pg_dump shop | gzip > /backup/shop.gz",
            "timeout_s": 3600,
            "overlap": "skip",
            "catch_up": "last",
        },
    },
    "seconds": {
        "summary": "Every ten seconds (six fields, seconds first)",
        "value": {"name": "hello", "schedule": "*/10 * * * * *", "command": "echo hello"},
    },
    "http": {
        "summary": "One HTTP request, retried when it fails",
        "value": {
            "name": "ping",
            "schedule": "@every 5m",
            "executor": "http",
            "request": {"method": "GET", "url": "https://example.com/health"},
            "retry": {"max_attempts": 3, "delay_s": 10},
        },
    },
}
RUN: Final[Examples] = {
    "plain": {"summary": "As it is", "value": {}},
    "parameters": {"summary": "With a parameter", "value": {"parameters": {"day": "2026-03-29"}}},
}
DISABLE: Final[Examples] = {
    "for good": {"summary": "Until it is enabled", "value": {}},
    "for a time": {"summary": "Until an instant", "value": {"until": "2026-03-30T06:00:00Z"}},
}
PREVIEW: Final[Examples] = {
    "nightly": {
        "summary": "Over a daylight saving change",
        "value": {"schedule": "30 2 * * *", "timezone": "Europe/Berlin", "count": 5},
    }
}

REVERT: Final = more.REVERT
JOB_BATCH: Final = more.JOB_BATCH
EXECUTION_BATCH: Final = more.EXECUTION_BATCH
CHECK: Final = more.CHECK
TEST_RUN: Final = more.TEST_RUN

_UID: Final = "kq3x5h2m9w1abc"
_EXECUTION_ID: Final = f"{_UID}.1774744200.1"
_AT: Final = "2026-03-29T00:30:00Z"
_SUMMARY: Final[Examples] = {
    "id": _EXECUTION_ID,
    "status": "succeeded",
    "reason": None,
    "cause": "schedule",
    "tick": 1774744200,
    "scheduled_at": _AT,
    "started_at": "2026-03-29T00:30:00.004Z",
    "finished_at": "2026-03-29T00:31:12.310Z",
    "duration_ms": 72306,
    "lateness_ms": 4,
    "exit_code": 0,
    "worker": "worker-1",
    "attempt": 1,
}
_LISTED: Final[Examples] = {
    **_SUMMARY,
    "namespace": "default",
    "job": "backup",
    "uid": _UID,
    "generation": 3,
    "requested_by": None,
    "error": None,
    "live": False,
}
_EXECUTION: Final[Examples] = {
    **_LISTED,
    "session": "7587869134251372561",
    "fence": 48211,
    "claimed_at": "2026-03-29T00:29:59.310Z",
    "expires_at": "2026-04-28T00:31:12.310Z",
    "parameters": {},
    "queued_ms": None,
    "signal": None,
    "cpu_ms": 61022,
    "max_rss_kb": 48120,
    "out": {"bytes": 120, "lines": 2, "dropped": 0, "chunks": 1, "head": "dumping shop\n", "tail": "done\n"},
    "truncated": False,
    "kill_requested": None,
    "kill_incomplete": [],
    "flags": [],
    "history": [
        {"status": "running", "at": "2026-03-29T00:30:00.004Z", "seq": 1, "reason": None},
        {"status": "succeeded", "at": "2026-03-29T00:31:12.310Z", "seq": 3, "reason": None},
    ],
}
_OUTPUT: Final[Examples] = {
    "execution_id": _EXECUTION_ID,
    "chunks": 1,
    "next_seq": 1,
    "lines": [
        {"seq": 0, "n": 1, "ms": 12, "stream": "stdout", "text": "dumping shop"},
        {"seq": 0, "n": 2, "ms": 72290, "stream": "stdout", "text": "done"},
    ],
    "truncated": False,
    "finished": True,
    "dropped_bytes": 0,
}
_JOB: Final[Examples] = {
    **JobDefinition(**JOBS["shell"]["value"]).model_dump(mode="json"),
    "uid": _UID,
    "generation": 3,
    "created_at": "2026-01-10T09:00:00Z",
    "changed_at": "2026-02-02T09:00:00Z",
    "changed_by": "admin",
    "retention_days": 30,
    "revision": 1234,
    "state": {
        "paused": False,
        "running": [],
        "next_tick": "2026-03-30T00:30:00Z",
        "last": _SUMMARY,
        "quarantined": None,
        "eligible_workers": 2,
    },
}
_STRIP: Final[Examples] = {name: _SUMMARY[name] for name in ("id", "status", "started_at", "duration_ms")}
_TICKS: Final = [
    {"at": "2026-03-28T01:30:00Z", "local": "2026-03-28T02:30:00+01:00", "flag": None},
    {"at": "2026-03-29T01:00:00Z", "local": "2026-03-29T03:00:00+02:00", "flag": "gap"},
]
_LEDGER_ENTRY: Final[Examples] = {
    "tick": 1774744200,
    "at": _AT,
    "kind": "skipped",
    "status": None,
    "reason": "overlap",
    "lateness_ms": None,
    "execution_id": None,
    "blocked_by": f"{_UID}.1774657800.1",
    "last_at": _AT,
    "count": 1,
    "count_is_exact": True,
    "detail": None,
    "worker": None,
}
_WORKER: Final[Examples] = {
    "id": "worker-1",
    "status": "online",
    "host": "db7",
    "address": "10.0.0.17",
    "pid": 4711,
    "version": "0.1.0",
    "labels": {"zone": "a"},
    "executors": ["shell", "exec", "python", "http"],
    "slots": 5,
    "running": 1,
    "started_at": "2026-03-01T08:00:00Z",
    "last_seen_at": "2026-03-29T00:30:02Z",
    "metrics": {
        "cpu_percent": 12.5,
        "memory_percent": 40.1,
        "memory_bytes": 61440000,
        "load1": 0.7,
        "disk_percent": 55.0,
    },
    "clock_offset_ms": 3,
    "tzdata": "2026.1",
    "claims_paused": None,
}
_HASH: Final = "9f2c6b1e0d4a7f3c8b5e2d1a6c9f0b3e7d4a1c8f5b2e9d6a3c0f7b4e1d8a5c2f"
_AUDIT_ENTRY: Final[Examples] = {
    "seq": 812,
    "entry_id": "0f6cbd3e58a94f1c9d2e7a4b5c6d8e9f",
    "at": "2026-03-29T00:29:58.120Z",
    "actor": "anna",
    "actor_kind": "user",
    "client": "10.0.0.23",
    "action": "job.save",
    "object": "backup",
    "namespace": "default",
    "outcome": "done",
    "detail": None,
    "before": {"schedule": "0 2 * * *"},
    "after": {"schedule": "30 2 * * *"},
    "request_id": "5f0c6a4e1f6b4d2e9a7c3b8d1e2f4a6b",
    "hash": _HASH,
    "previous_hash": "1d8a5c2f9f2c6b1e0d4a7f3c8b5e2d1a6c9f0b3e7d4a1c8f5b2e9d6a3c0f7b4e",
}
_ONE: Final[Examples] = {"count": 1, "is_exact": True}
_HEALTHY: Final[Examples] = {
    "status": "ok",
    "checks": {"etcd": "ok", "mongodb": "ok", "jobs": "ok", "runs": "ok", "workers": "ok"},
}

#: One answer of each operation, by its id; held against the models by a test.
ANSWERS: Final[Examples] = {
    **people_examples.ANSWERS,
    "save_job": _JOB,
    "list_jobs": {"items": [{**_JOB, "recent": [_STRIP]}], "next_page_token": None, "total": _ONE},
    "get_job": {**_JOB, "next_ticks": _TICKS, "description_in_words": "At 02:30"},
    "run_job": {"execution_id": f"{_UID}.mz8r2k4h6c1abc.1", "trigger_id": "z8r2k4h6c1abc"},
    "kill_job": {"requested": [_EXECUTION_ID]},
    "disable_job": {**_JOB, "enabled": False},
    "enable_job": _JOB,
    "revert_job": _JOB,
    "job_ledger": {"items": [_LEDGER_ENTRY], "next_page_token": None, "total": _ONE},
    "explain_tick": {
        "tick": 1774744200,
        "at": _AT,
        "verdict": "skipped",
        "sentence": "It was skipped on purpose: the execution before it was still running.",
        "facts": [f"execution {_UID}.1774657800.1 was in the way"],
        "execution": None,
        "ledger": _LEDGER_ENTRY,
        "candidates": [{"worker": "worker-1", "eligible": True, "reason": None}],
    },
    "preview": {
        "normalised": "30 2 * * *",
        "words": "At 02:30",
        "timezone": "Europe/Berlin",
        "ticks": _TICKS,
        "warnings": [{"code": "dst_gap", "message": "On 2026-03-29 the wall clock skips 02:30."}],
    },
    "list_executions": {"items": [_LISTED], "next_page_token": None, "total": _ONE},
    "latest_execution": {"execution": _EXECUTION, "output": _OUTPUT},
    "job_statistics": {
        "job": "backup",
        "namespace": "default",
        "from": "2026-03-22T00:00:00Z",
        "to": "2026-03-29T00:00:00Z",
        "total": 7,
        "by_status": {"succeeded": 6, "failed": 1},
        "success_rate": 0.8571,
        "duration_ms": {"p50": 72306, "p95": 80111, "max": 80111},
        "lateness_ms": {"p50": 4, "p99": 12},
        "per_day": [{"day": "2026-03-28", "total": 1, "by_status": {"succeeded": 1}}],
    },
    "get_execution": _EXECUTION,
    "get_output": _OUTPUT,
    "kill_execution": {"requested": [_EXECUTION_ID]},
    "retry_execution": {"execution_id": f"{_UID}.mz8r2k4h6c1abc.1", "trigger_id": "z8r2k4h6c1abc"},
    "list_workers": {"items": [_WORKER], "next_page_token": None, "total": _ONE},
    "worker_statistics": {
        "online": 2,
        "draining": 0,
        "offline": 1,
        "slots": 10,
        "running": 3,
        "by_version": {"0.1.0": 2},
    },
    "get_worker": _WORKER,
    "list_audit": {"items": [_AUDIT_ENTRY], "next_page_token": None, "total": _ONE},
    "job_audit": {"items": [_AUDIT_ENTRY], "next_page_token": None, "total": _ONE},
    "verify_audit": {
        "ok": True,
        "checked": 812,
        "first_seq": 1,
        "last_seq": 812,
        "last_hash": _HASH,
        "broken_at": None,
        "detail": "every entry follows the one before it",
    },
    "drain_worker": {**_WORKER, "status": "draining"},
    "resume_worker": _WORKER,
    "livez": {"status": "ok", "checks": {}},
    "readyz": _HEALTHY,
    "healthz": _HEALTHY,
    **more.ANSWERS,
    "version": {
        "version": "0.1.0",
        "etcd": {"version": "3.5.21", "db_size_bytes": 2097152},
        "mongo": {"version": "6.0.5"},
        "key_prefix": "/cron/",
        "master_id": "db7-4700",
    },
}
