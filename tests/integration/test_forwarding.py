"""Reports for a unit that works with an Open311 server of its own: sent, followed, given up."""

import copy
import io
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from chalicelib.entrypoints import batches
from chalicelib.outside.fetch import Failed
from chalicelib.services.city import cities
from chalicelib.services.forwarding import polling, sending, servers
from chalicelib.services.notifications import alerts, outbox
from chalicelib.services.reports import queries
from chalicelib.settings import settings
from chalicelib.storage import control, forwards
from tests.support import aws, open311_server
from tests.support.open311_server import Agency, Asked, reply, says
from tests.support.world import BUNDLE, JURISDICTION, World, blob, citizen, faults, official

UNIT = "u-prov"
OFFICER, REPORTER = official("officer1"), citizen("reporter")
HOUR = timedelta(hours=1)
SERVER = {
    "endpoint": open311_server.ENDPOINT,
    "jurisdiction_id": "province.example",
    "format": "json",
    "services": {"pothole": {"code": "001", "attributes": {"DEPTH": "unknown"}}},
}


@pytest.fixture(name="world")
def fixture_world(aws: None) -> World:
    """The test city, whose province has a server."""
    world = World()
    connect(world)
    return world


def connect(world: World, **more: Any) -> None:
    """Give the province a server like ``SERVER``, with these changes."""
    bundle = copy.deepcopy(BUNDLE)
    unit = next(one for one in bundle["units"] if one["code"] == UNIT)
    unit["open311"] = {**SERVER, **more}
    bundle["version"] = f"b{len(more):011d}"
    from tests.support.world import STAFF

    cities.publish(bundle, blob(), list(STAFF), world.now)


def queued() -> list[dict[str, Any]]:
    """The messages of the forwarding queue; they are removed."""
    held = aws.backend("sqs").queues[settings().forwards_queue]._messages
    bodies = [json.loads(one.body) for one in held]
    held.clear()
    return bodies


def given_to_province(world: World, **more: Any) -> str:
    """A report that the province has."""
    report = str(world.file(**more)["id"])
    world.act(OFFICER, report, "coordinate", agency=UNIT, reason="Their road")
    return report


def jobs(world: World) -> list[dict[str, Any]]:
    """The reports to forward now."""
    world.project()
    outbox.drain(now=world.now)
    return queued()


def work_off(world: World, tried: int = 1) -> list[str]:
    """Forward what waits; the errors."""
    failures = []
    for job in jobs(world):
        try:
            pass_on(world, job, last=tried >= 5)
        except Failed as failure:
            failures.append(failure.reason)
    return failures


def pass_on(world: World, job: dict[str, Any], *, last: bool = False) -> None:
    """Do one job."""
    sending.forward(
        job["jurisdiction"], job["report"], job["unit"], job["round"], world.now, last=last
    )


def told(world: World, report: str) -> list[str]:
    """The actions of a report's timeline."""
    return [event["action"] for event in world.events(report)]


def test_a_report_goes_to_the_server_of_the_agency_that_has_it(world: World) -> None:
    forwards.put_key(JURISDICTION, UNIT, "their-key")
    with open311_server.server(Agency()) as there:
        report = given_to_province(world, description="Deep hole", landmark="At the mosque")
        assert work_off(world) == []
        assert work_off(world) == []
    (post,) = there.posts()
    assert post.path == "/v2/requests.json"
    assert post.headers["content-type"] == "application/x-www-form-urlencoded; charset=utf-8"
    fields = post.fields
    text = fields.pop("description").split("\n")
    assert (text[0], text[-1]) == ("Deep hole", f"[Tanggap {report}-2]")
    assert text[1].startswith(f"http://127.0.0.1:8000/open311/v2/requests/{report}.xml")
    assert fields == {
        "jurisdiction_id": "province.example", "api_key": "their-key", "service_code": "001",
        "lat": "-6.1950000", "long": "106.8050000", "address_string": "At the mosque",
        "attribute[DEPTH]": "unknown",
    }  # fmt: skip
    assert told(world, report) == ["file", "coordinate", "forwarded"]
    case = queries.case(OFFICER, report)
    assert case["outside"] == {"unit": UNIT, "request": "P-1"}
    assert faults(world.head(report), world.links(report)) == []


