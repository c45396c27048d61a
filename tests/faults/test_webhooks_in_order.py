"""Webhooks keep their order under repeated, late and killed deliveries.

A failure prints its seed and its schedule. ``python -m tests.faults webhooks`` plays more of them.
"""

import pytest

from tests.faults.webhooks import interleaved, play

pytestmark = pytest.mark.usefixtures("aws")


@pytest.mark.parametrize("many", [2, pytest.param(20, marks=pytest.mark.long)])
def test_another_system_gets_every_event_and_none_before_an_earlier_one(many: int) -> None:
    results = [play(seed) for seed in range(many)]
    assert not any(result.faults for result in results), [one.story() for one in results]
    assert any("killed" in step for result in results for step in result.steps)


@pytest.mark.parametrize("faults", [0, 0.1])
@pytest.mark.parametrize("many", [5, pytest.param(100, marks=pytest.mark.long)])
def test_runs_at_the_same_time_send_every_event_in_order(many: int, faults: float) -> None:
    results = [interleaved(seed, faults) for seed in range(many)]
    assert not any(result.faults for result in results), [one.story() for one in results][:3]
