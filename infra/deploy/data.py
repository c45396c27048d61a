"""The data stack: what must outlive every release. Nothing that holds data goes when it goes."""

from typing import Any

from infra.deploy.names import (
    FAILURES,
    QUEUES,
    Doc,
    arn,
    att,
    bucket,
    bucket_arn,
    log_group,
    logical,
    prefix,
    ref,
    sub,
)
from infra.deploy.policies import RIGHTS
from infra.resources import (
    EVIDENCE_DAYS,
    FORWARD_VISIBILITY_SECONDS,
    PHOTO_VISIBILITY_SECONDS,
    QUARANTINE,
    RETENTION_SECONDS,
    VISIBILITY_SECONDS,
)

OLD_VERSIONS_DAYS = 7
# Served by the CDN; everything else of the bucket is private.
SERVED = ("open-data", "web")
_VISIBLE = {
    "messages": VISIBILITY_SECONDS,
    "photos": PHOTO_VISIBILITY_SECONDS,
    "forwards": FORWARD_VISIBILITY_SECONDS,
}
_EXPIRING = ("control", "figures", "people")
# Kept but for a first attempt that failed, which would stand in the way of the second.
_KEPT = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}


def template(stage: str) -> Doc:
    """The CloudFormation template of a stage's data."""
    from chalicelib.storage.tables import MODELS

    resources: dict[str, Doc] = {}
    for name, model in MODELS.items():
        resources[f"{logical(name)}Table"] = _table(stage, name, model)
    for name in QUEUES:
        resources |= _queue(stage, name)
    resources |= _lone_queue(stage, FAILURES, [_schedules(stage)])
    for function in RIGHTS:
        resources |= _logs(stage, function)
    resources |= _bucket(stage) | _artifacts(stage) | _topics(stage) | _distribution(stage)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Tanggap ({stage}): data. Kept when this stack is deleted.",
        "Parameters": {
            "AllowOrigin": {
                "Type": "String",
                "Description": "The one web origin that may upload photos, as https://example.org",
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
                "IndexName": one["index_name"],
                "KeySchema": _cased(one["key_schema"]),
                "Projection": one["projection"],
            }
            for one in indexes
        ]
    if name in _EXPIRING:
        properties["TimeToLiveSpecification"] = {"AttributeName": "ttl", "Enabled": True}
    if name == "timeline":
        properties["StreamSpecification"] = {"StreamViewType": "NEW_IMAGE"}
    return {"Type": "AWS::DynamoDB::Table", **_KEPT, "Properties": properties}


def _cased(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{_CASES.get(key, key): value for key, value in row.items()} for row in rows]


_CASES = {"attribute_name": "AttributeName", "attribute_type": "AttributeType",
          "key_type": "KeyType"}  # fmt: skip


def _logs(stage: str, function: str) -> dict[str, Doc]:
    """Logs outlive the functions: a name that is taken would keep them from being made again."""
    properties = {"LogGroupName": log_group(stage, function), "RetentionInDays": ref("LogDays")}
    made = {"Type": "AWS::Logs::LogGroup", **_KEPT, "Properties": properties}
    return {f"{logical(function)}Logs": made}


def _schedules(stage: str) -> Doc:
    """What lets EventBridge leave there what it could not deliver."""
    return {
        "Sid": "Schedules",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": att(f"{logical(FAILURES)}Queue"),
        "Condition": {"ArnLike": {"aws:SourceArn": arn("events", f"rule/{prefix(stage)}-*")}},
    }


def _lone_queue(stage: str, name: str, may: list[Doc]) -> dict[str, Doc]:
    """A queue that only people take from."""
    full = f"{prefix(stage)}-{name}"
    properties = {
        "QueueName": full,
        "MessageRetentionPeriod": RETENTION_SECONDS,
        "SqsManagedSseEnabled": True,
    }
    made = {"Type": "AWS::SQS::Queue", "Properties": properties}
    return {f"{logical(name)}Queue": made, **_queue_policy(f"{logical(name)}Queue", may)}


