"""The recorder works: a write during a refusal is seen, by any client."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.errors import Problem
from chalicelib.services.reports import intake
from chalicelib.storage import control, files, queues, topics
from tests.security.edge import Edge

WRITERS: dict[str, Callable[[], Any]] = {
    "dynamodb": lambda: control.put_sent("testville", "x"),
    "s3": lambda: files.put("x", b"x", "text/plain"),
    "sqs": lambda: queues.send_message({}),
    "sns": lambda: topics.publish("x", {"default": "x"}, {}),
}


@pytest.mark.parametrize("service", WRITERS)
def test_a_refusal_that_writes_is_caught(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    def leaky(*_: Any) -> Any:
        WRITERS[service]()
        raise Problem("outside_area")

    me = edge.device()
    monkeypatch.setattr(intake, "file_report", leaky)
    with pytest.raises(AssertionError, match=service):
        edge.file(me)


def test_counting_against_a_limit_is_no_write_and_filing_is_one(edge: Edge) -> None:
    edge.publish(limits={"device": [{"n": 1, "seconds": 600}]})
    me = edge.device()
    filed, refused = edge.file(me), edge.file(me)
    assert [write.operation for write in filed.writes] == ["TransactWriteItems"]
    assert refused.status == 429
    assert [call.counts for call in refused.calls if call.writes] == [True]
