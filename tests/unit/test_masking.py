"""Masking of secrets in a text that arrives in pieces."""

import pytest

from worker.domain.masking import Masker


@pytest.mark.parametrize(
    ("secrets", "pieces", "expected"),
    [
        pytest.param(["hunter2"], ["pw=hunter2\n"], "pw=***\n", id="in one piece"),
        pytest.param(["hunter2"], ["pw=hun", "ter2\n"], "pw=***\n", id="split in two"),
        pytest.param(["hunter2"], list("pw=hunter2\n"), "pw=***\n", id="one character at a time"),
        pytest.param(["hunter2"], ["hunt", "ing\n"], "hunting\n", id="only its beginning"),
        pytest.param(["abc", "abcdef"], ["xabc", "defx"], "x***x", id="one is the beginning of another"),
        pytest.param(["aXb", "bYc"], ["aX", "bY", "c"], "***", id="overlapping"),
        pytest.param(["aa"], ["a" * 9], "***", id="overlapping itself"),
        pytest.param(
            ["line one\nline two"], ["> line one", "\n> line two"], "> ***\n> ***", id="line by line"
        ),
        pytest.param([], ["plain"], "plain", id="no secret"),
        pytest.param(["a.c"], ["abc a.c"], "abc ***", id="not a pattern"),
    ],
)
def test_masks_however_the_text_is_cut(secrets, pieces, expected):
    """No character of a secret gets out, and nothing else is lost."""
    masker = Masker(secrets)

    masked = "".join(masker.feed(piece) for piece in pieces) + masker.finish()

    assert expected == masked


def test_holds_back_only_what_may_become_a_secret():
    """Somebody may be following: text that is certainly harmless comes at once."""
    masker = Masker(["hunter2"])

    shown = masker.feed("progress 50 % h")

    assert "progress 50 % " == shown
