"""One random history of the test city: people and functions at once, in rounds, with faults.

The seed's plan decides what is tried; its schedule decides the order and the faults. At the end the
faults stop, everybody gets an answer, the queues drain, and the checkers look.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.workflow.table import open_actions, table
from chalicelib.domain.workflow.table import standing as standing_of
from chalicelib.entrypoints import batches
from chalicelib.services.photos import processing, storage_keys, tickets
from chalicelib.services.platform import signing
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.projections import monthly_counts
from chalicelib.services.timeline import access
from chalicelib.storage import files, reports
from tests.faults.checkers import CANARY, check, clocked
from tests.faults.clients import Clients, Record
from tests.faults.pump import Context, StreamPump, messages_pump, photos_pump
from tests.faults.scheduler import Chance, Choices, Step
from tests.faults.state import State
from tests.faults.world import World
from tests.support import aws, photo_files, warm_city
from tests.support.world import JURISDICTION, citizen, official

P = 0.17
ROUNDS = 6
CLOCK_ROUNDS = 4
CITIZENS = ("ani", "budi", "citra")
OFFICIALS = (
    "officer1", "officer2", "dispatcher", "province", "head1", "head2", "worker1", "worker2",
    "colleague1", "safe",
)  # fmt: skip
KINDS = {
    "file": 5, "twice": 2, "act": 8, "rivals": 4, "citizen": 5, "support": 2, "comment": 2,
    "rate": 2, "claim": 1, "consume": 5, "consumers": 2, "relay": 2, "messages": 2, "photos": 1,
    "later": 2, "sweep": 2,
}  # fmt: skip
# Towards the end of a report's life, where most of the rules are.
WEIGHTS = {
    "assign": 4, "accept": 4, "start": 6, "finish": 8, "verify": 4, "refuse": 4, "dispute": 4,
    "reclassify": 0.4, "withdraw": 0.4, "disown": 0.4, "reject": 0.4,
}  # fmt: skip
# Histories of the clocks: sweeps that overlap, alerts that fail, a clock that jumps, an outage.
CLOCK_KINDS = {
    "file": 2, "act": 5, "rivals": 1, "citizen": 2, "comment": 1, "consume": 3, "relay": 4,
    "sweep": 5, "sweeps": 4, "later": 6,
}  # fmt: skip
CLOCK_HOURS = (-1, -0.01, 0.5, 3, 9, 24, 49, 73, 100, 8 * 24)
HOURS = (-5 / 3600, 1 / 60, 1, 24, 3 * 24, 15 * 24)
# A stream keeps a record for a day; among the dead letters it may come back after two weeks.
REDELIVERED = timedelta(days=14)
Actor = tuple[str, Callable[[], Any]]


@dataclass
class Result:
    """The result of a history."""

    seed: object
    faults: list[str]
    schedule: list[Step]
    calls: list[str]
    answers: list[str] = field(default_factory=list)

    @property
    def broken_calls(self) -> int:
        """How many AWS calls met a fault."""
        return sum(step.fault is not None for step in self.schedule)

    def story(self) -> str:
        """What to print when something is wrong."""
        steps = " ".join(map(str, self.schedule))
        return "\n".join([f"seed {self.seed}", *self.faults[:12], f"schedule: {steps}"])


def play(
    seed: object,
    *,
    p: float = P,
    choices: Choices | None = None,
    sdk_retries: bool = False,
    clocks: bool = False,
) -> Result:
    """Play the history of a seed in an AWS that ``aws.start`` has made.

    ``clocks``: one of the clocks, which has fewer people and more time in it.
    """
    chance = choices or Chance(seed, p)
    with World(chance, seed=seed, sdk_retries=sdk_retries) as world:
        history = _History(world, random.Random(f"plan {seed} {clocks}"), clocks)
        faults = history.play()
        answers = [str(answer) for answer in history.record.answers]
        return Result(seed, faults, world.schedule, list(map(str, world.calls)), answers)


class _History:
    def __init__(self, world: World, plan: random.Random, clocks: bool = False) -> None:
        self.world, self.plan = world, plan
        self.kinds = CLOCK_KINDS if clocks else KINDS
        self.hours = CLOCK_HOURS if clocks else HOURS
        self.rounds = CLOCK_ROUNDS if clocks else ROUNDS
        self.record = Record()
        self.clients = Clients(world, self.record)
        self.stream = StreamPump(world)
        self.queues = (messages_pump(world), photos_pump(world))
        self.keys = 0
        # A warm container; test_kills has cold ones.
        warm_city.reset()
        self._begin()

    def _begin(self) -> None:
        """A report that has come some way already, without any trouble."""
        ani, boss, hand = (
            citizen("ani"), official("officer1"), official("worker1")
        )  # fmt: skip
        lat, long = warm_city.SPOTS["D1-W1"]
        body = {**self._body(ani), "service": "pothole", "lat": lat, "long": long}
        self._surely(self.clients.file(ani, self._key(), body))
        report = next(iter(State([]).heads))
        done = {"note": f"{CANARY} done", "photos": [self._photo(hand)]}
        steps: list[tuple[Principal, dict[str, Any]]] = [
            (boss, {"action": "assign", "person": hand.uid}),
            (hand, {"action": "start"}),
            (hand, {"action": "finish", **done}),
        ]
        for version, (who, given) in enumerate(steps[: self.plan.randint(0, 3)], start=1):
            step = {**given, "version": version}
            self._surely(self.clients.act(who, self._key(), report, step))

    def _surely(self, actor: Callable[[], None]) -> None:
        self.world.faulty = False
        self.world.run([("begin", actor)])
        self.world.faulty = True

    def play(self) -> list[str]:
        for number in range(self.rounds):
            actors: list[Actor] = []
            for _ in range(self.plan.randint(2, 4)):
                kind = "file" if not number and not actors else self._kind()
                actors += getattr(self, f"_{kind}")()
            self.world.run(_named(actors))
        return self._end()

    def _kind(self) -> str:
        return self.plan.choices(list(self.kinds), list(self.kinds.values()))[0]

    def _end(self) -> list[str]:
        self.world.faulty = False
        for retry in list(self.record.open):
            self.world.run([("again", retry)])
        swept = self.world.now()
        self.world.run([("sweep", self.clients.sweep())])
        self._drain()
        # What was gathered for a digest goes out when its hour is over.
        self.world.drift += timedelta(hours=1)
        self._drain()
        state = State(self.world.sent)
        faults = check(state, self.record) + clocked(state, swept)
        faults += [f"I9 dead: {one}" for pump in (self.stream, *self.queues) for one in pump.dead]
        sent = sum(
            message.operation == "SendMessage" and self.queues[0].name in message.fields["QueueUrl"]
            for message in self.world.sent
        )
        if sent != self.queues[0].done + len(self.queues[0].dead):
            faults.append(f"I9 of {sent} messages {self.queues[0].done} were processed")
        return faults + self._repeated()

    def _drain(self) -> None:
        # What is done about a photo is an event, from which more may follow.
        while True:
            self.stream.finish()
            self.world.run([("relay", _relay)])
            for pump in self.queues:
                pump.finish()
            if not self.stream.waiting():
                break

    def _repeated(self) -> list[str]:
        """I7: a repeated delivery and a recomputation change nothing."""
        aws.expire("control", self.world.now())
        before = State([])
        self.stream.again(lambda event: self._may_come_again(event["at"]))
        self._drain()
        after = State([])
        found = [] if before.tables == after.tables else ["I7 processing twice changed something"]
        rebuilt = monthly_counts.rebuild()
        if rebuilt["changed"]:
            found.append(f"I7 a rebuild changed {rebuilt['differences'][:3]}")
        return found

    def _may_come_again(self, at: str) -> bool:
        return datetime.fromisoformat(at) > self.world.now() - REDELIVERED

    def _file(self) -> list[Actor]:
        who = citizen(self.plan.choice(CITIZENS))
        return [("file", self.clients.file(who, self._key(), self._body(who)))]

    def _twice(self) -> list[Actor]:
        who, key = citizen(self.plan.choice(CITIZENS)), self._key()
        body = self._body(who)
        other = self._body(who) if self.plan.random() < 0.2 else body
        taps = self.clients.file(who, key, body), self.clients.file(who, key, other)
        return [("tap", tap) for tap in taps]

    def _act(self) -> list[Actor]:
        return self._actions(1, OFFICIALS)

    def _rivals(self) -> list[Actor]:
        return self._actions(2, OFFICIALS)

    def _citizen(self) -> list[Actor]:
        return self._actions(1, CITIZENS)

    def _actions(self, many: int, names: tuple[str, ...]) -> list[Actor]:
        head = self._head()
        found: list[Actor] = []
        for _ in range(many if head else 0):
            assert head is not None
            who, names_of_actions = self._somebody(head, names)
            if not names_of_actions:
                continue
            weights = [WEIGHTS.get(action, 1) for action in names_of_actions]
            name = self.plan.choices(names_of_actions, weights)[0]
            given = self._given(name, head, who)
            if given is None:
                continue
            stale = self.plan.random() < 0.1 and head.version > 1
            body = {"action": name, "version": head.version - stale, **given}
            key = self._key()
            taps = 2 if self.plan.random() < 0.2 else 1
            found += [("act", self.clients.act(who, key, head.id, body)) for _ in range(taps)]
        return found

    def _somebody(self, head: Report, names: tuple[str, ...]) -> tuple[Principal, list[str]]:
        for name in self.plan.sample(names, len(names)):
            who = citizen(name) if name in CITIZENS else official(name)
            ours = access.reporter_of(who, head)
            standing = standing_of(who, head, is_reporter=ours)
            if actions := open_actions(head, standing):
                return who, actions
        return who, []

    def _support(self) -> list[Actor]:
        return self._on_report(lambda who, head: self.clients.support(who, self._key(), head.id), 2)

    def _comment(self) -> list[Actor]:
        return self._on_report(
            lambda who, head: self.clients.comment(who, self._key(), head.id, f"{CANARY} text")
        )

    def _rate(self) -> list[Actor]:
        stars = self.plan.randint(1, 5)
        return self._on_report(
            lambda who, head: self.clients.rate(who, self._key(), head.id, stars)
        )

    def _claim(self) -> list[Actor]:
        def actor(who: Principal, head: Report) -> Any:
            return self.clients.claim(
                who, self._key(), head.id, signing.claim_secret(head.id, head.claims)
            )

        return self._on_report(actor)

    def _on_report(self, make: Callable[[Principal, Report], Any], most: int = 1) -> list[Actor]:
        head = self._head()
        if head is None:
            return []
        people = self.plan.sample(CITIZENS, self.plan.randint(1, most))
        return [("citizen", make(citizen(name), head)) for name in people]

    def _consume(self) -> list[Actor]:
        forget = self.plan.random() < 0.15
        return [("stream", self.stream.deliver(self.plan.randint(1, 6), self.plan, forget=forget))]

    def _consumers(self) -> list[Actor]:
        return self._consume() + self._consume()

    def _relay(self) -> list[Actor]:
        return [("relay", lambda: self.world.invoke(_relay))]

    def _messages(self) -> list[Actor]:
        return [("messages", self.queues[0].deliver(3, self.plan, forget=self.plan.random() < 0.2))]

    def _photos(self) -> list[Actor]:
        return [("photos", self.queues[1].deliver(3, self.plan, forget=self.plan.random() < 0.2))]

    def _later(self) -> list[Actor]:
        self.world.drift += timedelta(hours=self.plan.choice(self.hours))
        return []

    def _sweep(self) -> list[Actor]:
        return [("sweep", self.clients.sweep())]

    def _sweeps(self) -> list[Actor]:
        return self._sweep() + self._sweep()

    def _key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    def _head(self) -> Report | None:
        found = sorted(State([]).heads)
        if not found:
            return None
        # Mostly the first one, so that it comes far.
        chosen = found[0] if self.plan.random() < 0.5 else self.plan.choice(found)
        return reports.get(JURISDICTION, chosen)

    def _body(self, who: Principal) -> dict[str, Any]:
        lat, long = warm_city.SPOTS[self.plan.choice(list(warm_city.SPOTS))]
        body: dict[str, Any] = {
            "service": self.plan.choice(["pothole", "pothole", "bridge", "litter", "violence"]),
            "lat": lat,
            "long": round(long + self.plan.randint(0, 9) / 10_000, 7),
            "description": f"{CANARY} description {self.keys}",
        }
        if self.plan.random() < 0.6:
            body["contact"] = {"email": f"{CANARY}{self.keys}@example.org"}
        if self.plan.random() < 0.3:
            body["photos"] = [self._photo(who)]
        return body

    def _photo(self, who: Principal) -> str:
        return settled(self.world, who, self._key(), processed=self.plan.random() < 0.7)

    def _given(self, name: str, head: Report, who: Principal) -> dict[str, Any] | None:
        chance = self.plan
        if name == "merge":
            others = [one for one in State([]).heads if one < head.id]
            return {"into": chance.choice(others)} if others else None
        if name == "move_pin":
            lat, long = warm_city.SPOTS[chance.choice(list(warm_city.SPOTS))]
            near = chance.uniform(-0.001, 0.001)
            return {"lat": lat, "long": long + near, "reason": f"{CANARY} across the street"}
        fixed: dict[str, Any] = {
            "assign": chance.choice(
                [
                    {"unit": "u-prov"},
                    {"unit": head.unit},
                    {"person": f"s_worker{head.unit[-1]}"},
                ]
            ),
            "decline": {"reason_code": chance.choice(table()["reasons"]["decline"])},
            "coordinate": {"agency": "u-prov", "reason": f"{CANARY} pipe"},
            "schedule": {
                "until": (self.world.now() + timedelta(hours=20)).isoformat(),
                "reason": f"{CANARY} parts",
            },
            "ask": {"question": f"{CANARY} where?"},
            "answer": {"text": f"{CANARY} there"},
            "reject": {"reason_code": "spam", "text": f"{CANARY} no"},
            "reclassify": {"service": chance.choice(["bridge", "litter", "violence"])},
            "transfer": {"ward": chance.choice(list(warm_city.SPOTS))},
            "disown": {"text": f"{CANARY} not ours"},
        }
        if name == "finish":
            note = {"note": f"{CANARY} done"}
            return note if head.protected else {**note, "photos": [self._photo(who)]}
        given = fixed.get(name, {})
        if name in {"refuse", "dispute", "reopen", "unmerge", "reclassify", "transfer"}:
            given = {**given, "reason": f"{CANARY} because"}
        return given


def settled(world: World, who: Principal, key: str = "photo", *, processed: bool = True) -> str:
    """A photo that was uploaded earlier, without faults.

    One in a few is a file that somebody has uploaded already.
    """
    data = b"again" if key.endswith("3") else key.encode()
    op = keyed_operation(who, "ticketPhoto", key, "")
    photo = str(tickets.issue(who, op, "image/jpeg", world.now()).answer["photo"])
    files.put(
        storage_keys.quarantined(JURISDICTION, photo), photo_files.UPLOAD + data, "image/jpeg"
    )
    if processed:
        with photo_files.quick():
            processing.develop(JURISDICTION, photo, world.now())
    return photo


def _relay() -> None:
    batches.relay_outbox(Context())


def _named(actors: list[Actor]) -> list[Actor]:
    """Numbered, so that names are unique in a run."""
    return [(f"{name}{number}", action) for number, (name, action) in enumerate(actors, start=1)]
