"""What a worker notes of its host's clock for the process after it."""

from pathlib import Path

from worker.adapters.clock_mark import FileClockMark


def test_a_note_is_there_for_the_next_process_until_it_is_taken_back(tmp_path: Path):
    place = tmp_path / "clock-mark.txt"
    assert FileClockMark(place).read() is None

    FileClockMark(place).write("the clock is 3600.2 s ahead of its peers")
    assert FileClockMark(place).read() == "the clock is 3600.2 s ahead of its peers"

    FileClockMark(place).write(None)
    FileClockMark(place).write(None)
    assert FileClockMark(place).read() is None


def test_a_note_that_cannot_be_kept_stops_nobody(tmp_path: Path):
    mark = FileClockMark(tmp_path / "missing" / "clock-mark.txt")
    mark.write("the clock was set 3600.0 s ahead")
    assert mark.read() is None
