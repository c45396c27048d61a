"""Webhook messages are delivered late, twice and out of order, and runs are killed at every write.

I16  another system gets each public event of a report, and none before an earlier one
"""

import itertools
import json
import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

from chalicelib import clock
from chalicelib.domain.city.hook import Hook
from chalicelib.domain.message_types import WebhookMessage
from chalicelib.outside import webhooks as outside
from chalicelib.outside.fetch import Failed, Reply
from chalicelib.services.city import cities
from chalicelib.services.notifications import outbox
from chalicelib.services.projections import timeline_events
from chalicelib.services.webhooks import hooks, sending
from chalicelib.services.webhooks.sending import Later
from chalicelib.settings import settings
from chalicelib.storage import timeline_rows
from chalicelib.storage import webhooks as store
from tests.support import aws
from tests.support.world import BUNDLE, JURISDICTION, STAFF, World, blob, official

HOOK, REPORTS, STEPS, ACTS = "lapor", 2, 60, 14
_WRITES = ("save", "leave", "put_back", "finish")
_WORKERS = ("worker1", "mate1")
# A queue delivers the message of a killed run after the run's lease has ended.
_LAPSE = timedelta(minutes=2)
_APART = 5
Delivery = tuple[WebhookMessage, int]


class _Killed(BaseException):
    """The run ends here, as when Lambda ends it."""


@dataclass
class Result:
    """The result of one seed."""

    seed: int
    faults: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def story(self) -> str:
        """What to print when something is wrong."""
        return "\n".join([f"seed {self.seed}", *self.faults, "schedule: " + ", ".join(self.steps)])


@dataclass
class _Play:
    """A city with one hook, the queue as a bag of messages, and what the other system took."""

    chance: random.Random
    world: World
    result: Result
    calm: bool = False
    drift: timedelta = timedelta()
    taken: dict[str, list[int]] = field(default_factory=dict)
    queue: list[Delivery] = field(default_factory=list)
    # Messages of killed runs, which come back when the lease has ended.
    late: list[Delivery] = field(default_factory=list)

    def queued(self, report: str) -> None:
        """Project a report's newest event, and put the messages of it into the bag."""
        newest = self.world.events(report)[-1]
        timeline_events.apply(newest, self.world.now)  # type: ignore[arg-type]
        outbox.drain(now=self.world.now)
        held = aws.backend("sqs").queues[settings().webhooks_queue]._messages
        self.queue += [(json.loads(one.body), 1) for one in held]
        held.clear()

    def post(self, url: str, delivery: str, *rest: Any) -> Reply:
        """The other system: takes the event, refuses it, or takes it and its answer is lost."""
        report, _, version = delivery.rpartition("-")
        luck = 1.0 if self.calm else self.chance.random()
        if luck < 0.2:
            self.result.steps.append(f"{delivery} refused")
            return Reply(503, b"")
        self.taken.setdefault(report, []).append(int(version))
        self.result.steps.append(f"{delivery} taken")
        if luck < 0.3:
            raise Failed("too_slow")
        return Reply(200, b"")

    def killed(self, name: str, write: Callable[..., bool]) -> Callable[..., bool]:
        """A write before or after which the run is killed now and then."""

        def call(*arguments: Any) -> bool:
            if not self.calm and self.chance.random() < 0.08:
                self.result.steps.append(f"killed before {name}")
                raise _Killed
            done = write(*arguments)
            if not self.calm and self.chance.random() < 0.08:
                self.result.steps.append(f"killed after {name}")
                raise _Killed
            return done

        return call

    def deliver(self, message: WebhookMessage, attempts: int) -> None:
        """One delivery of the queue."""
        try:
            sending.handle(message, min(attempts, 9), self.world.now)
        except Later:
            self.queue.append((message, attempts + 1))
        except _Killed:
            self.late.append((message, attempts + 1))

    def step(self) -> None:
        """Deliver any message; perhaps once more later; perhaps let a lease end."""
        if self.queue:
            message, attempts = self.queue.pop(self.chance.randrange(len(self.queue)))
            if self.chance.random() < 0.2:
                self.queue.append((message, attempts))
            self.deliver(message, attempts)
        if self.late and self.chance.random() < 0.4:
            self.drift += _LAPSE
            self.queue, self.late = self.queue + self.late, []
        self.world.advance(minutes=self.chance.randrange(3))

    def end(self) -> None:
        """The other system is well again, and everything that waits is delivered."""
        self.calm, self.drift = True, self.drift + 3 * _LAPSE
        self.world.advance(days=1)
        for message, attempts in self.queue + self.late:
            self.deliver(message, attempts)


