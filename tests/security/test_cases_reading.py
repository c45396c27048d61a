"""Cases 34 to 45: what the public may read, and what is hidden from people without a right."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.services.platform import signing
from tests.security.edge import Edge, Reply
from tests.support.world import BUNDLE, JURISDICTION, STAFF, blob

UNKNOWN = "01J" + "0" * 23
READS = ("reports/{id}", "reports/{id}/timeline", "reports/{id}/proof")
CANARIES = {
    "name": "Canary Siti",
    "email": "canary@example.org",
    "phone": "+6281999000111",
}
INSIDE = "canary inside note"
ADDRESS = "203.0.113.77"
LIMITS = ["0", "-1", "1000000000", "201", "1_0", "٤١", "1.0", "1e1", " 1", "", "+1", "01"]


@pytest.fixture(name="me")
def me_fixture(edge: Edge) -> str:
    """A device."""
    return edge.device()


def shape(reply: Reply) -> tuple[Any, ...]:
    """What an answer reveals: its text and the calls made for it."""
    return reply.status, reply.text, [(one.service, one.operation) for one in reply.calls]


def leaves(value: Any) -> Iterator[str]:
    """Every text in an answer."""
    if isinstance(value, dict):
        for member in value.values():
            yield from leaves(member)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str):
        yield value


def journey(edge: Edge, me: str) -> dict[str, Any]:
    """A report with everything that the public must not read; its receipt."""
    report = edge.post(
        "/v1/reports",
        {
            "service": "flood",
            "lat": -6.195,
            "long": 106.805,
            "description": "Seen by all",
            "answers": {"depth": 3, "story": INSIDE},
            "contact": CANARIES,
        },
        me,
        ip=ADDRESS,
    ).body
    path, officer = f"/v1/reports/{report['id']}", edge.staff("officer1")
    edge.act(officer, report["id"], "assign", person="s_worker1", note=INSIDE)
    edge.post(f"{path}/comments", {"text": INSIDE, "audience": "inside"}, officer)
    edge.post(f"{path}/comments", {"text": "Hello", "audience": "public"}, officer)
    edge.post(f"{path}/support", who=edge.device())
    assert edge.post(f"{path}/contact", who=officer).body["contact"] == CANARIES
    edge.project()
    return dict(report)


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("who", [None, "device", "staff"])
def test_case_34_hidden_and_unknown_look_and_work_alike(
    edge: Edge, me: str, path: str, who: str | None
) -> None:
    hidden = edge.file(me, service="violence").body["id"]
    edge.file(me)
    asking = {None: None, "device": edge.device(), "staff": edge.staff("officer1")}[who]
    edge.get(f"/v1/{path.format(id=UNKNOWN)}", asking)  # a container that knows its keys and staff
    one, other = (edge.get(f"/v1/{path.format(id=one)}", asking) for one in (hidden, UNKNOWN))
    assert one.status == 404
    assert shape(one) == shape(other)


def test_case_34_a_tracking_code_of_a_hidden_report_is_as_unknown(edge: Edge, me: str) -> None:
    receipt = edge.file(me, service="violence").body
    one, other = edge.get(f"/v1/track/{receipt['code']}"), edge.get("/v1/track/0000-0000")
    assert (one.status, one.text) == (other.status, other.text)


@pytest.mark.parametrize(
    "given",
    ["1", "0", "-1", "*", "..", "%2e%2e", "a" * 26, "I" * 26, "0" * 25, "0" * 27, "1' OR '1"],
)
def test_case_34_an_id_that_is_none_is_404_without_a_look(edge: Edge, me: str, given: str) -> None:
    reply = edge.get(f"/v1/reports/{given}", me)
    assert (reply.status, reply.slug, reply.calls) == (404, "not_found", ())


def test_case_34_neighbours_of_an_id_are_unknown(edge: Edge, me: str) -> None:
    report = edge.file(me).body["id"]
    last = "0" if report[-1] != "0" else "1"
    assert edge.get(f"/v1/reports/{report[:-1]}{last}").status == 404


def test_case_34_a_report_of_another_city_is_unknown(edge: Edge, me: str) -> None:
    from chalicelib.services.city import cities

    cities.publish({**BUNDLE, "jurisdiction": "elsewhere"}, blob(), list(STAFF), edge.now)
    receipt = edge.file(me).body
    for path in (*(f"/v1/{one.format(id=receipt['id'])}" for one in READS),
                 f"/v1/track/{receipt['code']}"):  # fmt: skip
        assert edge.get(path).status == 200
        there = edge.get(path, jurisdiction_id="elsewhere")
        assert (there.status, there.slug) == (404, "not_found")
    case = edge.get(f"/v1/reports/{receipt['id']}/case", edge.staff("officer1"),
                    jurisdiction_id="elsewhere")  # fmt: skip
    assert case.status == 404
    assert edge.get("/v1/city", jurisdiction_id="nowhere").slug == "unknown_jurisdiction"


def everything(edge: Edge, who: str | None, report: str) -> list[Reply]:
    """Every way to read, change or add to a report."""
    path = f"/v1/reports/{report}"
    return [
        edge.get(path, who),
        edge.get(f"{path}/timeline", who),
        edge.get(f"{path}/case", who),
        edge.post(f"{path}/contact", who=who),
        edge.act(who or "", report, "reject", reason_code="spam", text="x")
        if who
        else edge.get(path),
        edge.post(f"{path}/comments", {"text": "x", "audience": "public"}, who),
        edge.post(f"{path}/support", who=who),
        edge.post(f"{path}/rating", {"rating": 1}, who),
        edge.post(f"{path}/claim", {"secret": "0" * 32}, who),
        edge.post(f"{path}/follow", who=who),
        edge.ask("DELETE", f"{path}/follow", who=who),
    ]


@pytest.mark.parametrize("who", [None, "device", "officer1", "head2", "dispatcher", "auditor"])
def test_case_35_a_protected_report_exists_for_nobody_but_its_unit_and_reporter(
    edge: Edge, me: str, who: str | None
) -> None:
    hidden = edge.file(me, service="violence").body["id"]
    asking = {None: None, "device": edge.device()}.get(who, edge.staff(who or ""))
    replies = everything(edge, asking, hidden)
    # A role that may never do it gets 403; all others get 404.
    assert {reply.status for reply in replies} <= {401, 403, 404}
    refused = {reply.slug for reply in replies if reply.status != 404}
    assert refused <= {"unauthenticated", "forbidden"}
    guessed = everything(edge, asking, UNKNOWN) if not asking else []
    assert [reply.text for reply in replies if not asking] == [reply.text for reply in guessed]


def test_case_35_its_unit_reads_a_protected_report(edge: Edge, me: str) -> None:
    hidden = edge.file(me, service="violence").body["id"]
    assert edge.get(f"/v1/reports/{hidden}/case", edge.staff("safe")).status == 200
    desk = edge.get("/v1/queue", edge.staff("safe"), district="protected").body["reports"]
    assert [row["id"] for row in desk] == [hidden]
    for district in ("D1", "protected"):
        for other in ("officer1", "dispatcher", "verifier", "auditor", "admin"):
            reply = edge.get("/v1/queue", edge.staff(other), district=district)
            assert hidden not in reply.text


@pytest.mark.parametrize("who", ["officer2", "worker2", "head2"])
def test_case_35_another_districts_officer_finds_no_case(edge: Edge, me: str, who: str) -> None:
    report = edge.file(me).body["id"]
    path, asking = f"/v1/reports/{report}", edge.staff(who)
    for reply in (
        edge.get(f"{path}/case", asking),
        edge.post(f"{path}/contact", who=asking),
        edge.act(asking, report, "assign", unit="u-d2"),
        edge.post(f"{path}/comments", {"text": "x", "audience": "inside"}, asking),
    ):
        assert (reply.status, reply.slug) == (404, "not_found")


def test_case_36_no_public_answer_tells_who_reported_or_what_was_said_inside(
    edge: Edge, me: str
) -> None:
    receipt = journey(edge, me)
    device = edge.get("/v1/me", me).body["uid"]
    secret = [*CANARIES.values(), INSIDE, ADDRESS, device, receipt["claim_secret"], "s_worker1"]
    secret += [one["name"] for one in STAFF] + [one["subject"] for one in STAFF]
    path = f"/v1/reports/{receipt['id']}"
    month = edge.city.month(edge.now)
    places = (path, f"{path}/timeline", f"/v1/track/{receipt['code']}", "/v1/city",
              "/v1/services", f"/v1/tallies/{month}", "/v1/health", "/v1/workflow")  # fmt: skip
    for asking in (None, edge.device(), edge.staff("officer2"), edge.staff("auditor")):
        for place in places:
            reply = edge.get(place, asking)
            assert reply.status == 200
            assert [one for one in secret if one in reply.text] == [], place
    duplicates = edge.file(edge.device(), service="flood", answers={"depth": 1})
    assert duplicates.body["possible_duplicates"]
    assert [one for one in secret if one in duplicates.text] == []


def test_case_36_an_auditor_reads_everything_but_personal_data(edge: Edge, me: str) -> None:
    receipt = journey(edge, me)
    auditor = edge.staff("auditor")
    case = edge.get(f"/v1/reports/{receipt['id']}/case", auditor)
    assert case.status == 200
    assert INSIDE in case.text
    assert [one for one in CANARIES.values() if one in case.text] == []
    assert edge.post(f"/v1/reports/{receipt['id']}/contact", who=auditor).status == 403


def test_case_36_a_field_worker_reads_the_place_but_not_the_person(edge: Edge, me: str) -> None:
    receipt = journey(edge, me)
    case = edge.get(f"/v1/reports/{receipt['id']}/case", edge.staff("worker1"))
    device = edge.get("/v1/me", me).body["uid"]
    secret = [*CANARIES.values(), ADDRESS, device, receipt["claim_secret"]]
    assert case.status == 200
    assert [one for one in secret if one in case.text] == []
    reply = edge.post(f"/v1/reports/{receipt['id']}/contact", who=edge.staff("colleague1"))
    assert (reply.status, reply.slug) == (403, "contact_not_allowed")


@pytest.mark.parametrize("path", ["/v1/queue", "/v1/me/reports"])
@pytest.mark.parametrize("limit", LIMITS)
def test_case_39_a_limit_that_is_none_is_422(edge: Edge, me: str, path: str, limit: str) -> None:
    who = edge.staff("officer1") if path.endswith("queue") else me
    reply = edge.get(path, who, limit=limit)
    assert (reply.status, reply.slug, reply.body["field"]) == (422, "invalid_parameter", "limit")


def pages(edge: Edge, me: str) -> tuple[str, str]:
    """A cursor of the queue and one of the reporter's list, with another page behind each."""
    for _ in range(3):
        edge.file(me)
    queue = edge.get("/v1/queue", edge.staff("officer1"), limit=1).body["cursor"]
    mine = edge.get("/v1/me/reports", me, limit=1).body["cursor"]
    assert queue
    assert mine
    return queue, mine


