"""Cases 71 to 82 through the routes; the whole table of case 70 is walked in tests/integration."""

import itertools
from typing import Any

import pytest

from chalicelib.domain import hash_chain
from tests.security.edge import Edge, application
from tests.support.world import JURISDICTION

TEXT = {"text": "x", "audience": "public"}


@pytest.fixture(name="me")
def me_fixture(edge: Edge) -> str:
    """A device."""
    return edge.device()


def seen(edge: Edge, reply: Any) -> tuple[int, str | None]:
    """A refusal in short; each refusal of the workflow names the open actions."""
    if reply.slug in ("role_not_allowed", "wrong_state", "stale_version"):
        assert "open_actions" in reply.body
    return reply.status, reply.slug


@pytest.mark.parametrize("role", ["citizen", "field_worker", "auditor", "verifier"])
@pytest.mark.parametrize("action", ["assign", "reject", "coordinate", "schedule", "transfer"])
def test_case_70_a_role_without_a_row_is_refused(
    edge: Edge, me: str, role: str, action: str
) -> None:
    report = edge.file(me).body["id"]
    who = {"citizen": me, "field_worker": edge.staff("worker1")}.get(role) or edge.staff(role)
    reply = edge.act(who, report, action)
    assert reply.status == 403
    assert reply.slug in ("forbidden", "role_not_allowed")


def test_case_71_a_citizen_may_not_close_a_report(edge: Edge, me: str) -> None:
    report = edge.file(me).body["id"]
    for action in ("reject", "disown", "merge", "finish"):
        reply = edge.act(me, report, action)
        assert seen(edge, reply) == (403, "role_not_allowed")
    # Actions of the clock are not actions of the API.
    assert seen(edge, edge.act(me, report, "lapse")) == (422, "invalid_field")
    assert seen(edge, edge.act(me, report, "verify")) == (409, "wrong_state")


def test_case_71_a_stranger_may_not_verify_reopen_or_withdraw_anothers(edge: Edge, me: str) -> None:
    stranger = edge.device()
    report = edge.finished(me)
    for action in ("verify", "refuse", "withdraw"):
        reply = edge.act(stranger, report, action, reason="x")
        assert seen(edge, reply) == (403, "role_not_allowed")
    assert edge.act(me, report, "verify").status == 200
    assert seen(edge, edge.act(stranger, report, "reopen", reason="x")) == (403, "role_not_allowed")
    assert edge.act(me, report, "reopen", reason="Broken again").status == 200


def test_case_71_a_second_support_counts_nothing(edge: Edge, me: str) -> None:
    report, neighbour = edge.file(me).body["id"], edge.device()
    answers = [edge.post(f"/v1/reports/{report}/support", who=neighbour).body for _ in range(3)]
    assert [answer["supports"] for answer in answers] == [1, 1, 1]
    assert edge.head(report).version == 2


def test_case_71_work_is_rated_once_it_is_done_and_by_the_reporter_alone(
    edge: Edge, me: str
) -> None:
    path = f"/v1/reports/{edge.file(me).body['id']}/rating"
    assert seen(edge, edge.post(path, {"rating": 5}, me)) == (409, "not_yet_rated")
    done = f"/v1/reports/{edge.finished(me)}/rating"
    reply = edge.post(done, {"rating": 1}, edge.device())
    assert seen(edge, reply) == (403, "reporter_only")
    assert edge.post(done, {"rating": 5}, edge.staff("officer1")).status == 403
    assert edge.post(done, {"rating": 5}, me).status == 200
    assert edge.post(done, {"rating": 4}, me).body["rating"] == 4


@pytest.mark.parametrize("rating", [0, 6, -1, 1.5, "5", True, None, 1e99])
def test_case_71_a_rating_is_one_to_five(edge: Edge, me: str, rating: Any) -> None:
    path = f"/v1/reports/{edge.finished(me)}/rating"
    assert edge.post(path, {"rating": rating}, me).status == 422


def test_case_71_a_claim_needs_the_secret(edge: Edge, me: str) -> None:
    receipt = edge.file(me).body
    path, other = f"/v1/reports/{receipt['id']}/claim", edge.device()
    wrong = receipt["claim_secret"][::-1]
    assert edge.post(path, {"secret": wrong}, other).status == 404
    assert edge.post(path, {"secret": edge.file(me).body["claim_secret"]}, other).status == 404
    assert edge.post(path, {"secret": receipt["claim_secret"]}, other).status == 200
    assert edge.act(other, receipt["id"], "withdraw").status == 200


@pytest.mark.parametrize("who", ["officer2", "worker2", "head2", "litterer", "lamps"])
def test_case_72_an_official_out_of_scope_finds_nothing(edge: Edge, me: str, who: str) -> None:
    receipt = edge.file(me).body
    asking, path = edge.staff(who), f"/v1/reports/{receipt['id']}"
    for reply in (
        edge.get(f"{path}/case", asking),
        edge.post(f"{path}/contact", who=asking),
        edge.post(f"{path}/comments", TEXT, asking),
        edge.act(asking, receipt["id"], "assign", person="s_worker1"),
    ):
        assert seen(edge, reply) == (404, "not_found")
    queue = edge.get("/v1/queue", asking, district="D1")
    assert queue.status == 404 or receipt["id"] not in queue.text


