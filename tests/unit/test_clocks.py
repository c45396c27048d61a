"""The clocks of one report: pauses, recomputed deadlines, and the next step."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.report import Report
from chalicelib.domain.sla import clocks, timers
from chalicelib.domain.timestamps import iso
from tests.support.world import START, city
from tests.unit.reports import report

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def asked(since: datetime = START, **changed: object) -> Report:
    """A report with a question that was asked at that moment."""
    return report(state="needs_info", paused_at=since, back_to="assigned", **changed)


def test_a_pause_moves_every_deadline_by_its_length() -> None:
    """Calendar hours: second by second."""
    after = clocks.resume(asked(), START + 36 * HOUR, city())
    plain = report()
    assert after.due_at == plain.due_at + 36 * HOUR
    assert after.city_due_at == plain.city_due_at + 36 * HOUR
    assert after.acknowledge_due == plain.acknowledge_due + 36 * HOUR
    assert after.pauses == ((iso(START), iso(START + 36 * HOUR)),)
    assert (after.paused_at, after.info_seconds) == (None, 36 * 3600)


def test_a_pause_over_a_weekend_costs_a_working_promise_nothing() -> None:
    """A working deadline moves by the working time missed."""
    friday = datetime.fromisoformat("2026-11-06T17:00:00+07:00")
    lamp = asked(friday, service="lamp", filed_at=friday - 2 * HOUR)
    monday = datetime.fromisoformat("2026-11-09T08:00:00+07:00")
    assert clocks.resume(lamp, monday, city()).due_at == lamp.due_at
    later = clocks.resume(lamp, monday + HOUR, city())
    assert city().calendar.working_between(lamp.due_at, later.due_at) == HOUR


def test_time_beyond_the_limit_of_a_pause_counts() -> None:
    """Seven days of questions, or the date of the schedule."""
    after = clocks.resume(asked(), START + 20 * DAY, city())
    assert after.due_at == report().due_at + 7 * DAY
    scheduled = report(state="scheduled", paused_at=START, scheduled_until=START + DAY)
    after = clocks.resume(scheduled, START + 3 * DAY, city())
    assert (after.due_at, after.info_seconds) == (report().due_at + DAY, 0)
    assert after.scheduled_until is None


def test_a_report_whose_clock_runs_is_not_resumed() -> None:
    """Nothing to add."""
    for state in ("submitted", "assigned", "in_progress", "coordinated", "work_done", "closed"):
        running = report(state=state)
        assert clocks.resume(running, START + DAY, city()) is running


def test_an_acknowledged_report_keeps_its_acknowledgement_deadline() -> None:
    """A later pause moves only open deadlines."""
    after = clocks.resume(asked(START + DAY, acknowledged_at=START), START + 2 * DAY, city())
    assert after.acknowledge_due == report().acknowledge_due
    assert after.due_at == report().due_at + DAY


def test_a_recomputed_promise_counts_from_filing_with_the_pauses_since() -> None:
    """Or from the reopening, with those after it."""
    paused = ((iso(START + DAY), iso(START + 2 * DAY)),)
    given_ = report(pauses=paused)
    assert clocks.promised(given_, city()).due_at == report().due_at + DAY
    again = clocks.promised(given_, city(), since=START + 10 * DAY)
    assert again.due_at == START + 10 * DAY + timedelta(hours=120)
    assert again.clock_from == START + 10 * DAY
    assert again.filed_at == START


def test_a_pause_before_the_acknowledgement_still_counts_when_recomputed() -> None:
    """The deadline that was open then moves as it did then."""
    paused = asked(START)
    live = clocks.resume(paused, START + DAY, city())
    heard = replace(live, state="assigned", acknowledged_at=START + DAY)
    assert clocks.promised(heard, city()).acknowledge_due == live.acknowledge_due


@given(st.lists(st.integers(1, 72), min_size=1, max_size=5), st.sampled_from(["pothole", "lamp"]))
def test_recomputing_changes_nothing_where_nothing_changed(hours: list[int], service: str) -> None:
    """Computed from filing and all pauses, it is the same as moved pause by pause."""
    now, live = START, report(service=service)
    for span in hours:
        now += HOUR
        paused = replace(live, state="scheduled", paused_at=now, scheduled_until=now + 90 * HOUR)
        now += span * HOUR
        live = replace(clocks.resume(paused, now, city()), state="assigned")
    assert clocks.promised(live, city()) == live


def test_the_next_due_is_what_a_clock_must_look_at() -> None:
    """Acknowledgement, resolution, end of a pause, lapse; nothing for closed or disputed."""
    next_due = timers.next_due
    plain = report()
    assert next_due(plain, city()) == plain.acknowledge_due
    heard = report(acknowledged_at=START)
    assert next_due(heard, city()) == plain.due_at
    assert next_due(asked(), city()) == START + 7 * DAY
    assert next_due(asked(info_seconds=86_400), city()) == START + 6 * DAY
    until = START + 3 * DAY
    scheduled = report(state="scheduled", paused_at=START, scheduled_until=until)
    assert next_due(scheduled, city()) == until
    done = report(state="work_done", finished_at=START)
    assert next_due(done, city()) == START + 14 * DAY
    assert next_due(replace(done, disputed=True), city()) is None
    closed = report(state="closed", resolution="rejected", closed_at=START)
    assert next_due(closed, city()) is None