def test_only_what_the_unit_has_goes_out_and_protected_reports_never_do(world: World) -> None:
    connect(world, format="json", services={})
    world.file()
    hidden = world.file(service="violence")["id"]
    assert jobs(world) == []
    report = given_to_province(world)
    world.act(OFFICER, report, "assign", unit="u-d1")
    (job,) = jobs(world)
    with open311_server.server(Agency()) as there:
        pass_on(world, job)
        pass_on(world, {**job, "report": hidden})
    assert there.asked == []
    assert told(world, report)[-1] == "assign"


def test_a_report_closed_by_the_agency_is_work_done_and_the_reporter_judges_it(
    world: World,
) -> None:
    agency = Agency()
    with open311_server.server(agency) as there:
        report = given_to_province(world, contact={"email": "siti@example.org"})
        work_off(world)
        assert polling.pull(world.now) == {}
        agency.requests["P-1"]["status_notes"] = "A crew comes on Friday. Call +62 812 3456 7890"
        assert polling.pull(world.now) == {"told_outside": 1}
        assert polling.pull(world.now) == {}
        agency.requests["P-1"] |= {"status": "closed", "status_notes": "Filled <b>today</b>"}
        assert polling.pull(world.now) == {"finish_outside": 1}
        assert polling.pull(world.now) == {}
    assert len(there.posts()) == 1
    head = world.head(report)
    assert (head.state, head.resolution, head.acknowledged_at) == ("work_done", None, world.now)
    case = queries.case(OFFICER, report)
    texts = [one["words"] for one in case["timeline"] if one["words"]]
    assert texts[-2:] == [
        {"comment": "A crew comes on Friday. Call […]"}, {"note": "Filled <b>today</b>"},
    ]  # fmt: skip
    world.project()
    told = [m for _, m in control.outbox(50) if m["kind"] != "alert"]
    assert [(m["kind"], m["event"]) for m in told] == [
        ("told", "told_outside"),
        ("told", "finish_outside"),
    ]
    world.act(REPORTER, report, "verify")
    assert world.head(report).resolution == "verified"
    assert faults(world.head(report), world.links(report)) == []
    with open311_server.server(agency):
        polling.pull(world.now)
    assert forwards.followed(JURISDICTION, UNIT, "", 10) == []


def test_a_repair_that_is_refused_goes_out_once_more(world: World) -> None:
    agency = Agency()
    with open311_server.server(agency) as there:
        report = given_to_province(world)
        work_off(world)
        agency.requests["P-1"] |= {"status": "closed", "status_notes": None}
        polling.pull(world.now)
        note = queries.case(OFFICER, report)["timeline"][-1]["words"]["note"]
        assert note == "Ditutup di sana tanpa keterangan."
        world.act(REPORTER, report, "refuse", reason="Still there")
        world.act(OFFICER, report, "coordinate", agency=UNIT, reason="Again")
        work_off(world)
        assert len(there.posts()) == 2
        assert world.head(report).outside == {"unit": UNIT, "request": "P-2"}
        # The first request is not followed any more.
        agency.requests["P-1"]["status_notes"] = "Old news"
        assert polling.pull(world.now) == {}
        assert [row["name"] for row in forwards.followed(JURISDICTION, UNIT, "", 9)] == ["P-2"]


def test_a_token_is_followed_until_it_is_a_number(world: World) -> None:
    agency = Agency()
    agency.batch = True
    with open311_server.server(agency):
        report = given_to_province(world)
        work_off(world)
        assert queries.case(OFFICER, report)["outside"] == {"unit": UNIT, "request": ""}
        assert polling.pull(world.now) == {}
        agency.tokens["tP-1"] = "P-1"
        assert polling.pull(world.now) == {"numbered": 1}
        assert queries.case(OFFICER, report)["outside"] == {"unit": UNIT, "request": "P-1"}
        agency.requests["P-1"] |= {"status": "closed", "status_notes": "Done"}
        assert polling.pull(world.now) == {"finish_outside": 1}
    assert [row["name"] for row in forwards.followed(JURISDICTION, UNIT, "", 9)] == ["P-1"]


