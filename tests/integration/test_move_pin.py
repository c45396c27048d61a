"""A pin in the wrong place can be corrected, and ward, unit and map follow."""

from typing import Any

import pytest

from chalicelib.errors import Problem
from chalicelib.services.projections import monthly_counts
from chalicelib.services.reports import queries, queues
from tests.support.world import PUBLIC, World, citizen, faults, official, spot

pytestmark = pytest.mark.usefixtures("aws")


def refused(world: World, who: Any, report: str, **fields: Any) -> str:
    """The refusal of moving the pin."""
    with pytest.raises(Problem) as found:
        world.act(who, report, "move_pin", **fields)
    return f"{found.value.status} {found.value.slug}"


def test_an_officer_corrects_a_pin_with_a_reason_and_the_ward_follows() -> None:
    world = World()
    report = world.file(ward="D1-W1")["id"]
    officer = official("officer1")
    assert refused(world, officer, report, **spot("D1-W2")) == "422 action_field_missing"
    world.act(officer, report, "move_pin", **spot("D1-W2"), reason="At the corner.")
    head, event = world.head(report), world.events(report)[-1]
    assert (head.ward, head.state, head.unit) == ("D1-W2", "submitted", "u-d1")
    assert (event["before"]["ward"], event["after"]["ward"]) == ("D1-W1", "D1-W2")
    assert event["set"]["long7"] == head.long7
    assert isinstance(event["set"]["long7"], int)
    assert faults(head, world.links(report)) == []
    world.project()
    assert monthly_counts.rebuild()["differences"] == []


def test_another_district_takes_a_dispatcher_and_its_unit_answers() -> None:
    world = World()
    report = world.file(ward="D1-W2")["id"]
    world.act(official("officer1"), report, "assign", person="s_worker1")
    place = spot("D2-W1")
    assert refused(world, official("officer1"), report, **place, reason="x").startswith("409")
    world.act(official("dispatcher"), report, "move_pin", **place, reason="Across the river.")
    head = world.head(report)
    assert (head.district, head.unit, head.holder, head.state) == ("D2", "u-d2", None, "assigned")
    found = queues.queue(official("officer2"), "D2", None, None, 10, None, world.now)["reports"]
    assert [one["id"] for one in found] == [report]
    assert world.act(official("worker2"), report, "start")["holder"] == "s_worker2"
    assert faults(world.head(report), world.links(report)) == []


def test_a_promise_that_was_missed_stays_missed_wherever_the_pin_goes() -> None:
    world = World()
    report = world.file(service="litter", ward="D2-W1")["id"]
    was = world.head(report).city_due_at
    world.advance(days=20)
    world.act(official("dispatcher"), report, "move_pin", **spot("D1-W1"), reason="x")
    assert world.head(report).city_due_at == was


def test_a_reporter_corrects_the_pin_while_nobody_has_taken_the_report_on() -> None:
    world, me = World(), citizen("reporter")
    report = world.file(ward="D1-W1")["id"]
    world.act(me, report, "move_pin", **spot("D2-W1"))
    assert (world.head(report).ward, world.head(report).unit) == ("D2-W1", "u-d2")
    for share in (0.2, 0.3):
        world.act(me, report, "move_pin", **spot("D1-W1", east=share))
    assert refused(world, me, report, **spot("D1-W1", east=0.4)) == "409 pins_spent"
    assert refused(world, citizen("other"), report, **spot("D1-W2")) == "403 role_not_allowed"
    taken = world.file(ward="D1-W1", actor=citizen("b"))["id"]
    world.act(official("officer1"), taken, "assign", person="s_worker1")
    assert refused(world, citizen("b"), taken, **spot("D1-W2")) == "409 wrong_state"


def test_a_pin_outside_the_city_is_refused() -> None:
    world = World()
    report = world.file()["id"]
    far = {"lat": 10.0, "long": 10.0, "reason": "x"}
    assert refused(world, official("officer1"), report, **far) == "422 outside_area"
    half = {"lat": spot("D1-W1")["lat"], "reason": "x"}
    assert refused(world, official("officer1"), report, **half) == "422 action_field_missing"


def test_duplicates_and_map_follow_the_pin() -> None:
    world = World()
    there = world.file(ward="D1-W2", actor=citizen("a"))["id"]
    report = world.file(ward="D1-W1")["id"]
    done = world.act(official("officer1"), report, "move_pin", **spot("D1-W2"), reason="x")
    assert [duplicate["id"] for duplicate in done["possible_duplicates"]] == [there]
    near = world.file(ward="D1-W2", actor=citizen("c"))["possible_duplicates"]
    assert {one["id"] for one in near} == {there, report}
    assert world.file(ward="D1-W1", actor=citizen("d"))["possible_duplicates"] == []


def test_a_transfer_takes_a_pin_or_asks_for_one() -> None:
    world = World()
    report = world.file(ward="D1-W1")["id"]
    officer = official("officer1")
    done = world.act(officer, report, "transfer", ward="D1-W2", reason="x")
    assert done["pin_elsewhere"] is True
    world.act(officer, report, "transfer", ward="D1-W1", reason="x")
    with pytest.raises(Problem) as found:
        world.act(officer, report, "transfer", ward="D1-W2", reason="x", **spot("D2-W1"))
    assert found.value.slug == "pin_not_in_ward"
    done = world.act(officer, report, "transfer", ward="D1-W2", reason="x", **spot("D1-W2"))
    assert "pin_elsewhere" not in done
    assert world.head(report).long7 == round(spot("D1-W2")["long"] * 1e7)
    assert faults(world.head(report), world.links(report)) == []


def test_the_public_timeline_does_not_tell_the_exact_place() -> None:
    world = World()
    report = world.file(ward="D1-W1")["id"]
    world.act(official("officer1"), report, "move_pin", **spot("D1-W2", 0.1234567), reason="x")
    told = str(queries.timeline(PUBLIC, report, 0))
    assert str(world.head(report).long7) not in told
    assert "lat7" not in told
