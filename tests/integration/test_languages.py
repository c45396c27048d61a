"""A city writes in its own languages only."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from chalicelib.domain.city.city import City
from chalicelib.domain.input import languages
from chalicelib.errors import Problem
from chalicelib.http.problems import reader_language
from chalicelib.services.city import cities
from chalicelib.services.notifications import daily_digest, outbox
from chalicelib.services.open311 import requests, service_list
from chalicelib.services.platform.catalogue import (
    city_texts,
    message_text,
    official_text,
    optional_texts,
    translations,
)
from chalicelib.services.scorecards import card_queries
from infra.city.findings import CityErrors
from infra.city.folder import prepare
from tests.integration.test_outbox import sent
from tests.support.city_folder import files, write
from tests.support.world import BUNDLE, JURISDICTION, STAFF, World, blob, citizen, city, official

DUTCH = json.loads(
    (Path(__file__).parents[2] / "infra/cities/duinhaven/messages/nl.json").read_bytes()
)


def bundle(*spoken: str, **more: Any) -> dict[str, Any]:
    """The test city in other languages; its names still have Indonesian, marked "(id)"."""
    return {**copy.deepcopy(BUNDLE), "version": "bbbbbbbbbbbb", "languages": list(spoken), **more}


def settled(world: World, *spoken: str, **more: Any) -> City:
    """The world's city from now on."""
    made = bundle(*spoken, **more)
    cities.publish(made, blob(), list(STAFF), world.now)
    return City.from_json(made)


@pytest.mark.parametrize(
    ("header", "language"),
    [("in-ID", "id"), ("jv-ID", "id"), ("su", "id"), ("ms", "id"), ("*", "id"), ("", "id"),
     (None, "id"), ("en-GB", "en"), ("jv, en;q=0.5", "en"), ("nl", "id")],
)  # fmt: skip
def test_a_reader_gets_their_language_or_the_citys_first(
    world: World, header: str | None, language: str
) -> None:
    assert city().choose_language(*languages.requested(header)) == language
    assert reader_language(header, JURISDICTION, Problem("not_found")) == language


@pytest.mark.parametrize(("given", "kept"), [("in", "id"), ("jv", "id"), ("en-US", "en")])
def test_a_report_keeps_a_language_that_its_city_has(world: World, given: str, kept: str) -> None:
    report = world.file(citizen("a"), language=given)["id"]
    assert world.head(report).language == kept


def test_a_city_that_is_not_indonesian_says_nothing_in_indonesian(world: World) -> None:
    """Alerts, the morning's notice, Open311 and its requests, with names that have Indonesian."""
    town = settled(world, "en")
    report = world.file(citizen("a"), service="litter", language="id")["id"]
    for one in range(8):
        world.file(citizen(f"c{one}"))
        world.file(citizen(f"v{one}"), service="violence")
    world.project()
    outbox.drain(now=world.now)
    world.advance(hours=30)
    world.sweep()
    world.project()
    daily_digest.notify(datetime(2026, 11, 4, 1, tzinfo=UTC))
    outbox.drain(now=world.now)
    world.advance(hours=1)
    outbox.drain(now=world.now)
    said = [text for message in sent() for text in (message.text, message.subject)]
    assert {"morning", "digest", "breached"} & {message.attributes["event"] for message in sent()}
    said += [json.dumps(service_list.services(town, ("id",)))]
    said += [json.dumps(service_list.definition(town, "flood", ("id",)))]
    said += [json.dumps(requests.request(JURISDICTION, report, None, ("id",)))]
    for text in said:
        assert "(id)" not in text
        assert not any(word in text for word in ("Laporan", "laporan", "terlambat", "Dipegang"))


