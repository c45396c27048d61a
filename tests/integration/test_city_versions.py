"""A city changes while reports are open: no report is stranded in the old version."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.notifications import alerts
from chalicelib.domain.timestamps import iso
from chalicelib.services.city import cities
from chalicelib.services.city import staff as officials
from chalicelib.services.reports import city_migration, queries, queues
from tests.support import second_version
from tests.support.second_version import official, publish
from tests.support.world import JURISDICTION, PUBLIC, STAFF, World, citizen, faults
from tests.support.world import blob as first_blob
from tests.support.world import official as before

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture
def world() -> Iterator[World]:
    """The first version of the city; the caches are cleared afterwards."""
    found = World()
    yield found
    cities.forget()
    officials.forget()


def whole(world: World, report: str) -> None:
    """Head and timeline agree, and the counters are those of the timeline."""
    assert faults(world.head(report), world.links(report)) == []


def queued(world: World, who: Any, district: str) -> list[str]:
    """The reports that an official finds in a district's queue."""
    page = queues.queue(who, district, None, None, 50, None, world.now)
    return [report["id"] for report in page["reports"]]


def test_an_older_report_can_be_given_to_a_new_unit(world: World) -> None:
    report = world.file()["id"]
    publish(world)
    world.advance(minutes=1)
    boss = official("officer1")
    assert world.act(boss, report, "assign", unit="u-parks")["offered_to"] == "u-parks"
    gardener = official("gardener")
    assert world.act(gardener, report, "accept")["unit"] == "u-parks"
    public = queries.public(PUBLIC, report)
    assert public["unit"]["name"]["en"] == "u-parks"
    whole(world, report)


def test_an_older_report_can_be_coordinated_with_a_new_agency(world: World) -> None:
    report = world.file()["id"]
    publish(world)
    world.act(official("officer1"), report, "coordinate", agency="u-parks", reason="A tree.")
    assert world.head(report).agency == "u-parks"
    assert world.act(official("gardener"), report, "finish", photos=[world.photo(
        official("gardener"))], note="Cut.")["state"] == "work_done"  # fmt: skip
    whole(world, report)


def test_an_older_report_can_be_transferred_to_a_new_ward(world: World) -> None:
    report = world.file(ward="D2-W1")["id"]
    publish(world)
    done = world.act(official("officer2"), report, "transfer", ward="DX-E", reason="Over there.")
    assert (done["unit"], world.head(report).ward) == ("u-d2", "DX-E")
    whole(world, report)


def test_a_renamed_district_finds_its_open_reports_in_its_queue(world: World) -> None:
    kept, again = world.file(ward="D2-W1")["id"], world.file(ward="D2-W2")["id"]
    other = world.file(ward="D1-W1")["id"]
    publish(world)
    novice = official("novice")
    assert set(queued(world, novice, "DX")) == {kept, again}
    assert queued(world, official("officer1"), "D1") == [other]
    assert world.act(novice, kept, "assign", person="s_novice")["holder"] == "s_novice"
    assert world.act(novice, kept, "start")["state"] == "in_progress"


def test_a_divided_wards_report_goes_where_its_pin_lies(world: World) -> None:
    west = world.file(ward="D2-W2", **_at(0.2))["id"]
    east = world.file(ward="D2-W2", **_at(0.8))["id"]
    done = publish(world)
    assert (world.head(west).ward, world.head(east).ward) == ("DX-W", "DX-E")
    assert {one for one, _ in done.moved} == {west, east}
    assert dict(done.moved)[west] == "ward D2-W2 → DX-W, district D2 → DX"


def _at(east: float) -> dict[str, float]:
    from tests.support.world import spot

    return spot("D2-W2", east=east)


def test_a_promise_made_under_the_old_version_stays(world: World) -> None:
    """Its hours, its calendar and its district's own target, through pauses too."""
    report = world.file(service="litter", ward="D2-W1")["id"]
    was = world.head(report)
    slower = second_version.bundle()
    for service in slower["services"]:
        service["resolve"] = {"hours": 900, "clock": "working"}
    publish(world, services=slower["services"], overrides=[])
    now = world.head(report)
    assert now.district == "DX"
    assert (now.due_at, now.city_due_at) == (was.due_at, was.city_due_at)
    world.act(official("officer2"), report, "assign", person="s_worker2")
    until = iso(world.now.replace(hour=5))
    world.act(official("officer2"), report, "schedule", until=until, reason="Rain.")
    world.advance(hours=4)
    world.sweep()
    assert world.head(report).due_at - was.due_at == world.now - (world.now.replace(hour=1))
    whole(world, report)


def test_a_new_promise_follows_the_new_version(world: World) -> None:
    report = world.file(service="litter", ward="D1-W1")["id"]
    slower = second_version.bundle()["services"]
    for one in slower:
        if one["code"] == "litter":
            one["resolve"] = {"hours": 900, "clock": "calendar"}
    publish(world, services=slower)
    head = world.head(report)
    done = world.act(official("dispatcher"), report, "transfer", ward="D1-N2", reason="Border.")
    assert done["due_at"] == iso(head.filed_at.replace(day=9) + (900 - 7 * 24) * _hour())
    whole(world, report)


