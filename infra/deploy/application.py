"""The application stack: one template, merged into the one of ``chalice package``.

Chalice's merge replaces lists and adds to objects: an intrinsic can only be overridden by the same
intrinsic, and nothing can be removed. ``finish`` does the rest.
"""

import json
from typing import Any

from chalicelib.errors import Problem
from infra.deploy import methods, watching
from infra.deploy.functions import FUNCTIONS, LANES
from infra.deploy.names import (
    FAILURES,
    Doc,
    arn,
    bucket,
    environment,
    log_group,
    logical,
    prefix,
    ref,
    sub,
)

API = "APIHandler"
# SAM's id of the alias "live" of the API's function.
_ALIAS = f"{API}Aliaslive"
RETRIES = 2
MAX_AGE_SECONDS = 3600
RETRY_SECONDS = 5
RATE_SECONDS = 300
# API Gateway's own.
LARGEST_BODY = 10 * 1024 * 1024
PARAMETERS: dict[str, tuple[str, str | None]] = {
    "TimelineStream": ("ARN of the timeline's stream: an output of the data stack", None),
    "AlertsTopic": ("ARN of the officials' topic: an output of the data stack", None),
    "Jurisdiction": ("The city when a request names none", "demo"),
    "PublicUrl": ("Base of the links in messages; the deploy command fills in the API's own", ""),
    "TestUrl": ("Base of another deployment for tests that alerts nobody; empty: none", ""),
    "AllowOrigin": ("Web origins that browsers may call the API from, with commas between", None),
    "MailFrom": ("Sender of e-mails; a verified identity of SES", None),
    "Issuers": ("OIDC issuers of officials' tokens, as JSON (docs/operations.md)", "[]"),
    "KeepOriginals": ("Whether originals of photos are kept for 30 days: yes or no", "no"),
    "LockDays": ("For how long published scorecards cannot be changed", "365"),
    "ReserveConcurrency": (
        "Whether each schedule runs alone, which a new account may lack the room for: yes or no",
        "yes",
    ),
    "RequestsPerSecond": ("Requests the API takes a second, over all clients", "200"),
    "RequestsPerAddress": ("Requests that one address may make in five minutes", "1500"),
}
_NUMBERS = ("LockDays", "RequestsPerSecond", "RequestsPerAddress")


def functions() -> list[str]:
    """Every function of the application, the API first."""
    return list(FUNCTIONS)


def resource(function: str) -> str:
    """The id that Chalice gives to a function."""
    return API if function == "api_handler" else logical(function)


def template(stage: str) -> Doc:
    """The template to merge."""
    resources: dict[str, Doc] = {}
    for function in functions():
        resources |= _function(stage, function)
    resources |= _api(stage) | _firewall(stage) | _photo_layer()
    resources |= watching.alarms(stage) | watching.dashboard(stage)
    resources["ProcessPhotos"]["Properties"]["Layers"] = [ref("PhotoLayer")]
    return {
        "Description": f"Tanggap ({stage}): application. Holds no data.",
        "Parameters": {
            name: {
                "Type": "Number" if name in _NUMBERS else "String",
                "Description": about,
                **({} if default is None else {"Default": default}),
            }
            for name, (about, default) in PARAMETERS.items()
        },
        "Conditions": {"Reserves": {"Fn::Equals": [ref("ReserveConcurrency"), "yes"]}},
        "Globals": {"Function": {"Environment": {"Variables": _variables(stage)}}},
        "Resources": resources,
    }


