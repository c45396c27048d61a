"""Runs everything in app.py that is not HTTP: streams, queues, topics, rules and schedules.

    drivers = Drivers(app)                 step by step, for tests and the demo:
    drivers.drain()                          handle all outstanding events and those that follow
    drivers.tick(moment)                     move business time and run the schedules that are due
    drivers.start() ... drivers.stop()     in threads, for a person

Step by step there are no pauses: a message or record that fails is retried at once, up to the limit
of its queue or stream, and then set aside.
"""

import json
import logging
import os
import threading
import uuid
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from chalice.app import (
    Chalice,
    CloudWatchEventConfig,
    DynamoDBEventConfig,
    ScheduledEventConfig,
    SNSEventConfig,
    SQSEventConfig,
)

from infra.deploy.functions import FUNCTIONS, LANES
from infra.local import delivery_queues
from infra.local.events import REGION, Context, bus_event, sns_event
from infra.local.schedules import Clock, Schedule
from infra.local.sources import Held, Positions, QueueSource, Source, StreamSource

log = logging.getLogger(__name__)

_CONFIG = Path(__file__).parents[2] / ".chalice" / "config.json"
_IDLE_SECONDS = 0.2
_LONG_POLL_SECONDS = 1.0
_WORST_PAUSE_SECONDS = 10.0
# Each photo has a process of its own, so several can use all processors of this machine.
AT_ONCE = {"process_photos": (os.cpu_count() or 1) + 1}


@cache
def _seconds(name: str) -> float:
    """The time limit in seconds of a deployed function."""
    declared = FUNCTIONS.get(name)
    if declared is not None and declared.timeout is not None:
        return declared.timeout
    return float(json.loads(_CONFIG.read_bytes())["lambda_timeout"])


def _clients() -> Callable[[str], Any]:
    quick = Config(connect_timeout=2, read_timeout=30, retries={"max_attempts": 1})
    return cache(lambda service: boto3.client(service, config=quick))


