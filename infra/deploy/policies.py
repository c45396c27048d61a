"""The policy of each function's role, from its declaration in ``infra.deploy.functions``."""

from typing import Any

from chalicelib.domain.input.contact_methods import METHODS
from infra.deploy.functions import FORGET, FUNCTIONS, Function
from infra.deploy.names import FAILURES, Doc, arn, bucket_arn, prefix, ref

READ = ("GetItem", "BatchGetItem", "Query", "ConditionCheckItem")
WRITE = (*READ, "PutItem", "UpdateItem", "DeleteItem")
# An event is never changed or deleted.
APPEND = (*READ, "PutItem")
BULK = (*WRITE, "BatchWriteItem")
_ACTIONS = {"read": READ, "write": WRITE, "append": APPEND, "bulk": BULK}


def policy(stage: str, function: str, log_group: str) -> Doc:
    """The policy of a function's role."""
    chosen = FUNCTIONS[function]
    statements = [
        _may("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"],
             arn("logs", f"log-group:{log_group}:*")),
        *(_table(stage, name, kind) for name, kind in chosen.tables.items()),
        *_files(stage, chosen),
    ]  # fmt: skip
    if chosen.tables.get("timeline"):
        changes = ["dynamodb:UpdateItem", "dynamodb:DeleteItem"]
        timeline = arn("dynamodb", f"table/{prefix(stage)}-timeline")
        statements.append({**_may("NeverChanged", changes, timeline), "Effect": "Deny"})
    queues = [arn("sqs", f"{prefix(stage)}-{name}") for name in chosen.sends]
    if queues:
        statements.append(_may("Sends", ["sqs:SendMessage", "sqs:GetQueueUrl"], queues))
    failures = arn("sqs", f"{prefix(stage)}-{FAILURES}")
    if chosen.scheduled or function == "project_timeline":
        statements.append(_may("Failures", ["sqs:SendMessage"], failures))
    if chosen.takes:
        actions = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl",
                   "ChangeMessageVisibility")  # fmt: skip
        queue = arn("sqs", f"{prefix(stage)}-{chosen.takes}")
        statements.append(_may("Takes", [f"sqs:{action}" for action in actions], queue))
    if function == "project_timeline":
        stream = ("DescribeStream", "GetRecords", "GetShardIterator")
        reads = [f"dynamodb:{action}" for action in stream]
        statements.append(_may("Stream", reads, ref("TimelineStream")))
        # AWS accepts no narrower resource for it.
        statements.append(_may("Streams", ["dynamodb:ListStreams"], "*"))
    if chosen.publishes:
        key = {"StringEquals": {"kms:ViaService": _via("sns")}}
        statements.append(_may("Publishes", ["sns:Publish"], ref("AlertsTopic")))
        keys = _may("Topics", ["kms:Decrypt", "kms:GenerateDataKey"], arn("kms", "key/*"))
        statements.append({**keys, "Condition": key})
    if chosen.signs:
        parameter = arn("ssm", f"parameter/{prefix(stage)}/signing-keys")
        statements.append(_may("Signs", ["ssm:GetParameter"], parameter))
    services = {method.service for method in METHODS.values()} if chosen.delivers else set[str]()
    if chosen.outside or "outside" in services:
        parameters = arn("ssm", f"parameter/{prefix(stage)}/outside/*")
        statements.append(_may("Outside", ["ssm:GetParameter"], parameters))
    if "ses" in services:
        statements.append(_may("Mails", ["ses:SendEmail"], arn("ses", "identity/*")))
    if "sns" in services:
        # A phone number is not a resource, so AWS accepts only "*" here. Topics are excluded:
        # other functions publish to them.
        sms = {"Effect": "Allow", "Sid": "Texts", "Action": ["sns:Publish"],
               "NotResource": [arn("sns", "*")]}  # fmt: skip
        statements.append(sms)
    return {"Version": "2012-10-17", "Statement": statements}


def _via(service: str) -> Doc:
    return {"Fn::Sub": f"{service}.${{AWS::Region}}.amazonaws.com"}


def _may(name: str, actions: list[str], resource: Any) -> Doc:
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resource}


def _table(stage: str, name: str, kind: str) -> Doc:
    table = f"table/{prefix(stage)}-{name}"
    resources = [arn("dynamodb", table)]
    if name in ("reports", "figures"):
        resources.append(arn("dynamodb", f"{table}/index/*"))
    actions = [f"dynamodb:{action}" for action in _ACTIONS[kind]]
    return _may(name.capitalize(), actions, resources)


def _files(stage: str, chosen: Function) -> list[Doc]:
    by_actions: dict[tuple[str, ...], list[str]] = {}
    for folder, actions in chosen.files.items():
        by_actions.setdefault(actions, []).append(folder)
    statements = [
        _may(
            "Files" + "".join(folders).title().replace("-", ""),
            [f"s3:{action}" for action in actions],
            [bucket_arn(stage, f"/{folder}/*") for folder in folders],
        )
        for actions, folders in by_actions.items()
    ]
    if chosen.files:
        # Without it S3 answers 403 instead of 404 for a missing object.
        listed = ["s3:ListBucket"]
        if any(FORGET in actions for actions in chosen.files.values()):
            listed.append("s3:ListBucketVersions")
        statements.append(_may("Listed", listed, bucket_arn(stage)))
    return statements
