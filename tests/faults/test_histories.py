"""Random histories with a fault in every tenth AWS call break no invariant.

A failure prints its seed, the checker and the schedule. ``python -m tests.faults histories`` runs
more of them, or one again.
"""

import pytest

from tests.faults import mixed
from tests.faults.histories import Result, play
from tests.faults.scheduler import Replay

pytestmark = pytest.mark.usefixtures("aws")
HISTORIES = 300
CHUNK = 15
FEW = 4  # of each kind in ``make test``


def test_no_drawn_history_breaks_an_invariant() -> None:
    results = [play(f"few {seed}") for seed in range(FEW)]
    results += [play(f"few {seed}", clocks=True) for seed in range(FEW)]
    results += [mixed.play(seed) for seed in range(HISTORIES, HISTORIES + FEW)]
    assert not any(result.faults for result in results), _stories(results)
    assert sum(result.broken_calls for result in results) > 4 * len(results)


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, HISTORIES, CHUNK))
def test_no_history_breaks_an_invariant(first: int) -> None:
    results = [play(seed) for seed in range(first, first + CHUNK)]
    assert not any(result.faults for result in results), _stories(results)
    assert sum(result.broken_calls for result in results) > 5 * CHUNK


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, HISTORIES, CHUNK))
def test_no_history_of_the_clocks_breaks_an_invariant(first: int) -> None:
    """Sweeps that overlap, die anywhere and come late; alerts that fail; a clock that jumps."""
    results = [play(seed, clocks=True) for seed in range(first, first + CHUNK)]
    assert not any(result.faults for result in results), _stories(results)
    assert sum(result.broken_calls for result in results) > 2 * CHUNK


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, HISTORIES, CHUNK))
def test_no_mixed_history_breaks_an_invariant(first: int) -> None:
    """With people who file through keys, erasures, two city versions, imports and protections."""
    results = [mixed.play(seed) for seed in range(first, first + CHUNK)]
    assert not any(result.faults for result in results), _stories(results)
    assert sum(result.broken_calls for result in results) > 5 * CHUNK


@pytest.mark.parametrize("many", [2, pytest.param(10, marks=pytest.mark.long)])
def test_no_history_breaks_an_invariant_while_the_sdk_retries_by_itself(many: int) -> None:
    results = [play(f"sdk {seed}", p=0.2, sdk_retries=True) for seed in range(many)]
    assert not any(result.faults for result in results), _stories(results)


def test_a_history_is_repeated_by_its_seed_and_by_its_schedule() -> None:
    first = play(4)
    assert play(4).calls == first.calls
    assert play(4, choices=Replay(first.schedule)).calls == first.calls
    assert play(5).calls != first.calls


def _stories(results: list[Result]) -> str:
    return "\n\n".join(result.story() for result in results if result.faults)
