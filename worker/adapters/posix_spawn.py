"""`posix_spawn` of the C library, without holding Python's lock.

`os.posix_spawn` keeps the lock until the child has executed its program. On a busy machine the child waits
for a processor first, and the whole worker stood still for a third of its time. Called through ctypes the
other threads go on. Attributes are prepared once. Linux only; glibc and musl use the same values.
"""

import ctypes
import os
import signal
from array import array
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

_SETSIGDEF: Final = 0x04
_SETSIGMASK: Final = 0x08
_SETSID: Final = 0x80
#: Larger than `posix_spawnattr_t`, `posix_spawn_file_actions_t` and `sigset_t` of any C library.
_Opaque: Final = ctypes.c_uint64 * 128

_libc: Final = ctypes.CDLL(None)
#: For calls that take less than a microsecond: handing the lock over takes longer.
_quick: Final = ctypes.PyDLL(None)


class PosixSpawn:
    """Starts programs in a session of their own, with every signal unblocked and set to its default."""

    def __init__(self) -> None:
        self._attributes = _Opaque()
        none, all_signals = _Opaque(), _Opaque()
        _quick.sigemptyset(none)
        _quick.sigfillset(all_signals)
        for unchangeable in (signal.SIGKILL, signal.SIGSTOP):
            _quick.sigdelset(all_signals, unchangeable)
        _checked(_quick.posix_spawnattr_init(self._attributes))
        _checked(_quick.posix_spawnattr_setsigmask(self._attributes, none))
        # Python ignores SIGPIPE, and whoever started the worker may have ignored others (nohup).
        _checked(_quick.posix_spawnattr_setsigdefault(self._attributes, all_signals))
        flags = ctypes.c_short(_SETSID | _SETSIGDEF | _SETSIGMASK)
        _checked(_quick.posix_spawnattr_setflags(self._attributes, flags))

    def prepare(self, program: str, argv: Sequence[str], env: Mapping[str, str]) -> "PreparedSpawn":
        """
        A start of *program*.

        Raises:
            ValueError: A text holds a NUL, or the name of a variable an equals sign.
        """
        if "=" in "".join(env):
            raise ValueError("the name of an environment variable holds an equals sign")
        path = os.fsencode(program)
        if b"\0" in path:
            raise ValueError("embedded null byte")
        return PreparedSpawn(self._attributes, path, _Texts(argv), _Texts(list(map("=".join, env.items()))))


class PreparedSpawn:
    """
    Call it with the descriptors that are to be 0, 1 and 2: it starts the program and returns its pid, or
    raises OSError.
    """

    __slots__ = ("_arguments", "_attributes", "_program", "_variables")

    def __init__(self, attributes: Any, program: bytes, arguments: "_Texts", variables: "_Texts") -> None:
        self._attributes = attributes
        self._program = program
        self._arguments = arguments
        self._variables = variables

    def __call__(self, stdin: int, stdout: int, stderr: int) -> int:
        pid = ctypes.c_int()
        actions = _actions(stdin, stdout, stderr)
        error = _libc.posix_spawn(
            ctypes.byref(pid),
            self._program,
            actions.pointer,
            self._attributes,
            self._arguments.pointers,
            self._variables.pointers,
        )
        _checked(error)
        return pid.value


class _Actions:
    """What the child does with its descriptors."""

    __slots__ = ("pointer",)

    def __init__(self, stdin: int, stdout: int, stderr: int) -> None:
        self.pointer = _Opaque()
        _checked(_quick.posix_spawn_file_actions_init(self.pointer))
        for target, fd in enumerate((stdin, stdout, stderr)):
            _checked(_quick.posix_spawn_file_actions_adddup2(self.pointer, fd, target))

    def __del__(self) -> None:
        _quick.posix_spawn_file_actions_destroy(self.pointer)


#: The same few numbers come again and again; making them asks the kernel six times for a limit.
_actions: Final = lru_cache(maxsize=256)(_Actions)


class _Texts:
    """
    A NULL-terminated array of C strings, for as long as it lives.

    They lie one behind the other in one piece of memory: an object for each takes four times as long.
    """

    __slots__ = ("_addresses", "_memory", "pointers")

    def __init__(self, texts: Sequence[str]) -> None:
        joined = "\0".join(texts)
        encoded = os.fsencode(joined)
        if encoded.count(b"\0") != max(0, len(texts) - 1):
            # The system would cut the text there without a word.
            raise ValueError("embedded null byte")
        sizes = map(len, texts if joined.isascii() else encoded.split(b"\0"))
        # With the NUL of the last one: an array does not end in one by itself, as bytes do.
        self._memory = array("B", encoded + b"\0")
        start, _ = self._memory.buffer_info()
        self._addresses = array("Q")
        for size in sizes:
            self._addresses.append(start)
            start += size + 1
        self._addresses.append(0)
        self.pointers = ctypes.c_void_p(self._addresses.buffer_info()[0])


def _checked(error: int) -> None:
    if error:
        raise OSError(error, os.strerror(error))
