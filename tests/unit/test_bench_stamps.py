"""What the benchmarks make of the time stamps that commands write."""

import pytest

from bench.stamps import Punctuality, Stamp, judge, read_stamps


@pytest.mark.parametrize(
    ("line", "due_ns", "lateness_s"),
    [
        pytest.param(
            "job00001.100.1 100250000000", 100_000_000_000, 0.25, id="a tick, a quarter second late"
        ),
        pytest.param("job00001.100.1 99999000000", 100_000_000_000, -0.001, id="a millisecond early"),
        pytest.param(
            "job00001.m7000000000.1 7002000000", 7_000_000_000, 0.002, id="a request's id is its time"
        ),
    ],
)
def test_a_stamp_knows_when_it_was_due(line, due_ns, lateness_s):
    stamp = Stamp.parse(line)

    assert (due_ns, lateness_s) == (stamp.due_ns, stamp.lateness_s)


@pytest.mark.parametrize("line", ["", "job00001.100.1", "job00001.100 5", "- 5"])
def test_what_is_no_stamp_is_refused(line):
    with pytest.raises(ValueError):
        Stamp.parse(line)


def test_a_line_that_is_still_being_written_is_left_out(tmp_path):
    marker = tmp_path / "stamps"
    marker.write_text("a.1.1 1000000000\na.2.1 20000")

    assert [Stamp("a.1.1", 1_000_000_000, 1_000_000_000)] == read_stamps(marker)


def test_no_file_yet_means_no_stamps(tmp_path):
    assert [] == read_stamps(tmp_path / "absent")


def test_judging_finds_what_is_missing_twice_and_early():
    stamps = [Stamp.parse(line) for line in ("a.10.1 10100000000", "a.10.1 10300000000", "b.10.1 9900000000")]

    assert Punctuality(started=3, missed=1, twice=1, early=1, p50_s=0.1, p99_s=0.3, max_s=0.3) == judge(
        stamps, ["a.10.1", "b.10.1", "c.10.1"]
    )
