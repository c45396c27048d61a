"""The data stack's buckets, the rights to read them, and the CDN for public files."""

from typing import Any

from infra.deploy.names import KEPT, Doc, att, bucket, bucket_arn, prefix, ref, sub
from infra.deploy.statements import policy, tls_only
from infra.resources import EVIDENCE_DAYS, QUARANTINE

OLD_VERSIONS_DAYS = 7
# Served by the CDN; everything else of the bucket is private.
SERVED = ("open-data", "web")


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


def files(stage: str) -> dict[str, Doc]:
    """The one bucket of the city's files."""
    rules: list[Doc] = [
        _rule("quarantine", 1, Prefix=QUARANTINE),
        _rule("evidence", EVIDENCE_DAYS, Prefix="evidence/"),
        _rule("unused", 2, TagFilters=[{"Key": "unused", "Value": "yes"}]),
        {
            "Id": "old-versions",
            "Status": "Enabled",
            # Deleted and replaced versions, also of erased people, are removed after a week.
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
                        "AllowedOrigins": {"Fn::Split": [",", ref("AllowOrigin")]},
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
        "Resource": [bucket_arn(stage, f"/{prefix}/*") for prefix in SERVED],
        "Condition": {
            "StringEquals": {
                "AWS:SourceArn": sub(
                    "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}"
                )
            }
        },
    }
    ours = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/" + prefix(stage)
    # Applies to our functions only: an administrator restores copies.
    only_photos = {
        "Sid": "OnlyThePhotoFunctionMakesPictures",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": [bucket_arn(stage, f"/{prefix}/*") for prefix in ("photos", "masters")],
        "Condition": {
            "ArnLike": {"aws:PrincipalArn": sub(f"{ours}-*")},
            "ArnNotLike": {"aws:PrincipalArn": sub(f"{ours}-ProcessPhotosRole-*")},
        },
    }
    only_rows = {
        "Sid": "OnlyOneFunctionReplacesWhatIsLocked",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:BypassGovernanceRetention",
        "Resource": [bucket_arn(stage, "/*")],
        "Condition": {
            "ArnLike": {"aws:PrincipalArn": sub(f"{ours}-*")},
            "ArnNotLike": {"aws:PrincipalArn": sub(f"{ours}-HideRowsRole-*")},
        },
    }
    everything = [bucket_arn(stage), bucket_arn(stage, "/*")]
    evidence = {
        "ManagedPolicyName": f"{prefix(stage)}-evidence",
        "Description": "For auditors: originals of photos, where they are kept",
        "PolicyDocument": policy(
            [{"Effect": "Allow", "Action": "s3:GetObject",
              "Resource": bucket_arn(stage, "/evidence/*")}]
        ),
    }  # fmt: skip
    return {
        "EvidenceReaders": {"Type": "AWS::IAM::ManagedPolicy", "Properties": evidence},
        "Files": {
            "Type": "AWS::S3::Bucket",
            "DependsOn": "PhotosQueuePolicy",
            **KEPT,
            "Properties": properties,
        },
        "FilesPolicy": _bucket_policy(
            "Files", [served, only_photos, only_rows, tls_only("s3:*", everything)]
        ),
    }


def _rule(name: str, days: int, **chosen: Any) -> Doc:
    return {"Id": name, "Status": "Enabled", **chosen, "ExpirationInDays": days}


def _bucket_policy(name: str, statements: list[Doc]) -> Doc:
    properties = {"Bucket": ref(name), "PolicyDocument": policy(statements)}
    return {"Type": "AWS::S3::BucketPolicy", "Properties": properties}


def artifacts(stage: str) -> dict[str, Doc]:
    """The bucket of releases; the last ones are kept for a rollback."""
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
        "Artifacts": {"Type": "AWS::S3::Bucket", **KEPT, "Properties": properties},
        "ArtifactsPolicy": _bucket_policy("Artifacts", [tls_only("s3:*", both)]),
    }


def distribution(stage: str) -> dict[str, Doc]:
    """The CDN of public files: open data, later the web front ends. Not photos: S3 signs their
    addresses, which expire (docs/decisions/picture-revisions.md)."""
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
