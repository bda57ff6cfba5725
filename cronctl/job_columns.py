"""What people are shown of a job, in a list and by itself."""

from typing import Final

from cronctl.output import Column, Row, cell_text, duration_text


def _state_of(job: Row) -> str:
    state = job.get("state") or {}
    if state.get("quarantined"):
        return "unreadable"
    if state.get("paused"):
        return "disabled" if not job.get("enabled", True) else "paused"
    running = state.get("running") or []
    return f"running ({len(running)})" if running else "scheduled" if job.get("schedule") else "on request"


def _last_of(job: Row) -> str:
    last = (job.get("state") or {}).get("last")
    if not last:
        return ""
    return " ".join(part for part in (last["status"], duration_text(last.get("duration_ms"))) if part)


def _what(job: Row) -> str:
    for field in ("command", "argv", "script"):
        if job.get(field):
            return cell_text(job[field])
    request = job.get("request")
    return f"{request.get('method', 'GET')} {request.get('url')}" if request else ""


LIST_COLUMNS: Final = (
    Column("NAMESPACE", lambda job: job.get("namespace")),
    Column("NAME", lambda job: job.get("name")),
    Column("SCHEDULE", lambda job: job.get("schedule")),
    Column("ZONE", lambda job: job.get("timezone")),
    Column("STATE", _state_of),
    Column("NEXT", lambda job: (job.get("state") or {}).get("next_tick")),
    Column("LAST", _last_of),
)
DETAIL_COLUMNS: Final = (
    Column("name", lambda job: f"{job.get('namespace')}/{job.get('name')}"),
    Column("description", lambda job: job.get("description")),
    Column("schedule", lambda job: job.get("schedule")),
    Column("in words", lambda job: job.get("description_in_words")),
    Column("timezone", lambda job: job.get("timezone")),
    Column("state", _state_of),
    Column("next ticks", lambda job: "\n".join(tick["local"] for tick in job.get("next_ticks") or [])),
    Column("last", _last_of),
    Column("executor", lambda job: job.get("executor")),
    Column("runs", _what),
    Column("overlap", lambda job: job.get("overlap")),
    Column("catch-up", lambda job: job.get("catch_up")),
    Column("labels", lambda job: job.get("labels")),
    Column("workers", lambda job: (job.get("state") or {}).get("eligible_workers")),
    Column("unreadable", lambda job: (job.get("state") or {}).get("quarantined")),
    Column("changed", lambda job: f"{job.get('changed_at')} by {job.get('changed_by') or 'unknown'}"),
    Column("generation", lambda job: job.get("generation")),
)
