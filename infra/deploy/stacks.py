"""Creates, updates and deletes the stacks of a stage, by CloudFormation's change sets.

data        tables, bucket, queues, topics: first; its data are never deleted
keys        the signing keys, which CloudFormation cannot make: only if they are missing
release     the zips to the artifacts bucket, named by their digest
application the functions and the API; twice the first time, as its address is a setting
budget      in us-east-1
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from infra.deploy import application, releases, watching
from infra.deploy import data as keeping
from infra.deploy.application import PARAMETERS
from infra.deploy.names import Doc, prefix
from infra.deploy.package import Packaged, load

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
ROOM = 100
BUDGET_REGION = "us-east-1"
_PAUSE = 2.0
_NOTHING = ("didn't contain changes", "No updates are to be performed")


class DeployError(Exception):
    """A stack could not be made; the text has the reason for each resource."""


@dataclass(frozen=True)
class Deployed:
    """The result for the person who deploys."""

    url: str
    files_url: str


Say = Callable[[str], None]


def deploy(
    made: Packaged,
    chosen: dict[str, str],
    say: Say = print,
    transform: Callable[[Doc], Doc] = lambda template: template,
    pause: float = _PAUSE,
) -> Deployed:
    """Deploy a package to a stage. ``chosen``: values of parameters; the others keep their values.
    Repeating it changes nothing. Raises ``DeployError``."""
    name = prefix(made.stage)
    say(f"data stack {name}-data")
    data = _apply(f"{name}-data", transform(load(made.data)), chosen, None, pause)
    _signing_keys(f"/{name}/signing-keys", say)
    say("release")
    code = releases.upload(data["Artifacts"], made.code)
    layer = releases.upload(data["Artifacts"], made.layer)
    template = releases.pointing(load(made.app), data["Artifacts"], code, layer)
    template = transform(template)
    values = {
        **chosen,
        "TimelineStream": data["TimelineStream"],
        "AlertsTopic": data["AlertsTopic"],
    }
    if "ReserveConcurrency" not in chosen:
        values["ReserveConcurrency"] = _room(say)
    say(f"application stack {name}")
    app = _apply(name, template, values, data["Artifacts"], pause)
    url = app["EndpointURL"].rstrip("/")
    if not chosen.get("PublicUrl") and _parameters(name).get("PublicUrl") == "":
        say("application stack, with its own address")
        _apply(name, template, {**values, "PublicUrl": url}, data["Artifacts"], pause)
    return Deployed(url, data["FilesUrl"])


def budget(made: Packaged, chosen: dict[str, str], pause: float = _PAUSE) -> None:
    """Make the budget of a stage."""
    name = f"{prefix(made.stage)}-budget"
    client = boto3.client("cloudformation", region_name=BUDGET_REGION)
    _apply(name, load(made.budget), chosen, None, pause, client)


def unknown(stage: str, chosen: dict[str, str]) -> list[str]:
    """The names in ``chosen`` that are no stack's parameter; checked before packing."""
    templates = keeping.template(stage), application.template(stage), watching.budget(stage)
    parameters = {name for template in templates for name in template["Parameters"]}
    return sorted(set(chosen) - parameters)


def destroy(stage: str, say: Say = print, pause: float = _PAUSE) -> None:
    """Delete the application stack; the data stack stays."""
    name = prefix(stage)
    client = boto3.client("cloudformation")
    say(f"application stack {name}")
    client.delete_stack(StackName=name)
    _settled(client, name, pause)


def environment(stage: str) -> dict[str, str]:
    """The settings of a deployed stage, for commands: the functions' variables with their
    references resolved."""
    name = prefix(stage)
    client = boto3.client("cloudformation")
    body = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    template = json.loads(body) if isinstance(body, str) else body
    values = _parameters(name, client)
    account = boto3.client("sts").get_caller_identity()["Account"]
    region = boto3.session.Session().region_name or ""
    values |= {"AWS::AccountId": account, "AWS::Region": region}
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    return {key: _filled(value, values) for key, value in variables.items()}


def _filled(value: Any, values: dict[str, str]) -> str:
    if isinstance(value, dict):
        if "Ref" in value:
            return values[value["Ref"]]
        text: str = value["Fn::Sub"]
        for name, text_of in values.items():
            text = text.replace(f"${{{name}}}", text_of)
        return text
    return str(value)


