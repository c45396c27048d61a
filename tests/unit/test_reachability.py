"""Who gets citizens' news, and how a person is reached: the tables and the pure rules."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.notifications import citizen_news, reachability
from chalicelib.domain.workflow.table import actions
from chalicelib.services.platform.catalogue import city_texts as texts
from tests.support.world import city

NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)  # 08:00 in the city
MAIL = {"email": "siti@example.org"}
BOTH = {**MAIL, "phone": "+62811000111"}


def test_every_action_says_which_citizens_it_tells() -> None:
    known = {*actions(False), *actions(True), "file", "import", "comment", "claim", "support"}
    assert known <= citizen_news.table().keys()


def test_every_kind_of_message_has_its_texts_in_both_languages_and_fits_a_text_message() -> None:
    for kind in {*citizen_news.kinds(), "notice"} - {"filed"}:
        for part in ("subject", "text"):
            entry = texts()[f"{kind}.{part}"]
            assert {"en", "id"} <= entry.keys()
            assert all(len(text) <= 140 and text.isascii() for text in entry.values()), kind


def plan(
    contact: dict[str, object], kind: str = "comment", **choice: str
) -> reachability.Plan | None:
    return reachability.plan(contact, choice, frozenset(), kind, city(), NOW)


def test_a_person_hears_what_they_chose() -> None:
    assert plan(BOTH) == reachability.Plan("email")
    assert plan(BOTH, way="phone") == reachability.Plan("phone")
    assert plan(MAIL, way="phone") == reachability.Plan("email")
    assert plan(BOTH, notify="asked") is None
    assert plan(BOTH, "ask", notify="asked") == reachability.Plan("email")
    assert plan(BOTH, "ask", notify="nothing") is None
    assert plan(BOTH, "claimed", notify="nothing") == reachability.Plan("email")
    tomorrow = NOW + timedelta(hours=23)  # seven o'clock in the city
    assert plan(BOTH, notify="digest") == reachability.Plan("email", tomorrow)


def test_a_message_waits_for_the_hours_that_are_safe() -> None:
    evening = {**BOTH, "safe": {"from": "21:00", "until": "23:00"}}
    assert plan(evening) == reachability.Plan("email", NOW + timedelta(hours=13))
    morning = {**BOTH, "safe": {"from": "07:00", "until": "09:00"}}
    assert plan(morning) == reachability.Plan("email")
    night = {**BOTH, "safe": {"from": "22:00", "until": "08:30"}}
    assert plan(night) == reachability.Plan("email")


def test_the_safe_way_is_the_only_way() -> None:
    assert plan({**BOTH, "safe": {"way": "phone"}}, way="email") == reachability.Plan("phone")
    assert plan({**MAIL, "safe": {"way": "phone"}}) is None
    assert plan({**BOTH, "safe": {"way": "none"}}, "claimed") is None
    assert not reachability.contactable({**BOTH, "safe": {"way": "none"}})


def test_after_a_bounced_mail_the_next_message_goes_by_telephone() -> None:
    assert reachability.way(BOTH, "email", frozenset({"email"})) == "phone"
    assert reachability.way(MAIL, None, frozenset({"email"})) is None


HOURS = st.integers(0, 23).map(lambda hour: f"{hour:02d}:00")


@given(HOURS, HOURS, st.sampled_from(reachability.CHOICES), st.integers(0, 48))
def test_no_plan_waits_longer_than_two_days_or_goes_out_at_an_unsafe_hour(
    start: str, end: str, notify: str, later: int
) -> None:
    contact = {**MAIL, "safe": {"from": start, "until": end}}
    now = NOW + timedelta(hours=later)
    found = reachability.plan(contact, {"notify": notify}, frozenset(), "ask", city(), now)
    if notify == "nothing":
        assert found is None
        return
    assert found is not None
    at = found.until or now
    assert now <= at <= now + timedelta(days=2)
    hour = at.astimezone(city().zone).strftime("%H:%M")
    inside = start <= hour < end if start < end else hour >= start or hour < end
    assert inside or start == end
