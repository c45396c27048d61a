"""What each action does to a report, and the rules that need its history (workflow.md)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.actions.context import Context
from chalicelib.domain.actions.perform import perform
from chalicelib.domain.principal import Principal, system
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import iso
from chalicelib.domain.workflow.table import actions
from chalicelib.errors import Problem
from tests.support.world import JURISDICTION, START, citizen, city, official
from tests.unit.reports import moved, report

REPORTER = citizen("reporter")
CLOCK = system(JURISDICTION)
DAY = timedelta(days=1)
PHOTOS = ["01J00000000000000000000001"]


def refusal(given: Report, actor: Principal, action: str, **rest: Any) -> Problem:
    """The problem that an action raises."""
    with pytest.raises(Problem) as found:
        moved(given, actor, action, **rest)
    return found.value


def assigned(**changed: Any) -> Report:
    """A report that its unit holds."""
    return report(state="assigned", assigned=True, **changed)


def done(now: datetime = START, **changed: Any) -> Report:
    """A report that worker1 has started and finished at ``now``."""
    worker = official("worker1")
    started = moved(assigned(**changed), worker, "start", now)
    return moved(started, worker, "finish", now, photos=PHOTOS, note="Done.")


def refused(now: datetime = START, **changed: Any) -> Report:
    """A finished report that its reporter has refused."""
    return moved(done(now, **changed), REPORTER, "refuse", now, reason="Still broken.")


def closed(resolution: str = "verified", now: datetime = START, **changed: Any) -> Report:
    """A closed report."""
    month = city().month(now)
    return report(
        state="closed", resolution=resolution, closed_at=now, closed_month=month, **changed
    )


def test_every_action_raises_the_version_by_one_and_dates_the_change() -> None:
    """The version grows strictly, whatever the action."""
    later = START + DAY
    after = moved(report(), official("officer1"), "assign", later, unit="u-d1")
    assert (after.version, after.changed_at) == (2, later)


def test_assigning_to_a_person_makes_that_person_the_holder() -> None:
    """The report remembers everybody who ever held it."""
    officer = official("officer1")
    once = moved(report(), officer, "assign", person="s_worker1")
    twice = moved(once, officer, "assign", person="s_mate1")
    assert (twice.state, twice.holder) == ("assigned", "s_mate1")
    assert twice.held_by == ("s_worker1", "s_mate1")
    assert moved(twice, officer, "assign", unit="u-d1").holder is None


@pytest.mark.parametrize("unit", ["u-none", "u-d2", "other-city"])
def test_assigning_to_a_unit_that_cannot_hold_it_is_422(unit: str) -> None:
    """Case 79: unknown, of another city, or of another district."""
    problem = refusal(report(), official("officer1"), "assign", unit=unit)
    assert (problem.status, problem.slug) == (422, "unknown_unit")


def test_another_unit_holds_it_only_once_it_accepts() -> None:
    """Until then the giving unit holds it; accepting needs no person of the giver."""
    offered = moved(assigned(), official("officer1"), "assign", unit="u-prov")
    assert (offered.unit, offered.offered_to) == ("u-d1", "u-prov")
    problem = refusal(offered, official("officer1"), "accept")
    assert problem.status == 403
    taken = moved(offered, official("province"), "accept")
    assert (taken.unit, taken.holder, taken.offered_to) == ("u-prov", None, None)


def test_the_giving_unit_cannot_choose_the_other_units_person() -> None:
    """The other unit chooses, once it has accepted."""
    problem = refusal(
        assigned(), official("officer1"), "assign", unit="u-prov", person="s_province"
    )
    assert problem.slug == "person_after_acceptance"


def test_after_one_working_day_a_dispatcher_decides() -> None:
    """Not earlier: a weekend is not working time."""
    dispatcher = official("dispatcher")
    friday = datetime.fromisoformat("2026-11-06T16:00:00+07:00")
    offered = moved(assigned(), official("officer1"), "assign", friday, unit="u-prov")
    assert refusal(offered, dispatcher, "accept", now=friday + 2 * DAY).slug == "acceptance_pending"
    monday = datetime.fromisoformat("2026-11-09T16:00:00+07:00")
    assert moved(offered, dispatcher, "accept", monday).unit == "u-prov"
    assert refusal(assigned(), dispatcher, "accept").slug == "nothing_offered"


def test_an_offer_ends_when_the_giving_unit_works_on_the_report_itself() -> None:
    """After starting, declining, coordinating or scheduling there is nothing to accept."""
    officer = official("officer1")
    offered = moved(assigned(), officer, "assign", unit="u-prov")
    until = iso(START + DAY)
    for after in (
        moved(offered, officer, "start"),
        moved(offered, officer, "decline", reason_code="unsafe"),
        moved(offered, officer, "coordinate", agency="u-lamps", reason="Theirs."),
        moved(offered, officer, "schedule", until=until, reason="Rain."),
        moved(offered, officer, "finish", photos=PHOTOS, note="Done."),
        moved(offered, officer, "assign", unit="u-d1"),
    ):
        assert (after.offered_to, after.offered_at) == (None, None)


def test_declining_gives_it_back_without_a_holder() -> None:
    """To ``submitted``, with a reason from the list."""
    after = moved(assigned(), official("worker1"), "decline", reason_code="not_ours")
    assert (after.state, after.assigned, after.holder) == ("submitted", False, None)


def test_starting_makes_the_worker_the_holder() -> None:
    """Any worker of the unit who starts."""
    after = moved(assigned(), official("worker1"), "start")
    assert (after.state, after.holder) == ("in_progress", "s_worker1")
    assert refusal(after, official("mate1"), "finish", photos=PHOTOS, note="x").status == 403


def test_coordinating_names_an_agency_with_a_due_time_of_its_own() -> None:
    """The service's target from now, unless a date is agreed; the clock runs on."""
    officer = official("officer1")
    after = moved(report(), officer, "coordinate", agency="u-prov", reason="Their road.")
    assert (after.state, after.agency, after.due_at) == ("coordinated", "u-prov", report().due_at)
    assert after.agency_due == START + timedelta(hours=120)
    agreed = START + 3 * DAY
    after = moved(report(), officer, "coordinate", agency="u-prov", reason="x", until=iso(agreed))
    assert after.agency_due == agreed
    back = moved(after, officer, "assign", unit="u-d1")
    assert (back.agency, back.agency_due) == (None, None)


