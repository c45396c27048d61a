"""The public map: exact sets, rounded places, counters, changes, refusals and the cost of each."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.map.geohash import distance_m
from chalicelib.domain.map.tiles import tile
from chalicelib.domain.report import Report
from chalicelib.errors import Problem
from chalicelib.services.map import changes, heatmap, nearby, viewport
from chalicelib.services.map.filters import FILTERS
from chalicelib.services.projections import monthly_counts, timeline_events
from chalicelib.storage import timeline_rows
from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Edge
from tests.support.map_client import Watcher, by_id, look
from tests.support.world import (
    BUNDLE,
    JURISDICTION,
    SIDE,
    SOUTH,
    WARDS,
    WEST,
    World,
    blob,
    citizen,
    official,
)

KINDS = ("pothole", "litter", "bridge", "violence", "inspection")
ANYBODY = citizen("ann")


def town(world: World, seed: int, many: int) -> list[str]:
    """Reports all over the city, some closed in this month or the last, some made private."""
    draw = random.Random(seed)
    made = []
    for _ in range(many):
        service = draw.choice(KINDS)
        place = {
            "lat": SOUTH + draw.random() * SIDE,
            "long": WEST + draw.random() * SIDE * len(WARDS),
        }
        who = official("dispatcher") if service == "inspection" else ANYBODY
        report = world.file(who, service, **place)["id"]
        made.append(report)
        if draw.random() < 0.2:
            world.advance(days=draw.choice([1, 3, 9]))
        boss = official("safe" if service == "violence" else "dispatcher")
        district = world.head(report).district
        officer = official("safe" if service == "violence" else f"officer{district[1]}")
        turn = draw.random()
        if turn < 0.3:
            words = {"reason_code": "spam", "text": "Not a report."}
            world.act(officer, report, "reject", **words)
        elif turn < 0.4 and service != "violence":
            world.protect(report, by=boss)
        elif turn < 0.5 and service == "pothole":
            world.act(boss, report, "reclassify", service="litter", reason="Litter")
    world.project()
    return made


def public(world: World, made: list[str]) -> list[Report]:
    """The heads of public reports."""
    return [head for head in map(world.head, made) if not head.protected]


def boxes(seed: int, many: int) -> Iterator[tuple[float, float, float, float]]:
    """South, west, north, east of boxes in and around the city."""
    draw = random.Random(seed)
    for _ in range(many):
        south = SOUTH + draw.uniform(-0.3, 1) * SIDE
        west = WEST + draw.uniform(-0.3, len(WARDS)) * SIDE
        yield south, west, south + draw.random() * SIDE, west + draw.random() * SIDE * 2


def inside(head: Report, box: tuple[float, float, float, float]) -> bool:
    """Whether a report's public place lies in a box."""
    lat7, long7 = head.public_place
    return box[0] <= lat7 / 1e7 <= box[2] and box[1] <= long7 / 1e7 <= box[3]


def text(box: tuple[float, float, float, float]) -> str:
    """The box as a query parameter."""
    south, west, north, east = box
    return f"{west:.9f},{south:.9f},{east:.9f},{north:.9f}"


def shown(world: World, box: tuple[float, float, float, float], **asked: Any) -> set[str]:
    """The ids that the map shows."""
    return set(by_id(look(world.now, text(box), **asked)))


@pytest.mark.parametrize("seed", range(3))
def test_every_view_shows_exactly_what_lies_in_it(world: World, seed: int) -> None:
    """Against brute force over the heads, with every filter."""
    heads = public(world, town(world, seed, 60))
    opened = [head for head in heads if head.open]
    months = sorted({head.closed_month for head in heads if head.closed_month})
    assert opened
    assert months
    later = world.now - timedelta(days=10)
    for box in boxes(seed, 25):
        south, west, north, east = (round(side, 9) for side in box)
        box = (south, west, north, east)
        within = [head for head in opened if inside(head, box)]
        assert shown(world, box) == {head.id for head in within}
        for filters, keep in (
            ({"service": "litter"}, lambda head: head.service == "litter"),
            ({"district": "D2"}, lambda head: head.district == "D2"),
            ({"status": "submitted"}, lambda head: head.state == "submitted"),
            ({"since": later.isoformat()}, lambda head: head.filed_at >= later),
        ):
            assert shown(world, box, **filters) == {head.id for head in within if keep(head)}
        for month in months:
            closed = {h.id for h in heads if h.closed_month == month and inside(h, box)}
            assert shown(world, box, status="closed", closed_from=month) == closed
            both = closed | {head.id for head in within}
            assert shown(world, box, closed_from=month) == both


