"""Cases 28 to 33: floods, false addresses, unknown methods."""

import pytest

from tests.security.edge import Edge, new_report, sent_to
from tests.support.world import SIDE, WEST, spot

PATH = "/v1/reports"
MINUTE = {"n": 5, "seconds": 600}


def test_case_28_an_address_that_is_given_gets_no_mail_for_the_giving(edge: Edge) -> None:
    me, contact = edge.device(), {"email": "victim@example.org", "phone": "+628123456789"}
    for _ in range(5):
        assert edge.file(me, contact=contact).status == 201
    edge.project()
    assert sent_to("ses").sent_messages == []
    assert not sent_to("sns").sms_messages


def test_case_29_a_device_that_floods_is_429_and_keeps_what_was_acknowledged(edge: Edge) -> None:
    edge.publish(limits={"device": [MINUTE, {"n": 6, "seconds": 86_400}]})
    me = edge.device()
    replies = [edge.file(me) for _ in range(20)]
    assert [reply.status for reply in replies] == [201] * 5 + [429] * 15
    wait = int(replies[-1].headers["retry-after"])
    assert 0 < wait <= 600
    assert replies[-1].body["seconds"] == wait
    for reply in replies[:5]:
        assert edge.get(f"/v1/reports/{reply.body['id']}").status == 200
    edge.advance(seconds=wait)
    assert edge.file(me).status == 201
    # Now the day's limit is used up, and its wait is longer.
    assert int(edge.file(me).headers["retry-after"]) > 600


def test_case_29_a_refused_flood_counts_against_no_limit(edge: Edge) -> None:
    edge.publish(limits={"device": [MINUTE], "address": [{"n": 7, "seconds": 3600}]})
    me = edge.device()
    for _ in range(10):
        edge.file(me)
    other = edge.device()
    assert [edge.file(other).status for _ in range(3)] == [201, 201, 429]


def test_case_29_many_devices_of_one_address_are_429(edge: Edge) -> None:
    edge.publish(limits={"address": [MINUTE]})
    replies = [edge.file(edge.device(), description="x") for _ in range(7)]
    assert [reply.status for reply in replies] == [201] * 5 + [429] * 2
    elsewhere = edge.post(PATH, new_report(), edge.device(), ip="198.51.100.7")
    assert elsewhere.status == 201


def test_case_29_the_addresses_of_one_ipv6_network_count_together(edge: Edge) -> None:
    edge.publish(limits={"address": [MINUTE]})
    me = edge.device()
    ips = [f"2001:db8::{n:x}" for n in range(1, 8)]
    replies = [edge.post(PATH, new_report(), me, ip=ip) for ip in ips]
    assert [reply.status for reply in replies] == [201] * 5 + [429] * 2
    assert edge.post(PATH, new_report(), me, ip="2001:db8:0:1::1").status == 201
    assert edge.post(PATH, new_report(), me, ip="not:an:address").status == 201


def test_case_29_an_address_gets_only_so_many_devices(edge: Edge) -> None:
    edge.publish(limits={"devices": [MINUTE]})
    replies = [edge.post("/v1/devices") for _ in range(6)]
    assert [reply.status for reply in replies] == [201] * 5 + [429]
    assert int(replies[-1].headers["retry-after"]) > 0


def test_case_29_replaying_what_was_accepted_is_never_429(edge: Edge) -> None:
    edge.publish(limits={"device": [MINUTE]})
    me = edge.device()
    for number in range(5):
        edge.post(PATH, new_report(), me, key=f"k{number}")
    assert edge.file(me).status == 429
    assert edge.post(PATH, new_report(), me, key="k0").status == 201


def test_case_30_a_flooded_place_is_429_and_other_places_are_not(edge: Edge) -> None:
    edge.publish(limits={"cell": [MINUTE]})
    replies = [edge.file(edge.device()) for _ in range(7)]
    assert [reply.status for reply in replies] == [201] * 5 + [429] * 2
    assert edge.file(edge.device(), long=WEST + 3.5 * SIDE).status == 201


def test_case_31_the_same_again_is_accepted_and_shown_as_a_possible_duplicate(edge: Edge) -> None:
    first = edge.file(edge.device()).body
    place = spot("D1-W1")
    again = edge.file(edge.device(), lat=place["lat"] + 0.00027).body
    assert first["possible_duplicates"] == []
    (near,) = again["possible_duplicates"]
    assert (near["id"], near["distance_m"]) == (first["id"], 30)


def test_case_31_a_protected_report_is_nobodys_duplicate(edge: Edge) -> None:
    edge.file(edge.device(), service="violence")
    for service in ("misconduct", "violence", "pothole"):
        assert edge.file(edge.device(), service=service).body["possible_duplicates"] == []


FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP")


@pytest.mark.parametrize("header", FORWARDED)
def test_case_32_headers_about_the_address_are_ignored(edge: Edge, header: str) -> None:
    edge.publish(limits={"address": [MINUTE]})
    me = edge.device()
    statuses = [
        edge.post(PATH, new_report(), me, headers={header: f"127.0.0.{n}"}).status for n in range(7)
    ]
    assert statuses == [201] * 5 + [429] * 2


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "CONNECT", "PROPFIND", "get", "HEAD"])
def test_case_33_an_unknown_method_is_405_and_says_which_are_known(edge: Edge, method: str) -> None:
    reply = edge.ask(method, "/v1/reports", who=edge.device())
    assert (reply.status, reply.slug) == (405, "method_not_allowed")
    assert reply.headers["allow"] == "POST, OPTIONS"


OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")


@pytest.mark.parametrize("header", OVERRIDES)
def test_case_33_a_method_is_what_the_request_says(edge: Edge, header: str) -> None:
    me = edge.device()
    report = edge.file(me).body["id"]
    path = f"/v1/reports/{report}/follow"
    assert edge.post(path, who=me, headers={header: "DELETE"}).body["following"] is True
    assert edge.ask("GET", path, who=me, headers={header: "POST"}).status == 405
