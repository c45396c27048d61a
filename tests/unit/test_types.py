"""Data that cross modules have the keys that their types name."""

import json
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain import event_parts
from chalicelib.domain.body_types import (
    ActionBody,
    Correction,
    Flag,
    HideText,
    ModeratePhoto,
    NewReport,
)
from chalicelib.domain.events import By, Contents, EventText, link
from chalicelib.domain.message_types import Alert, CitizenMessage, HeldBy, Overdue
from chalicelib.domain.notifications import alerts
from chalicelib.domain.principal import system
from chalicelib.domain.sla import periods
from chalicelib.domain.timeline_types import Commitment, Event, EventData, Facts, Period, ScoreRow
from chalicelib.domain.timestamps import iso
from chalicelib.routes.schemas import photos, requests
from chalicelib.services.platform.answer_types import (
    ActionAnswer,
    CaseView,
    ListedReport,
    PublicView,
    ReportReceipt,
)
from chalicelib.services.reports import presenters
from chalicelib.storage.report_lists import Card, packed
from tests.support.world import START, city
from tests.unit import reports


def _assert_fits(value: Any, kind: Any) -> None:
    """``value`` has every required key of a TypedDict, and no key that it does not name."""
    assert kind.__required_keys__ <= value.keys() <= kind.__annotations__.keys(), kind.__name__


def test_an_event_has_the_keys_that_its_type_names() -> None:
    """The event, its facts before and after, its texts, its data and its row in the scorecards."""
    before = reports.report()
    after = replace(before, version=2, private=True, offered_to="u-water", shown_at=START)
    words = (EventText("note", "public", "Done.", b"0" * 16),)
    data: EventData = {"photos": ["p"], "by": "duplicate"}
    score = periods.score_row(after, city())
    by = By(system(before.jurisdiction), "officer", "op", START)
    made = link("move", before, after, by, Contents(words, data, score), b"salt")
    event = json.loads(event_parts.whole(made.entry.text, made.entry.inside))
    _assert_fits(event, Event)
    _assert_fits(event["before"], Facts)
    _assert_fits(event["after"], Facts)
    _assert_fits(event["words"][0], Commitment)
    _assert_fits(event["data"], EventData)
    _assert_fits(event["score"], ScoreRow)
    _assert_fits(event["score"]["rounds"][0], Period)


def test_the_row_of_a_report_that_became_protected_fits_its_type() -> None:
    """It ends at that moment and is anonymous after it."""
    row = periods.ended_row(reports.report(), city(), START)
    _assert_fits(row, ScoreRow)
    _assert_fits(row["rounds"][0], Period)
    assert (row["anonymous"], row["rounds"][0]["ended"]) == (True, row["rounds"][0]["closed_at"])


def _messages(action: str, data: EventData, **changed: Any) -> list[Any]:
    """The outbox rows of an event of the clock."""
    before = reports.report()
    after = replace(before, version=2, **changed)
    by = By(system(before.jurisdiction), "system", "op", START)
    entry = link(action, before, after, by, Contents(data=data), b"salt").entry
    return [*alerts.messages(json.loads(event_parts.whole(entry.text, entry.inside)))]


def test_the_messages_of_an_event_fit_their_types() -> None:
    """Of a breach, a proposal for protection, and news for citizens."""
    missed: EventData = {
        "target": "resolve", "joins": 1, "due": iso(START), "unit": "u", "person": None,
        "code": "c", "tell": ["holder"], "priority": "high",
    }  # fmt: skip
    kinds = set()
    for message in (
        *_messages("breach", missed),
        *_messages("protect", {}, protection={"unit": "safe"}),
        *_messages("verify", {}, state="closed", resolution="verified"),
    ):
        kinds.add(message["kind"])
        _assert_fits(message, Alert if message["kind"] == "alert" else CitizenMessage)
        if "overdue" in message:
            _assert_fits(message["overdue"], Overdue)
            _assert_fits(message["held_by"], HeldBy)
    assert kinds == {"alert", "told"}


def test_the_views_of_a_report_fit_their_types() -> None:
    """For everybody, of a private report, for officials, and after an action."""
    report = reports.report(private=True, protection={})
    _assert_fits(presenters.public(report, {}, city()), PublicView)
    _assert_fits(presenters.private_for_public(report, city()), PublicView)
    _assert_fits(presenters.case(report, {}, city(), []), CaseView)
    _assert_fits(presenters.receipt(report, city(), [], []), ReportReceipt)
    _assert_fits(presenters.action_answer(report), ActionAnswer)
    card = Card(*json.loads(packed(report)))
    _assert_fits(presenters.list_row(card, city(), inside=True, proposed=True), ListedReport)


@pytest.mark.parametrize(
    ("kind", "schema", "more"),
    [
        (NewReport, requests.NEW_REPORT, {"address", "attributes", "media_url"}),
        (ActionBody, requests.ACTION, {"target", "level", "request"}),
        (HideText, requests.HIDE_TEXT, set()),
        (Correction, requests.CORRECTION, set()),
        (ModeratePhoto, photos.MODERATION, set()),
        (Flag, photos.FLAG, set()),
    ],
)
def test_a_body_has_the_fields_of_its_schema(kind: Any, schema: Any, more: set[str]) -> None:
    """``more``: what other systems and the clock add. What the schema requires is required."""
    assert kind.__annotations__.keys() - more == schema["properties"].keys()
    if kind is not ActionBody:
        assert kind.__required_keys__ == set(schema.get("required", ()))