def _room(say: Say) -> str:
    """Whether the account can reserve concurrency: AWS keeps the last ten free, and a new account
    may have only ten. Without it runs may overlap, which is harmless but costs more."""
    limit = boto3.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    if limit >= ROOM:
        return "yes"
    say(f"the account runs {limit} functions at once: schedules get no place of their own")
    return "no"


def _signing_keys(parameter: str, say: Say) -> None:
    from infra.resources import signing_keys

    if signing_keys(parameter):
        say(f"signing keys {parameter}: new; keep a copy of them where backups are")


def _apply(
    name: str,
    template: Doc,
    chosen: dict[str, str],
    bucket: str | None,
    pause: float,
    client: Any = None,
) -> dict[str, str]:
    """Create or update one stack; its outputs."""
    client = client or boto3.client("cloudformation")
    stack = _described(client, name)
    if stack is not None and stack["StackStatus"] == "ROLLBACK_COMPLETE":
        # The first attempt failed. Such a stack is empty and can only be deleted.
        client.delete_stack(StackName=name)
        _settled(client, name, pause)
        stack = None
    previous = _values_of(stack)
    template = releases.versioned(template, releases.effective(template, chosen, previous))
    kind = "CREATE" if stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS" else "UPDATE"
    change = f"release-{int(time.time() * 1000)}"
    client.create_change_set(
        StackName=name,
        ChangeSetName=change,
        ChangeSetType=kind,
        Capabilities=CAPABILITIES,
        Parameters=_values(template, chosen, set(previous) if kind == "UPDATE" else set()),
        Tags=[{"Key": "project", "Value": "tanggap"}],
        **releases.body(template, name, bucket),
    )
    while True:
        described = client.describe_change_set(StackName=name, ChangeSetName=change)
        if not described["Status"].endswith(("PENDING", "IN_PROGRESS")):
            break
        time.sleep(pause)
    if described["Status"] == "FAILED":
        reason = described.get("StatusReason", "")
        if not any(words in reason for words in _NOTHING):
            raise DeployError(f"{name}: {reason}")
        client.delete_change_set(StackName=name, ChangeSetName=change)
    else:
        client.execute_change_set(StackName=name, ChangeSetName=change)
        _settled(client, name, pause)
    stack = _described(client, name)
    assert stack is not None
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}


def _values_of(stack: Doc | None) -> dict[str, str]:
    """The values of a stack's parameters."""
    rows = (stack or {}).get("Parameters", ())
    return {row["ParameterKey"]: row["ParameterValue"] for row in rows}


def _values(template: Doc, chosen: dict[str, str], known: set[str]) -> list[dict[str, Any]]:
    """The values to state. A parameter that the stack lacks so far has no previous value."""
    values: list[dict[str, Any]] = []
    for name, about in template.get("Parameters", {}).items():
        if name in chosen:
            values.append({"ParameterKey": name, "ParameterValue": chosen[name]})
        elif name in known:
            values.append({"ParameterKey": name, "UsePreviousValue": True})
        elif "Default" not in about:
            raise DeployError(f"{name} is needed: {about['Description']}")
    return values


def _settled(client: Any, name: str, pause: float) -> None:
    while (stack := _described(client, name)) is not None:
        status = stack["StackStatus"]
        if not status.endswith("IN_PROGRESS"):
            break
        time.sleep(pause)
    if stack is None or stack["StackStatus"] in (
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "DELETE_COMPLETE",
    ):
        return
    lines = [f"{name}: {stack['StackStatus']} {stack.get('StackStatusReason', '')}"]
    for event in client.describe_stack_events(StackName=name)["StackEvents"]:
        if event["ResourceStatus"].endswith("FAILED"):
            reason = event.get("ResourceStatusReason", "")
            lines.append(f"  {event['LogicalResourceId']}: {reason}")
    raise DeployError("\n".join(lines))


def _described(client: Any, name: str) -> Doc | None:
    try:
        stack: Doc = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        # CloudFormation has no error code of its own for "no such stack".
        said = error.response["Error"]
        if said["Code"] != "ValidationError" or "does not exist" not in said.get("Message", ""):
            raise
        return None
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _parameters(name: str, client: Any = None) -> dict[str, str]:
    stack = _described(client or boto3.client("cloudformation"), name)
    defaults = {key: default for key, (_, default) in PARAMETERS.items() if default is not None}
    return {**defaults, **_values_of(stack)}
