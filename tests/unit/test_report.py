"""A head: written and read back, folded from its events, and public only where it may be."""

import json
import re
from dataclasses import Field, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import event_parts, hash_chain
from chalicelib.domain.events import By, Contents, EventText, link
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import PRIVATE, Report, anonymous, is_anonymous
from chalicelib.domain.report_facts import changes, facts, fold, public_part
from tests.support.world import JURISDICTION, START, citizen, official
from tests.unit.reports import report

MOMENTS = st.none() | st.integers(0, 10**9).map(
    lambda ms: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(["submitted", "assigned", "closed"]),
        "resolution": st.none() | st.just("verified"),
        "assigned": st.booleans(),
        "holder": st.none() | st.just("s_worker1"),
        "held_by": st.lists(st.sampled_from(["s_a", "s_b"]), unique=True).map(tuple),
        "finished_at": MOMENTS,
        "paused_at": MOMENTS,
        "pauses": st.lists(st.tuples(st.text("0Z"), st.text("0Z")), max_size=2).map(tuple),
        "flow": st.dictionaries(
            st.sampled_from(["finished", "refused"]),
            st.dictionaries(st.just("202611"), st.integers(1, 3), min_size=1),
        ),
        "answers": st.dictionaries(
            st.just("depth"), st.text(max_size=3) | st.lists(st.text(max_size=2))
        ),
        "supports": st.integers(0, 3),
        "rating": st.none() | st.integers(1, 5),
        "outside_m": st.integers(0, 100),
        "accuracy_m": st.none() | st.integers(0, 100),
        "photos": st.lists(st.just("01J00000000000000000000001"), max_size=1).map(tuple),
        "reporter": st.none() | st.just("d_other"),
        "contact": st.none() | st.just("ref"),
        "protected": st.booleans(),
    },
)


def json_round(value: Any) -> Any:
    """The value after a journey as JSON."""
    return json.loads(json.dumps(value))


@given(CHANGES)
def test_a_head_survives_being_written(changed: dict[str, Any]) -> None:
    """``from_doc`` reads what ``to_doc`` wrote, to the millisecond."""
    head = report(**changed)
    assert Report.from_doc(json_round(head.to_doc())) == head


@given(st.lists(CHANGES, min_size=1, max_size=6))
def test_the_fold_of_the_events_is_the_head_without_its_private_fields(
    history: list[dict[str, Any]],
) -> None:
    """After any change, also a change back to the default."""
    before: Report | None = None
    events = []
    for version, changed in enumerate(history, start=1):
        after = report(version=version, **changed)
        events.append(json_round({"set": changes(before, after)}))
        before = after
    assert before is not None
    assert fold(events) == json_round(public_part(before))


def test_a_reader_ignores_fields_that_it_does_not_know() -> None:
    """A later version of the code may have written more fields."""
    assert Report.from_doc({**report().to_doc(), "mood": "good"}) == report()


def test_private_fields_enter_no_event() -> None:
    """Who reported and by which channel, the contact's reference, and the chain's own tail."""
    assert {
        "contact", "contact_since", "decided", "filer", "former", "former_until", "imported",
        "reporter", "tail", "via",
    } <= PRIVATE  # fmt: skip
    before, after = (
        report(),
        report(version=2, reporter="d_x", filer="d_x", via="k_x", contact="ref", tail="f" * 64),
    )
    assert changes(before, after) == {"version": 2}
    assert not PRIVATE & (public_part(after).keys() | facts(after).keys())


def test_facts_hold_no_place_finer_than_a_ward() -> None:
    """What projections count: codes, months and numbers."""
    found = facts(report())
    assert not {"lat7", "long7", "answers", "photos", "code"} & found.keys()
    hash_chain.canonical(found)


def chain(actor: Principal, words: tuple[EventText, ...]) -> dict[str, Any]:
    """The event of filing by ``actor`` with ``words``."""
    by = By(actor, actor.kind, "op", START)
    made = link("file", None, report(), by, Contents(words), b"salt")
    event: dict[str, Any] = json.loads(event_parts.whole(made.entry.text, made.entry.inside))
    assert hash_chain.faults([made.entry]) == []
    return event


