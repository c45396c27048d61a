"""Cases 1 to 21 of the threat model: what a report may contain, and what is refused.

A refusal writes nothing: ``Edge.ask`` checks it.
"""

import json
from typing import Any

import pytest

from chalicelib.domain.city.boundaries import build
from tests.security.edge import Edge, new_report, sent_to
from tests.support.world import BUNDLE, SIDE, SOUTH, WEST, blob

PATH = "/v1/reports"
LIMIT = 65_536


def said(**more: Any) -> str:
    """The text of a good report's body."""
    return json.dumps(new_report(**more))


@pytest.fixture(name="me")
def me_fixture(edge: Edge) -> str:
    """A device."""
    return edge.device()


@pytest.mark.parametrize("body", ["{", "", "[]", "null", '"x"', "1", "\ufeff{}", "{}{}"])
def test_case_01_a_body_that_is_not_one_object_is_400(edge: Edge, me: str, body: str) -> None:
    reply = edge.post(PATH, who=me, raw=body)
    assert (reply.status, reply.slug) == (400, "malformed")


def test_case_01_bytes_that_are_not_utf8_are_400(edge: Edge, me: str) -> None:
    for raw in (said().encode("utf-16"), said().encode() + b"\xff"):
        assert edge.post(PATH, who=me, raw=raw).status == 400


def test_case_02_no_body_and_no_type_is_415(edge: Edge, me: str) -> None:
    reply = edge.post(PATH, who=me)
    assert (reply.status, reply.slug) == (415, "unsupported_media_type")


@pytest.mark.parametrize("size", [LIMIT + 1, 12_000_000])
def test_case_03_a_body_over_64_kib_is_413(edge: Edge, me: str, size: int) -> None:
    reply = edge.post(PATH, who=me, raw=said() + " " * (size - len(said())))
    assert (reply.status, reply.slug) == (413, "too_large")


def test_case_03_a_body_of_64_kib_is_read(edge: Edge, me: str) -> None:
    assert edge.post(PATH, who=me, raw=said() + " " * (LIMIT - len(said()))).status == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("[" * 60_000, 400),
        ("[" * 100_000, 413),
        ('{"answers":' * 1_000 + "1" + "}" * 1_000, 400),
        ('{"a":' * 17 + "1" + "}" * 17, 400),
    ],
)
def test_case_04_deep_nesting_is_refused(edge: Edge, me: str, body: str, status: int) -> None:
    assert edge.post(PATH, who=me, raw=body).status == status


@pytest.mark.parametrize("body", ['{"lat":1,"lat":2}', '{"answers":{"depth":1,"depth":1}}'])
def test_case_05_a_duplicate_key_is_400(edge: Edge, me: str, body: str) -> None:
    reply = edge.post(PATH, who=me, raw=body)
    assert (reply.status, reply.body["rule"]) == (400, "duplicate_key")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1e-400", "1" * 5_000])
@pytest.mark.parametrize("field", ["lat", "accuracy"])
def test_case_06_what_is_no_number_is_400(edge: Edge, me: str, field: str, number: str) -> None:
    raw = said(**{field: 12.5}).replace("12.5", number)
    assert edge.post(PATH, who=me, raw=raw).status == 400


@pytest.mark.parametrize("zero", ["-0.0", "-0", "-0e5"])
def test_case_06_minus_zero_is_stored_as_zero(edge: Edge, me: str, zero: str) -> None:
    body = new_report(service="flood", accuracy=12.5, answers={"depth": 12.5})
    reply = edge.post(PATH, who=me, raw=json.dumps(body).replace("12.5", zero))
    head = edge.head(reply.body["id"])
    assert (head.accuracy_m, head.answers["depth"]) == (0, "0")


