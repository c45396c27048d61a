"""People's text is kept as they wrote it, without invisible and unreadable characters."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.input import text
from chalicelib.errors import Problem

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
RAINBOW = "\U0001f3f3\ufe0f\u200d\U0001f308"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"


def refusal(value: str) -> Problem:
    with pytest.raises(Problem) as caught:
        text.clean(value, "description")
    return caught.value


@pytest.mark.parametrize(
    "value",
    [
        "Jalan berlubang di depan SDN 03.",
        "baris satu\nbaris dua\tkolom",
        "=HYPERLINK(1)",
        "\tmulai dengan tab",
        "<script>alert(1)</script> {{7*7}} javascript:1 ![x](y)",
        FAMILY,
        RAINBOW,
        PERSIAN,
        "क्‍ष",
        "ก็",
        "",
        "   ",
    ],
)
def test_case_18_ordinary_text_stays_as_it_is(value: str) -> None:
    assert text.clean(value) == value


def test_case_16_a_pile_of_combining_marks_is_refused() -> None:
    problem = refusal("Z" + "\u0335" * 1_000)
    assert (problem.slug, problem.field, problem.members) == (
        "invalid_field",
        "description",
        {"rule": "text"},
    )
    assert text.clean("x" + "\u0335" * 4)
    assert refusal("x" + "\u0335" * 5).status == 422


@pytest.mark.parametrize(
    "value", ["a\u202eb\u202c", "a\u2066b\u2069", "a\u200bb", "\ufeffab", "a\u200eb"]
)
def test_case_16_directions_and_zero_widths_are_taken_out_and_told(value: str) -> None:
    assert text.scrub(value) == ("ab", True)


@pytest.mark.parametrize("value", ["a\x00", "\ud800", "x\udfff"])
def test_case_16_nul_and_lone_surrogates_cannot_be_read(value: str) -> None:
    assert refusal(value).slug == "malformed"


@pytest.mark.parametrize("value", ["a\x1b[31m", "\x07", "\x7f", "a\x85", "\x9f", "\ufffe"])
def test_case_21_other_controls_are_refused(value: str) -> None:
    assert refusal(value).slug == "invalid_field"


def test_line_ends_become_newlines() -> None:
    assert text.scrub("a\r\nb\rc\u2028d") == ("a\nb\nc\nd", False)


def test_text_is_composed() -> None:
    assert text.scrub("Cafe\u0301") == ("Caf\u00e9", False)


@pytest.mark.parametrize("value", ["\u200dab", "ab\u200c", "a\u200d b", "a\u200d\u200db"])
def test_joiners_that_join_nothing_are_taken_out(value: str) -> None:
    assert "\u200d" not in text.clean(value)
    assert "\u200c" not in text.clean(value)


def test_case_16_the_size_counts_in_utf_8_too() -> None:
    assert text.clean("\U0001f600" * 2_048)
    assert refusal("\U0001f600" * 2_049).status == 422
    assert refusal("a" * 8_193).status == 422


_HOSTILE = st.text(
    st.sampled_from(
        "aé\u0301\u0335\u200d\u200c\u200b\u202e\r\n\u2028\U0001f468\ufe0f\u0344\u1fefक्ष "
    )
    | st.characters(codec="utf-8"),
    max_size=40,
)


@given(_HOSTILE)
@example("a\u200d\u200b\u200db")
@example("\u0344" * 3)
def test_cleaning_twice_changes_nothing(value: str) -> None:
    refused = 0
    try:
        once = text.clean(value)
    except Problem as problem:
        refused = problem.status
    if refused:
        assert refused in (400, 422)
        return
    assert text.scrub(once) == (once, False)
    assert unicodedata.is_normalized("NFC", once)
    assert len(once.encode()) <= text.MAX_BYTES


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("a\u202eb\x00c\x0bd\uffff\r\ne\ud800", "abcd\ne"),
        ("x" + "\u0335" * 1_000 + "y", "x" + "\u0335" * 4 + "y"),
        (PERSIAN, PERSIAN),
        ("\u0e01" * 4_000, "\u0e01" * 4_000),
        ("\u202e\x00", ""),
    ],
)
def test_a_text_of_another_system_loses_what_would_be_refused(value: str, left: str) -> None:
    assert text.mended(value) == left


@given(st.text(st.characters(), max_size=200))
def test_a_mended_text_is_clean(value: str) -> None:
    mended = text.mended(value)
    assert text.clean(mended) == mended == text.mended(mended)
