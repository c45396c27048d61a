"""Delivers streams and queues as Lambda does at its worst: twice, late, in another order, again.

A pump keeps its position as an event source mapping does: it moves on after successes, delivers
again from the first failure, and (``forget``) sometimes loses its position. After ``PATIENCE``
failures in a row without a fault a record is a dead letter, which the checkers count.
"""

import json
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from chalicelib.domain import event_parts
from chalicelib.entrypoints import batches
from chalicelib.settings import settings
from tests.faults.scheduler import Outcome
from tests.faults.world import World
from tests.support import aws

PATIENCE = 5
RECEIVED_AT_MOST = 5
# How long a queue waits before it delivers a message again: six times the function's limit.
VISIBILITY = timedelta(seconds=150)


class Context:
    """A Lambda context with time left."""

    function_name = "test"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 20_000


@dataclass
class StreamPump:
    """One lane of the timeline's stream, and its function.

    A stream has ``lanes``; each takes the records whose key it has by its hash, as Lambda's
    ``ParallelizationFactor`` does, and keeps its own place.
    """

    world: World
    place: int = 0
    dead: list[str] = field(default_factory=list)
    lane: int = 0
    lanes: int = 1
    _failures: int = 0

    def waiting(self) -> int:
        """How many records may not have been processed."""
        return len(self._records()) - self.place

    def _records(self) -> list[dict[str, Any]]:
        return [one for one in aws.stream() if _lane(one, self.lanes) == self.lane]

    def deliver(
        self, most: int, chance: random.Random | None = None, *, forget: bool = False
    ) -> Callable[[], None]:
        """An actor that processes up to ``most`` records, shaken by ``chance``."""

        def actor() -> None:
            records = self._records()[self.place : self.place + most]
            if not records:
                return
            batch = _shaken(records, chance) if chance else records
            outcome = self.world.invoke(lambda: batches.project({"Records": batch}, Context()))
            reached = self._reached(outcome, records)
            if not forget:
                self.place = max(self.place, reached)

        return actor

    def finish(self) -> None:
        """Process everything that is left; repeated failures are dead letters."""
        while self.waiting():
            before = self.place
            self.world.run([("drain", self.deliver(100))])
            self._failures = 0 if self.place > before else self._failures + 1
            if self._failures >= PATIENCE:
                self.dead.append(str(self._records()[self.place]["dynamodb"]["Keys"]))
                self.place += 1
                self._failures = 0

    def again(self, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Deliver the records of the wanted events once more, those of one report in order."""
        records = [one for one in aws.stream() if wanted(event_in(one))]
        for start in range(0, len(records), 100):
            batch = records[start : start + 100]
            self.world.run([("again", lambda batch=batch: self.take(batch))])

    def take(self, records: list[dict[str, Any]]) -> None:
        """Within an actor: the function on these records alone."""
        self.world.invoke(lambda: batches.project({"Records": records}, Context()))

    def _reached(self, outcome: Outcome, records: list[dict[str, Any]]) -> int:
        numbers = [record["dynamodb"]["SequenceNumber"] for record in self._records()]
        if outcome.kind != "ok":
            return self.place
        failed = [failure["itemIdentifier"] for failure in outcome.value["batchItemFailures"]]
        if failed:
            return min(numbers.index(one) for one in failed)
        return numbers.index(records[-1]["dynamodb"]["SequenceNumber"]) + 1


def _shaken(records: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    """Some twice, and the reports in another order; within a report the order stays."""
    doubled = [record for record in records for _ in range(2 if chance.random() < 0.2 else 1)]
    reports = sorted({_report(one) for one in doubled})
    chance.shuffle(reports)
    if chance.random() < 0.5:
        return sorted(doubled, key=lambda one: reports.index(_report(one)))
    return doubled


def event_in(record: dict[str, Any]) -> dict[str, Any]:
    """The event that a stream record shows."""
    image = record["dynamodb"]["NewImage"]
    text = event_parts.whole(image["event"]["S"], image.get("inside", {}).get("S"))
    found: dict[str, Any] = json.loads(text)
    return found


def _lane(record: dict[str, Any], lanes: int) -> int:
    return zlib.crc32(_report(record).encode()) % lanes


def _report(record: dict[str, Any]) -> str:
    return str(record["dynamodb"]["Keys"]["pk"]["S"])


@dataclass
class QueuePump:
    """One queue and its function; ``received`` counts deliveries as SQS does."""

    world: World
    name: str
    handler: Callable[[dict[str, Any], Any], dict[str, Any]]
    done: int = 0
    dead: list[str] = field(default_factory=list)
    received: dict[str, int] = field(default_factory=dict)

    def waiting(self) -> list[Any]:
        """The messages in the queue."""
        found: list[Any] = aws.backend("sqs").queues[self.name]._messages
        return found

    def deliver(
        self, most: int, chance: random.Random | None = None, *, forget: bool = False
    ) -> Callable[[], None]:
        """An actor that processes up to ``most`` messages in any order."""

        def actor() -> None:
            messages = list(self.waiting())
            if chance:
                chance.shuffle(messages)
            batch = messages[:most]
            if not batch:
                return
            records = [_record(one) for one in batch]
            outcome = self.world.invoke(lambda: self.handler({"Records": records}, Context()))
            if forget:
                return
            failed = {record["messageId"] for record in records}
            if outcome.kind == "ok":
                failed = {
                    failure["itemIdentifier"] for failure in outcome.value["batchItemFailures"]
                }
            for message in batch:
                if message.id not in failed:
                    self._remove(message)
                    self.done += 1

        return actor

    def finish(self) -> None:
        """Deliver until the queue is empty; what was received too often is dead."""
        first = True
        while self.waiting():
            if not first:
                self.world.drift += VISIBILITY
            first = False
            for message in list(self.waiting()):
                count = self.received[message.id] = self.received.get(message.id, 0) + 1
                if count > RECEIVED_AT_MOST:
                    self._remove(message)
                    self.dead.append(message.body)
            self.world.run([("drain", self.deliver(10))])

    def _remove(self, message: Any) -> None:
        # Another delivery of the same message may have removed it.
        if message in self.waiting():
            self.waiting().remove(message)
        else:
            self.done -= 1


def _record(message: Any) -> dict[str, Any]:
    return {
        "messageId": message.id,
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSource": "aws:sqs",
    }


def messages_pump(world: World) -> QueuePump:
    """The queue of messages to citizens."""
    return QueuePump(world, settings().messages_queue, batches.send_messages)


def photos_pump(world: World) -> QueuePump:
    """The queue of what arrived in the bucket."""
    return QueuePump(world, settings().photos_queue, batches.process_photos)
