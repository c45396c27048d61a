"""Every AWS call of every handler, in a cold container, gets every possible fault: nothing breaks.

The client or the event source then tries again, as it would, and the checkers look. A handler of
a request must answer trouble in AWS with a problem of its own, never with an unhandled error.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.entrypoints import batches
from chalicelib.errors import Problem
from chalicelib.services.identity import devices
from chalicelib.services.photos import tickets
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.reports import queries, queues
from tests.faults.checkers import CANARY, check
from tests.faults.pump import Context, photos_pump
from tests.faults.races import ANI, AWAY, BOSS, BUDI, HAND, HOLE, Stage, settled
from tests.faults.scheduler import Nth
from tests.faults.state import State
from tests.faults.world import TRANSACTION_FAULTS, World
from tests.support import aws, warm_city
from tests.support.world import JURISDICTION

pytestmark = pytest.mark.usefixtures("aws")
Actor = Callable[[], Any]
TRIES = 3
DRAWN = 3


def _file(stage: Stage) -> Actor:
    body = {**HOLE, "contact": {"email": f"{CANARY}@example.org"}}
    return stage.clients.file(ANI, "key", {**body, "photos": [settled(stage.world, ANI)]})


def _file_protected(stage: Stage) -> Actor:
    return stage.clients.file(ANI, "key", {**HOLE, "service": "violence"})


def _assign(stage: Stage) -> Actor:
    body = {"action": "assign", "version": 1, "person": HAND.uid}
    return stage.clients.act(BOSS, "key", stage.filed(), body)


def _finish(stage: Stage) -> Actor:
    report = stage.filed(contact={"email": f"{CANARY}@example.org"})
    stage.acted(BOSS, report, "assign", 1, person=HAND.uid)
    stage.acted(HAND, report, "start", 2)
    done = {"note": f"{CANARY} done", "photos": [settled(stage.world, HAND)]}
    return stage.clients.act(HAND, "key", report, {"action": "finish", "version": 3, **done})


def _merge(stage: Stage) -> Actor:
    first, second = stage.filed("first"), stage.filed("second")
    old, new = sorted([first, second])
    return stage.clients.act(BOSS, "key", new, {"action": "merge", "version": 1, "into": old})


def _unmerge(stage: Stage) -> Actor:
    first, second = stage.filed("first"), stage.filed("second")
    old, new = sorted([first, second])
    stage.acted(BOSS, new, "merge", 1, into=old)
    body = {"action": "unmerge", "version": 2, "reason": f"{CANARY} other"}
    return stage.clients.act(BOSS, "key", new, body)


def _transfer(stage: Stage) -> Actor:
    body = {"action": "transfer", "version": 1, "ward": "D2-W1", "reason": f"{CANARY} border"}
    return stage.clients.act(AWAY, "key", stage.filed(), body)


def _comment(stage: Stage) -> Actor:
    return stage.clients.comment(ANI, "key", stage.filed(), f"{CANARY} hello")


def _support(stage: Stage) -> Actor:
    return stage.clients.support(BUDI, "key", stage.filed())


def _claim(stage: Stage) -> Actor:
    report = stage.filed()
    secret = next(answer.answer["claim_secret"] for answer in stage.record.answers if answer.answer)
    return stage.clients.claim(BUDI, "key", report, secret)


def _contact(stage: Stage) -> Actor:
    report = stage.filed(contact={"email": f"{CANARY}@example.org"})
    op = keyed_operation(BOSS, "readContact", "key", "")
    return _request(stage, lambda: queries.contact(BOSS, op, report, stage.world.now()))


def _ticket(stage: Stage) -> Actor:
    op = keyed_operation(ANI, "ticketPhoto", "key", "")
    return _request(stage, lambda: tickets.issue(ANI, op, "image/jpeg", stage.world.now()))


def _device(stage: Stage) -> Actor:
    return _request(stage, lambda: devices.register(JURISDICTION, "203.0.113.7", stage.world.now()))


def _read(stage: Stage) -> Actor:
    report = stage.filed()
    return _request(stage, lambda: queries.public(ANI, report))


def _timeline(stage: Stage) -> Actor:
    report = stage.filed()
    return _request(stage, lambda: queries.timeline(ANI, report, 0))


def _case(stage: Stage) -> Actor:
    report = stage.filed()
    return _request(stage, lambda: queries.case(BOSS, report))


def _mine(stage: Stage) -> Actor:
    stage.filed()
    return _request(stage, lambda: queues.mine(ANI, 50, None, stage.world.now()))


def _project(stage: Stage) -> Actor:
    report = stage.filed(contact={"email": f"{CANARY}@example.org"})
    stage.acted(BOSS, report, "ask", 1, question=f"{CANARY} where?")
    return stage.stream.deliver(10)


def _relay(stage: Stage) -> Actor:
    _project(stage)
    for record in aws.stream():
        batches.project({"Records": [record]}, _NoTime())
    return lambda: stage.world.invoke(lambda: batches.relay_outbox(Context()))


def _send(stage: Stage) -> Actor:
    _project(stage)
    batches.project({"Records": aws.stream()}, Context())
    return stage.messages.deliver(10)


def _sweep(stage: Stage) -> Actor:
    stage.filed()
    stage.world.drift = timedelta(days=8)  # every step of the clock on an open report
    return _again(stage, stage.clients.sweep())


def _sweep_gives_back(stage: Stage) -> Actor:
    first, second = stage.filed("first"), stage.filed("second")
    old, new = sorted([first, second])
    stage.acted(BOSS, new, "merge", 1, into=old)
    stage.acted(BOSS, old, "reject", 2, reason_code="spam", text=f"{CANARY} no")
    return _again(stage, stage.clients.sweep())


def _again(stage: Stage, sweep: Actor) -> Actor:
    stage.record.open.append(sweep)
    return sweep


def _develop(stage: Stage) -> Actor:
    settled(stage.world, ANI, processed=False)
    return photos_pump(stage.world).deliver(10)


def _develop_used(stage: Stage) -> Actor:
    photo = settled(stage.world, ANI, processed=False)
    stage.filed(photos=[photo])
    return photos_pump(stage.world).deliver(10)


class _NoTime(Context):
    """A context whose time is over."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 0