def test_a_lost_answer_is_looked_for_and_not_sent_again(world: World) -> None:
    agency = Agency()
    lose = [True]

    def answer(asked: Asked, handler: BaseHTTPRequestHandler) -> None:
        if asked.method == "POST" and lose:
            lose.pop()
            agency._file(asked)
            handler.connection.close()
            return
        agency(asked, handler)

    with open311_server.server(answer) as there:
        report = given_to_province(world)
        (job,) = jobs(world)
        with pytest.raises(Failed):
            pass_on(world, job)
        with pytest.raises(Failed, match="under_way"):
            pass_on(world, job)
        world.advance(minutes=1)
        pass_on(world, job)
    assert [one.method for one in there.asked] == ["POST", "GET"]
    assert there.asked[1].fields["service_code"] == "001"
    assert world.head(report).outside == {"unit": UNIT, "request": "P-1"}


def test_a_run_that_is_killed_after_the_answer_sends_nothing_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open311_server.server(Agency()) as there:
        report = given_to_province(world)
        (job,) = jobs(world)
        with monkeypatch.context() as killed:
            killed.setattr(sending, "_record_sent", _die)
            with pytest.raises(KeyboardInterrupt):
                pass_on(world, job)
        world.advance(minutes=6)
        pass_on(world, job)
    assert len(there.posts()) == 1
    assert world.head(report).outside == {"unit": UNIT, "request": "P-1"}


def _die(*given: Any) -> None:
    raise KeyboardInterrupt


def test_the_same_job_twice_is_one_request(world: World) -> None:
    with open311_server.server(Agency()) as there:
        report = given_to_province(world)
        (job,) = jobs(world)
        pass_on(world, job)
        pass_on(world, job)
    assert len(there.posts()) == 1
    assert told(world, report).count("forwarded") == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (says(500, "oops"), "status_500"),
        (says(429, []), "status_429"),
        (says(200, "<html><body>Welcome</body></html>"), "not_understood"),
        (says(200, {"service_request_id": "1"}), "not_understood"),
        (says(200, []), "not_understood"),
        (says(200, [{"service_request_id": "<script>"}]), "wrong_id"),
        (says(200, [{"service_request_id": {"a": 1}}]), "wrong_id"),
        (says(200, b"\xff\xfe"), "not_understood"),
        (says(200, "[" * 60_000), "not_understood"),
        (says(302, "", Location="https://elsewhere.example/"), "redirect"),
    ],
)
def test_a_hostile_answer_is_tried_again_and_then_reported(
    world: World, answer: open311_server.Answer, reason: str
) -> None:
    with open311_server.server(answer):
        report = given_to_province(world)
        (job,) = jobs(world)
        for tried in range(1, 6):
            world.advance(minutes=1)
            with pytest.raises(Failed) as failure:
                pass_on(world, job, last=tried == 5)
            assert told(world, report)[-1] == ("forward_failed" if tried == 5 else "coordinate")
    # From the second attempt on, the server is first asked for it, which fails too.
    assert failure.value.reason == reason
    (note,) = control.dead(JURISDICTION, "forwards", 10)
    assert (note["report"], note["unit"]) == (report, UNIT)
    world.project()
    raised = [m for _, m in control.outbox(50) if m.get("level") == "forward_failed"]
    assert [one["report"] for one in raised] == [report]
    alerts.publish(raised[0])
    sent = aws.backend("sns").topics[settings().alerts_topic].sent_notifications
    assert "Gagal diteruskan ke sistem unit" in str(sent)
    assert world.head(report).state == "coordinated"
    assert faults(world.head(report), world.links(report)) == []


def test_a_refusal_for_good_is_not_tried_again(world: World) -> None:
    with open311_server.server(says(403, [{"code": 403, "description": "No key"}])) as there:
        report = given_to_province(world)
        assert work_off(world) == []
    assert len(there.posts()) == 1
    (event,) = [one for one in world.events(report) if one["action"] == "forward_failed"]
    assert event["data"] == {"unit": UNIT, "reason": "declined_403"}
    assert control.dead(JURISDICTION, "forwards", 10)


def test_a_number_that_another_report_has_is_refused(world: World) -> None:
    with open311_server.server(says(200, [{"service_request_id": "SAME"}])):
        first, second = given_to_province(world), given_to_province(world)
        assert work_off(world) == []
    there = [world.head(one).outside for one in (first, second)]
    assert sorted(there, key=len) == [{}, {"unit": UNIT, "request": "SAME"}]
    failed = (first, second)[there.index({})]
    assert world.events(failed)[-1]["data"]["reason"] == "wrong_id"


