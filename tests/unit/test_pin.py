"""Packed pins: the present layout, and rows that were written before layouts had a version."""

import pytest

from chalicelib.domain.map.pin import VERSION, Pin, pack, unpack

REPORT = "01J00000000000000000000009"
PIN = Pin(REPORT, "assigned", "pothole", "D1", True, -61754000, 1068272000)


def test_a_pin_comes_back_as_it_was() -> None:
    assert unpack(REPORT, pack(PIN)) == PIN
    assert unpack(REPORT, pack(PIN._replace(late=False))) == PIN._replace(late=False)


@pytest.mark.parametrize("name", Pin._fields)
def test_every_value_of_a_pin_is_stored(name: str) -> None:
    other = {str: "other", bool: not PIN.late, int: 7}[Pin.__annotations__[name]]
    pin = PIN._replace(**{name: other})
    assert unpack(pin.id, pack(pin)) == pin


def test_a_row_without_a_version_is_still_read() -> None:
    assert unpack(REPORT, "assigned|pothole|D1|!|-61754000|1068272000") == PIN


def test_a_row_of_a_later_version_is_an_error() -> None:
    with pytest.raises(ValueError, match="version 9"):
        unpack(REPORT, "9|assigned|pothole|D1|!|-61754000|1068272000|new")


def test_a_change_of_the_layout_is_a_new_version() -> None:
    """Rows of version 1 are stored. If you change this line, raise ``VERSION`` and read the old
    rows in ``_present_layout``."""
    stored = {"1": "1|assigned|pothole|D1|!|-61754000|1068272000"}
    assert pack(PIN) == stored[VERSION]
    assert all(unpack(REPORT, row) == PIN for row in stored.values())
