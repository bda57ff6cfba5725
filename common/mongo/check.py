"""What `--check=online` looks at in MongoDB, for every program: it answers, and its clock agrees."""

from typing import Final

from pymongo.errors import PyMongoError

from common.config.sections import MongoSection
from common.domain.errors import CronError
from common.mongo.client import connect, unavailable
from common.runtime.clock import Clock

_CLOCK_LIMIT_S: Final = 2.0


class MongoCheck:
    """Reaches MongoDB, reads the database, and compares the clocks."""

    name = "MongoDB"

    def __init__(self, section: MongoSection, clock: Clock) -> None:
        self._section = section
        self._clock = clock

    async def run(self) -> str:
        uri = self._section.mongo_uri.get_secret_value()
        async with connect(uri, connect_timeout_ms=self._section.mongo_connect_timeout_ms) as client:
            try:
                build = await client.admin.command("buildInfo")
                before = self._clock.now()
                hello = await client.admin.command("hello", codec_options=client.codec_options)
                after = self._clock.now()
                await client[self._section.mongo_database].list_collection_names()
            except PyMongoError as error:
                raise unavailable(error) from error
        offset_s = (before + (after - before) / 2 - hello["localTime"]).total_seconds()
        if abs(offset_s) > _CLOCK_LIMIT_S:
            raise CronError(f"its clock and this host's differ by {offset_s:+.1f} s: set both by NTP")
        return f"version {build['version']}, database {self._section.mongo_database}, clock {offset_s:+.3f} s"
