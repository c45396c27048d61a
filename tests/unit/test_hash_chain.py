"""The chain is valid as written, and every change breaks it."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import hash_chain
from chalicelib.domain.hash_chain import Entry

TEXTS = st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def chained(payloads: list[dict[str, Any]]) -> list[Entry]:
    """The links of these events."""
    links: list[Entry] = []
    for number, payload in enumerate(payloads, start=1):
        previous = links[-1].hash if links else hash_chain.GENESIS
        links.append(Entry(*hash_chain.chain({**payload, "version": number}, previous)))
    return links


@given(st.lists(st.fixed_dictionaries({"data": VALUES}), min_size=1, max_size=5))
def test_a_chain_as_written_has_no_faults(payloads: list[dict[str, Any]]) -> None:
    """Whatever the events hold, their chain verifies and parses back to them."""
    links = chained(payloads)
    assert hash_chain.faults(links) == []
    assert [json.loads(entry.text)["data"] for entry in links] == [
        payload["data"] for payload in payloads
    ]


@given(st.integers(0, 3), st.sampled_from(["edit", "drop", "swap", "reseal"]))
def test_any_tampering_is_found(place: int, how: str) -> None:
    """An edited, dropped, swapped or re-hashed event is found."""
    links = chained([{"data": number} for number in range(5)])
    text, stamp = links[place][:2]
    forged = text.replace(f'"data":{place}', '"data":99')
    if how == "edit":
        links[place] = Entry(forged, stamp)
    elif how == "drop":
        del links[place]
    elif how == "swap":
        links[place], links[place + 1] = links[place + 1], links[place]
    else:
        links[place] = Entry(forged, hash_chain.digest(forged.encode()))
    assert hash_chain.faults(links)


def sealed(number: int, previous: str) -> Entry:
    """An event of schema 2."""
    public = {"schema": 2, "version": number, "data": number}
    return hash_chain.seal(public, {"set": {"lat7": 61940000 + number}}, bytes([number]), previous)


def mixed() -> list[Entry]:
    """Two events of schema 1, then three of schema 2."""
    entries = chained([{"schema": 1, "data": number} for number in range(2)])
    for number in range(3, 6):
        entries.append(sealed(number, entries[-1].hash))
    return entries


def test_a_chain_of_both_schemas_has_no_faults() -> None:
    assert hash_chain.faults(mixed()) == []


def test_everybody_can_recompute_the_hash_from_the_public_part_alone() -> None:
    entry = sealed(1, hash_chain.GENESIS)
    public = json.loads(entry.text)
    text = json.dumps(public, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == entry.hash
    assert "61940001" not in entry.text


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"inside": '{"set":{"lat7":1}}'}, "another inside part"),
        ({"salt": "00"}, "another inside part"),
        ({"salt": "no hex"}, "another inside part"),
        ({"inside": None}, "lost its inside part"),
        ({"text": "[]"}, "cannot be read"),
        ({"text": "{"}, "cannot be read"),
        ({"text": "1.5"}, "cannot be read"),
    ],
)
def test_a_changed_part_of_an_event_is_found(change: dict[str, Any], fault: str) -> None:
    entries = mixed()
    entries[3] = entries[3]._replace(**change)
    assert any(fault in one for one in hash_chain.faults(entries))


def test_an_inside_part_beside_an_event_that_has_none_is_found() -> None:
    entries = mixed()
    entries[0] = entries[0]._replace(inside="{}", salt="00")
    assert "does not commit to" in hash_chain.faults(entries)[0]


def test_canonical_bytes_are_those_of_rfc_8785() -> None:
    """Keys in UTF-16 order, no space, no escape that is not needed (RFC 8785, 3.2.3)."""
    event = {"\u20ac": 1, "\r": 2, "1": 3, "\U0001f600": 4, "\u0080": 5, "\ufb33": 6}
    expected = '{"\\r":2,"1":3,"\u0080":5,"\u20ac":1,"\U0001f600":4,"\ufb33":6}'
    assert hash_chain.canonical(event).decode() == expected


def test_a_float_cannot_enter_an_event() -> None:
    """Floats are serialised differently by different languages, so there are none."""
    with pytest.raises(TypeError):
        hash_chain.canonical({"a": [{"b": 1.5}]})


def test_a_commitment_hides_the_text_and_binds_it() -> None:
    """Another text or another salt gives another commitment."""
    one = hash_chain.commitment("banjir", b"s" * 16)
    assert one != hash_chain.commitment("banjir", b"t" * 16)
    assert one != hash_chain.commitment("Banjir", b"s" * 16)
    assert "banjir" not in one


def told(action: str, version: int, *fields: str, role: str = "reporter", **data: Any) -> Any:
    """An event with only its texts."""
    return {
        "action": action, "version": version, "data": data,
        "actor": {"kind": "citizen" if role == "reporter" else "staff", "role": role},
        "words": [
            {"field": field, "audience": "public",
             "commitment": hash_chain.commitment(f"{field} {version}", b"s")}
            for field in fields
        ],
    }  # fmt: skip


def kept(*names: str) -> dict[str, tuple[str, bytes]]:
    """Texts as they are kept."""
    return {name: (f"{name.split('#')[1]} {int(name.split('#')[0])}", b"s") for name in names}


HOLE, NOTE = "00000001#description", "00000002#note"
FILED, NOTED = told("file", 1, "description"), told("start", 2, "note", role="field_worker")


def test_a_missing_text_differs_from_an_erased_one() -> None:
    """An erasure that names it explains it; otherwise it was lost."""
    assert hash_chain.text_faults([FILED, NOTED], kept(HOLE, NOTE)) == []
    assert "missing" in hash_chain.text_faults([FILED, NOTED], kept(NOTE))[0]
    gone = told("erased", 3, texts=[[1, "description"]])
    assert hash_chain.text_faults([FILED, NOTED, gone], kept(NOTE)) == []
    (fault,) = hash_chain.text_faults([FILED, NOTED, gone], {})
    assert NOTE in fault
    assert "erased" in hash_chain.text_faults([FILED, NOTED, gone], kept(HOLE, NOTE))[0]


def test_a_text_that_was_exchanged_or_added_is_found() -> None:
    """A stored text must match the commitment of its event."""
    other = {**kept(NOTE), HOLE: ("Nothing to see", b"s")}
    assert "commits" in hash_chain.text_faults([FILED, NOTED], other)[0]
    more = kept(HOLE, NOTE, "00000002#comment")
    assert "no event" in hash_chain.text_faults([FILED, NOTED], more)[0]


def test_an_older_erasure_names_what_its_reporter_wrote() -> None:
    """It had no list of texts; officials' texts are not covered by it."""
    before = told("erased", 3)
    assert hash_chain.text_faults([FILED, NOTED, before], kept(NOTE)) == []
    assert NOTE in hash_chain.text_faults([FILED, NOTED, before], {})[0]
    later = told("comment", 4, "comment")
    assert hash_chain.text_faults([FILED, NOTED, before, later], kept(NOTE))
