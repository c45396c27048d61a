"""The event sources of a Chalice app, each polled as AWS Lambda's event source mappings do.

``poll(wait)`` of a source takes one batch, calls the function, acknowledges the events that
succeeded and returns how many it took. Delivery is at least once, and in order within a stream. A
failed event is retried, and set aside in a queue after the last attempt.
"""

import json
import logging
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from infra.local.events import sqs_event, stream_record

log = logging.getLogger(__name__)

STREAM_TRIES = 5
_TRIES_AT_ONCE = 20
_MOST_MESSAGES = 10


Invoke = Callable[[dict[str, Any]], Any]


class Positions(Protocol):
    """The position of each function in its stream."""

    def get(self, name: str) -> str | None:
        """The last sequence number that ``name`` has handled."""

    def set(self, name: str, sequence: str) -> None:
        """Remember that ``name`` has handled everything up to ``sequence``."""


class Held:
    """Positions in memory, for tests."""

    def __init__(self) -> None:
        self._held: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        """See ``Positions``."""
        return self._held.get(name)

    def set(self, name: str, sequence: str) -> None:
        """See ``Positions``."""
        self._held[name] = sequence


class Source(Protocol):
    """Something that hands events to one function."""

    name: str

    def poll(self, wait: float = 0) -> int:
        """Take one batch, waiting up to ``wait`` seconds for it; the number of events taken."""


class StreamSource:
    """A DynamoDB stream, in order, with partial batch failures.

    A batch that fails ``tries`` times in a row is retried one record at a time. A record that fails
    alone as often is set aside in the queue ``<function>-poison``, and the stream continues.

    ``lane`` of ``lanes``: as with Lambda's ``ParallelizationFactor``, a source takes only the
    records whose key belongs to its lane, and the lanes run side by side, each in order.
    """

    def __init__(  # noqa: PLR0913 (settings, most of them with a default)
        self,
        name: str,
        stream_arn: str,
        batch: int,
        invoke: Invoke,
        positions: Positions,
        clients: Callable[[str], Any],
        tries: int = STREAM_TRIES,
        lane: int = 0,
        lanes: int = 1,
    ) -> None:
        self.name = name if lanes == 1 else f"{name}#{lane}"
        self._function = name
        self._lane, self._lanes = lane, lanes
        self.stream_arn = stream_arn
        self._batch = batch
        self._invoke = invoke
        self._positions = positions
        self._clients = clients
        self._tries = tries
        self._iterator: str | None = None
        self._failing = ("", 0)
        self._singly = 0

    @property
    def position(self) -> str | None:
        """The last sequence number that is handled; a new lane begins where the stream was."""
        return self._positions.get(self.name) or self._positions.get(self._function)

    @property
    def failures(self) -> int:
        """How often in a row the next record has failed."""
        return self._failing[1]

    def poll(self, wait: float = 0) -> int:
        """See ``Source``; a stream has nothing to wait for."""
        client = self._clients("dynamodbstreams")
        if self._iterator is None:
            self._iterator = self._start(client)
        limit = 1 if self._singly else self._batch
        try:
            page = client.get_records(ShardIterator=self._iterator, Limit=limit)
        except client.exceptions.ExpiredIteratorException:
            self._iterator = None
            return self.poll(wait)
        records = page["Records"]
        if not records:
            self._iterator = page.get("NextShardIterator")
            return 0
        mine = [record for record in records if _lane_of(record, self._lanes) == self._lane]
        if self._deliver(mine) == len(mine):
            if len(mine) < len(records):
                self._positions.set(self.name, str(records[-1]["dynamodb"]["SequenceNumber"]))
            self._iterator = page.get("NextShardIterator")
        else:
            self._iterator = None
        return len(records)

    def _deliver(self, records: list[dict[str, Any]]) -> int:
        if not records:
            return 0
        sequences = [str(record["dynamodb"]["SequenceNumber"]) for record in records]
        event = {"Records": [stream_record(record, self.stream_arn) for record in records]}
        try:
            done = _succeeded(self._invoke(event), sequences)
        except Exception:
            log.exception("%s failed on %d stream records", self.name, len(records))
            done = 0
        if done < len(records):
            self._note_failure(sequences[done])
            if self.failures >= self._tries:
                if len(records) == 1:
                    self._set_aside(records[0])
                    done = 1
                else:
                    self._singly = len(records) - done
                self._failing = ("", 0)
        else:
            self._failing = ("", 0)
        if done:
            self._positions.set(self.name, sequences[done - 1])
            self._singly = max(0, self._singly - done) if len(records) == 1 else self._singly
        return done

    def _note_failure(self, sequence: str) -> None:
        before, count = self._failing
        self._failing = (sequence, count + 1 if before == sequence else 1)

    def _set_aside(self, record: dict[str, Any]) -> None:
        queues = self._clients("sqs")
        url = queues.create_queue(QueueName=f"{self._function}-poison")["QueueUrl"]
        body = json.dumps(stream_record(record, self.stream_arn), default=str)
        queues.send_message(QueueUrl=url, MessageBody=body)
        log.error("%s set a stream record aside: %s", self.name, record["dynamodb"]["Keys"])

    def _start(self, client: Any) -> str:
        shards = client.describe_stream(StreamArn=self.stream_arn)["StreamDescription"]["Shards"]
        position = {"StreamArn": self.stream_arn, "ShardId": shards[0]["ShardId"]}
        after = self.position
        if after is not None:
            try:
                answer = client.get_shard_iterator(
                    **position, ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=after
                )
                return str(answer["ShardIterator"])
            except client.exceptions.TrimmedDataAccessException:
                # Its record is no longer kept, so all kept records are later.
                pass
        answer = client.get_shard_iterator(**position, ShardIteratorType="TRIM_HORIZON")
        return str(answer["ShardIterator"])