def test_what_another_tanggap_passed_on_goes_no_further(world: World) -> None:
    with open311_server.server(Agency()) as there:
        report = given_to_province(world, description="Hole\n[Tanggap 01J00000000000000000000001]")
        work_off(world)
    assert there.asked == []
    assert world.events(report)[-1]["data"]["reason"] == "circle"


def test_answers_about_requests_that_nobody_asked_for_are_passed_over(world: World) -> None:
    agency = Agency()
    with open311_server.server(agency):
        report = given_to_province(world)
        work_off(world)
        agency.requests["P-1"] |= {"status": ["closed"]}
        agency.requests["other"] = {"service_request_id": "other", "status": "closed"}
        there = says(200, [*agency.requests.values(), {"service_request_id": None}])
    with open311_server.server(there):
        assert polling.pull(world.now) == {}
    assert world.head(report).state == "coordinated"


def test_a_server_that_fails_for_an_hour_is_given_up_until_it_is_enabled(world: World) -> None:
    agency = Agency()
    with open311_server.server(agency):
        first = given_to_province(world)
        work_off(world)
    with open311_server.server(says(500, "")) as there:
        for _ in range(6):
            polling.pull(world.now)
            world.advance(minutes=15)
        asked = len(there.asked)
        assert asked == 5
        polling.pull(world.now)
        assert len(there.asked) == asked
        notices = [one for _, one in control.outbox(50) if one["kind"] == "notice"]
        assert [notice["event"] for notice in notices] == ["outside_disabled"]
        assert "08:00" in notices[0]["text"]
        outbox.drain(now=world.now)
        second = given_to_province(world)
        assert work_off(world) == []
        assert len(there.asked) == asked
    assert world.events(second)[-1]["data"]["reason"] == "disabled"
    city = cities.current(JURISDICTION, world.now)
    assert servers.enable(city, UNIT) == 1
    with open311_server.server(agency) as there:
        for job in queued():
            pass_on(world, job)
        agency.requests["P-1"]["status_notes"] = "Seen"
        assert polling.pull(world.now) == {"told_outside": 1}
    assert world.head(second).outside == {"unit": UNIT, "request": "P-2"}
    assert told(world, first)[-1] == "told_outside"
    assert control.dead(JURISDICTION, "forwards", 10) == []


def test_updates_of_a_server_that_has_them_are_told_once_and_end_the_work(world: World) -> None:
    connect(world, updates=True)
    agency = Agency()
    updates: list[dict[str, Any]] = []

    def answer(asked: Asked, handler: BaseHTTPRequestHandler) -> None:
        if "servicerequestupdates" in asked.path:
            reply(handler, 200, updates)
        else:
            agency(asked, handler)

    def happens(number: int, request: str, status: str, text: str) -> None:
        updates.append({"update_id": f"u{number}", "service_request_id": request,
                        "status": status, "description": text})  # fmt: skip

    with open311_server.server(answer) as there:
        given = [given_to_province(world) for _ in range(3)]
        work_off(world)
        by_number = {world.head(one).outside["request"]: one for one in given}
        first, second, third = (by_number[f"P-{n}"] for n in (1, 2, 3))
        happens(1, "P-1", "in_progress", "On our way")
        happens(2, "P-1", "planned", "")
        happens(3, "unknown", "fixed", "Whose?")
        assert polling.pull(world.now) == {"told_outside": 1}
        happens(4, "P-1", "fixed", "Filled")
        happens(5, "P-2", "not_councils_responsibility", "A private road")
        happens(6, "P-3", "in_progress", "Done here, to be confirmed")
        updates[-1]["external_status_code"] = "work_done"
        world.advance(minutes=15)
        assert polling.pull(world.now) == {"finish_outside": 2, "returned_outside": 1}
        for number in ("P-1", "P-2", "P-3"):
            agency.requests[number] |= {"status": "closed", "status_notes": "closed"}
        world.advance(minutes=15)
        assert polling.pull(world.now) == {}
        windows = [one.fields for one in there.asked if "updates" in one.path]
        assert windows[1]["start_date"] < windows[0]["end_date"] < windows[1]["end_date"]
    states = [world.head(report).state for report in (first, second, third)]
    assert states == ["work_done", "coordinated", "work_done"]
    world.project()
    levels = [
        one["report"] for _, one in control.outbox(90) if one.get("level") == "returned_outside"
    ]
    assert levels == [second]