@pytest.mark.parametrize(
    ("path", "query"),
    [("/v1/map/reports", viewport.ViewQuery), ("/v1/map/nearby", nearby.NearbyQuery)],
)
def test_every_parameter_of_the_map_has_an_effect(path: str, query: Any) -> None:
    """Also a filter that somebody adds to a route, and forgets to apply."""
    document = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
    parameters = document["paths"][path]["get"]["parameters"]
    named = {row["name"] for row in parameters if row.get("in") == "query"}
    named -= {"jurisdiction_id"}
    assert named == {field.name for field in fields(query)}
    optional = {field.name for field in fields(query) if field.default is None}
    assert optional - {"closed_from", "closed_to"} <= FILTERS.keys()


def test_the_map_is_lean_and_newest_first(world: World) -> None:
    made = town(world, 5, 40)
    found = look(world.now)["features"]
    assert [one["id"] for one in found] == sorted((one["id"] for one in found), reverse=True)
    head = world.head(found[0]["id"])
    assert found[0]["geometry"]["coordinates"] == [head.long, head.lat]
    assert found[0]["properties"] == {"state": head.state, "service": head.service}
    assert made


def test_a_broken_promise_is_shown(world: World) -> None:
    report = world.file(service="litter")["id"]
    watcher = Watcher(world.now)
    assert "late" not in watcher.there[report]["properties"]
    world.advance(hours=25)
    watcher.sleep(world.now)
    world.sweep()
    world.project()
    watcher.poll(world.now)
    assert watcher.there[report]["properties"]["late"] is True
    assert by_id(look(world.now)) == watcher.there


def test_more_than_the_limit_is_counted_in_cells(world: World) -> None:
    """The counts of the cells are those of the reports that fit, filters included."""
    heads = public(world, town(world, 6, 60))
    for filters in ({}, {"service": "litter"}, {"since": (world.now).isoformat()}):
        whole = look(world.now, **filters)
        answer = look(world.now, limit=1, **filters)
        if len(whole["features"]) <= 1:
            assert "truncated" not in answer
            continue
        assert (answer["truncated"], answer["features"]) == (True, [])
        many = Counter(
            tile(world.head(one["id"]).lat, world.head(one["id"]).long, 16)
            for one in whole["features"]
        )
        counted = {(x, y): n for x, y, n in answer["cells"]["cells"]}
        assert counted == many
    assert heads


