"""What each request and each function costs in calls to AWS, in a warm container."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.settings import settings
from tests.security.edge import Context, Edge, Reply, new_report, queue_record
from tests.security.tokens import ISSUERS
from tests.support import aws
from tests.support.world import JURISDICTION

LIMITS = {
    "device": [{"n": 100, "seconds": 600}, {"n": 300, "seconds": 86_400}],
    "address": [{"n": 600, "seconds": 3_600}],
    "cell": [{"n": 300, "seconds": 600}],
}


@pytest.fixture
def edge(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
    """The test city with rate limits, in a container that has served every kind of request."""
    monkeypatch.setenv("TANGGAP_ISSUERS", json.dumps(ISSUERS))
    monkeypatch.setenv("TANGGAP_JURISDICTION", JURISDICTION)
    settings.cache_clear()
    made = Edge(monkeypatch, LIMITS)
    made.recorder.start()
    try:
        me, officer = made.device(), made.staff("officer1")
        report = made.file(me, contact={"email": "ann@example.org"}).body["id"]
        made.get("/v1/queue", officer, state="submitted")
        made.act(officer, report, "assign", person="s_worker1")
        _run(made, "project_timeline", _stream())
        yield made
    finally:
        made.recorder.stop()
        monkeypatch.undo()
        settings.cache_clear()


def test_filing_is_one_transaction_one_count_and_bounded_reads(edge: Edge) -> None:
    me = edge.device()
    for _ in range(3):
        edge.file(me)
    reply = edge.file(me)
    assert reply.status == 201
    assert _transactions(reply) == Counter(counted=1, written=1)
    reads = _operations(reply) - Counter(TransactWriteItems=2)
    assert reads["GetItem"] == 1
    assert reads["Query"] <= 4
    assert reads.total() == reads["GetItem"] + reads["Query"]


def test_a_photo_adds_its_ticket_and_its_object_to_filing(edge: Edge) -> None:
    me = edge.device()
    edge.file(me)
    photos = [edge.photo(me) for _ in range(2)]
    plain, reply = edge.file(me), edge.file(me, photos=photos)
    assert reply.status == 201
    assert _operations(reply) - _operations(plain) == Counter(GetItem=2, HeadObject=2)


def test_a_replay_is_one_read_and_one_more_where_it_names_other_reports(edge: Edge) -> None:
    """A report that the receipt names may have become secret since."""
    me = edge.device()
    body = {"key": "again"}
    edge.file(me)
    first = edge.post("/v1/reports", new_report(), me, **body)
    again = edge.post("/v1/reports", new_report(), me, **body)
    assert again.body == first.body
    assert _operations(again) == Counter(GetItem=1, BatchGetItem=1)
    alone = edge.post("/v1/reports", new_report(service="flood", answers={"depth": 1}), me, key="b")
    assert alone.body["possible_duplicates"] == []
    again = edge.post("/v1/reports", new_report(service="flood", answers={"depth": 1}), me, key="b")
    assert _operations(again) == Counter(GetItem=1)


def test_a_report_by_its_id_is_one_read(edge: Edge) -> None:
    report = edge.file(edge.device()).body["id"]
    assert _operations(edge.get(f"/v1/reports/{report}")) == Counter(BatchGetItem=1)


def test_a_page_of_the_queue_is_one_query(edge: Edge) -> None:
    me = edge.device()
    for _ in range(3):
        edge.file(me)
    reply = edge.get("/v1/queue", edge.staff("officer1"), state="submitted", limit=2)
    assert len(reply.body["reports"]) == 2
    assert _operations(reply) == Counter(Query=1)


def test_an_action_is_two_reads_and_one_transaction(edge: Edge) -> None:
    report = edge.file(edge.device()).body["id"]
    officer = edge.staff("officer1")
    body = {"action": "reject", "version": 1, "reason_code": "spam", "text": "Not a report."}
    reply = edge.post(f"/v1/reports/{report}/actions", body, officer)
    assert reply.status == 200
    assert _operations(reply) == Counter(GetItem=2, TransactWriteItems=1)


def test_a_month_of_tallies_is_one_query(edge: Edge) -> None:
    assert _operations(edge.get("/v1/tallies/202611")) == Counter(Query=1)


def test_functions_with_nothing_to_do_make_one_call_at_most(edge: Edge) -> None:
    known = _stream()[:1]
    body = {"kind": "question", "jurisdiction": JURISDICTION, "dedupe": "x", "report": "y"}
    test_event = {"Service": "Amazon S3", "Event": "s3:TestEvent"}
    assert _run(edge, "project_timeline", known) == Counter(TransactWriteItems=1)
    assert _run(edge, "relay_outbox", None) == Counter(Query=1)
    assert _run(edge, "sweep_clocks", None) == Counter(Query=1)
    assert _run(edge, "process_photos", [queue_record("1", json.dumps(test_event))]) == Counter()
    _sent("x")
    assert _run(edge, "send_messages", [queue_record("1", json.dumps(body))]) == Counter(GetItem=1)


def test_no_step_of_a_reports_life_scans_a_table(edge: Edge) -> None:
    heard: Counter[str] = Counter()
    ann, officer, worker = edge.device(), edge.staff("officer1"), edge.staff("worker1")
    filed = edge.file(ann, contact={"email": "ann@example.org"})
    report = filed.body["id"]
    done = {"note": "Filled.", "photos": [edge.photo(worker, processed=True)]}
    replies = [
        filed,
        edge.act(officer, report, "assign", person="s_worker1"),
        edge.act(worker, report, "start"),
        edge.act(worker, report, "finish", **done),
        edge.act(ann, report, "verify"),
        edge.post(f"/v1/reports/{report}/rating", {"rating": 5}, ann),
        edge.get(f"/v1/reports/{report}/timeline"),
        edge.get(f"/v1/track/{filed.body['code']}"),
        edge.get("/v1/me/reports", ann),
        edge.get("/v1/queue", officer),
    ]
    assert [reply.status for reply in replies] == [201, *[200] * 9]
    for reply in replies:
        heard += _operations(reply)
    heard += _run(edge, "project_timeline", _stream())
    queued = [
        message.body for message in aws.backend("sqs").queues[settings().messages_queue]._messages
    ]
    records = [queue_record(str(number), body) for number, body in enumerate(queued)]
    heard += _run(edge, "send_messages", records)
    jobs = [
        message.body for message in aws.backend("sqs").queues[settings().photos_queue]._messages
    ]
    heard += _run(edge, "process_photos", [queue_record("1", body) for body in jobs])
    assert heard["TransactWriteItems"] > 10
    assert heard["Publish"] >= 2
    assert heard["Scan"] == 0


def _operations(reply: Reply) -> Counter[str]:
    return Counter(call.operation for call in reply.calls)


def _transactions(reply: Reply) -> Counter[str]:
    return Counter(
        "counted" if call.counts else "written"
        for call in reply.calls
        if call.operation == "TransactWriteItems"
    )


def _stream() -> list[dict[str, Any]]:
    """The timeline's stream, read past AWS."""
    return aws.stream()


def _run(edge: Edge, name: str, records: list[dict[str, Any]] | None) -> Counter[str]:
    import app

    event: dict[str, Any] = {"Records": records}
    if records is None:
        event = {
            "version": "0", "id": "1", "account": "123456789012", "region": "us-east-1",
            "time": "2026-11-02T01:00:00Z", "source": "aws.events", "resources": [],
            "detail-type": "Scheduled Event", "detail": {},
        }  # fmt: skip
    edge.recorder.clear()
    answer = getattr(app, name)(event, Context())
    assert not (answer or {}).get("batchItemFailures")
    return Counter(call.operation for call in edge.recorder.calls)


def _sent(dedupe: str) -> None:
    from chalicelib.storage import control

    control.put_sent(JURISDICTION, dedupe)