def test_failures_are_forgotten_after_a_success(world: World) -> None:
    agency = Agency()
    with open311_server.server(agency):
        given_to_province(world)
        work_off(world)
    for _ in range(3):
        with open311_server.server(says(500, "")):
            for _ in range(4):
                polling.pull(world.now)
                world.advance(minutes=30)
        assert forwards.server(JURISDICTION, UNIT)["failures"] == 4
        with open311_server.server(agency):
            polling.pull(world.now)
        assert "failures" not in forwards.server(JURISDICTION, UNIT)


def test_xml_servers_are_spoken_to_and_entities_are_not_read(world: World) -> None:
    connect(world, format="xml", services={})
    good = (
        "<?xml version='1.0' encoding='utf-8'?><service_requests><request>"
        "<service_request_id>X-1</service_request_id></request></service_requests>"
    )
    bomb = (
        '<!DOCTYPE a [<!ENTITY b "c">]><r><q><service_request_id>&b;</service_request_id></q></r>'
    )
    with open311_server.server(says(200, bomb)):
        report = given_to_province(world)
        (job,) = jobs(world)
        with pytest.raises(Failed):
            pass_on(world, job)
    world.advance(minutes=1)
    with open311_server.server(lambda asked, handler: reply(
        handler, 200, good if asked.method == "POST" else "<service_requests/>"
    )) as there:  # fmt: skip
        pass_on(world, job)
        assert there.posts()[0].path == "/v2/requests.xml"
        closed = good.replace("</request>", "<status>closed</status></request>")
        there.answer = says(200, closed)
        assert polling.pull(world.now) == {"finish_outside": 1}
    assert world.head(report).outside == {"unit": UNIT, "request": "X-1"}


def test_more_requests_than_a_page_each_get_their_turn(world: World) -> None:
    agency = Agency()
    with open311_server.server(agency) as there:
        reports = [given_to_province(world) for _ in range(23)]
        work_off(world)
        for row in agency.requests.values():
            row["status"] = "closed"
        turns = iter([True, True, False, True, True, True, True])
        assert polling.pull(world.now, lambda: next(turns)) == {"finish_outside": 20}
        assert polling.pull(world.now, lambda: next(turns)) == {"finish_outside": 3}
    assert {world.head(report).state for report in reports} == {"work_done"}
    asked = [one.fields["service_request_id"].split(",") for one in there.asked if not one.body]
    assert [len(one) for one in asked] == [20, 3]


