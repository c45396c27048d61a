"""The clocks against the table computed by hand in ``clock_cases``; no step is taken twice."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.domain.actions.context import Context
from chalicelib.domain.actions.perform import perform
from chalicelib.domain.city.city import City
from chalicelib.domain.principal import Principal, system
from chalicelib.domain.report import Report
from chalicelib.domain.sla import clocks, deadlines, timers
from chalicelib.domain.workflow.table import standing
from tests.support.world import BUNDLE, JURISDICTION, citizen, official
from tests.unit.clock_cases import CASES, Case
from tests.unit.reports import report

CITIES = Path(__file__).parents[2] / "infra" / "cities"
DAY = timedelta(days=1)
SHIFTS: dict[str, dict[str, list[list[str]]]] = {
    "nights": {"sat": [["20:00", "23:30"]], "sun": [["00:00", "06:00"]]},
    "split": {"sun": [["00:00", "02:30"], ["04:00", "06:00"]]},
    "late": {"sun": [["02:30", "06:00"]]},
}
RUNG = {"tell": ["holder"], "priority": "high"}
WORDS: dict[str, tuple[str, dict[str, Any]]] = {
    "ask": ("officer1", {"question": "Where?"}),
    "answer": ("reporter", {"text": "Here."}),
    "assign": ("officer1", {"person": "s_worker1"}),
    "start": ("worker1", {"note": "On it."}),
    "schedule": ("officer1", {"reason": "A part."}),
    "resume": ("worker1", {}),
    "clock-resume": ("clock", {}),
    "finish": ("worker1", {"photos": ["p1"], "note": "Done."}),
    "verify": ("reporter", {}),
    "refuse": ("reporter", {"reason": "No."}),
    "reopen": ("reporter", {"reason": "Again."}),
    "reject": ("officer1", {"reason_code": "spam", "text": "No problem."}),
    "reclassify": ("dispatcher", {"service": "other", "reason": "Another kind."}),
    "transfer": ("dispatcher", {"reason": "Another place."}),
}


@cache
def days(city: str) -> tuple[dict[str, Any], str]:
    """(calendar, time zone) of a case's city."""
    if city in SHIFTS:
        return {"working": SHIFTS[city], "holidays": []}, "Europe/Amsterdam"
    folder = CITIES / {"jakarta": "demo"}.get(city, city)
    calendar, head = (
        json.loads((folder / name).read_bytes()) for name in ("calendar.json", "city.json")
    )
    return calendar, head["time_zone"]


def target(text: str) -> dict[str, Any]:
    """``working 8.5`` as data."""
    clock, _, hours = text.partition(" ")
    return {"hours": float(hours), "clock": clock}


def town(case: Case) -> City:
    """The test city with the calendar and the targets of a case."""
    calendar, zone = days(case.city)
    services = [
        {
            "code": code,
            "name": {"en": code, "id": code},
            "group": "roads",
            "unit": "district",
            "acknowledge": {"hours": 1, "clock": "calendar"},
            "resolve": target(resolve),
        }
        for code, resolve in (("first", case.target), ("other", case.other))
    ]
    own = [{"district": "D2", "service": "first", "resolve": target(case.override or case.target)}]
    ladder = [{"share": share, **RUNG} for share in (0.5, 1, 1.5, 2)]
    changed = {
        "time_zone": zone,
        "calendar": calendar,
        "services": services,
        "overrides": own if case.override else [],
        "escalation": {"ladders": {"*": ladder}},
    }
    return City.from_json({**BUNDLE, **changed})


def moment(text: str, city: City) -> datetime:
    """A moment of the table, whose offset must be the city's own at that time."""
    found = datetime.fromisoformat(text)
    assert found.astimezone(city.zone).isoformat(timespec="minutes") == text, text
    return found


def filed(case: Case, city: City) -> Report:
    """The report as it was filed."""
    now = moment(case.filed, city)
    promise = deadlines.promise(city.services["first"], case.district, now, city)
    return replace(
        report(district=case.district, ward=f"{case.district}-W1"),
        service="first",
        group="roads",
        filed_at=now,
        changed_at=now,
        clock_from=now,
        filed_month=city.month(now),
        acknowledge_due=promise.acknowledge_due,
        due_at=promise.due_at,
        city_due_at=promise.city_due_at,
        city_acknowledge_due=promise.city_acknowledge_due,
    )


def done(
    given: Report, city: City, now: datetime, name: str, actor: Principal, **fields: Any
) -> Report:
    """The report after one action."""
    found = standing(actor, given, is_reporter=actor.uid == given.reporter)
    return perform(name, given, actor, found, fields, Context(now, city))


def swept(given: Report, city: City, now: datetime) -> Report:
    """The report after every step of the clock until ``now``."""
    while (step := timers.due_step(given, city, now)) is not None:
        fields = {"target": step.target, "level": step.level}
        wanted = {name: value for name, value in fields.items() if value is not None}
        given = done(given, city, now, step.action, system(JURISDICTION), **wanted)
    return given


def stepped(given: Report, city: City, step: str) -> Report:
    """The report after a step of the table."""
    at, action, *rest = step.split()
    now = moment(at, city)
    if action == "sweep":
        return swept(given, city, now)
    who, fields = WORDS[action]
    if action == "schedule":
        fields = {**fields, "until": moment(rest[1], city).isoformat()}
    if action == "transfer":
        fields = {**fields, "ward": rest[0]}
    actor = {"reporter": citizen("reporter"), "clock": system(JURISDICTION)}.get(who)
    name = action.removeprefix("clock-")
    return done(given, city, now, name, actor or official(who), **fields)


