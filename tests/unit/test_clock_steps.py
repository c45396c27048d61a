"""The demo counts the alerts that the events of the clock and of reporters must have caused."""

from typing import Any

from infra.demo.clock_steps import ClockSteps


def event(action: str, kind: str = "system", **data: Any) -> dict[str, Any]:
    """An event as officials see it."""
    return {"action": action, "by": {"kind": kind}, "data": data}


def test_each_step_that_alerts_is_counted_once_and_a_joined_one_with_its_breach() -> None:
    steps = ClockSteps()
    steps.add([event("breach", target="acknowledge"), event("escalate", level=1, joined=True)])
    steps.add([event("escalate", level=2), event("lapse"), event("file", "citizen")])
    assert steps.alerts_due() == 2
    assert steps.document() == {
        "breached": {"acknowledge": 1},
        "escalated": {"1": 1, "2": 1},
        "lapsed": 1,
        "by_the_clock": {"lapse": 1},
    }


def test_a_photo_that_was_used_before_alerts_although_the_public_does_not_see_it() -> None:
    steps = ClockSteps()
    steps.add([event("photo_reused")])
    assert steps.alerts_due() == 1


def test_only_reporters_comments_alert() -> None:
    steps = ClockSteps()
    steps.add([event("comment", "citizen"), event("comment", "staff")])
    assert steps.alerts_due() == 1