def test_no_message_of_such_a_city_is_indonesian() -> None:
    """Every one, whatever language a report was filed in; a Dutch one is Dutch."""
    town = City.from_json(bundle("nl", "en", messages={"nl": DUTCH}))
    parsed = [part for texts in city_texts().values() for part in Formatter().parse(texts["en"])]
    places = {name: "x" for _, name, _, _ in parsed if name}
    for key, texts in city_texts().items():
        assert official_text(town, key, **places) == DUTCH[key].format(**places)
        assert message_text(key, "id", town, **places) == DUTCH[key].format(**places)
        assert message_text(key, "en", town, **places) == texts["en"].format(**places)


def test_a_message_that_a_city_lacks_is_told_in_its_next_language() -> None:
    town = City.from_json(bundle("nl", "id", messages={"nl": {"page.yes": "Ja"}}))
    assert message_text("page.yes", "nl", town) == "Ja"
    assert message_text("page.no", "nl", town) == city_texts()["page.no"]["id"]


def test_names_are_required_in_the_citys_languages_alone(tmp_path: Path) -> None:
    given = files()
    given["city.json"]["languages"] = ["en"]
    made = prepare(write(tmp_path / "one", given)).bundle
    assert all(set(service["name"]) == {"en"} for service in made["services"])
    given["city.json"]["languages"] = ["en", "nl"]
    with pytest.raises(CityErrors) as found:
        prepare(write(tmp_path / "two", given))
    assert any("name.nl: is missing" in line for line in found.value.findings)


@pytest.mark.parametrize(
    ("text", "field"),
    [({"ask.text": "Klaar?"}, "ask.text"), ({"no.such": "x"}, "no.such"),
     ({"page.yes": "{0}"}, "page.yes"), ({"page.yes": "{"}, "page.yes"),
     ({"alert.held": "{unit.code}"}, "alert.held")],
)  # fmt: skip
def test_a_catalogue_that_does_not_fit_is_refused(
    tmp_path: Path, text: dict[str, str], field: str
) -> None:
    folder = write(tmp_path / "town", files())
    (folder / "messages").mkdir()
    (folder / "messages" / "en.json").write_text(json.dumps(text))
    with pytest.raises(CityErrors) as found:
        prepare(folder)
    assert any("messages/en.json" in line and field in line for line in found.value.findings)


@pytest.mark.parametrize(
    ("header", "locale", "wanted"),
    [
        ("nl;q=0.5, id;q=0.9", None, ("id", "nl")),
        ("nl, id;q=0.9, en;q=0.9", None, ("nl", "id", "en")),
        ("en;q=0, id", None, ("id",)),
        ("*", None, ()),
        ("nl;q=0.8, *;q=0.5, id;q=0.1", None, ("nl",)),
        ("*;q=0.9, en;q=0.5", None, ()),
        ("nl ; q=0.3 ,in-ID; Q=1.000", None, ("id", "nl")),
        ("nl;q=wrong, id;q=7, en;q=-1", None, ("nl", "id", "en")),
        (",;q=1, en", None, ("en",)),
        (None, None, ()),
        ("id", "nl_NL", ("nl", "id")),
        ("id", "", ("id",)),
        ("id", "*", ("id",)),
    ],
)
def test_a_reader_is_answered_in_the_language_that_they_like_best(
    header: str | None, locale: str | None, wanted: tuple[str, ...]
) -> None:
    """By weight (RFC 9110, 12.5.4); an Open311 client's ``locale`` goes first."""
    assert languages.requested(header, locale) == wanted


def test_a_citys_catalogue_names_measures_and_reasons_too(world: World) -> None:
    """Missing names are those that ship; an unknown key is a fault."""
    reason = next(text for text in optional_texts() if text.startswith("refusal."))
    words = {"measure.on_time.name": "Op tijd", reason: "Dit is geen foto."}
    made = settled(world, "nl", "en", messages={"nl": words})
    shown = card_queries.months(official("auditor"), None, 5, world.now)["measures"]
    named = {one["code"]: one["name"] for one in shown}
    assert named["on_time"]["nl"] == "Op tijd"
    assert named["on_time"]["en"] == "On time"
    assert "nl" not in named["received"]
    assert translations(reason, made)["nl"] == "Dit is geen foto."
    assert translations(reason, made)["en"]
