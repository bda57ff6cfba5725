"""Bodies as they stand in the OpenAPI document and in `docs/http-api.md`."""

from typing import Any, Final

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
