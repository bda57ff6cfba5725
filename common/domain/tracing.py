"""W3C trace context of an execution: derived, so that whoever knows the execution knows its trace.

Pure. An execution that somebody asked for within a trace continues that one; every other begins its
own, whose id follows from its tick: all attempts of a tick are one trace. Nothing is
sent anywhere: the command may use it, or not.
"""

import hashlib
import re
from typing import Final

_TRACE_PARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def accepted_trace_parent(header: str | None) -> str | None:
    """*header* if it is a trace context of the version we know; anything else is as if none was sent."""
    text = (header or "").strip()
    return text if _TRACE_PARENT.fullmatch(text) else None


def trace_parent(execution_id: str, requested: str | None = None) -> str:
    """
    `00-<trace id>-<span id>-<flags>` for the command of an execution.

    Args:
        requested: The context of the request that asked for it; its trace id and flags are kept.
    """
    tick = execution_id.rpartition(".")[0]
    trace_id, flags = hashlib.sha256(tick.encode()).hexdigest()[:32], "01"
    span_id = hashlib.sha256(execution_id.encode()).hexdigest()[:16]
    if requested and (known := accepted_trace_parent(requested)) is not None:
        _, trace_id, _, flags = known.split("-")
    return f"00-{trace_id}-{span_id}-{flags}"
