"""rules/alerts.json says of every action whom it tells."""

from chalicelib.domain.notifications import alerts as table
from chalicelib.domain.workflow import table as workflow_table
from tests.support.world import STAFF


def test_every_action_says_whom_it_tells() -> None:
    """Each action of the workflow has a row: ``null`` where nobody is told on purpose."""
    rows = table.rules()["officials"]
    assert set(workflow_table.table()["actions"]) <= set(rows)
    words = {"unit", "holder", "called", "left", "tell", "arrived", "judges"}
    for row in filter(None, rows.values()):
        assert row["audience"], "somebody"
        for one in row["audience"]:
            assert one in words or one.removeprefix(table.LOCAL) in _roles()


def _roles() -> set[str]:
    return {grant["role"] for one in STAFF for grant in one["grants"]}