def test_a_citizen_appears_in_an_event_without_an_id() -> None:
    """An official appears by a reference that means nothing outside."""
    assert chain(citizen("someone"), ())["actor"] == {
        "kind": "citizen",
        "role": "citizen",
        "uid": None,
        "unit": None,
    }
    assert chain(official("officer1"), ())["actor"]["uid"] == "s_officer1"


def test_a_text_enters_an_event_as_a_salted_commitment() -> None:
    """Somebody who knows the words but not the salt cannot recompute it."""
    words = EventText("description", "public", "canary text", b"0123456789abcdef")
    event = chain(citizen("someone"), (words,))
    assert "canary" not in json.dumps(event)
    assert event["words"] == [
        {
            "field": "description",
            "audience": "public",
            "commitment": hash_chain.commitment("canary text", b"0123456789abcdef"),
        }
    ]
    assert event["jurisdiction"] == JURISDICTION


def test_an_event_with_a_float_cannot_be_made() -> None:
    """Coordinates are integers of 1e-7 degrees."""
    with pytest.raises(TypeError):
        link("file", None, report(answers={"depth": 0.5}), By(citizen("a"), None, "op", START))


SAMPLES = {"datetime": START, "tuple": (("a", 1), ("b", None)), "dict": {"a": {"b": 1}}, "str": "x",
           "int": 3, "bool": True}  # fmt: skip


@pytest.mark.parametrize("spec", fields(Report), ids=lambda spec: spec.name)
def test_a_field_comes_back_from_its_document_as_it_was(spec: Field[Any]) -> None:
    """A moment as a moment, a tuple as a tuple, by the field's type."""
    value: Any = SAMPLES[_kind(spec)]
    made = replace(report(), **{spec.name: value})
    assert getattr(Report.from_doc(json.loads(json.dumps(made.to_doc()))), spec.name) == value


def test_a_field_is_marked_in_one_way_that_is_known() -> None:
    private = {"private": True}
    marks = (
        {},
        private,
        {"note": True},
        {**private, "personal": True},
        {**private, "person": True},
    )
    for spec in fields(Report):
        assert dict(spec.metadata) in marks, spec.name


# Fields that can hold text and are not about a person: codes, states, and what the city decided.
NOT_PERSONAL = frozenset(
    [
        "id",
        "code",
        "jurisdiction",
        "city_version",
        "service",
        "group",
        "ward",
        "district",
        "unit",
        "channel",
        "language",
        "filed_month",
        "filed_day",
        "promise",
        "state",
        "resolution",
        "back_to",
        "holder",
        "offered_to",
        "held_by",
        "worked",
        "holds",
        "marks",
        "past_rounds",
        "audit",
        "missed_service",
        "finished_by",
        "agency",
        "outside",
        "breached",
        "pauses",
        "closed_month",
        "refused_month",
        "merged_into",
        "succeeded_by",
        "support_month",
        "rating_month",
        "flow",
        "photos",
        "after_photos",
        "pictures",
        "flags",
        "hidden_texts",
        "protection",
        "counted",
        "via",
        "tail",
    ]
)
# What a reporter says about the problem: it is in events, and kept as the city's history.
HISTORY = frozenset({"client_time", "answers"})


def test_a_field_that_can_hold_text_says_whether_it_is_personal() -> None:
    """Mark a new one as ``_PERSONAL``, or add it to the list above: events are never erased."""
    texts = {spec.name for spec in fields(Report) if re.search("str|Any|Period", str(spec.type))}
    marked = {spec.name for spec in fields(Report) if {"personal", "person"} & {*spec.metadata}}
    assert texts - marked == NOT_PERSONAL | HISTORY


def test_an_erased_report_has_no_personal_field_left() -> None:
    """Each personal field is also on the privacy page, by its name."""
    page = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text()
    personal = {spec.name for spec in fields(Report) if "personal" in spec.metadata}
    assert [name for name in personal if f"`{name}`" not in page] == []
    marked = [spec for spec in fields(Report) if {"personal", "person"} & {*spec.metadata}]
    head = replace(report(), **{spec.name: SAMPLES[_kind(spec)] for spec in marked})
    assert not is_anonymous(head)
    assert is_anonymous(anonymous(head))
    assert anonymous(head) == anonymous(report())


def _kind(spec: Field[Any]) -> str:
    return next(kind for kind in SAMPLES if kind in str(spec.type))
