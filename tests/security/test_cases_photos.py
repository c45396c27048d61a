"""Cases 47, 51, 57 to 59 and 61: tickets, the bucket's events, who may hide what."""

import base64
import json
import urllib.parse
from typing import Any

import pytest

import app
from tests.security.edge import Context, Edge, queue_record
from tests.security.test_cases_inside import arrived, failed
from tests.support import photo_files
from tests.support.world import JURISDICTION

TICKET = {"content_type": "image/jpeg"}
UNKNOWN = "01J00000000000000000000001"


def process(key: str) -> list[str]:
    """What the function of photos could not do about an object."""
    with photo_files.quick():
        return failed(app.process_photos({"Records": [queue_record("1", arrived(key))]}, Context()))


def reported(edge: Edge, who: str, **more: Any) -> tuple[str, str]:
    """(report, photo) of a report whose picture can be seen."""
    photo = edge.photo(who, processed=True)
    return edge.file(who, photos=[photo], **more).body["id"], photo


def test_case_47_tickets_are_limited_a_person(edge: Edge) -> None:
    edge.publish(limits={"tickets": [{"n": 3, "seconds": 86_400}]})
    me = edge.device()
    found = [edge.post("/v1/photos", TICKET, me).status for _ in range(5)]
    assert found == [201, 201, 201, 429, 429]
    assert edge.post("/v1/photos", TICKET, edge.device()).status == 201


def test_case_47_a_ticket_says_nothing_to_anybody_else(edge: Edge) -> None:
    photo = edge.photo(edge.device(), processed=True)
    mine, unknown = (edge.get(f"/v1/photos/{one}", edge.device()) for one in (photo, UNKNOWN))
    assert (mine.status, mine.body["type"]) == (unknown.status, unknown.body["type"])
    assert mine.status == 404
    assert edge.get(f"/v1/photos/{photo}").status == 401


def test_case_51_an_upload_is_a_form_with_its_limits_and_never_a_put(edge: Edge) -> None:
    upload = edge.post("/v1/photos", TICKET, edge.device()).body["upload"]
    assert set(upload) == {"url", "fields"}
    assert "X-Amz-Signature" not in upload["url"]
    policy = json.loads(base64.b64decode(upload["fields"]["policy"]))
    conditions = policy["conditions"]
    assert ["content-length-range", 100, 10 * 1024 * 1024] in conditions
    assert {"Content-Type": "image/jpeg"} in conditions
    assert {"key": upload["fields"]["key"]} in conditions
    assert upload["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"


@pytest.mark.parametrize("encode", [urllib.parse.quote_plus, lambda key: key])
def test_case_57_the_key_of_an_event_is_decoded_and_then_judged(edge: Edge, encode: Any) -> None:
    me = edge.device()
    photo = edge.photo(me)
    assert process(encode(f"quarantine/{JURISDICTION}/{photo}")) == []
    assert edge.get(f"/v1/photos/{photo}", me).body["state"] == "ready"


@pytest.mark.parametrize("body", [{"Service": "Amazon S3", "Event": "s3:TestEvent"}, {}])
def test_case_58_the_buckets_test_event_is_nothing(edge: Edge, body: dict[str, str]) -> None:
    records = [queue_record("1", json.dumps(body))]
    assert failed(app.process_photos({"Records": records}, Context())) == []
    assert edge.recorder.writes == []


def test_case_59_an_event_that_comes_again_or_too_late_changes_nothing(edge: Edge) -> None:
    me = edge.device()
    photo = edge.photo(me)
    report = edge.file(me, photos=[photo]).body["id"]
    for _ in range(3):
        assert process(f"quarantine/{JURISDICTION}/{photo}") == []
    events = edge.get(f"/v1/reports/{report}/timeline").body["events"]
    assert [event["action"] for event in events] == ["file", "photo_ready"]


def test_case_61_a_picture_is_hidden_by_its_districts_officials_alone(edge: Edge) -> None:
    me = edge.device()
    report, photo = reported(edge, me)
    path, body = f"/v1/reports/{report}/photos/{photo}", {"action": "hide", "reason": "face"}
    for who, status in ((None, 401), (me, 403), (edge.staff("worker1"), 403),
                        (edge.staff("auditor"), 403), (edge.staff("officer2"), 404)):  # fmt: skip
        assert edge.post(path, body, who).status == status
    assert len(edge.get(f"/v1/reports/{report}").body["pictures"]) == 1
    assert edge.post(path, body, edge.staff("officer1")).status == 200
    code = edge.head(report).code
    for place in (f"/v1/reports/{report}", f"/v1/track/{code}"):
        for who in (None, me):
            shown = edge.get(place, who).body
            assert (shown["pictures"], shown["photos"]) == ([], 0)
    cards = edge.get("/v1/me/reports", me).body["reports"]
    assert [card["photo"] for card in cards] == [False]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"action": "delete"}, 422),
        ({"reason": "because"}, 422),
        ({"action": "blur"}, 422),
        ({"action": "blur", "rectangle": {"x": 0, "y": 0, "width": 0, "height": 10}}, 422),
        ({"action": "blur", "rectangle": {"x": -1, "y": 0, "width": 9, "height": 10}}, 422),
        ({"action": "blur", "rectangle": {"x": 0.5, "y": 0, "width": 9, "height": 10}}, 422),
        ({"rectangle": {"x": 0, "y": 0, "width": 9, "height": 10}}, 422),
        ({"note": "x" * 1001}, 422),
        ({"more": 1}, 422),
    ],
    ids=str,
)
def test_case_61_what_is_no_moderation_changes_nothing(
    edge: Edge, change: dict[str, Any], status: int
) -> None:
    report, photo = reported(edge, edge.device())
    body = {"action": "hide", "reason": "face", **change}
    path = f"/v1/reports/{report}/photos/{photo}"
    assert edge.post(path, body, edge.staff("officer1")).status == status
    assert edge.head(report).version == 1
