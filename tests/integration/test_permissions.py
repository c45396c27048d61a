"""Security cases 70 to 73: every role × action × state, in the own and in the other district.

What workflow.md allows is written here a second time, by person; everything else must be refused:
404 if the person may not see the report, 403 if the action does not name them, 409 if the state
forbids it. The attempts go through the service up to the write, which is replaced.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.principal import Principal, roles, system
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import iso
from chalicelib.domain.workflow import table
from chalicelib.errors import Problem
from chalicelib.http import router
from chalicelib.http.operation import permissions
from chalicelib.services.city import cities, staff
from chalicelib.services.identity import rate_limits
from chalicelib.services.people import abuse_review
from chalicelib.services.photos import moderation, tickets
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome
from chalicelib.services.reports import actions, engagement, intake, queries, queues
from chalicelib.services.scorecards import audits
from chalicelib.services.timeline import access, append
from chalicelib.storage import people, reports, tables
from tests.support.world import ISSUER, JURISDICTION, START, World, citizen, city, official
from tests.unit.reports import report

NOW = START + timedelta(days=14)
ORIGINAL, WAITING = "01J00000000000000000000009", "01J00000000000000000000007"
STATES = [state for state in table.table()["states"] if state != "closed"]
RESOLUTIONS = table.table()["resolutions"]
VARIANTS = [*STATES, *(f"closed/{one}" for one in RESOLUTIONS)]
ACTIONS = list(table.table()["actions"])
FIELDS: dict[str, dict[str, Any]] = {
    "decline": {"reason_code": "unsafe"},
    "coordinate": {"agency": "u-lamps", "reason": "x"},
    "schedule": {"until": iso(NOW + timedelta(hours=1)), "reason": "x"},
    "ask": {"question": "x"},
    "answer": {"text": "x"},
    "finish": {"photos": ["01J00000000000000000000001"], "note": "x"},
    "refuse": {"reason": "x"},
    "dispute": {"reason": "x"},
    "reject": {"reason_code": "spam", "text": "x"},
    "merge": {"into": WAITING},
    "unmerge": {"reason": "x"},
    "reclassify": {"service": "misconduct", "reason": "x"},
    "protect": {"service": "misconduct", "reason": "x"},
    "return": {"reason": "x"},
    "transfer": {"reason": "x"},
    "move_pin": {"long": 0.0, "reason": "x"},
    "disown": {"text": "x"},
    "reopen": {"reason": "x"},
    "audit": {"result": "pass", "reason": "x"},
    "breach": {"target": "resolve"},
    "escalate": {"level": 1},
}
# Only the clock takes these actions; test_sweep.py tests them.
BY_THE_CLOCK = {"breach", "escalate", "release", "remerge", "protect_lapse"}
OFFICER = [
    "assign", "coordinate", "schedule", "ask", "reject", "merge", "unmerge", "reclassify",
    "transfer", "move_pin", "disown", "reopen", "protect",
]  # fmt: skip
HOLDER = ["decline", "start", "finish", "dispute", "resume", "reclassify", "protect"]
REPORTER = ["answer", "verify", "refuse", "withdraw", "reopen", "move_pin", "reclassify", "protect"]
# Of a report in D1, held by worker1 of u-d1, offered to u-prov or coordinated with it.
MAY: dict[str, list[str]] = {
    "reporter": REPORTER,
    "neighbour": REPORTER,
    "stranger": [],
    "worker1": HOLDER,
    "mate1": ["reclassify", "protect"],
    "officer1": OFFICER,
    "colleague1": OFFICER,
    "head1": ["assign", "coordinate", "reclassify", "protect"],
    "dispatcher": ["assign", "accept", "schedule", "reclassify", "protect", "transfer", "move_pin"],
    "verifier": ["verify", "refuse", "merge", "reclassify", "protect", "audit"],
    "verifier1": OFFICER,
    "verifier2": ["verify", "refuse", "merge", "reclassify", "protect", "audit"],
    "admin": ["reclassify", "protect"],
    "auditor": [],
    "roadman": ["reclassify", "protect"],
    "roadman assigned": ["accept", "decline", "reclassify", "protect"],
    "roadman coordinated": HOLDER,
    "system": ["answer", "resume", "lapse", "unmerge", "finish_outside"],
}
ELSEWHERE = (
    "officer2", "worker2", "head2", "litterer", "cleaner", "lamps", "lampist", "safe", "guard",
    "overseer",
)  # fmt: skip
# Of a protected report that u-safe holds through guard: everybody else is told 404.
MAY_PROTECTED: dict[str, list[str]] = {
    "reporter": REPORTER[:-2],
    "safe": [one for one in OFFICER if one not in ("merge", "unmerge", "protect")],
    "guard": HOLDER[:-2],
    "overseer": ["verify", "refuse"],
    "system": ["answer", "resume", "lapse", "unmerge", "finish_outside"],
}


READING = ("get", "lis")


class Permitted(Exception):
    """Everything was allowed; only the write is left."""


def person(name: str) -> Principal:
    """The principal behind a name of the tables above."""
    if name == "system":
        return system(JURISDICTION)
    if name in ("reporter", "neighbour", "stranger"):
        return citizen(name)
    return official(name)


def in_state(variant: str, number: int, **more: Any) -> Report:
    """A report for which only role and state can forbid an action."""
    state, _, resolution = variant.partition("/")
    closed = {"closed_at": START, "closed_month": "202611", "back_to": "assigned"}
    paused = {"paused_at": START, "back_to": "assigned", "scheduled_until": START}
    merged = {"merged_into": ORIGINAL} if resolution == "duplicate" else {}
    offered = {"offered_to": "u-prov", "offered_at": START - timedelta(days=3)}
    given = report(
        id=f"01J000000000000000000001{number:02d}",
        code=f"CODE-00{number:02d}",
        state=state,
        resolution=resolution or None,
        assigned=True,
        holder="s_worker1",
        held_by=("s_worker1",),
        finished_at=START,
        finished_by="s_worker1",
        refused_month="202611" if state == "in_progress" else None,
        merged=1,
        **{**(closed if resolution else {}), **merged},
        **(paused if state in ("needs_info", "scheduled") else {}),
        **(offered if state == "assigned" else {}),
        **({"agency": "u-prov"} if state == "coordinated" else {}),
    )
    return replace(given, **more)


class Attempts:
    """Tries actions on heads held in memory, through the service, up to the writing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        aside = report(
            id=ORIGINAL, filed_at=START - timedelta(days=1), state="closed", resolution="withdrawn"
        )
        self.waiting = replace(aside, id=WAITING, state="submitted", resolution=None)
        self.heads = {aside.id: aside}

        def cut(*given: Any) -> Any:
            raise Permitted

        def right(place: str, report: str, uid: str) -> bool:
            return uid == "d_neighbour"

        monkeypatch.setattr(actions, "_commit", cut)
        monkeypatch.setattr(actions, "_count_proposal", lambda *given: None)
        monkeypatch.setattr(actions, "run_once", lambda op, attempt: attempt())
        monkeypatch.setattr(tickets, "claim_photos", lambda *given: [])
        monkeypatch.setattr(reports, "get", lambda place, report: self.heads.get(report))
        monkeypatch.setattr(people, "has_right", right)
        monkeypatch.setattr(cities, "at", lambda place, version: city())
        monkeypatch.setattr(cities, "current", lambda place, now: city())
        monkeypatch.setattr(intake, "locate", lambda where, lat, long: (f"D{lat:.0f}-W1", 0))

    def __call__(self, name: str, head: Report, action: str) -> str:
        """ "may", or the refusal's status and kind."""
        self.heads[head.id] = head
        self.heads[WAITING] = replace(self.waiting, district=head.district, ward=head.ward)
        actor, fields = person(name), dict(FIELDS.get(action, {}))
        if head.protected:
            fields.pop("photos", None)
        if action == "assign":
            fields["unit"] = head.unit
        if action == "move_pin":
            fields["lat"] = float(head.district[1])
        if action == "transfer":
            fields["ward"] = f"{head.district}-W2"
        op = KeyedOperation(JURISDICTION, "op", "hash")
        body = {"action": action, "version": head.version, **fields}
        try:
            if actor.kind == "system":
                actions.act_by_clock(actor, op, head, action, fields, NOW)
            actions.act(actor, op, head.id, body, NOW)
        except Permitted:
            return "may"
        except Problem as problem:
            return f"{problem.status} {problem.slug}"
        raise AssertionError("neither written nor refused")

    def wrong(self, name: str, may: dict[str, list[str]], **more: Any) -> list[tuple[str, ...]]:
        """What differs from the tables: (state, action, found, wanted)."""
        found = []
        for number, variant in enumerate(VARIANTS):
            head = in_state(variant, number, **more)
            for action in ACTIONS:
                if name == "system" and action in BY_THE_CLOCK:
                    continue
                was, want = self(name, head, action), expected(name, action, variant, may)
                if was != want:
                    found.append((variant, action, was, want))
        return found


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    """Attempts of one test."""
    return Attempts(monkeypatch)


