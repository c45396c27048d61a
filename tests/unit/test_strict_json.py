"""The reader of JSON takes one small plain object and refuses everything else with a problem."""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.input import strict_json
from chalicelib.errors import Problem


def refusal(raw: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        strict_json.parse(raw)
    return caught.value


@pytest.mark.parametrize("raw", [b"{", b"", b"[]", b"null", b'"x"', b"1", b"true", b"{} {}", b" "])
def test_case_01_what_is_not_one_object_is_malformed(raw: bytes) -> None:
    assert refusal(raw).slug == "malformed"


def test_case_03_one_byte_over_the_limit_is_too_large_even_if_unreadable() -> None:
    fits = b'{"a":"' + b"x" * (strict_json.MAX_BYTES - 8) + b'"}'
    assert len(fits) == strict_json.MAX_BYTES
    assert strict_json.parse(fits)["a"]
    assert refusal(b"[" * (strict_json.MAX_BYTES + 1)).slug == "too_large"


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 60_000,
        b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
        b'{"a":' * 17 + b"1" + b"}" * 17,
        b'{"a":' + b"[" * 16 + b"]" * 16 + b"}",
    ],
)
def test_case_04_deep_nesting_is_malformed(raw: bytes) -> None:
    problem = refusal(raw)
    assert (problem.slug, problem.members["rule"]) == ("malformed", "depth")


def test_sixteen_levels_are_read_and_brackets_in_strings_are_no_levels() -> None:
    assert strict_json.parse(b'{"a":' * 16 + b"1" + b"}" * 16)
    assert strict_json.parse(b'{"a":"\\"' + b"[{" * 100 + b'"}')


@pytest.mark.parametrize("raw", [b'{"a":"' + b'\\"' * 30_000, b'"' * 60_000, b"\\" * 60_000])
def test_unclosed_strings_are_scanned_once(raw: bytes) -> None:
    assert refusal(raw).slug == "malformed"


def test_case_05_duplicate_keys_are_malformed_at_any_depth() -> None:
    for raw in (b'{"lat":1,"lat":2}', b'{"a":[{"b":1,"b":1}]}', b'{"a":1,"\\u0061":2}'):
        assert refusal(raw).members["rule"] == "duplicate_key"


@pytest.mark.parametrize(
    "number",
    ["NaN", "-Infinity", "Infinity", "1e999", "-1e999", "1e-400", "9" * 5_000, "0." + "1" * 19],
)
def test_case_06_numbers_that_cannot_be_held_are_malformed(number: str) -> None:
    assert refusal(f'{{"a":{number}}}'.encode()).members["rule"] == "number"


def test_case_06_minus_zero_is_zero() -> None:
    value = strict_json.parse(b'{"a":-0.0,"b":-0,"c":0e5}')
    assert [math.copysign(1, each) for each in value.values()] == [1, 1, 1]


@pytest.mark.parametrize("number", ["41.2_9", "+1", "01", ".5", "0x1", "٤١"])
def test_case_07_numbers_in_other_spellings_are_malformed(number: str) -> None:
    assert refusal(f'{{"a":{number}}}'.encode()).members["rule"] == "syntax"


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-le"),
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b"\x1f\x8b\x08",
    ],
)
def test_only_utf_8_without_a_mark_is_read(raw: bytes) -> None:
    assert refusal(raw).slug == "malformed"


@pytest.mark.parametrize("raw", [b'{"a":"\\u0000"}', b'{"a":["\\ud800"]}', b'{"\\udc00":1}'])
def test_case_16_nul_and_lone_surrogates_are_malformed(raw: bytes) -> None:
    assert refusal(raw).members["rule"] == "text"


def test_a_pair_of_surrogate_escapes_is_one_character() -> None:
    assert strict_json.parse(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_keys_and_list_entries_are_counted_over_the_whole_document() -> None:
    assert strict_json.parse(json.dumps({f"k{i}": 1 for i in range(200)}).encode())
    assert refusal(json.dumps({f"k{i}": 1 for i in range(201)}).encode()).members["rule"] == "keys"
    half = {f"k{i}": 1 for i in range(100)}
    assert refusal(json.dumps({"a": half, "b": half}).encode()).members["rule"] == "keys"
    assert strict_json.parse(json.dumps({"a": [1] * 100}).encode())
    assert refusal(json.dumps({"a": [1] * 101}).encode()).members["rule"] == "items"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


@given(st.binary(max_size=200) | _JSON.map(lambda value: json.dumps(value).encode()))
@example(b'{"a":1e400}')
def test_the_answer_is_a_dict_of_finite_values_or_a_problem(raw: bytes) -> None:
    refused = 0
    try:
        value = strict_json.parse(raw)
    except Problem as problem:
        refused = problem.status
    if refused:
        assert refused in (400, 413)
        return
    assert isinstance(value, dict)
    json.dumps(value, allow_nan=False).encode()


@given(st.dictionaries(st.from_regex("[a-z]{1,8}", fullmatch=True), st.integers(-(10**9), 10**9)))
def test_plain_objects_are_read_as_they_are(value: dict[str, Any]) -> None:
    assert strict_json.parse(json.dumps(value).encode()) == value
