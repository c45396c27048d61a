"""The names of a stage's resources; the code uses the same names (``settings``)."""

import re
from typing import Any

STAGES = ("dev", "prod")
TABLES = ("reports", "timeline", "people", "figures", "city", "control")
QUEUES = ("messages", "photos", "forwards", "webhooks")
FAILURES = "failures"

Doc = dict[str, Any]

# Retained, except after a failed first attempt, which would block the second.
KEPT = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}


def prefix(stage: str) -> str:
    """The prefix of all names of a stage."""
    return f"tanggap-{stage}"


def environment(stage: str) -> dict[str, str]:
    """The settings that follow from the stage alone."""
    name = prefix(stage)
    return {
        "TANGGAP_STAGE": stage,
        "TANGGAP_TABLE_PREFIX": name,
        "TANGGAP_MESSAGES_QUEUE": f"{name}-messages",
        "TANGGAP_PHOTOS_QUEUE": f"{name}-photos",
        "TANGGAP_FORWARDS_QUEUE": f"{name}-forwards",
        "TANGGAP_WEBHOOKS_QUEUE": f"{name}-webhooks",
        "TANGGAP_SECRET_PARAMETER": f"/{name}/signing-keys",
        "TANGGAP_OUTSIDE_PARAMETERS": f"/{name}/outside",
    }


def log_group(stage: str, function: str) -> str:
    """The name of a function's log group."""
    return f"/{prefix(stage)}/{function}"


def logical(name: str) -> str:
    """A name as the id of a resource: ``sweep_clocks`` is ``SweepClocks``."""
    return "".join(part.capitalize() for part in re.split(r"[-_]", name))


def ref(name: str) -> Doc:
    """A parameter's value or a resource's name."""
    return {"Ref": name}


def att(name: str, attribute: str = "Arn") -> Doc:
    """An attribute of a resource."""
    return {"Fn::GetAtt": [name, attribute]}


def sub(text: str) -> Doc:
    """A text with ``${...}`` filled in."""
    return {"Fn::Sub": text}


def arn(service: str, rest: str) -> Doc:
    """The ARN of something of this account and region."""
    return sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}")


def bucket(stage: str) -> Doc:
    """The name of the stage's bucket; bucket names are unique in the world."""
    return sub(f"{prefix(stage)}-files-${{AWS::AccountId}}")


def bucket_arn(stage: str, key: str = "") -> Doc:
    """The ARN of the stage's bucket, or of keys in it."""
    return sub(f"arn:${{AWS::Partition}}:s3:::{prefix(stage)}-files-${{AWS::AccountId}}{key}")