@pytest.mark.parametrize("value", ["41", "41.2_9", "٤١", True, None, [1], {"a": 1}])
@pytest.mark.parametrize("field", ["lat", "long", "accuracy"])
def test_case_07_a_number_of_another_type_is_422(
    edge: Edge, me: str, field: str, value: Any
) -> None:
    reply = edge.file(me, **{field: value})
    assert (reply.status, reply.slug, reply.body["field"]) == (422, "invalid_field", field)


@pytest.mark.parametrize("number", ["41.2_9", "٤١", "0x29", "+41", "041", "41."])
def test_case_07_what_json_does_not_call_a_number_is_400(edge: Edge, me: str, number: str) -> None:
    raw = said(accuracy=12.5).replace("12.5", number)
    assert edge.post(PATH, who=me, raw=raw).status == 400


@pytest.mark.parametrize(
    ("field", "value"),
    [("lat", 90.0001), ("lat", -90.0001), ("long", 180.0001), ("long", 539), ("lat", 1e300)],
)
def test_case_08_beyond_the_globe_is_422(edge: Edge, me: str, field: str, value: float) -> None:
    reply = edge.file(me, **{field: value})
    assert (reply.status, reply.body["field"]) == (422, field)


def test_case_08_both_names_of_the_antimeridian_are_handled_alike(edge: Edge, me: str) -> None:
    east, west = (edge.file(me, long=long) for long in (180, -180))
    assert (east.status, east.slug) == (422, "outside_area")
    assert east.body["distance_m"] == west.body["distance_m"]


def test_case_09_swapped_coordinates_are_outside_with_a_hint(edge: Edge, me: str) -> None:
    right = new_report()
    reply = edge.file(me, lat=right["long"], long=right["lat"])
    assert (reply.status, reply.slug, reply.body["hint"]) == (422, "outside_area", "swapped")


def test_case_10_outside_is_422_with_the_nearest_ward_and_its_distance(edge: Edge, me: str) -> None:
    reply = edge.file(me, lat=SOUTH - 0.01)
    assert (reply.status, reply.slug) == (422, "outside_area")
    assert reply.body["nearest"]["ward"] == "D1-W1"
    assert reply.body["distance_m"] == pytest.approx(1_106, rel=0.01)


def test_case_10_on_a_border_one_ward_is_named_and_always_the_same(edge: Edge, me: str) -> None:
    def ward(long: float, lat: float) -> str:
        found: str = edge.file(me, long=long, lat=lat).body["ward"]["code"]
        return found

    shared = [ward(WEST + SIDE, SOUTH + share * SIDE) for share in (0.25, 0.25, 0.5, 0.75)]
    assert set(shared) <= {"D1-W1", "D1-W2"}
    assert len(set(shared)) == 1
    outer = [(WEST, SOUTH), (WEST, SOUTH + SIDE), (WEST + SIDE / 2, SOUTH)]
    assert {ward(*point) for point in outer} == {"D1-W1"}


def test_case_10_in_a_hole_is_outside(edge: Edge, me: str) -> None:
    def ring(size: float) -> list[tuple[float, float]]:
        west, south = WEST + (SIDE - size) / 2, SOUTH + (SIDE - size) / 2
        east, north = west + size, south + size
        return [(west, south), (east, south), (east, north), (west, north), (west, south)]

    edge.publish(build([("D1-W1", [[ring(SIDE), ring(0.006)]])]))
    assert edge.file(me).slug == "outside_area"
    assert edge.file(me, lat=SOUTH + 0.001).status == 201


def test_case_10_a_few_metres_outside_are_accepted_as_near(edge: Edge, me: str) -> None:
    reply = edge.file(me, lat=SOUTH - 0.000045, accuracy=50)
    assert reply.status == 201
    assert (reply.body["flags"], reply.body["outside_m"]) == (["near"], 5)
    assert edge.get(f"/v1/reports/{reply.body['id']}").body["near"] is True


@pytest.mark.parametrize(("lat", "long"), [(0, 0), (-2.5, 118.0), (90, 180), (-90, -180)])
def test_case_11_points_of_devices_without_a_position_are_outside(
    edge: Edge, me: str, lat: float, long: float
) -> None:
    assert edge.file(me, lat=lat, long=long).slug == "outside_area"


