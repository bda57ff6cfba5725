"""Writes docs/configuration.md from the configuration models: `python docs/generate_configuration.py`."""

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_ROOT))

from common.config.reference import reference  # noqa: E402  (the path above comes first)
from master.config import PROGRAM as MASTER  # noqa: E402
from worker.config import PROGRAM as WORKER  # noqa: E402

if __name__ == "__main__":
    page = _ROOT / "docs" / "configuration.md"
    page.write_text(reference([MASTER, WORKER]), encoding="utf-8")
