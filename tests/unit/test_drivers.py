"""Event sources are driven as Lambda does: at least once, in order, without silent losses."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from chalice import Chalice, Cron, Rate

from infra.local.drivers import Drivers
from infra.local.events import Context
from infra.local.schedules import Clock, Schedule
from infra.local.sources import Held, QueueSource, StreamSource

START = datetime(2017, 2, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# ---- schedules -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        ("rate(1 minute)", "2017-02-01 00:00", "2017-02-01 00:01"),
        ("rate(1 minute)", "2017-02-01 00:00:59.5", "2017-02-01 00:01"),
        ("rate(5 minutes)", "2017-02-01 00:05", "2017-02-01 00:10"),
        ("rate(1 day)", "2017-03-01 12:00", "2017-03-02 00:00"),
        ("cron(0 8 ? * MON-FRI *)", "2017-02-03 09:00", "2017-02-06 08:00"),
        ("cron(0 17 1 * ? *)", "2017-02-01 00:00", "2017-02-01 17:00"),
        ("cron(15 10 L * ? *)", "2017-02-01 00:00", "2017-02-28 10:15"),
        ("cron(15 10 L * ? *)", "2020-02-01 00:00", "2020-02-29 10:15"),
        ("cron(0 0 L-2 * ? *)", "2017-02-01 00:00", "2017-02-26 00:00"),
        ("cron(0 0 ? * 6L *)", "2017-02-01 00:00", "2017-02-24 00:00"),
        ("cron(0 0 ? * MON#1 *)", "2017-02-07 00:00", "2017-03-06 00:00"),
        ("cron(0 9 15W * ? *)", "2017-04-01 00:00", "2017-04-14 09:00"),
        ("cron(0/15 * * * ? *)", "2017-02-01 00:15", "2017-02-01 00:30"),
        ("cron(10,50 1-3 * JAN,JUN ? *)", "2017-02-01 00:00", "2017-06-01 01:10"),
        ("cron(0 0 29 2 ? *)", "2017-02-01 00:00", "2020-02-29 00:00"),
        ("cron(0 0 1 1 ? 2019-2020)", "2020-01-01 00:00", None),
    ],
)
def test_a_schedule_is_due_when_eventbridge_says(
    expression: str, after: str, due: str | None
) -> None:
    assert Schedule(expression, START).next_after(at(after)) == (at(due) if due else None)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(0 minutes)",
        "every minute",
        "cron(0 0 * * * *)",
        "cron(0 0 * * ?)",
        "cron(0 24 * * ? *)",
        "cron(0 0 31 FEB ? *)",
        "cron(0 0 LW * ? *)",
    ],
)
def test_a_schedule_that_cannot_be_run_is_an_error(expression: str) -> None:
    with pytest.raises(ValueError, match=r"rate|cron|due"):
        Schedule(expression, START)


def test_a_compressed_clock_runs_ahead_of_the_machine() -> None:
    wall = [100.0]
    clock = Clock(START, factor=3600, wall=lambda: wall[0])
    wall[0] += 24
    assert clock.now() == START + timedelta(days=1)
    assert clock.seconds_until(START + timedelta(days=2)) == 24
    clock.set(START)
    assert clock.now() == START


def test_a_clock_that_stands_moves_only_by_hand() -> None:
    wall = [0.0]
    clock = Clock(START, factor=0, wall=lambda: wall[0])
    wall[0] = 1e6
    assert clock.now() == START
    assert clock.seconds_until(START + timedelta(seconds=1)) > 1e6


def test_a_tick_runs_each_schedule_at_its_moment_in_order() -> None:
    app, seen = Chalice("toy", configure_logs=False), []
    clock = Clock(START, factor=0)

    @app.schedule(Rate(1, unit=Rate.MINUTES))
    def relay(event: Any) -> None:
        seen.append(("relay", clock.now(), event.to_dict()["time"]))

    @app.schedule(Cron(0, 8, "?", "*", "MON-FRI", "*"))
    def remind(_event: Any) -> None:
        seen.append(("remind", clock.now(), ""))

    moments: list[datetime] = []
    runs = Drivers(app, clock).tick(
        START + timedelta(days=2, seconds=30), then=lambda: moments.append(clock.now())
    )
    assert [moment for _, moment, _ in seen] == moments[1:]
    last = START + timedelta(days=2)
    assert [(name, moment) for name, moment, _ in seen] == [
        ("remind", at("2017-02-01 08:00")),
        ("remind", at("2017-02-02 08:00")),
        ("relay", last),
    ]
    assert seen[2][2] == "2017-02-03T00:00:00Z"
    assert runs == 3
    assert clock.now() == START + timedelta(days=2, seconds=30)


def test_a_schedule_that_fails_stops_nothing() -> None:
    app = Chalice("toy", configure_logs=False)

    @app.schedule(Rate(1, unit=Rate.HOURS))
    def broken(_event: Any) -> None:
        raise RuntimeError("broken")

    assert Drivers(app, Clock(START, 0)).tick(START + timedelta(hours=3), coalesce=False) == 3


# ---- streams and queues --------------------------------------------------------------------------


@pytest.fixture
def toys(aws: None) -> Iterator[None]:
    """AWS by moto; the resources of a test are deleted afterwards."""
    tables, queues = boto3.client("dynamodb"), boto3.client("sqs")
    before = set(queues.list_queues()["QueueUrls"])
    yield
    if "toy" in tables.list_tables()["TableNames"]:
        tables.delete_table(TableName="toy")
    for url in set(queues.list_queues()["QueueUrls"]) - before:
        queues.delete_queue(QueueUrl=url)


@pytest.fixture
def stream(toys: None) -> str:
    made = boto3.client("dynamodb").create_table(
        TableName="toy",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    return str(made["TableDescription"]["LatestStreamArn"])


def put(*ids: str) -> None:
    client = boto3.client("dynamodb")
    for one in ids:
        client.put_item(TableName="toy", Item={"id": {"S": one}, "raw": {"B": b"\xff"}})


def follower(stream: str, answer: Any) -> tuple[Chalice, list[list[str]]]:
    """An app whose stream function notes the ids of each batch and returns what the test chose."""
    app, batches = Chalice("toy", configure_logs=False), []

    @app.on_dynamodb_record(stream_arn=stream, batch_size=10)
    def follow(event: Any) -> Any:
        records = event.to_dict()["Records"]
        batches.append([record["dynamodb"]["Keys"]["id"]["S"] for record in records])
        return answer(records)

    return app, batches


def sequence(record: dict[str, Any]) -> dict[str, str]:
    return {"itemIdentifier": record["dynamodb"]["SequenceNumber"]}


def test_stream_records_come_in_order_once_and_as_lambda_shows_them(stream: str) -> None:
    seen: list[dict[str, Any]] = []
    app, batches = follower(stream, seen.extend)
    drivers = Drivers(app)
    put("a", "b")
    assert drivers.drain() == 2
    assert drivers.drain() == 0
    assert batches == [["a", "b"]]
    assert seen[0]["eventSourceARN"] == stream
    assert seen[0]["dynamodb"]["NewImage"]["raw"] == {"B": "/w=="}
    assert isinstance(seen[0]["dynamodb"]["ApproximateCreationDateTime"], float | int)
    json.dumps(seen)


def test_a_partial_failure_gives_again_what_follows_it(stream: str) -> None:
    failing = {"b": 2}

    def answer(records: list[dict[str, Any]]) -> Any:
        for record in records:
            one = record["dynamodb"]["Keys"]["id"]["S"]
            if failing.get(one, 0):
                failing[one] -= 1
                return {"batchItemFailures": [sequence(record)]}
        return {"batchItemFailures": []}

    app, batches = follower(stream, answer)
    put("a", "b", "c")
    Drivers(app).drain()
    assert batches == [["a", "b", "c"], ["b", "c"], ["b", "c"]]


def test_a_crash_of_the_function_gives_the_whole_batch_again(stream: str) -> None:
    crashes = [RuntimeError("first"), RuntimeError("second")]

    def answer(_records: Any) -> None:
        if crashes:
            raise crashes.pop()

    app, batches = follower(stream, answer)
    put("a", "b")
    Drivers(app).drain()
    assert batches == [["a", "b"]] * 3


def test_an_answer_that_names_no_record_of_the_batch_fails_all_of_it(stream: str) -> None:
    answers = [{"batchItemFailures": [{"itemIdentifier": "?"}]}, None]
    app, batches = follower(stream, lambda _records: answers.pop(0))
    put("a", "b")
    Drivers(app).drain()
    assert batches == [["a", "b"]] * 2


@pytest.mark.parametrize("by", ["crash", "report"])
def test_a_poison_record_is_set_aside_and_the_others_arrive(stream: str, by: str) -> None:
    done: list[str] = []

    def answer(records: list[dict[str, Any]]) -> Any:
        for record in records:
            one = record["dynamodb"]["Keys"]["id"]["S"]
            if one == "poison":
                if by == "crash":
                    raise RuntimeError("poison")
                return {"batchItemFailures": [sequence(record)]}
            done.append(one)
        return None

    app, _ = follower(stream, answer)
    put("a", "poison", "b", "c")
    drivers = Drivers(app)
    drivers.drain()
    put("d")
    drivers.drain()
    assert set(done) == {"a", "b", "c", "d"}
    queues = boto3.client("sqs")
    url = queues.get_queue_url(QueueName="follow-poison")["QueueUrl"]
    (message,) = queues.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["dynamodb"]["Keys"] == {"id": {"S": "poison"}}


def test_lanes_share_the_records_by_key_and_a_lane_that_fails_holds_up_no_other(
    stream: str,
) -> None:
    """As Lambda's lanes do. They go on where a stream without lanes stopped."""
    seen: list[str] = []
    broken = True

    def invoke(event: dict[str, Any]) -> Any:
        ids = [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
        if broken and "a" in ids:
            return {"batchItemFailures": [sequence(event["Records"][0])]}
        seen.extend(ids)
        return None

    held = Held()
    put("before")
    app, _ = follower(stream, lambda _records: None)
    Drivers(app, positions=held).drain()
    lanes = [
        StreamSource("follow", stream, 10, invoke, held, boto3.client, tries=99, lane=n, lanes=2)
        for n in range(2)
    ]
    names = list("abcdefghi")
    put(*names)
    for lane in lanes:
        lane.poll()
    first = list(seen)
    assert 0 < len(first) < len(names)
    assert "a" not in first
    broken = False
    for lane in lanes:
        lane.poll()
    assert sorted(seen) == names
    assert seen[len(first) :] == sorted(seen[len(first) :])


def test_restarted_drivers_go_on_where_the_others_stopped(stream: str) -> None:
    app, batches = follower(stream, lambda _records: None)
    kept = Held()
    put("a", "b")
    Drivers(app, positions=kept).drain()
    put("c")
    Drivers(app, positions=kept).drain()
    assert batches == [["a", "b"], ["c"]]


def test_drivers_without_a_saved_position_begin_with_the_oldest_record(stream: str) -> None:
    app, batches = follower(stream, lambda _records: None)
    put("a")
    Drivers(app).drain()
    Drivers(app).drain()
    assert batches == [["a"], ["a"]]


def queue(name: str, **attributes: str) -> str:
    client = boto3.client("sqs")
    url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(found["Attributes"]["QueueArn"])


def bodies(name: str) -> list[str]:
    client = boto3.client("sqs")
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return sorted(message["Body"] for message in found)


@pytest.mark.parametrize("by", ["crash", "report"])
def test_only_messages_that_succeeded_are_deleted_from_a_queue(toys: None, by: str) -> None:
    dead = queue("work-dead")
    queue("work", RedrivePolicy=json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 3}))
    app, tries = Chalice("toy", configure_logs=False), []

    @app.on_sqs_message(queue="work", batch_size=1 if by == "crash" else 10)
    def work(event: Any) -> Any:
        records = event.to_dict()["Records"]
        tries.extend(record["body"] for record in records)
        bad = [r for r in records if r["body"] == "bad"]
        if bad and by == "crash":
            raise RuntimeError("bad")
        return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in bad]}

    client = boto3.client("sqs")
    url = client.get_queue_url(QueueName="work")["QueueUrl"]
    for body in ("good", "bad", "fine"):
        client.send_message(QueueUrl=url, MessageBody=body)
    Drivers(app).drain()
    assert (tries.count("good"), tries.count("fine"), tries.count("bad")) == (1, 1, 3)
    assert (bodies("work"), bodies("work-dead")) == ([], ["bad"])