@pytest.mark.parametrize(
    ("time", "flags"),
    [
        ("2099-01-01T00:00:00Z", ["clock_ahead"]),
        ("2026-11-02T01:10:01Z", ["clock_ahead"]),
        ("2026-11-02T01:10:00Z", []),
        ("1970-01-01T00:00:00Z", []),
        ("2026-11-02T15:00:00+14:00", []),
    ],
)
def test_case_12_the_clients_clock_is_a_remark_and_moves_no_promise(
    edge: Edge, me: str, time: str, flags: list[str]
) -> None:
    plain, marked = edge.file(me).body, edge.file(me, client_time=time).body
    assert marked["flags"] == flags
    assert edge.head(marked["id"]).client_time == time
    for promise in ("filed_at", "acknowledge_due", "due_at"):
        assert marked[promise] == plain[promise]


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-02T01:00:00",
        "2026-11-02 01:00:00Z",
        "2026-11-02T23:59:60Z",
        "2026-11-02T24:00:00Z",
        "2026-13-02T00:00:00Z",
        "2026-11-02T00:00:00+24:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "yesterday",
        1_700_000_000,
    ],
)
def test_case_12_a_time_that_cannot_be_read_is_422(edge: Edge, me: str, time: Any) -> None:
    reply = edge.file(me, client_time=time)
    assert (reply.status, reply.body["field"]) == (422, "client_time")


def test_case_13_only_a_service_that_this_city_offers_citizens_is_accepted(
    edge: Edge, me: str
) -> None:
    from chalicelib.services.city import cities

    other = {
        **BUNDLE,
        "jurisdiction": "elsewhere",
        "services": [{**BUNDLE["services"][0], "code": "their-own"}],
        "overrides": [],
    }
    cities.publish(other, blob(), [], edge.now)
    for service in ("nothing", "retired", "inspection", "their-own", "POTHOLE"):
        reply = edge.file(me, service=service)
        assert (reply.status, reply.slug) == (422, "unknown_service")
    assert edge.file(edge.staff("officer1"), service="inspection").status == 201


def test_case_14_a_protected_report_sent_as_public_is_private_and_says_so(
    edge: Edge, me: str
) -> None:
    receipt = edge.file(me, service="violence", public=True).body
    assert receipt["protected"] is True
    assert "made_private" in receipt["flags"]
    for place in (f"reports/{receipt['id']}", f"track/{receipt['code']}"):
        assert edge.get(f"/v1/{place}").status == 404
        assert edge.get(f"/v1/{place}", edge.device()).status == 404
        assert edge.get(f"/v1/{place}", me).status == 200


@pytest.mark.parametrize(
    "field",
    [
        "status", "state", "district", "ward", "unit", "priority", "trust", "created_at",
        "filed_at", "assignee", "holder", "id", "code", "due_at", "flags", "reporter",
        "protected", "version", "jurisdiction", "__proto__", "constructor",
    ],
)  # fmt: skip
def test_case_15_a_field_that_is_not_the_reporters_is_422(edge: Edge, me: str, field: str) -> None:
    reply = edge.file(me, **{field: "x"})
    assert (reply.status, reply.slug) == (422, "unknown_field")


def test_case_15_a_role_among_the_contact_is_422(edge: Edge, me: str) -> None:
    reply = edge.file(me, contact={"email": "a@example.org", "role": "officer"})
    assert (reply.slug, reply.body["field"]) == ("unknown_field", "contact.role")


ZALGO = "Jalan".join("q" + "\u0301\u0302\u0303\u0304" * 4 for _ in range(60))
FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize("field", ["description", "landmark"])
def test_case_16_piled_up_marks_are_422(edge: Edge, me: str, field: str) -> None:
    reply = edge.file(me, **{field: ZALGO[:200]})
    assert (reply.status, reply.body["field"], reply.body["rule"]) == (422, field, "text")


