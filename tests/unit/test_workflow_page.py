"""docs/workflow.md agrees with the rules."""

import re

from chalicelib.domain.workflow import permissions
from chalicelib.domain.workflow import table as workflow_table
from infra.docs import workflow


def test_the_page_of_states_and_roles_is_what_is_enforced() -> None:
    assert workflow.PAGE.read_text("utf-8") == workflow.text(), "run: make workflow"


def test_the_page_names_every_state_action_actor_and_operation() -> None:
    page, table = workflow.text(), workflow_table.table()
    named = set(re.findall(r"`(\w+)`", page))
    assert {*table["states"], *table["resolutions"], *table["actions"]} <= named
    assert {one for action in table["actions"].values() for one in action["who"]} <= named
    assert set(permissions.operations()) <= named
