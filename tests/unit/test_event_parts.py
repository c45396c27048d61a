"""Which part of an event is public, and that its two parts are the whole event."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import event_parts

OFFICIAL = sorted(event_parts.officials_only())
FACTS = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["submitted", "closed"]),
        "service": st.just("pothole"),
        "ward": st.just("D1-W1"),
        "place": st.just([-61940000, 1068060000]),
        "holder": st.just("s_officer1"),
        "protected": st.booleans(),
    },
    optional={"private": st.just(True), "secret": st.just(True)},
)
WORDS = st.lists(
    st.fixed_dictionaries(
        {
            "field": st.sampled_from(["note", "description"]),
            "audience": st.sampled_from(["public", "inside"]),
            "commitment": st.sampled_from(["a", "b", "c"]),
        }
    ),
    max_size=3,
    unique_by=lambda word: (word["field"], word["audience"]),
)
EVENTS = st.fixed_dictionaries(
    {
        "schema": st.just(2),
        "jurisdiction": st.just("testville"),
        "report": st.just("01"),
        "version": st.integers(1, 9),
        "action": st.sampled_from(["file", "finish", *OFFICIAL]),
        "op": st.just("key"),
        "at": st.just("2026-11-24T02:44:35.330Z"),
        "rules": st.just("aaaa"),
        "actor": st.just({"kind": "staff", "role": "officer", "uid": "s_officer1", "unit": "u"}),
        "before": st.none() | FACTS,
        "after": FACTS,
        "set": st.just({"lat7": 61940001, "accuracy_m": 3, "answers": {"depth": "knee"}}),
        "score": st.none() | st.just({"lat7": 61940001}),
        "data": st.fixed_dictionaries(
            {},
            optional={
                "reason_code": st.just("spam"),
                "into": st.just("02"),
                "person": st.just("s_worker1"),
                "of": st.just({"report": "03"}),
            },
        ),
        "words": WORDS,
    }
)
NEVER = ("s_officer1", "s_worker1", "61940", "accuracy", "knee", '"02"', '"03"', "key", "place")


def ordered(event: dict[str, Any]) -> dict[str, Any]:
    """The event with its texts in a fixed order."""
    words = sorted(event["words"], key=lambda word: (word["field"], word["audience"]))
    return {**event, "words": words}


@given(EVENTS)
def test_the_two_parts_are_the_whole_event(event: dict[str, Any]) -> None:
    public, inside = event_parts.split(event)
    assert ordered(event_parts.merged(public, inside)) == ordered(event)
    text, rest = json.dumps(public), json.dumps(inside)
    assert ordered(json.loads(event_parts.whole(text, rest))) == ordered(event)


@given(EVENTS)
def test_no_place_reference_answer_or_other_report_is_in_the_public_part(
    event: dict[str, Any],
) -> None:
    public, _ = event_parts.split(event)
    text = json.dumps(public)
    assert [one for one in NEVER if one in text] == []
    assert all(word["audience"] == "public" for word in public.get("words", ()))


@given(EVENTS)
def test_what_is_public_follows_what_the_report_is(event: dict[str, Any]) -> None:
    public, _ = event_parts.split(event)
    states = [one for one in (event["before"], event["after"]) if one]
    chain_only = {"schema", "jurisdiction", "report", "version", "at"}
    if event["action"] in OFFICIAL or any(state["protected"] for state in states):
        assert public.keys() == chain_only
    elif any(state.get("private") for state in states):
        assert public.keys() == {*chain_only, "action", "rules", "actor", "after"}
        assert not event_parts.shows_contents(public)
    else:
        assert public.keys() == {
            *chain_only, "action", "rules", "actor", "after", "data", "words",
        }  # fmt: skip
        assert event_parts.shows_contents(public)


def test_an_event_of_schema_1_is_read_as_it_is() -> None:
    assert event_parts.whole('{"schema":1}', None) == '{"schema":1}'
