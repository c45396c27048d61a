"""The SLA clock takes every step once, however late or often the sweep runs."""

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.principal import system
from chalicelib.services.reports import actions
from chalicelib.services.sla import sweep
from chalicelib.services.timeline import access
from chalicelib.storage import people, report_lists, reports
from chalicelib.storage.transactions import Unavailable
from tests.support import aws
from tests.support.world import JURISDICTION, World, citizen, faults, official

CLOCK = ("breach", "escalate", "resume", "answer", "lapse", "release", "unmerge", "remerge")


@pytest.fixture
def town(world: World) -> World:
    """The test city, whose ladder has three rungs: at 1, 1.5 and 2 times the promise."""
    return world


def swept(world: World, **span: float) -> Counter[str]:
    """What a sweep does after some time."""
    world.advance(**span)
    return Counter(sweep.sweep(world.now))


def steps(world: World, report: str) -> list[tuple[Any, ...]]:
    """The clock's events of a report: action, and target or level."""
    return [
        (one["action"], *(one["data"][x] for x in ("target", "level") if x in one["data"]))
        for one in world.events(report)
        if one["actor"]["kind"] == "system" and one["action"] in CLOCK
    ]


def test_an_untouched_pothole_breaches_and_escalates(town: World) -> None:
    """24 hours to acknowledge, 120 to resolve, a ladder at 120, 180 and 240 from filing."""
    report = town.file()["id"]
    assert swept(town, hours=24) == Counter(), "the moment itself is in time"
    assert swept(town, seconds=1) == Counter(breach=1)
    assert swept(town, hours=96) == Counter(breach=1, escalate=1)
    assert swept(town, hours=60) == Counter(escalate=1)
    assert swept(town, hours=60) == Counter(escalate=1)
    assert swept(town, days=365) == Counter()
    assert steps(town, report) == [
        ("breach", "acknowledge"),
        ("breach", "resolve"),
        ("escalate", 1),
        ("escalate", 2),
        ("escalate", 3),
    ]
    assert faults(town.head(report), town.links(report)) == []
    assert town.head(report).flow["breached"] == {"202611": 1}


def test_a_week_without_a_clock_is_caught_up_in_one_round(town: World) -> None:
    """Litter has one day: after twelve days every step is one event."""
    filed = [town.file(service="litter")["id"] for _ in range(3)]
    done = swept(town, days=12)
    assert done == Counter(breach=6, escalate=9)
    assert sweep.sweep(town.now) == {}
    for report in filed:
        assert [one[0] for one in steps(town, report)] == ["breach"] * 2 + ["escalate"] * 3
        assert faults(town.head(report), town.links(report)) == []


def test_a_breach_counts_in_the_month_in_which_it_fell_due(town: World) -> None:
    """An outage at the end of the month changes no figure."""
    town.now = datetime(2026, 11, 30, 1, 0, tzinfo=UTC)
    report = town.file(service="flood", answers={"depth": 3})["id"]
    swept(town, days=3)
    flow = town.head(report).flow
    assert flow["breached"] == {"202611": 1}
    assert flow["acknowledge_breached"] == {"202611": 1}


def test_nothing_that_is_done_to_a_report_resets_its_ladder(town: World) -> None:
    """Comments, another holder and a start leave the rungs where filing put them."""
    officer = official("officer1")
    report = town.file()["id"]
    swept(town, hours=121)
    for hours, person in ((50, "s_worker1"), (8, "s_mate1")):
        town.advance(hours=hours)
        town.act(officer, report, "assign", person=person)
    town.act(official("mate1"), report, "start", note="On my way.")
    assert swept(town, hours=1, seconds=1) == Counter(escalate=1)
    assert town.head(report).escalated == 2


def test_a_paused_report_is_left_alone_until_its_pause_ends(town: World) -> None:
    """A question stops the clock for seven days at most; then all deadlines are seven days on."""
    report = town.file(contact={"email": "ann@example.org"})["id"]
    town.act(official("officer1"), report, "ask", question="Which side?")
    assert swept(town, days=7, seconds=-1) == Counter()
    assert swept(town, seconds=2) == Counter(answer=1)
    assert swept(town, hours=119) == Counter()
    assert swept(town, hours=2) == Counter(breach=1, escalate=1)
    assert faults(town.head(report), town.links(report)) == []


