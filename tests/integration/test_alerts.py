"""Subscriptions of officials follow the staff records."""

from typing import Any

import pytest

from chalicelib.services.notifications import alert_texts, subscriptions
from chalicelib.services.platform import urls
from chalicelib.settings import settings
from chalicelib.storage import city as store
from chalicelib.storage import topics

MAIL = {"protocol": "email", "endpoint": "duty@example.org"}


def record(ref: str, districts: list[str], **more: Any) -> dict[str, Any]:
    """An official with one endpoint."""
    grants = [{"role": "officer", "districts": districts, "services": ["*"]}]
    return {"ref": ref, "unit": "kec", "grants": grants, "endpoints": [MAIL], **more}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """A topic that notes requests; its one known subscription is confirmed once made."""
    made: list[tuple[Any, ...]] = []
    known: dict[tuple[str, str], str] = {}

    def subscribe(protocol: str, endpoint: str, policy: dict[str, Any]) -> str:
        made.append(("subscribe", endpoint, policy))
        known[protocol, endpoint] = "arn:aws:sns:us-east-1:000000000000:official-alerts:1"
        return known[protocol, endpoint]

    monkeypatch.setattr(store, "jurisdictions", list)
    monkeypatch.setattr(topics, "subscriptions", lambda: dict(known))
    monkeypatch.setattr(topics, "subscribe", subscribe)
    monkeypatch.setattr(topics, "filter_by", lambda arn, policy: made.append(("filter", policy)))
    monkeypatch.setattr(topics, "unsubscribe", lambda arn: made.append(("unsubscribe", arn)))
    return made


def test_an_endpoint_is_subscribed_refiltered_and_removed(calls: list[tuple[Any, ...]]) -> None:
    """Its filter is set, changes with the staff record, and is removed with it."""
    subscriptions.sync("demo", [record("a", ["D1"])])
    subscriptions.sync("demo", [record("a", ["D2"])])
    subscriptions.sync("demo", [record("a", ["D2"], active=False)])
    assert [call[0] for call in calls] == ["subscribe", "filter", "unsubscribe"]
    assert calls[0][2] == {
        "jurisdiction": ["demo"],
        "audience": ["officer@D1", "person:a", "unit:kec"],
        "protected": ["false"],
    }
    assert calls[1][1]["audience"] == ["officer@D2", "person:a", "unit:kec"]


def test_an_endpoint_of_two_officials_gets_the_alerts_of_both(calls: list[tuple[Any, ...]]) -> None:
    """Two districts share a mailbox; a third official, who serves the city, adds all districts."""
    subscriptions.sync("demo", [record("a", ["D1"]), record("b", ["D2"])])
    both = ["officer@D1", "officer@D2", "person:a", "person:b", "unit:kec"]
    assert calls[-1][2]["audience"] == both
    subscriptions.sync("demo", [record("a", ["D1"]), record("b", ["D2"]), record("c", ["*"])])
    assert calls[-1][1]["audience"] == sorted([*both, "officer@*", "person:c"])


def test_a_mailbox_of_two_cities_keeps_both(
    calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading the second city does not take the first one's alerts away."""
    monkeypatch.setattr(store, "jurisdictions", lambda: ["demo", "jakarta"])
    monkeypatch.setattr(store, "all_staff", lambda city: [record("a", ["D1"])])
    subscriptions.sync("jakarta", [record("z", ["D9"])])
    assert calls[-1][2]["jurisdiction"] == ["demo", "jakarta"]
    assert {"officer@D1", "officer@D9"} <= set(calls[-1][2]["audience"])


def test_a_protected_units_officials_hear_of_their_unit_alone() -> None:
    """Their filter names the unit and no role; all other filters exclude protected alerts."""
    person = {**record("p", ["*"]), "jurisdiction": "demo", "protected_unit": True}
    rule = subscriptions.policy(person)
    assert rule == {
        "jurisdiction": ["demo"], "audience": ["person:p", "unit:kec"],
        "protected": ["false", "true"],
    }  # fmt: skip
    other = subscriptions.policy({**record("o", ["*"]), "jurisdiction": "demo"})
    assert other["protected"] == ["false"]


def test_a_protected_alert_says_nothing_of_the_report() -> None:
    """Its text has no place, service or promise."""
    message = {"protected": True, "report": "01ABC", "jurisdiction": "demo"}
    text = alert_texts.compose(message, city=None)  # type: ignore[arg-type]
    assert text.endswith("/v1/reports/01ABC")
    assert "Dipegang" not in text


def test_links_of_another_city_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment serves several cities; links of its own city do not name it."""
    monkeypatch.setenv("TANGGAP_JURISDICTION", "demo")
    settings.cache_clear()
    assert urls.in_city("demo", "/v1/track/A").endswith("/v1/track/A")
    assert urls.in_city("jakarta", "/v1/track/A").endswith("/v1/track/A?jurisdiction_id=jakarta")
    monkeypatch.undo()
    settings.cache_clear()