def _queue(stage: str, name: str) -> dict[str, Doc]:
    from chalicelib.settings import RECEIVED_AT_MOST

    dead = f"{name}-dead"
    properties = {
        "QueueName": f"{prefix(stage)}-{name}",
        "VisibilityTimeout": _VISIBLE[name],
        "MessageRetentionPeriod": RETENTION_SECONDS,
        "SqsManagedSseEnabled": True,
        "RedrivePolicy": {
            "deadLetterTargetArn": att(f"{logical(dead)}Queue"),
            "maxReceiveCount": RECEIVED_AT_MOST,
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
    made = {"Type": "AWS::SQS::Queue", "Properties": properties}
    own = f"{logical(name)}Queue"
    return {**_lone_queue(stage, dead, []), own: made, **_queue_policy(own, may)}


def _queue_policy(queue: str, may: list[Doc]) -> dict[str, Doc]:
    statements = [*may, _tls_only("sqs:*", att(queue))]
    properties = {"Queues": [ref(queue)], "PolicyDocument": _policy(statements)}
    return {f"{queue}Policy": {"Type": "AWS::SQS::QueuePolicy", "Properties": properties}}


def _tls_only(action: str, resource: Any) -> Doc:
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _policy(statements: list[Doc]) -> Doc:
    return {"Version": "2012-10-17", "Statement": statements}


def _private(name: Any, more: Doc) -> Doc:
    closed = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    return {
        "BucketName": name,
        "PublicAccessBlockConfiguration": dict.fromkeys(closed, True),
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
            ]
        },
        "VersioningConfiguration": {"Status": "Enabled"},
        **more,
    }


