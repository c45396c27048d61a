"""A text message fits in two segments of GSM-7, links included, in every language that we have."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.city.city import City
from chalicelib.domain.notifications import citizen_news
from chalicelib.errors import Problem
from chalicelib.services.notifications import citizen_messages
from chalicelib.services.people import contact_codes
from chalicelib.services.platform import signing
from chalicelib.services.platform.catalogue import message_text
from chalicelib.services.reports import one_tap_tokens
from chalicelib.settings import settings
from chalicelib.storage import topics
from tests.support.world import BUNDLE, JURISDICTION, World, citizen

DUTCH = Path(__file__).parents[2] / "infra/cities/duinhaven/messages/nl.json"
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€")
URL = "https://lapor.jakarta.go.id"


def segments(text: str) -> int:
    """How many short messages a text takes."""
    assert set(text) <= BASIC | EXTENDED, set(text) - BASIC - EXTENDED
    length = len(text) + sum(one in EXTENDED for one in text)
    return 1 if length <= 160 else -(-length // 153)


def speaking(language: str) -> City:
    if language != "nl":
        return City.from_json({**BUNDLE, "languages": [language]})
    words = json.loads(DUTCH.read_bytes())
    return City.from_json({**BUNDLE, "languages": ["nl"], "messages": {"nl": words}})


@pytest.fixture
def sms(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    found: list[str] = []
    monkeypatch.setattr(topics, "send_sms", lambda to, text: found.append(text))
    monkeypatch.setenv("TANGGAP_PUBLIC_URL", URL)
    monkeypatch.setenv("TANGGAP_JURISDICTION", JURISDICTION)
    settings.cache_clear()
    yield found
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.parametrize("language", ["en", "id", "nl"])
def test_every_text_message_fits_in_two_segments(
    world: World, sms: list[str], language: str
) -> None:
    """Of each kind, to a reporter and to the reporter of a merged report."""
    city, now = speaking(language), world.now
    report = world.head(world.file(citizen("a"))["id"])
    other = world.file(citizen("b"))["id"]
    doc: dict[str, Any] = {"language": language, "at": "2026-11-02T01:00:00.000Z", "own": other}
    kinds = sorted(citizen_news.kinds())
    for kind in kinds:
        words = citizen_messages._compose(report, {**doc, "kind": kind}, city)
        citizen_messages._deliver("phone", {"phone": "+62811000222"}, words, language, city, kind)
    hushed = citizen_messages._compose(report, {**doc, "kind": "comment", "protected": True}, city)
    citizen_messages._deliver("phone", {"phone": "+62811000222"}, hushed, language, city)
    minutes = int(contact_codes.LIFE.total_seconds() // 60)
    sms.append(message_text("code.text", language, city, code="123456", minutes=minutes))
    sms.append(message_text("digest_news.subject", language, city, n=40))
    assert all(URL in text for text in sms[: len(kinds) + 1])
    long = {text: segments(text) for text in sms if segments(text) > 2}
    assert long == {}
    assert now == world.now


def test_a_short_link_says_what_a_long_one_did(world: World) -> None:
    """City, report, finish and owner; forged, changed and expired links are refused."""
    first, other = world.file()["id"], world.file(citizen("b"))["id"]
    alone = one_tap_tokens.make(JURISDICTION, first, world.now)
    theirs = one_tap_tokens.make(JURISDICTION, first, world.now, other)
    known = {"j": JURISDICTION, "r": first, "f": world.now.isoformat()}
    assert one_tap_tokens.read(alone, world.now) == known
    assert one_tap_tokens.read(theirs, world.now) == {**known, "d": other}
    assert one_tap_tokens.make(JURISDICTION, first, world.now, first) == alone
    lapsed = world.now + timedelta(days=one_tap_tokens.ANSWER_DAYS)
    kid, body, seal = alone.split(".")
    changed = theirs.split(".")[1]
    other_kind = signing.sign_text("answer", "bytes", "abc")
    forged = [f"{kid}.{body[:-1]}A.{seal}", f"{kid}.{changed}.{seal}", f"k9.{body}.{seal}"]
    forged += [f"{kid}.{body}", other_kind]
    for token, now in [*((one, world.now) for one in forged), (alone, lapsed)]:
        with pytest.raises(Problem, match="invalid_token"):
            one_tap_tokens.read(token, now)


def test_an_older_link_still_answers(world: World) -> None:
    """Links in messages that were sent earlier still work."""
    report = world.file()["id"]
    payload = {"j": JURISDICTION, "r": report, "f": world.now.isoformat()}
    token = signing.sign("answer", payload, world.now + timedelta(days=14))
    assert one_tap_tokens.read(token, world.now) == payload


def test_a_link_about_a_closed_original_names_the_duplicate_of_its_recipient(world: World) -> None:
    original, other = world.file()["id"], world.file(citizen("b"))["id"]
    token = one_tap_tokens.make_for_closed(JURISDICTION, original, world.now, other)
    known = {"j": JURISDICTION, "r": original, "a": world.now.isoformat()}
    assert one_tap_tokens.read(token, world.now) == {**known, "d": other}
    alone = one_tap_tokens.make_for_closed(JURISDICTION, original, world.now)
    assert one_tap_tokens.read(alone, world.now) == known
    assert one_tap_tokens.make_for_closed(JURISDICTION, original, world.now, original) == alone