def test_case_73_nobody_of_the_district_verifies_its_work(edge: Edge, me: str) -> None:
    report = edge.finished(me)
    for who in ("officer1", "worker1", "head1", "dispatcher", "verifier1", "admin"):
        reply = edge.act(edge.staff(who), report, "verify")
        assert seen(edge, reply) == (403, "role_not_allowed"), who
        assert reply.body["rule"] in ("verify.who", "verify.two_person")
    assert edge.act(edge.staff("verifier"), report, "verify").status == 200


def test_case_75_a_stale_version_is_409_with_the_current_one(edge: Edge, me: str) -> None:
    report = edge.file(me).body["id"]
    one, other = edge.staff("officer1"), edge.staff("colleague1")
    assert edge.act(one, report, "assign", 1, person="s_worker1").status == 200
    reply = edge.act(other, report, "assign", 1, person="s_mate1")
    assert seen(edge, reply) == (409, "stale_version")
    assert (reply.body["seen"], reply.body["version"], reply.body["state"]) == (1, 2, "assigned")
    assert edge.act(other, report, "assign", reply.body["version"], person="s_mate1").status == 200
    events = edge.get(f"/v1/reports/{report}/timeline").body["events"]
    assert [event["action"] for event in events] == ["file", "assign", "assign"]


@pytest.mark.parametrize("version", [0, -1, 2, 1_000_001, 1.5, "1", None, True, 1e300])
def test_case_75_a_version_that_never_was_is_refused(edge: Edge, me: str, version: Any) -> None:
    report = edge.file(me).body["id"]
    body = {"action": "withdraw", "version": version}
    reply = edge.post(f"/v1/reports/{report}/actions", body, me)
    assert reply.status == (409 if version == 2 else 422)


def test_case_76_states_are_neither_skipped_nor_repeated(edge: Edge, me: str) -> None:
    officer, worker = edge.staff("officer1"), edge.staff("worker1")
    report = edge.file(me).body["id"]
    for who, action, more in (
        (worker, "start", {}),
        (worker, "finish", {"note": "x", "photos": [edge.photo(worker)]}),
        (me, "verify", {}),
        (me, "reopen", {"reason": "x"}),
        (officer, "unmerge", {"reason": "x"}),
        (me, "answer", {"text": "x"}),
    ):
        assert seen(edge, edge.act(who, report, action, **more)) == (409, "wrong_state"), action
    edge.act(officer, report, "assign", person="s_worker1")
    assert edge.act(worker, report, "start").status == 200
    assert seen(edge, edge.act(worker, report, "start")) == (409, "wrong_state")
    assert seen(edge, edge.act(me, report, "withdraw")) == (409, "wrong_state")


@pytest.mark.parametrize(
    "action", ["close", "", "file", "merge_in", "ASSIGN", {"$ne": 1}, None, ["assign"], 1]
)
def test_case_76_an_action_that_is_none_is_422(edge: Edge, me: str, action: Any) -> None:
    report = edge.file(me).body["id"]
    body = {"action": action, "version": 1}
    reply = edge.post(f"/v1/reports/{report}/actions", body, edge.staff("officer1"))
    assert (reply.status, reply.body["field"]) == (422, "action")


@pytest.mark.parametrize("field", ["status", "state", "resolution", "due_at", "filed_at", "at"])
def test_case_76_an_action_takes_no_state_and_no_time(edge: Edge, me: str, field: str) -> None:
    report = edge.file(me).body["id"]
    reply = edge.act(edge.staff("officer1"), report, "assign", person="s_worker1", **{field: "x"})
    assert seen(edge, reply) == (422, "unknown_field")


def test_case_77_the_clock_stops_only_with_a_reason_in_public_and_a_date_ahead(
    edge: Edge, me: str
) -> None:
    officer = edge.staff("officer1")
    report = edge.file(me).body["id"]
    edge.act(officer, report, "assign", person="s_worker1")
    later = "2026-11-04T01:00:00Z"
    for more, slug in (
        ({"until": later}, "action_field_missing"),
        ({"reason": "x"}, "action_field_missing"),
        ({"reason": "x", "until": "2026-11-02T00:59:59Z"}, "moment_past"),
        ({"reason": "x", "until": "2027-11-02T00:00:00Z"}, "schedule_too_far"),
    ):
        assert edge.act(officer, report, "schedule", **more).slug == slug
    assert edge.act(officer, report, "ask", question="Where?").slug == "reporter_unreachable"
    assert edge.act(officer, report, "schedule", reason="Rain", until=later).status == 200
    events = edge.get(f"/v1/reports/{report}/timeline").body["events"]
    assert events[-1]["words"] == {"reason": "Rain"}
    edge.advance(minutes=1)
    assert edge.act(edge.staff("worker1"), report, "resume").status == 200
    again = edge.act(officer, report, "schedule", reason="Rain", until=later)
    assert seen(edge, again) == (409, "schedule_once")


