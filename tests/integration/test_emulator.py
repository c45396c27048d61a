"""The local AWS keeps what it answered: through a stop, through kill -9, through both at any time.

A process can have one ministack, which keeps threads. So each run of the emulator is its own
process, started here with a few lines of code.
"""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from infra.emulator.emulator import StackError, erase, listen
from infra.emulator.store import Item, Message, Record, Store
from infra.local.stack import RUNNING, LocalStack

ROOT = Path(__file__).parents[2]
PRELUDE = """
import json, os, sys
from pathlib import Path
import boto3
from infra.emulator.emulator import Emulator
emulator = Emulator(Path(sys.argv[1]))
emulator.start()
dynamodb, queues, topics = (boto3.client(name) for name in ("dynamodb", "sqs", "sns"))
def add(key="n"):
    dynamodb.update_item(TableName="toys", Key={"id": {"S": key}},
        UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}})
def records():
    arn = dynamodb.describe_table(TableName="toys")["Table"]["LatestStreamArn"]
    client = boto3.client("dynamodbstreams")
    shard = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    start = client.get_shard_iterator(StreamArn=arn, ShardId=shard,
        ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    return client.get_records(ShardIterator=start)["Records"]
def tell(**what):
    print(json.dumps(what, default=str), flush=True)
"""
MAKE = """
dynamodb.create_table(TableName="toys", BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
dynamodb.update_time_to_live(TableName="toys",
    TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"})
"""


