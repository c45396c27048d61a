"""The data stack. It outlives every release, and its data stay even if it is deleted."""

from typing import Any

from infra.deploy.files import artifacts, distribution, files
from infra.deploy.functions import FUNCTIONS
from infra.deploy.names import KEPT, Doc, att, log_group, logical, prefix, ref, sub
from infra.deploy.queues import queues, topics


def template(stage: str) -> Doc:
    """The CloudFormation template of a stage's data."""
    from chalicelib.storage.tables import MODELS

    resources: dict[str, Doc] = {}
    for name, model in MODELS.items():
        resources[f"{logical(name)}Table"] = _table(stage, name, model)
    for function in FUNCTIONS:
        resources |= _logs(stage, function)
    resources |= queues(stage) | topics(stage)
    resources |= files(stage) | artifacts(stage) | distribution(stage)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Tanggap ({stage}): data. Kept when this stack is deleted.",
        "Parameters": {
            "AllowOrigin": {
                "Type": "String",
                "Description": "Web origins that may upload photos, with commas between: https://example.org",
            },
            "AlarmEmail": {"Type": "String", "Description": "Who is told of alarms"},
            "LogDays": {
                "Type": "Number",
                "Default": 90,
                "Description": "For how long logs are kept",
            },
        },
        "Resources": resources,
        "Outputs": {
            "TimelineStream": {"Value": att("TimelineTable", "StreamArn")},
            "Bucket": {"Value": ref("Files")},
            "Artifacts": {"Value": ref("Artifacts")},
            "AlertsTopic": {"Value": ref("AlertsTopic")},
            "FilesUrl": {"Value": sub("https://${Distribution.DomainName}")},
        },
    }


def _table(stage: str, name: str, model: Any) -> Doc:
    schema = model._get_schema()
    properties: Doc = {
        "TableName": f"{prefix(stage)}-{name}",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": _cased(schema["attribute_definitions"]),
        "KeySchema": _cased(schema["key_schema"]),
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
        "DeletionProtectionEnabled": True,
    }
    if indexes := schema["global_secondary_indexes"]:
        properties["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index["index_name"],
                "KeySchema": _cased(index["key_schema"]),
                "Projection": index["projection"],
            }
            for index in indexes
        ]
    if hasattr(model, "ttl"):
        properties["TimeToLiveSpecification"] = {"AttributeName": "ttl", "Enabled": True}
    if name == "timeline":
        properties["StreamSpecification"] = {"StreamViewType": "NEW_IMAGE"}
    return {"Type": "AWS::DynamoDB::Table", **KEPT, "Properties": properties}


def _cased(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{_CASES.get(key, key): value for key, value in row.items()} for row in rows]


_CASES = {"attribute_name": "AttributeName", "attribute_type": "AttributeType",
          "key_type": "KeyType"}  # fmt: skip


def _logs(stage: str, function: str) -> dict[str, Doc]:
    """The log groups, here because an existing name would block a new application stack."""
    properties = {"LogGroupName": log_group(stage, function), "RetentionInDays": ref("LogDays")}
    made = {"Type": "AWS::Logs::LogGroup", **KEPT, "Properties": properties}
    return {f"{logical(function)}Logs": made}
