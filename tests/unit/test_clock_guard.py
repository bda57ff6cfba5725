"""When a host's clock is trusted (situations 13 to 16)."""

import pytest

from worker.domain.clock_guard import ClockState, ClockStep, measure, observe


@pytest.mark.parametrize(
    ("wall_s", "step", "trusted"),
    [
        pytest.param(1001.0, None, True, id="both clocks agree"),
        pytest.param(1001.3, None, True, id="disciplined a little"),
        pytest.param(4601.0, ClockStep(3600.0), True, id="13: one hour ahead"),
        pytest.param(1001.0 + 4 * 3600, ClockStep(4 * 3600.0), False, id="14: four hours ahead"),
        pytest.param(401.0, ClockStep(-600.0), True, id="15: ten minutes back"),
    ],
)
def test_steps_of_the_wall_clock(wall_s, step, trusted):
    """Seen as wall clock against uptime, one second after the last look."""
    before, _ = observe(ClockState(), wall_s=1000.0, uptime_s=50.0)

    state, seen = observe(before, wall_s=wall_s, uptime_s=51.0)

    assert step == seen
    assert trusted == (state.distrust is None)


@pytest.mark.parametrize(
    ("offset_ms", "step_s", "trusted", "confirmed"),
    [
        pytest.param(None, 60.0, True, False, id="never measured: compare first"),
        pytest.param(0, 60.0, False, True, id="was right: is wrong now"),
        pytest.param(-60_000, 60.0, True, False, id="was a minute behind: compare first"),
        pytest.param(0, 1.5, True, False, id="still within bounds: compare first"),
        pytest.param(0, -60.0, True, True, id="back: the cursor protects"),
    ],
)
def test_a_clock_that_is_set_ahead_is_not_believed_at_once(offset_ms, step_s, trusted, confirmed):
    """Ticks of the minutes it skipped would start before their time."""
    before, _ = observe(ClockState(offset_ms=offset_ms), wall_s=1000.0, uptime_s=50.0)

    state, _ = observe(before, wall_s=1001.0 + step_s, uptime_s=51.0)

    assert trusted == (state.distrust is None)
    assert (trusted and confirmed) == (state.why_barred is None)


def test_a_look_in_between_does_not_confirm():
    """Only a measurement does."""
    state, _ = observe(ClockState(), wall_s=1000.0, uptime_s=50.0)
    state, _ = observe(state, wall_s=1061.0, uptime_s=51.0)
    state, _ = observe(state, wall_s=1062.0, uptime_s=52.0)

    assert state.unconfirmed is not None
    assert measure(state, own_offset_ms=0, peer_offsets_ms=[]).why_barred is None


def test_slow_drift_never_adds_up_to_a_step():
    """A tenth of a second per look, for an hour."""
    state, _ = observe(ClockState(), wall_s=1000.0, uptime_s=0.0)
    for second in range(1, 3600):
        state, step = observe(state, wall_s=1000.0 + second * 1.1, uptime_s=float(second))
        assert step is None


@pytest.mark.parametrize(
    ("own", "peers", "trusted"),
    [
        pytest.param(1500, [], True, id="16: within bounds of the reference"),
        pytest.param(2500, [], False, id="off, and nobody to compare with"),
        pytest.param(9000, [9001, 8999, 9100], True, id="the reference is wrong, not the hosts"),
        pytest.param(5000, [0, 10, -20], False, id="off against its peers"),
        pytest.param(-2500, [0, 10, -20], False, id="behind its peers"),
        pytest.param(3_600_000, [3_600_000, 0], False, id="two wrong clocks of three do not win"),
        pytest.param(0, [3_600_000, 3_600_000], False, id="nor does the third: a person has to look"),
        pytest.param(0, [0, 3_600_000], True, id="one wrong clock of three stops itself only"),
    ],
)
def test_offset_against_the_median_of_the_peers(own, peers, trusted):
    """More than two seconds is too much."""
    state = measure(ClockState(), own_offset_ms=own, peer_offsets_ms=peers)

    assert trusted == (state.distrust is None)


def test_trust_returns_after_three_good_samples():
    """One good sample may be luck."""
    state = measure(ClockState(), own_offset_ms=5000, peer_offsets_ms=[])
    trusted = []
    for _ in range(3):
        state = measure(state, own_offset_ms=10, peer_offsets_ms=[])
        trusted.append(state.distrust is None)

    assert [False, False, True] == trusted