def expected(name: str, action: str, variant: str, may: dict[str, list[str]]) -> str:
    """What the tables above and the sources of workflow.md say."""
    row = table.table()["actions"][action]
    state, _, resolution = variant.partition("/")
    if name not in may:
        return "404 not_found"
    # The unit handed to, or the agency, is what it is in that state alone.
    named = may.get(f"{name} {state}", may[name])
    if action not in named:
        return "403 role_not_allowed"
    citizens = name in ("reporter", "neighbour")
    states = row.get("only", {}).get("reporter") if citizens else None
    if state not in (states or row["from"]) or resolution not in row.get(
        "resolutions", [resolution]
    ):
        merged = resolution == "duplicate" and name != "system"
        return "409 report_merged" if merged else "409 wrong_state"
    return "403 role_not_allowed" if (name, action) == ("neighbour", "withdraw") else "may"


@pytest.mark.parametrize("name", [*(one for one in MAY if " " not in one), *ELSEWHERE])
def test_each_person_may_what_the_product_says_in_each_state(attempts: Attempts, name: str) -> None:
    """Cases 70 and 72: every action from thirteen states; 404 out of scope."""
    assert attempts.wrong(name, MAY) == []


@pytest.mark.parametrize("name", ["officer1", "worker1", "head1", "verifier1", "litterer"])
def test_the_other_district_is_closed_to_officials_of_one(attempts: Attempts, name: str) -> None:
    """Case 72, the other way round: 404 whatever the action and the state."""
    where = {"district": "D2", "ward": "D2-W1", "unit": "u-d2", "holder": "s_worker2"}
    assert attempts.wrong(name, {}, **where) == []
    assert attempts.wrong("officer2", {"officer2": OFFICER}, **where) == []


