"""Numbers of clients: plain decimal ones are read, what only Python reads is refused."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.input import numbers


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1.0), ("-6.1754", -6.1754), (" +7.50 ", 7.5), ("1.", 1.0), (".5", 0.5), ("-0", 0.0),
     ("1.0E-4", 0.0001), ("106", 106.0)],
)  # fmt: skip
def test_a_plain_number_is_read(text: str, number: float) -> None:
    assert numbers.read(text) == number
    assert math.copysign(1, numbers.read(text)) == math.copysign(1, number)


@pytest.mark.parametrize(
    "text",
    ["nan", "NaN", "inf", "-Infinity", "1_0", "٤١", "４１", "²", "0x10", "1e999", "", " ", "1,5",
     "--1", "1 0", "1\x00", "9" * 400],
)  # fmt: skip
def test_a_text_that_is_not_a_plain_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        numbers.read(text)


@given(st.floats(-1e15, 1e15))
def test_every_way_of_a_program_to_write_a_number_is_read(number: float) -> None:
    assert numbers.read(f"{number:.9f}") == pytest.approx(number, abs=1e-8)
    assert numbers.read(f"{number:.15e}") == pytest.approx(number, rel=1e-12)