def test_case_40_a_cursor_goes_on_where_the_page_ended(edge: Edge, me: str) -> None:
    _, mine = pages(edge, me)
    officer = edge.staff("officer1")
    seen = []
    cursor: str | None = None
    while True:
        page = edge.get("/v1/queue", officer, limit=1, **({"cursor": cursor} if cursor else {}))
        seen += [row["id"] for row in page.body["reports"]]
        cursor = page.body["cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 3
    assert edge.get("/v1/me/reports", me, limit=2, cursor=mine).body["cursor"] is None


def test_case_40_a_cursor_that_was_touched_is_400(edge: Edge, me: str) -> None:
    queue, _ = pages(edge, me)
    kid, payload, signature = queue.split(".")
    forged = signing._encode(json.dumps({"p": {"k": "A", "f": {}}, "e": None}).encode())
    other = signing.sign("device", {"k": "A", "f": {}}, None)
    touched = [
        queue[:-1], queue[1:], queue + "A", f"{kid}.{payload}",
        f"{kid}.{payload}.{signature[::-1]}", f"{kid}.{forged}.{signature}",
        f"k9.{payload}.{signature}", f"{kid}.{payload[:-2]}.{signature}", other,
        "A", "null", "{}", "é", "a b", "\u0000", "." * 3,
    ]  # fmt: skip
    for cursor in touched:
        reply = edge.get("/v1/queue", edge.staff("officer1"), cursor=cursor)
        assert (reply.status, reply.slug) == (400, "cursor_invalid"), cursor


def test_case_40_a_cursor_serves_its_filter_and_its_person_alone(edge: Edge, me: str) -> None:
    queue, mine = pages(edge, me)
    officer = edge.staff("officer1")
    foreign: list[tuple[str, str, dict[str, Any]]] = [
        ("/v1/queue", officer, {"cursor": mine}),
        ("/v1/me/reports", me, {"cursor": queue}),
        ("/v1/me/reports", edge.device(), {"cursor": mine}),
        ("/v1/queue", edge.staff("colleague1"), {"cursor": queue}),
        ("/v1/queue", officer, {"cursor": queue, "state": "assigned"}),
        ("/v1/queue", officer, {"cursor": queue, "due_within": 5}),
        ("/v1/queue", edge.staff("dispatcher"), {"cursor": queue, "district": "D2"}),
    ]
    for path, who, query in foreign:
        reply = edge.get(path, who, **query)
        assert (reply.status, reply.slug) == (400, "cursor_invalid"), query


def test_case_40_a_cursor_ends_after_a_day_and_is_no_other_citys(edge: Edge, me: str) -> None:
    from chalicelib.services.city import cities

    _, mine = pages(edge, me)
    cities.publish({**BUNDLE, "jurisdiction": "elsewhere"}, blob(), list(STAFF), edge.now)
    there = edge.get("/v1/me/reports", me, cursor=mine, jurisdiction_id="elsewhere")
    assert there.status in (400, 401)
    edge.advance(days=1)
    assert edge.get("/v1/me/reports", me, cursor=mine).slug == "cursor_invalid"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sort", "filed"), ("sort", "due desc"), ("sort", "DUE"), ("sort", ""),
        ("state", "closed"), ("state", "#pk"), ("state", "submitted#"), ("state", ":v"),
        ("district", "D1;DROP"), ("district", "#pk"), ("district", "D1#submitted"),
        ("district", "attribute_exists(pk)"), ("district", "D1' OR '1'='1"),
        ("due_within", "-1"), ("due_within", "2161"), ("due_within", "NaN"),
        ("due_within", "1e3"),
    ],
)  # fmt: skip
def test_case_41_names_outside_the_list_are_422_before_any_query(
    edge: Edge, name: str, value: str
) -> None:
    edge.get("/v1/queue", edge.staff("officer1"))
    reply = edge.get("/v1/queue", edge.staff("officer1"), **{name: value})
    assert (reply.status, reply.slug, reply.body["field"]) == (422, "invalid_parameter", name)
    assert [one for one in reply.calls if one.operation == "Query"] == []


