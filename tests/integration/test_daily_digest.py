"""The morning digest: one for each unit and day."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.services.city import cities
from chalicelib.services.notifications import daily_digest, outbox
from chalicelib.storage import control, report_lists
from tests.integration.test_outbox import Sent, quiet, sent
from tests.support import aws
from tests.support.world import JURISDICTION, World, citizen, official

SEVEN = datetime(2026, 11, 3, 0, 0, tzinfo=UTC)  # 07:00 in the city


def filed(world: World, n: int = 1, **more: Any) -> list[str]:
    """Reports, a minute apart."""
    found = []
    for number in range(n):
        found.append(world.file(citizen(f"c{number}"), **more)["id"])
        world.advance(minutes=1)
    return found


def mornings(world: World) -> dict[str, Sent]:
    """By unit, what has been said this morning; each unit has heard it once."""
    outbox.drain(now=world.now)
    found = [one for one in sent() if one.attributes["event"] == "morning"]
    assert len({one.attributes["unit"] for one in found}) == len(found)
    return {one.attributes["unit"]: one for one in found}


def test_a_unit_gets_its_morning_digest(world: World) -> None:
    """What falls due by tomorrow, next first, and how many are overdue; the unit alone is told."""
    litter = filed(world, 2, service="litter")
    filed(world, service="flood", answers={"depth": 3})
    filed(world, service="bridge")
    filed(world, service="litter", ward="D2-W1")
    quiet(world)
    world.now = SEVEN
    assert daily_digest.notify(world.now) == 2
    found = mornings(world)
    assert sorted(found) == ["u-d1", "u-d2"]
    assert (found["u-d2"].data["due"], found["u-d2"].data["overdue"]) == ([], 1)
    notice = found["u-d1"]
    assert notice.attributes["audience"] == ["unit:u-d1"]
    assert notice.data["due"] == litter
    assert notice.data["overdue"] == 1
    first, *lines, queue = notice.text.splitlines()
    assert first == "u-d1 (id), 03-11-2026: 2 jatuh tempo sampai besok pagi, 1 sudah terlambat."
    assert lines == [f"03-11 08:0{n} litter (id), Ward D1-W1" for n in range(2)]
    assert "/v1/queue" in queue
    assert notice.data["dedupe"] == f"{JURISDICTION}:morning:2026-11-03:u-d1"


def test_the_morning_digest_comes_after_its_hour_and_once_a_day(world: World) -> None:
    """At the city's local hour; a missed run is made up on the same day."""
    filed(world, service="flood", answers={"depth": 3})
    quiet(world)
    world.now = datetime(2026, 11, 2, 23, 59, tzinfo=UTC)
    assert daily_digest.notify(world.now) == 0
    world.advance(minutes=1)
    assert [daily_digest.notify(world.now) for _ in range(3)] == [1, 0, 0]
    world.advance(hours=17)
    assert daily_digest.notify(world.now) == 0, "a new day, and still night"
    world.advance(hours=15)
    assert [daily_digest.notify(world.now) for _ in range(2)] == [1, 0], "made up for at three"
    keys = {row["sk"] for row in aws.rows("control") if row["pk"] == "*#OUT#0"}
    assert len(keys) == 2


def test_a_unit_with_nothing_to_do_hears_nothing(world: World) -> None:
    """Neither a unit whose deadlines are far off, nor one whose reports are finished or paused."""
    filed(world, service="bridge")
    done = world.finished(service="litter")
    assert world.head(done).state == "work_done"
    asked = filed(world, service="litter", contact={"email": "ann@example.org"})[0]
    world.act(official("officer1"), asked, "ask", question="Which side?")
    world.now = SEVEN
    assert daily_digest.notify(world.now) == 0


def test_a_backlog_does_not_hide_what_falls_due_today(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The overdue are counted to a bound, those of today read apart."""
    monkeypatch.setattr(daily_digest, "MOST", 3)
    filed(world, 5, service="flood", answers={"depth": 3})
    litter = filed(world, 2, service="litter")
    quiet(world)
    world.now = SEVEN
    assert daily_digest.notify(world.now) == 1
    (notice,) = mornings(world).values()
    assert "2 jatuh tempo" in notice.text
    assert "3+ sudah terlambat" in notice.text
    assert notice.data["due"] == litter


def test_long_lists_are_cut_and_say_so(world: World) -> None:
    """Twenty lines."""
    filed(world, 23, service="litter")
    quiet(world)
    world.now = SEVEN
    daily_digest.notify(world.now)
    (notice,) = mornings(world).values()
    assert len(notice.text.splitlines()) == 1 + 20 + 1 + 1
    assert "3 lagi" in notice.text
    assert len(notice.data["due"]) == 23


def test_protected_reports_are_a_number_for_their_own_unit(world: World) -> None:
    """No service, no ward, no id; the unit's protected desk, which hears nothing else, hears it."""
    secret = filed(world, service="violence") + filed(world, service="misconduct")
    quiet(world)
    world.now = SEVEN
    daily_digest.notify(world.now)
    found = mornings(world)
    assert list(found) == ["u-safe"]
    notice = found["u-safe"]
    assert notice.attributes["audience"] == ["unit:u-safe"]
    assert notice.attributes["protected"] == ["false", "true"]
    assert "Termasuk laporan terlindungi unit Anda: 1." in notice.text
    said = json.dumps(notice.texts)
    assert not any(word in said for word in ("violence", "misconduct", "D1-W1", *secret))


def test_runs_that_overlap_tell_nobody_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The marker and the message are one transaction: the second run writes neither."""
    filed(world, service="litter")
    filed(world, service="litter", ward="D2-W1")
    quiet(world)
    world.now = SEVEN
    monkeypatch.setattr(control, "noticed", lambda *_: False)
    assert [daily_digest.notify(world.now) for _ in range(2)] == [2, 0]
    assert len(mornings(world)) == 2


def test_a_run_that_is_cut_short_is_finished_by_the_next(world: World) -> None:
    """The day is done only when every unit was told."""
    filed(world, service="litter")
    filed(world, service="litter", ward="D2-W1")
    quiet(world)
    world.now = SEVEN
    once = iter([True])
    assert daily_digest.notify(world.now, lambda: next(once, False)) == 1
    world.advance(hours=1)
    assert daily_digest.notify(world.now) == 1
    assert sorted(mornings(world)) == ["u-d1", "u-d2"]


def test_a_broken_city_does_not_silence_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged and tried again within the hour."""
    filed(world, service="litter")
    monkeypatch.setattr(cities, "jurisdictions", lambda: ["nowhere", JURISDICTION])
    world.now = SEVEN
    assert daily_digest.notify(world.now) == 1


def test_the_reads_of_the_digest_do_not_grow_with_the_reports(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many Queries a district, and one look at the marker when the day is done."""
    reads: list[str] = []
    real = report_lists.queue_page
    monkeypatch.setattr(
        report_lists, "queue_page", lambda *args: reads.append(args[1]) or real(*args)
    )
    counts = []
    for day in range(2):
        filed(world, 4 * day, service="litter")
        world.now = SEVEN.replace(day=3 + day)
        reads.clear()
        daily_digest.notify(world.now)
        counts.append(len(reads))
        reads.clear()
        daily_digest.notify(world.now)
        assert reads == []
    assert counts[0] == counts[1] == 2 * 4 * 3, "two spans, four running states, three desks"
