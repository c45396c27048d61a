"""Updating stacks to the packaged templates, and what may go wrong."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.deploy import stacks
from infra.deploy.stacks import DeployError

ROOT = Path(__file__).parents[2]
TEMPLATE = {
    "Parameters": {
        "Needed": {"Description": "what must be said"},
        "Usual": {"Description": "what need not", "Default": "x"},
    },
    "Resources": {},
}


class Account:
    """CloudFormation as far as it matters here: one stack, what was asked of it."""

    def __init__(self, status: str | None, change: dict[str, str] | None = None) -> None:
        self.status = status
        self.change = change or {"Status": "CREATE_COMPLETE"}
        self.parameters = ["Needed", "Usual"]
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        if self.status is None:
            said = {
                "Code": "ValidationError",
                "Message": f"Stack with id {StackName} does not exist",
            }
            raise ClientError({"Error": said}, "DescribeStacks")
        outputs = [{"OutputKey": "Url", "OutputValue": "https://x"}]
        held = [{"ParameterKey": name, "ParameterValue": "old"} for name in self.parameters]
        stack = {"StackStatus": self.status, "Outputs": outputs, "Parameters": held}
        return {"Stacks": [stack]}

    def describe_change_set(self, **given: Any) -> dict[str, str]:
        return self.change

    def describe_stack_events(self, **given: Any) -> dict[str, Any]:
        event = {"ResourceStatus": "CREATE_FAILED", "LogicalResourceId": "Files",
                 "ResourceStatusReason": "the name is taken"}  # fmt: skip
        return {"StackEvents": [event]}

    def delete_stack(self, **given: Any) -> None:
        self.asked.append(("delete_stack", given))
        self.status = None

    def create_change_set(self, **given: Any) -> None:
        self.asked.append(("create_change_set", given))

    def execute_change_set(self, **given: Any) -> None:
        self.asked.append(("execute_change_set", given))
        self.status = self.status or "CREATE_COMPLETE"

    def delete_change_set(self, **given: Any) -> None:
        self.asked.append(("delete_change_set", given))


def apply(account: Account, **chosen: str) -> dict[str, str]:
    """Bring the account's stack up to the template."""
    return stacks._apply("s", TEMPLATE, chosen, None, 0, account)


def test_a_new_stack_is_created_with_what_was_chosen() -> None:
    account = Account(None)
    assert apply(account, Needed="a") == {"Url": "https://x"}
    name, given = account.asked[0]
    assert (name, given["ChangeSetType"]) == ("create_change_set", "CREATE")
    assert given["Parameters"] == [{"ParameterKey": "Needed", "ParameterValue": "a"}]


def test_missing_parameters_are_named_before_anything_happens() -> None:
    account = Account(None)
    with pytest.raises(DeployError, match="Needed is needed: what must be said"):
        apply(account)
    assert account.asked == []


def test_an_update_keeps_what_is_not_named() -> None:
    account = Account("UPDATE_COMPLETE")
    apply(account, Usual="y")
    given = account.asked[0][1]
    assert given["ChangeSetType"] == "UPDATE"
    assert given["Parameters"] == [
        {"ParameterKey": "Needed", "UsePreviousValue": True},
        {"ParameterKey": "Usual", "ParameterValue": "y"},
    ]


def test_a_parameter_that_the_stack_lacks_so_far_gets_its_default() -> None:
    account = Account("UPDATE_COMPLETE")
    account.parameters = ["Needed"]
    apply(account)
    assert account.asked[0][1]["Parameters"] == [
        {"ParameterKey": "Needed", "UsePreviousValue": True},
    ]


@pytest.mark.parametrize(
    "said",
    [
        {"Code": "Throttling", "Message": "Rate exceeded"},
        {"Code": "AccessDenied", "Message": "not authorized to perform DescribeStacks"},
        {"Code": "ValidationError", "Message": "1 validation error detected"},
    ],
)
def test_an_account_that_does_not_answer_is_not_treated_as_empty(
    said: dict[str, str],
) -> None:
    class Refusing(Account):
        def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
            raise ClientError({"Error": said}, "DescribeStacks")  # type: ignore[typeddict-item]

    account = Refusing("CREATE_COMPLETE")
    with pytest.raises(ClientError):
        apply(account, Needed="a")
    assert account.asked == []


def test_nothing_to_change_is_no_failure() -> None:
    reason = "The submitted information didn't contain changes. Submit different information"
    account = Account("CREATE_COMPLETE", {"Status": "FAILED", "StatusReason": reason})
    assert apply(account) == {"Url": "https://x"}
    assert [name for name, _ in account.asked] == ["create_change_set", "delete_change_set"]


def test_a_first_attempt_that_failed_is_cleared_away() -> None:
    account = Account("ROLLBACK_COMPLETE")
    apply(account, Needed="a")
    assert [name for name, _ in account.asked] == [
        "delete_stack", "create_change_set", "execute_change_set",
    ]  # fmt: skip
    assert account.asked[1][1]["ChangeSetType"] == "CREATE"


def test_a_failure_names_the_resource_and_why() -> None:
    account = Account("UPDATE_ROLLBACK_COMPLETE")
    with pytest.raises(DeployError, match="Files: the name is taken"):
        stacks._settled(account, "s", 0)


@pytest.mark.parametrize("values", [["AlarmMail=a@b.example"], ["AlarmEmail"]])
def test_a_parameter_that_is_misspelt_is_refused(values: list[str]) -> None:
    nobody = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    done = subprocess.run(
        [sys.executable, "-m", "infra.deploy", "deploy", "--stage", "dev", *values], cwd=ROOT,
        env={**os.environ, **nobody}, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert values[0].partition("=")[0] in done.stderr


@pytest.mark.parametrize(("limit", "found"), [(10, "no"), (1000, "yes")])
def test_a_small_account_is_not_asked_for_room_that_it_lacks(
    limit: int, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lambda:
        def get_account_settings(self) -> dict[str, Any]:
            return {"AccountLimit": {"ConcurrentExecutions": limit}}

    monkeypatch.setattr(stacks.boto3, "client", lambda service: Lambda())
    said: list[str] = []
    assert stacks._room(said.append) == found
    assert bool(said) == (found == "no")
