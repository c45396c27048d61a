"""Officials with several grants, stale versions and fallback recipients break no invariant."""

import pytest

from tests.faults import drills

pytestmark = pytest.mark.usefixtures("aws")


def test_no_right_comes_from_another_scope() -> None:
    assert list(drills.of_grants()) == []


def test_no_action_takes_a_version_that_was_overtaken() -> None:
    assert list(drills.of_versions()) == []


def test_every_alert_reaches_somebody_who_can_be_reached() -> None:
    assert list(drills.of_recipients()) == []
