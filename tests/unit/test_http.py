"""One wrapper reads every request and writes every refusal; views only get valid requests.

The application here is small and its own; the same wrapper stands before the real one.
"""

import base64
import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from chalice.app import BadRequestError, Blueprint
from chalice.config import Config
from chalice.local import LocalGateway
from chalice.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from chalicelib import clock, observability, settings
from chalicelib.auth import caller
from chalicelib.domain.input import strict_json
from chalicelib.domain.principal import Grant, Principal
from chalicelib.errors import Problem, kinds
from chalicelib.http import openapi, router, swagger_ui
from chalicelib.http.problems import rule_texts
from chalicelib.storage import signing_keys

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
ORIGIN = "https://city.example"
DEVELOPER = "http://localhost:5173"
ONE = "/v1/things/{id}"
ROWS = {
    "fileThing": ["public"],
    "getThing": ["public"],
    "closeThing": ["officer"],
    "myThings": ["citizen"],
    "showPage": ["public"],
    "breakThing": ["public"],
}
THING: dict[str, Any] = {
    "title": "Thing",
    "type": "object",
    "required": ["lat", "description"],
    "additionalProperties": False,
    "properties": {
        "lat": {"type": "number", "minimum": -90, "maximum": 90},
        "description": {"type": "string", "minLength": 1, "maxLength": 4000},
        "client_time": {"type": "string", "format": "date-time"},
        "code": {"type": "string", "x-verbatim": True},
        "count": {"type": "integer", "default": 1},
        "status": {"type": "string", "enum": ["new", "done"]},
        "photos": {"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 8}},
        "contact": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"email": {"type": "string", "format": "email"}},
        },
        "answers": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
OK = {"lat": -6.2, "description": "lubang"}
Ask = Callable[..., "Reply"]


class Context:
    """What Lambda passes beside the event."""

    aws_request_id = "lambda-1"


class Reply:
    """A proxy answer, read."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.status: int = raw["statusCode"]
        self.headers: dict[str, str] = raw["headers"]
        self.text: str = raw["body"]

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.text)
        return value

    @property
    def slug(self) -> str:
        assert self.headers["Content-Type"] == "application/problem+json"
        assert self.json["status"] == self.status
        return str(self.json["type"].removeprefix("urn:tanggap:problem:"))


CALLS: list[router.Call] = []


def toy() -> router.TanggapApp:
    bp = Blueprint(__name__)

    @router.route(
        bp,
        "POST",
        "/v1/things",
        router.Operation(
            "fileThing", "File a thing", body=THING, idempotent=True, answers={201: {"title": "Id"}}
        ),
    )
    def file(call: router.Call) -> router.Answer:
        CALLS.append(call)
        return router.Answer({"body": call.body}, 201, {"Location": "/v1/things/1"})

    @router.route(
        bp,
        "GET",
        "/v1/things/{id}",
        router.Operation(
            "getThing",
            "A thing",
            query={
                "limit": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
                "radius": {"type": "number", "minimum": 0, "maximum": 5000},
                "sort": {"type": "string", "enum": ["due", "new"]},
                "mine": {"type": "boolean"},
                "q": {"type": "string", "maxLength": 20},
            },
            required_query=("sort",),
            cache="public, max-age=60",
        ),
    )
    def get(call: router.Call) -> router.Answer:
        CALLS.append(call)
        return router.Answer({"limit": call.query["limit"], "sort": call.query["sort"]})

    @router.route(
        bp, "POST", "/v1/things/{id}/close", router.Operation("closeThing", "Close a thing")
    )
    def close(call: router.Call) -> router.Answer:
        CALLS.append(call)
        return router.Answer(None, 204)

    @router.route(bp, "GET", "/v1/me/things", router.Operation("myThings", "My things"))
    def mine(call: router.Call) -> router.Answer:
        CALLS.append(call)
        return router.Answer([])

    @router.route(bp, "GET", "/page", router.Operation("showPage", "A page", media="text/html"))
    def page(_call: router.Call) -> router.Answer:
        return router.Answer(
            "<p>halo</p>", headers={"Content-Security-Policy": "default-src 'none'"}
        )

    @router.route(bp, "POST", "/break/{name}", router.Operation("breakThing", "Break a thing"))
    def break_thing(call: router.Call) -> router.Answer:
        if call.path["name"] == "nan":
            return router.Answer({"x": float("nan")})
        raise RuntimeError("canary budi@example.com")

    @bp.route("/plain", methods=["POST"])
    def plain() -> None:
        raise BadRequestError("canary")

    app = router.TanggapApp("toy")
    app.register_blueprint(bp)
    return app


@pytest.fixture(autouse=True)
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[router.TanggapApp]:
    held = dict(router.OPERATIONS)
    router.OPERATIONS.clear()
    CALLS.clear()
    monkeypatch.setattr(router, "permissions", lambda: ROWS)
    monkeypatch.setenv("TANGGAP_ALLOW_ORIGIN", ORIGIN)
    settings.settings.cache_clear()
    held_keys = {"current": "k1", "keys": {"k1": base64.b64encode(b"1" * 32).decode()}}
    monkeypatch.setattr(signing_keys, "keys", lambda: held_keys)
    clock.use(lambda: NOW)
    yield toy()
    clock.use(None)
    observability.metrics.clear_metrics()
    router.OPERATIONS.clear()
    router.OPERATIONS.update(held)
    monkeypatch.undo()
    settings.settings.cache_clear()


def event(
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    query: dict[str, list[str]] | None = None,
    **parameters: str,
) -> dict[str, Any]:
    if isinstance(body, dict):
        body = json.dumps(body)
    sent = {} if body is None else {"Content-Type": "application/json"}
    return {
        "requestContext": {
            "httpMethod": method,
            "resourcePath": path,
            "requestId": "gateway-1",
            "identity": {"sourceIp": "203.0.113.9"},
        },
        "headers": {**sent, **(headers or {})},
        "multiValueQueryStringParameters": query,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "body": body,
    }


@pytest.fixture
def ask(app: router.TanggapApp) -> Ask:
    def asked(*args: Any, **named: Any) -> Reply:
        return Reply(app(event(*args, **named), Context()))

    return asked


@pytest.fixture
def file(ask: Ask) -> Ask:
    def filed(body: Any, **headers: str) -> Reply:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        reply = ask("POST", "/v1/things", body, {"Idempotency-Key": "k", **sent})
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["X-Request-Id"] == "gateway-1"
        assert bool(CALLS) == (reply.status == 201)
        return reply

    return filed


def become(monkeypatch: pytest.MonkeyPatch, principal: Principal) -> None:
    monkeypatch.setattr(caller, "authenticate", lambda *_: principal)


def official(role: str) -> Principal:
    everything = frozenset({"*"})
    return Principal("staff", "demo", "s_1", grants=(Grant(role, everything, everything),))


def test_a_valid_request_reaches_the_view_typed_and_whole(file: Ask) -> None:
    reply = file(OK, Accept_Language="id-ID,en;q=0.5", X_Forwarded_For="127.0.0.1")
    assert reply.status == 201
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Location"] == "/v1/things/1"
    assert reply.headers["Cache-Control"] == "no-store"
    call = CALLS[0]
    assert (call.key, call.now, call.jurisdiction) == ("k", NOW, "demo")
    assert (call.languages, call.request_id, call.operation) == (
        ("id", "en"),
        "gateway-1",
        "fileThing",
    )
    assert call.principal == Principal("public", "demo")
    assert call.body == {**OK, "count": 1}


@pytest.mark.parametrize("body", ["{", "", "[]", "null", '"x"', "1"])
def test_case_01_a_body_that_is_not_an_object_is_400(file: Ask, body: str) -> None:
    reply = file(body)
    assert (reply.status, reply.slug) == (400, "malformed")


def test_case_02_no_body_and_no_type_is_415(file: Ask) -> None:
    reply = file(None)
    assert (reply.status, reply.slug) == (415, "unsupported_media_type")


def test_case_03_a_large_body_is_413_before_anything_else_of_it_is_read(file: Ask) -> None:
    for body in ("x" * (strict_json.MAX_BYTES + 1), "x" * 12_000_000):
        reply = file(body, Content_Type="text/plain")
        assert (reply.status, reply.slug) == (413, "too_large")
        assert "65536" in reply.json["detail"]


def test_case_03_the_size_of_base64_bodies_is_that_of_their_bytes(app: router.TanggapApp) -> None:
    def sent(raw: bytes) -> int:
        made = event("POST", "/v1/things", "x", {"Idempotency-Key": "k"})
        made |= {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}
        return Reply(app(made, Context())).status

    text = json.dumps(OK).encode()
    assert sent(text + b" " * (strict_json.MAX_BYTES - len(text))) == 201
    assert sent(text + b" " * (strict_json.MAX_BYTES - len(text) + 1)) == 413
    assert sent(b"{") == 400


def test_a_body_that_is_not_base64_although_said_so_is_400(app: router.TanggapApp) -> None:
    made = event("POST", "/v1/things", "%%%", {"Idempotency-Key": "k"}) | {"isBase64Encoded": True}
    assert Reply(app(made, Context())).slug == "malformed"


@pytest.mark.parametrize("body", ["[" * 60_000, '{"a":' * 1_000 + "1" + "}" * 1_000])
def test_case_04_deep_nesting_is_400(file: Ask, body: str) -> None:
    assert file(body).status == 400


def test_case_05_a_duplicate_key_is_400(file: Ask) -> None:
    reply = file('{"lat":1,"lat":2}')
    assert (reply.status, reply.json["rule"]) == (400, "duplicate_key")
    assert "occurs twice" in reply.json["detail"]


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "1e-400", "9" * 5_000])
def test_case_06_numbers_that_are_none_are_400(file: Ask, number: str) -> None:
    assert file(f'{{"lat":{number},"description":"x"}}').status == 400


def test_case_06_minus_zero_is_stored_as_zero(file: Ask) -> None:
    file('{"lat":-0.0,"description":"x"}')
    assert str(CALLS[0].body["lat"]) == "0.0"


@pytest.mark.parametrize("value", ["41", True, "41.2_9", "٤١", None, [1]])
def test_case_07_a_number_of_another_type_is_422(file: Ask, value: Any) -> None:
    reply = file({**OK, "lat": value})
    assert (reply.status, reply.slug) == (422, "invalid_field")
    assert (reply.json["field"], reply.json["rule"]) == ("lat", "type")


@pytest.mark.parametrize("value", [90.0001, -90.0001, 539])
def test_case_08_a_number_out_of_range_is_422(file: Ask, value: float) -> None:
    reply = file({**OK, "lat": value})
    assert (reply.status, reply.json["field"]) == (422, "lat")
    assert reply.json["limit"] in (90, -90)


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("2099-01-01T00:00:00Z", 201),
        ("1970-01-01T00:00:00.123456789+14:00", 201),
        ("2026-03-01T08:00:00", 422),
        ("2016-12-31T23:59:60Z", 422),
        ("2026-03-01T24:00:00Z", 422),
        ("2026-02-30T08:00:00Z", 422),
        ("٢٠٢٦-03-01T08:00:00Z", 422),
        ("tomorrow", 422),
    ],
)
def test_case_12_a_malformed_time_is_422(file: Ask, value: str, status: int) -> None:
    assert file({**OK, "client_time": value}).status == status


@pytest.mark.parametrize(
    "field", ["district", "priority", "trust", "created_at", "assignee", "id", "due_at"]
)
def test_case_15_mass_assignment_is_an_unknown_field(file: Ask, field: str) -> None:
    reply = file({**OK, field: "x"})
    assert (reply.status, reply.slug, reply.json["field"]) == (422, "unknown_field", field)


def test_case_15_unknown_fields_inside_are_named_by_their_path(file: Ask) -> None:
    reply = file({**OK, "contact": {"role": "admin"}})
    assert (reply.slug, reply.json["field"]) == ("unknown_field", "contact.role")


def test_the_missing_field_is_named(file: Ask) -> None:
    reply = file({"lat": 1})
    assert (reply.status, reply.slug, reply.json["field"]) == (422, "missing_field", "description")


def test_a_whole_number_written_with_a_point_is_an_integer(file: Ask) -> None:
    file('{"lat":1,"description":"x","count":3.0}')
    assert repr(CALLS[0].body["count"]) == "3"


def test_a_field_in_a_list_is_named_by_its_index(file: Ask) -> None:
    assert file({**OK, "photos": ["a", "b" * 9]}).json["field"] == "photos.1"


def test_case_16_text_that_cannot_be_kept_is_refused(file: Ask) -> None:
    reply = file({**OK, "description": "Z" + "\u0335" * 1_000})
    assert (reply.status, reply.json["field"], reply.json["rule"]) == (422, "description", "text")
    assert file({**OK, "description": "\x00"}).status == 400
    assert file('{"lat":1,"description":"\\ud800"}').status == 400


def test_case_16_directions_are_stripped_and_flagged(file: Ask) -> None:
    file({**OK, "description": "a\u202eb", "answers": {"q": "c\u2066"}, "code": "x\u200by"})
    call = CALLS[0]
    assert (call.body["description"], call.body["answers"]) == ("ab", {"q": "c"})
    assert call.body["code"] == "x\u200by"
    assert call.stripped == ("description", "answers.q")


def test_case_16_what_is_empty_without_its_invisible_characters_is_empty(file: Ask) -> None:
    reply = file({**OK, "description": "\u200b\u200b"})
    assert (reply.status, reply.json["rule"]) == (422, "minLength")


def test_case_17_a_long_text_is_422_and_a_huge_one_413(file: Ask) -> None:
    reply = file({**OK, "description": "x" * 4_001})
    assert (reply.status, reply.json["limit"]) == (422, 4_000)
    assert "4000" in reply.json["detail"]
    assert file({**OK, "description": "x" * 10_000_000}).status == 413


@pytest.mark.parametrize("lead", ["=", "+", "-", "@", "\t", "\n", "\uff1d", "<script>", "\r\nBcc:"])
def test_case_18_to_20_active_text_is_plain_text(file: Ask, lead: str) -> None:
    file({**OK, "description": lead + "HYPERLINK(1)"})
    assert CALLS[0].body["description"] == lead.replace("\r\n", "\n") + "HYPERLINK(1)"


@pytest.mark.parametrize("key", ["x" * 256, "", "é", "a\nb", "a\tb"])
def test_case_26_a_bad_idempotency_key_is_400(ask: Ask, key: str) -> None:
    reply = ask("POST", "/v1/things", OK, {"Idempotency-Key": key})
    assert (reply.status, reply.slug, CALLS) == (400, "idempotency_key_invalid", [])


def test_case_26_a_missing_idempotency_key_is_400(ask: Ask) -> None:
    assert ask("POST", "/v1/things", OK).slug == "idempotency_key_missing"
    assert ask("POST", "/v1/things", OK, {"idempotency-key": "x" * 255}).status == 201


def test_case_32_the_address_is_the_gateways_word_alone(file: Ask) -> None:
    file(OK, X_Forwarded_For="127.0.0.1", Forwarded="for=127.0.0.1", X_Real_IP="127.0.0.1")
    assert CALLS[0].ip == "203.0.113.9"


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH", "HEAD", "BREW", "options"])
def test_case_33_an_unknown_method_is_405(ask: Ask, method: str) -> None:
    reply = ask(method, "/v1/things", OK, {"X-HTTP-Method-Override": "POST"})
    assert (reply.status, reply.slug) == (405, "method_not_allowed")
    assert reply.headers["Allow"] == "POST, OPTIONS"


@pytest.mark.parametrize(
    "given", ["1", ULID.lower(), ULID[:-1], ULID + "\n", "%2e%2e", "I" * 26, "ü"]
)
def test_case_34_an_id_of_another_form_is_404(ask: Ask, given: str) -> None:
    reply = ask("GET", "/v1/things/{id}", query={"sort": ["due"]}, id=given)
    assert (reply.status, reply.slug, CALLS) == (404, "not_found", [])


@pytest.mark.parametrize(
    "limit", ["0", "-1", "1e9", "1_0", "٤١", "201", "1.0", " 1", "", "+1", "nan", "01"]
)
def test_case_39_a_limit_that_is_none_is_422(ask: Ask, limit: str) -> None:
    reply = ask("GET", "/v1/things/{id}", query={"sort": ["due"], "limit": [limit]}, id=ULID)
    assert (reply.status, reply.slug, reply.json["field"]) == (422, "invalid_parameter", "limit")


@pytest.mark.parametrize("radius", ["1000000000", "-1", "inf", "1e2", "0x1", "\u0661", "5000.1"])
def test_case_38_a_radius_that_is_none_is_422(ask: Ask, radius: str) -> None:
    reply = ask("GET", "/v1/things/{id}", query={"sort": ["due"], "radius": [radius]}, id=ULID)
    assert (reply.status, reply.json["field"]) == (422, "radius")


def test_case_41_sort_outside_the_list_is_422(ask: Ask) -> None:
    for sort in ("#pk", ";", "due desc", ""):
        reply = ask("GET", "/v1/things/{id}", query={"sort": [sort]}, id=ULID)
        assert (reply.status, reply.json["rule"]) == (422, "enum")


@pytest.mark.parametrize("name", ["fields", "expand", "callback", "token", "access_token", "<b>"])
def test_case_44_unknown_parameters_are_400_and_a_token_among_them_is_none(
    ask: Ask, name: str
) -> None:
    reply = ask("GET", "/v1/things/{id}", query={"sort": ["due"], name: ["x"]}, id=ULID)
    assert (reply.status, reply.slug) == (400, "unknown_parameter")
    assert reply.json["field"] == (name if name != "<b>" else "?")


def test_case_44_the_type_of_the_answer_is_ours_whatever_is_accepted(ask: Ask) -> None:
    reply = ask("GET", "/v1/things/{id}", None, {"Accept": "text/html"}, {"sort": ["due"]}, id=ULID)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")


def test_a_repeated_parameter_is_400_and_a_required_one_must_be_there(ask: Ask) -> None:
    reply = ask("GET", "/v1/things/{id}", query={"sort": ["due", "due"]}, id=ULID)
    assert (reply.status, reply.slug, reply.json["field"]) == (400, "repeated_parameter", "sort")
    reply = ask("GET", "/v1/things/{id}", id=ULID)
    assert (reply.status, reply.slug, reply.json["field"]) == (400, "missing_parameter", "sort")


def test_the_query_is_typed_cleaned_and_filled_with_defaults(ask: Ask) -> None:
    query = {"sort": ["due"], "radius": ["12.50"], "mine": ["true"], "q": ["a\u202eb"]}
    ask("GET", "/v1/things/{id}", query={**query, "jurisdiction_id": ["bandung"]}, id=ULID)
    expected = {"limit": 50, "sort": "due", "radius": 12.5, "mine": True, "q": "ab"}
    assert CALLS[0].query == expected
    assert CALLS[0].jurisdiction == "bandung"
    assert CALLS[0].path == {"id": ULID}


@pytest.mark.parametrize("name", ["", "../x", "A", "x" * 64, "demo\n"])
def test_a_jurisdiction_of_another_form_is_422(ask: Ask, name: str) -> None:
    query = {"sort": ["due"], "jurisdiction_id": [name]}
    assert ask("GET", "/v1/things/{id}", query=query, id=ULID).status == 422


def test_case_45_only_the_publics_answer_may_be_kept(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("GET", "/v1/things/{id}", None, None, {"sort": ["due"]})
    assert ask(*asked, id=ULID).headers["Cache-Control"] == "public, max-age=60"
    become(monkeypatch, official("officer"))
    reply = ask(*asked, id=ULID)
    assert reply.headers["Cache-Control"] == "no-store"
    assert {"Authorization", "Origin"} <= set(reply.headers["Vary"].split(", "))


def test_case_46_two_hundred_parameters_are_400_and_ten_kilobytes_of_headers_431(ask: Ask) -> None:
    many = {f"p{i}": ["1"] for i in range(200)}
    assert ask("GET", "/v1/things/{id}", query=many, id=ULID).status == 400
    for size, status in ((8_000, 200), (10_240, 431)):
        headers = {"If-None-Match": "x" * size}
        reply = ask("GET", "/v1/things/{id}", None, headers, {"sort": ["due"]}, id=ULID)
        assert reply.status == status
    assert reply.slug == "headers_too_large"


def test_case_62_a_bad_token_is_401_on_public_routes_too(file: Ask) -> None:
    bodies = {
        file(OK, Authorization=given).text
        for given in ("Bearer a.b.c", "Bearer x", "Basic eDp5", "Device k1.e30." + "A" * 43)
    }
    assert len(bodies) == 1
    assert json.loads(bodies.pop())["status"] == 401


def test_roles_of_the_permission_table_decide_before_the_body_is_read(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def close() -> Reply:
        return ask("POST", "/v1/things/{id}/close", "{", id=ULID)

    reply = close()
    assert (reply.status, reply.slug) == (401, "unauthenticated")
    assert "WWW-Authenticate" in reply.headers
    for principal in (Principal("citizen", "demo", "d_1"), official("auditor")):
        become(monkeypatch, principal)
        assert (close().status, close().slug) == (403, "forbidden")
    become(monkeypatch, official("officer"))
    assert close().status == 400
    become(monkeypatch, Principal("citizen", "demo", "d_1"))
    assert ask("GET", "/v1/me/things").status == 200


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (ORIGIN, True),
        ("https://evil", False),
        ("null", False),
        (ORIGIN + ".evil.example", False),
        ("https://xcity.example", False),
        (ORIGIN + "/", False),
        ("http://city.example", False),
        ("", False),
    ],
)
def test_case_69_only_the_one_origin_is_allowed(ask: Ask, origin: str, allowed: bool) -> None:
    for method, status in (("POST", 201), ("PUT", 405)):
        headers = {"Idempotency-Key": "k", "Origin": origin}
        reply = ask(method, "/v1/things", OK, headers)
        assert reply.status == status
        given = reply.headers.get("Access-Control-Allow-Origin")
        assert given == (ORIGIN if allowed else None)
        assert "Origin" in reply.headers["Vary"]


@pytest.mark.parametrize(
    "given",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json, text/plain",
        "application/merge-patch+json",
        "*/*",
        "",
    ],
)
def test_case_89_other_types_than_json_are_415(file: Ask, given: str) -> None:
    reply = file(OK, Content_Type=given)
    assert (reply.status, reply.slug) == (415, "unsupported_media_type")


@pytest.mark.parametrize("given", ["application/json", "Application/JSON; Charset=UTF-8"])
def test_json_is_named_in_any_case(file: Ask, given: str) -> None:
    assert file(OK, content_type=given).status in (201, 415)
    assert file(OK, Content_Type=given).status == 201


def test_compressed_bodies_are_415(file: Ask) -> None:
    assert file(OK, Content_Encoding="gzip").status == 415


def test_a_write_without_a_body_takes_none_or_an_empty_object(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(monkeypatch, official("officer"))

    def close(body: Any, given: str) -> int:
        headers = {"Content-Type": given}
        return ask("POST", "/v1/things/{id}/close", body, headers, id=ULID).status

    form = "application/x-www-form-urlencoded"
    assert close(None, form) == close("", form) == close("{}", "application/json") == 204
    assert close("answer=yes", form) == 415
    assert close('{"a":1}', "application/json") == 422
    assert close("[]", "application/json") == 400


def test_the_body_of_a_get_is_not_looked_at(ask: Ask) -> None:
    headers = {"Content-Type": "text/plain"}
    reply = ask("GET", "/v1/things/{id}", "x" * 99_999, headers, {"sort": ["due"]}, id=ULID)
    assert reply.status == 200


@pytest.mark.parametrize("given", [{}, None, [], {"requestContext": None}, {"Records": []}])
def test_case_110_an_event_of_nothing_is_refused_without_effect(
    app: router.TanggapApp, given: Any
) -> None:
    assert Reply(app(given, None)).slug == "not_found"
    assert CALLS == []


_WORDS = st.text(max_size=20) | st.sampled_from(["application/json", "Bearer a.b.c", "k", "due"])
_HEADERS = st.dictionaries(
    st.sampled_from(
        ["Content-Type", "Idempotency-Key", "Authorization", "Origin", "Accept-Language", "X"]
    ),
    _WORDS,
)
_QUERY = st.none() | st.dictionaries(
    st.sampled_from(["sort", "limit", "radius", "mine", "q", "jurisdiction_id", "other"]),
    st.lists(_WORDS, min_size=1, max_size=2),
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*THING["properties"], "x"]), inner)
    ),
    max_leaves=12,
)
_BODY = st.text(max_size=60) | _VALUES.map(json.dumps) | st.none()


@given(_BODY, _HEADERS, _QUERY, st.text(max_size=30) | st.just(ULID))
@settings_of(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_request_is_answered_with_a_fault(
    ask: Ask, body: str | None, headers: dict[str, str], query: Any, name: str
) -> None:
    replies = [
        ask("POST", "/v1/things", body, {"Idempotency-Key": "k", **headers}, query),
        ask("GET", "/v1/things/{id}", body, headers, query, id=name),
        ask("POST", "/v1/things/{id}/close", body, headers, query, id=name),
    ]
    for reply in replies:
        assert reply.status < 500
        assert reply.status < 400 or reply.slug in kinds()


def test_unknown_routes_are_404_and_leave_no_trace(ask: Ask, app: router.TanggapApp) -> None:
    before = set(app.routes)
    assert ask("GET", "/v1/nothing").slug == "not_found"
    assert set(app.routes) == before


@pytest.mark.parametrize("name", ["error", "nan"])
def test_case_112_an_unexpected_error_is_a_500_that_tells_only_its_id(ask: Ask, name: str) -> None:
    handler = observability.logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    log = io.StringIO()
    before = handler.setStream(log)
    reply = ask("POST", "/break/{name}", name=name)
    handler.setStream(before)
    assert (reply.status, reply.slug) == (500, "internal")
    assert reply.json["request_id"] == "gateway-1"
    said = reply.text + log.getvalue()
    assert "unhandled error" in said
    assert "canary" not in said
    assert "budi@" not in said
    assert "Traceback" not in reply.text


def test_errors_of_the_framework_become_problems(ask: Ask) -> None:
    reply = ask("POST", "/plain", "{}")
    assert (reply.status, reply.slug) == (400, "malformed")
    assert "canary" not in reply.text
    assert ask("POST", "/plain", "x", {"Content-Type": "text/plain"}).status == 415


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("id", "id"),
        ("ID-id", "id"),
        ("en-US,en;q=0.9,id;q=0.8", "en"),
        ("fr, id;q=0.5, en;q=0.4", "id"),
        ("idx, *", "en"),
        ("x" * 8_000, "en"),
    ],
)
def test_refusals_speak_the_asked_language(ask: Ask, header: str | None, language: str) -> None:
    headers = {} if header is None else {"Accept-Language": header}
    reply = ask("GET", "/v1/nothing", None, headers)
    assert reply.json["title"] == kinds()["not_found"]["title"][language]
    assert reply.headers["Content-Language"] == language


def test_no_refusal_repeats_what_was_sent(file: Ask, ask: Ask) -> None:
    canary = "kanari<script>"
    bodies: list[Any] = [
        {**OK, canary: 1},
        {**OK, "status": canary},
        {**OK, "contact": {"email": canary}},
        {**OK, "contact": {canary: 1}},
        {**OK, "answers": {canary: 1}},
        {**OK, "photos": [canary]},
        canary,
        {canary: 1},
    ]
    for body in bodies:
        assert "kanari" not in file(body).text
    assert "kanari" not in file(OK, Content_Type=canary).text
    for query in ({canary: ["1"]}, {"sort": [canary]}, {"q": [canary * 9], "sort": ["due"]}):
        assert "kanari" not in ask("GET", "/v1/things/{id}", query=query, id=ULID).text
    assert "kanari" not in ask("GET", "/v1/things/{id}", id=canary).text


def test_the_hash_is_of_what_is_asked_and_not_of_how_it_is_spelt(file: Ask, ask: Ask) -> None:
    file('{"lat":1,"description":"x"}')
    file('{ "description" : "\\u0078", "lat" : 1 }')
    file({"lat": 2, "description": "x"})
    first, same, other = (call.body_hash for call in CALLS)
    assert first == same != other
    assert len(first) == 64


def test_the_hash_depends_on_the_path(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    become(monkeypatch, official("officer"))
    for each in (ULID, ULID[:-1] + "W"):
        ask("POST", "/v1/things/{id}/close", id=each)
    assert CALLS[0].body_hash != CALLS[1].body_hash


def test_other_media_are_answered_as_they_are(ask: Ask) -> None:
    reply = ask("GET", "/page")
    assert (reply.status, reply.text) == (200, "<p>halo</p>")
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert reply.headers["Content-Security-Policy"] == "default-src 'none'"


def test_an_operation_without_a_permission_row_cannot_be_declared() -> None:
    bp = Blueprint(__name__)
    with pytest.raises(ValueError, match=r"permissions\.json"):
        router.route(bp, "GET", "/x", router.Operation("newThing", "New"))
    with pytest.raises(ValueError, match="twice"):
        router.route(bp, "GET", "/x", router.Operation("getThing", "Again"))


def test_a_path_parameter_without_a_pattern_cannot_be_declared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(router, "permissions", lambda: {"newThing": ["public"]})
    with pytest.raises(ValueError, match="whatever"):
        router.route(Blueprint(__name__), "GET", "/{whatever}", router.Operation("newThing", "New"))


def test_the_local_gateway_serves_the_same_answers(app: router.TanggapApp) -> None:
    with Client(app, stage_name="api") as client:
        headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
        made = client.http.post("/v1/things", body=json.dumps(OK).encode(), headers=headers)
        assert made.status_code == 201
        gone = client.http.get("/v1/things/x?sort=due")
        assert (gone.status_code, gone.json_body["status"]) == (404, 404)
        twice = client.http.get(f"/v1/things/{ULID}?sort=due&sort=new")
        assert twice.status_code == 400


@pytest.mark.parametrize("origin", [ORIGIN, DEVELOPER])
def test_case_69_each_of_the_listed_origins_is_allowed_by_its_own_name(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    monkeypatch.setenv("TANGGAP_ALLOW_ORIGIN", f"{ORIGIN}, {DEVELOPER}")
    settings.settings.cache_clear()
    reply = ask("GET", ONE, None, {"Origin": origin}, id=ULID)
    assert reply.headers["Access-Control-Allow-Origin"] == origin
    assert "Origin" in reply.headers["Vary"]
    for other in (f"{ORIGIN}, {DEVELOPER}", f"{ORIGIN},{DEVELOPER}", DEVELOPER + "0", "*"):
        reply = ask("GET", ONE, None, {"Origin": other}, id=ULID)
        assert "Access-Control-Allow-Origin" not in reply.headers


@pytest.mark.parametrize(
    ("path", "methods"), [("/v1/things", "POST, OPTIONS"), (ONE, "GET, HEAD, OPTIONS")]
)
def test_case_69_a_preflight_lets_a_listed_origin_ask_what_the_path_takes(
    app: router.TanggapApp, path: str, methods: str
) -> None:
    def preflight(origin: str) -> dict[str, str]:
        reply = app(event("OPTIONS", path, None, {"Origin": origin}), Context())
        assert (reply["statusCode"], reply["body"]) == (200, "")
        return dict(reply["headers"])

    headers = preflight(ORIGIN)
    assert headers["Access-Control-Allow-Origin"] == ORIGIN
    assert headers["Access-Control-Allow-Methods"] == methods
    taken = headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Authorization", "Content-Type", "Idempotency-Key"} <= set(taken)
    assert "Origin" in headers["Vary"]
    assert not [name for name in preflight("https://evil") if name.startswith("Access-Control")]


def test_head_is_get_without_a_body(app: router.TanggapApp) -> None:
    query = {"sort": ["due"]}
    whole, head = (app(event(one, ONE, query=query, id=ULID), Context()) for one in ("GET", "HEAD"))
    assert (whole["statusCode"], bool(whole["body"])) == (200, True)
    assert head == {**whole, "body": "", "isBase64Encoded": False}
    missing = app(event("HEAD", ONE, id="x"), Context())
    assert (missing["statusCode"], missing["body"]) == (404, "")


def test_threads_do_not_see_each_others_requests(app: router.TanggapApp) -> None:
    gateway = LocalGateway(app, Config())
    wrong: list[str] = []

    def run(name: str) -> None:
        body = json.dumps({**OK, "description": name}).encode()
        headers = {"content-type": "application/json", "idempotency-key": name}
        for _ in range(30):
            reply = gateway.handle_request("POST", "/v1/things", headers, body)
            if json.loads(reply["body"])["body"]["description"] != name:
                wrong.append(name)

    threads = [threading.Thread(target=run, args=(f"t{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sorted({call.key or "" for call in CALLS}) == [f"t{i}" for i in range(6)]
    assert all(call.body["description"] == call.key for call in CALLS)


def test_problem_response_is_whole_by_itself() -> None:
    reply = Reply(router.problem_response(Problem("not_found"), "id", "r1"))
    assert (reply.status, reply.slug) == (404, "not_found")
    assert reply.headers["X-Request-Id"] == "r1"
    assert reply.json["detail"] == kinds()["not_found"]["detail"]["id"]


def test_every_problem_and_rule_has_both_languages() -> None:
    for slug, kind in kinds().items():
        assert 400 <= kind["status"] < 600, slug
        assert set(kind["title"]) == set(kind["detail"]) == {"en", "id"}, slug
    for rule, texts in rule_texts().items():
        assert set(texts) == {"en", "id"}, rule


def test_the_description_is_valid_openapi_and_names_every_route_and_refusal() -> None:
    made = openapi.document()
    OpenAPIV31SpecValidator(made).validate()
    assert json.loads(json.dumps(made)) == made
    filed = made["paths"]["/v1/things"]["post"]
    schema = filed["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Thing"}
    assert {each["name"] for each in filed["parameters"]} == {
        "jurisdiction_id",
        "Idempotency-Key",
        "Accept-Language",
    }
    assert {"201", "400", "401", "413", "415", "422", "500", "503"} <= set(filed["responses"])
    told = filed["responses"]["422"]["content"]["application/problem+json"]
    assert {"unknown_field", "invalid_field", "missing_field"} <= set(told["examples"])
    closed = made["paths"]["/v1/things/{id}/close"]["post"]
    assert closed["x-roles"] == ["officer"]
    assert {} not in closed["security"]
    assert made["paths"]["/page"]["get"]["responses"]["200"]["content"].keys() == {"text/html"}


def test_two_schemas_of_one_title_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router, "permissions", lambda: {"newThing": ["public"]})
    other = router.Operation("newThing", "New", body={"title": "Thing", "type": "object"})
    router.route(Blueprint(__name__), "POST", "/v1/new", other)(lambda _call: router.Answer(None))
    with pytest.raises(ValueError, match="Thing"):
        openapi.document()


def test_the_viewer_serves_only_its_own_files() -> None:
    assert 'src="docs/assets/swagger-ui.js"' in swagger_ui.page()
    assert "http:" not in swagger_ui.page()
    for name in ("swagger-ui.js", "swagger-ui.css", "start.js"):
        body, media = swagger_ui.asset(name)
        assert body
        assert media.endswith("charset=utf-8")
    for name in ("", "..", "scalar.js", "../url.json", "swagger_bundle.js"):
        with pytest.raises(Problem):
            swagger_ui.asset(name)
    assert "unsafe" not in swagger_ui.HEADERS["Content-Security-Policy"]


def test_the_wrapper_does_not_import_what_few_requests_need() -> None:
    script = (
        "import sys, chalicelib.http.router\n"
        "heavy = {'jwt', 'cryptography', 'offapi', 'urllib.request', 'pydantic',"
        " 'aws_lambda_powertools.utilities.batch'}\n"
        "print(sorted(heavy & set(sys.modules) - {'urllib.request'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
