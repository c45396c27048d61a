"""The description and the product agree: every answer is declared, every declared route exists.

A whole journey goes through the API; every answer, also a refusal, must match the
schema that the description gives for its operation, status and media type.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from chalicelib import rules
from chalicelib.domain.workflow import table
from chalicelib.errors import kinds
from chalicelib.http import openapi, openapi_texts
from chalicelib.http.router import OPERATIONS, permissions
from chalicelib.services.identity import api_keys, filers
from chalicelib.services.open_data import publishing
from chalicelib.services.people import contact_codes
from chalicelib.services.record import sealing
from chalicelib.services.scorecards import lifecycle
from infra.docs import openapi as committed
from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Context, Edge, Reply, application, event_of, new_report
from tests.support import aws
from tests.support.world import JURISDICTION, spot

ROOT = Path(__file__).parents[2]
HOME = "urn:tanggap:openapi"
# No operation answers these: the list of actions in the schema comes before the first one, and
# GeoReport's errors have their own form.
UNSAID = {"unknown_action", "key_refused"}


@cache
def document() -> dict[str, Any]:
    """The description as it is served."""
    found: dict[str, Any] = json.loads(committed.text())
    return found


@cache
def registry() -> Registry[Any]:
    """So that ``#/components/...`` resolves."""
    contents = {**document(), "$schema": "https://json-schema.org/draft/2020-12/schema"}
    return Registry().with_resource(HOME, Resource(contents, DRAFT202012))


@cache
def validator(path: str, method: str, status: str, media: str) -> Draft202012Validator:
    """The validator of one answer."""
    answer = document()["paths"][path][method.lower()]["responses"][status]
    media = media if media in answer["content"] else media.split("/")[0] + "/*"
    assert media in answer["content"], f"{method} {path} {status} answers {media}"
    steps = ("paths", path, method.lower(), "responses", status, "content", media, "schema")
    pointer = "/".join(one.replace("~", "~0").replace("/", "~1") for one in steps)
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator(
        {"$ref": f"{HOME}#/{pointer}"}, registry=registry(), format_checker=checker
    )


def every_operation() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of the description."""
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Those that are checked and answered by their declaration: all but GeoReport's."""
    for path, method, operation in every_operation():
        if operation["operationId"] in OPERATIONS:
            yield path, method, operation


def route_of(path: str) -> str:
    """The templated path that a concrete one belongs to."""
    for template in document()["paths"]:
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path):
            return str(template)
    raise AssertionError(f"{path} is not described")


def problems_said(operation: dict[str, Any]) -> set[str]:
    """The kinds of problem that an operation declares."""
    return {
        kind.rpartition(":")[2]
        for answer in operation["responses"].values()
        for content in answer.get("content", {}).values()
        for kind in content["schema"].get("properties", {}).get("type", {}).get("enum", [])
    }


class Checked(Edge):
    """A client that checks every answer against the description."""

    seen: set[tuple[str, str, int]]

    def ask(self, method: str, path: str, *given: Any, **more: Any) -> Reply:
        """Ask, and check the answer."""
        reply = super().ask(method, path, *given, **more)
        route = route_of(path)
        media = reply.headers["content-type"].split(";")[0]
        checker = validator(route, method, str(reply.status), media)
        faults = [
            f"{error.json_path}: {error.message}" for error in checker.iter_errors(reply.body)
        ]
        assert faults == [], f"{method} {path} {reply.status}"
        self.seen.add((method, route, reply.status))
        return reply


@pytest.fixture(name="checked")
def checked_fixture(edge: Edge) -> Checked:  # noqa: F811
    """The city's front door with a reader of the description beside it."""
    edge.__class__ = Checked
    assert isinstance(edge, Checked)
    edge.seen = set()
    return edge


def test_the_description_is_valid_openapi_3_1() -> None:
    validate(document())
    assert document()["openapi"].startswith("3.1")


def test_the_committed_description_is_the_live_one() -> None:
    assert committed.DOCUMENT.read_text("utf-8") == committed.text(), "run: make openapi"


