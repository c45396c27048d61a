"""The deployed product at work: the packaged stacks in an emulated account, where each function
runs its own zip with its own role, and every call is judged by its policy."""

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest
import urllib3

from infra.deploy import stacks
from infra.deploy.functions import FUNCTIONS
from infra.deploy.names import QUEUES, prefix
from infra.deploy.package import Packaged
from infra.deploy.runtime import interpreter
from infra.emulator.cloud import Cloud, emulated
from infra.emulator.emulator import listen
from infra.local.issuer import Issuer
from infra.local.server import Server
from infra.local.stack import DEMO_CITY
from tests.infra import packed
from tests.security.edge import application
from tests.support import photo_files

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[2]
STAGE = "dev"
PLACE = {"service": "banjir", "lat": -6.1754, "long": 106.8272}
DISTRICT = "31.71.01"
KEYS = itertools.count(1)
PATIENCE = 90
JAKARTA = ZoneInfo("Asia/Jakarta")
CANARY = "Rahasiacanary"


@dataclass
class Deployment:
    """A stage in its account, and how to speak to it."""

    made: Packaged
    cloud: Cloud
    issuer: Issuer
    chosen: dict[str, str]
    url: str = ""

    def deploy(self) -> None:
        """Bring the account up to what was packaged."""
        stacks.deploy(self.made, self.chosen, lambda text: None, emulated, pause=0.2)
        # The emulated CloudFormation leaves out the Object Lock of the template.
        for bucket in boto3.client("s3").list_buckets()["Buckets"]:
            if "-files-" in bucket["Name"]:
                boto3.client("s3").put_object_lock_configuration(
                    Bucket=bucket["Name"],
                    ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"},
                )
        (api,) = boto3.client("apigateway").get_rest_apis()["items"]
        self.url = self.cloud.api(api["id"], "api")

    def ask(self, method: str, path: str, who: str = "", body: Any = None) -> Any:
        """The JSON of a good answer."""
        headers = {"Idempotency-Key": f"deployed-{next(KEYS)}"}
        if who:
            headers["Authorization"] = who
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer = urllib3.request(
            method, self.url + path, body=None if body is None else json.dumps(body),
            headers=headers, timeout=60,
        )  # fmt: skip
        assert answer.status < 300, (
            path,
            answer.status,
            answer.data[:600],
            self.cloud.log()[-3000:],
        )
        return answer.json()

    def act(self, report: str, who: str, action: str, **more: Any) -> Any:
        """Act on the newest version."""
        version = self.ask("GET", f"/v1/reports/{report}")["version"]
        body = {"action": action, "version": version, **more}
        return self.ask("POST", f"/v1/reports/{report}/actions", who, body)

    def official(self, subject: str) -> str:
        """An official's authorization."""
        return f"Bearer {self.issuer.token(subject)}"

    def function(self, name: str) -> str:
        """The ARN of a deployed function."""
        every = boto3.client("lambda").list_functions()["Functions"]
        (found,) = [one for one in every if one["Handler"] == f"app.{name}"]
        return str(found["FunctionArn"])

    def photo(self, who: str) -> str:
        """A photo that is uploaded and made into pictures by the deployed function."""
        ticket = self.ask("POST", "/v1/photos", who, {"content_type": "image/jpeg"})
        upload = {**ticket["upload"]["fields"], "file": ("a.jpg", photo_files.jpeg(), "image/jpeg")}
        address = ticket["upload"]["url"]
        bucket = f"{prefix(STAGE)}-files-000000000000"
        answer = urllib3.request("POST", f"{self.cloud.endpoint}/{bucket}", fields=upload)
        assert answer.status in (200, 204), (address, answer.data)
        self.until(
            lambda: self.ask("GET", f"/v1/photos/{ticket['photo']}", who)["state"] == "ready"
        )
        return str(ticket["photo"])

    def until(self, holds: Callable[[], Any]) -> Any:
        """Wait until a condition is true."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if found := holds():
                return found
            time.sleep(0.5)
        held = {name: waiting(name) for name in (*QUEUES, *(f"{one}-dead" for one in QUEUES))}
        raise AssertionError(f"it never came to be; {held}\n{self.cloud.log()[-4000:]}")

    def settle(self) -> None:
        """Wait until nothing is on its way: every event is projected, no outbox row waits to be
        published, no message is in a queue or worked on, and no new event came of all that."""
        before = -1

        def still() -> bool:
            nonlocal before
            events = rows_of("timeline")
            quiet = (
                rows_of("control", "contains(pk, :of)", "#SEEN#live#") == events
                # Rows that begin with "~" wait for the digest of their hour.
                and not rows_of("control", "pk = :of AND sk < :tilde", "*#OUT#0", {":tilde": "~"})
                and waiting(*QUEUES) == 0
            )
            same, before = events == before, events if quiet else -1
            return quiet and same

        self.until(still)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The dev stage in an account of its own, with the demo city in it."""
    made = packed.packed(tmp_path_factory, STAGE, "x86_64")
    folder = tmp_path_factory.mktemp("cloud")
    before = dict(os.environ)
    listener = listen(0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    issuer = Issuer(folder, url, lambda: datetime.now(UTC))
    server = Server(lambda environ, start: issuer(environ, start), listener)
    server.start()
    try:
        with Cloud(folder, interpreter()) as cloud:
            chosen = {
                "AllowOrigin": "https://city.example", "AlarmEmail": "it@city.example",
                "MailFrom": "tanggap@city.example", "Issuers": json.dumps([issuer.settings()]),
            }  # fmt: skip
            found = Deployment(made, cloud, issuer, chosen)
            found.deploy()
            # The bucket's test message may meet a function that the stack is just replacing, and
            # would come back after six minutes.
            queues = boto3.client("sqs")
            photos = queues.get_queue_url(QueueName=f"{prefix(STAGE)}-photos")["QueueUrl"]
            queues.purge_queue(QueueUrl=photos)
            run("infra.city", "load", str(DEMO_CITY), "--deployed")
            boto3.client("ses").verify_email_identity(EmailAddress=chosen["MailFrom"])
            yield found
    finally:
        server.stop()
        os.environ.clear()
        os.environ.update(before)


def run(*words: str, code: int = 0) -> str:
    """The output of a command of infra on the deployed stage, in its own process."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.deploy", "with", "--stage", STAGE, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT, text=True, capture_output=True,
        check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def journey(deployment: Deployment, *, verified: bool = True) -> str:
    """A report from the phone to a repair, verified or not; its id."""
    phone = f"Device {deployment.ask('POST', '/v1/devices')['token']}"
    before = deployment.photo(phone)
    contact = {"email": f"{CANARY.lower()}@example.org", "name": CANARY}
    body = {**PLACE, "description": f"{CANARY} water", "photos": [before], "contact": contact}
    report = str(deployment.ask("POST", "/v1/reports", phone, body)["id"])
    officer = deployment.official(f"officer-{DISTRICT}")
    worker = deployment.official(f"field_worker-{DISTRICT}")
    deployment.act(report, officer, "assign", person=f"s_field_worker-{DISTRICT}")
    deployment.act(report, worker, "start", note="On our way")
    after = deployment.photo(worker)
    deployment.act(report, worker, "finish", note="Dry again", photos=[after])
    if verified:
        deployment.act(report, phone, "verify")
    return report


def test_a_report_travels_through_every_deployed_function(deployment: Deployment) -> None:
    report = journey(deployment)
    seen = deployment.ask("GET", f"/v1/reports/{report}")
    assert (seen["state"], seen["resolution"]) == ("closed", "verified")
    assert [picture["state"] for picture in seen["pictures"]] == ["ready", "ready"]
    # The stream's function has counted it, and Open311 lists it.
    deployment.until(lambda: verified(deployment) >= 1)
    listed = deployment.ask("GET", "/open311/v2/requests.json")
    assert report in [one["service_request_id"] for one in listed]
    deployment.settle()
    dead = ("messages-dead", "photos-dead", "forwards-dead", "webhooks-dead")
    assert waiting(*dead, "failures") == 0
    assert json.loads(run("infra.ops", "dead"))["notes"] == {}
    assert json.loads(run("infra.ops.rebuild"))["changed"] == 0


def test_every_schedule_is_a_rule_that_leads_to_its_function(deployment: Deployment) -> None:
    client = boto3.client("events")
    found = {}
    for rule in client.list_rules()["Rules"]:
        (target,) = client.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        found[target["Arn"]] = (rule["ScheduleExpression"], rule["State"])
    wanted = {
        source.name: str(getattr(source.schedule_expression, "to_string", str)())
        for source in application().event_sources
        if FUNCTIONS[source.name].scheduled
    }
    assert found == {
        deployment.function(name): (expression, "ENABLED") for name, expression in wanted.items()
    }
    # A schedule that is due runs by itself.
    deployment.until(lambda: started("relay_outbox"))


def started(name: str) -> bool:
    """Whether a function was ever started."""
    client = boto3.client("logs")
    for group in client.describe_log_groups()["logGroups"]:
        if group["logGroupName"] == f"/{prefix(STAGE)}/{name}":
            events = client.filter_log_events(logGroupName=group["logGroupName"])["events"]
            return any("START" in event["message"] for event in events)
    return False


SCHEDULED = [name for name, declared in FUNCTIONS.items() if declared.scheduled]


@pytest.mark.parametrize("name", SCHEDULED)
def test_every_schedule_runs_under_its_own_role(deployment: Deployment, name: str) -> None:
    """A missing permission is an error, and so is a module that the package lacks."""
    event = {"version": "0", "id": "1", "detail-type": "Scheduled Event", "account": "0",
                 "source": "aws.events", "time": "2026-01-01T00:00:00Z", "region": "us-east-1",
                 "resources": [], "detail": {}}  # fmt: skip
    found = deployment.function(name)
    answer = boto3.client("lambda").invoke(FunctionName=found, Payload=json.dumps(event).encode())
    assert "FunctionError" not in answer, answer["Payload"].read()[:2000]


def test_the_application_is_deleted_and_made_again_and_all_data_is_there(
    deployment: Deployment,
) -> None:
    report = journey(deployment)
    # What a function is at work on when it goes comes back after minutes, and an event that comes
    # late (of a photo, say) belongs to what is compared.
    deployment.settle()
    before = deployment.ask("GET", f"/v1/reports/{report}/timeline")
    stacks.destroy(STAGE, lambda text: None, pause=0.2)
    functions = boto3.client("lambda").list_functions()["Functions"]
    assert [function["FunctionName"] for function in functions] == []
    deployment.deploy()
    assert deployment.ask("GET", f"/v1/reports/{report}/timeline") == before
    assert journey(deployment) != report


def test_dead_letters_can_be_put_back(deployment: Deployment) -> None:
    client = boto3.client("sqs")
    dead = client.get_queue_url(QueueName=f"{prefix(STAGE)}-photos-dead")["QueueUrl"]
    client.send_message(QueueUrl=dead, MessageBody=json.dumps({"Event": "s3:TestEvent"}))
    assert json.loads(run("infra.ops", "dead", code=1))["queues"]["tanggap-dev-photos-dead"] == 1
    assert json.loads(run("infra.ops", "redrive", "photos")) == {"moved": 1}
    assert waiting("photos-dead") == 0
    deployment.until(lambda: waiting("photos") == 0)


def test_records_that_the_stream_gave_up_are_read_again(deployment: Deployment) -> None:
    # Whichever test came first: there are records, and every one of them is counted.
    journey(deployment)
    deployment.settle()
    stream = boto3.client("dynamodb").describe_table(TableName=f"{prefix(STAGE)}-timeline")
    arn = stream["Table"]["LatestStreamArn"]
    client = boto3.client("dynamodbstreams")
    (shard,) = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    place = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    iterator = client.get_shard_iterator(**place)["ShardIterator"]
    records = client.get_records(ShardIterator=iterator)["Records"]
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    batch = {"streamArn": arn, "shardId": shard["ShardId"], "startSequenceNumber": numbers[0],
             "endSequenceNumber": numbers[2]}  # fmt: skip
    queues = boto3.client("sqs")
    url = queues.get_queue_url(QueueName=f"{prefix(STAGE)}-failures")["QueueUrl"]
    queues.send_message(QueueUrl=url, MessageBody=json.dumps({"DDBStreamBatchInfo": batch}))
    schedule = {"requestContext": {"functionArn": deployment.function("sweep_clocks")}}
    queues.send_message(QueueUrl=url, MessageBody=json.dumps(schedule))
    told = json.loads(run("infra.ops", "redrive", "failures"))
    assert told == {"records": 3, "schedules": 1, "lapsed": 0, "unknown": 0}
    # They were counted before, and are counted once.
    assert json.loads(run("infra.ops.rebuild"))["changed"] == 0


def test_a_copy_is_restored_into_an_empty_account(
    deployment: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> None:
    report = journey(deployment)
    deployment.settle()
    folder = tmp_path_factory.mktemp("copy")
    told = json.loads(run("infra.ops", "backup", str(folder / "stage")))
    public = deployment.ask("GET", f"/v1/reports/{report}/timeline")
    with Cloud(folder / "cloud", interpreter()) as cloud:
        second = Deployment(deployment.made, cloud, deployment.issuer, deployment.chosen)
        second.deploy()
        restored = json.loads(run("infra.ops", "restore", told["copy"]))
        assert restored == {"tables": told["tables"], "files": told["files"], "erased": []}
        assert second.ask("GET", f"/v1/reports/{report}/timeline") == public
        checked = json.loads(run("infra.ops.verify"))
        assert checked["faults"] == []
        assert checked["reports"] >= 1
        assert json.loads(run("infra.ops.rebuild"))["changed"] == 0


def test_no_log_holds_what_a_person_wrote(deployment: Deployment) -> None:
    journey(deployment)
    deployment.settle()
    lines = log_lines()
    assert any("written" in line for line in lines)
    text = "\n".join(lines)
    assert CANARY.lower() not in text.lower()


def test_a_report_can_be_followed_through_the_logs_of_every_function(
    deployment: Deployment,
) -> None:
    report = journey(deployment, verified=False)

    def of_it() -> list[dict[str, Any]]:
        ids = ("report", "dedupe")
        return [one for one in logged() if any(report in str(one.get(name)) for name in ids)]

    # The last is the question whether it is repaired, by mail.
    wanted = {"written", "counted", "published", "sent"}
    deployment.until(lambda: {one["message"] for one in of_it()} >= wanted)
    # What a request wrote has the id that API Gateway gave the request.
    assert any(one.get("correlation_id") for one in of_it() if one["message"] == "written")


def log_lines() -> list[str]:
    """Every line that the functions have logged."""
    client, found = boto3.client("logs"), list[str]()
    for group in client.describe_log_groups()["logGroups"]:
        pages = client.get_paginator("filter_log_events")
        for page in pages.paginate(logGroupName=group["logGroupName"]):
            found += [event["message"] for event in page["events"]]
    return found


def logged() -> list[dict[str, Any]]:
    """The lines that are JSON of the product."""
    return [json.loads(line) for text in log_lines() for line in text.splitlines()
            if line.startswith("{")]  # fmt: skip


def verified(deployment: Deployment) -> int:
    """How many reports of the city were verified this month."""
    month = datetime.now(UTC).astimezone(JAKARTA).strftime("%Y%m")
    found: int = deployment.ask("GET", f"/v1/tallies/{month}")["city"]["verified"]
    return found


def rows_of(
    table: str, condition: str | None = None, of: str = "", more: dict[str, str] | None = None
) -> int:
    """How many rows of a table there are, or fulfil a condition on ``:of``."""
    asked: dict[str, Any] = {"TableName": f"{prefix(STAGE)}-{table}", "Select": "COUNT"}
    if condition:
        values = {":of": of, **(more or {})}
        asked["FilterExpression"] = condition
        asked["ExpressionAttributeValues"] = {name: {"S": one} for name, one in values.items()}
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(**asked, ConsistentRead=True)
    return sum(page["Count"] for page in pages)


def waiting(*queues: str) -> int:
    """How many messages stand in queues or are being worked on."""
    client, found = boto3.client("sqs"), 0
    for name in queues:
        url = client.get_queue_url(QueueName=f"{prefix(STAGE)}-{name}")["QueueUrl"]
        asked = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        held = client.get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"]
        found += sum(int(one) for one in held.values())
    return found
