"""Who may do what in which state: the table is complete, and refusals name the open actions."""

import itertools

import pytest

from chalicelib.domain.principal import system
from chalicelib.domain.workflow import table
from chalicelib.domain.workflow.table import actions, allowed, check_fields, open_actions, standing
from chalicelib.errors import Problem
from tests.support.world import JURISDICTION, START, citizen, official
from tests.unit.reports import report

STATES = list(table.table()["states"])
OPEN = [state for state in STATES if state != "closed"]
# workflow.md, "States of a report": action -> (from, to, who), written down a second time.
TABLE: dict[str, tuple[str, str, str]] = {
    "assign": (
        "submitted assigned in_progress coordinated needs_info scheduled",
        "assigned",
        "officer district_head dispatcher",
    ),
    "accept": ("assigned", "assigned", "handed_to dispatcher"),
    "decline": ("assigned", "submitted", "field_worker holder handed_to"),
    "start": ("assigned", "in_progress", "holder field_worker"),
    "coordinate": ("submitted assigned in_progress", "coordinated", "officer district_head"),
    "schedule": ("assigned in_progress coordinated", "scheduled", "officer dispatcher"),
    "ask": ("submitted assigned in_progress", "needs_info", "officer"),
    "answer": ("needs_info", "back", "reporter system"),
    "finish": (
        "assigned in_progress coordinated scheduled",
        "work_done",
        "holder field_worker",
    ),
    "finish_outside": (
        "submitted assigned in_progress coordinated scheduled needs_info",
        "work_done",
        "system",
    ),
    "verify": ("work_done", "closed", "reporter outside_verifier"),
    "refuse": ("work_done", "in_progress", "reporter outside_verifier"),
    "dispute": ("in_progress", "work_done", "holder"),
    "resume": ("scheduled", "in_progress", "holder system"),
    "lapse": ("work_done", "closed", "system"),
    "reject": ("submitted assigned", "closed", "officer"),
    "merge": (" ".join(OPEN), "closed", "officer outside_verifier"),
    "unmerge": ("closed", "back", "officer system"),
    "remerge": ("closed", "same", "system"),
    "reclassify": (" ".join(OPEN), "assigned", "officer dispatcher anyone_into_protected"),
    "transfer": (" ".join(OPEN), "assigned", "officer dispatcher"),
    "move_pin": (" ".join(OPEN), "same", "officer dispatcher reporter"),
    "disown": ("submitted assigned coordinated", "closed", "officer"),
    "withdraw": ("submitted assigned", "closed", "reporter"),
    "reopen": ("closed", "assigned", "reporter officer"),
    "breach": (" ".join(STATES), "same", "system"),
    "escalate": ("submitted assigned in_progress coordinated", "same", "system"),
    "release": ("closed", "same", "system"),
    "audit": ("closed", "same", "outside_verifier"),
    "protect": (" ".join(STATES), "same", "anyone_into_protected"),
    "take": (" ".join(STATES), "assigned", "protector"),
    "return": (" ".join(STATES), "same", "protector"),
    "protect_lapse": (" ".join(STATES), "same", "system"),
}


def test_the_workflow_table_is_the_one_written_here() -> None:
    """Sources, targets and actors of every action are those of workflow.md, no action more."""
    found = {
        name: (action.sources, action.to, action.who) for name, action in actions(False).items()
    }
    assert found == {
        name: (frozenset(sources.split()), to, frozenset(who.split()))
        for name, (sources, to, who) in TABLE.items()
    }


def test_every_state_can_be_reached_and_left() -> None:
    """No state is a trap, and none is unreachable from filing."""
    reached = {"submitted"}
    for _ in STATES:
        for action in actions(False).values():
            if action.sources & reached and action.to not in ("back", "same"):
                reached.add(action.to)
    assert reached == set(STATES)
    assert {state for action in actions(False).values() for state in action.sources} == set(STATES)


def test_clocks_run_pause_and_stop_as_the_states_say() -> None:
    """Only a question and a schedule pause; only work done and closing stop."""
    kinds = {state: table.clock(state) for state in STATES}
    assert [state for state, kind in kinds.items() if kind == "paused"] == [
        "scheduled",
        "needs_info",
    ]
    assert [state for state, kind in kinds.items() if kind == "stopped"] == ["work_done", "closed"]


