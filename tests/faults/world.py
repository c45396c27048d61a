"""One hook behind every AWS client of the product: order, faults, recording and a lock.

    with World(Chance(seed, 0.12)) as world:
        world.run([("tap1", submit), ("tap2", submit)])
        world.calls, world.sent, world.schedule

Calls of the test's own thread pass at once and unrecorded. A fault is one of

    kill_before  kill_after      the process ends before / after the call takes effect
    throttle  error  unreachable nothing happens, and the caller gets 400, 500 or no connection
    lost_ack  lost_500           it takes effect, and the caller gets an error
    conflict                     another transaction holds an item; nothing happens
"""

import json
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from unittest import mock
from urllib.parse import parse_qsl

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from tests.faults.scheduler import Choices, Outcome, Scheduler, Step
from tests.support import aws, photo_files
from tests.support.moto_speedups import answer, respond, stub

START = datetime(2026, 1, 30, 3, 0, tzinfo=UTC)
_READS = ("Get", "Query", "Scan", "BatchGet", "Head", "List", "Describe", "TransactGet")
READ_FAULTS = ("kill_before", "throttle", "error", "unreachable")
WRITE_FAULTS = (*READ_FAULTS, "kill_after", "lost_ack", "lost_500")
TRANSACTION_FAULTS = (*WRITE_FAULTS, "conflict")
FEW_READ_FAULTS = ("kill_before", "error")
FEW_WRITE_FAULTS = ("kill_before", "kill_after", "throttle", "lost_ack")
FEW_TRANSACTION_FAULTS = (*FEW_WRITE_FAULTS, "conflict")


@dataclass(frozen=True)
class Call:
    """One AWS call as it was made."""

    actor: str
    service: str
    operation: str
    tables: tuple[str, ...]
    writes: bool
    fault: str | None = None
    status: int | None = None

    def __str__(self) -> str:
        where = ",".join(table.rpartition("-")[2] for table in self.tables)
        end = f"!{self.fault}" if self.fault else str(self.status)
        return f"{self.actor} {self.service}.{self.operation}({where}) {end}"


@dataclass(frozen=True)
class Sent:
    """What left the system: a publication, a queued message, a mail."""

    service: str
    operation: str
    fields: dict[str, Any]