def _request(stage: Stage, call: Actor) -> Actor:
    def attempt() -> None:
        for _ in range(TRIES):
            outcome = stage.world.invoke(call)
            if outcome.kind == "ok":
                return
            refused = isinstance(outcome.value, Problem) and outcome.value.status == 503
            if outcome.kind == "error" and not refused:
                stage.record.crashes.append(f"{type(outcome.value).__name__}: {outcome.value}")
                return

    return attempt


HANDLERS = (
    _file, _file_protected, _assign, _finish, _merge, _unmerge, _transfer, _comment, _support,
    _claim, _contact, _ticket, _device, _read, _timeline, _case, _mine, _project, _relay, _send,
    _develop, _develop_used, _sweep, _sweep_gives_back,
)  # fmt: skip


of_each_handler = pytest.mark.parametrize(
    "handler", HANDLERS, ids=lambda handler: handler.__name__.strip("_")
)


@of_each_handler
def test_a_call_of_a_handler_may_fail_in_a_drawn_way(handler: Callable[[Stage], Actor]) -> None:
    """Three calls of every handler, each in one way; ``make check`` tries all."""
    chance = random.Random(handler.__name__)
    plain, faults = _run(handler, Nth(0, None))
    assert not faults, faults
    for number in sorted(chance.sample(range(1, len(plain) + 1), min(DRAWN, len(plain)))):
        fault = chance.choice(TRANSACTION_FAULTS)
        _, faults = _run(handler, Nth(number, fault))
        assert not faults, (number, fault, plain[number - 1], faults[:3])


@pytest.mark.long
@of_each_handler
def test_no_call_of_a_handler_may_not_fail(handler: Callable[[Stage], Actor]) -> None:
    plain, faults = _run(handler, Nth(0, None))
    assert not faults, faults
    broken, met = [], 0
    for number in range(1, len(plain) + 1):
        for fault in TRANSACTION_FAULTS:
            nth = Nth(number, fault)
            _, faults = _run(handler, nth)
            met += nth.met
            if faults:
                broken.append(f"call {number} of {plain[number - 1]}!{fault}: {faults[:3]}")
    assert not broken, "\n".join(broken)
    assert met >= 4 * len(plain)


def _run(handler: Callable[[Stage], Actor], nth: Nth) -> tuple[list[str], list[str]]:
    with World(nth, seed=handler.__name__) as world:
        warm_city.reset()
        stage = Stage(world)
        actor = handler(stage)
        world.calls.clear()
        nth.calls = 0
        aws.forget()
        world.run([("one", actor)])
        calls = [str(call) for call in world.calls]
        world.faulty = False
        for retry in list(stage.record.open):
            world.run([("again", retry)])
        stage.stream.finish()
        # By then the lease of a run that was killed has expired.
        world.drift += timedelta(minutes=1)
        world.run([("relay", lambda: batches.relay_outbox(Context()))])
        stage.messages.finish()
        return calls, check(State(world.sent), stage.record)