def test_case_16_marks_of_direction_are_stripped_and_flagged(edge: Edge, me: str) -> None:
    receipt = edge.file(me, description="pay \u202etxt.exe\u202c \u200enow").body
    assert "invisible_text" in receipt["flags"]
    public = edge.get(f"/v1/reports/{receipt['id']}").body
    assert public["description"] == "pay txt.exe now"


@pytest.mark.parametrize("bad", ["\\u0000", "\\ud800", "\\udfff", "\\ude00\\ud83d"])
@pytest.mark.parametrize("body", ['{"description":"%s"}', '{"%s":1}', '{"answers":{"a":"%s"}}'])
def test_case_16_what_is_no_text_is_400(edge: Edge, me: str, body: str, bad: str) -> None:
    assert edge.post(PATH, who=me, raw=body % bad).status == 400


def test_case_16_emoji_and_families_are_kept_as_they_are(edge: Edge, me: str) -> None:
    text = f"Banjir {FAMILY} 🌊 नमस्ते"
    receipt = edge.file(me, description=text).body
    assert receipt["flags"] == []
    assert edge.get(f"/v1/reports/{receipt['id']}").body["description"] == text


def test_case_16_texts_are_counted_in_code_points_and_in_bytes(edge: Edge, me: str) -> None:
    assert edge.file(me, description="🌊" * 2_000).status == 201
    reply = edge.file(me, description="🌊" * 2_049)
    assert (reply.status, reply.body["rule"]) == (422, "text")
    assert edge.file(me, description="x" * 4_000).status == 201


def test_case_17_a_long_text_is_422_and_a_huge_one_413(edge: Edge, me: str) -> None:
    reply = edge.file(me, description="x" * 4_001)
    assert (reply.status, reply.body["rule"], reply.body["limit"]) == (422, "maxLength", 4000)
    assert edge.file(me, description="x" * 10_000_000).status == 413


ACTIVE = (
    "<script>alert(1)</script>", '<img src=x onerror="alert(1)">', "{{7*7}}", "${7*7}",
    "[a](javascript:alert(1))", "![a](https://evil.test/x.png)", "'; DROP TABLE reports; --",
)  # fmt: skip
FORMULAS = (
    '=HYPERLINK("https://evil.test","a")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1",
)  # fmt: skip


@pytest.mark.parametrize("text", ACTIVE)
def test_case_18_active_text_is_stored_as_text_and_answered_as_json(
    edge: Edge, me: str, text: str
) -> None:
    report = edge.file(me, description=text, landmark=text).body["id"]
    reply = edge.get(f"/v1/reports/{report}")
    assert (reply.body["description"], reply.body["landmark"]) == (text, text)
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize("text", FORMULAS)
def test_case_19_formulas_are_stored_as_they_are_but_for_outer_space(
    edge: Edge, me: str, text: str
) -> None:
    report = edge.file(me, description=text).body["id"]
    assert edge.get(f"/v1/reports/{report}").body["description"] == text.strip()


def test_case_20_no_text_of_a_citizen_reaches_a_subject(edge: Edge, me: str) -> None:
    text = "x\r\nBcc: victim@example.org"
    edge.file(me, description=text, landmark=text, contact={"name": text, "email": "a@example.org"})
    edge.project()
    (topic,) = sent_to("sns").topics.values()
    ((_, message, subject, _, _),) = topic.sent_notifications
    assert subject == "Tanggap: ada laporan untuk Anda"
    assert "victim" not in message


@pytest.mark.parametrize("address", ["a@b.org\r\nBcc: c@d.org", "a@b.org\n", "a b@c.org", "a@b"])
def test_case_20_an_address_with_a_header_in_it_is_422(edge: Edge, me: str, address: str) -> None:
    reply = edge.file(me, contact={"email": address})
    assert (reply.status, reply.body["field"]) == (422, "contact.email")