def test_a_view_of_too_many_rows_is_counted_by_the_counters(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If one partition of the index holds more than the limit, nothing more is read."""
    heads = public(world, town(world, 7, 60))
    limits = {**viewport.parameters.limits(), "range_rows": 3}
    monkeypatch.setattr(viewport.parameters, "limits", lambda: limits)
    answer = look(world.now, limit=3)
    many = Counter(tile(head.lat, head.long, 16) for head in heads if head.open)
    assert {(x, y): n for x, y, n in answer["cells"]["cells"]} == many


@pytest.mark.parametrize("seed", range(2))
def test_cells_count_what_the_heads_say(world: World, seed: int) -> None:
    """Every zoom, window, service and status against brute force."""
    heads = public(world, town(world, seed + 20, 60))
    days = sorted({head.filed_day for head in heads})
    assert len(days) > 2

    def day(text: str) -> str:
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"

    windows = [(None, None), (days[0], days[-1]), (days[1], days[1]), ("20261101", "20261130")]
    for first, last in windows:
        for service in (None, "litter"):
            for status in (None, "open", "closed"):
                for zoom in (16, 13, 0):
                    asked = heatmap.HeatQuery(
                        zoom,
                        first=day(first) if first else None,
                        last=day(last) if last else None,
                        service=service,
                        status=status,
                    )
                    found = heatmap.cells(JURISDICTION, asked, world.now)
                    fitting = [
                        head
                        for head in heads
                        if (first is None or first <= head.filed_day <= (last or ""))
                        and service in (None, head.service)
                        and status in (None, "open" if head.open else "closed")
                    ]
                    many = Counter(tile(head.lat, head.long, zoom) for head in fitting)
                    assert {(x, y): n for x, y, n in found["cells"]} == many
                    assert dict(found["districts"]) == Counter(head.district for head in fitting)
                    assert found["total"] == len(fitting)


def test_a_box_of_cells_takes_those_that_it_touches(world: World) -> None:
    heads = public(world, town(world, 30, 40))
    box = (SOUTH, WEST, SOUTH + SIDE / 2, WEST + SIDE)
    found = heatmap.cells(JURISDICTION, heatmap.HeatQuery(16, bbox=text(box)), world.now)
    left, top = tile(box[2], box[1], 16)
    right, bottom = tile(box[0], box[3], 16)
    many = Counter(tile(head.lat, head.long, 16) for head in heads)
    assert {(x, y): n for x, y, n in found["cells"]} == {
        (x, y): n for (x, y), n in many.items() if left <= x <= right and top <= y <= bottom
    }


def test_counters_survive_duplicates_crashes_and_any_order(world: World) -> None:
    """Events twice, newest first, killed in between: the counters equal a recount."""
    made = [world.finished() for _ in range(2)]
    world.act(citizen("reporter"), made[0], "verify")
    world.act(citizen("reporter"), made[0], "reopen", reason="Again")
    texts = [text for text, _ in timeline_rows.whole_timeline()]
    draw = random.Random(4)
    for text in draw.sample(texts, len(texts)) + draw.sample(texts, len(texts)):
        timeline_events.apply(json.loads(text), world.now)
    assert monthly_counts.rebuild()["changed"] == 0
    total = heatmap.cells(JURISDICTION, heatmap.HeatQuery(0), world.now)
    assert total["total"] == len(made)


def test_nearby_is_sorted_by_distance_and_exact(world: World) -> None:
    heads = [head for head in public(world, town(world, 8, 80)) if head.open]
    draw = random.Random(8)
    for _ in range(20):
        lat, long = SOUTH + draw.random() * SIDE, WEST + draw.random() * SIDE * 4
        asked = nearby.NearbyQuery(lat, long, draw.choice([50, 250, 1000]), 200)
        answer = nearby.around(JURISDICTION, asked, world.now)["reports"]
        right = sorted(
            (distance_m(lat, long, head.lat, head.long), head.id)
            for head in heads
            if distance_m(lat, long, head.lat, head.long) <= asked.radius
        )
        assert [one["id"] for one in answer] == [report for _, report in right]
    by_group = nearby.NearbyQuery(SOUTH + SIDE / 2, WEST + 2 * SIDE, 1000, 200, group="waste")
    assert {
        one["service"] for one in nearby.around(JURISDICTION, by_group, world.now)["reports"]
    } == {"litter"}
    few = nearby.NearbyQuery(SOUTH + SIDE / 2, WEST + 2 * SIDE, 1000, 1)
    assert nearby.around(JURISDICTION, few, world.now)["truncated"] is True


def coarse(world: World, decimals: int) -> None:
    """Publish the city with a service whose places are rounded."""
    from chalicelib.services.city import cities

    services = [
        {**one, "public_decimals": decimals} if one["code"] == "litter" else one
        for one in BUNDLE["services"]
    ]
    cities.publish({**BUNDLE, "version": "rounded", "services": services}, blob(), [], world.now)
    world.advance(minutes=1)


def test_a_coarse_service_shows_its_rounded_place_everywhere(world: World) -> None:
    """Index, view, cells, circle, public view and scorecard row all have only the rounded place."""
    coarse(world, 3)
    lat, long = -6.19437, 106.80567
    report = world.file(service="litter", lat=lat, long=long)["id"]
    world.project()
    feature = by_id(look(world.now))[report]
    assert feature["geometry"]["coordinates"] == [106.806, -6.194]
    exact = (lat - 1e-5, long - 1e-5, lat + 1e-5, long + 1e-5)
    rounded = (-6.19401, 106.80599, -6.19399, 106.80601)
    assert shown(world, exact) == set()
    assert shown(world, rounded) == {report}
    close = nearby.NearbyQuery(lat, long, 20, 50)
    assert nearby.around(JURISDICTION, close, world.now)["reports"] == []
    found = nearby.around(JURISDICTION, nearby.NearbyQuery(-6.194, 106.806, 1, 50), world.now)
    assert found["reports"][0]["distance_m"] == 0
    x, y = tile(-6.194, 106.806, 16)
    assert heatmap.cells(JURISDICTION, heatmap.HeatQuery(16), world.now)["cells"] == [[x, y, 1]]
    event = world.events(report)[0]
    assert event["after"]["place"] == [-61940000, 1068060000]
    assert (event["score"]["lat7"], event["score"]["long7"]) == (-61940000, 1068060000)


def test_a_report_made_private_leaves_the_map_and_its_log_says_only_that(world: World) -> None:
    report = world.file()["id"]
    world.project()
    watcher = Watcher(world.now)
    assert report in watcher.there
    words = {"service": "misconduct", "reason": "Private"}
    world.act(official("dispatcher"), report, "reclassify", **words)
    world.project()
    answer = json.loads(changes.since(JURISDICTION, watcher.cursor, world.now))
    assert answer["remove"] == [report]
    assert answer["upsert"] == []
    world.act(official("safe"), report, "take")
    world.act(official("safe"), report, "start")
    hidden = world.file(service="violence")["id"]
    world.project()
    after = json.loads(changes.since(JURISDICTION, answer["cursor"], world.now))
    assert (after["upsert"], after["remove"]) == ([], [])
    assert hidden not in by_id(look(world.now))


def test_changes_come_once_and_in_a_few_bytes_when_there_are_none(world: World) -> None:
    watcher = Watcher(world.now)
    for _ in range(5):
        world.file()
        world.project()
        assert watcher.poll(world.now) == 1
        assert watcher.poll(world.now) == 0
        world.advance(seconds=3)
    assert watcher.repeats == 0
    world.advance(seconds=30)
    watcher.poll(world.now)
    idle = changes.since(JURISDICTION, watcher.cursor, world.now)
    assert len(idle) <= 100
    assert json.loads(idle)["cursor"] == watcher.cursor


def test_a_change_that_is_counted_late_is_not_missed(world: World) -> None:
    """A row that becomes readable after newer ones, within the cursor's lag."""
    first, second = world.file()["id"], world.file()["id"]
    watcher = Watcher(world.now)
    watcher.there.clear()
    world.advance(minutes=1)
    watcher.sleep(world.now)
    later = world.now + timedelta(seconds=5)
    timeline_events.apply(world.events(second)[0], later)
    watcher.poll(later)
    timeline_events.apply(world.events(first)[0], world.now)
    watcher.poll(later)
    assert watcher.there.keys() == {first, second}
    assert watcher.repeats == 0


def test_a_flood_of_changes_comes_in_pages(world: World) -> None:
    made = [world.file()["id"] for _ in range(12)]
    watcher = Watcher(world.now)
    watcher.there.clear()
    world.project()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(changes, "PAGE", 5)
        assert watcher.poll(world.now) == len(made)
    assert watcher.there.keys() == set(made)


def test_an_old_cursor_is_gone(world: World) -> None:
    watcher = Watcher(world.now)
    world.advance(hours=25)
    with pytest.raises(Problem) as refused:
        watcher.poll(world.now)
    assert (refused.value.slug, refused.value.status) == ("cursor_expired", 410)


VIEW, CELLS, NEAR, CHANGES = "/v1/map/reports", "/v1/map/cells", "/v1/map/nearby", "/v1/changes"
BOX = {"bbox": "106.8,-6.2,106.84,-6.19"}
POINT = {"lat": -6.195, "long": 106.805}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    (VIEW, {}, "missing_parameter"),
    (VIEW, {"bbox": ""}, "invalid_box"),
    (VIEW, {"bbox": "1,2,3"}, "invalid_box"),
    (VIEW, {"bbox": "NaN,0,1,1"}, "invalid_box"),
    (VIEW, {"bbox": "inf,0,1,1"}, "invalid_box"),
    (VIEW, {"bbox": "1e2,0,1,1"}, "invalid_box"),
    (VIEW, {"bbox": "106.84,-6.2,106.8,-6.19"}, "invalid_box"),
    (VIEW, {"bbox": "106.8,-6.19,106.84,-6.2"}, "invalid_box"),
    (VIEW, {"bbox": "179.99,-6.2,-179.99,-6.19"}, "invalid_box"),
    (VIEW, {"bbox": "106.8,-96.2,106.84,-6.19"}, "invalid_box"),
    (VIEW, {"bbox": "106.8,-6.2,186.84,-6.19"}, "invalid_box"),
    (VIEW, {"bbox": "106.6,-6.2,106.7,-6.19"}, "box_too_large"),
    (VIEW, {"bbox": "-180,-90,180,90"}, "box_too_large"),
    (VIEW, {**BOX, "status": "broken"}, "unreadable_parameter"),
    (VIEW, {**BOX, "status": "closed"}, "missing_parameter"),
    (VIEW, {**BOX, "service": "nothing"}, "unknown_filter"),
    (VIEW, {**BOX, "service": "violence"}, "unknown_filter"),
    (VIEW, {**BOX, "district": "D9"}, "unknown_filter"),
    (VIEW, {**BOX, "district": "../D1"}, "unreadable_parameter"),
    (VIEW, {**BOX, "since": "yesterday"}, "unreadable_parameter"),
    (VIEW, {**BOX, "limit": 5001}, "unreadable_parameter"),
    (VIEW, {**BOX, "limit": 0}, "unreadable_parameter"),
    (VIEW, {**BOX, "closed_from": "202613"}, "unreadable_parameter"),
    (VIEW, {**BOX, "closed_to": "202611"}, "missing_parameter"),
    (VIEW, {**BOX, "closed_from": "202611", "closed_to": "202610"}, "window_invalid"),
    (VIEW, {**BOX, "closed_from": "202601", "closed_to": "202611"}, "window_invalid"),
    (VIEW, {**BOX, "colour": "red"}, "unknown_parameter"),
    (NEAR, {"lat": 1}, "missing_parameter"),
    (NEAR, {**POINT, "radius": 1001}, "unreadable_parameter"),
    (NEAR, {**POINT, "radius": -1}, "unreadable_parameter"),
    (NEAR, {**POINT, "radius": "NaN"}, "unreadable_parameter"),
    (NEAR, {**POINT, "radius": "Infinity"}, "unreadable_parameter"),
    (NEAR, {**POINT, "lat": "NaN"}, "unreadable_parameter"),
    (NEAR, {**POINT, "lat": 91}, "unreadable_parameter"),
    (NEAR, {**POINT, "lat": 90}, "circle_too_wide"),
    (NEAR, {**POINT, "group": "nothing"}, "unknown_filter"),
    (CELLS, {"z": 17}, "unreadable_parameter"),
    (CELLS, {"z": -1}, "unreadable_parameter"),
    (CELLS, {"bbox": "3,2,1,0"}, "invalid_box"),
    (CELLS, {"bbox": ""}, "invalid_box"),
    (CELLS, {"from": "2026-13-01"}, "unreadable_parameter"),
    (CELLS, {"to": "2026-11-01"}, "missing_parameter"),
    (CELLS, {"from": "2026-11-02", "to": "2026-11-01"}, "window_invalid"),
    (CELLS, {"from": "2016-11-02"}, "window_invalid"),
    (CELLS, {"from": "9999-12-01", "to": "9999-12-31"}, "window_invalid"),
    (CELLS, {"service": "misconduct"}, "unknown_filter"),
    (CELLS, {"status": "assigned"}, "unreadable_parameter"),
    (CHANGES, {"since": ""}, "unreadable_parameter"),
    (CHANGES, {"since": "x"}, "cursor_invalid"),
    (CHANGES, {"since": "A" * 19}, "cursor_invalid"),
    (CHANGES, {"since": "é"}, "cursor_invalid"),
]


