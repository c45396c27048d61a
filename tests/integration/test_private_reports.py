"""A private report is counted and worked on; only its reporter and officials read its words."""
# ruff: noqa: F811

import io
import json
import zipfile
from typing import Any

import pytest

from chalicelib.domain.open311.forwarding import unit_of
from chalicelib.domain.report_facts import facts
from chalicelib.domain.scorecards.recurrence import Recurrences
from chalicelib.services.open_data import publishing
from chalicelib.services.scorecards import lifecycle
from chalicelib.storage import timeline_rows
from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Context, Edge, application, event_of
from tests.support import aws
from tests.support.world import BUNDLE, JURISDICTION, city, faults, spot

WORDS = ("Tetangga sebelah merokok", "Rumah pagar hijau", "Kami datang ke rumah Anda")
EXACT = {"lat": -6.1934567, "long": 106.8012345}
PLACES = ("6.1934567", "106.8012345", "-61934567", "1068012345", "6.19346", "106.80123")


def filed(edge: Edge, who: str, **more: Any) -> dict[str, Any]:
    """The receipt of a private report with words."""
    words = {"description": WORDS[0], "landmark": WORDS[1], "public": False, **EXACT}
    reply = edge.file(who, **{**words, **more})
    assert reply.status == 201, reply.body
    return dict(reply.body)


def public_files() -> dict[str, bytes]:
    """Everything in the bucket that is not a picture, with archives unpacked."""
    found: dict[str, bytes] = {}
    for name, held in aws.backend("s3").buckets["tanggap-files"].keys.items():
        if name.startswith("open-data/"):
            data = held.value
            if name.endswith(".zip"):
                with zipfile.ZipFile(io.BytesIO(data)) as archive:
                    data = b"".join(archive.read(one) for one in archive.namelist())
            found[name] = data
    return found


def addresses(edge: Edge, report: str, code: str, photo: str) -> list[str]:
    """A URL of this report for every GET route without sign-in."""
    month = "202611"
    fill = {
        "id": [report], "code": [code], "month": [month], "area": ["TV", "D1", "D1-W1", "u-d1"],
        "photo": [photo], "name": [report, f"{report}.json", f"{report}.xml", f"t{report}.json"],
        "token": ["x"], "file": [f"{report}-{photo}.webp", f"{report}-{photo}.jpg"],
    }  # fmt: skip
    found = []
    for route, methods in application().routes.items():
        if "GET" not in methods:
            continue
        ways = [route]
        for name, values in fill.items():
            ways = [way.replace(f"{{{name}}}", one) for way in ways for one in values]
        found += dict.fromkeys(ways)
    return found


def asked(path: str, who: str | None, query: dict[str, Any]) -> tuple[int, str]:
    """(status, answer with its headers), whatever its type."""
    sent = {"Authorization": who} if who else {}
    answer = application()(event_of("GET", path, None, query, sent, "192.0.2.1"), Context())
    assert answer["statusCode"] < 500
    return answer["statusCode"], answer["body"] + json.dumps(answer["headers"])


QUERIES: dict[str, list[dict[str, str]]] = {
    "/v1/map/reports": [
        {"bbox": "106.79,-6.20,106.81,-6.15", "limit": "500"},
        {"bbox": "106.79,-6.20,106.81,-6.15", "status": "closed", "closed_from": "202611"},
    ],
    "/v1/map/nearby": [{"lat": "-6.1934", "long": "106.8012", "radius": "1000"}],
    "/v1/map/cells": [{"z": "16", "bbox": "106.79,-6.20,106.81,-6.15"}],
    "rows": [{"measure": name} for name in ("received", "acknowledged_on_time", "backlog")],
    "/open311/v2/requests": [{}, {"extensions": "true"}],
}


def test_nobody_outside_finds_a_private_reports_words_pictures_or_exact_place(edge: Edge) -> None:
    me = edge.device()
    photo = edge.photo(me, processed=True)
    mine = filed(edge, me, photos=[photo])
    report = mine["id"]
    said = {"text": WORDS[2], "audience": "public"}
    assert edge.post(f"/v1/reports/{report}/comments", said, edge.staff("officer1")).status == 201
    started = edge.get("/v1/changes").body["cursor"]
    edge.file(edge.device())  # Something that is public, so that there are lists and files.
    edge.project()
    edge.advance(minutes=1)
    publishing.publish(edge.now)
    lifecycle.update_all(edge.now)
    seen = []
    stranger = edge.device()
    queries = {**QUERIES, "/v1/changes": [{"since": started}]}
    for path in addresses(edge, report, mine["code"], photo):
        kinds = [found for end, found in queries.items() if path.partition(".")[0].endswith(end)]
        for query in kinds[0] if kinds else [{}]:
            for who in (None, stranger):
                status, answer = asked(path, who, dict(query))
                seen.append((path, status))
                for hidden in (*WORDS, *PLACES, photo):
                    if hidden == photo and photo in path:
                        continue
                    assert hidden not in answer, path
                if report not in path and mine["code"] not in path and "/rows" not in path:
                    assert report not in answer, path
    good = {path for path, status in seen if status == 200}
    assert {f"/v1/reports/{report}", f"/v1/reports/{report}/timeline"} <= good
    assert {"/v1/map/reports", "/v1/changes", "/open311/v2/requests.json"} <= good
    files = public_files()
    assert len(files) > 5
    for name, data in files.items():
        for hidden in (*WORDS, *PLACES, photo, report):
            assert hidden.encode() not in data, name