@pytest.mark.parametrize("agency", ["u-d2", "u-none", "u-lamps"])
def test_coordinating_with_no_other_agency_is_422(agency: str) -> None:
    """A district, no unit, or the unit that has it already."""
    given = report(unit="u-lamps") if agency == "u-lamps" else report()
    problem = refusal(given, official("officer1"), "coordinate", agency=agency, reason="x")
    assert problem.slug == "unknown_unit"


def test_a_schedule_pauses_until_its_date_once() -> None:
    """At most twice the target ahead; a second time by a dispatcher alone."""
    officer = official("officer1")
    far = START + timedelta(hours=240)
    scheduled = moved(assigned(), officer, "schedule", until=iso(far), reason="Asphalt.")
    assert (scheduled.state, scheduled.scheduled_until) == ("scheduled", far)
    problem = refusal(
        assigned(), officer, "schedule", until=iso(far + timedelta(seconds=1)), reason="x"
    )
    assert (problem.status, problem.slug) == (422, "schedule_too_far")
    again = moved(scheduled, officer, "assign", START + DAY, unit="u-d1")
    fields = {"now": START + DAY, "until": iso(START + 2 * DAY), "reason": "x"}
    assert refusal(again, officer, "schedule", **fields).slug == "schedule_once"
    assert moved(again, official("dispatcher"), "schedule", **fields).schedules == 2


def test_twice_a_working_target_is_counted_in_working_time() -> None:
    """48 working hours of a lamp are six working days."""
    lamp = assigned(service="lamp")
    sixth = datetime.fromisoformat("2026-11-09T17:00:00+07:00")
    officer = official("lamps")
    assert moved(lamp, officer, "schedule", until=iso(sixth), reason="x").state == "scheduled"
    late = iso(sixth + timedelta(minutes=1))
    assert refusal(lamp, officer, "schedule", until=late, reason="x").slug == "schedule_too_far"


@pytest.mark.parametrize(
    ("until", "slug"),
    [
        (iso(START), "moment_past"),
        ("soon", "moment_unreadable"),
        ("9999-12-31T23:59:59-12:00", "moment_unreadable"),
    ],
)
def test_a_date_must_be_readable_and_ahead(until: str, slug: str) -> None:
    """422 names the field."""
    problem = refusal(assigned(), official("officer1"), "schedule", until=until, reason="x")
    assert (problem.status, problem.slug, problem.field) == (422, slug, "until")