def life(folder: Path, code: str, make: bool = False) -> subprocess.Popen[str]:
    """A process with an emulator on ``folder`` that runs ``code`` (having made the table)."""
    program = PRELUDE + (MAKE if make else "") + textwrap.dedent(code)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TANGGAP_"))}
    return subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The last line that a run printed before its end."""
    output, _ = process.communicate(timeout=60)
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


def kill(process: subprocess.Popen[str]) -> list[str]:
    process.send_signal(signal.SIGKILL)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    return output.splitlines()


def test_everything_survives_kill_9(tmp_path: Path) -> None:
    born = life(
        tmp_path,
        """
        for _ in range(5):
            add()
        url = queues.create_queue(QueueName="work")["QueueUrl"]
        asked = {"QueueUrl": url, "AttributeNames": ["QueueArn"]}
        arn = queues.get_queue_attributes(**asked)["Attributes"]["QueueArn"]
        queues.send_message(QueueUrl=url, MessageBody="waiting")
        queues.send_message(QueueUrl=url, MessageBody="deleted")
        got = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        for message in got:
            if message["Body"] == "deleted":
                queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        topic = topics.create_topic(Name="alerts")["TopicArn"]
        topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        topics.publish(TopicArn=topic, Message="alarm")
        topics.publish(PhoneNumber="+62811", Message="text")
        ssm = boto3.client("ssm")
        ssm.put_parameter(Name="/key", Value="secret", Type="SecureString")
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="files")
        wanted = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
        s3.put_bucket_notification_configuration(
            Bucket="files", NotificationConfiguration=wanted)
        s3.put_object(Bucket="files", Key="photo", Body=b"bytes")
        emulator.set("follow", "42")
        print("done", flush=True)
        sys.stdin.read()
        """,
        make=True,
    )
    assert born.stdout is not None
    assert born.stdout.readline() == "done\n"
    kill(born)
    again = told(
        life(
            tmp_path,
            """
            item = dynamodb.get_item(TableName="toys", Key={"id": {"S": "n"}})["Item"]
            table = dynamodb.describe_table(TableName="toys")["Table"]
            ttl = dynamodb.describe_time_to_live(TableName="toys")["TimeToLiveDescription"]
            url = queues.get_queue_url(QueueName="work")["QueueUrl"]
            got = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
            s3, ssm = boto3.client("s3"), boto3.client("ssm")
            s3.put_object(Bucket="files", Key="another", Body=b"")
            more = queues.receive_message(QueueUrl=url)["Messages"]
            add()
            positions = [int(r["dynamodb"]["SequenceNumber"]) for r in records()]
            tell(n=item["n"], count=table["ItemCount"], ttl=ttl["TimeToLiveStatus"],
                 records=len(positions), ordered=positions == sorted(set(positions)),
                 bodies=[m["Body"][:10] for m in got], event="files" in more[0]["Body"],
                 key=ssm.get_parameter(Name="/key", WithDecryption=True)["Parameter"]["Value"],
                 photo=s3.get_object(Bucket="files", Key="photo")["Body"].read().decode(),
                 subscriptions=len(topics.list_subscriptions()["Subscriptions"]),
                 place=emulator.get("follow"), mail=[m["text"] for m in emulator.mail()])
            emulator.stop()
            """,
        )
    )
    bodies = again.pop("bodies")
    assert again == {
        "n": {"N": "5"},
        "count": 1,
        "ttl": "ENABLED",
        "records": 6,
        "ordered": True,
        "event": True,
        "key": "secret",
        "photo": "bytes",
        "subscriptions": 1,
        "place": "42",
        "mail": ["text"],
    }
    assert "waiting" in bodies
    assert "deleted" not in bodies
    assert sum(body.startswith('{"Type') for body in bodies) == 1
    assert sum(body.startswith('{"Records') for body in bodies) == 1


def test_killed_at_any_moment_additions_are_neither_lost_nor_doubled(tmp_path: Path) -> None:
    """Each run counts up and prints the number; the next run finds it, or one more at most."""
    acknowledged = 0
    for number in range(4):
        born = life(
            tmp_path,
            """
            item = dynamodb.get_item(TableName="toys", Key={"id": {"S": "n"}}).get("Item")
            print(item["n"]["N"] if item else 0, len(records()), flush=True)
            while True:
                add()
                print(".", flush=True)
            """,
            make=number == 0,
        )
        assert born.stdout is not None
        found, recorded = (int(part) for part in born.stdout.readline().split())
        assert acknowledged <= found <= acknowledged + 1
        assert recorded == found
        seen = sum(born.stdout.readline() == ".\n" for _ in range(20 + 7 * number))
        acknowledged = found + seen + kill(born).count(".")


def test_a_clean_stop_keeps_everything_and_expired_streams_are_let_go(tmp_path: Path) -> None:
    told(
        life(
            tmp_path,
            """
            for _ in range(6):
                add()
            arn = dynamodb.describe_table(TableName="toys")["Table"]["LatestStreamArn"]
            emulator.forget_records(arn, records()[4]["dynamodb"]["SequenceNumber"])
            emulator.stop()
            tell(stopped=True)
            """,
            make=True,
        )
    )
    again = told(
        life(
            tmp_path,
            """
            add()
            images = [r["dynamodb"]["NewImage"]["n"]["N"] for r in records()]
            emulator.stop()
            tell(images=images)
            """,
        )
    )
    assert again == {"images": ["5", "6", "7"]}


def test_a_deleted_table_stays_deleted(tmp_path: Path) -> None:
    gone = life(
        tmp_path,
        """
        add()
        dynamodb.delete_table(TableName="toys")
        tell(gone=True)
        os._exit(0)
        """,
        make=True,
    )
    assert told(gone) == {"gone": True}
    made = life(
        tmp_path,
        """
        found = dynamodb.scan(TableName="toys")["Count"]
        tell(found=found, records=len(records()))
        emulator.stop()
        """,
        make=True,
    )
    assert told(made) == {"found": 0, "records": 0}


def test_topics_rules_and_buckets_reach_their_functions(tmp_path: Path) -> None:
    """One app with every event source, worked by hand until it is quiet."""
    found = told(
        life(
            tmp_path,
            """
            from chalice import Chalice
            from infra.local.drivers import Drivers
            app, seen = Chalice("toy", configure_logs=False), []
            @app.on_sns_message(topic="alerts")
            def alert(event):
                seen.append(["alert", event.message, event.subject])
            @app.on_cw_event({"source": ["city"], "detail-type": ["closed"]})
            def bus(event):
                seen.append(["bus", event.detail["month"], event.source])
            url = queues.create_queue(QueueName="photos")["QueueUrl"]
            asked = {"QueueUrl": url, "AttributeNames": ["QueueArn"]}
            arn = queues.get_queue_attributes(**asked)["Attributes"]["QueueArn"]
            s3 = boto3.client("s3")
            s3.create_bucket(Bucket="files")
            entry = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
            s3.put_bucket_notification_configuration(Bucket="files",
                NotificationConfiguration={"QueueConfigurations": [entry]})
            @app.on_sqs_message(queue="photos")
            def photo(event):
                for record in event:
                    for one in json.loads(record.body).get("Records", []):
                        seen.append(["photo", one["s3"]["object"]["key"], None])
            drivers = Drivers(app)
            topic = topics.create_topic(Name="alerts")["TopicArn"]
            topics.publish(TopicArn=topic, Message="alarm")
            events = boto3.client("events")
            for month in ("201702", "201703"):
                events.put_events(Entries=[{"Source": "city", "DetailType": "closed",
                    "Detail": json.dumps({"month": month})}])
            events.put_events(Entries=[{"Source": "other", "DetailType": "closed", "Detail": "{}"}])
            s3.put_object(Bucket="files", Key="a/b.jpg", Body=b"x")
            drivers.drain()
            tell(seen=sorted(seen, key=str))
            emulator.stop()
            """,
        )
    )
    assert found["seen"] == [
        ["alert", "alarm", None],
        ["bus", "201702", "city"],
        ["bus", "201703", "city"],
        ["photo", "a/b.jpg", None],
    ]


def test_only_this_machine_and_only_what_is_in_use_is_answered(tmp_path: Path) -> None:
    found = told(
        life(
            tmp_path,
            """
            import http.client, socket
            port = int(emulator.endpoint.rsplit(":", 1)[1])
            def ask(path="/", method="GET", **headers):
                connection = http.client.HTTPConnection("127.0.0.1", port)
                connection.request(method, path, headers=headers)
                return connection.getresponse().status
            other = socket.gethostbyname(socket.gethostname())
            try:
                socket.create_connection((other, port), 1).close()
                open_elsewhere = not other.startswith("127.")
            except OSError:
                open_elsewhere = False
            try:
                boto3.client("lambda").list_functions()
                functions = True
            except Exception:
                functions = False
            tell(rebound=ask(Host="evil.example"), foreign=ask(Origin="http://evil.example"),
                 own=ask("/", "OPTIONS", Origin="http://127.0.0.1:8000"),
                 unsigned=ask("/files/photo"), elsewhere=open_elsewhere, functions=functions)
            emulator.stop()
            """,
        )
    )
    assert found == {
        "rebound": 403,
        "foreign": 403,
        "own": 200,
        "unsigned": 403,
        "elsewhere": False,
        "functions": False,
    }


def test_two_stacks_do_not_share_a_folder(tmp_path: Path) -> None:
    first = life(tmp_path, "tell(started=True)\nsys.stdin.read()")
    assert first.stdout is not None
    first.stdout.readline()
    with pytest.raises(StackError, match="another local stack"):
        erase(tmp_path)
    kill(first)
    erase(tmp_path)
    assert not tmp_path.exists()


def test_two_stacks_do_not_run_in_one_process(tmp_path: Path) -> None:
    """The environment, the clock and the clients are the process's: they would serve either."""
    with RUNNING, pytest.raises(StackError, match="in this process"):
        LocalStack(tmp_path / "second").start()
    assert not RUNNING.locked()


