"""Whom actions tell: their rows of rules/workflow.json, and the other events of alerts.json."""

import pytest

from chalicelib import rules
from chalicelib.domain.notifications import alerts as table
from chalicelib.domain.notifications import citizen_news
from chalicelib.domain.open311 import updates
from chalicelib.domain.workflow import table as workflow_table

ACTIONS = workflow_table.table()["actions"]


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_says_whom_it_tells_and_what_open311_shows(action: str) -> None:
    """``null`` tells nobody, on purpose."""
    row = ACTIONS[action]
    assert set(row["alert"]) == {"officials", "citizens"}
    assert row["open311"] is None or isinstance(row["open311"], str)
    assert table.rules()["officials"][action] == row["alert"]["officials"]
    assert citizen_news.table()[action] == row["alert"]["citizens"]
    assert updates.told().get(action) == row["open311"]


@pytest.mark.parametrize("action", ACTIONS)
def test_what_is_said_in_public_is_told(action: str) -> None:
    """Public words of an action make an update for Open311, but for those that say where a report
    now belongs, and an audit's."""
    if ACTIONS[action].get("words") == "public":
        silent = {"reclassify", "move_pin", "audit"}
        assert (ACTIONS[action]["open311"] is None) == (action in silent)


def test_an_action_that_does_not_say_it_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"from": ["submitted"], "to": "same", "who": ["officer"]}
    actions = {**ACTIONS, "inspect": row}
    monkeypatch.setattr(workflow_table, "table", lambda: {"actions": actions})
    for part in ("officials", "citizens"):
        with pytest.raises(KeyError, match="inspect"):
            workflow_table.alerts(part)
    with pytest.raises(KeyError, match="inspect"):
        workflow_table.open311()


def test_an_action_is_not_described_a_second_time() -> None:
    """Events that are not actions have their rows in alerts.json and open311.json."""
    named = {*rules.load("alerts")["officials"], *rules.load("alerts")["citizens"]}
    assert not {*named, *updates.rules()["events"]} & set(ACTIONS)


def test_each_alert_has_an_audience_and_a_level_with_texts() -> None:
    for action, row in table.rules()["officials"].items():
        if row:
            assert row["audience"], action
            assert f"alert.level.{row['level']}" in rules.load("messages"), action
