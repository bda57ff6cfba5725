"""Finding executors by name: the built-in ones, and plug-ins of installed packages.

A plug-in that cannot be loaded is logged and left out: it must not keep the worker from running everything
else.
"""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import structlog

from common.domain.errors import ConfigError
from worker.executors.exec import ExecExecutor
from worker.executors.http import HttpExecutor
from worker.executors.interface import Executor
from worker.executors.python import PythonExecutor
from worker.executors.shell import ShellExecutor

log = structlog.get_logger()

ENTRY_POINT_GROUP: Final = "everytick.executors"


def find_executors(
    offered: Iterable[str] = (),
    *,
    http_networks: Iterable[str] = (),
    plug_ins: Iterable[EntryPoint] | None = None,
) -> dict[str, Executor]:
    """
    The executors a worker offers, by name.

    Args:
        offered: Names from the configuration; empty means all there are.
        http_networks: Networks `http` jobs may reach although they are not public.
        plug_ins: Where to look for plug-ins; None means the installed packages.

    Raises:
        ConfigError: A name is offered that no executor has.
    """
    built_in: list[Executor] = [
        ShellExecutor(),
        ExecExecutor(),
        PythonExecutor(),
        HttpExecutor(allowed_networks=http_networks),
    ]
    found = {executor.name: executor for executor in built_in}
    for entry_point in entry_points(group=ENTRY_POINT_GROUP) if plug_ins is None else plug_ins:
        if entry_point.name in found:
            log.error("executor.rejected", name=entry_point.name, reason="the name is taken")
            continue
        executor = _loaded(entry_point)
        if executor is not None:
            found[entry_point.name] = executor
    names = tuple(offered)
    for name in names:
        if name not in found:
            known = ", ".join(sorted(found))
            raise ConfigError(f"executors: there is no executor {name!r}; this worker knows {known}")
    return {name: found[name] for name in names} if names else found


def _loaded(entry_point: EntryPoint) -> Executor | None:
    try:
        executor: Executor = entry_point.load()()
    except Exception as error:
        # Somebody else's code: whatever it raises, the worker's other executors must stay available.
        log.error("executor.rejected", name=entry_point.name, reason=f"{type(error).__name__}: {error}")
        return None
    if executor.name != entry_point.name:
        log.error("executor.rejected", name=entry_point.name, reason=f"it calls itself {executor.name!r}")
        return None
    return executor