class Drivers:
    """All event sources of ``app``, at the AWS endpoint of the environment.

    ``has_events(arn, after)`` says whether a queue, or a stream after a sequence number, has
    anything to take; step by step, a source that has nothing is not polled.

    Raises ValueError for an event source or a schedule that cannot be run here.
    """

    def __init__(
        self,
        app: Chalice,
        clock: Clock | None = None,
        positions: Positions | None = None,
        by_hand: bool = True,
        has_events: Callable[[str, str | None], bool] = lambda _arn, _after: True,
    ) -> None:
        self.clock = clock or Clock()
        self._app = app
        self._clients = _clients()
        # boto3's session is not thread-safe: these clients are made before the threads.
        self.clients = [self._clients(service) for service in ("dynamodbstreams", "sqs")]
        self._positions = positions or Held()
        self._by_hand = by_hand
        self._has_events = has_events
        self._fired = self.clock.now()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.schedules: dict[str, Schedule] = {}
        self.sources: list[Source] = []
        for config in app.event_sources:
            self._add(config)

    # ---- by hand -----------------------------------------------------------------------------

    def drain(self) -> int:
        """Handle every outstanding event and those that follow. Returns how many."""
        total = 0
        while taken := sum(self._exhaust(source) for source in self.sources):
            total += taken
        return total

    def tick(
        self,
        moment: datetime,
        coalesce: bool = True,
        without: Collection[str] = (),
        then: Callable[[], object] = lambda: None,
    ) -> int:
        """Move business time to ``moment`` and run each schedule at the times when it is due.

        With ``coalesce`` a rate that is due several times runs once, at its last time; its function
        catches up by itself. Crons run every time. Schedules in ``without`` are left to the caller.
        ``then`` is called each time before the clock moves. Returns the number of runs.
        """
        moment = max(self._fired, moment)
        since, self._fired = self._fired, moment
        self.drain()
        then()
        due = sorted(
            (at, name)
            for name, schedule in self.schedules.items()
            if name not in without
            for at in self._moments(schedule, since, moment, coalesce)
        )
        for at, name in due:
            self.clock.set(at)
            self.fire(name, at)
            self.drain()
            then()
        self.clock.set(moment)
        return len(due)

    def fire(self, name: str, at: datetime | None = None) -> Any:
        """Run the scheduled function ``name``, due ``at`` (default: now). Returns its answer."""
        moment = at or self.clock.now()
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "000000000000",
            "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": [f"arn:aws:events:{REGION}:000000000000:rule/{name}"],
            "detail": {},
        }
        try:
            return self._invoker(name)(event)
        except Exception:
            log.exception("the schedule %s failed", name)
            return None

    @staticmethod
    def _moments(
        schedule: Schedule, since: datetime, until: datetime, coalesce: bool
    ) -> list[datetime]:
        period = schedule.period
        if coalesce and period is not None:
            last = schedule.next_after(until) or until
            return [at for at in [last - period] if since < at <= until]
        return list(schedule.between(since, until))

    def _exhaust(self, source: Source) -> int:
        total = 0
        while self._outstanding(source) and (taken := source.poll()):
            total += taken
        return total

    def _outstanding(self, source: Source) -> bool:
        """Whether a poll may give anything; ``has_events`` knows without a request to AWS."""
        if isinstance(source, StreamSource):
            return self._has_events(source.stream_arn, source.position)
        return not isinstance(source, QueueSource) or self._has_events(source.arn, None)

    # ---- in threads --------------------------------------------------------------------------

    def start(self) -> None:
        """Poll each source in its own thread, and run the schedules by the clock."""
        for source in self.sources:
            self._spawn(source.name, self._follow, source)
        if self.schedules:
            self._spawn("schedules", self._keep_time)

    def stop(self) -> None:
        """Stop taking events; events in progress are finished, or are delivered again after a
        restart."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(5)

    def _spawn(self, name: str, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _follow(self, source: Source) -> None:
        troubles = 0
        while not self._stopping.is_set():
            try:
                taken = source.poll(_LONG_POLL_SECONDS)
                troubles = 0
            except Exception:
                if self._stopping.is_set():
                    return
                log.exception("polling for %s failed", source.name)
                taken, troubles = 0, troubles + 1
            failures = max(troubles, getattr(source, "failures", 0))
            if failures:
                self._stopping.wait(min(_IDLE_SECONDS * 2**failures, _WORST_PAUSE_SECONDS))
            elif not taken and isinstance(source, StreamSource):
                self._stopping.wait(_IDLE_SECONDS)

    def _keep_time(self) -> None:
        while not self._stopping.is_set():
            now = self.clock.now()
            since, self._fired = self._fired, now
            for name, schedule in self.schedules.items():
                for at in self._moments(schedule, since, now, coalesce=True):
                    self.fire(name, at)
            ahead = [s.next_after(now) or now + timedelta(days=1) for s in self.schedules.values()]
            self._stopping.wait(min(60.0, self.clock.seconds_until(min(ahead)) + 0.001))

    # ---- the sources -------------------------------------------------------------------------

    def _invoker(self, name: str) -> Callable[[dict[str, Any]], Any]:
        return lambda event: self._app.handler_map[name](event, Context(name, _seconds(name)))

    def _add(self, config: Any) -> None:
        name = str(config.name)
        if isinstance(config, ScheduledEventConfig):
            held = config.schedule_expression
            expression = held if isinstance(held, str) else held.to_string()
            self.schedules[name] = Schedule(expression, self._fired)
        elif isinstance(config, DynamoDBEventConfig):
            stream = self._stream(_text(config.stream_arn, name))
            # Step by step, one thing happens after another, in the same order every time.
            lanes = 1 if self._by_hand else LANES
            self.sources += [
                StreamSource(
                    name,
                    stream,
                    config.batch_size,
                    self._invoker(name),
                    self._positions,
                    self._clients,
                    lane=lane,
                    lanes=lanes,
                )
                for lane in range(lanes)
            ]
        elif isinstance(config, SQSEventConfig):
            queue = config.queue or _text(config.queue_arn, name).rsplit(":", 1)[-1]
            # By hand one thing happens after another, unless the caller wants more.
            at_once = 1 if self._by_hand else AT_ONCE.get(name, 1)
            self._add_queue(name, queue, config.batch_size, at_once=at_once)
        elif isinstance(config, SNSEventConfig):
            self._add_queue(
                name, delivery_queues.of_topic(self._clients, name, config.topic), 1, sns_event
            )
        elif isinstance(config, CloudWatchEventConfig):
            self._add_queue(
                name,
                delivery_queues.of_rule(self._clients, name, config.event_pattern),
                1,
                bus_event,
            )
        else:
            raise ValueError(f"{name}: the local stack runs no {type(config).__name__}")

    def _add_queue(
        self, name: str, queue: str, batch: int, convert: Any = None, at_once: int = 1
    ) -> None:
        invoke = self._invoker(name)
        source = QueueSource(
            name, queue, batch, invoke, self._clients, convert, self._by_hand, at_once
        )
        self.sources.append(source)

    def _stream(self, arn: str) -> str:
        """The table's current stream; a table made again has another one than app.py."""
        table = arn.split("/")[1]
        described = boto3.client("dynamodb").describe_table(TableName=table)["Table"]
        return str(described["LatestStreamArn"])


def _text(arn: Any, name: str) -> str:
    if not isinstance(arn, str):
        raise ValueError(f"{name}: locally its ARN must be a text, not {arn!r}")
    return arn
