"""What GeoReport's answers say in words: the state, and the city's promise."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.workflow.table import table
from chalicelib.services.open311 import requests
from chalicelib.services.platform.catalogue import city_texts
from tests.integration.test_filers import a_key, post
from tests.support.world import JURISDICTION, World, official

OFFICER = official("officer1")


def request(report: str, language: str = "en") -> dict[str, Any]:
    """One request, in a language."""
    (row,) = requests.request(JURISDICTION, report, None, (language,))
    return row


def test_the_state_is_told_in_words_of_the_readers_language(world: World) -> None:
    report = post(world, a_key(world))
    assert request(report)["status_notes"] == "Received"
    assert request(report, "id")["status_notes"] == "Diterima"
    world.act(OFFICER, report, "reject", reason_code="spam", text="No.")
    notes = {request(report, language)["status_notes"] for language in ("en", "id")}
    assert len(notes) == 2
    assert not notes & {"rejected", "closed"}


def test_every_state_and_resolution_has_words_of_its_own() -> None:
    names = (set(table()["states"]) - {"closed"}) | set(table()["resolutions"])
    keys = {f"status.{name}" for name in names}
    assert keys == {key for key in city_texts() if key.startswith("status.")}
    words = [city_texts()[key]["en"] for key in keys]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_notice_says_until_when_the_city_promises_to_settle_it(
    world: World, language: str
) -> None:
    report = post(world, a_key(world))
    due = (world.head(report).due_at + timedelta(hours=7)).strftime("%d-%m-%Y %H:%M")
    assert due in request(report, language)["service_notice"]


def test_the_answer_to_a_new_request_says_the_promise(world: World) -> None:
    from chalicelib.services.open311 import post as open311_post
    from tests.support.world import city, spot

    form = {"service_code": "pothole", "locale": "en", **spot("D1-W1")}
    fields = {name: [str(text)] for name, text in form.items()}
    outcome = open311_post.file(a_key(world), city(), fields, [], "192.0.2.9", world.now)
    (answer,) = outcome.answer["requests"]
    report = answer["service_request_id"]
    assert answer["service_notice"] == request(report)["service_notice"]
