"""Random requests that the description allows, and random requests that it forbids.

The same seed makes the same requests. Every answer must be declared (status, type, schema), and
none may be a 5xx, for any caller. Most good requests get an id, a code or a token that exists and a
place in the city.
"""

import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from chalicelib.domain.workflow.table import actions, table
from chalicelib.http.router import OPERATIONS
from infra.docs import openapi as committed
from infra.local.gateway import Gateway
from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Edge, application
from tests.support.kept_state import built_once
from tests.support.world import JURISDICTION, spot

load_all_checks()
GOOD_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
BAD_CHECKS = (*GOOD_CHECKS, "negative_data_rejection")
EXAMPLES = 6
MORE_EXAMPLES = 20  # in `make check`
json.loads(committed.text())  # declares every route
IDS = sorted(OPERATIONS)
ADDRESS_TOO_LONG = 431


def askers(name: str) -> tuple[str, ...]:
    """Who may call an operation; refusals by role have other tests."""
    roles = OPERATIONS[name].roles
    if "public" in roles:
        return ("nobody", "officer1")
    return tuple(
        who
        for who, role in (
            ("device", "citizen"),
            ("officer1", "officer"),
            *([] if "officer" in roles else [("verifier", "verifier"), ("auditor", "auditor")]),
        )
        if role in roles
    )


def may_be_wrong(name: str) -> bool:
    """Whether a request of the operation has any part that can be invalid."""
    each = OPERATIONS[name]
    return bool(each.query or each.body or each.operation.idempotent or "{" in each.path)


def served() -> Callable[..., Any]:
    """The product behind its local gateway."""
    gateway = Gateway(application())

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        # werkzeug's client keeps the query out of the target that it says was sent.
        path, query = environ["REQUEST_URI"].partition("?")[0], environ["QUERY_STRING"]
        environ["REQUEST_URI"] = f"{path}?{query}" if query else path
        return gateway(environ, start_response)

    return app


@cache
def described() -> Any:
    """The description as the product serves it, read once."""
    return schemathesis.openapi.from_wsgi("/v1/openapi.json", served())


MAPPED = {
    "bbox": "106.8,-6.2,106.84,-6.19", "service": "pothole", "group": "roads", "district": "D1",
    "lat": -6.195, "long": 106.805, "closed_from": "202610", "closed_to": "202611",
    "from": "2026-11-01", "to": "2026-11-30",
}  # fmt: skip


def story(edge: Edge) -> tuple[str, tuple[str, str, str], dict[str, str]]:  # noqa: F811
    """A device, three reports of it (the first is finished), and other things that exist."""
    from chalicelib.services.notifications.citizen_messages import answer_link
    from chalicelib.services.scorecards import lifecycle

    device = edge.device()
    contact = {"email": "a@example.org"}
    report = edge.finished(device, contact=contact)
    waiting = edge.file(device, contact=contact).body["id"]
    other = edge.file(device).body["id"]
    head = edge.head(report)
    link = answer_link(JURISDICTION, report, head.finished_at)
    known = {
        "photo": head.after_photos[0],
        "code": head.code,
        "month": edge.city.month(edge.now),
        "name": "start.js",
        "area": "D1",
        "token": link.rpartition("/")[2],
    }
    edge.project()
    lifecycle.update_all(edge.now)
    return device, (report, waiting, other), known


