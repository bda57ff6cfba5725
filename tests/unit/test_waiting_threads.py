"""Threads that wait for the kernel in the place of the event loop."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from worker.adapters.posix_spawn import PosixSpawn
from worker.adapters.waiting_threads import WaitingThreads


@pytest.fixture
def threads() -> Iterator[WaitingThreads]:
    threads = WaitingThreads("test", 1)
    yield threads
    threads.close()


async def test_orders_are_begun_in_their_sequence(threads: WaitingThreads):
    begun: list[int] = []

    async def order(number: int) -> tuple[int, bool]:
        return await threads.carry_out(lambda: begun.append(number) or number)

    results = await asyncio.gather(*(order(number) for number in range(50)))

    assert list(range(50)) == begun
    assert [(number, False) for number in range(50)] == results


async def test_an_error_is_that_of_its_caller_alone(threads: WaitingThreads):
    with pytest.raises(ZeroDivisionError):
        await threads.carry_out(lambda: 1 // 0)

    assert (7, False) == await threads.carry_out(lambda: 7)


async def test_cancelled_caller_learns_what_came_of_its_order(threads: WaitingThreads):
    """A process that was being started must not be forgotten: two cancellations do not change that."""
    may_end = threading.Event()
    task = asyncio.ensure_future(threads.carry_out(lambda: may_end.wait(10) and 42))
    await asyncio.sleep(0.01)

    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0.01)
    is_waiting = not task.done()
    may_end.set()

    assert is_waiting
    assert (42, True) == await task


async def test_the_loop_goes_on_meanwhile(threads: WaitingThreads):
    may_end = threading.Event()
    asyncio.get_running_loop().call_later(0.02, may_end.set)

    result = await threads.carry_out(lambda: may_end.wait(10) and 1)

    assert (1, False) == result


@pytest.mark.parametrize(
    ("program", "argv", "env"),
    [
        pytest.param("/bin/tr\0ue", ["x"], {}, id="NUL in the program"),
        pytest.param("/bin/true", ["x", "a\0b"], {}, id="NUL in an argument"),
        pytest.param("/bin/true", ["x"], {"A": "a\0b"}, id="NUL in a value"),
        pytest.param("/bin/true", ["x"], {"A=B": "c"}, id="equals sign in a name"),
    ],
)
def test_what_c_would_cut_or_mix_up_is_refused(program, argv, env):
    """C strings end at a NUL: the command would be another one, without a word."""
    with pytest.raises(ValueError, match=r"null byte|equals sign"):
        PosixSpawn().prepare(program, argv, env)


def test_what_the_system_refuses_is_an_oserror():
    with pytest.raises(FileNotFoundError):
        PosixSpawn().prepare("/nonexistent/program", ["x"], {})(0, 1, 2)