def test_the_clock_resumes_a_schedule_only_when_its_date_has_passed() -> None:
    """The holder may resume at any time."""
    until = START + DAY
    given = moved(assigned(), official("officer1"), "schedule", until=iso(until), reason="x")
    assert refusal(given, CLOCK, "resume", now=until - timedelta(seconds=1)).slug == "too_early"
    assert moved(given, CLOCK, "resume", until).state == "in_progress"
    assert moved(given, official("worker1"), "resume").state == "in_progress"


def test_a_question_is_asked_only_where_the_reporter_can_be_reached() -> None:
    """Otherwise a question would only stop the clock."""
    problem = refusal(
        report(contactable=False), official("officer1"), "ask", question="Which side?"
    )
    assert (problem.status, problem.slug) == (409, "reporter_unreachable")


@pytest.mark.parametrize("state", ["submitted", "assigned", "in_progress"])
def test_an_answer_returns_to_the_state_before(state: str) -> None:
    """By the reporter at any time, by the clock after seven days."""
    asked = moved(report(state=state), official("officer1"), "ask", question="Which side?")
    assert moved(asked, REPORTER, "answer", text="Left.").state == state
    assert refusal(asked, CLOCK, "answer", now=START + 7 * DAY - timedelta(seconds=1))
    after = moved(asked, CLOCK, "answer", START + 7 * DAY)
    assert (after.state, after.back_to) == (state, None)


def test_questions_pause_seven_days_in_a_life() -> None:
    """Three days once and four later; then no question may be asked."""
    officer, given = official("officer1"), report()
    for days in (3, 4):
        asked = moved(given, officer, "ask", question="?")
        given = moved(asked, REPORTER, "answer", START + days * DAY, text="!")
    assert given.info_seconds == 7 * 86_400
    assert refusal(given, officer, "ask", question="?").slug == "pause_spent"


def test_finishing_needs_an_after_photo_and_a_public_note() -> None:
    """Without either it is 422; it counts once in its month."""
    worker, given = official("worker1"), assigned()
    assert refusal(given, worker, "finish", note="Done.").field == "photos"
    assert refusal(given, worker, "finish", photos=PHOTOS).field == "note"
    after = done()
    assert (after.state, after.finished_by, after.finished_at) == ("work_done", "s_worker1", START)
    assert after.after_photos == tuple(PHOTOS)
    assert after.flow == {"finished": {"202611": 1}}


def test_a_protected_report_is_finished_without_a_photo() -> None:
    """Only by its unit; the field for photos is refused."""
    hidden = report(service="violence", state="assigned", assigned=True)
    guard = official("guard")
    assert moved(hidden, guard, "finish", note="Safe.").state == "work_done"
    assert refusal(hidden, guard, "finish", note="x", photos=PHOTOS).field == "photos"
    assert refusal(hidden, official("worker1"), "finish", note="x").status == 403


def test_the_reporter_verifies_at_any_time_before_it_lapses() -> None:
    """Closed as verified, in the city's month."""
    evening = datetime.fromisoformat("2026-11-30T18:00:00+00:00")  # December in the city
    after = moved(done(), REPORTER, "verify", evening)
    assert (after.state, after.resolution, after.closed_month) == ("closed", "verified", "202612")
    assert not after.ruled
    assert refusal(done(), citizen("other"), "verify").status == 403


@pytest.mark.parametrize(
    "who", ["officer1", "worker1", "head1", "dispatcher", "admin", "verifier1"]
)
def test_nobody_of_the_working_unit_verifies_the_work(who: str) -> None:
    """Case 73: neither its officer, nor a colleague, nor a verifier of the same unit."""
    assert refusal(done(), official(who), "verify").status == 403


def test_a_verifier_of_another_unit_may_verify_and_rules() -> None:
    """The reporter cannot reopen what a verifier ruled."""
    after = moved(done(), official("verifier"), "verify", note="Seen.")
    assert after.ruled
    assert refusal(after, REPORTER, "reopen", reason="x").slug == "ruling_final"
    assert moved(after, official("officer1"), "reopen", reason="x").state == "assigned"


