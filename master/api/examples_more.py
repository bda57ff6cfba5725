"""Examples of the overview, the timeline, versions, batches and checks; `examples.py` puts all together."""

from typing import Any, Final

Examples = dict[str, Any]

_UID: Final = "kq3x5h2m9w1abc"
_EXECUTION_ID: Final = f"{_UID}.1774744200.1"
_NEW_EXECUTION_ID: Final = f"{_UID}.mz8r2k4h6c1abc.1"
_AT: Final = "2026-03-29T00:30:00Z"
_JOB: Final[Examples] = {"namespace": "default", "job": "backup"}
_ONE: Final[Examples] = {"count": 1, "is_exact": True}

REVERT: Final[Examples] = {"second": {"summary": "To the second version", "value": {"generation": 2}}}
JOB_BATCH: Final[Examples] = {
    "pause": {
        "summary": "Pause two jobs for a time",
        "value": {
            "action": "disable",
            "jobs": [{"namespace": "default", "name": "backup"}, {"namespace": "default", "name": "ping"}],
            "until": "2026-03-30T06:00:00Z",
        },
    },
}
EXECUTION_BATCH: Final[Examples] = {
    "retry": {"summary": "Run again what failed", "value": {"action": "retry", "ids": [_EXECUTION_ID]}},
}
CHECK: Final[Examples] = {
    "wrong": {
        "summary": "A schedule that means nothing",
        "value": {"definition": {"name": "backup", "schedule": "61 * * * *", "command": "true"}},
    },
}
TEST_RUN: Final[Examples] = {
    "hello": {"summary": "A command", "value": {"definition": {"name": "hello", "command": "echo hello"}}},
}
_EVERYTICK_WORKER: Final = "worker -config /etc/everytick/worker.json"

ANSWERS: Final[Examples] = {
    "overview": {
        "attention": [
            {
                "kind": "failed",
                **_JOB,
                "count": 2,
                "at": _AT,
                "execution_id": _EXECUTION_ID,
                "reason": "exit_code",
            }
        ],
        "tiles": {
            "jobs": 3,
            "enabled": 3,
            "paused": 0,
            "quarantined": 0,
            "running": 1,
            "failed_24h": 2,
            "missed_24h": 0,
            "succeeded_24h": 8640,
            "workers_online": 2,
            "workers_draining": 0,
            "workers_offline": 0,
        },
        "running": [
            {"id": _EXECUTION_ID, **_JOB, "worker": "worker-1", "started_at": _AT, "usual_ms": 72306}
        ],
        "next": [{**_JOB, "at": _AT, "count_within_hour": 1, "timezone": "Europe/Berlin"}],
        "success": [{"at": "2026-03-29T00:00:00Z", "counts": {"succeeded": 360, "failed": 1}, "missed": 0}],
        "history_behind": None,
    },
    "timeline": {
        "from": "2026-03-29T00:00:00Z",
        "to": "2026-03-29T02:00:00Z",
        "rows": [
            {
                "key": "default/backup",
                **_JOB,
                "worker": None,
                "past": [
                    {
                        "id": _EXECUTION_ID,
                        **_JOB,
                        "status": "succeeded",
                        "scheduled_at": _AT,
                        "started_at": "2026-03-29T00:30:00.004Z",
                        "finished_at": "2026-03-29T00:31:12.310Z",
                    }
                ],
                "unrun": [
                    {"tick": 1774744200, "at": _AT, "kind": "missed", "reason": "no_worker", "count": 1}
                ],
                "future": ["2026-03-29T01:30:00Z"],
                "truncated": False,
            }
        ],
        "next_page_token": None,
        "total": _ONE,
        "load": [{"at": _AT, "past": 7, "future": 0}],
        "load_is_complete": True,
    },
    "job_versions": {
        "items": [
            {
                "generation": 2,
                "changed_at": "2026-02-02T09:00:00Z",
                "changed_by": "admin",
                "definition": {"name": "backup", "schedule": "30 2 * * *", "command": "true"},
                "changes": [{"pointer": "/schedule", "before": "@daily", "after": "30 2 * * *"}],
                "is_current": True,
            }
        ],
        "next_page_token": None,
        "total": _ONE,
    },
    "job_workers": {
        "items": [
            {"worker": "worker-1", "status": "online", "eligible": True, "rank": 0, "reasons": []},
            {
                "worker": "worker-2",
                "status": "online",
                "eligible": False,
                "rank": None,
                "reasons": ["has no label 'zone'"],
            },
        ]
    },
    "batch_jobs": {
        "items": [
            {
                "namespace": "default",
                "name": "backup",
                "ok": True,
                "code": None,
                "detail": None,
                "execution_id": _NEW_EXECUTION_ID,
            }
        ]
    },
    "batch_executions": {
        "items": [
            {
                "id": _EXECUTION_ID,
                "ok": False,
                "code": "conflict",
                "detail": "the execution has not ended yet",
                "execution_id": None,
            }
        ]
    },
    "check_job": {
        "ok": False,
        "problems": [{"pointer": "/schedule", "detail": "minute: 61 is not within 0-59 in '61 * * * *'"}],
        "eligible_workers": [],
        "live_workers": 2,
        "warnings": [],
    },
    "start_test_run": {
        "execution_id": _NEW_EXECUTION_ID,
        "namespace": "default",
        "name": "hello.test-a1b2c3d4",
    },
    "execution_histogram": {
        "from": "2026-03-29T00:00:00Z",
        "to": "2026-03-29T01:00:00Z",
        "bucket_s": 60,
        "items": [{"at": _AT, "counts": {"succeeded": 6, "failed": 1}}],
        "counted_from": None,
    },
    "worker_metrics": {
        "items": [
            {
                "at": _AT,
                "cpu_percent": 12.5,
                "memory_percent": 40.1,
                "disk_percent": 55.0,
                "load_1m": 0.7,
                "running": 1.2,
            }
        ]
    },
    "worker_jobs": {"only_here": [{"namespace": "default", "name": "backup"}], "pinned": []},
    "worker_log": {
        "items": [{"at": _AT, "event": "online", "detail": "version 0.1.0 on db7"}],
        "next_page_token": None,
        "total": _ONE,
    },
    "setup_worker": {
        "config": {"etcdEndpoints": ["db7:2379"], "mongoUri": "mongodb://db7:27017"},
        "files": [
            {"name": "/etc/everytick/worker.json", "text": '{"etcdEndpoints": ["db7:2379"]}'},
        ],
        "commands": [{"title": "Start it", "text": _EVERYTICK_WORKER}],
        "notes": ["Each worker needs a state directory of its own; its id is kept there."],
    },
    "cluster": {
        "masters": [
            {
                "id": "db7-4700",
                "address": "https://db7:8070",
                "version": "0.1.0",
                "started_at": "2026-03-01T08:00:00Z",
                "self": True,
            }
        ],
        "etcd": {
            "version": "3.5.21",
            "endpoints": ["localhost:2379"],
            "db_size_bytes": 2097152,
            "quota_bytes": 2147483648,
            "revision": 48211,
            "ok": True,
            "detail": None,
        },
        "mongodb": {"version": "6.0.5", "ok": True, "detail": None, "database": "cron"},
        "clock": {"offset_ms": 3},
        "retention": {"history_days": 30, "audit_days": 365},
        "config": [{"key": "historyDays", "value": "30", "origin": "default"}],
    },
}
