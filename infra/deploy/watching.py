"""Alarms, each with a page that says what to do, and a dashboard.

An alarm's description names its page under docs/incidents/.
"""

import json
from typing import Any

from infra.deploy.functions import FUNCTIONS
from infra.deploy.names import FAILURES, QUEUES, Doc, arn, logical, prefix, ref

PAGES = {
    "dead_letters": "Messages in a dead-letter queue",
    "function_errors": "A function fails",
    "function_throttles": "A function is throttled",
    "api_errors": "The API answers with errors",
    "api_latency": "The API is slow",
    "stream_behind": "The timeline's stream is behind",
    "clock_stopped": "A schedule has not run",
    "unhandled_errors": "An unexpected exception",
    "items_set_aside": "Items were set aside",
    "webhook_off": "A webhook is off",
}

_ROOT = "docs/incidents"


def alarms(stage: str) -> dict[str, Doc]:
    """Every alarm of the stage."""
    resources: dict[str, Doc] = {}
    for queue in (*(f"{name}-dead" for name in QUEUES), FAILURES):
        resources[f"{logical(queue)}Alarm"] = _alarm(
            stage, f"{queue}-not-empty", "dead_letters",
            _metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum",
                    QueueName=f"{prefix(stage)}-{queue}"), 0,
        )  # fmt: skip
    for function in FUNCTIONS:
        dimension = {"FunctionName": ref(_id(function))}
        for kind, metric, page in (
            ("Errors", "Errors", "function_errors"),
            ("Throttles", "Throttles", "function_throttles"),
        ):
            resources[f"{logical(function)}{kind}Alarm"] = _alarm(
                stage, f"{function}-{kind.lower()}", page,
                _metric("AWS/Lambda", metric, "Sum", **dimension), 0,
            )  # fmt: skip
    for function, declared in FUNCTIONS.items():
        if declared.silent_after is None:
            continue
        period, periods = declared.silent_after
        silent = _metric("AWS/Lambda", "Invocations", "Sum", FunctionName=ref(_id(function)))
        resources[f"{logical(function)}SilentAlarm"] = _alarm(
            stage, f"{function}-silent", "clock_stopped", silent, 1, period=period,
            periods=periods, below=True,
        )  # fmt: skip
    behind = _metric("AWS/Lambda", "IteratorAge", "Maximum", FunctionName=ref("ProjectTimeline"))
    resources["StreamBehindAlarm"] = _alarm(
        stage, "stream-behind", "stream_behind", behind, 300_000, periods=2
    )
    api = {"ApiName": "tanggap"}
    resources["ApiErrorsAlarm"] = _alarm(
        stage, "api-errors", "api_errors", _metric("AWS/ApiGateway", "5XXError", "Sum", **api), 5
    )
    slow = _metric("AWS/ApiGateway", "Latency", "p99", **api)
    resources["ApiLatencyAlarm"] = _alarm(
        stage, "api-latency", "api_latency", slow, 3000, periods=3
    )
    unexpected = _metric("tanggap", "UnhandledErrors", "Sum", service="tanggap")
    resources["UnhandledErrorsAlarm"] = _alarm(
        stage, "unhandled-errors", "unhandled_errors", unexpected, 0
    )
    set_aside = _metric("tanggap", "ItemsSetAside", "Sum", service="tanggap")
    resources["ItemsSetAsideAlarm"] = _alarm(
        stage, "items-set-aside", "items_set_aside", set_aside, 0
    )
    off = _metric("tanggap", "WebhooksOff", "Sum", service="tanggap")
    resources["WebhooksOffAlarm"] = _alarm(stage, "webhooks-off", "webhook_off", off, 0)
    return resources


def _id(function: str) -> str:
    return "APIHandler" if function == "api_handler" else logical(function)


def _metric(namespace: str, name: str, statistic: str, **dimensions: Any) -> Doc:
    extended = statistic.startswith("p")
    return {
        "Namespace": namespace,
        "MetricName": name,
        ("ExtendedStatistic" if extended else "Statistic"): statistic,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }


def _alarm(  # noqa: PLR0913 (the settings of an alarm, half of them with a default)
    stage: str,
    name: str,
    page: str,
    metric: Doc,
    limit: int,
    *,
    period: int = 300,
    periods: int = 1,
    below: bool = False,
) -> Doc:
    topic = [arn("sns", f"{prefix(stage)}-alarms")]
    comparison = "LessThanThreshold" if below else "GreaterThanThreshold"
    properties = {
        "AlarmName": f"{prefix(stage)}-{name}",
        "AlarmDescription": f"{PAGES[page]}: {_ROOT}/{page}.md",
        **metric,
        "Period": period,
        "EvaluationPeriods": periods,
        "Threshold": limit,
        "ComparisonOperator": comparison,
        "TreatMissingData": "breaching" if below else "notBreaching",
        "AlarmActions": topic,
        "OKActions": topic,
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def dashboard(stage: str) -> dict[str, Doc]:
    """One screen: requests, errors, latency, queues, dead letters, activity."""
    name = prefix(stage)
    rows: list[tuple[str, list[list[Any]]]] = [
        ("Requests and errors", [
            ["AWS/ApiGateway", metric, "ApiName", "tanggap", {"stat": "Sum"}]
            for metric in ("Count", "4XXError", "5XXError")
        ]),
        ("Latency, ms", [
            ["AWS/ApiGateway", "Latency", "ApiName", "tanggap", {"stat": statistic}]
            for statistic in ("p50", "p90", "p99")
        ]),
        ("Waiting", [
            ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", f"{name}-{queue}"]
            for queue in QUEUES
        ]),
        ("Dead letters", [
            ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", f"{name}-{queue_name}"]
            for queue_name in (*(f"{queue}-dead" for queue in QUEUES), FAILURES)
        ]),
        ("Functions: errors", [
            ["AWS/Lambda", "Errors", "FunctionName", f"${{{_id(function)}}}", {"stat": "Sum"}]
            for function in FUNCTIONS
        ]),
        ("Functions: longest run, ms", [
            ["AWS/Lambda", "Duration", "FunctionName", f"${{{_id(function)}}}", {"stat": "Maximum"}]
            for function in FUNCTIONS
        ]),
        ("Stream behind, ms", [
            ["AWS/Lambda", "IteratorAge", "FunctionName", "${ProjectTimeline}",
             {"stat": "Maximum"}]
        ]),
        ("Tables: capacity", [
            ["AWS/DynamoDB", kind, "TableName", f"{name}-{table}", {"stat": "Sum"}]
            for table in ("reports", "timeline", "figures", "control")
            for kind in ("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits")
        ]),
    ]  # fmt: skip
    widgets = [
        {
            "type": "metric",
            "x": 12 * (number % 2),
            "y": 6 * (number // 2),
            "width": 12,
            "height": 6,
            "properties": {
                "title": title,
                "metrics": metrics,
                "period": 300,
                "region": "${AWS::Region}",
            },
        }
        for number, (title, metrics) in enumerate(rows)
    ]
    body = {"Fn::Sub": json.dumps({"widgets": widgets}, separators=(",", ":"))}
    properties = {"DashboardName": name, "DashboardBody": body}
    return {"Board": {"Type": "AWS::CloudWatch::Dashboard", "Properties": properties}}


def budget(stage: str) -> Doc:
    """The stack of the budget: an e-mail when a month costs more than planned.

    In a stack of its own, because CloudFormation has budgets only in some regions (us-east-1).
    """

    def at(percent: int, kind: str) -> Doc:
        notification = {
            "NotificationType": kind,
            "ComparisonOperator": "GREATER_THAN",
            "Threshold": percent,
            "ThresholdType": "PERCENTAGE",
        }
        who = [{"SubscriptionType": "EMAIL", "Address": ref("AlarmEmail")}]
        return {"Notification": notification, "Subscribers": who}

    plan = {
        "BudgetName": prefix(stage),
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": ref("MonthlyBudget"), "Unit": "USD"},
    }
    properties = {
        "Budget": plan,
        "NotificationsWithSubscribers": [at(80, "ACTUAL"), at(100, "FORECASTED")],
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Tanggap ({stage}): budget",
        "Parameters": {
            "MonthlyBudget": {
                "Type": "Number",
                "Default": 200,
                "Description": "US dollars a month of which a warning is sent",
            },
            "AlarmEmail": {"Type": "String", "Description": "Who is told"},
        },
        "Resources": {"Budget": {"Type": "AWS::Budgets::Budget", "Properties": properties}},
    }
