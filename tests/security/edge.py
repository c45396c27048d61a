"""The test city behind its front door: API Gateway events in, answers out, every call recorded.

``Edge.ask`` checks that each refusal is a problem document and not a 5xx, and that nothing was
written for it.
"""

import itertools
import json
import re
import urllib.parse
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from chalicelib import clock
from chalicelib.auth import caller
from chalicelib.auth.jwks import KeySets
from tests.security.recorder import Recorder, Sent
from tests.security.tokens import KeyServer, Mint
from tests.support import aws, photo_files
from tests.support.world import BUNDLE, JURISDICTION, STAFF, START, blob, spot

PROBLEM = "application/problem+json"
ADDRESS = "192.0.2.1"
NONE: Any = object()


@dataclass(frozen=True)
class Reply:
    """An answer, and what was sent to AWS for it."""

    status: int
    body: Any
    text: str
    headers: dict[str, str]
    calls: tuple[Sent, ...]
    writes: tuple[Sent, ...]

    @property
    def slug(self) -> str | None:
        """The kind of a refusal."""
        kind = self.body.get("type", "") if isinstance(self.body, dict) else ""
        return kind.rpartition(":")[2] or None


class Context:
    """What Lambda tells a function."""

    function_name = "api"
    aws_request_id = "00000000-0000-4000-8000-000000000000"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:api"

    def get_remaining_time_in_millis(self) -> int:
        """Twenty seconds."""
        return 20_000