def test_a_schedule_whose_date_has_passed_resumes_and_then_runs_late(town: World) -> None:
    """One sweep, weeks later, takes both steps in order."""
    report = town.file()["id"]
    officer = official("officer1")
    town.act(officer, report, "assign", person="s_worker1")
    until = (town.now + timedelta(days=4)).isoformat()
    town.act(officer, report, "schedule", until=until, reason="The asphalt comes on Friday.")
    assert swept(town, days=30) == Counter(resume=1, breach=1, escalate=3)
    assert [one[0] for one in steps(town, report)] == [
        "resume", "breach", "escalate", "escalate", "escalate",
    ]  # fmt: skip
    assert faults(town.head(report), town.links(report)) == []


def test_a_finish_that_nobody_answers_lapses_once(town: World) -> None:
    """After fourteen days; finished in time, it is never late."""
    report = town.finished()
    assert swept(town, days=13) == Counter()
    assert swept(town, days=1) == Counter(lapse=1)
    assert sweep.sweep(town.now) == {}
    assert town.head(report).resolution == "unverified"


def test_after_a_refusal_the_time_of_the_finish_counts(town: World) -> None:
    """A refused finish did not stop the clock: both steps are noted as if there was no finish."""
    report = town.finished()
    town.advance(days=6)
    assert sweep.sweep(town.now) == {}
    town.act(citizen("reporter"), report, "refuse", reason="Still a hole.")
    assert sweep.sweep(town.now) == Counter(breach=1, escalate=1)


def test_a_reopened_report_has_its_own_breaches_and_levels(town: World) -> None:
    """Earlier breaches stay counted; the new deadline can be missed again."""
    report = town.finished()
    town.act(citizen("reporter"), report, "verify")
    town.advance(days=3)
    town.act(citizen("reporter"), report, "reopen", reason="It is back.")
    assert swept(town, hours=121) == Counter(breach=2, escalate=1)
    town.act(official("worker1"), report, "start")
    town.finish(official("worker1"), report)
    town.act(citizen("reporter"), report, "verify")
    town.act(citizen("reporter"), report, "reopen", reason="Again.")
    assert swept(town, hours=121) == Counter(breach=2, escalate=1)
    assert town.head(report).flow["breached"] == {"202611": 2}


@pytest.mark.parametrize("repeats", [2, 3])
def test_overlapping_sweeps_take_each_step_once(
    town: World, monkeypatch: pytest.MonkeyPatch, repeats: int
) -> None:
    """A sweep that reads a head while another writes it finds nothing to do, and logs nothing."""
    report = town.file()["id"]
    town.advance(days=12)
    real, inner = actions.act_by_clock, []

    def interrupted(*args: Any) -> Any:
        if len(inner) < repeats:
            inner.append(Counter[str]())
            inner[-1].update(sweep.sweep(town.now))
        return real(*args)

    monkeypatch.setattr(actions, "act_by_clock", interrupted)
    total = sum(inner, Counter(sweep.sweep(town.now)))
    assert total == Counter(breach=2, escalate=3)
    assert len(steps(town, report)) == 5
    assert aws_dead() == []