def test_another_host_than_loopback_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for host in ("0.0.0.0", "192.168.1.10", "localhost.example", "::"):
        with pytest.raises(StackError, match=r"127\.0\.0\.1 only"):
            listen(0, host)
    monkeypatch.setenv("BIND_HOST", "0.0.0.0")
    with pytest.raises(StackError, match=r"127\.0\.0\.1 only"):
        listen(0)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with listen(0) as held, pytest.raises(StackError, match="is taken"):
        listen(held.getsockname()[1])


def test_the_store_writes_all_of_a_change_or_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "kept")
    item = Item("a/r/t", "p", "s", {"n": {"N": "1"}})
    store.write([item], [Record("a/r/t", 0, {"r": 1})], [Message("q", "m", {"b": 1})])
    with pytest.raises(TypeError):
        store.write([item._replace(body={"n": {"N": "2"}})], mail=[{"at": object()}])
    store.write([item._replace(pk="other")])
    store.write([item._replace(pk="other", body=None)], messages=[Message("q", "m", None)])
    store.checkpoint()
    store.close()
    again = Store(tmp_path / "kept")
    assert list(again.items()) == [item]
    assert list(again.records()) == [Record("a/r/t", 0, {"r": 1})]
    assert list(again.messages()) == []
    again.close()