@pytest.mark.parametrize("name", sorted(name for name in {*MAY, *ELSEWHERE} if " " not in name))
def test_protected_reports_have_people_of_their_own(attempts: Attempts, name: str) -> None:
    """Its unit, verifiers named for it, its reporter; 404 for the rest of the city."""
    hidden = {"service": "violence", "group": "safety", "protected": True, "unit": "u-safe"}
    hidden |= {"holder": "s_guard", "held_by": ("s_guard",), "finished_by": "s_guard"}
    assert attempts.wrong(name, MAY_PROTECTED, **hidden) == []


def test_a_refusal_writes_nothing(world: World) -> None:
    """Also no idempotency row."""
    report = world.finished()
    before = {name: sum(1 for _ in model.scan()) for name, model in tables.MODELS.items()}
    for name in ("stranger", "officer2", "auditor"):
        for action in ACTIONS:
            with pytest.raises(Problem):
                world.act(person(name), report, action, **FIELDS.get(action, {}))
    after = {name: sum(1 for _ in model.scan()) for name, model in tables.MODELS.items()}
    assert before == after


def test_a_refusal_says_which_rule_and_what_is_open(world: World) -> None:
    """403 and 409 name the rule and the actions open to this role."""
    done = world.finished()
    with pytest.raises(Problem) as refused:
        world.act(official("verifier1"), done, "verify")
    members = refused.value.members
    assert (refused.value.status, members["rule"]) == (403, "verify.two_person")
    assert "reclassify" in members["open_actions"]
    with pytest.raises(Problem) as refused:
        world.act(official("officer1"), done, "reject", reason_code="spam", text="x")
    members = refused.value.members
    assert (refused.value.status, members["rule"]) == (409, "reject.wrong_state")
    assert members["open_actions"] == ["merge", "reclassify", "transfer", "move_pin", "protect"]


def test_revoking_a_record_takes_effect(world: World) -> None:
    """Case 65: the present record counts, after at most thirty seconds."""
    from tests.support.world import BUNDLE, STAFF, blob

    found = staff.by_subject(JURISDICTION, ISSUER, "subject-officer1", world.now)
    assert found is not None
    assert found.roles("D1", "pothole") == {"officer"}
    assert found.roles("D2", "pothole") == frozenset()
    rest = [one for one in STAFF if one["ref"] != "s_officer1"]
    cities.publish(BUNDLE, blob(), rest, world.now)
    world.advance(seconds=31)
    assert staff.by_subject(JURISDICTION, ISSUER, "subject-officer1", world.now) is None
    assert staff.by_ref(JURISDICTION, "s_officer1") is None
    assert staff.by_subject(JURISDICTION, "https://other", "subject-head1", world.now) is None