@pytest.mark.parametrize(("path", "query", "slug"), WRONG)
def test_wrong_questions_are_400_and_read_nothing(
    edge: Edge,  # noqa: F811
    path: str,
    query: dict[str, Any],
    slug: str,
) -> None:
    reply = edge.get(path, **query)
    assert (reply.status, reply.slug) == (400, slug), reply.text
    assert not [one for one in reply.calls if one.operation == "Query"]


def test_a_forged_cursor_is_refused(edge: Edge) -> None:  # noqa: F811
    """Any changed letter is refused, and so is a cursor of another city."""
    cursor = edge.get(CHANGES).body["cursor"]
    for place, letter in enumerate(cursor):
        other = "A" if letter != "A" else "B"
        forged = cursor[:place] + other + cursor[place + 1 :]
        assert edge.get(CHANGES, since=forged).slug == "cursor_invalid"
    assert edge.get(CHANGES, since=cursor).status == 200


def test_the_map_costs_few_queries(edge: Edge) -> None:  # noqa: F811
    """For a box of any size: at most nine, and eight more for a closed month."""
    me = edge.device()
    edge.file(me)
    edge.project()
    edge.get(VIEW, **BOX)

    def queries(path: str, **asked: Any) -> int:
        reply = edge.get(path, **asked)
        assert reply.status == 200, reply.text
        return [one.operation for one in reply.calls].count("Query")

    wide = {"bbox": "106.76,-6.23,106.847,-6.143"}
    assert queries(VIEW, **BOX) <= 8
    assert queries(VIEW, **wide) <= 9
    assert queries(VIEW, **BOX, closed_from="202610", closed_to="202611") <= 24
    assert queries(NEAR, **POINT, radius=1000) <= 4
    assert queries(CELLS) == 1
    assert queries(CELLS, **{"from": "2026-10-15", "to": "2026-12-15"}) == 3
    assert queries(CHANGES, since=edge.get(CHANGES).body["cursor"]) == 1