def test_everybody_sees_how_a_private_report_stands_and_no_more(edge: Edge) -> None:
    me = edge.device()
    mine = filed(edge, me)
    assert mine["private"] is True
    for address in (f"/v1/reports/{mine['id']}", f"/v1/track/{mine['code']}"):
        view = edge.get(address).body
        assert (view["state"], view["service"]["code"], view["district"]["code"]) == (
            "submitted", "pothole", "D1",
        )  # fmt: skip
        assert view["due_at"] == mine["due_at"]
        assert (view["lat"], view["long"]) == (-6.19, 106.8)
        assert (view["description"], view["landmark"], view["pictures"]) == (None, None, [])
        assert view["private"] is True
    events = edge.get(f"/v1/reports/{mine['id']}/timeline").body["events"]
    assert [one["action"] for one in events] == ["file"]
    assert "words" not in events[0]
    assert "data" not in events[0]


def test_its_reporter_and_the_officials_in_scope_see_all_of_a_private_report(
    edge: Edge,
) -> None:
    me = edge.device()
    mine = filed(edge, me)["id"]
    officer = edge.staff("officer1")
    for who in (me, officer):
        view = edge.get(f"/v1/reports/{mine}", who).body
        assert (view["description"], view["lat"]) == (WORDS[0], EXACT["lat"])
        events = edge.get(f"/v1/reports/{mine}/timeline", who).body["events"]
        assert events[0]["words"]["description"] == WORDS[0]
    case = edge.get(f"/v1/reports/{mine}/case", officer).body
    assert (case["description"], case["lat"], case["private"]) == (WORDS[0], EXACT["lat"], True)
    assert mine in [one["id"] for one in edge.get("/v1/queue", officer).body["reports"]]
    assert edge.act(officer, mine, "assign", person="s_worker1").status == 200
    elsewhere = edge.get(f"/v1/reports/{mine}", edge.staff("officer2")).body
    assert elsewhere["description"] is None
    assert edge.get(f"/v1/reports/{mine}/case", edge.staff("officer2")).status == 404


def test_nobody_else_supports_follows_flags_or_comments_a_private_report(edge: Edge) -> None:
    mine = filed(edge, edge.device())["id"]
    stranger = edge.device()
    bodies: dict[str, Any] = {
        "support": {}, "follow": {}, "flags": {"reason": "spam"},
        "comments": {"text": "x", "audience": "public"},
    }  # fmt: skip
    for path, body in bodies.items():
        given = (body,) if body else ()
        assert edge.post(f"/v1/reports/{mine}/{path}", *given, who=stranger).status == 404, path
    near = edge.file(stranger, **EXACT).body["possible_duplicates"]
    assert near == []


def test_a_private_report_merged_into_a_public_one_is_not_named_there(edge: Edge) -> None:
    original = edge.file(edge.device(), **EXACT).body["id"]
    edge.advance(minutes=1)
    me, officer = edge.device(), edge.staff("officer1")
    mine = filed(edge, me)["id"]
    edge.advance(minutes=1)
    later = edge.file(edge.device(), **EXACT).body["id"]
    refused = edge.act(officer, later, "merge", into=mine)
    assert (refused.status, refused.slug) == (409, "original_private")
    assert edge.act(officer, mine, "merge", into=original).status == 200
    assert edge.get(f"/v1/reports/{mine}").body["merged_into"] is None
    assert edge.get(f"/v1/reports/{mine}", me).body["merged_into"] == original
    assert mine not in edge.get(f"/v1/reports/{original}/timeline").text
    assert original not in edge.get(f"/v1/reports/{mine}/timeline").text
    assert mine in edge.get(f"/v1/reports/{original}/case", officer).text