def test_two_photos_are_processed_at_the_same_time_and_one_that_fails_comes_again_alone(
    toys: None,
) -> None:
    queue("photos")
    app, tries, together = Chalice("toy", configure_logs=False), [], threading.Barrier(2)

    @app.on_sqs_message(queue="photos", batch_size=1)
    def process_photos(event: Any) -> None:
        (record,) = event.to_dict()["Records"]
        tries.append(record["body"])
        if tries.count(record["body"]) == 1:
            # Raises an error if nobody else comes here.
            together.wait(20)
        if tries.count("bad") == 1 and record["body"] == "bad":
            raise RuntimeError("bad")

    client = boto3.client("sqs")
    url = client.get_queue_url(QueueName="photos")["QueueUrl"]
    for body in ("good", "bad"):
        client.send_message(QueueUrl=url, MessageBody=body)
    drivers = Drivers(app)
    (source,) = drivers.sources
    assert isinstance(source, QueueSource)
    source.at_once = 2
    drivers.drain()
    assert sorted(tries) == ["bad", "bad", "good"]
    assert bodies("photos") == []


def test_a_queue_without_dead_letters_does_not_hold_the_drivers_for_ever(toys: None) -> None:
    queue("work")
    app = Chalice("toy", configure_logs=False)

    @app.on_sqs_message(queue="work")
    def work(_event: Any) -> None:
        raise RuntimeError("always")

    client = boto3.client("sqs")
    url = client.get_queue_url(QueueName="work")["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="x")
    assert Drivers(app).drain() > 1


def test_an_event_source_that_cannot_be_driven_is_refused() -> None:
    app = Chalice("toy", configure_logs=False)

    @app.on_s3_event(bucket="files")
    def upload(_event: Any) -> None: ...

    with pytest.raises(ValueError, match="S3EventConfig"):
        Drivers(app)


def test_the_context_is_like_lambdas() -> None:
    context = Context("project_timeline", seconds=25)
    assert 0 < context.get_remaining_time_in_millis() <= 25_000
    assert context.invoked_function_arn.endswith(":function:project_timeline")
    assert len({Context("f").aws_request_id for _ in range(3)}) == 3
