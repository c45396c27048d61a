"""The engine itself: it finds what is wrong, passes what is right, and repeats what it did."""

import copy
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from moto.core.models import botocore_stubber
from moto.dynamodb.models import DynamoDBBackend

from tests.faults import toy
from tests.faults.scheduler import Chance, Choices, Hung, Odometer, Replay, scheduler_patience
from tests.faults.world import World
from tests.support import aws, moto_speedups

pytestmark = pytest.mark.usefixtures("aws")
SEEDS = range(20)


def history(submit: Any, choices: Choices, seed: object = 0, keys: str = "ab") -> Any:
    """Two clients, one of whom taps twice, and what is wrong at the end."""
    aws.fresh()
    answers: list[tuple[str, str]] = []
    with World(choices, seed=seed) as world:
        taps = [(f"tap{n}", key) for n, key in enumerate(keys + keys[0])]
        world.run([(name, toy.client_of(world, submit, key, answers)) for name, key in taps])
    return world, toy.faults(answers)


def exhaust(submit: Any, faults: int) -> Iterator[list[str]]:
    """Every schedule of a double tap with at most so many faults."""
    odometer = Odometer(faults)
    while True:
        yield history(submit, odometer, keys="a")[1]
        if not odometer.advance():
            return


def test_a_transaction_survives_every_seed() -> None:
    faults = [fault for seed in SEEDS for fault in history(toy.careful, Chance(seed, 0.2))[1]]
    assert faults == []


@pytest.mark.parametrize("kind", ["I2", "I4"])
def test_four_calls_in_a_row_are_caught(kind: str) -> None:
    broken = [seed for seed in SEEDS if kind in str(history(toy.naive, Chance(seed, 0.2))[1])]
    assert len(broken) >= 3


def test_four_calls_in_a_row_are_caught_without_any_fault() -> None:
    assert any(found for found in exhaust(toy.naive, 0))


def test_a_transaction_survives_all_schedules_of_a_double_tap() -> None:
    found = list(exhaust(toy.careful, 1))
    assert len(found) > 30
    assert not any(found)


def test_the_same_seed_gives_the_same_run() -> None:
    runs = [history(toy.naive, Chance(7, 0.3), 7)[0] for _ in range(2)]
    assert list(map(str, runs[0].calls)) == list(map(str, runs[1].calls))
    assert runs[0].schedule == runs[1].schedule
    assert {str(history(toy.naive, Chance(s, 0.3), s)[0].schedule) for s in SEEDS}.__len__() > 10


def test_a_schedule_can_be_replayed() -> None:
    seed = next(seed for seed in SEEDS if history(toy.naive, Chance(seed, 0.2), seed)[1])
    first, found = history(toy.naive, Chance(seed, 0.2), seed)
    again, same = history(toy.naive, Replay(first.schedule), seed)
    assert same == found
    assert list(map(str, again.calls)) == list(map(str, first.calls))


@pytest.mark.parametrize(
    ("fault", "written"),
    [
        ("kill_before", 0), ("throttle", 0), ("error", 0), ("unreachable", 0), ("conflict", 0),
        ("kill_after", 1), ("lost_ack", 1), ("lost_500", 1),
    ],
)  # fmt: skip
def test_each_fault_leaves_what_its_name_says(fault: str, written: int) -> None:
    from tests.faults.scheduler import Nth

    with World(Nth(1, fault)) as world:
        outcome = world.run([("one", lambda: toy.careful(world, "a"))])["one"]
    assert outcome.kind == ("killed" if fault.startswith("kill") else "error")
    assert len([row for row in aws.rows("control") if row["pk"] == "key a"]) == written
    assert [call.fault for call in world.calls] == [fault]


def test_the_sdk_retries_a_lost_acknowledgement_under_one_token() -> None:
    from tests.faults.scheduler import Nth

    with World(Nth(1, "lost_ack"), sdk_retries=True) as world:
        outcome = world.run([("one", lambda: toy.careful(world, "a"))])["one"]
    assert outcome.kind == "ok"
    assert len(world.calls) == 2
    assert toy.faults([("a", outcome.value)]) == []


def test_a_killed_function_makes_no_further_call() -> None:
    from tests.faults.scheduler import Nth

    def stubborn(world: World) -> None:
        try:
            toy.careful(world, "a")
        finally:
            toy.careful(world, "b")

    with World(Nth(1, "kill_before")) as world:
        outcome = world.run([("one", lambda: stubborn(world))])["one"]
    assert outcome.kind == "killed"
    assert aws.rows("control") == []


def test_a_thread_that_hangs_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    never = threading.Event()
    with scheduler_patience(0.2), World(Chance(1, 0)) as world, pytest.raises(Hung, match="stuck"):
        world.run([("stuck", never.wait), ("other", lambda: toy.careful(world, "a"))])
    never.set()