def _hour() -> Any:
    from datetime import timedelta

    return timedelta(hours=1)


def test_a_reopened_reports_promise_is_by_todays_calendar(world: World) -> None:
    """The ward was re-coded while the report was closed, and the holidays are others."""
    report = world.finished(ward="D1-W2", service="bridge")
    world.act(citizen("reporter"), report, "verify")
    calendar = {**second_version.bundle()["calendar"], "holidays": [{"date": "2026-11-03"}]}
    publish(world, calendar=calendar)
    assert world.head(report).ward == "D1-W2"
    world.advance(minutes=5)
    world.act(citizen("reporter"), report, "reopen", reason="Still broken.")
    head, city = world.head(report), cities.current(JURISDICTION, world.now)
    assert (head.ward, head.city_version) == ("D1-N2", second_version.VERSION)
    from chalicelib.domain.sla import deadlines

    wanted = deadlines.promise(city.services["bridge"], "D1", world.now, city)
    assert head.due_at == wanted.due_at
    whole(world, report)


def test_each_moved_report_says_so_in_one_event(world: World) -> None:
    report, other = world.file(ward="D1-W2")["id"], world.file(ward="D1-W1")["id"]
    publish(world)
    event = world.events(report)[-1]
    assert (event["action"], event["actor"]["kind"]) == ("moved", "system")
    assert event["data"] == {"was": {"ward": "D1-W2"}}
    assert (event["before"]["ward"], event["after"]["ward"]) == ("D1-W2", "D1-N2")
    assert [one["action"] for one in world.events(report)] == ["file", "moved"]
    assert [one["action"] for one in world.events(other)] == ["file"]
    whole(world, report)


def test_alerts_of_a_moved_report_name_a_district_that_somebody_listens_to(world: World) -> None:
    report = world.file(ward="D2-W1")["id"]
    publish(world)
    world.act(official("officer2"), report, "assign", person="s_worker2")
    told = alerts.messages(world.events(report)[-1])
    assert {one["district"] for one in told} == {"DX"}
    assert {one["rules"] for one in told} == {second_version.VERSION}


def test_loading_again_moves_nothing_again(world: World) -> None:
    report = world.file(ward="D2-W2")["id"]
    first = publish(world)
    seen = world.links(report)
    again = publish(world)
    assert len(first.moved) == 1
    assert (again.moved, again.freed, again.doubts) == ([], [], [])
    assert world.links(report) == seen


def test_a_move_that_was_broken_off_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    filed = [world.file(ward="D2-W1", actor=citizen(f"c{n}"))["id"] for n in range(4)]
    write, left = city_migration.write_with_key, iter(range(2))

    def dies(*given: Any) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return write(*given)

    monkeypatch.setattr(city_migration, "write_with_key", dies)
    with pytest.raises(KeyboardInterrupt):
        publish(world)
    monkeypatch.undo()
    assert sum(world.head(one).district == "DX" for one in filed) == 2
    done = publish(world)
    assert len(done.moved) == 2
    assert {world.head(one).district for one in filed} == {"DX"}
    assert {len(world.events(one)) for one in filed} == {2}


def test_a_report_that_was_not_moved_yet_can_be_acted_on(world: World) -> None:
    """Filed by a container that still had the old version."""
    report = world.file(ward="D1-W2")["id"]
    cities.publish(
        second_version.bundle(), second_version.blob(), second_version.staff(), world.now
    )
    officials.forget()
    done = world.act(official("officer1"), report, "assign", version=1, unit="u-parks")
    assert (done["offered_to"], world.head(report).ward) == ("u-parks", "D1-N2")
    assert [event["action"] for event in world.events(report)] == ["file", "moved", "assign"]
    whole(world, report)


def test_units_and_services_follow_their_successors(world: World) -> None:
    """An agency that has a report, a unit that is offered one, a service that has another code."""
    lamp = world.file(service="lamp")["id"]
    coordinated, offered = world.file()["id"], world.file()["id"]
    boss = before("officer1")
    world.act(boss, coordinated, "coordinate", agency="u-lamps", reason="Theirs.")
    world.act(boss, offered, "assign", unit="u-lamps")
    was = world.head(lamp).due_at
    publish(world)
    head = world.head(lamp)
    assert (head.service, head.unit, head.due_at) == ("lighting", "u-light", was)
    assert world.head(coordinated).agency == "u-light"
    assert world.head(offered).offered_to == "u-light"
    for report in (lamp, coordinated, offered):
        whole(world, report)
    world.act(official("lamps"), lamp, "assign", person="s_lampist")
    world.advance(days=30)
    world.sweep()
    assert "breach" in [event["action"] for event in world.events(lamp)]
    whole(world, lamp)