class Target:
    """The product behind its local gateway, with reports to ask for."""

    def __init__(self, edge: Edge) -> None:  # noqa: F811
        self.edge = edge
        self.schema = described()
        self.device, reports, self.known = built_once(__name__, lambda: story(edge))
        self.report, self.fresh, self.merged = reports
        edge.keys = itertools.count(1000)
        self.turn = itertools.count()

    def who(self, name: str) -> dict[str, str]:
        """The headers that authorize the caller."""
        if name == "nobody":
            return {}
        asking = self.device if name == "device" else self.edge.staff(name)
        return {"Authorization": asking}

    def operation(self, name: str) -> Any:
        """An operation of the description."""
        registered = OPERATIONS[name]
        return self.schema[registered.path][registered.method]

    def helped(self, case: Any) -> None:
        """Let two of three requests name things that exist."""
        turn = next(self.turn)
        if turn % 3 == 2:
            return
        for name in ("jurisdiction_id", "cursor"):
            (case.query or {}).pop(name, None)
        for name in set(case.query or {}) & MAPPED.keys():
            case.query[name] = MAPPED[name]
        for name in set(case.path_parameters or {}) & {*self.known, "id"}:
            known = {**self.known, "id": (self.report, self.fresh, self.merged)[turn // 3 % 3]}
            case.path_parameters[name] = known[name]
        if case.headers and "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] += f" {turn}"
        body = case.body
        if not isinstance(body, dict):
            return
        if "lat" in body:
            body |= {**spot("D1-W1"), "service": ("pothole", "litter", "violence")[turn // 3 % 3]}
            for name in ("answers", "photos"):
                body.pop(name, None)
        if "rectangle" in body or body.get("action") in ("hide", "unhide", "blur"):
            body["action"] = ("hide", "unhide", "blur")[turn % 3]
            body.pop("rectangle", None)
            if body["action"] == "blur":
                body["rectangle"] = dict.fromkeys(("x", "y", "width", "height"), 100)
        elif "action" in body:
            case.body = self.action(body["action"], case.path_parameters["id"], body)
        if body.get("content_type"):
            body["content_type"] = "image/jpeg"

    def action(self, name: str, report: str, body: dict[str, Any]) -> dict[str, Any]:
        """The body of an action with the fields that it takes, some of them as they came."""
        takes = actions(False)[name]
        words = {field: body.get(field, "x") for field in ("note", "reason", "text", "question")}
        reasons = table()["reasons"].get(name, ["unsafe"])
        later = (self.edge.now + timedelta(hours=5)).isoformat()
        values = {
            **words, "unit": "u-d1", "agency": "u-prov", "reason_code": reasons[0],
            "until": later, "service": "litter", "ward": "D1-W2", "into": self.report,
            "photos": [], "person": "s_worker1",
            "result": "pass", "target": "resolve", "level": 1,
        }  # fmt: skip
        wanted = [*takes.requires, *takes.any_of]
        given = {field: values[field] for field in wanted}
        return {"action": name, "version": self.edge.head(report).version, **given}


@pytest.fixture(name="target")
def target_fixture(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Target:  # noqa: F811
    """The city that the requests go to."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    return Target(edge)


def run(  # noqa: PLR0913 (settings of a run, each chosen by a test)
    target: Target,
    name: str,
    who: str,
    mode: GenerationMode,
    checks: tuple[str, ...],
    prepare: Callable[[Any], None],
    examples: int,
) -> None:
    """Send so many requests, and check every answer."""
    chosen, good = CHECKS.get_by_names(list(checks)), CHECKS.get_by_names(list(GOOD_CHECKS))

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=target.operation(name).as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        prepare(case)
        response = case.call(headers={**target.who(who), "Accept-Encoding": "identity"})
        known = chosen if response.status_code != ADDRESS_TOO_LONG else good
        case.validate_response(response, checks=known)

    ask()


so_often = pytest.mark.parametrize(
    "examples", [EXAMPLES, pytest.param(MORE_EXAMPLES, marks=pytest.mark.long)]
)


@so_often
@pytest.mark.parametrize(("name", "who"), [(name, who) for name in IDS for who in askers(name)])
def test_what_the_description_invites_is_answered_as_it_says(
    target: Target, name: str, who: str, examples: int
) -> None:
    run(target, name, who, GenerationMode.POSITIVE, GOOD_CHECKS, target.helped, examples)


@so_often
@pytest.mark.parametrize("name", [one for one in IDS if may_be_wrong(one)])
def test_what_the_description_forbids_is_refused_as_it_says(
    target: Target, name: str, examples: int
) -> None:
    who = askers(name)[-1]
    run(target, name, who, GenerationMode.NEGATIVE, BAD_CHECKS, lambda case: None, examples)
