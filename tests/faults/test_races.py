"""Every schedule of the small races, of some with at most one fault anywhere: nothing is broken.

``python -m tests.faults races 1`` tries all of them with a fault, ``races 2`` with two.
"""

import pytest

from tests.faults.races import exhaust

pytestmark = pytest.mark.usefixtures("aws")
# The number of schedules guards against a race that no longer is one.
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
WITHOUT_FAULTS = {
    "other_body": 6,
    "photo_used_while_made": 20,
    "last_of_the_limit": 4,
    "double_action": 20,
    "action_and_comment": 6,
    "two_neighbours": 6,
    "double_support": 6,
    "lapse_and_verify": 6,
    "two_clocks": 6,
    "two_senders": 20,
    "late_record": 2,
    "two_digests": 6,
}
RACES = [
    *((name, 1, least) for name, least in WITH_ONE_FAULT.items()),
    *((name, 0, least) for name, least in WITHOUT_FAULTS.items()),
]


@pytest.mark.parametrize(("name", "faults", "least"), RACES)
def test_no_schedule_of_the_race_breaks_an_invariant(name: str, faults: int, least: int) -> None:
    schedules = list(exhaust(name, faults))
    broken = [str(found) for found in schedules if found.faults]
    assert not broken, "\n".join([f"{name}: {len(broken)} of {len(schedules)}", *broken[:5]])
    assert len(schedules) >= least