@pytest.mark.parametrize(("name", "state"), list(itertools.product(TABLE, STATES)))
def test_an_action_starts_from_its_states_alone(name: str, state: str) -> None:
    """From any other state it is refused with 409, the rule, and the open actions."""
    action = actions(False)[name]
    resolution = sorted(action.resolutions)[0] if action.resolutions else "verified"
    given = report(state=state, resolution=resolution if state == "closed" else None)
    if state in action.sources:
        assert allowed(name, given, action.who) is action
        return
    with pytest.raises(Problem) as refused:
        allowed(name, given, action.who)
    problem = refused.value
    assert (problem.status, problem.slug) == (409, "wrong_state")
    assert problem.members["rule"] == f"{name}.wrong_state"
    assert problem.members["states"] == sorted(action.sources)
    assert name not in problem.members["open_actions"]


@pytest.mark.parametrize("name", TABLE)
def test_an_action_is_refused_to_roles_that_its_row_does_not_name(name: str) -> None:
    """403 with the roles that may, before the state is checked."""
    action = actions(False)[name]
    everybody = frozenset().union(*(one.who for one in actions(False).values()))
    given = report(state=sorted(action.sources)[0])
    with pytest.raises(Problem) as refused:
        allowed(name, given, everybody - action.who)
    assert (refused.value.status, refused.value.slug) == (403, "role_not_allowed")
    assert refused.value.members["roles"] == sorted(action.who)


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_refusal_reads_in_both_languages(language: str) -> None:
    """Its document fills the placeholders and keeps the members."""
    with pytest.raises(Problem) as refused:
        allowed("verify", report(), frozenset({"reporter"}))
    document = refused.value.document(language)
    assert "submitted" in document["detail"]
    assert document["open_actions"] == ["move_pin", "withdraw"]


def test_an_unknown_action_is_422_and_names_the_known_ones() -> None:
    """Case 76: no action outside the table."""
    with pytest.raises(Problem) as refused:
        allowed("close", report(), frozenset({"officer"}))
    assert refused.value.status == 422
    assert refused.value.members["actions"] == sorted(TABLE)


def test_a_duplicate_is_not_reopened_but_unmerged() -> None:
    """``reopen`` starts from every resolution but duplicate, ``unmerge`` from that alone."""
    officer = frozenset({"officer"})
    duplicate = report(state="closed", resolution="duplicate")
    assert open_actions(duplicate, officer) == ["unmerge"]
    for resolution in ("verified", "unverified", "rejected", "not_ours", "withdrawn"):
        closed = report(state="closed", resolution=resolution)
        assert open_actions(closed, officer) == ["reopen"]


def test_protected_reports_know_no_duplicates_and_no_after_photo() -> None:
    """Nobody may merge one; finishing takes an inside note."""
    rules = actions(True)
    assert not rules["merge"].who
    assert rules["unmerge"].who == {"system"}
    assert "photos" not in rules["finish"].fields
    assert rules["finish"].words == rules["coordinate"].words == "inside"


@pytest.mark.parametrize("name", TABLE)
def test_each_required_field_is_asked_for_by_name(name: str) -> None:
    """A body without it is 422 with the field; so is an unknown field."""
    action = actions(False)[name]
    full = dict.fromkeys((*action.requires, *action.any_of), "x")
    full.update({"reason_code": "unsafe"} if name == "decline" else {})
    full.update({"reason_code": "spam"} if name == "reject" else {})
    check_fields(action, full)
    for field in action.requires:
        for empty in ({}, {field: ""}, {field: []}, {field: None}):
            rest = {key: value for key, value in full.items() if key != field}
            with pytest.raises(Problem) as refused:
                check_fields(action, {**rest, **empty})
            assert (refused.value.status, refused.value.field) == (422, field)
    with pytest.raises(Problem) as refused:
        check_fields(action, {**full, "due_at": "2030-01-01T00:00:00Z"})
    assert refused.value.slug == "action_field_unknown"


def test_assigning_needs_a_unit_or_a_person() -> None:
    """One of the two."""
    assign = actions(False)["assign"]
    with pytest.raises(Problem):
        check_fields(assign, {"note": "x"})
    check_fields(assign, {"unit": "u-d1"})
    check_fields(assign, {"person": "s_worker1"})


@pytest.mark.parametrize(("name", "fields"), [("decline", {}), ("reject", {"text": "x"})])
def test_a_reason_comes_from_the_list(name: str, fields: dict[str, str]) -> None:
    """Another reason is 422, with the list."""
    with pytest.raises(Problem) as refused:
        check_fields(actions(False)[name], {"reason_code": "lazy", **fields})
    assert refused.value.slug == "reason_unknown"
    assert refused.value.members["reasons"] == table.table()["reasons"][name]


