"""Logs say which request and what failed where, and nothing about people."""

import io
import json
import logging
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from chalice.app import Chalice
from chalice.test import Client

from chalicelib import observability


class Context:
    """What Lambda passes beside the event."""

    function_name = "api"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:api"
    aws_request_id = "lambda-1"


EVENT = {
    "requestContext": {"httpMethod": "GET", "resourcePath": "/x", "requestId": "gateway-1"},
    "headers": {"authorization": "kanari"},
    "multiValueQueryStringParameters": {"q": ["kanari"]},
    "pathParameters": None,
    "stageVariables": None,
    "body": "kanari",
}


@pytest.fixture
def app() -> Iterator[Chalice]:
    made = Chalice("toy", configure_logs=False)
    observability.register(made)

    @made.route("/x")
    def x() -> dict[str, str]:
        observability.logger.info("served")
        observability.count("Served")
        return {}

    @made.on_sqs_message(queue="q")
    def consume(_event: object) -> None:
        observability.logger.info("consumed")

    yield made
    observability.metrics.clear_metrics()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    handler = observability.logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    before, level = handler.setStream(stream), observability.logger.log_level
    observability.logger.setLevel("INFO")
    yield stream
    observability.logger.setLevel(level)
    handler.setStream(before)


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_request_logs_its_id_and_flushes_its_metrics(
    app: Chalice, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    app(EVENT, Context())
    (served,) = lines(log.getvalue())
    (metric,) = lines(capsys.readouterr().out)
    assert served["correlation_id"] == "gateway-1"
    assert served["function_request_id"] == "lambda-1"
    assert metric["Served"] == [1.0]
    assert "kanari" not in json.dumps([served, metric])


def test_an_event_handler_logs_and_warns_about_no_metrics(
    app: Chalice, log: io.StringIO, recwarn: pytest.WarningsRecorder
) -> None:
    with Client(app) as client:
        event = client.events.generate_sqs_event(["kanari"], "q")
        client.lambda_.invoke("consume", event)
    (consumed,) = lines(log.getvalue())
    assert consumed["message"] == "consumed"
    assert "correlation_id" not in consumed
    assert not [each for each in recwarn if "metrics" in str(each.message)]


def test_an_unexpected_error_is_told_without_its_words(
    log: io.StringIO,
) -> None:
    class ClientError(Exception):
        def __init__(self, message: str) -> None:
            super().__init__(message)
            self.response = {"Error": {"Code": "ThrottlingException", "Message": message}}

    try:
        raise ClientError("kanari budi@example.com")
    except ClientError as error:
        observability.unhandled(error, "fileReport")
    observability.metrics.clear_metrics()
    (line,) = lines(log.getvalue())
    assert (line["error"], line["aws_code"]) == ("ClientError", "ThrottlingException")
    assert line["operation"] == "fileReport"
    assert "test_observability.py" in str(line["trace"])
    assert "kanari" not in json.dumps(line)


def test_every_metric_is_documented() -> None:
    root = Path(__file__).parents[2]
    code = "".join(path.read_text() for path in (root / "chalicelib").rglob("*.py"))
    counted = r'(?<![.\w])count\("(\w+)"\)|observability\.count\("(\w+)"\)'
    passed_on = r'metric: str = "(\w+)"|^METRIC = "(\w+)"'
    metrics = set(filter(None, chain(*re.findall(f"{counted}|{passed_on}", code, re.M))))
    assert {"UnhandledErrors", "SweepsBrokenOff", "ItemsSetAside"} <= metrics
    section = (root / "docs" / "operations.md").read_text().partition("## Metrics")[2]
    documented = set(re.findall(r"^\| `(\w+)` \|", section.partition("\n## ")[0], re.M))
    assert metrics == documented