def _bucket(stage: str) -> dict[str, Doc]:
    rules: list[Doc] = [
        _rule("quarantine", 1, Prefix=QUARANTINE),
        _rule("evidence", EVIDENCE_DAYS, Prefix="evidence/"),
        _rule("unused", 2, TagFilters=[{"Key": "unused", "Value": "yes"}]),
        {
            "Id": "old-versions",
            "Status": "Enabled",
            # What was deleted or replaced is gone for good after a week, erased people included.
            "NoncurrentVersionExpiration": {"NoncurrentDays": OLD_VERSIONS_DAYS},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        },
    ]
    properties = _private(
        bucket(stage),
        {
            "ObjectLockEnabled": True,
            "LifecycleConfiguration": {"Rules": rules},
            "CorsConfiguration": {
                "CorsRules": [
                    {
                        "AllowedOrigins": [ref("AllowOrigin")],
                        "AllowedMethods": ["POST"],
                        "AllowedHeaders": ["*"],
                        "MaxAge": 3600,
                    }
                ]
            },
            "NotificationConfiguration": {
                "QueueConfigurations": [
                    {
                        "Event": "s3:ObjectCreated:*",
                        "Queue": att("PhotosQueue"),
                        "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": QUARANTINE}]}},
                    }
                ]
            },
        },
    )
    served = {
        "Sid": "Cdn",
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": [bucket_arn(stage, f"/{one}/*") for one in SERVED],
        "Condition": {
            "StringEquals": {
                "AWS:SourceArn": sub(
                    "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}"
                )
            }
        },
    }
    ours = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/" + prefix(stage)
    # Of our functions, that is: whoever restores a copy is somebody else.
    only_photos = {
        "Sid": "OnlyThePhotoFunctionMakesPictures",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": [bucket_arn(stage, f"/{one}/*") for one in ("photos", "masters")],
        "Condition": {
            "ArnLike": {"aws:PrincipalArn": sub(f"{ours}-*")},
            "ArnNotLike": {"aws:PrincipalArn": sub(f"{ours}-ProcessPhotosRole-*")},
        },
    }
    everything = [bucket_arn(stage), bucket_arn(stage, "/*")]
    evidence = {
        "ManagedPolicyName": f"{prefix(stage)}-evidence",
        "Description": "For auditors: originals of photos, where they are kept",
        "PolicyDocument": _policy(
            [{"Effect": "Allow", "Action": "s3:GetObject",
              "Resource": bucket_arn(stage, "/evidence/*")}]
        ),
    }  # fmt: skip
    return {
        "EvidenceReaders": {"Type": "AWS::IAM::ManagedPolicy", "Properties": evidence},
        "Files": {
            "Type": "AWS::S3::Bucket",
            "DependsOn": "PhotosQueuePolicy",
            **_KEPT,
            "Properties": properties,
        },
        "FilesPolicy": _bucket_policy(
            "Files", [served, only_photos, _tls_only("s3:*", everything)]
        ),
    }


def _rule(name: str, days: int, **chosen: Any) -> Doc:
    return {"Id": name, "Status": "Enabled", **chosen, "ExpirationInDays": days}


def _bucket_policy(name: str, statements: list[Doc]) -> Doc:
    properties = {"Bucket": ref(name), "PolicyDocument": _policy(statements)}
    return {"Type": "AWS::S3::BucketPolicy", "Properties": properties}


def _artifacts(stage: str) -> dict[str, Doc]:
    """Where releases lie: the last ones are kept, so that there is something to go back to."""
    rule = {
        "Id": "old-releases",
        "Status": "Enabled",
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    name = sub(f"{prefix(stage)}-artifacts-${{AWS::AccountId}}")
    properties = _private(name, {"LifecycleConfiguration": {"Rules": [rule]}})
    both = [sub("${Artifacts.Arn}"), sub("${Artifacts.Arn}/*")]
    return {
        "Artifacts": {"Type": "AWS::S3::Bucket", **_KEPT, "Properties": properties},
        "ArtifactsPolicy": _bucket_policy("Artifacts", [_tls_only("s3:*", both)]),
    }


def _topics(stage: str) -> dict[str, Doc]:
    account = {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")}
    owner = {"Effect": "Allow", "Principal": account, "Action": "kms:*", "Resource": "*"}
    alarms = {
        "Effect": "Allow",
        "Principal": {"Service": ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
    }
    here = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}
    key = {
        "Description": f"{prefix(stage)}: topics",
        "EnableKeyRotation": True,
        "KeyPolicy": _policy([{"Sid": "Owner", **owner}, {"Sid": "Alarms", **alarms}]),
    }
    found: dict[str, Doc] = {
        "TopicsKey": {"Type": "AWS::KMS::Key", **_KEPT, "Properties": key},
        "TopicsKeyAlias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {
                "AliasName": f"alias/{prefix(stage)}-topics",
                "TargetKeyId": ref("TopicsKey"),
            },
        },
    }
    for name, topic in (("AlertsTopic", "official-alerts"), ("AlarmsTopic", "alarms")):
        properties: Doc = {
            "TopicName": f"{prefix(stage)}-{topic}",
            "KmsMasterKeyId": ref("TopicsKey"),
        }
        statements = [_tls_only("sns:Publish", ref(name))]
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
        found[name] = {"Type": "AWS::SNS::Topic", **_KEPT, "Properties": properties}
        document = {"Topics": [ref(name)], "PolicyDocument": _policy(statements)}
        found[f"{name}Policy"] = {"Type": "AWS::SNS::TopicPolicy", "Properties": document}
    return found


def _distribution(stage: str) -> dict[str, Doc]:
    """The CDN of what anybody may read: open data now, the web front ends later. Photos are not
    among it: their addresses are signed by S3 and lapse (docs/decisions/picture-revisions.md)."""
    control = {
        "Name": f"{prefix(stage)}-files",
        "OriginAccessControlOriginType": "s3",
        "SigningBehavior": "always",
        "SigningProtocol": "sigv4",
    }
    headers = {
        "Name": f"{prefix(stage)}-files",
        "SecurityHeadersConfig": {
            "ContentTypeOptions": {"Override": True},
            "FrameOptions": {"FrameOption": "DENY", "Override": True},
            "ReferrerPolicy": {"ReferrerPolicy": "no-referrer", "Override": True},
            "StrictTransportSecurity": {
                "AccessControlMaxAgeSec": 31_536_000,
                "IncludeSubdomains": True,
                "Override": True,
            },
        },
        "CorsConfig": {
            "AccessControlAllowCredentials": False,
            "AccessControlAllowHeaders": {"Items": ["*"]},
            "AccessControlAllowMethods": {"Items": ["GET", "HEAD"]},
            "AccessControlAllowOrigins": {"Items": ["*"]},
            "OriginOverride": True,
        },
    }
    behaviour = {
        "TargetOriginId": "files",
        "ViewerProtocolPolicy": "redirect-to-https",
        "Compress": True,
        # AWS's own policy "CachingOptimized".
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        "ResponseHeadersPolicyId": ref("FilesHeaders"),
    }
    origin = {"DomainName": att("Files", "RegionalDomainName"), "S3OriginConfig": {},
              "OriginAccessControlId": att("FilesAccess", "Id")}  # fmt: skip
    config = {
        "Enabled": True,
        "Comment": f"{prefix(stage)} files",
        "HttpVersion": "http2and3",
        "IPV6Enabled": True,
        "PriceClass": "PriceClass_200",
        "DefaultRootObject": "index.html",
        "Origins": [
            {"Id": "files", **origin},
            {"Id": "web", **origin, "OriginPath": "/web"},
        ],
        "DefaultCacheBehavior": {**behaviour, "TargetOriginId": "web"},
        "CacheBehaviors": [{**behaviour, "PathPattern": "open-data/*"}],
        "ViewerCertificate": {"CloudFrontDefaultCertificate": True},
    }
    return {
        "FilesAccess": {
            "Type": "AWS::CloudFront::OriginAccessControl",
            "Properties": {"OriginAccessControlConfig": control},
        },
        "FilesHeaders": {
            "Type": "AWS::CloudFront::ResponseHeadersPolicy",
            "Properties": {"ResponseHeadersPolicyConfig": headers},
        },
        "Distribution": {
            "Type": "AWS::CloudFront::Distribution",
            "Properties": {"DistributionConfig": config},
        },
    }