class World:
    """The AWS of one history; enter it to exchange the product's clients, clock and chance."""

    def __init__(
        self,
        choices: Choices,
        *,
        seed: object = 0,
        few_faults: bool = False,
        sdk_retries: bool = False,
        point: Callable[[Call], bool] = lambda call: True,
    ) -> None:
        self.scheduler = Scheduler(choices)
        self.calls: list[Call] = []
        self.sent: list[Sent] = []
        self.drift = timedelta()
        self.faulty = True
        self._seed = seed
        self._few = few_faults
        self._sdk_retries = sdk_retries
        self._point = point
        self._lock = threading.RLock()
        self._tokens: dict[str, bytes] = {}
        self._undo: list[Callable[[], None]] = []

    @property
    def schedule(self) -> list[Step]:
        """Every decision so far."""
        return self.scheduler.schedule

    def now(self) -> datetime:
        """The business time: it moves with the calls, and by ``drift``."""
        return START + self.drift + timedelta(milliseconds=200 * len(self.calls))

    def run(self, actors: Sequence[tuple[str, Callable[[], Any]]]) -> dict[str, Outcome]:
        """Run actors together to their ends."""
        return self.scheduler.run(actors)

    def invoke(self, action: Callable[[], Any]) -> Outcome:
        """Within an actor: one invocation, which a kill ends without ending the actor."""
        return self.scheduler.invoke(action)

    def __enter__(self) -> Self:
        from chalicelib import clock, ids

        for client in aws.clients().values():
            self._listen(client)
        clock.use(self.now)
        ids.use(random.Random(f"ids {self._seed}"))
        self._patch("chalicelib.clock.wall", self.now)
        self._patch("chalicelib.storage.transactions.time", mock.Mock(sleep=lambda seconds: None))
        room = ExitStack()
        room.enter_context(photo_files.quick())
        self._undo.append(room.close)
        self._patch("botocore.endpoint.time", mock.Mock(sleep=lambda seconds: None))
        return self

    def __exit__(self, *error: object) -> None:
        from chalicelib import clock, ids

        while self._undo:
            self._undo.pop()()
        clock.use(None)
        ids.use(None)

    def _patch(self, target: str, value: Any) -> None:
        patch = mock.patch(target, value)
        patch.start()
        self._undo.append(patch.stop)

    def _listen(self, client: Any) -> None:
        events = client.meta.events
        # Otherwise moto would apply the write behind an answer of ours.
        events.unregister("before-send", stub)
        events.register_first("before-send", self._hook)

        def restore() -> None:
            events.unregister("before-send", self._hook)
            events.register("before-send", stub)

        self._undo.append(restore)
        if not self._sdk_retries:
            self._undo.append(_without_retries(client))

    def _hook(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        actor = self.scheduler.actor()
        if actor is None:
            return self._apply(request, event_name)
        call = _call(actor, request, event_name)
        fault = None
        if self._point(call):
            fault = self.scheduler.wait(self._options(call) if self.faulty else ())
        try:
            response = self._meet(call, fault, request, event_name)
        except BaseException:
            self.calls.append(_done(call, fault, None))
            raise
        self.calls.append(_done(call, fault, response.status_code))
        return response

    def _options(self, call: Call) -> tuple[str, ...]:
        if not call.writes:
            return FEW_READ_FAULTS if self._few else READ_FAULTS
        if call.operation == "TransactWriteItems":
            return FEW_TRANSACTION_FAULTS if self._few else TRANSACTION_FAULTS
        return FEW_WRITE_FAULTS if self._few else WRITE_FAULTS

    def _meet(self, call: Call, fault: str | None, request: Any, event_name: str) -> AWSResponse:
        if fault == "kill_before":
            self.scheduler.kill()
        if fault == "unreachable":
            raise ConnectTimeoutError(endpoint_url=request.url)
        if fault == "error":
            return answer(request, 500, b"")
        if fault == "throttle":
            return _throttled(call, request)
        if fault == "conflict":
            return _conflicting(request)
        response = self._apply(request, event_name)
        if fault == "kill_after":
            self.scheduler.kill()
        if fault == "lost_ack":
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer(request, 500, b"") if fault == "lost_500" else response

    def _apply(self, request: Any, event_name: str) -> AWSResponse:
        body = request.body or b""
        token = None
        if event_name.endswith("TransactWriteItems"):
            # moto knows no tokens: the same one must not write twice.
            token = json.loads(body).get("ClientRequestToken")
            if token in self._tokens:
                same = self._tokens[token] == body
                return answer(request, 200, b"{}") if same else _mismatch(request)
        with self._lock:
            response = respond(event_name, request)
        assert response is not None, f"moto does not know {request.url}"
        if response.status_code < 300:
            if token:
                self._tokens[token] = body
            self._note(event_name, body)
        return response

    def _note(self, event_name: str, body: Any) -> None:
        _, service, operation = event_name.split(".")
        if operation not in {"Publish", "SendMessage", "SendEmail"}:
            return
        text = body.decode() if isinstance(body, bytes) else body
        fields = json.loads(text) if text.startswith("{") else dict(parse_qsl(text))
        self.sent.append(Sent(service, operation, fields))


def _without_retries(client: Any) -> Callable[[], None]:
    """Take the SDK's retries from a client, so that each call is one; how to give them back."""
    events = client.meta.events
    name = client.meta.service_model.service_id.hyphenize()
    key = f"retry-config-{name}"
    handler = events._emitter._unique_id_handlers[key]["handler"]
    events.unregister(f"needs-retry.{name}", unique_id=key)
    return lambda: events.register(f"needs-retry.{name}", handler, unique_id=key)


def _call(actor: str, request: Any, event_name: str) -> Call:
    _, service, operation = event_name.split(".")
    tables: list[str] = []
    if service == "dynamodb":
        body = json.loads(request.body)
        found = [next(iter(one.values())) for one in body.get("TransactItems", ())]
        tables = [one["TableName"] for one in (*found, body) if "TableName" in one]
        tables += body.get("RequestItems", {})
    return Call(
        actor, service, operation, tuple(sorted(set(tables))), not operation.startswith(_READS)
    )


def _done(call: Call, fault: str | None, status: int | None) -> Call:
    return Call(call.actor, call.service, call.operation, call.tables, call.writes, fault, status)


def _refusal(request: Any, code: str, **members: Any) -> AWSResponse:
    document = {"__type": f"com.amazonaws#{code}", "message": code, **members}
    return answer(request, 400, json.dumps(document).encode())


def _throttled(call: Call, request: Any) -> AWSResponse:
    if call.service == "dynamodb":
        return _refusal(request, "ProvisionedThroughputExceededException")
    if call.service in {"sqs", "ssm"}:
        return _refusal(request, "ThrottlingException")
    if call.service == "s3":
        return answer(request, 503, b"<Error><Code>SlowDown</Code></Error>")
    return answer(
        request, 400, b"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>"
    )


def _conflicting(request: Any) -> AWSResponse:
    count = len(json.loads(request.body)["TransactItems"])
    reasons = [{"Code": "TransactionConflict"}] + [{"Code": "None"}] * (count - 1)
    return _refusal(request, "TransactionCanceledException", CancellationReasons=reasons)


def _mismatch(request: Any) -> AWSResponse:
    return _refusal(request, "IdempotentParameterMismatchException")
