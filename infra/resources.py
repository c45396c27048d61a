"""Makes the AWS resources that the code needs, without CloudFormation: locally and in tests.

``create()`` takes the names from ``chalicelib.settings``, makes missing resources, does not change
existing ones, and returns the ``TANGGAP_*`` variables by which the code finds them. It uses the AWS
endpoint of the environment: the local stack's emulator, or moto.
"""

import base64
import json
import secrets
from collections.abc import Sequence
from typing import Any

import boto3
from botocore.exceptions import ClientError
from pynamodb.models import Model

from chalicelib.settings import RECEIVED_AT_MOST, WEBHOOK_RECEIVED_AT_MOST, settings
from chalicelib.storage.files import UNUSED

# A message must stay hidden for longer than its function may run (six times, AWS advises).
VISIBILITY_SECONDS = 150
PHOTO_VISIBILITY_SECONDS = 360
FORWARD_VISIBILITY_SECONDS = 360
WEBHOOK_VISIBILITY_SECONDS = 180
RETENTION_SECONDS = 14 * 86_400
EVIDENCE_DAYS = 30
QUARANTINE = "quarantine/"


def create() -> dict[str, str]:
    """Make the tables, the bucket, the topic, the queues and the signing keys that are missing."""
    from chalicelib.storage.tables import MODELS

    return create_with(MODELS)


def create_with(models: dict[str, type[Model]]) -> dict[str, str]:
    """``create`` for these models; "timeline" gets a stream and "control" its expiry."""
    chosen = settings()
    for name, model in models.items():
        _table(name, model)
    messages = _queue(chosen.messages_queue, VISIBILITY_SECONDS)
    photos = _queue(chosen.photos_queue, PHOTO_VISIBILITY_SECONDS, written_by_bucket=chosen.bucket)
    forwards = _queue(chosen.forwards_queue, FORWARD_VISIBILITY_SECONDS)
    webhooks = _queue(
        chosen.webhooks_queue, WEBHOOK_VISIBILITY_SECONDS, received=WEBHOOK_RECEIVED_AT_MOST
    )
    _bucket(chosen.bucket, chosen.allow_origins, photos)
    topic = boto3.client("sns").create_topic(Name=chosen.alerts_topic.rsplit(":", 1)[-1])
    signing_keys(chosen.secret_parameter)
    boto3.client("ses").verify_email_identity(EmailAddress=chosen.mail_from)
    variables = {
        "TANGGAP_TABLE_PREFIX": chosen.table_prefix,
        "TANGGAP_BUCKET": chosen.bucket,
        "TANGGAP_ALERTS_TOPIC": str(topic["TopicArn"]),
        "TANGGAP_MESSAGES_QUEUE": messages.rsplit(":", 1)[-1],
        "TANGGAP_PHOTOS_QUEUE": photos.rsplit(":", 1)[-1],
        "TANGGAP_FORWARDS_QUEUE": forwards.rsplit(":", 1)[-1],
        "TANGGAP_WEBHOOKS_QUEUE": webhooks.rsplit(":", 1)[-1],
        "TANGGAP_OUTSIDE_PARAMETERS": chosen.outside_parameters,
        "TANGGAP_SECRET_PARAMETER": chosen.secret_parameter,
        "TANGGAP_MAIL_FROM": chosen.mail_from,
    }
    if "timeline" in models:
        variables["TANGGAP_TIMELINE_STREAM"] = stream_arn(chosen.table("timeline"))
    return variables


def stream_arn(table: str) -> str:
    """The ARN of the stream of ``table``; the stream is switched on if necessary."""
    client = boto3.client("dynamodb")
    arn = client.describe_table(TableName=table)["Table"].get("LatestStreamArn")
    if not arn:
        wanted = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
        answer = client.update_table(TableName=table, StreamSpecification=wanted)
        arn = answer["TableDescription"]["LatestStreamArn"]
    return str(arn)


def _table(name: str, model: type[Model]) -> None:
    if not model.exists():
        model.create_table(wait=True, billing_mode="PAY_PER_REQUEST")
    else:
        _indexes(model)
    if hasattr(model, "ttl"):
        client, table = boto3.client("dynamodb"), model.Meta.table_name
        held = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        if held["TimeToLiveStatus"] == "DISABLED":
            wanted = {"Enabled": True, "AttributeName": "ttl"}
            client.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)