def test_cheap_transactions_answer_as_those_of_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random transactions on both give the same items, answers and stream."""

    def play(cheap: bool) -> Any:
        aws.fresh()
        if not cheap:
            monkeypatch.setattr(DynamoDBBackend, "transact_write_items", moto_speedups._original)
            monkeypatch.setattr(
                moto_speedups,
                "respond",
                lambda name, request: moto_speedups._long_way(name.split(".")[1], request),
            )
            moto_speedups.use_methods(ours=False)
        chance, answers = random.Random("transactions"), []
        client = aws.clients()["dynamodb"]
        for _ in range(200):
            actions = [_action(chance, key) for key in chance.sample("abcd", 2)]
            try:
                answer = client.transact_write_items(TransactItems=actions)
            except client.exceptions.ClientError as error:
                answer = error.response
            answers.append({name: answer[name] for name in answer.keys() - {"ResponseMetadata"}})
        stream = [
            (one["eventName"], one["dynamodb"]["Keys"], one["dynamodb"].get("NewImage"))
            for one in aws.stream()
        ]
        rows = [
            client.scan(TableName=f"tanggap-{name}")["Items"]
            for name in ("control", "reports", "timeline")
        ]
        return copy.deepcopy((answers, stream, rows))

    try:
        moto = play(cheap=False)
    finally:
        monkeypatch.undo()
        moto_speedups.use_methods()
    assert play(cheap=True) == moto
    codes = Counter(answer.get("Error", {}).get("Code") for answer in moto[0])
    assert codes[None] > 20
    assert codes["TransactionCanceledException"] > 20
    assert codes["ValidationException"] > 5


def test_the_short_way_to_moto_answers_as_the_long_one() -> None:
    """Every request of a history is sent to both, and both give the same answer."""
    from tests.faults import world as module
    from tests.faults.histories import play

    compared: list[str] = []

    def both(event_name: str, request: Any) -> Any:
        answer = moto_speedups.respond(event_name, request)
        operation = event_name.split(".")[2]
        if operation in {"GetItem", "Query", "BatchGetItem"}:
            long = botocore_stubber(event_name, request)
            assert long is not None
            assert json.loads(answer.content) == json.loads(long.content)
            compared.append(operation)
            return moto_speedups.answer(request, answer.status_code, answer.content)
        return answer

    with mock.patch.object(module, "respond", both):
        play(1)
    assert {"GetItem", "Query"} <= set(compared)


def test_cheap_rows_answer_as_those_of_moto() -> None:
    """Random rows and questions: partitions, indexes, ranges, pages, projections and filters."""

    def play(ours: bool) -> list[Any]:
        aws.fresh()
        moto_speedups.use_methods(ours=ours)
        chance, client = random.Random("rows"), aws.clients()["dynamodb"]
        for _ in range(120):
            client.put_item(**_row(chance))
        answers = []
        for _ in range(150):
            answer = client.query(**_question(chance))
            answers.append([answer.get(one) for one in ("Items", "Count", "LastEvaluatedKey")])
        for table in ("figures", "timeline", "reports"):
            answers.append(client.scan(TableName=f"tanggap-{table}")["Items"])
        return answers

    try:
        found = play(ours=True), play(ours=False)
    finally:
        moto_speedups.use_methods()
    assert found[0] == found[1]
    assert sum(bool(items) for items, *_ in found[0][:150]) > 60
    assert sum(last is not None for *_, last in found[0][:150]) > 20


def _row(chance: random.Random) -> dict[str, Any]:
    table = chance.choice(["figures", "timeline", "reports"])
    item: dict[str, Any] = {"pk": {"S": chance.choice("abc")}, "doc": {"S": "x" * 40}}
    if table == "figures":
        item |= {"sk": {"S": chance.choice("klm") * chance.randint(1, 3)}, "n": {"N": "1.0"}}
        item |= {"spk": {"S": chance.choice("ab")}, "ssk": {"S": str(chance.random())}}
    elif table == "timeline":
        item |= {"version": {"N": str(chance.randint(1, 12))}, "big": {"S": "y" * 3_000}}
    else:
        item |= {"pk": {"S": str(chance.random())}, "m": {"M": {"a": {"L": [{"N": "2"}]}}}}
        if chance.random() < 0.8:
            item |= {"qpk": {"S": chance.choice("ab")}, "qsk": {"S": chance.choice("pqr")}}
    return {"TableName": f"tanggap-{table}", "Item": item}


def _question(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(["figures", "timeline", "queue", "score"])
    table = {"queue": "reports", "score": "figures"}.get(kind, kind)
    place, order = {"queue": ("qpk", "qsk"), "score": ("spk", "ssk")}.get(
        kind, ("pk", "version" if kind == "timeline" else "sk")
    )
    values: dict[str, Any] = {":p": {"S": chance.choice("abcd")}}
    condition = f"{place} = :p"
    how = chance.choice(["", "between", "begins", "from"])
    low, high = ("3", "10") if order == "version" else ("k", "q")
    if how == "between":
        condition += f" AND {order} BETWEEN :low AND :high"
        values |= {":low": {"N" if order == "version" else "S": low}}
        values |= {":high": {"N" if order == "version" else "S": high}}
    elif how == "begins" and order != "version":
        condition += f" AND begins_with({order}, :low)"
        values |= {":low": {"S": chance.choice(["k", "l", "p", "0."])}}
    elif how == "from":
        condition += f" AND {order} >= :low"
        values |= {":low": {"N" if order == "version" else "S": low}}
    asked: dict[str, Any] = {
        "TableName": f"tanggap-{table}",
        "KeyConditionExpression": condition,
        "ScanIndexForward": chance.random() < 0.5,
        "Limit": chance.choice([2, 5, 100]),
    }
    if kind in ("queue", "score"):
        asked["IndexName"] = kind
    if chance.random() < 0.4:
        asked["ProjectionExpression"] = chance.choice(["pk, doc", f"{order}", "m.a[0], pk", "nil"])
    if chance.random() < 0.3:
        asked["FilterExpression"] = "begins_with(doc, :x) AND attribute_not_exists(gone)"
        values |= {":x": {"S": "x"}}
    return {**asked, "ExpressionAttributeValues": values}


def _action(chance: random.Random, key: str) -> dict[str, Any]:
    table = chance.choice(["control", "reports", "timeline"])
    place: dict[str, Any] = {"pk": {"S": key}}
    if table != "reports":
        place |= {"version": {"N": "1"}} if table == "timeline" else {"sk": {"S": "-"}}
    common: dict[str, Any] = {"TableName": f"tanggap-{table}"}
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    kind = chance.choice(["Put", "Update", "Update", "Update", "Delete"])
    condition = chance.choice([*CONDITIONS, None, None, None])
    if condition:
        common["ConditionExpression"] = condition[0]
        names |= condition[1]
        values |= condition[2](chance) if condition[2] else {}
        common["ReturnValuesOnConditionCheckFailure"] = chance.choice(["NONE", "ALL_OLD"])
    if kind == "Update":
        common["UpdateExpression"], more, values_of = chance.choice(UPDATES)
        names |= more
        values |= values_of(chance) if values_of else {}
    if names:
        common["ExpressionAttributeNames"] = names
    if values:
        common["ExpressionAttributeValues"] = values
    if kind == "Put":
        item = {**place, "doc": {"S": str(chance.random())}, "used": {"N": "1"}}
        return {kind: {**common, "Item": item}}
    return {kind: {**common, "Key": place}}


Values = Callable[[random.Random], dict[str, Any]]


def _number(chance: random.Random) -> dict[str, Any]:
    return {":n": {"N": chance.choice(["1", "2", "1.5"])}}


def _some(chance: random.Random) -> dict[str, Any]:
    kinds = [{"S": "x"}, {"S": ""}, {"N": "3"}, {"NULL": True}, {"L": [{"N": "1"}]}, {"SS": ["a"]}]
    return {":v": chance.choice(kinds)}


# (text, names, values): what transactions require, and what updates do; some are faults.
CONDITIONS: list[tuple[str, dict[str, str], Values | None]] = [
    ("attribute_not_exists(pk)", {}, None),
    ("attribute_exists(#pk)", {"#pk": "pk"}, None),
    ("(#used < :limit OR attribute_not_exists (#used))", {"#used": "used"},
     lambda chance: {":limit": {"N": chance.choice(["2", "4", "9"])}}),
    ("#used BETWEEN :low AND :high", {"#used": "used"},
     lambda chance: {":low": {"N": chance.choice("123")}, ":high": {"N": chance.choice("345")}}),
    ("NOT contains(#doc, :part)", {"#doc": "doc"}, lambda chance: {":part": {"S": "7"}}),
]  # fmt: skip
UPDATES: list[tuple[str, dict[str, str], Values | None]] = [
    ("ADD used :n", {}, _number),
    ("ADD #0 :n", {"#0": "used"}, _number),
    ("ADD #0 :n, #1 :n", {"#0": "used", "#1": "m"}, _number),
    ("SET #0 = :v", {"#0": "doc"}, _some),
    ("SET #0 = :v, #1 = :n ADD #2 :n", {"#0": "doc", "#1": "m", "#2": "used"},
     lambda chance: _some(chance) | _number(chance)),
    ("SET #0 = :v REMOVE #1", {"#0": "doc", "#1": "m"}, _some),
    ("REMOVE #0, #1", {"#0": "m", "#1": "used"}, None),
    ("ADD #0 :v", {"#0": "doc"}, _some),
    ("SET #0 = :v", {"#0": "pk"}, _some),
    ("SET #0 = :v, #1 = :v", {"#0": "doc", "#1": "doc"}, _some),
    ("SET #0 = if_not_exists(#0, :v)", {"#0": "doc"}, _some),
    ("SET #0 = :v", {"#0": "doc", "#9": "unused"}, _some),
    ("SET #0 = :missing", {"#0": "doc"}, _some),
    ("SET #0 = :v SET #1 = :v", {"#0": "doc", "#1": "m"}, _some),
]  # fmt: skip