# The standing of each person towards a report of D1 that s_worker1 of u-d1 holds.
STANDING = {
    "officer1": {"officer", "anyone_into_protected"},
    "worker1": {"field_worker", "holder", "anyone_into_protected"},
    "mate1": {"anyone_into_protected"},
    "head1": {"district_head", "anyone_into_protected"},
    "officer2": set(),
    "worker2": set(),
    "dispatcher": {"dispatcher", "anyone_into_protected"},
    "verifier": {"outside_verifier", "anyone_into_protected"},
    "verifier1": {"officer", "inside_verifier", "anyone_into_protected"},
    "verifier2": {"outside_verifier", "anyone_into_protected"},
    "admin": {"city_admin", "anyone_into_protected"},
    "auditor": {"auditor"},
    "lamps": set(),
    "litterer": set(),
    "safe": set(),
}


@pytest.mark.parametrize("who", STANDING)
def test_standing_comes_from_role_scope_and_relation(who: str) -> None:
    """Roles outside their scope do not count; the person who holds it is its holder."""
    held = report(state="assigned", assigned=True, holder="s_worker1", held_by=("s_worker1",))
    assert standing(official(who), held, is_reporter=False) == STANDING[who]


def test_a_unit_without_a_person_is_held_by_all_of_its_workers() -> None:
    """Any worker of the unit may start."""
    held = report(state="assigned", assigned=True)
    for who in ("officer1", "worker1", "mate1", "head1"):
        assert "holder" in standing(official(who), held, is_reporter=False)
    assert "holder" not in standing(official("officer1"), report(), is_reporter=False)


def test_a_reporter_never_acts_as_staff() -> None:
    """An official who filed a report has no reporter's rights in it."""
    assert "reporter" not in standing(official("officer1"), report(), is_reporter=True)
    assert "reporter" in standing(citizen("a"), report(), is_reporter=True)
    assert standing(citizen("b"), report(), is_reporter=False) == frozenset()
    assert standing(system(JURISDICTION), report(), is_reporter=False) == {"system"}


@pytest.mark.parametrize(
    "history",
    [
        {"finished_by": "s_verifier"},
        {"held_by": ("s_verifier",)},
        {"unit": "u-gov"},
        {"worked": ("u-d1", "u-gov")},
        {"agency": "u-gov", "finished_at": START},
    ],
)
def test_nobody_judges_work_of_their_own(history: dict[str, object]) -> None:
    """Case 73: held, finished, or of the same unit or agency: 403 with the rule two_person."""
    done = report(state="work_done", assigned=True, **history)
    found = standing(official("verifier"), done, is_reporter=False)
    with pytest.raises(Problem) as refused:
        allowed("verify", done, found)
    assert refused.value.status == 403
    assert refused.value.members["rule"] == "verify.two_person"


def test_a_verifier_at_home_in_the_district_is_inside() -> None:
    """Also with another unit of that district."""
    done = report(state="work_done", district="D2", ward="D2-W1", unit="u-lamps")
    assert "inside_verifier" in standing(official("verifier2"), done, is_reporter=False)


def test_the_agency_holds_what_was_coordinated_with_it() -> None:
    """Its officials may finish; so may the responsible unit."""
    given = report(state="coordinated", agency="u-prov", assigned=True)
    agency = standing(official("province"), given, is_reporter=False)
    assert {"holder", "field_worker"} <= agency
    assert "holder" in standing(official("officer1"), given, is_reporter=False)
    assert table.holds(official("province"), given)
    assert not table.holds(official("province"), report())


def test_a_protected_report_knows_its_own_unit_and_verifiers_alone() -> None:
    """Ward staff, dispatchers and agencies stand in no relation to it, whatever their role, nor a
    verifier whose grant does not name the service."""
    hidden = report(
        service="violence", group="safety", protected=True, unit="u-safe", agency="u-prov"
    )
    for who in (
        "officer1",
        "worker1",
        "head1",
        "dispatcher",
        "admin",
        "auditor",
        "province",
        "verifier",
    ):
        assert standing(official(who), hidden, is_reporter=False) == frozenset()
    assert standing(official("overseer"), hidden, is_reporter=False) == {"outside_verifier"}
    assert "officer" in standing(official("safe"), hidden, is_reporter=False)