def test_case_41_a_district_that_is_no_ones_is_404(edge: Edge) -> None:
    for district in ("D2", "D9", "*", "TV", "protected.D1"):
        reply = edge.get("/v1/queue", edge.staff("officer1"), district=district)
        assert reply.status in (404, 422)


def test_case_42_protected_reports_are_in_no_figure(edge: Edge, me: str) -> None:
    month = edge.city.month(edge.now)
    before = edge.get(f"/v1/tallies/{month}").body
    for _ in range(3):
        edge.file(me, service="violence")
    edge.project()
    assert edge.get(f"/v1/tallies/{month}").body == before


def test_case_43_two_reports_of_one_person_share_nothing_that_two_peoples_do_not(
    edge: Edge, me: str
) -> None:
    contact = {"email": CANARIES["email"], "phone": CANARIES["phone"]}
    other = edge.device()
    filed = [(me, contact), (me, contact), (other, {"email": "other@example.org"})]
    views = []
    for who, reached in filed:
        edge.advance(minutes=7)
        receipt = edge.file(who, contact=reached).body
        edge.post(f"/v1/reports/{receipt['id']}/rating", {"rating": 1}, who)
        views.append(
            {
                text
                for place in (f"reports/{receipt['id']}", f"reports/{receipt['id']}/timeline")
                for text in leaves(edge.get(f"/v1/{place}").body)
            }
        )
    first, second, third = views
    assert first & second == first & third == second & third


