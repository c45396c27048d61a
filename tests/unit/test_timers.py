"""The steps of the clock on a report: each at its moment, in order, once."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.actions.context import Context
from chalicelib.domain.actions.perform import perform
from chalicelib.domain.principal import system
from chalicelib.domain.report import Report
from chalicelib.domain.sla import timers
from chalicelib.errors import Problem
from tests.support.world import JURISDICTION, START, city
from tests.unit.reports import report

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def owed(given: Report, now: datetime) -> tuple[Any, ...] | None:
    """The step's action and its target or level."""
    step = timers.due_step(given, city(), now)
    return (step.action, step.target or step.level) if step else None


def take(given: Report, now: datetime) -> Report:
    """The report after its next step."""
    step = timers.due_step(given, city(), now)
    assert step is not None
    facts = {"target": step.target, "level": step.level}
    known = {name: value for name, value in facts.items() if value is not None}
    who = system(JURISDICTION)
    return perform(step.action, given, who, frozenset({"system"}), known, Context(now, city()))


def life(given: Report, now: datetime) -> list[tuple[Any, ...]]:
    """Every step that a sweep takes until now."""
    found = []
    while (step := owed(given, now)) is not None:
        found.append(step)
        given = take(given, now)
        assert len(found) < 20
    return found


def test_the_moment_of_a_deadline_is_still_in_time() -> None:
    """A breach is a moment later; so is a level."""
    plain = report()
    assert owed(plain, plain.acknowledge_due) is None
    assert owed(plain, plain.acknowledge_due + SECOND) == ("breach", "acknowledge")
    seen = replace(plain, acknowledged_at=START)
    assert owed(seen, plain.due_at) is None
    assert owed(seen, plain.due_at + SECOND) == ("breach", "resolve")
    noted = replace(seen, breached=("resolve",), escalated=1)
    at = START + 1.5 * 120 * HOUR
    assert (owed(noted, at), owed(noted, at + SECOND)) == (None, ("escalate", 2))


def test_the_steps_of_a_week_without_a_sweep_come_in_order() -> None:
    """Breaches before the levels of the same moment; then nothing more, for ever."""
    expected = [
        ("breach", "acknowledge"), ("breach", "resolve"),
        ("escalate", 1), ("escalate", 2), ("escalate", 3),
    ]  # fmt: skip
    assert life(report(), START + 1000 * HOUR) == expected


@pytest.mark.parametrize("state", ["submitted", "assigned", "in_progress", "coordinated"])
def test_escalation_does_not_depend_on_who_holds_the_report(state: str) -> None:
    """With no holder, a holder or an agency, the rungs count from filing."""
    agency = {"agency": "u-prov"} if state == "coordinated" else {}
    given = report(state=state, assigned=state != "submitted", acknowledged_at=START, **agency)
    assert life(given, START + 181 * HOUR) == [
        ("breach", "resolve"),
        ("escalate", 1),
        ("escalate", 2),
    ]


def test_a_late_acknowledgement_is_a_breach_however_late_it_is_noted() -> None:
    """An acknowledgement in time is not a breach, however late the sweep runs."""
    plain = report()
    late = replace(plain, acknowledged_at=plain.acknowledge_due + SECOND)
    assert owed(late, plain.acknowledge_due + 2 * SECOND) == ("breach", "acknowledge")
    good = replace(plain, acknowledged_at=plain.acknowledge_due)
    assert owed(good, plain.acknowledge_due + HOUR) is None


@pytest.mark.parametrize("hours", [119, 120, 121])
def test_a_finish_stops_the_clock_whatever_follows(hours: int) -> None:
    """Work done in time is never late, work done late always."""
    done = report(
        state="work_done", finished_at=START + hours * HOUR, acknowledged_at=START, assigned=True
    )
    breach = [("breach", "resolve")] if hours > 120 else []
    assert life(done, START + 300 * HOUR) == breach
    for resolution in ("verified", "unverified"):
        closed = replace(done, state="closed", resolution=resolution, closed_at=START + 400 * HOUR)
        assert life(closed, START + 500 * HOUR) == breach


