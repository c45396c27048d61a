"""What CloudFormation makes of the packaged application: SAM adds resources that nobody wrote."""

import json
from typing import Any

import pytest

from infra.deploy import releases
from infra.deploy.application import PARAMETERS
from infra.deploy.names import Doc
from infra.deploy.package import Packaged
from tests.infra import packed
from tests.infra.packed import of_type, translated
from tests.infra.test_templates import STAGES, texts

CHOSEN = {
    "TimelineStream": "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/1",
    "AlertsTopic": "arn:aws:sns:us-east-1:123456789012:alerts",
    "AllowOrigin": "https://lapor.example.go.id",
    "MailFrom": "tanggap@example.go.id",
    "PublicUrl": "",
    "Issuers": "[]",
}


@pytest.fixture(scope="module", params=STAGES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    """Each stage, packed."""
    return packed.packed(tmp_path_factory, request.param)


def deployed(made: Packaged, code: str = "code.zip", **changed: str) -> Doc:
    """The template that the deploy command hands over, as CloudFormation gets it."""
    template = json.loads(made.app.read_text())
    template = releases.pointing(template, "artifacts", code, "photos.zip")
    values = releases.effective(template, {**CHOSEN, **changed}, {})
    return translated(releases.versioned(template, values), values)


@pytest.fixture(scope="module")
def app(made: Packaged) -> Doc:
    """The application stack as CloudFormation gets it."""
    return deployed(made)


def versions(template: Doc) -> set[str]:
    """The ids of the versions of functions."""
    return set(of_type(template, "Lambda::Version"))


def test_no_address_of_the_machine_that_packed_is_in_a_template(made: Packaged, app: Doc) -> None:
    templates = [app, *(json.loads(one.read_text()) for one in (made.app, made.data, made.budget))]
    local = ("127.0.0.1", "localhost", "0.0.0.0", "/tmp/", "/work", "/home/", "/Users/")  # nosec
    for text in texts(templates):
        assert not any(one in text for one in local), text


def test_a_browser_may_ask_from_the_origins_that_were_chosen(app: Doc) -> None:
    """Preflights reach the app, which has the origins from its settings; no method is a mock."""
    (api,) = of_type(app, "ApiGateway::RestApi").values()
    paths = api["Body"]["paths"]
    kinds = {
        method["x-amazon-apigateway-integration"]["type"]
        for methods in paths.values()
        for method in methods.values()
    }
    assert kinds == {"aws_proxy"}
    assert all("options" in methods for methods in paths.values())
    for function in of_type(app, "Lambda::Function").values():
        variables = function["Environment"]["Variables"]
        assert variables["TANGGAP_ALLOW_ORIGIN"] in (
            {"Ref": "AllowOrigin"},
            CHOSEN["AllowOrigin"],
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [("PublicUrl", "https://x.example"), ("Issuers", '[{"issuer": "https://login.example"}]')],
)
def test_a_changed_parameter_reaches_the_published_api(
    made: Packaged, app: Doc, name: str, value: str
) -> None:
    if made.stage != "prod":
        assert versions(app) == set()
        return
    assert len(versions(app)) == 1
    assert versions(deployed(made, **{name: value})) != versions(app)


def test_a_release_without_a_change_publishes_nothing_and_one_of_code_does(
    made: Packaged, app: Doc
) -> None:
    assert versions(deployed(made)) == versions(app)
    if made.stage == "prod":
        assert versions(deployed(made, code="other.zip")) != versions(app)


def test_every_parameter_has_part_in_the_version(made: Packaged) -> None:
    template = json.loads(made.app.read_text())
    values = releases.effective(template, CHOSEN, {})
    assert set(values) == set(PARAMETERS)

    def version(values: dict[str, str]) -> Any:
        function = releases.versioned(template, values)["Resources"]["APIHandler"]
        return function["Properties"].get("AutoPublishCodeSha256")

    same = {name for name in values if version({**values, name: "other"}) == version(values)}
    assert same == (set() if made.stage == "prod" else set(PARAMETERS))


@pytest.mark.parametrize("changed", ["RequestsPerSecond", "Tags"])
def test_a_new_version_is_never_of_an_unchanged_function(changed: str) -> None:
    """Lambda publishes no version of a function whose code and configuration are as before: the
    deployment would fail."""

    def function(**change: Any) -> Any:
        own = {"AutoPublishAlias": "live", "CodeUri": "s3://a/b.zip", "Tags": change.get("Tags")}
        template = {"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": own}}}
        made = releases.versioned(template, {"RequestsPerSecond": "200", **change})
        return made["Resources"]["F"]["Properties"]

    before, after = function(), function(**{changed: "300"})
    assert before["AutoPublishCodeSha256"] != after["AutoPublishCodeSha256"]
    held_by_a_version = ("CodeUri", "Description", "Environment", "MemorySize", "Timeout")
    assert [before.get(name) for name in held_by_a_version] != [
        after.get(name) for name in held_by_a_version
    ]


def test_a_value_that_was_chosen_before_stays_in_the_version() -> None:
    template = {"Parameters": {"A": {"Default": 1}, "B": {"Default": "b"}, "C": {}, "D": {}}}
    found = releases.effective(template, {"C": "new"}, {"B": "kept", "C": "old", "Gone": "x"})
    assert found == {"A": "1", "B": "kept", "C": "new"}


def test_the_api_has_one_stage_with_firewall_and_throttle(app: Doc) -> None:
    ((name, stage),) = of_type(app, "ApiGateway::Stage").items()
    (settings,) = stage["MethodSettings"]
    assert settings["ThrottlingRateLimit"] is not None
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    (association,) = of_type(app, "WAFv2::WebACLAssociation").values()
    assert f"/stages/${{{name}}}" in json.dumps(association["ResourceArn"])
    for deployment in of_type(app, "ApiGateway::Deployment").values():
        assert "StageName" not in deployment


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("ap-southeast-3", "artifacts.s3.ap-southeast-3.amazonaws.com"),
        ("us-east-1", "artifacts.s3.us-east-1.amazonaws.com"),
        ("cn-north-1", "artifacts.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_a_large_template_is_read_from_its_own_region(region: str, host: str) -> None:
    import boto3

    client = boto3.client("s3", region_name=region)
    assert releases.address(client, "artifacts", "a.json") == f"https://{host}/a.json"
    local = boto3.client("s3", region_name=region, endpoint_url="http://127.0.0.1:4566")
    assert (
        releases.address(local, "artifacts", "a.json") == "http://127.0.0.1:4566/artifacts/a.json"
    )