@pytest.mark.parametrize(
    "query",
    [
        {"fields": "reporter"}, {"expand": "contact"}, {"callback": "alert"}, {"access_token": "x"},
        {"include": "*"}, {"format": "xml"}, {"radius": "1"}, {"bbox": "-180,-90,180,90"},
        {"jurisdiction_id": ["a", "b"]},
    ],
)  # fmt: skip
def test_case_44_parameters_that_are_not_known_here_are_400(
    edge: Edge, me: str, query: dict[str, Any]
) -> None:
    report = edge.file(me).body["id"]
    for path in (f"/v1/reports/{report}", "/v1/city", "/v1/health"):
        assert edge.get(path, **query).status == 400


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "application/json;q=0"])
def test_case_44_the_type_of_an_answer_is_ours(edge: Edge, me: str, accept: str) -> None:
    report = edge.file(me, description="<script>alert(1)</script>").body["id"]
    reply = edge.ask("GET", f"/v1/reports/{report}", headers={"Accept": accept})
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")


def test_case_44_pages_name_their_charset_and_load_nothing_from_elsewhere(edge: Edge) -> None:
    for path in ("/docs", "/docs/assets/start.js", "/docs/assets/swagger-ui.css"):
        assert edge.get(path).headers["content-type"].endswith("; charset=utf-8")
    page = edge.get("/docs")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "http" not in page.text.replace("https://", "")
    assert edge.get("/docs/assets/..%2f..%2fapp.py").status == 404


