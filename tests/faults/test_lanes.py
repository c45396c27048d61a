"""The lanes of the timeline's stream: several runs of one function at once.

Lambda splits a shard's records over lanes by the hash of their key, and runs the function for each
lane at the same time (``ParallelizationFactor``). No run repeats what another publishes or sends.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.entrypoints import batches
from chalicelib.services.notifications import outbox
from chalicelib.services.projections import timeline_events
from tests.faults.checkers import CANARY
from tests.faults.pump import Context
from tests.faults.races import ANI, BOSS, HOLE, Stage
from tests.faults.scheduler import Chance
from tests.faults.state import State
from tests.faults.world import World
from tests.support import aws, warm_city

pytestmark = pytest.mark.usefixtures("aws")
ROWS, LANES = 12, 8


def _filed(stage: Stage) -> None:
    """Twelve reports, each with an alert; some reporters leave an address."""
    for number in range(ROWS):
        more = {"contact": {"email": f"{CANARY}{number}@example.org"}} if number % 3 == 0 else {}
        stage.before(stage.clients.file(ANI, f"key {number}", {**HOLE, **more}))


def _projected(stage: Stage) -> None:
    """The rows that lanes left in the outbox when they were killed."""
    _filed(stage)
    for record in aws.stream():
        event = timeline_events.event_of(record)
        assert event is not None
        stage.before(lambda event=event: timeline_events.apply(event))


def _relay(stage: Stage) -> Callable[[], Any]:
    return lambda: stage.world.invoke(lambda: batches.relay_outbox(Context()))


@pytest.mark.parametrize("seed", range(3))
def test_twelve_alerts_under_eight_lanes_are_published_twelve_times(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "_within_limit", lambda *_, **__: True)
    with World(Chance(f"lanes {seed}", 0), seed=seed) as world:
        warm_city.reset()
        stage = Stage(world)
        _projected(stage)
        world.run([(f"lane{number}", _relay(stage)) for number in range(LANES)])
        state = State(world.sent)
    assert state.outbox() == []
    assert Counter(Counter(state.alerts()).values()) == {1: ROWS}


@pytest.mark.parametrize("seed", range(3))
def test_what_waits_for_a_digest_is_in_one_digest_under_eight_lanes(seed: int) -> None:
    with World(Chance(f"digests {seed}", 0), seed=seed) as world:
        warm_city.reset()
        stage = Stage(world)
        _projected(stage)
        world.run([(f"lane{number}", _relay(stage)) for number in range(LANES)])
        world.drift += timedelta(hours=1)
        world.run([(f"later{number}", _relay(stage)) for number in range(LANES)])
        state = State(world.sent)
    assert state.outbox() == []
    assert Counter(Counter(state.alerts()).values()) == {1: ROWS}


@pytest.mark.parametrize("seed", range(3))
def test_a_message_that_is_delivered_to_eight_consumers_is_sent_once(seed: int) -> None:
    with World(Chance(f"senders {seed}", 0), seed=seed) as world:
        warm_city.reset()
        stage = Stage(world)
        for number in range(3):
            more = {"contact": {"email": f"{CANARY}{number}@example.org"}}
            stage.before(stage.clients.file(ANI, f"key {number}", {**HOLE, **more}))
        for report in State([]).heads:
            stage.acted(BOSS, report, "ask", 1, question=f"{CANARY} where?")
        stage.stream.finish()
        before = _mails(world)
        world.run([(f"sender{number}", stage.messages.deliver(10)) for number in range(LANES)])
        stage.messages.finish()
        assert _mails(world) - before == 3
        assert stage.messages.dead == []


def _mails(world: World) -> int:
    return sum(message.operation == "SendEmail" for message in world.sent)
