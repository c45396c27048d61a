"""API Gateway: what it refuses by itself, its throttle, its only stage, its firewall."""

import json
from typing import Any

from chalicelib.errors import Problem
from infra.deploy.names import Doc, prefix, ref, sub

RETRY_SECONDS = 5
RATE_SECONDS = 300
# API Gateway's own.
LARGEST_BODY = 10 * 1024 * 1024


def _refusal(slug: str, *, own_status: bool = False, **members: Any) -> Doc:
    """A refusal by the gateway itself, as a problem document, for the first allowed origin (it can
    name only one). With ``own_status`` the gateway's status stays."""
    problem = Problem(slug, **members)
    document = problem.document()
    headers: Doc = {"Access-Control-Allow-Origin": _first_origin()}
    if "seconds" in members:
        headers["Retry-After"] = f"'{members['seconds']}'"
    status = {} if own_status else {"StatusCode": str(problem.status)}
    if own_status:
        del document["status"]
    return {
        **status,
        "ResponseParameters": {"Headers": headers},
        "ResponseTemplates": {"application/json": json.dumps(document)},
    }


def _first_origin() -> Doc:
    first = {"Fn::Select": [0, {"Fn::Split": [",", ref("AllowOrigin")]}]}
    return {"Fn::Sub": ["'${Origin}'", {"Origin": first}]}


def api(stage: str) -> dict[str, Doc]:
    """The API: its refusals, its throttle, its only stage."""
    responses = {
        "MISSING_AUTHENTICATION_TOKEN": _refusal("not_found"),
        "RESOURCE_NOT_FOUND": _refusal("not_found"),
        "THROTTLED": _refusal("too_many", seconds=RETRY_SECONDS),
        "REQUEST_TOO_LARGE": _refusal("too_large", limit=LARGEST_BODY),
        "UNSUPPORTED_MEDIA_TYPE": _refusal("unsupported_media_type"),
        # Mainly for the rate rule, which unblocks an address within five minutes.
        "WAF_FILTERED": _refusal("too_many", seconds=RATE_SECONDS),
        "INTEGRATION_TIMEOUT": _refusal("unavailable", seconds=RETRY_SECONDS),
        "INTEGRATION_FAILURE": _refusal("unavailable", seconds=RETRY_SECONDS),
        "DEFAULT_4XX": _refusal("malformed", own_status=True),
        "DEFAULT_5XX": _refusal("unavailable", own_status=True, seconds=RETRY_SECONDS),
    }
    settings = {
        "ResourcePath": "/*",
        "HttpMethod": "*",
        "MetricsEnabled": True,
        "ThrottlingRateLimit": ref("RequestsPerSecond"),
        "ThrottlingBurstLimit": ref("RequestsPerSecond"),
    }
    return {
        "RestAPI": {
            "Properties": {
                "GatewayResponses": responses,
                "MethodSettings": [settings],
                # Without it SAM adds a second stage, "Stage", without firewall and throttle.
                "OpenApiVersion": "2.0",
                "Tags": {"project": "tanggap", "stage": stage},
            }
        }
    }


def firewall(stage: str) -> dict[str, Doc]:
    """The firewall of the API's stage."""

    def seen(name: str) -> Doc:
        return {
            "CloudWatchMetricsEnabled": True,
            "SampledRequestsEnabled": False,
            "MetricName": name,
        }

    def managed(priority: int, name: str) -> Doc:
        group = {"VendorName": "AWS", "Name": name}
        return {
            "Name": name,
            "Priority": priority,
            "OverrideAction": {"None": {}},
            "Statement": {"ManagedRuleGroupStatement": group},
            "VisibilityConfig": seen(name),
        }

    rate = {
        "Name": "address-rate",
        "Priority": 0,
        "Action": {"Block": {}},
        "Statement": {
            "RateBasedStatement": {"Limit": ref("RequestsPerAddress"), "AggregateKeyType": "IP"}
        },
        "VisibilityConfig": seen("address-rate"),
    }
    acl = {
        "Name": prefix(stage),
        "Scope": "REGIONAL",
        "DefaultAction": {"Allow": {}},
        "VisibilityConfig": seen("all"),
        "Rules": [
            rate,
            managed(1, "AWSManagedRulesAmazonIpReputationList"),
            managed(2, "AWSManagedRulesKnownBadInputsRuleSet"),
        ],
    }
    stage_arn = sub(
        "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${RestAPI}/stages/${RestAPI.Stage}"
    )
    return {
        "Firewall": {"Type": "AWS::WAFv2::WebACL", "Properties": acl},
        "FirewallOfApi": {
            "Type": "AWS::WAFv2::WebACLAssociation",
            "Properties": {
                "ResourceArn": stage_arn,
                "WebACLArn": {"Fn::GetAtt": ["Firewall", "Arn"]},
            },
        },
    }
