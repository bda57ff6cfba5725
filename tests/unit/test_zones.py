import pytest

from common.domain.errors import UnknownTimezone
from common.domain.zones import load_zone, zone_names


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("Europe/Berln", "did you mean Europe/Berlin?", id="misspelt"),
        pytest.param("europe/berlin", "did you mean Europe/Berlin?", id="lower case"),
        pytest.param("Berlin", "did you mean Europe/Berlin?", id="city alone"),
        pytest.param("America/Berlin", "did you mean Europe/Berlin?", id="wrong continent"),
        pytest.param("America/New York", "did you mean America/New_York?", id="with a space"),
        pytest.param("UTC ", "did you mean UTC?", id="trailing space"),
        pytest.param("Nowhere/Xyzzy", "give an IANA name such as Europe/Berlin", id="nothing like it"),
        pytest.param("", "timezone is empty", id="empty"),
        pytest.param("America", "is not a time zone", id="a folder of the database"),
        pytest.param("../../etc/passwd", "is not a time zone", id="out of the database"),
        pytest.param("/etc/localtime", "is not a time zone", id="absolute path"),
        pytest.param("Europe/../UTC", "is not a time zone", id="dots within"),
        pytest.param("localtime", "is not a time zone", id="another one on each host"),
        pytest.param("posix/Europe/Berlin", "is not a time zone", id="folder of some hosts only"),
        pytest.param("zone.tab", "is not a time zone", id="a file that is no zone"),
        pytest.param("tzdata", "is not a time zone", id="another file"),
        pytest.param("UTC\x00", "is not a time zone", id="NUL"),
        pytest.param("Europe/Berlin\n", "did you mean Europe/Berlin?", id="line feed"),
        pytest.param("A" * 5_000, "is not a time zone", id="very long"),
        pytest.param("+05:30", "is not a time zone", id="an offset"),
    ],
)
def test_refused(name, hint):
    """A name that is no zone is refused, with a similar one if there is one."""
    with pytest.raises(UnknownTimezone) as refusal:
        load_zone(name)

    assert hint in str(refusal.value)
    assert "timezone" == refusal.value.field
    assert len(str(refusal.value)) < 250


def test_every_zone_of_the_database_is_accepted():
    """What is offered for completion can be used."""
    names = zone_names()

    assert len(names) > 400
    assert {"UTC", "Etc/GMT+12", "America/Argentina/Buenos_Aires", "EST5EDT"} <= set(names)
    assert all(load_zone(name) for name in names)
