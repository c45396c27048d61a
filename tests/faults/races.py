"""Small races, every schedule of which is tried: two handlers, at most so many faults.

Only calls that affect the other handler are points at which the turn may change or a fault may
happen (``points``); other calls pass at once. This leaves out no outcome, and the number of
schedules stays small enough to try all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from chalicelib.domain.principal import system
from chalicelib.entrypoints import batches
from chalicelib.services.platform.idempotency import KeyedOperation
from chalicelib.services.reports import actions
from chalicelib.storage import control, reports
from tests.faults.checkers import CANARY, check, clocked, once
from tests.faults.clients import Clients, Record
from tests.faults.histories import settled
from tests.faults.pump import Context, QueuePump, StreamPump, messages_pump, photos_pump
from tests.faults.scheduler import Choices, Odometer, Step
from tests.faults.state import State
from tests.faults.world import Call, World
from tests.support import aws, warm_city
from tests.support.world import JURISDICTION, citizen, official

Actor = tuple[str, Callable[[], Any]]
ANI, BUDI = citizen("ani"), citizen("budi")
BOSS, RIVAL = official("officer1"), official("colleague1")
HAND, AWAY = official("worker1"), official("dispatcher")
LAT, LONG = warm_city.SPOTS["D1-W1"]
HOLE = {"service": "pothole", "lat": LAT, "long": LONG, "description": f"{CANARY} hole"}


@dataclass
class Stage:
    """What a race is run on."""

    world: World
    record: Record = field(default_factory=Record)

    def __post_init__(self) -> None:
        self.clients = Clients(self.world, self.record)
        self.stream = StreamPump(self.world)
        self.messages: QueuePump = messages_pump(self.world)
        self.photos: QueuePump = photos_pump(self.world)

    def before(self, *actors: Callable[[], Any]) -> None:
        """Let something happen before the race, in order and without trouble."""
        self.world.faulty = False
        for actor in actors:
            self.world.run([("before", actor)])
        self.world.faulty = True

    def filed(self, key: str = "first", **more: Any) -> str:
        """A report filed by Ani before the race."""
        known = set(State([]).heads)
        self.before(self.clients.file(ANI, key, {**HOLE, **more}))
        return next(iter(set(State([]).heads) - known))

    def acted(self, who: Any, report: str, action: str, version: int, **given: Any) -> None:
        """An action before the race."""
        body = {"action": action, "version": version, **given}
        self.before(self.clients.act(who, f"{action} {version}", report, body))


@dataclass(frozen=True)
class Race:
    """Who runs, and which calls matter."""

    actors: Callable[[Stage], list[Actor]]
    points: tuple[tuple[str, str], ...]

    def matters(self, call: Call) -> bool:
        """Whether a call is a point of the race."""
        where = call.tables or (call.service,)
        return any(
            call.operation == operation and any(name.endswith(place) for name in where)
            for operation, place in self.points
        )


@dataclass(frozen=True)
class Found:
    """One schedule of a race and what was wrong at its end."""

    schedule: list[Step]
    faults: list[str]

    def __str__(self) -> str:
        return "\n".join([*self.faults[:4], f"schedule: {' '.join(map(str, self.schedule))}"])


KEY, HEAD, WRITE = ("GetItem", "control"), ("GetItem", "reports"), ("TransactWriteItems", "reports")
KEPT = ("DeleteObjects", "s3")
COUNT, BUCKET = ("TransactWriteItems", "figures"), ("TransactWriteItems", "control")


def _double_submit(stage: Stage) -> list[Actor]:
    return [(f"tap{n}", stage.clients.file(ANI, "key", HOLE)) for n in (1, 2)]


def _other_body(stage: Stage) -> list[Actor]:
    bodies = HOLE, {**HOLE, "service": "bridge"}
    return [(f"tap{n}", stage.clients.file(ANI, "key", one)) for n, one in enumerate(bodies)]


def _one_photo(stage: Stage) -> list[Actor]:
    photo = settled(stage.world, ANI)
    return [
        (f"file{n}", stage.clients.file(ANI, f"key {n}", {**HOLE, "photos": [photo]}))
        for n in (1, 2)
    ]


def _photo_used_while_made(stage: Stage) -> list[Actor]:
    photo = settled(stage.world, ANI, processed=False)
    return [
        ("file", stage.clients.file(ANI, "key", {**HOLE, "photos": [photo]})),
        ("photos", stage.photos.deliver(10)),
    ]


def _photo_made_twice(stage: Stage) -> list[Actor]:
    photo = settled(stage.world, ANI, processed=False)
    stage.filed(photos=[photo])
    return [(f"photos{n}", stage.photos.deliver(10, forget=n == 2)) for n in (1, 2)]


def _last_of_the_limit(stage: Stage) -> list[Actor]:
    limit = warm_city.bundle()["limits"]["device"][0]
    start = int(stage.world.now().timestamp()) // limit["seconds"] * limit["seconds"]
    bucket = control.Bucket(f"device#{ANI.uid}", limit["n"], limit["seconds"], start)
    for _ in range(limit["n"] - 1):
        control.take(JURISDICTION, [bucket])
    return [(f"file{n}", stage.clients.file(ANI, f"key {n}", HOLE)) for n in (1, 2)]


def _two_officers(stage: Stage) -> list[Actor]:
    report = stage.filed()
    assign = {"action": "assign", "version": 1, "person": HAND.uid}
    reject = {"action": "reject", "version": 1, "reason_code": "spam", "text": f"{CANARY} no"}
    return [
        ("boss", stage.clients.act(BOSS, "a", report, assign)),
        ("rival", stage.clients.act(RIVAL, "b", report, reject)),
    ]


def _double_action(stage: Stage) -> list[Actor]:
    report = stage.filed()
    assign = {"action": "assign", "version": 1, "person": HAND.uid}
    return [(f"tap{n}", stage.clients.act(BOSS, "a", report, assign)) for n in (1, 2)]


def _action_and_comment(stage: Stage) -> list[Actor]:
    report = stage.filed()
    assign = {"action": "assign", "version": 1, "person": HAND.uid}
    return [
        ("boss", stage.clients.act(BOSS, "a", report, assign)),
        ("ani", stage.clients.comment(ANI, "c", report, f"{CANARY} hello")),
    ]


def _two_neighbours(stage: Stage) -> list[Actor]:
    report = stage.filed()
    return [
        (who.uid or "", stage.clients.support(who, "s", report)) for who in (BUDI, citizen("citra"))
    ]


def _double_support(stage: Stage) -> list[Actor]:
    report = stage.filed()
    return [(f"tap{n}", stage.clients.support(BUDI, f"s{n}", report)) for n in (1, 2)]


def _merge_and_action(stage: Stage) -> list[Actor]:
    first, second = stage.filed("first"), stage.filed("second")
    old, new = sorted([first, second])
    merge = {"action": "merge", "version": 1, "into": old}
    reject = {"action": "reject", "version": 1, "reason_code": "spam", "text": f"{CANARY} no"}
    return [
        ("merge", stage.clients.act(BOSS, "m", new, merge)),
        ("reject", stage.clients.act(RIVAL, "r", old, reject)),
    ]


def _lapse_and_verify(stage: Stage) -> list[Actor]:
    report = stage.filed()
    stage.acted(BOSS, report, "assign", 1, person=HAND.uid)
    stage.acted(HAND, report, "start", 2)
    photo = settled(stage.world, HAND)
    stage.acted(HAND, report, "finish", 3, note=f"{CANARY} done", photos=[photo])
    stage.world.drift = timedelta(days=15)
    verify = {"action": "verify", "version": 4}

    def lapse() -> None:
        head = reports.get(JURISDICTION, report)
        assert head is not None
        op = KeyedOperation(JURISDICTION, f"lapse {report} {head.version}", "-")
        actions.act_by_clock(system(JURISDICTION), op, head, "lapse", {}, stage.world.now())

    return [
        ("clock", lapse),
        ("ani", stage.clients.act(ANI, "v", report, verify)),
    ]


def _two_sweeps(stage: Stage) -> list[Actor]:
    stage.filed()
    stage.world.drift = timedelta(hours=9)  # an hour after it should have been acknowledged
    return [(f"sweep{n}", stage.clients.sweep()) for n in (1, 2)]


def _sweeps_and_close(stage: Stage) -> list[Actor]:
    report = stage.filed()
    stage.world.drift = timedelta(hours=9)
    reject = {"action": "reject", "version": 1, "reason_code": "spam", "text": f"{CANARY} no"}
    return [
        *((f"sweep{n}", stage.clients.sweep()) for n in (1, 2)),
        ("boss", stage.clients.act(BOSS, "a", report, reject)),
    ]


def _sweep_and_disown(stage: Stage) -> list[Actor]:
    first, second = stage.filed("first"), stage.filed("second")
    old, new = sorted([first, second])
    stage.acted(BOSS, new, "merge", 1, into=old)
    stage.acted(BOSS, old, "reject", 2, reason_code="spam", text=f"{CANARY} no")
    return [(f"sweep{n}", stage.clients.sweep()) for n in (1, 2)]


def _two_digests(stage: Stage) -> list[Actor]:
    for number in range(warm_city.bundle()["escalation"]["per_hour"] + 2):
        stage.filed(f"key {number}")
    stage.world.drift = timedelta(hours=9)
    stage.before(stage.clients.sweep())
    stage.before(stage.stream.deliver(100))
    stage.world.drift += timedelta(hours=1)

    def relay() -> None:
        stage.world.invoke(lambda: batches.relay_outbox(Context()))

    return [("relay1", relay), ("relay2", relay)]


def _two_consumers(stage: Stage) -> list[Actor]:
    stage.filed()
    return [(f"consumer{n}", stage.stream.deliver(10)) for n in (1, 2)]


def _two_lanes(stage: Stage) -> list[Actor]:
    """Two reports whose records come to two lanes, which run at once."""
    lanes = [StreamPump(stage.world, lane=lane, lanes=2) for lane in (0, 1)]
    for number in range(9):
        stage.filed(f"key {number}")
        if all(lane.waiting() for lane in lanes):
            break
    return [(f"lane{lane.lane}", lane.deliver(1)) for lane in lanes]


def _late_record(stage: Stage) -> list[Actor]:
    """A record that comes back from the dead letters while the next one is processed."""
    report = stage.filed()
    stage.acted(BOSS, report, "assign", 1, person=HAND.uid)
    return [
        (f"record{n}", lambda row=row: stage.stream.take([row]))
        for n, row in enumerate(aws.stream(), start=1)
    ]


def _two_relays(stage: Stage) -> list[Actor]:
    stage.filed()
    for row in aws.stream():
        stage.before(lambda row=row: _applied(row))

    def relay() -> None:
        stage.world.invoke(lambda: batches.relay_outbox(Context()))

    return [("relay1", relay), ("relay2", relay)]


def _two_senders(stage: Stage) -> list[Actor]:
    report = stage.filed(contact={"email": f"{CANARY}@example.org"})
    stage.acted(BOSS, report, "ask", 1, question=f"{CANARY} where?")
    batches.project({"Records": aws.stream()}, Context())
    return [(f"sender{n}", stage.messages.deliver(10)) for n in (1, 2)]


def _applied(row: dict[str, Any]) -> None:
    from chalicelib.services.projections import timeline_events

    event = timeline_events.event_of(row)
    assert event is not None
    timeline_events.apply(event)


def _two_clocks(stage: Stage) -> list[Actor]:
    (_, lapse), _ = _lapse_and_verify(stage)
    return [("clock1", lapse), ("clock2", lapse)]


RACES = {
    "double_submit": Race(_double_submit, (KEY, WRITE)),
    "other_body": Race(_other_body, (KEY, WRITE)),
    "one_photo": Race(_one_photo, (HEAD, WRITE)),
    "photo_used_while_made": Race(_photo_used_while_made, (HEAD, WRITE)),
    "photo_made_twice": Race(_photo_made_twice, (WRITE, KEPT)),
    "last_of_the_limit": Race(_last_of_the_limit, (BUCKET,)),
    "two_officers": Race(_two_officers, (HEAD, WRITE)),
    "double_action": Race(_double_action, (KEY, HEAD, WRITE)),
    "action_and_comment": Race(_action_and_comment, (HEAD, WRITE)),
    "two_neighbours": Race(_two_neighbours, (HEAD, WRITE)),
    "double_support": Race(_double_support, (HEAD, WRITE)),
    "merge_and_action": Race(_merge_and_action, (HEAD, WRITE)),
    "lapse_and_verify": Race(_lapse_and_verify, (HEAD, WRITE)),
    "two_clocks": Race(_two_clocks, (HEAD, WRITE)),
    "two_sweeps": Race(_two_sweeps, (HEAD, WRITE)),
    # All three have read the report before the first of them writes.
    "sweeps_and_close": Race(_sweeps_and_close, (WRITE,)),
    "sweep_and_disown": Race(_sweep_and_disown, (WRITE,)),
    # Not the deletes of rows: with them there are hundreds of thousands of schedules.
    "two_digests": Race(_two_digests, (("Query", "control"), ("Publish", "sns"))),
    "two_consumers": Race(
        _two_consumers, (COUNT, ("Query", "control"), ("Publish", "sns"), BUCKET)
    ),
    "two_lanes": Race(_two_lanes, (("Query", "control"), ("Publish", "sns"))),
    "late_record": Race(_late_record, (COUNT,)),
    "two_senders": Race(_two_senders, (KEY, ("SendEmail", "sesv2"), BUCKET)),
    "two_relays": Race(_two_relays, (("Query", "control"), ("Publish", "sns"), BUCKET)),
}


def run(name: str, choices: Choices) -> Found:
    """One schedule of a race, everything that follows from it, and what is wrong then."""
    race = RACES[name]
    with World(choices, seed=name, few_faults=True, point=race.matters) as world:
        warm_city.reset()
        stage = Stage(world)
        actors = race.actors(stage)
        begun = len(world.schedule)
        world.run(actors)
        schedule = world.schedule[begun:]
        world.faulty = False
        for retry in list(stage.record.open):
            world.run([("again", retry)])
        if "sweep" in name:
            world.run([("sweep", stage.clients.sweep())])
        swept = world.now()
        _settle(stage)
        world.drift += timedelta(hours=1)
        _settle(stage)
        state = State(world.sent)
        found = check(state, stage.record)
        # A message that is queued twice, or that a consumer handled and is given again.
        found += once(state, sum(step.fault is not None for step in schedule))
        return Found(schedule, found + (clocked(state, swept) if "sweep" in name else []))


def _settle(stage: Stage) -> None:
    while True:
        stage.stream.finish()
        stage.world.run([("relay", lambda: batches.relay_outbox(Context()))])
        stage.messages.finish()
        stage.photos.finish()
        if not stage.stream.waiting():
            break


def exhaust(name: str, faults: int) -> Iterator[Found]:
    """Every schedule of a race with at most so many faults."""
    odometer = Odometer(faults)
    while True:
        yield run(name, odometer)
        if not odometer.advance():
            return