FOLLOW = """
from chalice import Chalice
from infra.local.drivers import Drivers
app, seen = Chalice("toy", configure_logs=False), []
arn = dynamodb.describe_table(TableName="toys")["Table"]["LatestStreamArn"]
@app.on_dynamodb_record(stream_arn=arn, batch_size=10)
def follow(event):
    seen.extend(r["dynamodb"]["NewImage"]["n"]["N"] for r in event.to_dict()["Records"])
"""


def test_what_no_function_had_handled_when_it_was_killed_is_handled_by_the_next(
    tmp_path: Path,
) -> None:
    born = life(
        tmp_path,
        FOLLOW
        + textwrap.dedent(
            """
            for _ in range(3):
                add()
            Drivers(app, positions=emulator).drain()
            for _ in range(2):
                add()
            print("written", flush=True)
            sys.stdin.read()
            """
        ),
        make=True,
    )
    assert born.stdout is not None
    assert born.stdout.readline() == "written\n"
    kill(born)
    next_life = FOLLOW + "Drivers(app, positions=emulator).drain(); tell(seen=seen)\n"
    assert told(life(tmp_path, next_life)) == {"seen": ["4", "5"]}
    assert told(life(tmp_path, next_life)) == {"seen": []}


def test_in_threads_every_source_is_served_without_being_asked(tmp_path: Path) -> None:
    found = told(
        life(
            tmp_path,
            """
            import threading
            from chalice import Chalice, Rate
            from infra.local.drivers import Drivers
            from infra.local.schedules import Clock
            queues.create_queue(QueueName="work")
            arn = dynamodb.describe_table(TableName="toys")["Table"]["LatestStreamArn"]
            app = Chalice("toy", configure_logs=False)
            served = {name: threading.Event() for name in ("follow", "work", "hourly")}
            @app.on_dynamodb_record(stream_arn=arn)
            def follow(event):
                served["follow"].set()
            @app.on_sqs_message(queue="work")
            def work(event):
                served["work"].set()
            @app.schedule(Rate(1, unit=Rate.HOURS))
            def hourly(event):
                served["hourly"].set()
            drivers = Drivers(app, Clock(factor=36_000), by_hand=False)
            drivers.start()
            add()
            url = queues.get_queue_url(QueueName="work")["QueueUrl"]
            queues.send_message(QueueUrl=url, MessageBody="x")
            seen = {name: event.wait(30) for name, event in served.items()}
            drivers.stop()
            tell(**seen)
            emulator.stop()
            """,
            make=True,
        )
    )
    assert found == {"follow": True, "work": True, "hourly": True}