def test_the_table_of_operations_gives_the_public_no_write() -> None:
    """And an auditor reads only; every role of it is known."""
    known = {"public", "citizen", *roles()}
    tapping = {
        "answerRepaired",
        "answerNotRepaired",
        "registerDevice",
        "undoClaim",
        "chooseNotifications",
        "unsubscribe",
    }
    reads = ("get", "list", "track", "ask")
    for operation, named in permissions().items():
        assert set(named) <= known
        if not operation.startswith(reads) and operation not in tapping:
            assert not {"public", "auditor"} & set(named), operation


def test_personal_data_has_its_own_permission(world: World) -> None:
    """No role implies it, and it holds only within its grant."""
    filed = world.file(contact={"email": "a@example.org"}, ward="D2-W1")["id"]
    for name in ("officer1", "officer2", "head2", "dispatcher", "admin", "auditor", "verifier"):
        op = world.operation(official(name), "readContact", {})
        with pytest.raises(Problem) as refused:
            queries.contact(official(name), op, filed, world.now)
        assert refused.value.status in (403, 404)
    assert world.head(filed).version == 1
    assert not access.in_scope(official("officer1"), world.head(filed))


ROLES = (
    "field_worker", "officer", "dispatcher", "district_head", "verifier", "city_admin", "auditor",
)  # fmt: skip
# What an official may call about one report; photos have a test of their own (moderatePhoto).
ON_A_REPORT = (
    "getCase", "readContact", "commentReport", "flagReport", "followReport", "unfollowReport",
    "moderatePhoto", "actOnReport", "listQueue", "listAudits", "readFilerReports",
)  # fmt: skip


def holding(*grants: tuple[str, str], contact: tuple[int, ...] = ()) -> Principal:
    """An official of no unit of the report's, with a grant a (role, district); those at the places
    in ``contact`` carry the permissions of personal data."""
    record = {
        "ref": "s_several",
        "unit": "u-gov",
        "grants": [
            {
                "role": role,
                "districts": [district],
                "services": ["*"],
                "permissions": ["contact", "abuse"] if number in contact else [],
            }
            for number, (role, district) in enumerate(grants)
        ],
    }
    return staff.principal(JURISDICTION, record)


def answer(world: World, who: Principal, operation: str, report: str) -> str:
    """What the edge and the service say to one call on a report of D2: "may" or a status."""
    try:
        router._permit(who, frozenset(permissions()[operation]))
        op = world.operation(who, operation, {})
        if operation == "getCase":
            queries.case(who, report)
        elif operation == "readContact":
            queries.contact(who, op, report, world.now)
        elif operation == "readFilerReports":
            abuse_review.read(who, op, report, "Why.", world.now)
        elif operation == "commentReport":
            engagement.comment(who, op, report, "Hello.", "inside", world.now)
        elif operation == "flagReport":
            moderation.flag(who, op, report, {"reason": "other"}, world.now)
        elif operation in ("followReport", "unfollowReport"):
            engagement.follow(who, report, operation == "followReport", world.now)
        elif operation == "moderatePhoto":
            photo = next(iter(world.head(report).pictures))
            body = {"action": "hide", "reason": "other"}
            moderation.moderate(who, op, report, photo, body, world.now)
        elif operation == "actOnReport":
            world.act(who, report, "reclassify", service="bridge", reason="x")
        elif operation == "listQueue":
            found = queues.queue(who, "D2", None, None, 10, None, world.now)
            return f"may {len(found['reports'])}"
        elif operation == "listAudits":
            audits.queue(who, "202611", "D2", None, 10, world.now)
    except Problem as problem:
        if operation == "listAudits":
            return "403"  # Refused by role, or 404 by district.
        return str(problem.status)
    return "may"


