"""The data stack's queues with their dead letters, and its topics with their key."""

from infra.deploy.names import (
    FAILURES,
    KEPT,
    QUEUES,
    Doc,
    arn,
    att,
    bucket_arn,
    logical,
    prefix,
    ref,
    sub,
)
from infra.deploy.statements import policy, tls_only
from infra.resources import (
    FORWARD_VISIBILITY_SECONDS,
    PHOTO_VISIBILITY_SECONDS,
    RETENTION_SECONDS,
    VISIBILITY_SECONDS,
    WEBHOOK_VISIBILITY_SECONDS,
)

MAIL = "mail-events"
_TOPICS = (("AlertsTopic", "official-alerts"), ("AlarmsTopic", "alarms"), ("MailTopic", MAIL))
_VISIBLE = {
    "messages": VISIBILITY_SECONDS,
    "photos": PHOTO_VISIBILITY_SECONDS,
    "forwards": FORWARD_VISIBILITY_SECONDS,
    "webhooks": WEBHOOK_VISIBILITY_SECONDS,
}


def queues(stage: str) -> dict[str, Doc]:
    """Every queue and its policy."""
    resources = _lone_queue(stage, FAILURES, [_schedules(stage)])
    for name in QUEUES:
        resources |= _queue(stage, name)
    return resources


def _schedules(stage: str) -> Doc:
    """The policy with which EventBridge can store events that it could not deliver."""
    return {
        "Sid": "Schedules",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": att(f"{logical(FAILURES)}Queue"),
        "Condition": {"ArnLike": {"aws:SourceArn": arn("events", f"rule/{prefix(stage)}-*")}},
    }


def _lone_queue(stage: str, name: str, may: list[Doc]) -> dict[str, Doc]:
    """A queue without a consumer; people read it."""
    full = f"{prefix(stage)}-{name}"
    properties = {
        "QueueName": full,
        "MessageRetentionPeriod": RETENTION_SECONDS,
        "SqsManagedSseEnabled": True,
    }
    made = {"Type": "AWS::SQS::Queue", "Properties": properties}
    return {f"{logical(name)}Queue": made, **_queue_policy(f"{logical(name)}Queue", may)}


def _queue(stage: str, name: str) -> dict[str, Doc]:
    from chalicelib.settings import RECEIVED_AT_MOST, WEBHOOK_RECEIVED_AT_MOST

    dead = f"{name}-dead"
    properties = {
        "QueueName": f"{prefix(stage)}-{name}",
        "VisibilityTimeout": _VISIBLE[name],
        "MessageRetentionPeriod": RETENTION_SECONDS,
        "SqsManagedSseEnabled": True,
        "RedrivePolicy": {
            "deadLetterTargetArn": att(f"{logical(dead)}Queue"),
            "maxReceiveCount": WEBHOOK_RECEIVED_AT_MOST if name == "webhooks" else RECEIVED_AT_MOST,
        },
    }
    may = []
    if name == "photos":
        may.append(
            {
                "Sid": "Bucket",
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": att("PhotosQueue"),
                "Condition": {
                    "ArnEquals": {"aws:SourceArn": bucket_arn(stage)},
                    "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
                },
            }
        )
    if name == "messages":
        # SES's notices of bounced e-mails.
        topic = arn("sns", f"{prefix(stage)}-{MAIL}")
        may.append(
            {
                "Sid": "MailEvents",
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": att("MessagesQueue"),
                "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
            }
        )
    made = {"Type": "AWS::SQS::Queue", "Properties": properties}
    own = f"{logical(name)}Queue"
    return {**_lone_queue(stage, dead, []), own: made, **_queue_policy(own, may)}


def _queue_policy(queue: str, may: list[Doc]) -> dict[str, Doc]:
    statements = [*may, tls_only("sqs:*", att(queue))]
    properties = {"Queues": [ref(queue)], "PolicyDocument": policy(statements)}
    return {f"{queue}Policy": {"Type": "AWS::SQS::QueuePolicy", "Properties": properties}}


def topics(stage: str) -> dict[str, Doc]:
    """The officials' topic and the alarms', encrypted by a key of their own."""
    account = {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")}
    owner = {"Effect": "Allow", "Principal": account, "Action": "kms:*", "Resource": "*"}
    alarms = {
        "Effect": "Allow",
        "Principal": {"Service": ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
    }
    here = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}
    mails = {
        "Effect": "Allow",
        "Principal": {"Service": "ses.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}},
    }
    keyed = [{"Sid": "Owner", **owner}, {"Sid": "Alarms", **alarms}, {"Sid": "Mails", **mails}]
    key = {
        "Description": f"{prefix(stage)}: topics",
        "EnableKeyRotation": True,
        "KeyPolicy": policy(keyed),
    }
    resources: dict[str, Doc] = {
        "TopicsKey": {"Type": "AWS::KMS::Key", **KEPT, "Properties": key},
        "TopicsKeyAlias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {
                "AliasName": f"alias/{prefix(stage)}-topics",
                "TargetKeyId": ref("TopicsKey"),
            },
        },
    }
    for name, topic in _TOPICS:
        properties: Doc = {
            "TopicName": f"{prefix(stage)}-{topic}",
            "KmsMasterKeyId": ref("TopicsKey"),
        }
        statements = [tls_only("sns:Publish", ref(name))]
        if topic == "alarms":
            properties["Subscription"] = [{"Protocol": "email", "Endpoint": ref("AlarmEmail")}]
            statements.append(
                {
                    "Sid": "Alarms",
                    "Effect": "Allow",
                    "Principal": alarms["Principal"],
                    "Action": "sns:Publish",
                    "Resource": ref(name),
                    "Condition": here,
                }
            )
        if topic == MAIL:
            properties["Subscription"] = [{"Protocol": "sqs", "Endpoint": att("MessagesQueue")}]
            statements.append(
                {
                    "Sid": "Mails",
                    "Effect": "Allow",
                    "Principal": mails["Principal"],
                    "Action": "sns:Publish",
                    "Resource": ref(name),
                    "Condition": here,
                }
            )
        resources[name] = {"Type": "AWS::SNS::Topic", **KEPT, "Properties": properties}
        document = {"Topics": [ref(name)], "PolicyDocument": policy(statements)}
        resources[f"{name}Policy"] = {"Type": "AWS::SNS::TopicPolicy", "Properties": document}
    return resources