def test_a_protected_report_follows_and_stays_with_its_unit(world: World) -> None:
    report = world.file(service="violence", ward="D2-W1")["id"]
    publish(world)
    head = world.head(report)
    assert (head.district, head.unit, head.protected) == ("DX", "u-safe", True)
    page = queues.queue(official("safe"), "protected", None, None, 10, None, world.now)
    assert [one["id"] for one in page["reports"]] == [report]


def test_the_holder_of_a_report_keeps_it_through_the_change(world: World) -> None:
    report = world.file(ward="D2-W1")["id"]
    world.act(before("officer2"), report, "assign", person="s_worker2")
    publish(world)
    assert world.head(report).holder == "s_worker2"
    assert world.act(official("worker2"), report, "start")["state"] == "in_progress"


def test_reports_of_an_official_who_left_go_back_to_the_unit(world: World) -> None:
    """One event each, the unit is alerted, and a colleague takes it."""
    held = world.file()["id"]
    world.act(before("officer1"), held, "assign", person="s_worker1")
    kept = world.file()["id"]
    world.act(before("officer1"), kept, "assign", person="s_mate1")
    rest = [one for one in STAFF if one["ref"] != "s_worker1"]
    cities.publish(_first(), first_blob(), rest, world.now)
    officials.forget()
    done = city_migration.run(JURISDICTION, world.now)
    assert done.freed == [(held, "s_worker1")]
    assert (world.head(held).holder, world.head(held).state) == (None, "assigned")
    assert world.head(kept).holder == "s_mate1"
    event = world.events(held)[-1]
    assert event["action"] == "holder_left"
    (told,) = alerts.messages(event)
    assert (told["level"], told["unit"]) == ("holder_left", "u-d1")
    assert world.act(before("mate1"), held, "start")["holder"] == "s_mate1"
    assert city_migration.run(JURISDICTION, world.now).freed == []
    whole(world, held)


def test_nobody_outside_reads_who_left(world: World) -> None:
    held = world.file()["id"]
    world.act(before("officer1"), held, "assign", person="s_worker1")
    cities.publish(_first(), first_blob(), [o for o in STAFF if o["ref"] != "s_worker1"], world.now)
    officials.forget()
    city_migration.run(JURISDICTION, world.now)
    told = queries.timeline(PUBLIC, held, 0)
    assert "s_worker1" not in str(told)


def _first() -> dict[str, Any]:
    from tests.support.world import BUNDLE

    return BUNDLE


def test_tallies_and_map_follow_the_move(world: World) -> None:
    from chalicelib.services.projections import monthly_counts

    world.file(ward="D2-W2")
    world.file(service="lamp", ward="D1-W2")
    publish(world)
    world.project()
    assert monthly_counts.rebuild()["differences"] == []
    assert {area for _, _, area in world.tallies()} == {"DX", "DX/DX-E", "D1", "D1/D1-N2"}


def test_a_closed_report_that_is_proposed_for_protection_follows_to_the_new_desk(
    world: World,
) -> None:
    """The unit that may take it has another code by then; the holder of the work stays."""
    closed, other = world.finished(), world.finished(actor=citizen("b"))
    for one in (closed, other):
        world.act(citizen("reporter" if one == closed else "b"), one, "verify")
    world.act(before("worker1"), closed, "protect", service="misconduct", reason="It is.")
    held = world.head(closed).holder
    was = second_version.bundle()
    units = [{**unit, "code": {"u-safe": "u-care"}.get(unit["code"], unit["code"])}
             for unit in was["units"]]  # fmt: skip
    services = [{**service, "unit": {"u-safe": "u-care"}.get(service["unit"], service["unit"])}
                for service in was["services"]]  # fmt: skip
    links = {**second_version.SUCCESSORS, "units": {"u-lamps": ["u-light"], "u-safe": ["u-care"]}}
    publish(world, units=units, services=services, successors=links)
    head = world.head(closed)
    assert (head.protection["unit"], head.state, head.holder) == ("u-care", "closed", held)
    assert world.head(other).version == len(world.links(other))
    safe = replace(before("safe"), unit="u-care")
    page = queues.queue(safe, "protected", None, None, 50, None, world.now)
    assert [report["id"] for report in page["reports"]] == [closed]
    world.act(safe, closed, "take")
    whole(world, closed)


def test_verifiers_of_the_renamed_district_are_told_what_waits_for_them(world: World) -> None:
    """The verifiers there are told, by the present code; nobody is told again of other work."""
    waits = world.finished(worker="worker2", ward="D2-W1")
    world.file(citizen("b"), ward="D2-W1")
    publish(world)
    told = [
        message
        for report in (waits, *(card for card in queued(world, official("novice"), "DX")))
        for event in world.events(report)
        if event["action"] == "moved"
        for message in alerts.messages(event)
    ]
    assert {(one["report"], one["district"]) for one in told} == {(waits, "DX")}
    assert told[0]["audience"] == ["verifier"]
