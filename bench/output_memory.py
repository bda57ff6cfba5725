"""How much memory does a worker need when 200 commands print 100 MB each at the same time?

Every byte must be read, or the commands would stand still; most of it is counted and dropped, as the job's
`max_output_bytes` says.
"""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bench.figures import Figure, Goal
from bench.jobs import make_jobs, save_jobs
from bench.program import Form, run
from bench.rig import Rig, installation
from bench.usage import Cpu, DirectoryPeak, peak_rss_bytes, rss_bytes
from tests import servers

_COMMANDS = 200
_LIMIT_S = 1800.0
_MB = 1024 * 1024


def measure(form: Form) -> Sequence[Figure]:
    printed = form.pick(full=100, short=10) * 1_000_000
    with installation() as rig:
        worker = rig.start_worker(slots=_COMMANDS)
        rig.wait_planned(0)
        rss_before = rss_bytes(worker.pid)
        due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
        save_jobs(
            rig.etcd.endpoint,
            make_jobs(
                _COMMANDS,
                schedule=f"{due.second} {due.minute} {due.hour} {due.day} {due.month} *",
                command=f"yes 'a line of output that is neither long nor short' | head -c {printed}",
            ),
        )
        with DirectoryPeak(str(worker.directory / "state" / "spool")) as spool:
            # Until the commands have ended; their records may still be on their way.
            servers.wait_until(lambda: rig.finished() >= _COMMANDS, "the end of all commands", _LIMIT_S)
            took_s = time.time() - due.timestamp()
        wrong, kept, outcomes = _check(rig, printed)
        peak, used = peak_rss_bytes(worker.pid), Cpu.of(worker.pid)
    return [
        Figure("peak_mb", "memory of the worker at most", peak / _MB, "MB", Goal("at most", 300)),
        Figure("idle_mb", "before", rss_before / _MB, "MB"),
        Figure("took_s", "until all records were stored", took_s, "s"),
        Figure("read_mb_per_s", "read", _COMMANDS * printed / 1e6 / took_s, "MB/s"),
        Figure("cpu_s", "CPU of the worker", used.own_s, "s"),
        Figure("spool_peak_mb", "spool at most", spool.bytes / _MB, "MB"),
        Figure("kept_mb", "kept by the records' own count", kept / 1e6, "MB"),
        Figure("outcomes", "recorded", ", ".join(f"{n} {words}" for words, n in outcomes.most_common())),
        Figure("stopped", "ended early", _COMMANDS - outcomes["succeeded"], "", Goal("at most", 0)),
        Figure("wrong", "succeeded with another byte count", wrong, "", Goal("at most", 0)),
        Figure("commands", "commands at once", _COMMANDS),
        Figure("printed_mb", "each printed", printed / 1e6, "MB"),
    ]


def _check(rig: Rig, printed: int) -> tuple[int, int, Counter[str]]:
    """
    How many succeeded with a record that does not count every byte; the bytes kept in all; how they ended.

    One that was stopped (the worker could not renew its lease) rightly counts fewer bytes: that is another
    failure than a wrong count, and is shown as such.
    """
    documents = list(rig.database["executions"].find({}, {"out": 1, "status": 1, "reason": 1}))
    outs = [document.get("out") or {"bytes": 0, "dropped": 0} for document in documents]
    outcomes = Counter(" ".join(filter(None, (d["status"], d.get("reason")))) for d in documents)
    wrong = sum(
        document["status"] == "succeeded" and out["bytes"] != printed
        for document, out in zip(documents, outs, strict=True)
    )
    return wrong, sum(out["bytes"] - out["dropped"] for out in outs), outcomes


if __name__ == "__main__":
    run("output_memory", "How much memory do 200 commands need that print a lot?", measure)