def test_the_served_description_is_the_committed_one(edge: Edge) -> None:  # noqa: F811
    reply = edge.get("/v1/openapi.json")
    assert reply.body == document()
    assert "/openapi.json" in edge.get("/docs/assets/start.js").text


def test_every_route_is_described_and_every_description_is_routed() -> None:
    import app

    routed = {(path, method) for path, methods in app.app.routes.items() for method in methods}
    assert {(path, method) for path, method, _ in every_operation()} == routed
    ids = [operation["operationId"] for _, _, operation in every_operation()]
    assert len(ids) == len(set(ids))
    assert len(list(operations())) == len(OPERATIONS)
    # What the standard leaves open is in docs/open311.md.
    page = (ROOT / "docs" / "open311.md").read_text("utf-8")
    for path, _, operation in every_operation():
        if operation["operationId"] not in OPERATIONS:
            assert path.removeprefix("/open311/").split(".")[0].split("/{")[0] in page


def test_open311_is_described_with_its_forms_errors_and_keys() -> None:
    described = {(path, method): each for path, method, each in every_operation()}
    post = described["/open311/v2/requests.json", "POST"]
    for media in ("application/x-www-form-urlencoded", "multipart/form-data"):
        form = post["requestBody"]["content"][media]["schema"]
        assert {"api_key", "service_code", "lat", "long", "description"} <= set(form["properties"])
        assert all(field["description"] for field in form["properties"].values())
    assert {"200", "400", "403", "404", "429"} <= set(post["responses"])
    refused = post["responses"]["403"]["content"]["application/json"]["schema"]
    assert refused["items"] == {"$ref": "#/components/schemas/Open311Error"}
    xml = described["/open311/v2/requests.xml", "GET"]
    assert set(xml["responses"]["200"]["content"]) == {"text/xml"}


def test_the_answers_of_open311_fit_the_description(edge: Edge) -> None:  # noqa: F811
    key = api_keys.issue(JURISDICTION, "tests", 100, edge.now)[1]
    v2 = "/open311/v2"

    def fits(
        method: str, path: str, body: str | None = None, query: dict[str, Any] | None = None
    ) -> Any:
        headers = {"content-type": "application/x-www-form-urlencoded"} if body else {}
        event = event_of(method, path, body, dict(query or {}), headers, "192.0.2.7")
        answer = application()(event, Context())
        rows, status = json.loads(answer["body"]), str(answer["statusCode"])
        checker = validator(event["resource"], method, status, "application/json")
        assert [error.message for error in checker.iter_errors(rows)] == [], (path, rows)
        return rows

    form = {"api_key": key, "service_code": "pothole", "email": "ani@example.org",
            **{name: str(value) for name, value in spot("D1-W1").items()}}  # fmt: skip
    report = fits("POST", f"{v2}/requests.json", urlencode(form))[0]["service_request_id"]
    edge.project()
    update = {"api_key": key, "service_request_id": report, "update_id": "1", "status": "OPEN",
              "updated_datetime": "2026-11-02T08:00:00Z", "description": "x"}  # fmt: skip
    fits("POST", f"{v2}/servicerequestupdates.json", urlencode(update))
    edge.project()
    paths = (
        "services.json", "services/flood.json", "requests.json", "servicerequestupdates.json",
        f"requests/{report}.json", f"tokens/t{report}.json", "requests/x.json",
    )  # fmt: skip
    for path in paths:
        assert fits("GET", f"{v2}/{path}", query={"extensions": "true"})
    fits("GET", "/open311/discovery.json")
    fits("POST", f"{v2}/requests.json", urlencode({**form, "api_key": "wrong"}))
    fits("POST", f"{v2}/requests.json", urlencode({"api_key": key}))


def test_every_operation_has_a_row_of_permissions_and_every_row_an_operation() -> None:
    assert set(permissions()) == {operation["operationId"] for _, _, operation in operations()}
    for _, _, operation in operations():
        assert operation["x-roles"] == sorted(permissions()[operation["operationId"]])