def test_a_closing_after_the_promise_does_not_hide_the_breach() -> None:
    """Rejected, disowned or merged too late, it stays broken; no level follows."""
    for resolution in ("rejected", "not_ours", "withdrawn", "duplicate"):
        closed = report(
            state="closed",
            resolution=resolution,
            closed_at=START + 130 * HOUR,
            acknowledged_at=START,
        )
        assert life(closed, START + 900 * HOUR) == [("breach", "resolve")]
        in_time = replace(closed, closed_at=START + 110 * HOUR)
        assert life(in_time, START + 900 * HOUR) == []


def test_a_paused_report_owes_the_end_of_its_pause_alone() -> None:
    """Its deadlines wait; a deadline missed before the pause is still noted."""
    asked = report(state="needs_info", paused_at=START + HOUR, back_to="submitted")
    assert owed(asked, START + 160 * HOUR) is None
    assert owed(asked, START + 169 * HOUR) == ("answer", None)
    too_late = replace(asked, paused_at=START + 25 * HOUR)
    assert owed(too_late, START + 26 * HOUR) == ("breach", "acknowledge")
    until = START + 90 * HOUR
    planned = report(state="scheduled", paused_at=START + HOUR, scheduled_until=until)
    assert owed(planned, until) == ("resume", None)


def test_a_disputed_refusal_does_not_lapse() -> None:
    """It waits for a verifier instead."""
    done = report(state="work_done", finished_at=START + HOUR, acknowledged_at=START)
    assert owed(done, START + 337 * HOUR) == ("lapse", None)
    assert owed(replace(done, disputed=True), START + 9999 * HOUR) is None


def test_a_rejected_original_gives_one_duplicate_back() -> None:
    """At once and once; a repaired original keeps its duplicates."""
    gone = report(state="closed", resolution="rejected", closed_at=START + HOUR, merged=2)
    assert owed(gone, START + HOUR) == ("release", None)
    assert owed(replace(gone, released=True), START + 2 * HOUR) is None
    assert owed(replace(gone, merged=0), START + 2 * HOUR) is None
    kept = replace(gone, resolution="verified", finished_at=START + HOUR)
    assert owed(kept, START + 2 * HOUR) is None


def test_the_clock_takes_no_step_early_and_no_other_step() -> None:
    """The same rule guards the action itself: too early, another target, another level."""
    plain, who = report(), system(JURISDICTION)
    late = plain.acknowledge_due + SECOND
    for now, action, facts in (
        (plain.acknowledge_due, "breach", {"target": "acknowledge"}),
        (late, "breach", {"target": "resolve"}),
        (late, "escalate", {"level": 1}),
        (START + 999 * HOUR, "escalate", {"level": 2}),
    ):
        with pytest.raises(Problem, match="too_early"):
            perform(action, plain, who, frozenset({"system"}), facts, Context(now, city()))


@given(st.lists(st.integers(1, 90), max_size=12), st.integers(0, 400))
def test_the_index_holds_exactly_what_is_owed(waits: list[int], acknowledged: int) -> None:
    """At any time of a sweep: each step is due in the index, and happens once."""
    now, given_, taken = START, report(), []
    if acknowledged < 200:
        given_ = replace(given_, acknowledged_at=START + acknowledged * HOUR)
    for wait in waits:
        now += wait * HOUR
        while (step := timers.due_step(given_, city(), now)) is not None:
            due = timers.next_due(given_, city())
            assert due is not None
            assert due == step.at <= now
            taken.append((step.action, step.target, step.level))
            given_ = take(given_, now)
        later = timers.next_due(given_, city())
        assert later is None or later >= now
    assert len(taken) == len(set(taken))