def test_the_reporter_refuses_once_within_fourteen_days() -> None:
    """To in_progress, counted as rework."""
    last = START + 14 * DAY
    late = refusal(done(), REPORTER, "refuse", now=last + timedelta(seconds=1), reason="x")
    assert (late.status, late.slug, late.members["days"]) == (409, "window_over", 14)
    after = moved(done(), REPORTER, "refuse", last, reason="x")
    assert (after.state, after.holder) == ("in_progress", "s_worker1")
    assert after.flow["refused"] == {"202611": 1}
    again = moved(after, official("worker1"), "finish", photos=PHOTOS, note="Again.")
    assert refusal(again, REPORTER, "refuse", reason="x").slug == "refused_once"
    by_verifier = moved(again, official("verifier"), "refuse", reason="x")
    assert by_verifier.flow["refused"] == {"202611": 2}


def test_an_overruled_refusal_leaves_every_measure() -> None:
    """The verifier agrees with the holder: no refusal is counted, and nothing lapses meanwhile."""
    disputed = moved(refused(), official("worker1"), "dispute", START + DAY, reason="It is fixed.")
    assert (disputed.state, disputed.disputed) == ("work_done", True)
    assert disputed.finished_at == START
    assert refusal(disputed, CLOCK, "lapse", now=START + 60 * DAY).slug == "too_early"
    after = moved(disputed, official("verifier"), "verify", START + 40 * DAY)
    assert (after.resolution, after.flow) == ("verified", {"finished": {"202611": 1}})
    assert after.ruled
    assert not after.disputed


def test_an_upheld_refusal_is_final_and_counted_once() -> None:
    """The holder cannot dispute again; after the next finish it is possible again."""
    worker = official("worker1")
    disputed = moved(refused(), worker, "dispute", reason="It is fixed.")
    upheld = moved(disputed, official("verifier"), "refuse", START + 40 * DAY, reason="No.")
    assert (upheld.state, upheld.flow["refused"]) == ("in_progress", {"202611": 1})
    assert refusal(upheld, worker, "dispute", reason="x").slug == "ruling_final"
    again = moved(upheld, worker, "finish", photos=PHOTOS, note="Again.")
    assert not again.ruled
    lapsed = moved(again, CLOCK, "lapse", START + 14 * DAY)
    assert moved(lapsed, REPORTER, "reopen", START + 15 * DAY, reason="x").state == "assigned"


def test_only_a_refused_repair_is_disputed() -> None:
    """By its holder."""
    started = moved(assigned(), official("worker1"), "start")
    assert refusal(started, official("worker1"), "dispute", reason="x").slug == "nothing_refused"
    assert refusal(refused(), official("mate1"), "dispute", reason="x").status == 403


def test_work_without_an_answer_lapses_after_fourteen_days() -> None:
    """Only by the clock; the reporter may still reopen."""
    early = START + 14 * DAY - timedelta(seconds=1)
    assert refusal(done(), CLOCK, "lapse", now=early).slug == "too_early"
    after = moved(done(), CLOCK, "lapse", START + 14 * DAY)
    assert (after.state, after.resolution) == ("closed", "unverified")
    assert refusal(done(), official("officer1"), "lapse").status == 403


@pytest.mark.parametrize(
    ("who", "action", "fields", "resolution"),
    [
        ("officer1", "reject", {"reason_code": "spam", "text": "No."}, "rejected"),
        ("officer1", "disown", {"text": "The province's."}, "not_ours"),
        (None, "withdraw", {}, "withdrawn"),
    ],
)
@pytest.mark.parametrize("offered", [None, "u-prov"])
def test_closing_without_work(
    who: str | None, action: str, fields: dict[str, Any], resolution: str, offered: str | None
) -> None:
    """Resolution, moment and month are kept; an open offer ends."""
    given = assigned(offered_to=offered, offered_at=START)
    after = moved(given, official(who) if who else REPORTER, action, **fields)
    assert (after.state, after.resolution, after.closed_at) == ("closed", resolution, START)
    assert (after.closed_month, after.offered_to) == ("202611", None)


ORIGINAL = report(id="01J00000000000000000000009", filed_at=START - DAY)