def _variables(stage: str) -> Doc:
    return {
        **environment(stage),
        "TANGGAP_BUCKET": bucket(stage),
        "TANGGAP_ALERTS_TOPIC": ref("AlertsTopic"),
        "TANGGAP_JURISDICTION": ref("Jurisdiction"),
        "TANGGAP_PUBLIC_URL": ref("PublicUrl"),
        "TANGGAP_TEST_URL": ref("TestUrl"),
        "TANGGAP_ALLOW_ORIGIN": ref("AllowOrigin"),
        "TANGGAP_MAIL_FROM": ref("MailFrom"),
        "TANGGAP_KEEP_ORIGINALS": ref("KeepOriginals"),
        "TANGGAP_LOCK_DAYS": ref("LockDays"),
        "TANGGAP_ISSUERS": ref("Issuers"),
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def _function(stage: str, function: str) -> dict[str, Doc]:
    name = resource(function)
    properties: Doc = {
        "LoggingConfig": {"LogGroup": log_group(stage, function), "LogFormat": "JSON"},
        "Tags": {"project": "tanggap", "stage": stage},
    }
    if FUNCTIONS[function].scheduled:
        properties["ReservedConcurrentExecutions"] = {
            "Fn::If": ["Reserves", 1, ref("AWS::NoValue")]
        }
        properties["EventInvokeConfig"] = {
            "MaximumRetryAttempts": RETRIES,
            "MaximumEventAgeInSeconds": MAX_AGE_SECONDS,
            "DestinationConfig": {
                "OnFailure": {"Type": "SQS", "Destination": _queue(stage, FAILURES)}
            },
        }
        properties["Events"] = {f"{name}Event": {"Properties": {
            "DeadLetterConfig": {"Arn": _queue(stage, FAILURES)},
            "RetryPolicy": {"MaximumRetryAttempts": RETRIES,
                            "MaximumEventAgeInSeconds": MAX_AGE_SECONDS},
        }}}  # fmt: skip
    elif function == "project_timeline":
        properties["Events"] = {f"{name}DynamodbEventSource": {"Properties": _stream(stage)}}
    elif FUNCTIONS[function].takes:
        partly = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
        properties["Events"] = {f"{name}SqsEventSource": {"Properties": partly}}
    return {name: {"Properties": properties}}


def _stream(stage: str) -> Doc:
    return {
        "Stream": ref("TimelineStream"),
        "StartingPosition": "TRIM_HORIZON",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": 5,
        "ParallelizationFactor": LANES,
        "MaximumBatchingWindowInSeconds": 1,
        "DestinationConfig": {"OnFailure": {"Destination": _queue(stage, FAILURES)}},
    }


def _queue(stage: str, name: str) -> Doc:
    return arn("sqs", f"{prefix(stage)}-{name}")


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


def _api(stage: str) -> dict[str, Doc]:
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


def _firewall(stage: str) -> dict[str, Doc]:
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


def _photo_layer() -> dict[str, Doc]:
    properties = {
        "ContentUri": "./photos.zip",
        "CompatibleArchitectures": ["arm64", "x86_64"],
        "Description": "Pillow and libheif",
        "RetentionPolicy": "Delete",
    }
    return {"PhotoLayer": {"Type": "AWS::Serverless::LayerVersion", "Properties": properties}}


def finish(packaged: Doc, stage: str) -> Doc:
    """Add what a merge cannot: methods that Chalice does not declare, and (in prod) routes to an
    alias. A release then gets a tenth of the requests first, and is rolled back if an alarm
    goes off."""
    api = packaged["Resources"]["RestAPI"]["Properties"]
    api["DefinitionBody"] = methods.completed(api["DefinitionBody"])
    if stage != "prod":
        return packaged
    properties = packaged["Resources"][API]["Properties"]
    properties["AutoPublishAlias"] = "live"
    properties["DeploymentPreference"] = {
        "Type": "Canary10Percent5Minutes",
        # Not 5XXError: a client can cause a 503 (contention), and must not undo a release.
        "Alarms": [ref("UnhandledErrorsAlarm"), ref("ApiHandlerErrorsAlarm")],
    }
    permission = packaged["Resources"]["APIHandlerInvokePermission"]["Properties"]
    permission["FunctionName"] = ref(_ALIAS)
    api["DefinitionBody"] = _to_alias(api["DefinitionBody"])
    return packaged


def _to_alias(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _to_alias(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_to_alias(one) for one in value]
    return value.replace("${APIHandler.Arn}", f"${{{_ALIAS}}}") if isinstance(value, str) else value
