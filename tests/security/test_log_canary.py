"""Cases 21 and 36 in the logs: only the product's JSON lines, with nothing personal.

A whole journey with refusals and faults runs with every log on; no line may contain one of the
canaries that were sent.
"""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

import app
from chalicelib import observability
from tests.security.edge import Context, Edge, application, event_of, queue_record

FORGED = 'x\n{"level":"INFO","message":"forged zebrafinch"}'
ANSI = FORGED + "\x1b[31mred\x1b[0m"
CANARIES = {
    "name": "Zebrafinch Siti",
    "email": "zebrafinch.siti@example.org",
    "phone": "+6281999000111",
}
DESCRIPTION = f"Zebrafinch words of a citizen {FORGED}"
ADDRESS = "203.0.113.77"


@pytest.fixture(name="logs")
def logs_fixture(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """A function that gives all that was logged, printed and measured since the last call."""
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "false")
    lines = io.StringIO()
    handler = observability.logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    was_stream, was_level = handler.setStream(lines), observability.logger.log_level
    observability.logger.setLevel("DEBUG")
    others = logging.StreamHandler(lines)
    # Lambda's own handler does not repeat what Powertools writes.
    others.addFilter(lambda record: record.name != observability.NAMESPACE)
    logging.getLogger().addHandler(others)

    def taken() -> str:
        caught = capfd.readouterr()
        text = lines.getvalue() + caught.out + caught.err
        lines.seek(0)
        lines.truncate()
        return text

    try:
        yield taken
    finally:
        logging.getLogger().removeHandler(others)
        observability.logger.setLevel(was_level)
        if was_stream is not None:
            handler.setStream(was_stream)


def journey(edge: Edge) -> list[str]:
    """A report from the phone to its rating, with refusals on the way; what must not be logged."""
    me, officer, worker = edge.device(), edge.staff("officer1"), edge.staff("worker1")
    body = {
        "service": "flood",
        "lat": -6.19512345,
        "long": 106.80512345,
        "description": DESCRIPTION,
        "landmark": "Zebrafinch corner",
        "answers": {"depth": 3, "story": "Zebrafinch story"},
        "contact": CANARIES,
    }
    receipt = edge.post("/v1/reports", body, me, ip=ADDRESS, key="zebrafinch-key-1").body
    path = f"/v1/reports/{receipt['id']}"
    edge.post("/v1/reports", {**body, "evil": "Zebrafinch words"}, me, ip=ADDRESS)
    edge.post("/v1/reports", {**body, "contact": {"email": "zebrafinch siti"}}, me, ip=ADDRESS)
    edge.post("/v1/reports", who=me, raw=f'{{"description":"{CANARIES["email"]}"', ip=ADDRESS)
    edge.get("/v1/health", "Bearer zebrafinch.zebrafinch.zebrafinch", note="Zebrafinch words")
    edge.act(officer, receipt["id"], "assign", person="s_worker1", note="Zebrafinch inside")
    edge.act(officer, receipt["id"], "assign", 1, person="s_worker1")
    edge.act(worker, receipt["id"], "finish", note="Zebrafinch done", photos=[edge.photo(worker)])
    edge.post(f"{path}/contact", who=officer)
    edge.act(me, receipt["id"], "refuse", reason="Zebrafinch reason")
    edge.post(f"{path}/rating", {"rating": 2, "text": "Zebrafinch rating"}, me)
    for place in (path, f"{path}/timeline", f"{path}/case", f"/v1/track/{receipt['code']}"):
        edge.get(place, officer)
    secrets = [
        part for who in (me, officer, worker) for part in who.split(" ", 1)[1].split(".")[1:]
    ]
    return [*secrets, receipt["claim_secret"], receipt["code"], edge.get("/v1/me", me).body["uid"]]


def broken(*_: Any, **__: Any) -> Any:
    """Fails as libraries do: the message contains what a person typed."""
    raise RuntimeError(f"cannot handle {DESCRIPTION!r} of {CANARIES['email']}")


def personal(text: str, secrets: list[str]) -> list[str]:
    """The canaries in a text."""
    told = [*secrets, *CANARIES.values(), ADDRESS, "zebrafinch", "106.8051", "-6.1951", "6.19512"]
    return [one for one in told if one.lower() in text.lower()]


def test_nothing_personal_is_logged_on_the_way_of_a_report(edge: Edge, logs: Any) -> None:
    logs()
    secrets = journey(edge)
    edge.project()
    # Every message of the queue, also those that cannot be read.
    bodies = [f'{{"kind":"{CANARIES["email"]}', json.dumps({"kind": DESCRIPTION})]
    app.send_messages({"Records": [queue_record(body, body) for body in bodies]}, Context())
    app.process_photos({"Records": [queue_record("1", DESCRIPTION)]}, Context())
    text = logs()
    assert personal(text, secrets) == []


@pytest.mark.parametrize("module", ["intake", "casework"])
def test_a_fault_is_logged_by_its_place_and_not_by_its_words(
    edge: Edge, logs: Any, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    from chalicelib.services.reports import actions, intake

    me = edge.device()
    report = edge.file(me).body["id"]
    monkeypatch.setattr(intake, "file_report", broken)
    monkeypatch.setattr(actions, "act", broken)
    place, body = {
        "intake": ("/v1/reports", {"service": "pothole", "lat": -6.195, "long": 106.805}),
        "casework": (f"/v1/reports/{report}/actions", {"action": "withdraw", "version": 1}),
    }[module]
    headers = {"Authorization": me, "Idempotency-Key": "k", "Content-Type": "application/json"}
    logs()
    event = event_of("POST", place, json.dumps(body), {}, headers, ADDRESS)
    answer = application()(event, Context())
    text = logs()
    assert answer["statusCode"] == 500
    assert personal(text, [me.split(" ")[1]]) == []
    fault = next(one for one in map(json.loads, text.splitlines()) if one.get("level") == "ERROR")
    assert (fault["error"], fault["operation"]) == (
        "RuntimeError",
        "fileReport" if module == "intake" else "actOnReport",
    )
    assert fault["correlation_id"] == json.loads(answer["body"])["request_id"]


def test_case_21_every_line_is_one_json_object_of_our_own(
    edge: Edge, logs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.services.reports import intake

    logs()
    monkeypatch.setattr(intake, "file_report", broken)
    me = edge.device()
    forged = {"Authorization": me, "Idempotency-Key": "k", "Content-Type": "application/json",
              "User-Agent": ANSI, "X-Forwarded-For": ANSI}  # fmt: skip
    body = json.dumps({"service": "pothole", "lat": -6.195, "long": 106.805, "description": FORGED})
    event = event_of("POST", "/v1/reports", body, {}, forged, ANSI)
    application()(event, Context())
    lines = logs().splitlines()
    assert lines
    for line in lines:
        assert isinstance(json.loads(line), dict)
        assert "forged" not in line
        assert "\x1b" not in line


def test_case_21_ids_from_outside_do_not_forge_lines_either(edge: Edge, logs: Any) -> None:
    logs()
    event = event_of("GET", f"/v1/reports/{ANSI}", None, {ANSI: ANSI}, {ANSI: ANSI}, ANSI)
    assert application()(event, Context())["statusCode"] in (400, 404)
    for line in logs().splitlines():
        assert isinstance(json.loads(line), dict)
