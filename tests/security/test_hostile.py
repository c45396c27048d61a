"""No anonymous request is a 5xx, and none reads more than the stated number."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from chalicelib import observability
from chalicelib.domain.city.city import City
from chalicelib.errors import Problem
from chalicelib.http.operation import READS_AT_MOST
from chalicelib.routes import open311
from chalicelib.services.city import cities
from chalicelib.services.open311 import request_views, requests
from chalicelib.services.scorecards import card_queries, report_rows
from chalicelib.storage import city as store
from chalicelib.storage import open311_requests
from tests.security.edge import Context, application, event_of
from tests.support import aws, hostile, hostile_city
from tests.support.hostile_city import HIDDEN, HostileCity
from tests.support.world import JURISDICTION

ROOT = Path(__file__).parents[2]
V2 = "/open311/v2"
IMPOSSIBLE = (
    {"start_date": "0001-01-01"},
    {"end_date": "0001-01-01T00:00:00+23:59"},
    {"start_date": "9999-12-31T23:59:59Z"},
    {"end_date": "9999-12-31T23:59:59-23:59"},
    {"start_date": "9999-12-31", "end_date": "9999-12-31T23:59:59Z"},
    {"updated_after": "0001-01-01T00:00"},
    {"updated_before": "0001-01-01"},
    {"updated_after": "9999-12-31 23:59:59"},
    {"updated_before": "9999-12-31T23:59:59Z"},
    {"start_date": "0999-12-31", "end_date": "1000-01-01"},
    {"start_date": "2026-11-01", "updated_before": "9999-12-31T23:59:59Z"},
)


@pytest.fixture(scope="module", name="city")
def city_fixture() -> Iterator[HostileCity]:
    """One city for this module, because its reports take longer than the tests."""
    with hostile_city.start() as city:
        yield city


@pytest.mark.parametrize("query", IMPOSSIBLE, ids=range(len(IMPOSSIBLE)))
@pytest.mark.parametrize("path", ["requests.json", "servicerequestupdates.xml"])
def test_an_impossible_date_is_refused(city: HostileCity, path: str, query: dict[str, str]) -> None:
    if path.startswith("service"):
        query = {"start_date": "2026-11-01", "end_date": "2026-11-02"} | {
            name.replace("updated_after", "start_date").replace("updated_before", "end_date"): date
            for name, date in query.items()
        }
    status, text = city.get(f"{V2}/{path}", query)
    assert status == 400, text
    assert "is no date and time of a year from 1800 to 2999" in text


def test_a_clients_own_requests_at_once_are_too_many_and_no_fault_of_ours(
    city: HostileCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.services.identity import rate_limits
    from chalicelib.storage import control
    from chalicelib.storage.transactions import Unavailable

    def contended(*_: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(control, "take", contended)
    limits = {"device": [{"n": 1, "seconds": 60}]}
    with pytest.raises(Problem) as caught:
        rate_limits.take(JURISDICTION, limits, {"device": "d"}, city.edge.now, fail_open=False)
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (429, "1")


@pytest.mark.parametrize(("code", "counted"), [("AccessDeniedException", 1), ("InternalError", 0)])
@pytest.mark.parametrize("path", ["/v1/tallies/202611", f"{V2}/requests.json"])
def test_a_right_that_is_missing_counts_against_a_release_and_a_weak_aws_does_not(
    city: HostileCity, monkeypatch: pytest.MonkeyPatch, path: str, code: str, counted: int
) -> None:
    """The metric ``UnhandledErrors`` rolls a release back (infra/deploy)."""
    counts: list[str] = []
    monkeypatch.setattr(observability, "count", lambda name, *_: counts.append(name))

    def refused(request: Any, **_: Any) -> AWSResponse:
        body = f'{{"__type":"x#{code}","message":"no"}}'.encode()
        return AWSResponse(request.url, 400, {}, _Raw(body))

    events = aws.clients()["dynamodb"].meta.events
    events.register_first("before-send.dynamodb.Query", refused)
    try:
        assert city.get(path, {})[0] == 503
    finally:
        events.unregister("before-send.dynamodb.Query", refused)
    assert counts.count("UnhandledErrors") == counted


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/v1/map/reports", {"since": "0001-01-01T00:00:00+23:59"}, 400),
        ("/v1/map/reports", {"since": "9999-12-31T23:59:59-23:59"}, 400),
        ("/v1/map/reports", {"closed_from": "000001"}, 200),
        ("/v1/map/reports", {"closed_from": "999912"}, 200),
        ("/v1/map/cells", {"from": "0001-01-01", "to": "9999-12-31"}, 400),
        ("/v1/tallies/000001", {}, 200),
        ("/v1/tallies/999912", {}, 200),
        ("/v1/scorecards/000012", {}, 404),
        ("/v1/scorecards", {"before": "000001"}, 200),
    ],
)
def test_an_impossible_moment_of_the_map_or_of_figures_is_no_fault(
    city: HostileCity, path: str, query: dict[str, str], status: int
) -> None:
    if path == "/v1/map/reports":
        query = {"bbox": "106.80,-6.20,106.84,-6.19", **query}
    assert city.get(path, query)[0] == status


def test_a_phones_clock_in_an_impossible_year_is_refused(city: HostileCity) -> None:
    for moment in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"):
        reply = city.edge.file(city.devices[1], client_time=moment)
        assert (reply.status, reply.body["field"]) == (422, "client_time")
        answers = {"depth": 1, "since": moment}
        reply = city.edge.file(city.devices[1], service="flood", answers=answers)
        assert (reply.status, reply.body["field"]) == (422, "answers.since")


def test_one_request_cannot_walk_the_months_of_centuries(city: HostileCity) -> None:
    status, text = city.get(f"{V2}/requests.json", {"updated_after": "1800-01-01"})
    assert (status, "covers over 24 months" in text) == (400, True)
    assert city.reads() < 10
    status, _ = city.get(f"{V2}/requests.json", {"updated_after": "2024-12-01"})
    assert (status, city.reads() < 40) == (200, True)


def test_hidden_reports_do_not_lengthen_a_short_page(city: HostileCity) -> None:
    status, text = city.get(f"{V2}/requests.json", {"page_size": "1"})
    assert (status, text.count("service_request_id")) == (200, 1)
    assert HIDDEN > READS_AT_MOST > 20 > city.reads()


def test_a_page_of_a_persons_own_data_stays_within_the_reads(city: HostileCity) -> None:
    reply = city.edge.get("/v1/me/data", city.devices[0], limit=200)
    assert (reply.status, len(reply.body["items"])) == (200, 15)
    assert len(reply.calls) <= READS_AT_MOST


def test_a_page_after_the_last_event_of_a_timeline_is_empty(city: HostileCity) -> None:
    """DynamoDB refuses a query of texts from event 2 to event 1."""
    status, text = city.get(f"/v1/reports/{city.known['id'][-2]}/timeline", {"after": "1000"})
    assert (status, json.loads(text)["events"]) == (200, [])


def test_a_list_of_reports_of_many_versions_of_the_city_reads_few_versions(
    city: HostileCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = city.known["id"][0]
    (request,) = requests.request(JURISDICTION, report)
    row = request_views.row_of(city.edge.head(report))
    versions: list[str] = []

    def at(_: str, version: str) -> City:
        versions.append(version)
        return city.edge.city

    monkeypatch.setattr(cities, "at", at)
    monkeypatch.setattr(open311_requests, "descriptions", lambda *_: {})
    rows = [{**row, "rules": f"version {number}"} for number in range(300)]
    shown = request_views.to_requests(JURISDICTION, rows[:1] + rows)  # type: ignore[arg-type]
    assert {one["service_name"] for one in shown} == {request["service_name"]}
    assert len(versions) == request_views.VERSIONS_AT_MOST


def test_a_code_of_another_time_is_looked_for_in_few_versions(
    city: HostileCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions: list[str] = []

    def at(_: str, version: str) -> City:
        versions.append(version)
        return city.edge.city

    present = city.edge.city
    many = [f"v{number}" for number in range(200)]
    monkeypatch.setattr(cities, "at", at)
    monkeypatch.setattr(store, "history", lambda _: [*many[:100], present.version, *many[100:]])
    most = card_queries.VERSIONS_AT_MOST
    assert report_rows.code_history(present, most).codes("areas", "nowhere") == ()
    assert versions == [*many[100 - most : 100], *many[100 : 100 + most]]
    assert len(report_rows.code_history(present)._versions[0]) == 100


def test_hostile_requests_are_no_fault_and_read_little(city: HostileCity) -> None:
    _prove(city.ask(170, seed=1))


@pytest.mark.long
def test_two_thousand_hostile_requests_are_no_fault_and_read_little(city: HostileCity) -> None:
    _prove(city.ask(2000, seed=2))


@pytest.mark.parametrize("value", [None, "x", 5, [], {}, {"a": 1}, {1: "a"}, ["a"], "absent"])
def test_a_malformed_event_is_refused_and_is_no_fault(city: HostileCity, value: Any) -> None:
    """Nobody but API Gateway sends events; a crash would still count against a release."""
    paths = ("/v1/city", f"/v1/reports/{city.known['id'][0]}", f"{V2}/requests.json")
    for path, method in itertools.product(paths, ("GET", "POST", "HEAD")):
        whole = event_of(method, path, None, {}, {}, "192.0.2.1")
        for part in (whole, whole["requestContext"]):
            for name in tuple(part):
                kept = part.pop(name)
                if value != "absent":
                    part[name] = value
                assert application()(whole, Context())["statusCode"] < 500, (path, name)
                part[name] = kept
    assert application()(value, Context())["statusCode"] == 404


def test_every_public_route_is_asked(city: HostileCity) -> None:
    asked = hostile.Requests(1, city.known, city.devices)
    names = {next(asked).target.name for _ in range(1000)}
    assert names == {target.name for target in hostile.targets()}
    asked_for = {name for target in hostile.targets() if target.form for name in target.query}
    assert set(open311._FILTERS) <= asked_for


def test_the_page_of_the_api_states_the_number_of_reads() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert f"at most {READS_AT_MOST} reads" in text


class _Raw:
    """The body of an answer, as botocore reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        """All of it."""
        yield self._body


def _prove(faults: Any) -> None:
    assert faults.found == []
    assert sum(faults.statuses.values()) > 0
