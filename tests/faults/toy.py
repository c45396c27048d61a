"""A protocol in thirty lines, right and wrong, to prove that the engine tells them apart.

A client submits under a key; each submission makes one report and adds one to a counter.
``careful`` writes all three in one transaction. ``naive`` reads, puts, puts and adds.
"""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.faults.world import World
from tests.support import aws

TABLE = "tanggap-control"
_COUNTER = {"pk": {"S": "counter"}, "sk": {"S": "-"}}
_NEW = "attribute_not_exists(pk)"


def careful(world: World, key: str) -> str:
    """The report of ``key``, made with its row and the count in one transaction."""
    from chalicelib import ids

    client = aws.clients()["dynamodb"]
    report = ids.new_ulid(world.now())
    add = {
        "TableName": TABLE, "Key": _COUNTER,
        "UpdateExpression": "ADD used :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }  # fmt: skip
    try:
        client.transact_write_items(
            TransactItems=[
                {"Put": _put(f"key {key}", report, ConditionExpression=_NEW)},
                {"Put": _put(f"report {report}", key)},
                {"Update": add},
            ]
        )
    except ClientError as error:
        reasons = error.response.get("CancellationReasons") or [{"Code": "None"}]
        if reasons[0]["Code"] != "ConditionalCheckFailed":
            raise
        return _known(client, key) or report
    return report


def naive(world: World, key: str) -> str:
    """The same with four calls."""
    from chalicelib import ids

    client = aws.clients()["dynamodb"]
    if known := _known(client, key):
        return known
    report = ids.new_ulid(world.now())
    client.put_item(**_put(f"report {report}", key))
    client.put_item(**_put(f"key {key}", report))
    client.update_item(
        TableName=TABLE,
        Key=_COUNTER,
        UpdateExpression="ADD used :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    return report


def client_of(world: World, submit: Any, key: str, answers: list[tuple[str, str]]) -> Any:
    """A client who taps until there is an answer, at most four times."""

    def tap() -> None:
        for _ in range(4):
            outcome = world.invoke(lambda: submit(world, key))
            if outcome.kind == "ok":
                answers.append((key, outcome.value))
                return
            if outcome.kind == "error":
                assert isinstance(outcome.value, (BotoCoreError, ClientError)), outcome.value

    return tap


def faults(answers: list[tuple[str, str]]) -> list[str]:
    """What is wrong with the stored rows, by the invariants' names."""
    rows = aws.rows("control")
    reports = {row["pk"].split()[1]: row["doc"] for row in rows if row["pk"].startswith("report ")}
    found = [f"I1 {key}: {report} was lost" for key, report in answers if report not in reports]
    keys = list(reports.values())
    found += [f"I2 {key}: {keys.count(key)} reports" for key in set(keys) if keys.count(key) > 1]
    counted = sum(int(row["used"]) for row in rows if row["pk"] == "counter")
    if counted != len(reports):
        found.append(f"I4 {counted} counted of {len(reports)}")
    return found


def _put(key: str, doc: str, **more: Any) -> dict[str, Any]:
    item = {"pk": {"S": key}, "sk": {"S": "-"}, "doc": {"S": doc}}
    return {"TableName": TABLE, "Item": item, **more}


def _known(client: Any, key: str) -> str | None:
    place = {"pk": {"S": f"key {key}"}, "sk": {"S": "-"}}
    found = client.get_item(TableName=TABLE, Key=place, ConsistentRead=True)
    return found["Item"]["doc"]["S"] if "Item" in found else None