def test_case_77_handing_a_report_on_moves_no_deadline(edge: Edge, me: str) -> None:
    receipt = edge.file(me).body
    edge.advance(hours=119)
    changed = edge.act(edge.staff("officer1"), receipt["id"], "assign", unit="u-prov").body
    assert changed["due_at"] == receipt["due_at"]
    assert changed["unit"] == "u-d1"  # until the other unit accepts
    accepted = edge.act(edge.staff("province"), receipt["id"], "accept").body
    assert (accepted["unit"], accepted["due_at"]) == ("u-prov", receipt["due_at"])


def test_case_78_no_route_edits_or_deletes_what_happened(edge: Edge) -> None:
    routes = application().routes
    methods = {(path, method) for path, known in routes.items() for method in known}
    assert {one for one in methods if one[1] not in ("GET", "POST")} == {
        ("/v1/reports/{id}/follow", "DELETE")
    }
    assert [path for path, method in methods if "timeline" in path and method != "GET"] == []


def test_case_78_the_timeline_is_one_unbroken_chain(edge: Edge, me: str) -> None:
    from chalicelib.storage import timeline_rows

    report = edge.finished(me)
    edge.act(me, report, "refuse", reason="Still broken")
    links = timeline_rows.chain(JURISDICTION, report, 0, 100)
    assert hash_chain.faults(links) == []
    shown = edge.get(f"/v1/reports/{report}/timeline").body["events"]
    assert [event["hash"] for event in shown] == [entry.hash for entry in links]
    assert all(one["hash"] == later["prev"] for one, later in itertools.pairwise(shown))


def test_case_79_units_and_people_must_be_of_this_city(edge: Edge, me: str) -> None:
    report, officer = edge.file(me).body["id"], edge.staff("officer1")
    for more, slug in (
        ({"unit": "u-nowhere"}, "unknown_unit"),
        ({"unit": "u-d2"}, "unknown_unit"),
        ({"unit": "*"}, "invalid_field"),
        ({"person": "s_nobody"}, "unknown_person"),
        ({"person": "s_worker2"}, "unknown_person"),
        ({"person": "subject-worker1"}, "unknown_person"),
    ):
        reply = edge.act(officer, report, "assign", **more)
        assert (reply.status, reply.slug) == (422, slug)
    ward = edge.act(edge.staff("dispatcher"), report, "transfer", ward="W9", reason="x")
    assert (ward.status, ward.slug) == (422, "unknown_ward")


@pytest.mark.parametrize("ward", ["D1", "TV", "D2"])
def test_case_79_a_report_is_moved_to_a_ward_and_not_to_a_district(
    edge: Edge, me: str, ward: str
) -> None:
    report = edge.file(me).body["id"]
    reply = edge.act(edge.staff("dispatcher"), report, "transfer", ward=ward, reason="x")
    assert (reply.status, reply.slug) == (422, "unknown_ward")


def test_case_80_what_is_said_inside_stays_inside(edge: Edge, me: str) -> None:
    report = edge.file(me).body["id"]
    path, officer = f"/v1/reports/{report}", edge.staff("officer1")
    inside = {"text": "secret words", "audience": "inside"}
    assert edge.post(f"{path}/comments", inside, officer).status == 201
    edge.act(officer, report, "assign", person="s_worker1", note="secret words")
    for who in (None, me, edge.staff("officer2"), officer):
        for place in (path, f"{path}/timeline"):
            assert "secret words" not in edge.get(place, who).text
    assert "secret words" in edge.get(f"{path}/case", officer).text
    reply = edge.post(f"{path}/comments", inside, me)
    assert (reply.status, reply.slug) == (403, "role_not_allowed")
    assert edge.post(f"{path}/comments", {"text": "x"}, officer).slug == "missing_field"
    assert edge.post(f"{path}/comments", {**inside, "audience": "Public"}, officer).status == 422


def test_case_81_what_was_sent_offline_counts_once_and_not_on_top_of_others(
    edge: Edge, me: str
) -> None:
    officer, worker = edge.staff("officer1"), edge.staff("worker1")
    report = edge.file(me).body["id"]
    edge.act(officer, report, "assign", person="s_worker1")
    path = f"/v1/reports/{report}/actions"
    start = {"action": "start", "version": 2, "note": "On it"}
    assert edge.post(path, start, worker, key="op-1").status == 200
    edge.advance(days=2)
    worker = edge.staff("worker1")  # a fresh token for the same person
    again = edge.post(path, start, worker, key="op-1")
    assert (again.status, again.headers["idempotent-replayed"]) == (200, "true")
    assert edge.head(report).version == 3
    late = edge.post(path, {**start, "note": "On it too"}, worker, key="op-2")
    assert seen(edge, late) == (409, "stale_version")
    assert late.body["version"] == 3
