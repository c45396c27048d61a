"""The application stack: one template, merged into the one of ``chalice package``.

Chalice's merge replaces lists and adds to objects: an intrinsic can only be overridden by the same
intrinsic, and nothing can be removed. ``finish`` does the rest.
"""

from typing import Any

from infra.deploy import gateway, methods, runtime, watching
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
)

API = "APIHandler"
# SAM's id of the alias "live" of the API's function.
_ALIAS = f"{API}Aliaslive"
RETRIES = 2
MAX_AGE_SECONDS = 3600
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
    resources |= gateway.api(stage) | gateway.firewall(stage) | _photo_layer()
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
        partly: Doc = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
        if FUNCTIONS[function].at_once:
            partly["ScalingConfig"] = {"MaximumConcurrency": FUNCTIONS[function].at_once}
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


def _photo_layer() -> dict[str, Doc]:
    properties = {
        "ContentUri": "./photos.zip",
        "CompatibleArchitectures": ["arm64", "x86_64"],
        "CompatibleRuntimes": [runtime.NAME],
        "Description": "Pillow and libheif",
        "RetentionPolicy": "Delete",
    }
    return {"PhotoLayer": {"Type": "AWS::Serverless::LayerVersion", "Properties": properties}}


def finish(packaged: Doc, stage: str) -> Doc:
    """Add what a merge cannot: methods that Chalice does not declare, and (in prod) routes to an
    alias. A release then gets a tenth of the requests first, and is rolled back if an alarm
    goes off."""
    for resource in packaged["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # Chalice states the Python that packs.
            resource["Properties"]["Runtime"] = runtime.NAME
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
        return {key: _to_alias(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_alias(item) for item in value]
    return value.replace("${APIHandler.Arn}", f"${{{_ALIAS}}}") if isinstance(value, str) else value
