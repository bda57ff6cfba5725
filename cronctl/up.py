"""`cronctl up`: a whole everytick on this machine, until Ctrl-C.

Embedded etcd and MongoDB, a master and some workers in one data directory, which the next start finds again.
This file is the command and the order of its life; the other `up_*.py` files hold one idea each.
"""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from cronctl.up_child import PortLost, watch_children_without_threads
from cronctl.up_layout import DataDir, default_data_dir
from cronctl.up_process_record import ProcessRecord, stop_leftovers
from cronctl.up_start import Running, Start, UpOptions
from cronctl.up_stop import Stopped, StopRequest
from cronctl.up_supervision import Supervisor

_TRIES: Final = 3


def up(
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Where everything is kept; ~/.local/share/everytick by default (XDG_DATA_HOME is honoured).",
            envvar="EVERYTICK_DATA_DIR",
            file_okay=False,
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=0, max=64, help="How many workers to start.")] = 2,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            envvar="MASTER_API_PORT",
            help="Port of dashboard and API; without it 8070, or a free one if that is taken.",
        ),
    ] = None,
    sample: Annotated[bool, typer.Option("--sample/--no-sample", help="Create the sample job.")] = True,
) -> None:
    """Start etcd, MongoDB, a master and workers on this machine; Ctrl-C stops them in order."""
    directory = DataDir((data_dir or default_data_dir(os.environ)).expanduser().absolute())
    options = UpOptions(data_dir=directory, workers=workers, port=port, with_sample=sample)
    directory.prepare()
    with directory.held():
        record = ProcessRecord(directory.processes)
        say(f"starting everytick in {directory.path}")
        _clear_leftovers(record)
        asyncio.run(_live(options, record))


async def _live(options: UpOptions, record: ProcessRecord) -> None:
    """Start, keep running until asked to stop, stop; an error on the way also stops everything."""
    stop = StopRequest(say)
    stop.listen()
    watch_children_without_threads()
    supervisor = Supervisor(record, stop, say)
    started_s = time.monotonic()
    try:
        running = await stop.unless_requested(_start(options, supervisor))
        _announce(options, running, time.monotonic() - started_s)
        await stop.unless_requested(supervisor.keep_running())
    except Stopped:
        pass
    finally:
        await supervisor.stop_all()
        say(f"stopped; the data stays in {options.data_dir.path}")


async def _start(options: UpOptions, supervisor: Supervisor) -> Running:
    """Start everything; on other ports when one was taken between the choice and its use."""
    usual_ports = True
    for _ in range(_TRIES - 1):
        try:
            return await Start(options, supervisor, say, os.environ, usual_ports=usual_ports).run()
        except PortLost:
            say("  a port was taken by somebody else meanwhile: starting again on others")
            await supervisor.stop_all()
            usual_ports = False
    return await Start(options, supervisor, say, os.environ, usual_ports=usual_ports).run()


def _clear_leftovers(record: ProcessRecord) -> None:
    leftovers = record.leftovers()
    if leftovers:
        told = ", ".join(f"{found.name} (pid {found.pid})" for found in leftovers)
        say(f"  stopping what an earlier start left behind: {told}")
        stop_leftovers(leftovers)


def _announce(options: UpOptions, running: Running, took_s: float) -> None:
    directory = options.data_dir
    dashboard = f"{running.api}/"
    if running.welcome is not None:
        dashboard = f"{running.api}{running.welcome}\n              (makes the first account, within 15 min)"
    say(
        f"""
everytick is ready after {took_s:.1f} s

  dashboard   {dashboard}
  API         {running.api}/api/v1   (token: {directory.admin_token})
  data, logs  {directory.path}
  next        cronctl job list
  stop        Ctrl-C
"""
    )


def say(text: str) -> None:
    """One or more lines to the user, at once: progress is worth nothing when it is late."""
    print(text, flush=True, file=sys.stdout)