def play(seed: int) -> Result:
    """Change two reports while their events go to a system that fails, and runs are killed."""
    aws.fresh()
    world, result = World(), Result(seed)
    bundle = {**deepcopy(BUNDLE), "version": "hook00000000"}
    bundle["webhooks"] = [{"code": HOOK, "url": "https://lapor.example/hook"}]
    cities.publish(bundle, blob(), list(STAFF), world.now)
    store.put_secrets(JURISDICTION, HOOK, [outside.secret(b"s" * 32)])
    play = _Play(random.Random(f"webhooks {seed}"), world, result)
    reports = [world.file()["id"] for _ in range(REPORTS)]
    for report in reports:
        play.queued(report)
    acts = 0
    wall = clock.wall
    with (
        patch.multiple(
            store, **{name: play.killed(name, getattr(store, name)) for name in _WRITES}
        ),
        patch.object(outside, "post", play.post),
        patch.object(clock, "wall", lambda: wall() + play.drift),
    ):
        for _ in range(STEPS):
            if acts < ACTS and play.chance.random() < 0.4:
                acts += 1
                worker = official(_WORKERS[acts % 2])
                report = play.chance.choice(reports)
                world.act(official("officer1"), report, "assign", person=worker.uid)
                play.queued(report)
            play.step()
        play.end()
    for report in reports:
        result.faults += _faults(report, world.head(report).version, play.taken.get(report, []))
    return result


def interleaved(seed: int, faults: float) -> Result:
    """Messages of one report are handled at the same time, one AWS call after another in any order;
    what fails or is killed comes back when the lease has ended. An event is there as soon as its
    message is."""
    from tests.faults import races, world
    from tests.faults.scheduler import Chance
    from tests.support import warm_city

    result, taken, there, first = Result(seed), list[int](), [0], [True]
    hook = Hook(HOOK, "https://lapor.example/hook")
    read = timeline_rows.timeline

    def post(url: str, delivery: str, *rest: Any) -> Reply:
        taken.append(int(delivery.rpartition("-")[2]))
        return Reply(200, b"")

    def so_far(jurisdiction: str, report: str, after: int, limit: int) -> list[tuple[str, str]]:
        newest = there[0]
        rows = read(jurisdiction, report, after, limit)
        return [row for row in rows if json.loads(row[0])["version"] <= newest]

    with world.World(Chance(f"webhooks {seed}", faults), seed=seed) as emulated:
        warm_city.reset()
        stage = races.Stage(emulated)
        report = stage.filed()
        for version, worker in enumerate(("worker1", "mate1", "worker1"), start=1):
            stage.acted(races.BOSS, report, "assign", version, person=official(worker).uid)
        city = cities.current(JURISDICTION, emulated.now())
        hooked = replace(city, hooks={HOOK: hook})

        def run(message: WebhookMessage) -> int:
            # Calls of no importance, so that later messages come while earlier ones are handled.
            for _ in range(_APART * (message["version"] - 1) if first[0] else 0):
                store.state(JURISDICTION, HOOK)
            there[0] = max(there[0], message["version"])
            return sending.handle(message, 1, emulated.now())

        with (
            patch.object(cities, "current", lambda *_: hooked),
            patch.object(outside, "post", post),
            patch.object(store, "secrets", lambda *_: ["whsec_"]),
            patch.object(timeline_rows, "timeline", so_far),
        ):
            waiting = [hooks.message(city, hook, report, version) for version in (1, 2, 3, 4, 2)]
            for _ in range(20):
                actors = [
                    (f"run{number}", partial(run, message))
                    for number, message in enumerate(waiting)
                ]
                ends = emulated.run(actors)
                kinds = [ends[name].kind for name, _ in actors]
                pairs = zip(waiting, kinds, strict=True)
                waiting = [message for message, kind in pairs if kind != "ok"]
                emulated.drift += 3 * _LAPSE
                first[0] = False
                if not waiting:
                    break
            else:
                result.faults.append(f"I16 {report}: messages that never end")
        result.steps = [str(step) for step in emulated.schedule]
    result.faults += _faults(report, 4, taken)
    if not faults and taken != [1, 2, 3, 4]:
        result.faults.append(f"I16 {report}: sent again without a fault: {taken}")
    return result


def _faults(report: str, newest: int, taken: list[int]) -> list[str]:
    found, seen = [], 0
    for version, _ in itertools.groupby(taken):
        if version > seen + 1:
            found.append(f"I16 {report}: event {version} came before event {seen + 1}")
        seen = max(seen, version)
    if seen < newest:
        found.append(f"I16 {report}: event {seen + 1} was never sent")
    return found
