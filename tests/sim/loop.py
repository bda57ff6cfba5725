"""An event loop on which time jumps: when every task waits, the clock goes to the next timer at once.

A day of schedule takes as long as its callbacks take. The loop also knows *hosts*: a task started by
`host.start()` belongs to that host, and so does every task and timer it starts. A frozen host runs nothing
until it is thawed (SIGSTOP, a suspended machine); a dead one never runs anything again, not even a `finally`
(kill -9). There are no threads, no sockets and no processes here: what needs them is refused in words.
"""

import asyncio
import contextvars
import heapq
import threading
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final, NoReturn, TypeVar

T = TypeVar("T")

#: Turns of the loop without time going on before it is called a livelock. The start of a worker with 10,000
#: jobs takes some hundreds.
MAX_TURNS: Final = 50_000

#: Cancelled timers that are not worth looking for.
_MANY: Final = 50

_host: contextvars.ContextVar["Host | None"] = contextvars.ContextVar("simulated_host", default=None)


class Deadlock(Exception):
    """All tasks are blocked and no timer is pending."""


class Livelock(Exception):
    """Tasks keep each other busy and time does not go on."""


class NotSimulated(Exception):
    """Virtual time knows no threads, sockets or processes."""


class Host:
    """
    Something that can be frozen or killed as a whole: one process of the simulated cluster.

    Tasks belong to the host in whose context they were started.
    """

    def __init__(self, loop: "JumpingLoop", name: str) -> None:
        self.name = name
        self.is_frozen = False
        self.is_dead = False
        self._loop = loop
        self._held: list[asyncio.Handle] = []
        self._tasks: list[asyncio.Task[Any]] = []
        self._forget_ended_at = 100

    def start(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Run *work* as a task of this host."""
        context = contextvars.Context()
        context.run(_host.set, self)
        return self._loop.create_task(work, name=f"{self.name}/{name}", context=context)

    def freeze(self) -> None:
        """Run nothing of this host until `thaw`; timers that come due meanwhile wait as well."""
        self.is_frozen = True
        self._loop.hold_ready(self)

    def thaw(self) -> None:
        """Go on where it stood; everything that came due meanwhile is ready at once."""
        self.is_frozen = False
        held, self._held = self._held, []
        self._loop.release(held)

    def kill(self) -> None:
        """End it now: no task of it runs again, nothing is cleaned up."""
        self.is_dead = True
        self._loop.hold_ready(self)

    def hold(self, handle: asyncio.Handle) -> None:
        # Those of a dead host are kept too: dropping the last reference to a coroutine would run its
        # `finally` blocks, and kill -9 runs none.
        self._held.append(handle)

    @property
    def is_stopped(self) -> bool:
        return self.is_frozen or self.is_dead

    @property
    def tasks(self) -> list[asyncio.Task[Any]]:
        """Its tasks that have not ended, in the order in which they were started."""
        return [task for task in self._tasks if not task.done()]

    def own(self, task: "SimTask[Any]") -> None:
        self._tasks.append(task)
        if len(self._tasks) > self._forget_ended_at:
            self._tasks = self.tasks
            self._forget_ended_at = 2 * len(self._tasks) + 100

    def dispose(self) -> None:
        """After the simulation: cancel its tasks, even if it is dead, so that nothing is left over."""
        self.is_dead = self.is_frozen = False
        self.thaw()
        for task in self.tasks:
            task.cancel()


class SimTask(asyncio.Task[T]):
    """A task with a hash of its own: sets of tasks (TaskGroup) keep their order from run to run."""

    def __init__(self, coro: Any, *, number: int, **options: Any) -> None:
        self.number = number
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class _When(float):
    """The instant of a timer, as the heap compares it: C compares floats, and timers only Python."""

    __slots__ = ("handle",)
    handle: asyncio.TimerHandle


class _Handle(asyncio.Handle):
    """A handle that asks nobody whether it is being debugged."""

    __slots__ = ()

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: "JumpingLoop",
        context: contextvars.Context,
    ) -> None:
        self._context = context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None


class _Timer(asyncio.TimerHandle):
    """The same for timers."""

    __slots__ = ()
    _loop: "JumpingLoop"

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: "JumpingLoop",
        context: contextvars.Context,
    ) -> None:
        self._context = context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None
        self._when = when
        self._scheduled = True

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._callback = self._args = None
            if self._scheduled:
                self._loop.cancelled_timers += 1


class _HostTimer(_Timer):
    """A timer that waits for the thaw when it comes due while its host stands still."""

    __slots__ = ("host",)
    host: Host

    def _run(self) -> None:
        if self.host.is_stopped:
            self.host.hold(self)
        else:
            super()._run()


class JumpingLoop(asyncio.SelectorEventLoop):
    """The event loop of a simulation; `time()` starts at 0 and goes on by jumps only."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._task_count = 0
        self._turns = 0
        self._thread_id_at_start = threading.get_ident()
        super().__init__()
        self._timers: list[_When] = []
        self.cancelled_timers = 0
        self.set_task_factory(_make_task)  # type: ignore[arg-type]

    def time(self) -> float:
        return self._now_s

    def _run_once(self) -> None:
        """
        One turn: time jumps if nothing is ready, timers that are due follow, everything that is ready runs.

        Takes the place of asyncio's own turn, which asks the operating system for events every time and
        compares timers in Python: half of the time of a simulation. The order of callbacks is the same.
        """
        timers, ready = self._timers, self._ready  # type: ignore[attr-defined]
        if timers and (timers[0].handle._cancelled or self.cancelled_timers > _MANY):
            self._drop_cancelled()
        if ready or self._stopping:  # type: ignore[attr-defined]
            self._turns += 1
            if self._turns > MAX_TURNS:
                self._turns = 0
                raise Livelock(f"{MAX_TURNS} turns at {self.time():.6f} s; busy: {self.busy()}")
        elif timers:
            self._turns = 0
            self._now_s += max(0.0, timers[0] - self._now_s)
        else:
            raise Deadlock(f"all tasks are blocked and no timer is pending; waiting: {self.waiting()}")
        due_before_s = self._now_s + self._clock_resolution  # type: ignore[attr-defined]
        while timers and timers[0] < due_before_s:
            timer = heapq.heappop(timers).handle
            timer._scheduled = False
            ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _drop_cancelled(self) -> None:
        """As asyncio does it: from the top of the heap one by one, and all at once when they are too many."""
        timers = self._timers
        if len(timers) > 2 * _MANY and self.cancelled_timers > len(timers) / 2:
            kept = []
            for when in timers:
                if when.handle._cancelled:
                    when.handle._scheduled = False
                else:
                    kept.append(when)
            heapq.heapify(kept)
            timers[:] = kept
            self.cancelled_timers = 0
            return
        while timers and timers[0].handle._cancelled:
            self.cancelled_timers -= 1
            heapq.heappop(timers).handle._scheduled = False

    # hosts

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        context = contextvars.copy_context() if context is None else context  # an empty one is false
        handle = _Handle(callback, args, self, context)
        host = context.get(_host)
        if host is not None and host.is_stopped:
            host.hold(handle)
        else:
            self._ready.append(handle)  # type: ignore[attr-defined]
        return handle

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        context = contextvars.copy_context() if context is None else context  # an empty one is false
        host = context.get(_host)
        if host is None:
            timer = _Timer(when, callback, args, self, context)
        else:
            timer = _HostTimer(when, callback, args, self, context)
            timer.host = host
        instant = _When(when)
        instant.handle = timer
        heapq.heappush(self._timers, instant)
        return timer

    def hold_ready(self, host: Host) -> None:
        """Take back what is about to run for *host*."""
        ready = self._ready  # type: ignore[attr-defined]
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._context.get(_host) is host:
                host.hold(handle)
                # The loop has counted how many it will take in this turn.
                nothing = asyncio.Handle(_who, (None,), self)
                nothing.cancel()
                ready.append(nothing)
            else:
                ready.append(handle)

    def release(self, handles: list[asyncio.Handle]) -> None:
        self._ready.extend(handle for handle in handles if not handle.cancelled())  # type: ignore[attr-defined]

    def next_task_number(self) -> int:
        self._task_count += 1
        return self._task_count

    def busy(self) -> str:
        """Names of the tasks that are about to run, for error messages."""
        callbacks = [handle._callback for handle in list(self._ready)[:5]]  # type: ignore[attr-defined]
        return "; ".join(_who(callback) for callback in callbacks) or "nothing"

    def waiting(self) -> str:
        names = sorted(task.get_name() for task in asyncio.all_tasks(self))
        return ", ".join(names) or "no task at all"

    def close(self) -> None:
        self._timers.clear()
        super().close()

    # what virtual time does not know

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        if threading.get_ident() != self._thread_id_at_start:
            raise NotSimulated("a thread called back; in a simulation everything runs on one loop")
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":  # type: ignore[override]
        """Run *func* at once, in this thread: a simulated disk takes no time of its own."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # the caller gets whatever its function raised, as from a real executor
            future.set_exception(error)
        return future

    async def getaddrinfo(self, *args: Any, **options: Any) -> NoReturn:
        raise _not_simulated("getaddrinfo")

    async def create_connection(self, *args: Any, **options: Any) -> NoReturn:
        raise _not_simulated("create_connection")

    async def create_server(self, *args: Any, **options: Any) -> NoReturn:
        raise _not_simulated("create_server")

    async def subprocess_exec(self, *args: Any, **options: Any) -> NoReturn:
        raise _not_simulated("subprocess_exec")

    async def subprocess_shell(self, *args: Any, **options: Any) -> NoReturn:
        raise _not_simulated("subprocess_shell")

    def add_reader(self, *args: Any) -> NoReturn:
        raise _not_simulated("add_reader")

    def add_writer(self, *args: Any) -> NoReturn:
        raise _not_simulated("add_writer")

    def add_signal_handler(self, *args: Any) -> NoReturn:
        raise _not_simulated("add_signal_handler")


def current_host() -> Host | None:
    """The host whose code runs at this moment."""
    return _host.get()


def outside(function: Callable[..., T], *args: Any) -> T:
    """Call *function* as the simulation itself: what it starts belongs to no host and outlives them all."""
    return contextvars.Context().run(function, *args)


def _make_task(
    loop: JumpingLoop,
    coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
    *,
    context: contextvars.Context | None = None,
) -> SimTask[T]:
    host = (contextvars.copy_context() if context is None else context).get(_host)
    task: SimTask[T] = SimTask(coro, number=loop.next_task_number(), loop=loop, context=context)
    if host is not None:
        host.own(task)
    return task


def _who(callback: Any) -> str:
    owner = getattr(callback, "__self__", callback)
    return f"{owner.get_name()}: {owner.get_coro()}" if isinstance(owner, asyncio.Task) else repr(callback)


def _not_simulated(what: str) -> NotSimulated:
    return NotSimulated(f"{what} needs the real world; a simulation is given a fake instead")