@pytest.mark.parametrize(
    ("path", "query"), [(VIEW, BOX), (CELLS, {}), (NEAR, POINT), (CHANGES, {})]
)
def test_every_answer_can_be_validated_and_says_how_long_it_keeps(
    edge: Edge,  # noqa: F811
    path: str,
    query: dict[str, Any],
) -> None:
    """RFC 9110: a matching tag is 304 without a body; another one, or a change, is not."""
    first = edge.get(path, **query)
    tag = first.headers["etag"]
    assert first.headers["cache-control"].startswith(("public, max-age=", "no-cache"))
    for known in (tag, f'"x", {tag}', tag.removeprefix("W/"), "*"):
        again = edge.ask("GET", path, query={k: str(v) for k, v in query.items()},
                         headers={"If-None-Match": known})  # fmt: skip
        assert (again.status, again.text, again.headers["etag"]) == (304, "", tag)
    other = edge.ask("GET", path, query={k: str(v) for k, v in query.items()},
                     headers={"If-None-Match": '"x"'})  # fmt: skip
    assert (other.status, other.headers["etag"]) == (200, tag)
    staff = edge.get(path, edge.staff("officer1"), **query)
    assert staff.headers["cache-control"].startswith(("private, max-age=", "no-cache"))
    edge.file(edge.device())
    edge.project()
    edge.advance(minutes=1)
    assert edge.get(path, **query).headers["etag"] != tag