def test_only_the_reporter_opens_a_private_report_and_then_it_is_everywhere(edge: Edge) -> None:
    me = edge.device()
    mine = filed(edge, me)["id"]
    edge.file(edge.device())
    edge.project()
    publishing.publish(edge.now)
    edge.advance(days=1)
    officer, started = edge.staff("officer1"), edge.get("/v1/changes").body["cursor"]
    assert edge.act(officer, mine, "reject", reason_code="spam", text="No.").status == 200
    assert edge.act(me, mine, "reopen", reason="There.").status == 200
    edge.project()
    edge.advance(minutes=20)
    publishing.publish(edge.now)
    assert mine.encode() not in public_files()[f"open-data/{JURISDICTION}/2026-11.csv"]
    address = f"/v1/reports/{mine}/open"
    assert edge.post(address, who=edge.device()).status == 404
    assert edge.post(address, who=edge.staff("officer1")).status == 403
    assert edge.get(f"/v1/reports/{mine}").body["description"] is None
    opened = edge.post(address, who=me)
    assert (opened.status, opened.body["private"]) == (200, False)
    assert edge.post(address, who=me).slug == "not_private"
    edge.project()
    view = edge.get(f"/v1/reports/{mine}").body
    assert (view["description"], view["lat"]) == (WORDS[0], EXACT["lat"])
    shown = edge.get("/v1/map/reports", bbox="106.79,-6.20,106.81,-6.15", limit=500).text
    assert mine in shown
    assert mine in edge.get("/open311/v2/requests.json").text
    assert mine in edge.get("/v1/changes", since=started).text
    publishing.publish(edge.now)
    assert WORDS[0].encode() in public_files()[f"open-data/{JURISDICTION}/2026-11.csv"]
    assert faults(edge.head(mine), timeline_rows.chain(JURISDICTION, mine, 0, 100)) == []


def test_a_report_opened_long_after_it_was_closed_reaches_the_open_data(edge: Edge) -> None:
    me = edge.device()
    mine = filed(edge, me)["id"]
    edge.file(edge.device())
    assert edge.act(me, mine, "withdraw").status == 200
    edge.project()
    publishing.publish(edge.now)
    edge.advance(days=9)
    edge.project()
    publishing.publish(edge.now)
    assert edge.post(f"/v1/reports/{mine}/open", who=me).status == 200
    edge.project()
    publishing.publish(edge.now)
    assert mine.encode() in public_files()[f"open-data/{JURISDICTION}/2026-11.csv"]


def test_the_city_says_by_service_whether_reports_are_public(edge: Edge) -> None:
    services = [
        {**one, **({"public": False} if one["code"] == "litter" else {})}
        for one in BUNDLE["services"]
    ]
    edge.publish(services=services)
    edge.advance(minutes=5)
    shown = {one["code"]: one["public"] for one in edge.get("/v1/services").body["services"]}
    assert (shown["pothole"], shown["litter"], shown["violence"]) == (True, False, False)
    me = edge.device()
    kept = {
        (name, given): edge.file(me, service=name, **more).body["private"]
        for name in ("pothole", "litter")
        for given, more in (
            ("nothing", {}), ("public", {"public": True}), ("private", {"public": False}),
        )
    }  # fmt: skip
    assert kept == {
        ("pothole", "nothing"): False, ("pothole", "public"): False, ("pothole", "private"): True,
        ("litter", "nothing"): True, ("litter", "public"): False, ("litter", "private"): True,
    }  # fmt: skip


def test_a_private_report_counts_in_tallies_and_scorecards(edge: Edge) -> None:
    mine = filed(edge, edge.device())["id"]
    edge.project()
    assert edge.get("/v1/tallies/202611").body["city"]["received"] == 1
    event = json.loads(timeline_rows.timeline(JURISDICTION, mine, 0, 1)[0][0])
    row = event["score"]
    assert (row["report"], row["private"]) == (mine, True)
    assert (row["lat7"], row["long7"]) == (-61900000, 1068000000)
    cells = edge.get("/v1/map/cells", z=16).body
    assert cells["total"] == 1


def test_private_reports_do_not_recur_for_being_in_one_square_kilometre(edge: Edge) -> None:
    mine = filed(edge, edge.device())["id"]
    row = json.loads(timeline_rows.timeline(JURISDICTION, mine, 0, 1)[0][0])["score"]

    class Ever:
        """A window of all time."""

        start = ""

        def holds(self, moment: str | None) -> bool:
            """Always."""
            return True

    done = {**row["rounds"][0], "resolution": "verified", "closed_at": row["filed_at"]}
    found = Recurrences(Ever(), "9", 30, 60)  # type: ignore[arg-type]
    found.add({**row, "rounds": [done]})
    assert list(found.contributions()) == []


@pytest.mark.parametrize("takes", [True, False])
def test_a_units_own_system_gets_private_reports_unless_the_city_says_no(
    edge: Edge,
    takes: bool,
) -> None:
    head = edge.head(filed(edge, edge.device())["id"])
    server = {"endpoint": "https://x.example.org", "private": takes}
    units = [
        {**one, **({"open311": server} if one["code"] == "u-d1" else {})} for one in BUNDLE["units"]
    ]
    ours = type(city()).from_json({**BUNDLE, "units": units})
    assert unit_of(facts(head), ours) == ("u-d1" if takes else None)


def test_the_wish_outlives_protection(edge: Edge) -> None:
    reply = edge.file(edge.device(), service="violence", public=False, **spot("D1-W1"))
    assert edge.head(reply.body["id"]).private
    ordinary = edge.file(edge.device(), service="violence", **spot("D1-W1"))
    assert not edge.head(ordinary.body["id"]).private