class Edge:
    """One city, its officials and devices, and a client that asks in their names."""

    def __init__(self, monkeypatch: Any, limits: dict[str, Any] | None = None) -> None:
        from chalicelib.services.city import cities

        self.now: datetime = START
        self.keys = itertools.count(1)
        self.recorder = Recorder()
        self.server = KeyServer()
        self.mint = Mint(lambda: self.now)
        sets = KeySets(self.server)
        monkeypatch.setattr(caller, "key_sets", lambda: sets)
        clock.use(lambda: self.now)
        self.publish(limits=limits or {})
        self.city = cities.current(JURISDICTION, self.now)

    def publish(self, boundaries: bytes | None = None, **changed: Any) -> None:
        """Make a (changed) version of the city current."""
        from chalicelib.services.city import cities

        bundle = {**BUNDLE, "version": f"{next(self.keys):012x}", **changed}
        cities.publish(bundle, boundaries or blob(), list(STAFF), self.now)

    def advance(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def device(self) -> str:
        """The authorization of a new device."""
        reply = self.ask("POST", "/v1/devices")
        assert reply.status == 201
        return f"{reply.body['kind']} {reply.body['token']}"

    def staff(self, ref: str) -> str:
        """The authorization of an official of the test city."""
        return f"Bearer {self.mint.token(sub=f'subject-{ref}')}"

    def ask(  # noqa: PLR0913 (parts of a request, nearly all optional)
        self,
        method: str,
        path: str,
        body: Any = NONE,
        who: str | None = None,
        *,
        key: str | None = "",
        raw: str | bytes | None = None,
        query: dict[str, str | list[str]] | None = None,
        headers: dict[str, str] | None = None,
        ip: str = ADDRESS,
    ) -> Reply:
        """Ask; ``key`` is a new one if empty, none if ``None``; ``raw`` is a body as it stands."""
        sent = {"Accept": "application/json"}
        if body is not NONE or raw is not None:
            sent["Content-Type"] = "application/json"
        if who is not None:
            sent["Authorization"] = who
        if key is not None and method != "GET":
            sent["Idempotency-Key"] = key or f"key-{next(self.keys)}"
        sent |= headers or {}
        text = raw if raw is not None else (json.dumps(body) if body is not NONE else None)
        event = event_of(method, path, text, query or {}, sent, ip)
        self.recorder.clear()
        reply = _reply(application()(event, Context()), self.recorder)
        _prove(reply)
        return reply

    def post(self, path: str, body: Any = NONE, who: str | None = None, **more: Any) -> Reply:
        """POST."""
        return self.ask("POST", path, body, who, **more)

    def get(self, path: str, who: str | None = None, **query: Any) -> Reply:
        """GET with a query."""
        asked = {
            name: value if isinstance(value, list) else str(value) for name, value in query.items()
        }
        return self.ask("GET", path, who=who, query=asked)

    def file(self, who: str, **more: Any) -> Reply:
        """File a report, by default of a pothole in ward D1-W1."""
        return self.post("/v1/reports", new_report(**more), who)

    def act(
        self, who: str, report: str, action: str, version: int | None = None, **more: Any
    ) -> Reply:
        """Act on the newest version, or on the one given."""
        if version is None:
            version = self.head(report).version
        body = {"action": action, "version": version, **more}
        return self.post(f"/v1/reports/{report}/actions", body, who)

    def head(self, report: str) -> Any:
        """The report as stored."""
        from chalicelib.storage import reports

        found = reports.get(JURISDICTION, report)
        assert found is not None
        return found

    def photo(self, who: str, *, uploaded: bool = True, processed: bool = False) -> str:
        """A photo's id, with its object in quarantine, or with pictures made of it."""
        from chalicelib.services.photos import processing
        from chalicelib.storage import files

        photo: str = self.post("/v1/photos", {"content_type": "image/jpeg"}, who).body["photo"]
        if uploaded:
            files.put(f"quarantine/{JURISDICTION}/{photo}", photo_files.UPLOAD, "image/jpeg")
        if processed:
            with photo_files.quick():
                processing.develop(JURISDICTION, photo, clock.now())
        return photo

    def finished(self, reporter: str, **more: Any) -> str:
        """A report of ``reporter`` that worker1 says is repaired."""
        report: str = self.file(reporter, **more).body["id"]
        officer, worker = self.staff("officer1"), self.staff("worker1")
        assert self.act(officer, report, "assign", person="s_worker1").status == 200
        done = self.act(
            worker, report, "finish", note="Filled.", photos=[self.photo(worker, processed=True)]
        )
        assert done.status == 200, done.body
        return report

    def project(self) -> dict[str, Any]:
        """Hand the whole timeline to the stream's function, as the stream would."""
        import app

        answer: dict[str, Any] = app.project_timeline({"Records": stream()}, Context())
        return answer


def new_report(**more: Any) -> dict[str, Any]:
    """The body of a report that is accepted."""
    return {"service": "pothole", **spot("D1-W1"), "description": "A hole in the road", **more}


@cache
def application() -> Any:
    """The product's application."""
    import app

    return app.app


def stream() -> list[dict[str, Any]]:
    """The timeline as records of its stream."""
    from chalicelib.storage import tables

    return [
        stream_record(str(number), row.to_dynamodb_dict())
        for number, row in enumerate(tables.Event.scan())
    ]


def stream_record(
    number: str, image: dict[str, Any] | None, name: str = "INSERT"
) -> dict[str, Any]:
    """One record of the timeline's stream."""
    kept = {"SequenceNumber": number, **({"NewImage": image} if image is not None else {})}
    return {"eventID": number, "eventName": name, "eventSource": "aws:dynamodb", "dynamodb": kept}


def queue_record(number: str, body: str) -> dict[str, Any]:
    """One message of a queue."""
    return {
        "messageId": number,
        "receiptHandle": "r",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:tanggap-messages",
        "awsRegion": "us-east-1",
    }


def event_of(
    method: str,
    path: str,
    body: str | bytes | None,
    query: dict[str, str | list[str]],
    headers: dict[str, str],
    ip: str,
) -> dict[str, Any]:
    """The event that API Gateway makes of a request."""
    route, found = _match(path)
    several = {name: [value] if isinstance(value, str) else value for name, value in query.items()}
    return {
        "resource": route,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in several.items()} or None,
        "multiValueQueryStringParameters": several or None,
        "pathParameters": found or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": route,
            "httpMethod": method,
            "path": path,
            "stage": "v1",
            "identity": {"sourceIp": ip},
            "requestId": "11111111-1111-4111-8111-111111111111",
        },
        "body": body,
        "isBase64Encoded": False,
    }


def _match(path: str) -> tuple[str, dict[str, str]]:
    for route in sorted(application().routes):
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", route)
        if found := re.fullmatch(pattern, path):
            return route, {
                name: urllib.parse.unquote(value) for name, value in found.groupdict().items()
            }
    return path, {}


def _reply(answer: dict[str, Any], recorder: Recorder) -> Reply:
    text = answer["body"]
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    is_json = headers.get("content-type", "").endswith("json")
    body = json.loads(text) if is_json and text else text
    calls, writes = tuple(recorder.calls), tuple(recorder.writes)
    return Reply(answer["statusCode"], body, text, headers, calls, writes)


def _prove(reply: Reply) -> None:
    assert reply.status < 500, reply.text
    assert reply.headers["x-content-type-options"] == "nosniff"
    if reply.status >= 400:
        assert reply.headers["cache-control"] == "no-store"
        assert reply.writes == (), reply.writes
        if reply.headers["content-type"].startswith("text/html"):
            return  # A browser asked for a page.
        assert reply.headers["content-type"] == PROBLEM, reply.text
        assert reply.body["status"] == reply.status


def sent_to(service: str) -> Any:
    """moto's model of a service."""
    return aws.backend(service)
