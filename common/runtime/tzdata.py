"""Which time zone database this host computes with (situation 12): two hosts may disagree about next year."""

import zoneinfo
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def tzdata_version() -> str:
    """The version of the database `zoneinfo` uses: the system's if there is one, else the package's."""
    for folder in zoneinfo.TZPATH:
        path = Path(folder)
        for name in ("tzdata.zi", "+VERSION"):
            try:
                first = (path / name).open(encoding="utf-8").readline()
            except OSError:
                continue
            return first.removeprefix("# version").strip() or "unknown"
        if path.is_dir():
            return "system"
    try:
        return version("tzdata")
    except PackageNotFoundError:
        return "none"