def test_merging_needs_an_older_open_report_of_the_group_nearby() -> None:
    """Closed as duplicate of it; the state before is remembered."""
    after = moved(assigned(), official("officer1"), "merge", target=ORIGINAL, into=ORIGINAL.id)
    assert (after.resolution, after.merged_into) == ("duplicate", ORIGINAL.id)
    assert after.back_to == "assigned"


@pytest.mark.parametrize(
    ("target", "slug"),
    [
        (None, "original_unknown"),
        (report(), "original_unknown"),
        (replace(ORIGINAL, protected=True), "original_unknown"),
        (replace(ORIGINAL, state="closed"), "original_closed"),
        (replace(ORIGINAL, group="waste"), "original_unfit"),
        (replace(ORIGINAL, filed_at=START + DAY), "original_unfit"),
        (replace(ORIGINAL, lat7=ORIGINAL.lat7 + 23_000), "original_far"),
    ],
)
def test_any_other_original_is_refused(target: Report | None, slug: str) -> None:
    """Itself, a protected, closed, other, younger or far one."""
    problem = refusal(report(), official("officer1"), "merge", target=target, into="x")
    assert problem.slug == slug


def test_beyond_the_distance_a_verifier_from_outside_decides() -> None:
    """A flood that 140 people report is wider than 250 m."""
    far = replace(ORIGINAL, lat7=ORIGINAL.lat7 + 50_000)
    assert moved(report(), official("verifier"), "merge", target=far, into="x").state == "closed"
    assert refusal(report(), official("verifier1"), "merge", target=far, into="x").status == 422


@pytest.mark.parametrize("state", ["submitted", "assigned", "in_progress", "coordinated"])
def test_unmerging_returns_to_the_state_before_with_its_own_clock(state: str) -> None:
    """Its deadline is the one it had."""
    officer, given = official("officer1"), report(state=state, assigned=state != "submitted")
    merged = moved(given, officer, "merge", target=ORIGINAL, into=ORIGINAL.id)
    after = moved(merged, officer, "unmerge", START + DAY, reason="Another hole.")
    assert (after.state, after.due_at, after.merged_into) == (state, given.due_at, None)
    assert (after.resolution, after.closed_at, after.closed_month) == (None, None, None)


def test_a_pause_ends_with_the_merge() -> None:
    """A duplicate that was waiting comes back running."""
    asked = moved(assigned(), official("officer1"), "ask", question="?")
    merged = moved(asked, official("officer1"), "merge", START + DAY, target=ORIGINAL, into="x")
    assert merged.paused_at is None
    back = moved(merged, official("officer1"), "unmerge", START + 3 * DAY, reason="x")
    assert (back.state, back.due_at) == ("assigned", asked.due_at + DAY)


@pytest.mark.parametrize(
    ("resolution", "free"),
    [
        ("rejected", True),
        ("not_ours", True),
        ("withdrawn", True),
        ("verified", False),
        ("unverified", False),
        ("duplicate", False),
        (None, False),
    ],
)
def test_the_clock_unmerges_where_the_original_was_put_aside(
    resolution: str | None, free: bool
) -> None:
    """If the original is rejected, disowned or withdrawn; not if it is open or was repaired."""
    merged = moved(report(), official("officer1"), "merge", target=ORIGINAL, into=ORIGINAL.id)
    now = replace(ORIGINAL, state="closed" if resolution else "assigned", resolution=resolution)
    if free:
        assert moved(merged, CLOCK, "unmerge", target=now).state == "submitted"
    else:
        assert refusal(merged, CLOCK, "unmerge", target=now).slug == "too_early"


def test_reclassifying_recomputes_the_promise_from_filing() -> None:
    """It gets another unit and deadline, and no holder; everybody sees the change."""
    given = assigned(holder="s_worker1")
    after = moved(
        given, official("officer1"), "reclassify", START + DAY, service="litter", reason="Rubbish."
    )
    assert (after.service, after.group, after.unit) == ("litter", "waste", "u-d1")
    assert (after.state, after.holder) == ("assigned", None)
    assert after.due_at == START + timedelta(hours=24)


def test_a_longer_target_needs_a_dispatcher() -> None:
    """Otherwise a deadline could be moved by changing the name of the problem (case 77)."""
    fields = {"service": "bridge", "reason": "x"}
    problem = refusal(assigned(), official("officer1"), "reclassify", **fields)
    assert (problem.status, problem.slug) == (409, "dispatcher_needed")
    after = moved(assigned(), official("dispatcher"), "reclassify", **fields)
    assert after.due_at == START + timedelta(hours=960)


