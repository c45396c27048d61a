"""Signed tokens hold for one purpose, until they end, as long as their key is held."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import Problem
from chalicelib.services.platform import signing
from chalicelib.storage import signing_keys

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HELD: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    HELD.clear()
    HELD.update(current="k1", keys={"k1": base64.b64encode(b"1" * 32).decode()})
    monkeypatch.setattr(signing_keys, "keys", lambda: HELD)
    return HELD


def add_key(name: str) -> None:
    HELD["keys"][name] = base64.b64encode(name.encode() * 16).decode()
    HELD["current"] = name


def refused(purpose: str, token: str, now: datetime = NOW) -> bool:
    try:
        signing.unsign(purpose, token, now)
    except Problem as problem:
        return problem.slug == "invalid_token"
    return False


def test_a_token_gives_its_payload_back_until_it_ends() -> None:
    token = signing.sign("cursor", {"k": ["a", 1]}, NOW + HOUR)
    assert signing.unsign("cursor", token, NOW) == {"k": ["a", 1]}
    assert signing.unsign("cursor", token, NOW + HOUR - timedelta(milliseconds=1))
    assert refused("cursor", token, NOW + HOUR)


def test_a_token_without_end_lasts() -> None:
    token = signing.sign("device", {"d": "0" * 16}, None)
    assert signing.unsign("device", token, NOW + timedelta(days=9_999)) == {"d": "0" * 16}


def test_case_40_a_token_of_another_purpose_is_refused() -> None:
    assert refused("device", signing.sign("cursor", {"d": "0" * 16}, None))


def test_case_40_every_edited_or_cut_token_is_refused() -> None:
    token = signing.sign("cursor", {"k": "abc"}, NOW + HOUR)
    for i, letter in enumerate(token):
        other = "A" if letter != "A" else "B"
        # The last letter of a signature holds two unused bits; the text is compared, not the bits.
        assert refused("cursor", token[:i] + other + token[i + 1 :]), i
        assert refused("cursor", token[:i])
    assert refused("cursor", token + "A")
    assert refused("cursor", token + "=")


@given(st.text(max_size=60))
def test_any_other_text_is_refused(token: str) -> None:
    assert refused("cursor", token)


def test_a_new_key_signs_while_the_old_one_still_verifies() -> None:
    old = signing.sign("device", {"d": "1"}, None)
    add_key("k2")
    new = signing.sign("device", {"d": "1"}, None)
    assert new.startswith("k2.")
    assert signing.unsign("device", old, NOW) == signing.unsign("device", new, NOW)
    del HELD["keys"]["k1"]
    assert refused("device", old)
    assert not refused("device", new)


def test_a_token_cannot_be_moved_to_another_key() -> None:
    old = signing.sign("device", {"d": "1"}, None)
    add_key("k2")
    assert refused("device", "k2" + old[2:])


def test_pseudonyms_and_claim_secrets_outlive_a_change_of_keys() -> None:
    person, claim = signing.mac("person", "x", signing.pseudonym_key()), signing.mac("claim", "id")
    secret = signing.claim_secret("id")
    add_key("k2")
    assert signing.mac("person", "x", signing.pseudonym_key()) == person
    assert signing.mac("claim", "id") != claim
    assert signing.claim_secret("id") == secret
    HELD["pseudonyms"] = "k2"
    assert signing.pseudonym_key() == "k2"


def test_derived_texts_differ_by_purpose_and_are_hex() -> None:
    assert signing.mac("a", "x") != signing.mac("b", "x")
    assert len(bytes.fromhex(signing.mac("a", "x"))) == 32


def test_a_payload_that_is_not_json_is_a_fault_of_the_program() -> None:
    with pytest.raises(ValueError, match="JSON"):
        signing.sign("a", {"x": float("nan")}, None)
    assert json.dumps(signing.sign("a", {}, None)).isascii()