def _indexes(model: type[Model]) -> None:
    """Add the indexes that a table of an earlier version lacks; DynamoDB fills them."""
    client, table = boto3.client("dynamodb"), model.Meta.table_name
    there = client.describe_table(TableName=table)["Table"].get("GlobalSecondaryIndexes", [])
    known = {index["IndexName"] for index in there}
    for index in model._get_schema()["global_secondary_indexes"]:
        if index["index_name"] not in known:
            made = {
                "IndexName": index["index_name"],
                "KeySchema": index["key_schema"],
                "Projection": index["projection"],
            }
            client.update_table(
                TableName=table,
                AttributeDefinitions=index["attribute_definitions"],
                GlobalSecondaryIndexUpdates=[{"Create": made}],
            )


def _queue(
    name: str,
    seconds: int,
    written_by_bucket: str | None = None,
    received: int = RECEIVED_AT_MOST,
) -> str:
    client = boto3.client("sqs")
    kept = str(RETENTION_SECONDS)
    dead = _queue_arn(client, f"{name}-dead", {"MessageRetentionPeriod": kept})
    redrive = {"deadLetterTargetArn": dead, "maxReceiveCount": received}
    attributes = {
        "VisibilityTimeout": str(seconds),
        "MessageRetentionPeriod": kept,
        "RedrivePolicy": json.dumps(redrive),
    }
    if written_by_bucket:
        attributes["Policy"] = json.dumps(_bucket_may_send(written_by_bucket))
    return _queue_arn(client, name, attributes)


def _queue_arn(client: Any, name: str, attributes: dict[str, str]) -> str:
    try:
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
    except client.exceptions.QueueDoesNotExist:
        url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    queue_attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(queue_attributes["Attributes"]["QueueArn"])


def _bucket_may_send(bucket: str) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _bucket(name: str, allow_origins: Sequence[str], photos: str) -> None:
    client = boto3.client("s3")
    try:
        client.head_bucket(Bucket=name)
    except ClientError as missing:
        if missing.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
        client.create_bucket(Bucket=name)
        closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy")
        client.put_public_access_block(
            Bucket=name,
            PublicAccessBlockConfiguration=dict.fromkeys((*closed, "RestrictPublicBuckets"), True),
        )
    uploads = {
        "AllowedOrigins": list(allow_origins),
        "AllowedMethods": ["POST"],
        "AllowedHeaders": ["*"],
        "MaxAgeSeconds": 3600,
    }
    client.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [uploads]})
    client.put_bucket_lifecycle_configuration(
        Bucket=name, LifecycleConfiguration={"Rules": _lifecycle()}
    )
    held = client.get_bucket_notification_configuration(Bucket=name)
    if photos not in [entry["QueueArn"] for entry in held.get("QueueConfigurations", [])]:
        only = {"Key": {"FilterRules": [{"Name": "prefix", "Value": QUARANTINE}]}}
        entry = {"QueueArn": photos, "Events": ["s3:ObjectCreated:*"], "Filter": only}
        client.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"QueueConfigurations": [entry]}
        )


def _lifecycle() -> list[dict[str, Any]]:
    """Expiry: uploads after a day, originals after a month, unused pictures."""
    chosen: dict[str, tuple[dict[str, Any], int]] = {
        "quarantine": ({"Prefix": QUARANTINE}, 1),
        "evidence": ({"Prefix": "evidence/"}, EVIDENCE_DAYS),
        "unused": ({"Tag": {"Key": UNUSED, "Value": "yes"}}, 2),
    }
    return [
        {"ID": name, "Status": "Enabled", "Filter": only, "Expiration": {"Days": days}}
        for name, (only, days) in chosen.items()
    ]


def signing_keys(parameter: str) -> bool:
    """Make the signing keys if there are none. Returns whether it made them."""
    client = boto3.client("ssm")
    key = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
    value = json.dumps({"current": "k1", "keys": {"k1": key}})
    try:
        client.put_parameter(Name=parameter, Value=value, Type="SecureString", Overwrite=False)
    except client.exceptions.ParameterAlreadyExists:
        return False
    return True
