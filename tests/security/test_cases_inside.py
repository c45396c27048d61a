"""Cases 107 to 112: unexpected events, and faults that must not reveal anything."""

import contextlib
import json
import time
from typing import Any

import boto3
import pytest

import app
from chalicelib.settings import settings
from tests.security.edge import (
    ADDRESS,
    Context,
    Edge,
    application,
    event_of,
    queue_record,
    sent_to,
    stream,
    stream_record,
)
from tests.support.world import JURISDICTION

UNKNOWN = "01J" + "0" * 23
ASK = {
    "kind": "ask",
    "jurisdiction": JURISDICTION,
    "report": UNKNOWN,
    "version": 1,
    "event": "finish",
    "at": "2026-11-02T01:00:00.000Z",
    "dedupe": "d",
}
FUNCTIONS = (
    "project_timeline", "send_messages", "process_photos", "relay_outbox", "send_webhooks",
)  # fmt: skip


def failed(answer: dict[str, Any]) -> list[str]:
    """The ids that a batch reports as failed."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def rows() -> dict[str, int]:
    """How many items each table has."""
    return {
        name: sum(len(held) if isinstance(held, dict) else 1 for held in table.items.values())
        for name, table in sent_to("dynamodb").tables.items()
    }


def arrived(key: str) -> str:
    """The message of a bucket about an object."""
    return json.dumps({"Records": [{"s3": {"object": {"key": key}}}]})


@pytest.mark.parametrize(
    "message",
    [
        {**ASK, "kind": "promotion"}, {**ASK, "kind": None}, {"hello": "world"}, {},
        {name: held for name, held in ASK.items() if name != "jurisdiction"},
        {**ASK, "report": 7}, {**ASK, "jurisdiction": ["testville"]},
    ],
)  # fmt: skip
def test_case_107_a_message_of_an_unknown_kind_fails_and_reaches_the_dead_letters(
    edge: Edge, message: dict[str, Any]
) -> None:
    answer = app.send_messages({"Records": [queue_record("m", json.dumps(message))]}, Context())
    assert failed(answer) == ["m"]
    assert edge.recorder.writes == []


@pytest.mark.parametrize("schema", [1, 3, 0, "2", None])
def test_case_107_an_event_of_another_schema_fails_and_is_not_counted(
    edge: Edge, schema: Any
) -> None:
    edge.file(edge.device())
    (record,) = stream()
    image = record["dynamodb"]["NewImage"]
    event = json.loads(image["event"]["S"])
    image["event"] = {"S": json.dumps({**event, "schema": schema})}
    before = rows()
    answer = app.project_timeline({"Records": [stream_record("7", image)]}, Context())
    assert failed(answer) == ["7"]
    # Only the note for the operators is new.
    noted = {"tanggap-control": before["tanggap-control"] + 1}
    assert rows() == {**before, **noted}


def test_case_107_queues_give_up_after_five_tries_and_keep_what_failed(edge: Edge) -> None:
    client = boto3.client("sqs")
    for name in (settings().messages_queue, settings().photos_queue):
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
        held = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        redrive = json.loads(held["RedrivePolicy"])
        assert redrive["maxReceiveCount"] == 5
        assert redrive["deadLetterTargetArn"].endswith(f"{name}-dead")


def test_case_107_only_the_bucket_may_write_to_the_photos_queue(edge: Edge) -> None:
    client = boto3.client("sqs")
    url = client.get_queue_url(QueueName=settings().photos_queue)["QueueUrl"]
    held = client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
    (statement,) = json.loads(held["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{settings().bucket}"}
    }
    url = client.get_queue_url(QueueName=settings().messages_queue)["QueueUrl"]
    held = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert "Policy" not in held


BODIES = ["", "{", "[]", "null", "7", "x" * 262_145, '"x"', "{}{}", "[" * 10_000]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize("name", ["send_messages", "process_photos", "send_webhooks"])
def test_case_108_a_body_that_is_none_fails_alone(edge: Edge, name: str, body: str) -> None:
    report = edge.finished(edge.device(), contact={"email": "a@example.org"})
    photo = edge.photo(edge.device())
    good = {
        "send_messages": json.dumps({**ASK, "report": report}),
        "process_photos": arrived(f"quarantine/{JURISDICTION}/{photo}"),
        "send_webhooks": json.dumps({**ASK, "report": report, "hook": "none"}),
    }[name]
    batch = [queue_record("1", good), queue_record("2", body), queue_record("3", good)]
    answer = getattr(app, name)({"Records": batch}, Context())
    assert failed(answer) == ["2"]
    assert len(sent_to("ses").sent_messages) == (1 if name == "send_messages" else 0)


@pytest.mark.parametrize(
    "key",
    [
        "quarantine/testville/..%2F..%2Fx", "public/x", "quarantine/other/01J", "%00", "",
        "quarantine/testville/a+b%2Bc.jpg", f"quarantine/nowhere/{UNKNOWN}",
        f"quarantine/{JURISDICTION}/{UNKNOWN}", f"quarantine/{JURISDICTION}/{UNKNOWN}/x",
    ],
)  # fmt: skip
def test_case_108_objects_that_are_no_photo_of_ours_are_nothing(edge: Edge, key: str) -> None:
    answer = app.process_photos({"Records": [queue_record("1", arrived(key))]}, Context())
    assert failed(answer) == []
    assert edge.recorder.writes == []


def test_case_108_the_buckets_own_test_event_is_nothing(edge: Edge) -> None:
    body = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})
    assert failed(app.process_photos({"Records": [queue_record("1", body)]}, Context())) == []


@pytest.mark.parametrize(
    "image", [None, {}, {"event": {"N": "1"}}, {"event": {"S": ""}}, {"event": {"S": "[]"}},
              {"event": {"S": '{"schema":1}'}}, {"thing": {"S": "{}"}}],
)  # fmt: skip
def test_case_109_a_record_without_an_event_fails_alone(edge: Edge, image: Any) -> None:
    edge.file(edge.device())
    batch = [*stream(), stream_record("9", image)]
    assert failed(app.project_timeline({"Records": batch}, Context())) == ["9"]
    month = edge.get(f"/v1/tallies/{edge.city.month(edge.now)}").body
    assert month["city"]["received"] == 1


def test_case_109_removals_and_changes_of_rows_are_no_events(edge: Edge) -> None:
    edge.file(edge.device())
    (record,) = stream()
    before = rows()
    for name in ("REMOVE", "MODIFY"):
        gone = {**record, "eventName": name, "userIdentity": {"type": "Service"}}
        assert failed(app.project_timeline({"Records": [gone]}, Context())) == []
    assert rows() == before


def test_case_109_an_event_twice_counts_once(edge: Edge) -> None:
    edge.file(edge.device())
    batch = [*stream(), *stream()]
    assert failed(app.project_timeline({"Records": batch}, Context())) == []
    month = edge.get(f"/v1/tallies/{edge.city.month(edge.now)}").body
    assert month["city"]["received"] == 1


@pytest.mark.parametrize("event", [{}, {"Records": []}, {"Records": None}, {"hello": 1}])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_case_110_a_function_called_with_nothing_does_nothing(
    edge: Edge, name: str, event: dict[str, Any]
) -> None:
    edge.file(edge.device())
    before = rows()
    edge.recorder.clear()
    with contextlib.suppress(Exception):  # a failed invocation is as acceptable as an empty one
        getattr(app, name)(event, Context())
    assert edge.recorder.writes == []
    assert rows() == before


@pytest.mark.parametrize("event", [{}, None, [], "x", {"Records": []}, {"requestContext": {}}])
def test_case_110_the_api_called_with_nothing_is_a_404(edge: Edge, event: Any) -> None:
    answer = application()(event, Context())
    assert answer["statusCode"] == 404
    assert edge.recorder.calls == []


@pytest.mark.parametrize("error", [RuntimeError, KeyError, RecursionError, UnicodeEncodeError])
def test_case_112_an_unexpected_fault_is_a_500_that_tells_only_its_id(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    from chalicelib.services.reports import intake

    def broken(*_: Any) -> Any:
        if error is UnicodeEncodeError:
            raise error("utf-8", "inner secret", 0, 1, "inner secret")
        raise error("inner secret")

    monkeypatch.setattr(intake, "file_report", broken)
    me = edge.device()
    headers = {"Authorization": me, "Idempotency-Key": "k", "Content-Type": "application/json"}
    text = '{"service":"pothole","lat":-6.195,"long":106.805}'
    event = event_of("POST", "/v1/reports", text, {}, headers, ADDRESS)
    answer = application()(event, Context())
    body = json.loads(answer["body"])
    assert answer["statusCode"] == 500
    assert body.pop("request_id") == answer["headers"]["X-Request-Id"]
    assert set(body) == {"type", "title", "status", "detail"}
    for word in ("inner secret", "Traceback", ".py", error.__name__):
        assert word not in answer["body"]


def test_case_112_no_stage_has_debugging_on(edge: Edge) -> None:
    assert application().debug is False
    assert application().api.cors is not True


def test_case_112_tables_that_cannot_be_reached_are_a_503_to_come_back_to(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import ConnectTimeoutError

    from tests.support import aws

    me = edge.device()
    client = aws.clients()["dynamodb"]

    def away(request: Any, **_: Any) -> None:
        raise ConnectTimeoutError(endpoint_url=request.url)

    monkeypatch.setattr(time, "sleep", lambda _: None)
    edge.advance(minutes=5)
    client.meta.events.register_first("before-send", away)
    headers = {"Authorization": me, "Idempotency-Key": "k", "Content-Type": "application/json"}
    body = '{"service":"pothole","lat":-6.195,"long":106.805}'
    try:
        answers = [
            application()(event_of(method, path, text, {}, headers, ADDRESS), Context())
            for method, path, text in (
                ("POST", "/v1/reports", body),
                ("GET", f"/v1/reports/{UNKNOWN}", None),
                ("GET", f"/v1/reports/{UNKNOWN}/timeline", None),
                ("GET", "/v1/me/reports", None),
                ("GET", "/v1/track/0000-0000", None),
                ("GET", "/v1/tallies/202611", None),
                ("POST", f"/v1/reports/{UNKNOWN}/support", None),
                ("POST", "/v1/photos", '{"content_type":"image/png"}'),
            )
        ]
    finally:
        client.meta.events.unregister("before-send", away)
    assert {answer["statusCode"] for answer in answers} == {503}
    assert all(int(answer["headers"]["Retry-After"]) > 0 for answer in answers)