def played(case: Case) -> tuple[Report, City]:
    """The report of a case after all that happened to it."""
    city = town(case)
    given = filed(case, city)
    for step in case.steps:
        given = stepped(given, city, step)
    return given, city


def local(found: datetime, city: City) -> str:
    """A moment as the table writes it."""
    return found.astimezone(city.zone).isoformat(timespec="minutes")


def asked_for(case: Case, given: Report, city: City) -> str:
    """The moment that the case expects."""
    if case.of.startswith("level"):
        return local(clocks.level_at(given, city, float(case.of.split()[1])), city)
    if case.of == "next":
        step = timers.next_step(given, city)
        assert (step and step.at) == timers.next_due(given, city)
        return f"{local(step.at, city)} {step.action}" if step else "never"
    moments = {
        "due": given.due_at,
        "city due": given.city_due_at,
        "acknowledge": given.acknowledge_due,
    }
    return local(moments[case.of], city)


@pytest.mark.parametrize(
    "case", [case for _, case in CASES], ids=[f"{part}: {case.name}" for part, case in CASES]
)
def test_the_program_agrees_with_the_table_computed_by_hand(case: Case) -> None:
    """Every row of the table."""
    assert asked_for(case, *played(case)) == case.expected, case.why


def test_the_table_is_large_in_order_and_explained() -> None:
    """Names say which case failed, so none is used twice in a part."""
    names = [(part, case.name) for part, case in CASES]
    assert len(set(names)) == len(names) >= 90
    for _, case in CASES:
        times = [case.filed, *(step.split()[0] for step in case.steps)]
        moments = [datetime.fromisoformat(time) for time in times]
        assert all(one <= two for one, two in pairwise(moments)), case.name
        assert len(case.why) > 4


@pytest.mark.parametrize("case", [case for _, case in CASES if case.of == "due" and case.steps])
def test_recomputing_a_promise_from_its_history_changes_nothing(case: Case) -> None:
    """Pause by pause or all at once: the deadline is the same."""
    given, city = played(case)
    assert clocks.promised(given, city).due_at == given.due_at


WORKDAY = Case(
    "", "duinhaven", "working 8", "2026-11-02T10:00+01:00", ("2026-11-02T10:30+01:00 ask",
    "2026-11-02T10:30+01:00 answer"), "", "",
)  # fmt: skip


def test_the_ladder_is_climbed_in_order_once_and_caught_up_after_a_missed_run() -> None:
    """14:30, Tue 10:00 (with the breach), 14:30, Wed 10:00; each is due a minute later."""
    given, city = played(WORKDAY)
    zone = city.zone
    seen = []
    now = datetime(2026, 11, 2, 11, 0, tzinfo=zone)
    while now < datetime(2026, 11, 5, tzinfo=zone):
        after = swept(given, city, now)
        if after != given:
            seen.append((local(now, city)[5:16], after.escalated, after.breached))
        assert swept(after, city, now) == after
        given = after
        now += timedelta(minutes=30)
    assert seen == [
        ("11-02T15:00", 1, ()),
        ("11-03T10:30", 2, ("resolve",)),
        ("11-03T15:00", 3, ("resolve",)),
        ("11-04T10:30", 4, ("resolve",)),
    ]
    late = swept(played(WORKDAY)[0], city, datetime(2026, 11, 20, tzinfo=zone))
    assert (late.escalated, late.breached) == (4, ("resolve",))
    assert late.flow == given.flow


def test_the_moment_of_a_deadline_is_still_in_time() -> None:
    """No step is due at the exact moment of a level or deadline, but right after it."""
    given, city = played(WORKDAY)
    half = clocks.level_at(given, city, 0.5)
    assert timers.due_step(given, city, half) is None
    step = timers.due_step(given, city, half + timedelta(milliseconds=1))
    assert step is not None
    assert (step.action, step.level) == ("escalate", 1)
    climbed = swept(given, city, given.due_at - timedelta(minutes=1))
    assert timers.due_step(climbed, city, given.due_at) is None
    step = timers.due_step(climbed, city, given.due_at + timedelta(milliseconds=1))
    assert step is not None
    assert (step.action, step.target) == ("breach", "resolve")


def test_a_paused_report_is_swept_to_nothing_until_its_pause_ends() -> None:
    """Then the clock resumes, and the ladder continues."""
    given, city = played(WORKDAY)
    asked = stepped(given, city, "2026-11-02T11:00+01:00 ask")
    week = moment("2026-11-09T11:00+01:00", city)
    assert swept(asked, city, week - timedelta(minutes=1)) == asked
    answered = swept(asked, city, week)
    assert (answered.state, answered.escalated) == ("submitted", 0)
    # An hour had run; from Mon 9 11:00 on 1.5 h to lunch, and half of the eight at 14:30.
    assert local(clocks.level_at(answered, city, 0.5), city) == "2026-11-09T14:30+01:00"
    assert swept(answered, city, week + DAY).escalated > 0


def test_the_zones_of_the_table_are_those_of_the_cities() -> None:
    """A case that names Jakarta is counted in Jakarta's time."""
    assert days("jakarta")[1] == "Asia/Jakarta"
    assert ZoneInfo(days("duinhaven")[1]).key == "Europe/Amsterdam"
