"""The resources are made once, as the code needs them, and making them again changes nothing."""

import json
from typing import Any

import boto3
import pytest

from infra import resources


@pytest.fixture
def made(aws: None) -> dict[str, str]:
    return resources.create()


def attributes(queue: str) -> dict[str, Any]:
    client = boto3.client("sqs")
    url = client.get_queue_url(QueueName=queue)["QueueUrl"]
    found: dict[str, Any] = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return dict(found["Attributes"])


def test_making_the_resources_again_changes_nothing(made: dict[str, str]) -> None:
    parameter = {"Name": made["TANGGAP_SECRET_PARAMETER"], "WithDecryption": True}
    before = boto3.client("ssm").get_parameter(**parameter)["Parameter"]["Value"]
    assert resources.create() == made
    assert boto3.client("ssm").get_parameter(**parameter)["Parameter"]["Value"] == before


def test_the_timeline_streams_and_control_rows_expire(made: dict[str, str]) -> None:
    client = boto3.client("dynamodb")
    timeline = client.describe_table(TableName="tanggap-timeline")["Table"]
    assert timeline["LatestStreamArn"] == made["TANGGAP_TIMELINE_STREAM"]
    assert timeline["StreamSpecification"]["StreamEnabled"]
    assert timeline["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    expiry = client.describe_time_to_live(TableName="tanggap-control")["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}


@pytest.mark.parametrize("name", ["TANGGAP_MESSAGES_QUEUE", "TANGGAP_PHOTOS_QUEUE"])
def test_a_message_that_fails_five_times_leaves_its_queue(made: dict[str, str], name: str) -> None:
    found = attributes(made[name])
    redrive = json.loads(found["RedrivePolicy"])
    assert int(redrive["maxReceiveCount"]) == 5
    assert redrive["deadLetterTargetArn"] == attributes(f"{made[name]}-dead")["QueueArn"]


def test_the_bucket_is_private_and_tells_of_quarantined_uploads_only(made: dict[str, str]) -> None:
    client, bucket = boto3.client("s3"), made["TANGGAP_BUCKET"]
    closed = client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(closed.values()) == {True}
    (rule,) = client.get_bucket_cors(Bucket=bucket)["CORSRules"]
    assert rule["AllowedMethods"] == ["POST"]
    notice = client.get_bucket_notification_configuration(Bucket=bucket)
    (entry,) = notice["QueueConfigurations"]
    assert entry["QueueArn"] == attributes(made["TANGGAP_PHOTOS_QUEUE"])["QueueArn"]
    (prefix,) = entry["Filter"]["Key"]["FilterRules"]
    assert (prefix["Name"].lower(), prefix["Value"]) == ("prefix", "quarantine/")


def test_a_table_of_an_earlier_version_gets_the_index_that_it_lacks(
    made: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.storage.tables import Figure

    client, keys = boto3.client("dynamodb"), [("pk", "HASH"), ("sk", "RANGE")]
    client.create_table(
        TableName="older",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    try:
        monkeypatch.setattr(Figure.Meta, "table_name", "older")
        resources._indexes(Figure)
        resources._indexes(Figure)
        table = client.describe_table(TableName="older")["Table"]
        assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["score"]
    finally:
        client.delete_table(TableName="older")