def test_an_array_of_an_alert_is_filtered_value_by_value(tmp_path: Path) -> None:
    """As on AWS: a message passes if any of its audience is in the policy."""
    process = life(
        tmp_path,
        """
        topic = topics.create_topic(Name="alerts")["TopicArn"]
        url = queues.create_queue(QueueName="head")["QueueUrl"]
        arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"],
            Attributes={"FilterPolicy": json.dumps(
                {"audience": ["everyone", "unit:u-d1"], "protected": ["false"]})})
        def publish(name, audience, protected):
            kinds = {"audience": audience, "protected": protected}
            topics.publish(TopicArn=topic, Message=name, MessageAttributes={
                key: {"DataType": "String" if isinstance(value, str) else "String.Array",
                      "StringValue": value if isinstance(value, str) else json.dumps(value)}
                for key, value in kinds.items()})
        publish("all", ["everyone"], "false")
        publish("ours", ["dispatcher", "unit:u-d1"], "false")
        publish("theirs", ["dispatcher", "unit:u-d2"], "false")
        publish("hidden", ["unit:u-d1"], "true")
        publish("morning", ["unit:u-d1"], ["false", "true"])
        found = []
        while batch := queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(one["Body"])["Message"] for one in batch]
            for one in batch:
                queues.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        tell(found=sorted(found))
        """,
    )
    assert told(process)["found"] == ["all", "morning", "ours"]


def test_a_client_that_is_attached_gets_the_answers_that_it_would_get_over_http(
    tmp_path: Path,
) -> None:
    """Items, errors with their reasons, objects, messages and topics, with and without HTTP.

    Only the identifiers that the emulator makes may differ.
    """
    run = life(
        tmp_path,
        """
        import botocore.exceptions
        buckets, letters = boto3.client("s3"), boto3.client("ssm")
        buckets.create_bucket(Bucket="attic")
        topic = topics.create_topic(Name="news")["TopicArn"]
        clients = (dynamodb, queues, topics, buckets, letters)

        def refusal(call, **fields):
            try:
                call(**fields)
            except botocore.exceptions.ClientError as error:
                kept = {k: v for k, v in error.response.items() if k != "ResponseMetadata"}
                return type(error).__name__, str(error), kept
            return None

        def calls(name):
            item = {"id": {"S": name}, "n": {"N": "1"}, "raw": {"B": b"\\0\\xff"}}
            dynamodb.put_item(TableName="toys", Item=item)
            key = {"TableName": "toys", "Key": {"id": {"S": name}}}
            new = {**key, "ConditionExpression": "attribute_not_exists(id)"}
            other = {"TableName": "toys", "Item": {"id": {"S": name + "2"}}}
            url = queues.create_queue(QueueName=name)["QueueUrl"]
            queues.send_message(QueueUrl=url, MessageBody="é")
            body = queues.receive_message(QueueUrl=url)["Messages"][0]["Body"]
            buckets.put_object(Bucket="attic", Key=f"a b/{name}é", Body=b"\\0box")
            answer = dynamodb.get_item(**key)
            return {
                "item": answer["Item"],
                "status": answer["ResponseMetadata"]["HTTPStatusCode"],
                "cancelled": refusal(
                    dynamodb.transact_write_items,
                    TransactItems=[{"ConditionCheck": new}, {"Put": other}],
                ),
                "no table": refusal(dynamodb.get_item, TableName="none", Key=key["Key"]),
                "no queue": refusal(queues.get_queue_url, QueueName="none"),
                "no object": refusal(buckets.get_object, Bucket="attic", Key="none"),
                "no parameter": refusal(letters.get_parameter, Name="/none"),
                "no topic": refusal(topics.publish, TopicArn=topic + "x", Message="hello"),
                "object": buckets.get_object(Bucket="attic", Key=f"a b/{name}é")["Body"].read(),
                "queued": body,
                "published": sorted(topics.publish(TopicArn=topic, Message="hello")),
            }

        def told_as(name):
            return repr(calls(name)).replace(name, "NAME")

        over_http = told_as("first")
        for client in clients:
            emulator.attach(client)
        tell(http=over_http, direct=told_as("second"))
        emulator.stop()
        """,
        make=True,
    )
    answers = told(run)
    assert "CancellationReasons" in answers["http"]
    assert answers["direct"] == answers["http"]
