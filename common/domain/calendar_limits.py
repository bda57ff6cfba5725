"""Points in time as a request or a job may name them.

Pure. A calendar ends: a day before its first instant, or its last one in another zone, is an error of
arithmetic somewhere inside. So an instant from outside leaves room on both sides.
"""

from datetime import UTC, datetime
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, AwareDatetime, Field

from common.domain.ids import epoch_s

_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9998, 1, 1, tzinfo=UTC)


def _within(instant: datetime) -> datetime:
    if not _FIRST <= instant <= _LAST:
        raise ValueError(f"must lie between the years {_FIRST.year} and {_LAST.year}")
    return instant


Instant: TypeAlias = Annotated[AwareDatetime, AfterValidator(_within)]
EpochSeconds: TypeAlias = Annotated[int, Field(ge=0, le=epoch_s(_LAST))]