@pytest.fixture
def walk(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[Principal], dict[str, str]]:
    """What an official is told to each operation on one report of D2; nothing is written."""
    me = citizen("reporter")
    photo = world.photo(me)
    filed = world.file(me, ward="D2-W1", photos=[photo], contact={"email": "a@example.org"})["id"]

    def cut(op: KeyedOperation, writes: Any, given: dict[str, Any]) -> Outcome:
        return Outcome({"id": filed, "version": 1})

    monkeypatch.setattr(actions, "write_with_key", cut)
    monkeypatch.setattr(append, "write_with_key", cut)
    monkeypatch.setattr(queries, "write_with_key", cut)
    monkeypatch.setattr(engagement, "commit", lambda writes: None)
    monkeypatch.setattr(rate_limits, "take", lambda *given, **more: None)
    return lambda who: {one: answer(world, who, one, filed) for one in ON_A_REPORT}


def test_what_an_official_holds_in_one_district_gives_nothing_in_another(
    walk: Callable[[Principal], dict[str, str]],
) -> None:
    """Every route × role × role of another scope: in D2 only the grant of D2 counts."""
    alone = {role: walk(holding((role, "D2"))) for role in ROLES}
    everything = [(role, "D1") for role in ROLES]
    for role in ROLES:
        assert walk(holding(*everything, (role, "D2"), contact=(0, 1, 2))) == alone[role], role
        assert walk(holding((role, "D2"), *everything, contact=(1, 2))) == alone[role], role
        out = walk(holding((role, "D1"), contact=(0,)))
        assert set(out.values()) <= {"403", "404"}, role
    assert "may" not in {alone["auditor"][one] for one in ON_A_REPORT if one[:3] not in READING}
    assert alone["officer"]["commentReport"] == "may"
    assert alone["auditor"]["getCase"] == "may"


def test_an_officer_who_audits_the_city_reads_no_contact_and_writes_nothing_elsewhere(
    walk: Callable[[Principal], dict[str, str]],
) -> None:
    """The permission on the grant of D1, the auditor's eyes everywhere."""
    found = walk(holding(("officer", "D1"), ("auditor", "*"), contact=(0, 1)))
    assert found == {
        "getCase": "may",
        "listQueue": "may 1",
        "listAudits": "may",
        **dict.fromkeys((one for one in ON_A_REPORT if one[:3] not in READING), "403"),
    }
    there = walk(holding(("officer", "D2"), ("auditor", "*"), contact=(0,)))
    assert {there[one] for one in ("readContact", "commentReport", "flagReport")} == {"may"}


def test_a_contact_is_read_only_where_the_permission_s_own_grant_reaches(
    walk: Callable[[Principal], dict[str, str]],
) -> None:
    """An officer of both districts who may read contacts in one."""
    both = (("officer", "D1"), ("officer", "D2"))
    assert walk(holding(*both, contact=(0,)))["readContact"] == "403"
    assert walk(holding(*both, contact=(1,)))["readContact"] == "may"
    assert walk(holding(*both, contact=(0,)))["readFilerReports"] == "403"
    assert walk(holding(*both, contact=(1,)))["readFilerReports"] == "may"


def test_a_permission_beside_the_grants_goes_with_every_one_but_an_auditor_s() -> None:
    """Older staff records."""
    record = {
        "ref": "s_old",
        "unit": "u-gov",
        "permissions": ["contact"],
        "grants": [
            {"role": "officer", "districts": ["D1"], "services": ["*"]},
            {"role": "auditor", "districts": ["*"], "services": ["*"]},
        ],
    }
    who = staff.principal(JURISDICTION, record)
    assert who.may("contact", "D1", "pothole")
    assert not who.may("contact", "D2", "pothole")
    assert not who.may("for_many", "D1", "pothole")


def test_an_official_files_like_anybody_but_not_where_they_only_audit(world: World) -> None:
    """A service for officials needs a role over the place."""
    here, there = holding(("officer", "D1")), holding(("officer", "D1"), ("auditor", "D2"))
    assert world.file(here, ward="D2-W1")["id"]
    assert world.file(here, service="inspection", ward="D1-W1")["id"]
    for who, service in ((here, "inspection"), (there, "pothole")):
        with pytest.raises(Problem) as refused:
            world.file(who, service=service, ward="D2-W1")
        assert refused.value.slug == "role_not_allowed"


def test_an_official_who_now_only_audits_does_not_act_on_earlier_work(
    attempts: Attempts,
) -> None:
    """Holding a report is not a role."""
    head = in_state("assigned", 1, holder="s_several", offered_to=None)
    for role, want in (("auditor", frozenset()), ("field_worker", {"holder"})):
        found = table.standing(holding((role, "D1")), head, is_reporter=False)
        assert found & {"holder"} == want
