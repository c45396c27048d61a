"""No schedule of the small races breaks an invariant, in some races also with one fault.

``python -m tests.faults races 1`` tries all of them with a fault, ``races 2`` with two. What has
hundreds of schedules is ``long``; ``make test`` draws a few of each race instead.
"""

import pytest

from tests.faults.races import RACES, exhaust, run
from tests.faults.scheduler import Chance

pytestmark = pytest.mark.usefixtures("aws")
# The number of schedules shows that the handlers still interfere.
WITH_ONE_FAULT = {
    "double_submit": 150,
    "one_photo": 100,
    "photo_made_twice": 100,
    "two_officers": 130,
    "merge_and_action": 200,
    "two_consumers": 180,
    "two_relays": 300,
    "two_sweeps": 200,
    "sweeps_and_close": 200,
    "sweep_and_disown": 20,
}
MANY_WITHOUT_FAULTS = {
    "photo_used_while_made": 20,
    "two_digests": 18,
    "two_relays": 24,
}
WITHOUT_FAULTS = {
    "double_submit": 6,
    "other_body": 6,
    "one_photo": 6,
    "photo_made_twice": 6,
    "last_of_the_limit": 4,
    "double_action": 20,
    "action_and_comment": 6,
    "two_neighbours": 6,
    "double_support": 6,
    "lapse_and_verify": 6,
    "two_clocks": 6,
    "two_officers": 6,
    "merge_and_action": 10,
    "two_consumers": 10,
    "two_sweeps": 16,
    "sweeps_and_close": 12,
    "sweep_and_disown": 2,
    "late_record": 2,
    "two_lanes": 6,
    "two_senders": 6,
}
DRAWN = 4


def _rows(races: dict[str, int], faults: int) -> list[tuple[str, int, int]]:
    return [(name, faults, least) for name, least in races.items()]


@pytest.mark.parametrize(("name", "faults", "least"), _rows(WITHOUT_FAULTS, 0))
def test_no_schedule_of_a_short_race_breaks_an_invariant(
    name: str, faults: int, least: int
) -> None:
    _all_hold(name, faults, least)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "faults", "least"), [*_rows(WITH_ONE_FAULT, 1), *_rows(MANY_WITHOUT_FAULTS, 0)]
)
def test_no_schedule_of_the_race_breaks_an_invariant(name: str, faults: int, least: int) -> None:
    _all_hold(name, faults, least)


@pytest.mark.parametrize("name", RACES)
def test_no_drawn_schedule_with_faults_breaks_an_invariant(name: str) -> None:
    """A few schedules of every race, each with faults in about every fifth call."""
    drawn = [run(name, Chance(f"{name} {seed}", 0.2)) for seed in range(DRAWN)]
    assert [str(found) for found in drawn if found.faults] == []


def test_every_race_is_run_whole() -> None:
    assert {*WITH_ONE_FAULT, *MANY_WITHOUT_FAULTS, *WITHOUT_FAULTS} == set(RACES)


def _all_hold(name: str, faults: int, least: int) -> None:
    schedules = list(exhaust(name, faults))
    broken = [str(found) for found in schedules if found.faults]
    assert not broken, "\n".join([f"{name}: {len(broken)} of {len(schedules)}", *broken[:5]])
    assert len(schedules) >= least