def _lane_of(record: dict[str, Any], lanes: int) -> int:
    keys = record["dynamodb"]["Keys"]
    # The partition key of our tables is "pk"; its records stay in order.
    text = json.dumps(keys.get("pk", keys), sort_keys=True, default=str)
    return zlib.crc32(text.encode()) % lanes


Convert = Callable[[list[dict[str, Any]], str], dict[str, Any]]


class QueueSource:
    """An SQS queue: succeeded messages are deleted, the others return by the queue's own rules.

    As with Lambda, up to ``at_once`` batches are handled at the same time.
    """

    def __init__(  # noqa: PLR0913 (settings, most of them with a default)
        self,
        name: str,
        queue: str,
        batch: int,
        invoke: Invoke,
        clients: Callable[[str], Any],
        convert: Convert | None = None,
        retry_at_once: bool = False,
        at_once: int = 1,
    ) -> None:
        self.name = name
        self._batch = max(1, min(batch, _MOST_MESSAGES))
        self.at_once = at_once
        self._invoke = invoke
        self._client = clients("sqs")
        self._convert = convert or sqs_event
        self._retry_at_once = retry_at_once
        self.url = self._client.get_queue_url(QueueName=queue)["QueueUrl"]
        queue_attributes = self._client.get_queue_attributes(
            QueueUrl=self.url, AttributeNames=["QueueArn"]
        )
        self.arn = str(queue_attributes["Attributes"]["QueueArn"])

    def poll(self, wait: float = 0) -> int:
        """See ``Source``."""
        messages = self._client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=min(self._batch * self.at_once, _MOST_MESSAGES),
            WaitTimeSeconds=int(wait),
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        batches = [messages[n : n + self._batch] for n in range(0, len(messages), self._batch)]
        if len(batches) > 1:
            with ThreadPoolExecutor(self.at_once) as threads:
                failures = list(threads.map(self._handle, batches))
        else:
            failures = [self._handle(batch) for batch in batches]
        for batch, failed in zip(batches, failures, strict=True):
            self._settle(batch, failed)
        return len(messages)

    def _handle(self, messages: list[dict[str, Any]]) -> set[Any]:
        """Call the function. Returns the ids of the messages that failed; ``None`` for all."""
        try:
            return _failed(self._invoke(self._convert(messages, self.arn)))
        except Exception:
            log.exception("%s failed on %d messages", self.name, len(messages))
            return {None}

    def _settle(self, messages: list[dict[str, Any]], failed: set[Any]) -> None:
        known = {message["MessageId"] for message in messages}
        # As on AWS, an answer that names no message of the batch fails the whole of it.
        every = bool(failed) and not failed <= known
        for message in messages:
            if every or message["MessageId"] in failed:
                self._give_back(message)
            else:
                handle = message["ReceiptHandle"]
                self._client.delete_message(QueueUrl=self.url, ReceiptHandle=handle)

    def _give_back(self, message: dict[str, Any]) -> None:
        received = int(message.get("Attributes", {}).get("ApproximateReceiveCount", "1"))
        # A queue without a dead-letter queue would otherwise return it for ever.
        if self._retry_at_once and received < _TRIES_AT_ONCE:
            handle = message["ReceiptHandle"]
            self._client.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=0
            )


def _failed(answer: Any) -> set[Any]:
    if not isinstance(answer, Mapping):
        return set()
    return {entry.get("itemIdentifier") for entry in answer.get("batchItemFailures") or ()}


def _succeeded(answer: Any, sequences: list[str]) -> int:
    """How many records from the first are done; a failure also retries all records after it."""
    failed = _failed(answer)
    if not failed <= set(sequences):
        return 0
    return min((sequences.index(sequence) for sequence in failed), default=len(sequences))