def test_the_function_puts_off_what_failed_further_each_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    later: list[int] = []
    monkeypatch.setattr(batches.queues, "postpone", lambda queue, receipt, s: later.append(s))
    given_to_province(world)
    (job,) = jobs(world)
    with open311_server.server(says(503, "")):
        for tried in range(1, 6):
            monkeypatch.setattr(batches.clock, "_source", lambda at=tried: world.now + at * HOUR)
            record = {
                "messageId": "1", "body": json.dumps(job), "receiptHandle": "r",
                "attributes": {"ApproximateReceiveCount": str(tried)}, "eventSource": "aws:sqs",
            }  # fmt: skip
            answer = batches.forward_reports({"Records": [record]}, None)
            assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert all(60 * 2**n // 2 <= one < 60 * 2**n for n, one in enumerate(later, start=1))


def test_a_unit_that_is_offered_a_report_has_it_once_its_server_took_it(world: World) -> None:
    report = str(world.file()["id"])
    world.act(official("dispatcher"), report, "assign", unit=UNIT)
    (job,) = jobs(world)
    with open311_server.server(says(400, [])):
        pass_on(world, job)
    assert (world.head(report).unit, world.head(report).offered_to) == ("u-d1", UNIT)
    world.act(official("dispatcher"), report, "assign", unit="u-d1")
    world.act(official("dispatcher"), report, "assign", unit=UNIT)
    with open311_server.server(Agency()) as there:
        work_off(world)
        work_off(world)
    assert len(there.posts()) == 1
    assert (world.head(report).unit, world.head(report).offered_to) == (UNIT, None)


def test_passing_a_report_on_tells_the_reporter_nothing_and_stops_no_clock(world: World) -> None:
    with open311_server.server(Agency()):
        report = str(world.file()["id"])
        world.act(official("dispatcher"), report, "assign", unit=UNIT)
        due = world.head(report).due_at
        work_off(world)
    head = world.head(report)
    assert head.outside == {"unit": UNIT, "request": "P-1"}
    assert (head.acknowledged_at, head.due_at, head.holds[-1][2]) == (None, due, UNIT)


def test_the_command_keeps_a_key_tries_the_server_and_enables_it(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from infra.ops import forwarding as command

    def run(*words: str, given: str = "") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        code = command.main(["--jurisdiction", JURISDICTION, *words])
        return code, "".join(capsys.readouterr())

    with open311_server.server(Agency()):
        assert run("key", UNIT) == (1, "no key was given\n")
        code, said = run("key", UNIT, given="their-key\n")
        assert (code, json.loads(said)) == (0, {"services": ["pothole", "LAMP"], "missing": {}})
    assert forwards.key(JURISDICTION, UNIT) == "their-key"
    with open311_server.server(says(302, "", Location="/")):
        assert run("check", UNIT) == (1, f"{open311_server.ENDPOINT}: redirect\n")
    code, said = run("list")
    assert json.loads(said) == [{"unit": UNIT, "endpoint": open311_server.ENDPOINT, "key": True}]
    assert "their-key" not in said
    assert json.loads(run("secret", UNIT)[1]).keys() == {"k1"}
    assert run("enable", UNIT) == (0, "0 reports are sent again\n")
    assert run("enable", "u-d1")[0] == 1


def test_a_folder_says_what_is_wrong_with_a_server() -> None:
    from infra.city.checking import check
    from infra.city.fields import Fields
    from infra.city.findings import Findings
    from infra.city.offer import services
    from infra.city.validate import units

    both = {"en": "A", "id": "A"}
    row = {"code": "a", "name": both, "kind": "agency", "districts": ["*"]}
    district = {**row, "code": "d", "kind": "district"}
    findings = Findings()

    def read(**server: Any) -> list[dict[str, Any]]:
        given = {"units": [district, {**row, "open311": server}]}
        check(findings, "units.json", given)
        return units(Fields(findings, "units.json", given), {"D"})

    (_, good) = read(endpoint="https://open311.example.org/v2", services={"x": {"code": "1"}})
    assert findings.lines == []
    assert good["open311"]["services"] == {"x": {"code": "1", "attributes": {}}}
    read(endpoint="https://open311.example.org", format="html", key="secret", services={"x": {}})
    faults = "\n".join(findings.lines)
    for wrong in ("open311.format", "open311.key", "open311.services.x.code"):
        assert wrong in faults
    findings.lines.clear()
    target = {"hours": 1, "clock": "calendar"}
    offered = {
        "groups": [{"code": "g", "name": both}],
        "services": [{
            "code": "s", "name": both, "group": "g", "acknowledge": target, "resolve": target,
            "unit": "a", "protected": True,
        }],
    }  # fmt: skip
    services(Fields(findings, "services.json", offered), [good], {"D"})
    assert "is passed on to nobody" in "\n".join(findings.lines)


class Killed(BaseException):
    """The end of a container."""


@contextmanager
def killed_at(count: int, moment: str) -> Iterator[list[int]]:
    """The container ends before or after its n-th call of DynamoDB; the list says whether."""
    calls, hit = itertools.count(1), list[int]()

    def strike(**given: Any) -> None:
        if next(calls) == count:
            hit.append(count)
            raise Killed

    events = aws.clients()["dynamodb"].meta.events
    events.register(f"{moment}.dynamodb", strike)
    try:
        yield hit
    finally:
        events.unregister(f"{moment}.dynamodb", strike)


@pytest.mark.parametrize("moment", ["before-call", "after-call"])
def test_a_kill_at_any_call_leaves_one_request_and_one_event(world: World, moment: str) -> None:
    for count in range(1, 60):
        with open311_server.server(Agency(prefix=f"{moment}-{count}-")) as there:
            report = given_to_province(world)
            (job,) = jobs(world)
            with killed_at(count, moment) as hit:
                try:
                    pass_on(world, job)
                except Killed:
                    pass
            world.advance(minutes=6)
            pass_on(world, job)
            assert len(there.posts()) == 1
        assert told(world, report).count("forwarded") == 1
        assert faults(world.head(report), world.links(report)) == []
        if not hit:
            assert count > 5
            return
    raise AssertionError("it never came to an end")
