"""Masking in pieces against masking of the whole text."""

from hypothesis import given
from hypothesis import strategies as st

from worker.domain.masking import Masker

_LETTERS = "ab\n"


@given(
    st.lists(st.text(_LETTERS, min_size=1, max_size=4), max_size=3),
    st.lists(st.text(_LETTERS, max_size=6), max_size=12),
)
def test_pieces_and_whole_are_masked_alike(secrets, pieces):
    """Where the text was cut makes no difference."""
    masker = Masker(secrets)

    in_pieces = "".join(masker.feed(piece) for piece in pieces) + masker.finish()

    assert Masker(secrets).masked("".join(pieces)) == in_pieces


@given(
    st.lists(st.text("xyz", min_size=2, max_size=5), min_size=1, max_size=3),
    st.lists(st.text("xyz ", max_size=6), max_size=12),
)
def test_no_secret_is_left(secrets, pieces):
    """What comes out holds none of them."""
    masker = Masker(secrets)

    masked = "".join(masker.feed(piece) for piece in pieces) + masker.finish()

    assert not any(secret in masked for secret in secrets)