def test_every_parameter_field_and_header_is_described() -> None:
    described = {operation["operationId"]: operation for _, _, operation in operations()}
    for name, registered in OPERATIONS.items():
        operation = described[name]
        named = {(one["in"], one["name"]) for one in operation["parameters"]}
        assert {("query", one) for one in registered.query} <= named
        assert {("path", one) for one in re.findall(r"{(\w+)}", registered.path)} <= named
        assert (("header", "Idempotency-Key") in named) == registered.operation.idempotent
        if registered.operation.body is not None:
            shown = operation["requestBody"]["content"]["application/json"]["schema"]
            schema = document()["components"]["schemas"][shown["$ref"].rpartition("/")[2]]
            assert set(schema["properties"]) == set(registered.operation.body["properties"])
            assert schema["additionalProperties"] is False
        assert operation["summary"]
        assert operation["responses"]


def test_every_object_of_the_api_says_which_fields_it_may_have() -> None:
    """An allow-list: nothing can slip into an answer without the description saying so."""
    # A name has a field for each language of the city.
    open_on_purpose = {"Problem", "OpenAPI", "JsonSchema", "Name"}
    for name, schema in document()["components"]["schemas"].items():
        if name not in open_on_purpose:
            assert schema["additionalProperties"] is False, name


def schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, schema) of every schema in the description, the nested ones too."""

    def walk(where: str, schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(schema, list):
            for number, each in enumerate(schema):
                yield from walk(f"{where}.{number}", each)
        if not isinstance(schema, dict):
            return
        yield where, schema
        for field, each in schema.get("properties", {}).items():
            yield from walk(f"{where}.{field}", each)
        for name in ("items", "prefixItems", "additionalProperties", "anyOf", "allOf"):
            yield from walk(where, schema.get(name))

    for name, schema in document()["components"]["schemas"].items():
        yield from walk(name, schema)
    for _, _, operation in every_operation():
        for one in operation["parameters"]:
            yield from walk(f"{operation['operationId']}.{one['name']}", one["schema"])


def test_every_operation_schema_field_and_parameter_is_described_in_words() -> None:
    shown = document()
    found = {name: one.get("description") for name, one in shown["components"]["schemas"].items()}
    for name, schema in shown["components"]["schemas"].items():
        for field, each in schema.get("properties", {}).items():
            found[f"{name}.{field}"] = each.get("description")
    for _, _, operation in every_operation():
        found[operation["operationId"]] = operation["description"]
        for one in operation["parameters"]:
            found[f"{operation['operationId']}.{one['name']}"] = one["description"]
    found |= {one["name"]: one["description"] for one in shown["tags"]}
    assert [name for name, words in found.items() if not words] == [], "rules/descriptions.json"


def _form_fields(operation: dict[str, Any]) -> Iterator[str]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield from content["schema"].get("properties", {})


def test_every_description_in_the_file_is_of_something_that_exists() -> None:
    shown, file = document()["components"]["schemas"], openapi_texts.texts()
    fields = [(name, one) for name, each in shown.items() for one in each.get("properties", {})]
    needed = {
        "schemas": set(shown),
        "own": {f"{name}.{field}" for name, field in fields},
        "fields": {field for name, field in fields if f"{name}.{field}" not in file["own"]},
        "parameters": {one["name"] for *_, each in operations() for one in each["parameters"]},
        "open311": {
            one
            for _, _, each in every_operation()
            if each["operationId"] not in OPERATIONS
            for one in (*(at["name"] for at in each["parameters"]), *_form_fields(each))
        },
        "tags": {one["name"] for one in document()["tags"]},
    }
    for section, names in file.items():
        assert set(names) - needed[section] == set(), section


def test_no_two_names_that_a_generator_makes_are_the_same_or_differ_in_case_only() -> None:
    """A generated client names an enum or an inline object by its schema and field."""
    origins: dict[str, set[str]] = defaultdict(set)
    for where, schema in schemas():
        if where in document()["components"]["schemas"] or "enum" in schema:
            origins[re.sub("[._]", "", where).lower()].add(where)
    ids = [operation["operationId"] for _, _, operation in every_operation()]
    for one in ids:
        origins[f"operation {one.lower()}"].add(one)
    assert [names for names in origins.values() if len(names) > 1] == []


def test_a_generator_is_told_the_type_of_everything() -> None:
    for where, schema in schemas():
        assert "patternProperties" not in schema, f"{where}: generators drop such fields"
        if schema.get("type") == "object":
            assert {"properties", "additionalProperties"} & set(schema), where
        if schema.get("type") == "array":
            assert {"items", "prefixItems"} & set(schema), where
        assert isinstance(schema.get("const", ""), str), f"{where}: generators know texts only"


def test_operations_for_everybody_are_not_locked() -> None:
    for _, _, operation in operations():
        registered = OPERATIONS[operation["operationId"]]
        asks_who = "principal" in registered.view.__code__.co_names
        if "public" not in registered.roles:
            assert operation["security"]
            assert {} not in operation["security"]
        elif asks_who:
            assert operation["security"][0] == {}, operation["operationId"]
            assert registered.operation.personal, operation["operationId"]
        else:
            assert operation["security"] == [], operation["operationId"]


def test_a_client_may_send_every_action_but_those_of_the_clock() -> None:
    shown = document()["components"]["schemas"]
    sent = set(shown["Action"]["properties"]["action"]["enum"])
    answered = set(shown["Case"]["properties"]["open_actions"]["items"]["enum"])
    clock = {name for name, one in table.actions(False).items() if one.who == {"system"}}
    assert sent == answered - clock
    assert clock >= {"lapse", "breach", "escalate", "release", "protect_lapse"}


def test_services_say_what_belongs_to_them_and_in_which_group(edge: Edge) -> None:  # noqa: F811
    services = {one["code"]: one for one in edge.get("/v1/services").body["services"]}
    assert services["pothole"]["group_name"] == {"en": "roads", "id": "roads (id)"}
    assert services["pothole"]["description"] == {"en": "A hole", "id": "Lubang"}
    assert services["flood"]["description"] is None


def test_every_problem_has_both_languages_and_a_status() -> None:
    for slug, kind in kinds().items():
        assert re.fullmatch("[a-z][a-z_]*", slug)
        assert 400 <= kind["status"] <= 599
        for part in ("title", "detail"):
            assert set(kind[part]) == {"en", "id"}, slug
            assert all(kind[part].values()), slug
            places = [set(re.findall(r"{(\w+)", text)) for text in kind[part].values()]
            assert places[0] == places[1], slug


def test_every_problem_is_raised_somewhere_and_described_somewhere() -> None:
    sources = [ROOT / "app.py", *(ROOT / "chalicelib").rglob("*.py")]
    code = "\n".join(path.read_text("utf-8") for path in sources)
    unused = [slug for slug in kinds() if f'"{slug}"' not in code]
    assert unused == []
    said = {slug for _, _, operation in operations() for slug in problems_said(operation)}
    assert set(kinds()) - said == UNSAID


def test_every_problem_that_the_code_raises_is_a_row() -> None:
    raised = set()
    for path in (ROOT / "chalicelib").rglob("*.py"):
        raised |= set(re.findall(r'Problem\(\s*"(\w+)"', path.read_text("utf-8")))
        raised |= set(re.findall(r'[ .]refuse\(\s*"(\w+)"', path.read_text("utf-8")))
    assert raised - set(kinds()) == set()


def test_rules_are_json_without_duplicate_keys() -> None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), names
        return dict(pairs)

    for path in rules.FOLDER.glob("*.json"):
        json.loads(path.read_text("utf-8"), object_pairs_hook=once)


def test_the_answers_of_a_whole_journey_match_the_description(checked: Checked) -> None:
    me, neighbour = checked.device(), checked.device()
    officer, worker = checked.staff("officer1"), checked.staff("worker1")
    photo = checked.photo(me)
    contact = {"name": "Siti", "email": "siti@example.org", "phone": "+628123456789"}
    receipt = checked.file(
        me, service="flood", answers={"depth": 30.5, "where": "road", "what": ["cars", "people"],
        "since": "2026-11-02T07:00:00+07:00", "story": "A story"}, photos=[photo],
        contact=contact, landmark="Near the bridge", accuracy=12, channel="web", language="en",
        client_time="2026-11-02T08:00:00+07:00", public=True,
    ).body  # fmt: skip
    checked.file(me, lat=-6.20003, service="violence", public=True)
    again = checked.post(
        "/v1/reports", new_report(service="flood", answers={"depth": 1}), neighbour
    )
    assert again.body["possible_duplicates"]
    report = receipt["id"]
    path = f"/v1/reports/{report}"
    for who in (None, me, officer):
        for place in (path, f"{path}/timeline", f"{path}/proof",
                      f"/v1/track/{receipt['code']}", "/v1/me",
                      "/v1/health", "/v1/city", "/v1/services", "/v1/workflow"):  # fmt: skip
            checked.get(place, who)
    private = checked.file(me, lat=-6.1905, public=False, description="Words").body["id"]
    checked.get(f"/v1/reports/{private}")
    checked.get(f"/v1/reports/{private}/timeline")
    checked.get(f"/v1/reports/{private}/proof")
    checked.post(f"/v1/reports/{private}/correction", {"landmark": "Next door"}, me)
    words = {"version": 1, "field": "description", "reason": "abuse"}
    checked.post(f"/v1/reports/{private}/texts", words, officer)
    checked.get(f"/v1/reports/{private}/texts", checked.staff("auditor"))
    checked.post(f"/v1/reports/{private}/open", who=me)
    checked.post(f"{path}/support", who=neighbour)
    checked.post(f"{path}/follow", who=neighbour)
    checked.ask("DELETE", f"{path}/follow", who=neighbour)
    checked.post(f"{path}/comments", {"text": "Inside", "audience": "inside"}, officer)
    checked.post(f"{path}/comments", {"text": "Hello", "audience": "public"}, me)
    checked.act(officer, report, "ask", question="How deep?")
    checked.act(me, report, "answer", text="To the knee")
    checked.act(officer, report, "assign", person="s_worker1", note="Please")
    checked.act(officer, report, "coordinate", agency="u-prov", reason="Their pump",
                until="2026-11-03T01:00:00Z")  # fmt: skip
    checked.act(officer, report, "schedule", reason="Rain", until="2026-11-02T12:00:00Z")
    for place in (path, f"{path}/case"):
        checked.get(place, officer)
    checked.get("/v1/queue", officer, state="scheduled", due_within=200, limit=1)
    checked.get("/v1/queue", officer, limit=1)
    checked.get("/v1/queue", checked.staff("safe"), district="protected")
    checked.act(worker, report, "resume")
    dry = checked.photo(worker, processed=True)
    checked.act(worker, report, "finish", note="Pumped dry", photos=[dry])
    checked.act(me, report, "refuse", reason="Still wet")
    for place in (path, f"{path}/case"):
        checked.get(place, officer)
    checked.get(f"/v1/photos/{photo}", me)
    checked.get(f"/v1/photos/{checked.photo(me, processed=True)}", me)
    for action in ("hide", "unhide"):
        change = {"action": action, "reason": "face"}
        checked.post(f"{path}/photos/{dry}", change, officer)
    checked.post(f"{path}/flags", {"reason": "personal_data", "photo": photo}, neighbour)
    checked.act(worker, report, "dispute", reason="It is dry")
    checked.act(checked.staff("verifier"), report, "verify", note="Dry")
    checked.post(f"{path}/rating", {"rating": 4, "text": "Well"}, me)
    checked.post(f"{path}/contact", who=officer)
    checked.post(f"{path}/filer-reports", {"reason": "Alike"}, checked.staff("verifier2"))
    checked.post(f"{path}/claim", {"secret": receipt["claim_secret"]}, neighbour)
    mine = {"email": "a@example.org"}
    checked.post("/v1/me/contacts", mine, me)
    held = json.loads(
        next(row["doc"] for row in aws.rows("people") if "nonce" in (row.get("doc") or ""))
    )
    who = checked.get("/v1/me", me).body["uid"]
    place, contact = JURISDICTION, filers.pseudonym(JURISDICTION, mine) or ""
    code = contact_codes.code_of(place, contact, who, held["nonce"])
    checked.post("/v1/me/contacts/confirm", {**mine, "code": code}, me)
    checked.act(officer, again.body["id"], "merge", into=report)
    checked.act(officer, again.body["id"], "merge", into=checked.file(me).body["id"])
    checked.get("/v1/me/reports", me, limit=1)
    checked.get("/v1/me/data", me)
    for place in (path, f"{path}/timeline", f"{path}/case"):
        checked.get(place, checked.staff("auditor"))
    checked.project()
    month = checked.city.month(checked.now)
    checked.get(f"/v1/tallies/{month}")
    there = {"lat": "-6.195", "long": "106.805", "radius": "1000"}
    view = {"bbox": "106.8,-6.2,106.84,-6.19", "closed_from": month}
    shown = checked.get("/v1/map/reports", **view).body
    assert len(shown["features"]) > 1
    assert checked.get("/v1/map/reports", **view, limit=1).body["truncated"]
    assert checked.get("/v1/map/nearby", **there).body["reports"]
    for window in ({}, {"from": "2026-11-01", "to": "2026-11-30"}, {"status": "open", "z": 3}):
        assert checked.get("/v1/map/cells", **window).body["total"]
    assert checked.get("/v1/changes", since=shown["changes"]).body["upsert"]
    sealing.seal_all(checked.now + timedelta(days=2))
    assert checked.get("/v1/record").body["days"]
    assert checked.get(f"/v1/reports/{report}/inclusion").body["inclusion"]
    publishing.publish(checked.now)
    assert checked.get("/v1/open-data").body["files"]
    checked.get(checked.get("/v1/schemas").body["schemas"][0]["path"])
    lifecycle.update_all(checked.now)
    auditor = checked.staff("auditor")
    checked.get("/v1/scorecards")
    checked.get(f"/v1/scorecards/{month}", auditor)
    for area in ("TV", "D1", "D1-W1", "u-d1", "s_worker1"):
        checked.get(f"/v1/scorecards/{month}/{area}", auditor)
        checked.get(f"/v1/scorecards/{month}/{area}/rows", auditor, measure="backlog", limit=1)
    checked.get(f"/v1/scorecards/{month}", me)
    checked.get("/v1/audits", checked.staff("verifier"), district="D1")
    for place in ("/", "/open311/keys", "/docs", "/docs/assets/start.js",
                  "/docs/assets/swagger-ui.css", "/v1/openapi.json"):  # fmt: skip
        checked.get(place)
    good = {(method, path) for method, path, status in checked.seen if status < 400}
    every = {(method, path) for path, method, _ in operations()}
    assert every - good == {
        ("GET", "/v1/answers/{token}"),
        ("POST", "/v1/answers/{token}/repaired"),
        ("POST", "/v1/answers/{token}/not-repaired"),
        ("GET", "/v1/claims/{token}"),
        ("POST", "/v1/claims/{token}/undo"),
        ("GET", "/v1/notifications/{token}"),
        ("POST", "/v1/notifications/{token}"),
        ("POST", "/v1/notifications/{token}/{wish}"),
    }


def test_the_pages_behind_the_links_in_messages_match_the_description(checked: Checked) -> None:
    from chalicelib.services.people import claiming, preferences

    me, other = checked.device(), checked.device()
    filed = checked.file(me).body
    checked.post(f"/v1/reports/{filed['id']}/claim", {"secret": filed["claim_secret"]}, other)
    undo = claiming.undo_link(JURISDICTION, filed["id"], 1, checked.now)
    choices = preferences.link(JURISDICTION, "abc").partition("?")[0]
    for link, button in ((undo, "undo"), (choices, "digest")):
        place = "/v1/" + link.partition("/v1/")[2]
        assert checked.get(place).status == 200
        assert checked.post(f"{place}/{button}").status == 200
        assert checked.get(place).status == 200


@pytest.mark.parametrize("way", ["repaired", "not-repaired"])
def test_the_one_tap_pages_match_the_description(checked: Checked, way: str) -> None:
    from chalicelib.services.notifications.citizen_messages import answer_link

    report = checked.finished(checked.device(), contact={"email": "a@example.org"})
    head = checked.head(report)
    place = "/v1/" + answer_link(JURISDICTION, report, head.finished_at).partition("/v1/")[2]
    for _ in range(2):
        checked.get(place)
        checked.post(f"{place}/{way}")
    assert checked.head(report).state == ("closed" if way == "repaired" else "in_progress")
    assert checked.get(f"{place}x").status == 401
    checked.advance(days=15)
    assert checked.post(f"{place}/{way}").status == 401


def test_refusals_match_the_description(checked: Checked) -> None:
    me, officer = checked.device(), checked.staff("officer1")
    report = checked.file(me).body["id"]
    path, good = f"/v1/reports/{report}", new_report()
    for who in (None, me, officer, checked.staff("auditor"), "Bearer x.y.z"):
        for route, method, operation in list(operations()):
            place = (
                route.replace("{id}", "0" * 26).replace("{code}", "0000-0000")
                .replace("{month}", "202611").replace("{name}", "x").replace("{token}", "x")
            )  # fmt: skip
            checked.ask(method, place, who=who, key=None)
            checked.ask(method, place, who=who, query={"nothing": "1"})
            checked.ask(method, place, who=who, query={"jurisdiction_id": ["a", "b"]})
            checked.ask(method, place, who=who, query={"jurisdiction_id": "nowhere"})
            for raw in ("{", "[]", '{"unknown":1}', "x" * 70_000):
                checked.ask(method, place, who=who, raw=raw)
            checked.ask(method, place, {}, who, headers={"Content-Type": "text/plain"})
            assert operation["responses"]
    wrong: list[dict[str, Any]] = [
        {"service": "x"}, {"lat": 1}, {"lat": 91}, {"answers": {"x": 1}}, {"photos": ["0" * 26]},
        {"client_time": "0001-01-01T00:00:00+14:00"}, {"service": "flood"},
        {"service": "flood", "answers": {"depth": "x"}}, {"description": "\x07"},
    ]  # fmt: skip
    for each in wrong:
        checked.post("/v1/reports", {**good, **each}, me)
    checked.post("/v1/reports", good, me, key="k")
    assert checked.post("/v1/reports", {**good, "accuracy": 1}, me, key="k").slug == "key_reused"
    checked.act(officer, report, "assign", 9, person="s_worker1")
    checked.act(me, report, "verify")
    checked.act(me, report, "reject")
    checked.post(f"{path}/rating", {"rating": 1}, me)
    checked.post(f"{path}/comments", {"text": "x", "audience": "inside"}, me)
    checked.post("/v1/photos", {"content_type": "text/html"}, me)
    checked.get("/v1/queue", checked.staff("dispatcher"))
    checked.get("/v1/queue", officer, cursor="x")
    checked.publish(
        limits={kind: [{"n": 1, "seconds": 600}] for kind in ("device", "devices", "tickets")}
    )
    for _ in range(2):
        checked.file(me)
        checked.post("/v1/devices")
        checked.post("/v1/photos", {"content_type": "image/png"}, me)
    statuses = {status for _, _, status in checked.seen}
    assert statuses >= {400, 401, 403, 404, 409, 413, 415, 422, 429}


def test_problems_of_one_operation_are_within_what_it_declares(checked: Checked) -> None:
    """The schema of a refusal lists the kinds; this proves that the list is really checked."""
    checker = validator("/v1/health", "GET", "400", "application/problem+json")
    good = {
        "type": "urn:tanggap:problem:unknown_parameter",
        "title": "x",
        "status": 400,
        "detail": "x",
    }
    assert checker.is_valid(good)
    assert not checker.is_valid({**good, "type": "urn:tanggap:problem:outside_area"})
    assert not checker.is_valid({**good, "status": 401})
    assert openapi.problems_of(OPERATIONS["getHealth"])


def test_flagging_a_text_that_is_not_there_is_a_problem_that_the_description_names() -> None:
    refused = document()["paths"]["/v1/reports/{id}/flags"]["post"]["responses"]["422"]
    assert "urn:tanggap:problem:unknown_text" in json.dumps(refused)
