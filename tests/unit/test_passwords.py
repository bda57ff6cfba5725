"""Which passwords are refused, as a table."""

import pytest

from master.domain.passwords import broken_rule, is_common

TOO_COMMON = "password_too_common"


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        pytest.param("plum-ladder-cobalt-9", None, id="unrelated words"),
        pytest.param("vK8#qLw2!nRz", None, id="twelve random characters"),
        pytest.param("Schifffahrtsmuseum am Fjord", None, id="a sentence"),
        pytest.param("gänseblümchenüberall", None, id="letters of other languages"),
        pytest.param("vK8#qLw2!nR", "password_too_short", id="eleven characters"),
        pytest.param("vK8#qLw2!nRz" * 11, "password_too_long", id="too long"),
        pytest.param("password1234", TOO_COMMON, id="the word and a counter"),
        pytest.param("P@ssw0rd2024!", TOO_COMMON, id="letters as digits, year and sign"),
        pytest.param("Summer2024!!!", TOO_COMMON, id="a season and a year"),
        pytest.param("Welcome12345", TOO_COMMON, id="a greeting"),
        pytest.param("adminadmin123", TOO_COMMON, id="a role twice"),
        pytest.param("iloveyou-iloveyou", TOO_COMMON, id="a phrase twice"),
        pytest.param("letmeinplease1", TOO_COMMON, id="two common words"),
        pytest.param("123456789012", TOO_COMMON, id="counting"),
        pytest.param("qwertyuiopasdf", TOO_COMMON, id="a row of keys"),
        pytest.param("1qaz2wsx3edc", TOO_COMMON, id="columns of keys"),
        pytest.param("abcdefghijklmnop", TOO_COMMON, id="the alphabet"),
        pytest.param("aaaaaaaaaaaaaa", TOO_COMMON, id="one character"),
        pytest.param("xk7qxk7qxk7qxk7q", TOO_COMMON, id="four characters again and again"),
        pytest.param("xk7qvxk7qvxk7qv", TOO_COMMON, id="five characters again and again"),
        pytest.param("kim.miller2024", "password_contains_name", id="the user's name and a year"),
        pytest.param("KIM.MILLER!!!!", "password_contains_name", id="in capitals"),
    ],
)
def test_password_rules(password: str, expected: str | None):
    """Rule 3, for the user kim.miller."""
    rule = broken_rule(password, "kim.miller")

    assert expected == (rule.code if rule else None)


def test_a_name_inside_a_long_password_is_no_reason():
    """`ann` is part of many good passwords."""
    assert broken_rule("channel-marble-7-otter", "ann") is None


@pytest.mark.parametrize("password", ["correct horse battery staple", "correcthorsebatterystaple"])
def test_the_famous_example_is_known_to_everybody(password: str):
    """A good idea, and by now the first guess."""
    assert is_common(password)