def test_pauses_count_in_a_recomputed_promise() -> None:
    """From filing plus the pauses it had."""
    asked = moved(assigned(), official("officer1"), "ask", question="?")
    answered = moved(asked, REPORTER, "answer", START + 2 * DAY, text="!")
    assert answered.due_at == report().due_at + 2 * DAY
    after = moved(
        answered, official("officer1"), "reclassify", START + 2 * DAY, service="litter", reason="x"
    )
    assert after.due_at == START + timedelta(hours=24) + 2 * DAY


@pytest.mark.parametrize("service", ["none", "retired", "pothole"])
def test_reclassifying_into_no_other_service_is_422(service: str) -> None:
    """Unknown, out of use, or the same."""
    problem = refusal(assigned(), official("officer1"), "reclassify", service=service, reason="x")
    assert problem.slug == "unknown_service"


@pytest.mark.parametrize("who", ["worker1", "mate1", "head1", "verifier", "admin", None])
def test_anyone_may_propose_a_report_for_a_protected_service(who: str | None) -> None:
    """Field worker, verifier and reporter may, and only a protected service. A proposal alone
    changes no unit: the protected unit takes the report, and only its officer sends it out
    again."""
    actor = official(who) if who else REPORTER
    for name in ("reclassify", "protect"):
        proposed = moved(assigned(), actor, name, service="misconduct", reason="x")
        assert (proposed.protected, proposed.unit, proposed.secret) == (False, "u-d1", True)
    after = moved(proposed, official("safe"), "take")
    assert (after.protected, after.unit, after.group) == (True, "u-safe", "safety")
    assert (after.state, after.protection) == ("assigned", {})
    assert refusal(assigned(), actor, "reclassify", service="litter", reason="x").slug == (
        "only_into_protected"
    )
    safe = official("safe")
    out = moved(after, safe, "reclassify", service="litter", reason="x")
    assert (out.protected, out.private, out.unit) == (False, True, "u-d1")
    assert refusal(after, actor, "reclassify", service="violence", reason="x").status == 403
    assert moved(after, safe, "reclassify", service="violence", reason="x").service == "violence"
    assert refusal(assigned(), official("auditor"), "reclassify", service="violence", reason="x")


def test_a_protected_report_is_handed_to_no_other_unit() -> None:
    """Also not by its own unit: ward staff would see it."""
    hidden = report(service="violence", state="assigned", assigned=True)
    assert refusal(hidden, official("safe"), "assign", unit="u-prov").slug == "unknown_unit"
    assert refusal(hidden, official("safe"), "merge", target=ORIGINAL, into="x").status == 403


def test_a_transfer_within_the_district_is_an_officers() -> None:
    """To another district only by a dispatcher; the other district's deadline counts from
    filing."""
    litter = assigned(service="litter")
    assert moved(litter, official("officer1"), "transfer", ward="D1-W2", reason="x").ward == "D1-W2"
    problem = refusal(litter, official("officer1"), "transfer", ward="D2-W1", reason="x")
    assert problem.slug == "dispatcher_needed"
    after = moved(litter, official("dispatcher"), "transfer", ward="D2-W1", reason="x")
    assert (after.district, after.unit) == ("D2", "u-d2")
    assert after.due_at == START + timedelta(hours=12)
    assert after.city_due_at == START + timedelta(hours=24)


@pytest.mark.parametrize("ward", ["none", "D1", "TV", "D1-W1"])
def test_a_transfer_goes_to_another_ward(ward: str) -> None:
    """Not to a district, to the city or to an unknown code."""
    problem = refusal(assigned(), official("dispatcher"), "transfer", ward=ward, reason="x")
    assert problem.slug == "unknown_ward"


def test_a_reclassified_report_has_no_refusal_to_dispute() -> None:
    """A reclassified report has nothing to dispute, and its counted refusal stays."""
    after = moved(refused(), official("officer1"), "reclassify", service="litter", reason="x")
    started = moved(after, official("worker1"), "start")
    assert started.flow["refused"] == {"202611": 1}
    assert refusal(started, official("worker1"), "dispute", reason="x").slug == "nothing_refused"