def test_case_45_only_what_everybody_reads_may_be_kept_and_only_without_a_token(
    edge: Edge, me: str
) -> None:
    receipt = journey(edge, me)
    month = edge.city.month(edge.now)
    public = ("/v1/city", "/v1/services", "/v1/workflow", f"/v1/tallies/{month}")
    for path in public:
        assert edge.get(path).headers["cache-control"].startswith("public")
        for who in (me, edge.staff("officer1")):
            assert edge.get(path, who).headers["cache-control"] == "no-store"
    officer = edge.staff("officer1")
    for path in (f"/v1/reports/{receipt['id']}/case", "/v1/queue", "/v1/me"):
        assert edge.get(path, officer).headers["cache-control"] == "no-store"
    report = edge.get(f"/v1/reports/{receipt['id']}")
    assert report.headers["cache-control"] == "no-cache"
    assert {"Authorization", "Origin"} <= set(report.headers["vary"].split(", "))
    hidden = edge.file(me, service="violence").body["id"]
    assert edge.get(f"/v1/reports/{hidden}", me).headers["cache-control"] == "no-store"


def test_case_45_what_is_told_once_is_never_kept(edge: Edge, me: str) -> None:
    for reply in (edge.post("/v1/devices"), edge.file(me), edge.get("/v1/me", me)):
        assert reply.headers["cache-control"] == "no-store"
    assert JURISDICTION not in edge.get("/v1/me").text
