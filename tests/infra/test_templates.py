"""What is deployed, according to the packaged templates."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import kinds
from infra.deploy import stacks, watching
from infra.deploy.application import functions, resource
from infra.deploy.functions import FUNCTIONS
from infra.deploy.names import QUEUES, TABLES, Doc, log_group
from infra.deploy.package import Packaged
from tests.infra import packed
from tests.infra.packed import of_type

ROOT = Path(__file__).parents[2]
QUEUE_FUNCTIONS = {name: one.takes for name, one in FUNCTIONS.items() if one.takes}
SCHEDULED = [name for name, declared in FUNCTIONS.items() if declared.scheduled]


# Packing takes a quarter of a minute, and the stages differ in little: one is left to `make check`.
STAGES = ["prod", pytest.param("dev", marks=pytest.mark.long)]


@pytest.fixture(scope="module", params=STAGES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    """Each stage, packed."""
    return packed.packed(tmp_path_factory, request.param)


@pytest.fixture(scope="module")
def app(made: Packaged) -> Doc:
    """The application stack."""
    return packed.application(made)


@pytest.fixture(scope="module")
def data(made: Packaged) -> Doc:
    """The data stack."""
    return packed.data(made)


def texts(value: Any) -> list[str]:
    """Every text within a value."""
    if isinstance(value, dict):
        return [one for part in value.values() for one in texts(part)]
    if isinstance(value, list):
        return [one for part in value for one in texts(part)]
    return [value] if isinstance(value, str) else []


def statements(template: Doc) -> list[tuple[str, Doc]]:
    """(role, statement) of every policy of a role."""
    return [
        (name, statement)
        for name, role in of_type(template, "IAM::Role").items()
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def test_every_handler_is_an_entry_point_of_app(app: Doc) -> None:
    found = of_type(app, "Serverless::Function")
    assert {name: one["Handler"] for name, one in found.items()} == {
        resource(name): "app.app" if name == "api_handler" else f"app.{name}"
        for name in functions()
    }
    assert {str(one["Architectures"]) for one in found.values()} == {"['arm64']"}


def test_resources_are_counted_exactly(app: Doc, data: Doc, made: Packaged) -> None:
    def counted(template: Doc) -> dict[str, int]:
        kinds = [one["Type"].removeprefix("AWS::") for one in template["Resources"].values()]
        return {kind: kinds.count(kind) for kind in sorted(set(kinds))}

    assert counted(data) == {
        "CloudFront::Distribution": 1, "CloudFront::OriginAccessControl": 1,
        "CloudFront::ResponseHeadersPolicy": 1, "DynamoDB::Table": 6, "IAM::ManagedPolicy": 1,
        "KMS::Alias": 1, "KMS::Key": 1, "Logs::LogGroup": len(FUNCTIONS), "S3::Bucket": 2,
        "S3::BucketPolicy": 2, "SNS::Topic": 3, "SNS::TopicPolicy": 3, "SQS::Queue": 9,
        "SQS::QueuePolicy": 9,
    }  # fmt: skip
    schedules = [declared for declared in FUNCTIONS.values() if declared.scheduled]
    # Two of each function, one of each schedule and queue; of what failed, the stream, the API
    # (two), faults, items set aside, and webhooks that are off.
    alarms = 2 * len(FUNCTIONS) + len(schedules) + len(QUEUES) + 7
    assert counted(app) == {
        "CloudWatch::Alarm": alarms, "CloudWatch::Dashboard": 1, "IAM::Role": len(FUNCTIONS),
        "Lambda::Permission": 1, "Serverless::Api": 1,
        "Serverless::Function": len(FUNCTIONS), "Serverless::LayerVersion": 1, "WAFv2::WebACL": 1,
        "WAFv2::WebACLAssociation": 1,
    }  # fmt: skip
    budget = json.loads(made.budget.read_text())
    assert [one["Type"] for one in budget["Resources"].values()] == ["AWS::Budgets::Budget"]


def test_the_application_stack_holds_no_data(app: Doc) -> None:
    kinds = {one["Type"] for one in app["Resources"].values()}
    assert not kinds & {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue"}


def test_resources_with_data_are_retained_encrypted_and_restorable(data: Doc) -> None:
    tables = of_type(data, "DynamoDB::Table")
    assert {one["TableName"].rpartition("-")[2] for one in tables.values()} == set(TABLES)
    for name, one in tables.items():
        assert data["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert data["Resources"][name]["UpdateReplacePolicy"] == "Retain"
        assert one["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert one["DeletionProtectionEnabled"]
        assert one["SSESpecification"]["SSEEnabled"]
        assert one["BillingMode"] == "PAY_PER_REQUEST"
    expiring = {name for name, one in tables.items() if "TimeToLiveSpecification" in one}
    assert expiring == {"ControlTable", "FiguresTable", "PeopleTable", "ReportsTable"}
    assert tables["TimelineTable"]["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    for name in of_type(data, "S3::Bucket"):
        assert data["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_buckets_are_private_encrypted_and_accept_only_tls(data: Doc) -> None:
    for name, bucket in of_type(data, "S3::Bucket").items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert len(bucket["PublicAccessBlockConfiguration"]) == 4
        assert bucket["BucketEncryption"]
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        policy = data["Resources"][f"{name}Policy"]["Properties"]["PolicyDocument"]["Statement"]
        (tls,) = [one for one in policy if one["Sid"] == "TlsOnly"]
        assert (tls["Effect"], tls["Action"]) == ("Deny", "s3:*")
        assert len(tls["Resource"]) == 2
        for one in policy:
            if one["Effect"] == "Allow":
                assert one["Principal"] == {"Service": "cloudfront.amazonaws.com"}
                assert {text.rpartition("}")[2] for text in texts(one["Resource"])} == {
                    "/open-data/*", "/web/*",
                }  # fmt: skip
    files = of_type(data, "S3::Bucket")["Files"]
    assert files["ObjectLockEnabled"]
    rules = {one["Id"]: one for one in files["LifecycleConfiguration"]["Rules"]}
    assert rules["quarantine"]["ExpirationInDays"] == 1
    assert rules["evidence"]["ExpirationInDays"] == 30


def test_only_the_photo_function_writes_pictures(app: Doc, data: Doc, made: Packaged) -> None:
    policy = data["Resources"]["FilesPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (only,) = [one for one in policy if one["Sid"].startswith("OnlyThePhoto")]
    assert (only["Effect"], only["Action"]) == ("Deny", "s3:PutObject")
    excepted = only["Condition"]["ArnNotLike"]["aws:PrincipalArn"]["Fn::Sub"]
    role = "ProcessPhotosRole"
    assert excepted.endswith(f"role/tanggap-{made.stage}-{role}-*")
    assert role in app["Resources"]
    writes = {
        name
        for name, one in statements(app)
        if "s3:PutObject" in one["Action"] and "/photos/*" in str(one["Resource"])
    }
    assert writes == {role}


def test_only_auditors_read_originals(app: Doc, data: Doc) -> None:
    reads = [
        name
        for name, one in statements(app)
        if "s3:GetObject" in one["Action"] and "/evidence/" in str(one["Resource"])
    ]
    assert reads == []
    (policy,) = of_type(data, "IAM::ManagedPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "s3:GetObject"
    assert statement["Resource"]["Fn::Sub"].endswith("/evidence/*")


def test_queues_and_topics_are_encrypted_and_accept_only_tls(data: Doc) -> None:
    policies = list(of_type(data, "SQS::QueuePolicy").values())
    for name, queue in of_type(data, "SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"]
        assert queue["MessageRetentionPeriod"] == 14 * 86_400
        (own,) = [one for one in policies if one["Queues"] == [{"Ref": name}]]
        assert "TlsOnly" in [one["Sid"] for one in own["PolicyDocument"]["Statement"]]
    for topic in of_type(data, "SNS::Topic").values():
        assert topic["KmsMasterKeyId"] == {"Ref": "TopicsKey"}


def test_every_asynchronous_path_has_a_dead_letter_and_an_alarm(app: Doc, data: Doc) -> None:
    queues = of_type(data, "SQS::Queue")
    dead = set()
    for name in QUEUES:
        queue = queues[f"{name.capitalize()}Queue"]
        target = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        dead.add(queues[target]["QueueName"])
    found = of_type(app, "Serverless::Function")
    failures = {queues["FailuresQueue"]["QueueName"]}
    for name in SCHEDULED:
        function = found[resource(name)]
        kept = function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]
        (event,) = function["Events"].values()
        for target in (kept, event["Properties"]["DeadLetterConfig"]["Arn"]):
            assert target["Fn::Sub"].rpartition(":")[2] in failures
    (stream,) = found["ProjectTimeline"]["Events"].values()
    target = stream["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]
    assert target["Fn::Sub"].rpartition(":")[2] in failures
    assert stream["Properties"]["BisectBatchOnFunctionError"]
    policy = data["Resources"]["FailuresQueuePolicy"]["Properties"]["PolicyDocument"]
    senders = [one["Principal"] for one in policy["Statement"] if one["Effect"] == "Allow"]
    assert senders == [{"Service": "events.amazonaws.com"}]
    watched = {
        dimension["Value"]
        for alarm in of_type(app, "CloudWatch::Alarm").values()
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        for dimension in alarm["Dimensions"]
    }
    assert watched == dead | failures


def test_queues_hide_a_message_for_six_times_the_functions_limit(app: Doc, data: Doc) -> None:
    queues = of_type(data, "SQS::Queue")
    for name, queue in QUEUE_FUNCTIONS.items():
        function = of_type(app, "Serverless::Function")[resource(name)]
        hidden = queues[f"{queue.capitalize()}Queue"]["VisibilityTimeout"]
        assert hidden >= 6 * function["Timeout"]


def test_batches_fail_record_by_record(app: Doc) -> None:
    found = of_type(app, "Serverless::Function")
    for name in (*QUEUE_FUNCTIONS, "project_timeline"):
        (event,) = found[resource(name)]["Events"].values()
        assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_every_function_has_a_role_and_a_log_group_of_its_own(
    app: Doc, data: Doc, made: Packaged
) -> None:
    found, groups = of_type(app, "Serverless::Function"), of_type(data, "Logs::LogGroup")
    named = {one["LogGroupName"] for one in groups.values()}
    roles = [str(one["Role"]) for one in found.values()]
    assert len(set(roles)) == len(roles) == len(functions())
    for name in functions():
        logs = found[resource(name)]["LoggingConfig"]["LogGroup"]
        assert logs == log_group(made.stage, name)
        assert logs in named
    assert all(one["RetentionInDays"] == {"Ref": "LogDays"} for one in groups.values())


def test_no_right_is_wider_than_aws_requires(app: Doc) -> None:
    """ListStreams and text messages have no narrower resource."""
    wide = []
    for role, statement in statements(app):
        actions = statement["Action"]
        assert all("*" not in one for one in actions), (role, actions)
        if statement.get("Resource") == "*" or "NotResource" in statement:
            wide.append((role, actions))
    assert sorted(wide) == [
        ("ProjectTimelineRole", ["dynamodb:ListStreams"]),
        ("SendMessagesRole", ["sns:Publish"]),
    ]


def test_no_function_may_change_or_delete_an_event(app: Doc) -> None:
    for role, statement in statements(app):
        if statement["Effect"] == "Allow" and "timeline" in str(statement.get("Resource")):
            forbidden = {"dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"}
            assert not forbidden & set(statement["Action"]), role


def test_only_functions_that_need_them_read_contacts(app: Doc) -> None:
    reads = {
        role
        for role, statement in statements(app)
        if "dynamodb:GetItem" in statement["Action"] and "-people" in str(statement["Resource"])
    }
    assert "ProjectTimelineRole" not in reads
    assert "RelayOutboxRole" not in reads
    mails = {role for role, one in statements(app) if "ses:SendEmail" in one["Action"]}
    assert mails == {"SendMessagesRole"}


def test_every_alarm_tells_somebody_and_has_a_page(app: Doc) -> None:
    for name, alarm in of_type(app, "CloudWatch::Alarm").items():
        assert alarm["AlarmActions"], name
        page = re.search(r"docs/incidents/\w+\.md", alarm["AlarmDescription"])
        assert page, name
        text = (ROOT / page[0]).read_text()
        for part in ("## What it means", "## What to do", "## When it is over"):
            assert part in text, (name, part)
    pages = {path.stem for path in (ROOT / "docs" / "incidents").glob("*.md")}
    assert pages == set(watching.PAGES)


def test_functions_are_watched_for_errors_throttles_and_silence(app: Doc) -> None:
    alarms = of_type(app, "CloudWatch::Alarm")
    for name in functions():
        metrics = {
            one["MetricName"]
            for one in alarms.values()
            if one["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": resource(name)}}]
        }
        assert metrics >= {"Errors", "Throttles"}, name
        assert ("Invocations" in metrics) == (name in SCHEDULED), name


def test_routes_that_do_not_exist_are_404_with_cors(app: Doc) -> None:
    api = of_type(app, "Serverless::Api")["RestAPI"]
    responses = api["GatewayResponses"]
    assert responses["MISSING_AUTHENTICATION_TOKEN"]["StatusCode"] == "404"
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "WAF_FILTERED"} <= set(responses)
    split = {"Fn::Split": [",", {"Ref": "AllowOrigin"}]}
    first = {"Fn::Sub": ["'${Origin}'", {"Origin": {"Fn::Select": [0, split]}}]}
    for one in responses.values():
        origin = one["ResponseParameters"]["Headers"]["Access-Control-Allow-Origin"]
        assert origin == first
        document = json.loads(one["ResponseTemplates"]["application/json"])
        kind = kinds()[document["type"].removeprefix("urn:tanggap:problem:")]
        assert document["title"] == kind["title"]["en"]
        assert str(document.get("status")) == str(one.get("StatusCode"))
    (settings,) = api["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}


def test_head_and_preflights_reach_the_app_that_answers_them(app: Doc) -> None:
    paths = app["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    assert {"/", "/v1/reports", "/open311/v2/services.json"} <= set(paths)
    for path, methods in paths.items():
        assert ("head" in methods) == ("get" in methods), path
        integrations = [one["x-amazon-apigateway-integration"] for one in methods.values()]
        assert "options" in methods
        assert {one["type"] for one in integrations} == {"aws_proxy"}, path


def test_a_release_to_prod_reaches_a_tenth_first(app: Doc, made: Packaged) -> None:
    function = of_type(app, "Serverless::Function")["APIHandler"]
    routed = "${APIHandlerAliaslive}" in json.dumps(app["Resources"]["RestAPI"])
    assert routed == (made.stage == "prod") == ("DeploymentPreference" in function)
    if made.stage == "prod":
        assert "${APIHandler.Arn}" not in json.dumps(app["Resources"]["RestAPI"])
        alarms = {one["Ref"] for one in function["DeploymentPreference"]["Alarms"]}
        assert alarms == {"UnhandledErrorsAlarm", "ApiHandlerErrorsAlarm"}
        metrics = {of_type(app, "CloudWatch::Alarm")[name]["MetricName"] for name in alarms}
        # A client can cause a 4xx, and by contention a 503, but neither of these.
        assert metrics == {"UnhandledErrors", "Errors"}


def test_every_parameter_is_described_and_documented(app: Doc, data: Doc) -> None:
    text = (ROOT / "docs" / "deploy.md").read_text()
    for template in (app, data):
        for name, about in template["Parameters"].items():
            assert about["Description"]
            assert f"`{name}`" in text, name


def test_every_parameter_is_known_before_anything_is_packed(
    app: Doc, data: Doc, made: Packaged
) -> None:
    budget = json.loads(made.budget.read_text())
    names = [*app["Parameters"], *data["Parameters"], *budget["Parameters"]]
    assert stacks.unknown(made.stage, dict.fromkeys(names, "")) == []
    assert stacks.unknown(made.stage, {"AlarmMail": ""}) == ["AlarmMail"]


def test_every_setting_of_the_code_is_given(app: Doc) -> None:
    given = app["Globals"]["Function"]["Environment"]["Variables"]
    code = (ROOT / "chalicelib" / "settings.py").read_text()
    named = set(re.findall(r'"(TANGGAP_\w+)"', code))
    # The stream is a source of events; plain servers outside are for development alone.
    assert named - set(given) == {"TANGGAP_TIMELINE_STREAM", "TANGGAP_OUTSIDE_LOCAL"}
    for function in of_type(app, "Serverless::Function").values():
        assert not function.get("Environment", {}).get("Variables")
    assert not any("secret" in str(one).lower() and "/" not in str(one) for one in given.values())


def test_the_zips_hold_only_what_runs(made: Packaged) -> None:
    names = zipfile.ZipFile(made.code).namelist()
    assert {"app.py", "chalicelib/rules/workflow.json", "chalice/app.py"} <= set(names)
    assert names == sorted(names)
    unwanted = re.compile(
        r"(infra|tests|pip|setuptools|moto|pytest|PIL|pi_heif|boto3/data/ec2)/|.*issuer|.*\.pyi$"
    )
    assert [one for one in names if unwanted.match(one)] == []
    services = {one.split("/")[2] for one in names if re.match(r"botocore/data/\w+/", one)}
    assert services == {"dynamodb", "s3", "sesv2", "sns", "sqs", "ssm"}
    compiled = {one for one in names if one.endswith(".pyc")}
    sources = [one for one in names if one.endswith(".py")]
    assert len(compiled) == len(sources)
    layer = zipfile.ZipFile(made.layer).namelist()
    assert all(one.startswith("python/") for one in layer)
    assert any(one.startswith("python/PIL/") for one in layer)