def test_a_reopened_report_gets_a_new_due_time_and_keeps_its_filing() -> None:
    """Counted in the month of reopening; without a holder it goes to ``submitted``."""
    later = START + 20 * DAY
    after = moved(closed(assigned=True, holder="s_worker1"), REPORTER, "reopen", later, reason="x")
    assert (after.state, after.holder, after.resolution) == ("assigned", "s_worker1", None)
    assert (after.filed_at, after.due_at) == (START, later + timedelta(hours=120))
    assert after.flow == {"reopened": {"202611": 1}}
    assert moved(closed("rejected"), REPORTER, "reopen", later, reason="x").state == "submitted"


def test_the_reporter_reopens_within_thirty_days_an_officer_at_any_time() -> None:
    """Nobody else may."""
    late = START + 30 * DAY + timedelta(seconds=1)
    assert moved(closed(), REPORTER, "reopen", START + 30 * DAY, reason="x").open
    assert refusal(closed(), REPORTER, "reopen", now=late, reason="x").slug == "window_over"
    assert moved(closed(), official("officer1"), "reopen", late, reason="x").open
    assert refusal(closed(), citizen("other"), "reopen", reason="x").status == 403


def test_a_reopened_report_starts_a_new_round() -> None:
    """The reporter may refuse once more; an old ruling binds no later closing."""
    verified = moved(refused(), official("worker1"), "finish", photos=PHOTOS, note="x")
    ruled = moved(verified, official("verifier"), "verify")
    reopened = moved(ruled, official("officer1"), "reopen", reason="x")
    rejected = moved(reopened, official("officer1"), "reject", reason_code="spam", text="x")
    assert moved(rejected, REPORTER, "reopen", reason="x").open
    again = moved(reopened, official("worker1"), "finish", photos=PHOTOS, note="x")
    assert moved(again, REPORTER, "refuse", reason="x").state == "in_progress"


def test_only_the_person_who_filed_a_report_withdraws_it() -> None:
    """The reporter of its duplicate has the other rights, not this one."""
    rights = frozenset({"reporter"})
    with pytest.raises(Problem) as found:
        perform(
            "withdraw", assigned(merged=1), citizen("neighbour"), rights, {}, Context(START, city())
        )
    assert (found.value.status, found.value.members["rule"]) == (403, "withdraw.filer")
    assert perform(
        "verify", done(), citizen("neighbour"), rights, {}, Context(START, city())
    ).resolution


ACKNOWLEDGING = {
    "coordinate": {"agency": "u-prov", "reason": "x"},
    "schedule": {"until": iso(START + DAY), "reason": "x"},
    "ask": {"question": "x"},
    "reject": {"reason_code": "spam", "text": "x"},
    "disown": {"text": "x"},
    "finish": {"photos": PHOTOS, "note": "x"},
    "reclassify": {"service": "litter", "reason": "x"},
    "transfer": {"ward": "D1-W2", "reason": "x"},
}


@pytest.mark.parametrize("action", ACKNOWLEDGING)
def test_public_words_of_the_holding_unit_acknowledge(action: str) -> None:
    """Only the first comment counts."""
    fields = ACKNOWLEDGING[action]
    after = moved(assigned(), official("officer1"), action, **fields)
    assert after.acknowledged_at == START
    earlier = START - DAY
    again = moved(assigned(acknowledged_at=earlier), official("officer1"), action, **fields)
    assert again.acknowledged_at == earlier


def test_assigning_and_wordless_actions_do_not_acknowledge() -> None:
    """Neither assigning to oneself with an inside note, nor comments of others."""
    officer = official("officer1")
    quiet = [
        moved(report(), officer, "assign", person="s_officer1", note="Mine."),
        moved(assigned(), official("worker1"), "start"),
        moved(assigned(), official("worker1"), "decline", reason_code="unsafe", reason="x"),
        moved(assigned(), official("dispatcher"), "transfer", ward="D1-W2", reason="x"),
        moved(assigned(), REPORTER, "withdraw", reason="x"),
    ]
    assert [one.acknowledged_at for one in quiet] == [None] * 5
    assert moved(assigned(), official("worker1"), "start", note="Here.").acknowledged_at == START


def test_every_action_of_the_table_has_an_effect() -> None:
    """Every row has an effect, and every effect a row."""
    from chalicelib.domain.actions.perform import _EFFECTS

    assert set(_EFFECTS) == set(actions(False)) == set(actions(True))