def test_an_official_may_act_while_the_sweep_runs(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head that the sweep has read is stale: it reads again and takes the steps that are due
    then."""
    report = town.file()["id"]
    town.advance(hours=121)
    real, times = actions.act_by_clock, itertools.count()

    def beaten(*args: Any) -> Any:
        if next(times) == 0:
            town.act(official("officer1"), report, "reject", reason_code="spam", text="No.")
        return real(*args)

    monkeypatch.setattr(actions, "act_by_clock", beaten)
    assert sweep.sweep(town.now) == Counter(breach=2), "closed too late, so both stay broken"
    assert aws_dead() == []


def test_a_protected_report_breaches_and_escalates_too(town: World) -> None:
    """Its promise is four hours; nothing of it is counted in public."""
    report = town.file(service="violence")["id"]
    assert swept(town, hours=9) == Counter(breach=2, escalate=3)
    town.project()
    assert town.tallies() == {}
    assert faults(town.head(report), town.links(report)) == []


def merged(world: World) -> tuple[str, list[str]]:
    """An original of two duplicates, the later one merged first."""
    original = world.file(citizen("ann"))["id"]
    world.advance(minutes=1)
    older = world.file(citizen("budi"))["id"]
    world.advance(minutes=1)
    newer = world.file(citizen("citra"))["id"]
    for one in (newer, older):
        world.act(official("officer1"), one, "merge", into=original)
    return original, [older, newer]


def test_a_rejected_original_gives_back_its_oldest_duplicate(town: World) -> None:
    """The oldest by filing is open again with its own clock; the others follow it."""
    original, (older, newer) = merged(town)
    town.act(official("officer1"), original, "reject", reason_code="spam", text="No.")
    assert swept(town, minutes=1) == Counter(release=1, remerge=1)
    assert sweep.sweep(town.now) == {}
    assert town.head(older).state == "submitted"
    assert town.head(older).merged == 1
    assert town.head(newer).merged_into == older
    assert town.head(newer).state == "closed"
    assert town.head(original).succeeded_by == older
    assert town.head(original).merged == 0
    assert report_lists.due(town.now, None, 9) == []
    for one in (original, older, newer):
        assert faults(town.head(one), town.links(one)) == []


def test_every_reporter_keeps_their_rights_when_the_original_is_rejected(town: World) -> None:
    """Reporters of duplicates verify the repair of the report that took the original's place."""
    original, (older, newer) = merged(town)
    town.act(official("officer1"), original, "reject", reason_code="spam", text="No.")
    swept(town, minutes=1)
    assert access.reporter_of(citizen("citra"), town.head(older))
    assert not access.reporter_of(citizen("citra"), town.head(original))
    # The new original may be rejected too; then the next one opens.
    town.act(official("officer1"), older, "disown", text="The toll road's.")
    assert swept(town, minutes=1) == Counter(release=1)
    assert town.head(newer).state == "submitted"


def test_nobody_follows_into_a_private_report_when_the_original_is_rejected(town: World) -> None:
    """Only its reporter may read a private report: the next duplicate is opened too."""
    original = town.file(citizen("ann"))["id"]
    town.advance(minutes=1)
    private = town.file(citizen("budi"), public=False)["id"]
    town.advance(minutes=1)
    newer = town.file(citizen("citra"))["id"]
    for one in (private, newer):
        town.act(official("officer1"), one, "merge", into=original)
    town.act(official("officer1"), original, "reject", reason_code="spam", text="No.")
    assert swept(town, minutes=1) == Counter(release=2)
    assert {town.head(one).state for one in (private, newer)} == {"submitted"}
    assert not access.reporter_of(citizen("citra"), town.head(private))


def test_a_flood_of_duplicates_is_freed_without_an_end_of_steps(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than one sweep can do: the next sweep does the rest, without dead letters."""
    monkeypatch.setattr(sweep, "FREED_AT_MOST", 3)
    original = town.file(citizen("ann"))["id"]
    later = []
    for number in range(6):
        town.advance(minutes=1)
        later.append(town.file(citizen(f"c{number}"))["id"])
        town.act(official("officer1"), later[-1], "merge", into=original)
    town.act(official("officer1"), original, "reject", reason_code="spam", text="No.")
    assert swept(town, minutes=1) == Counter(release=1, remerge=2)
    assert sweep.sweep(town.now) == Counter(remerge=3)
    assert sweep.sweep(town.now) == {}
    assert {town.head(one).merged_into for one in later[1:]} == {later[0]}
    assert town.head(later[0]).merged == 5
    assert aws_dead() == []


def test_the_steps_of_a_released_duplicate_are_taken_in_the_same_sweep(town: World) -> None:
    """It was merged for two weeks; its deadlines still count from filing."""
    original, (older, _) = merged(town)
    town.act(citizen("ann"), original, "withdraw")
    done = swept(town, days=14)
    assert done == Counter(release=1, remerge=1, breach=2, escalate=3)
    assert steps(town, older)[0][0] == "unmerge"


def test_an_original_without_duplicates_left_is_released_by_itself(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no duplicate is found, the original leaves the index."""
    original, _ = merged(town)
    town.act(official("officer1"), original, "disown", text="The toll road's.")
    monkeypatch.setattr(people, "duplicates", lambda *_: [])
    assert swept(town, minutes=1) == Counter(release=1)
    assert sweep.sweep(town.now) == {}
    assert faults(town.head(original), town.links(original)) == []


def aws_dead() -> list[str]:
    """The dead letters of the clock."""
    place = f"{JURISDICTION}#DEAD#sweep"
    return sorted(row["sk"] for row in aws.rows("control") if row["pk"] == place)


def test_a_poison_report_holds_up_no_other(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noted once, after any number of failures; the others are done."""
    poison, *others = (town.file()["id"] for _ in range(3))
    real = reports.get

    def get(jurisdiction: str, report: str) -> Any:
        if report == poison:
            raise KeyError("a field of a later version")
        return real(jurisdiction, report)

    monkeypatch.setattr(reports, "get", get)
    assert swept(town, hours=25) == Counter(breach=2, failed=1)
    assert sweep.sweep(town.now) == {"failed": 1}
    assert aws_dead() == [poison]
    monkeypatch.undo()
    assert [len(steps(town, one)) for one in (poison, *others)] == [0, 1, 1]
    assert sweep.sweep(town.now) == Counter(breach=1)


def test_a_step_that_is_refused_for_ever_is_noted(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that owes what the workflow forbids is a fault, not a race."""
    stuck, other = town.file()["id"], town.file()["id"]
    real = actions.act_by_clock

    def step(actor: Any, op: Any, report: Any, name: str, given: Any, now: Any) -> Any:
        return real(actor, op, report, "lapse" if report.id == stuck else name, given, now)

    monkeypatch.setattr(actions, "act_by_clock", step)
    assert swept(town, hours=25) == Counter(breach=1, failed=1)
    assert aws_dead() == [stuck]
    assert steps(town, other) == [("breach", "acknowledge")]


def test_when_aws_is_away_the_round_ends_and_the_next_one_catches_up(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three reports without an answer the sweep stops, without a dead letter."""
    for _ in range(6):
        town.file()
    tried = []

    def get(_jurisdiction: str, report: str) -> Any:
        tried.append(report)
        raise Unavailable

    with monkeypatch.context() as broken:
        broken.setattr(reports, "get", get)
        assert swept(town, hours=25) == Counter()
    assert len(tried) == sweep.STRIKES
    with monkeypatch.context() as broken:
        broken.setattr(report_lists, "due", lambda *_: get("", ""))
        assert sweep.sweep(town.now) == {}
    assert aws_dead() == []
    assert sweep.sweep(town.now) == Counter(breach=6)


def test_a_round_that_runs_out_of_time_goes_on_in_the_next(town: World) -> None:
    """Stopped at every third check of its time, it still takes each step once."""
    filed = [town.file()["id"] for _ in range(4)]
    town.advance(hours=121)
    total: Counter[str] = Counter()
    for _round in range(20):
        asked = itertools.count()
        total += sweep.sweep(town.now, lambda asked=asked: next(asked) < 4)  # type: ignore[misc]
    assert total == Counter(breach=8, escalate=4)
    assert {len(steps(town, one)) for one in filed} == {3}


def test_more_than_a_page_is_read_to_the_end(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page, what fails on the first one included."""
    monkeypatch.setattr(sweep, "PAGE", 2)
    filed = [town.file()["id"] for _ in range(5)]
    assert swept(town, hours=25) == Counter(breach=5)
    assert {len(steps(town, one)) for one in filed} == {1}


def test_nobody_but_the_clock_may_take_its_steps(town: World) -> None:
    """Also not with the key of a sweep: the key belongs to the system."""
    report = town.file()["id"]
    town.advance(hours=25)
    given = {"target": "acknowledge"}
    op = town.operation(official("admin"), f"sweep/breach/{report}/1", given)
    assert sweep.sweep(town.now) == Counter(breach=1)
    with pytest.raises(actions.Problem, match=r"wrong_state|too_early"):
        actions.act_by_clock(system(JURISDICTION), op, town.head(report), "breach", given, town.now)


def test_a_duplicate_that_is_merged_again_is_given_back_again(town: World) -> None:
    """The key of a step has the duplicate's version: the original's may be the same again."""
    officer = official("officer1")
    first, second = town.file(citizen("ann"))["id"], town.file(citizen("budi"))["id"]
    town.advance(minutes=1)
    duplicate = town.file(citizen("citra"))["id"]
    for original in (first, second):
        town.act(officer, duplicate, "merge", into=original)
        town.act(officer, original, "reject", reason_code="spam", text="No.")
        assert swept(town, minutes=1) == Counter(release=1)
        assert town.head(duplicate).state == "submitted"
    assert town.head(first).version == town.head(second).version
    assert aws_dead() == []


def test_the_reads_of_a_round_do_not_grow_with_open_reports(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads only reports that are due."""
    due = town.file(service="litter")["id"]
    town.advance(hours=5)
    for number in range(12):
        town.file(citizen(f"later{number}"))
    seen: list[str] = []
    real = reports.get
    monkeypatch.setattr(reports, "get", lambda place, one: seen.append(one) or real(place, one))
    assert sweep.sweep(town.now) == {"breach": 1}
    assert set(seen) <= {due, "-"}
