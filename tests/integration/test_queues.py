"""An official's queue: by holder, and by the next deadline."""

from typing import Any

import pytest

from chalicelib.errors import Problem
from chalicelib.services.reports import queues
from tests.support.world import World, official


def page(world: World, who: str = "officer1", **asked: Any) -> dict[str, Any]:
    """A page of D1's queue."""
    wanted = {"district": None, "state": None, "due_within": None, "limit": 50, "cursor": None}
    return queues.queue(official(who), **{**wanted, **asked}, now=world.now)


def ids(answer: dict[str, Any]) -> list[str]:
    """The reports of a page."""
    return [report["id"] for report in answer["reports"]]


def held(world: World, people: str) -> dict[str, list[str]]:
    """Potholes filed a minute apart, each given to the next of these officials ("-": to none)."""
    found: dict[str, list[str]] = {}
    for person in people.split():
        report = world.file()["id"]
        if person != "-":
            world.act(official("officer1"), report, "assign", person=f"s_{person}")
        found.setdefault(person, []).append(report)
        world.advance(minutes=1)
    return found


def test_the_queue_of_one_holder(world: World) -> None:
    """By reference or as ``me``; a report without a holder is nobody's."""
    given = held(world, "worker1 officer1 - worker1 mate1")
    assert ids(page(world, holder="s_worker1")) == given["worker1"]
    assert ids(page(world, holder="me")) == given["officer1"]
    assert ids(page(world, who="mate1", holder="me")) == given["mate1"]
    assert ids(page(world, holder="s_nobody")) == []
    assert len(ids(page(world))) == 5


def test_an_early_warning_is_a_holder_and_some_hours(world: World) -> None:
    """What falls due within a day, or is overdue, of one person."""
    late = held(world, "worker1 mate1")
    world.advance(hours=110)
    held(world, "worker1 mate1")
    assert ids(page(world, holder="s_worker1", due_within=24)) == late["worker1"]
    assert ids(page(world, holder="s_worker1", due_within=0)) == []
    world.advance(hours=20)
    assert ids(page(world, holder="s_worker1", due_within=0)) == late["worker1"]


@pytest.mark.parametrize("state", [None, "assigned"])
@pytest.mark.parametrize("limit", [1, 2, 50])
def test_pages_may_be_short_but_nothing_is_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch, state: str | None, limit: int
) -> None:
    """With any number of rows a request, the cursors lead to each report once."""
    monkeypatch.setattr(queues, "ROWS_READ_AT_MOST", 3)
    given = held(world, "mate1 mate1 mate1 mate1 worker1 - mate1 worker1 worker1 - - - - worker1")
    if state is None:
        world.act(official("worker1"), given["worker1"][2], "start")
    found: list[str] = []
    cursor, pages = None, 0
    while True:
        one = page(world, holder="s_worker1", state=state, limit=limit, cursor=cursor)
        assert len(one["reports"]) <= limit
        found += ids(one)
        cursor, pages = one["cursor"], pages + 1
        if cursor is None:
            break
        assert pages < 20
    assert found == given["worker1"]
    assert pages > 1


def test_a_cursor_is_good_for_its_holder_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another filter needs a new cursor."""
    monkeypatch.setattr(queues, "ROWS_READ_AT_MOST", 2)
    held(world, "worker1 mate1 worker1")
    cursor = page(world, holder="s_worker1")["cursor"]
    assert cursor is not None
    with pytest.raises(Problem, match="cursor_invalid"):
        page(world, holder="s_mate1", cursor=cursor)


def test_a_holders_name_opens_no_other_district(world: World) -> None:
    """Another district's holder shows nothing."""
    held(world, "worker1")
    with pytest.raises(Problem, match="not_found"):
        page(world, who="officer2", district="D1", holder="s_worker1")
    assert ids(page(world, who="officer2", holder="s_worker1")) == []
