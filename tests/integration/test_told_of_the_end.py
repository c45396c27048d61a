"""Holders, offered units and called agencies hear that a report was closed, left or moved."""

from typing import Any

import pytest

from tests.integration.test_agencies import coordinated, offered
from tests.integration.test_audience import ALL, _no_digests, last, reach, told
from tests.integration.test_outbox import quiet
from tests.support.world import World, citizen, official, spot

__all__ = ["_no_digests"]
ENDS: dict[str, dict[str, Any]] = {
    "reject": {"reason_code": "spam", "text": "No."},
    "disown": {"text": "The toll road's."},
    "merge": {},
}
LAMPS = {"lamps", "lampist"}


def end(world: World, action: str, report: str, older: str) -> None:
    """The district's officer closes it."""
    more = {"into": older} if action == "merge" else ENDS[action]
    world.act(official("officer1"), report, action, **more)


@pytest.mark.parametrize("action", ["disown", "merge"])
def test_a_called_agency_hears_that_the_report_was_closed(world: World, action: str) -> None:
    """The district's officer closes what was coordinated with it."""
    reach(*ALL)
    older = world.file(citizen("older"))["id"]
    report = coordinated(world)
    quiet(world)
    end(world, action, report, older)
    assert set(told(world)[action]) == LAMPS
    text = last(world).text
    assert text.startswith("Ditutup")
    assert "Dikoordinasikan dengan u-lamps (id)." in text


@pytest.mark.parametrize("action", sorted(ENDS))
def test_a_unit_hears_that_what_it_was_offered_was_closed(world: World, action: str) -> None:
    """So that its workers do not go there."""
    reach(*ALL)
    older = world.file(citizen("older"))["id"]
    report = offered(world)
    quiet(world)
    end(world, action, report, older)
    assert set(told(world)[action]) == LAMPS


@pytest.mark.parametrize("action", sorted(ENDS))
def test_a_worker_hears_that_their_report_was_closed(world: World, action: str) -> None:
    """Nobody else is told, also not the officer's own unit."""
    reach(*ALL)
    older = world.file(citizen("older"))["id"]
    held, unheld = world.file(citizen("b"))["id"], world.file(citizen("c"))["id"]
    world.act(official("officer1"), held, "assign", person="s_worker1")
    quiet(world)
    end(world, action, unheld, older)
    assert told(world).get(action) is None
    end(world, action, held, older)
    assert told(world)[action] == ["worker1"]


def test_a_unit_hears_that_somebody_else_does_what_it_was_offered(world: World) -> None:
    """The district's worker begins with it."""
    reach(*ALL)
    report = offered(world)
    quiet(world)
    world.act(official("worker1"), report, "start")
    assert set(told(world)["start"]) == LAMPS


def test_a_called_agency_hears_that_others_have_repaired_it(world: World) -> None:
    """It is not told of its own repair."""
    reach(*ALL)
    first, second = coordinated(world), coordinated(world)
    quiet(world)
    world.finish(official("worker1"), first)
    assert set(told(world)["finish"]) == LAMPS
    quiet(world)
    world.finish(official("lampist"), second)
    assert "finish" not in told(world)


def test_a_called_agency_hears_that_the_place_was_corrected(world: World) -> None:
    """Its people would look in the wrong street."""
    reach(*ALL)
    report = coordinated(world)
    quiet(world)
    place = spot("D1-W1", 0.7, 0.7)
    world.act(official("officer1"), report, "move_pin", **place, reason="It is there.")
    assert set(told(world)["move_pin"]) >= LAMPS


def test_the_closing_of_a_protected_report_tells_nobody(world: World) -> None:
    """Its unit has closed it itself."""
    reach(*ALL)
    report = world.file(service="misconduct")["id"]
    quiet(world)
    world.act(official("safe"), report, "reject", **ENDS["reject"])
    assert "reject" not in told(world)


def test_verifiers_of_the_new_district_hear_what_waits_for_them(
    world: World,
) -> None:
    """The pin lay in the wrong district: the verifiers and the officials there are told, and it
    stands in that district's queue, where a verifier may judge it."""
    from chalicelib.services.reports import queues

    reach(*ALL)
    report = world.finished()
    world.act(citizen("reporter"), report, "refuse", reason="Still there.")
    world.act(official("worker1"), report, "dispute", reason="It is repaired.")
    quiet(world)
    place = spot("D2-W1")
    world.act(official("dispatcher"), report, "move_pin", **place, reason="It is there.")
    heard = set(told(world)["move_pin"])
    assert {"verifier", "verifier2", "officer2", "head2"} <= heard
    asked = {"state": "work_done", "due_within": None, "limit": 5, "cursor": None}
    verifier = official("verifier")
    page = queues.queue(verifier, "D2", **asked, now=world.now)
    assert [row["id"] for row in page["reports"]] == [report]
    assert queues.queue(verifier, "D1", **asked, now=world.now)["reports"] == []
    world.act(verifier, report, "verify")


def test_a_report_of_an_agency_that_comes_to_a_district_is_told_there(world: World) -> None:
    """The agency keeps it; the district's officers and head learn of it."""
    reach(*ALL)
    report = world.file(service="lamp")["id"]
    quiet(world)
    world.act(official("dispatcher"), report, "move_pin", **spot("D2-W1"), reason="There.")
    assert {"lamps", "officer2", "head2"} <= set(told(world)["move_pin"])
