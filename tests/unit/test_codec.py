"""What is written into etcd, to the byte: other releases read it."""

from common.domain.codec import RunRecord, cursor_at, decode_cursor, encode_cursor
from common.domain.execution import Cause
from tests.builders import at

RECORD = RunRecord(
    worker="w1",
    session="1f",
    nonce="n",
    namespace="default",
    name="näme",
    generation=1,
    cause=Cause.SCHEDULE,
    scheduled_at=at("10:00:00"),
    claimed_at=at("09:59:59"),
)


def test_a_value_is_stored_as_the_model_writes_itself():
    """Whichever way the bytes are made."""
    assert RECORD.model_dump_json(exclude_none=True).encode() == RECORD.encode()
    assert RECORD == RunRecord.decode("/cron/runs/a/1.1", RECORD.encode())


def test_a_cursor_is_twelve_digits_of_its_seconds():
    """Byte order is time order, and an instant and its seconds are written alike."""
    cursor = cursor_at(1_772_445_600)

    assert b"001772445600" == cursor == encode_cursor(decode_cursor("/cron/cursors/a", cursor))
    assert cursor_at(999_999_999) < cursor
