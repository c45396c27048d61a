"""docs/workflow.md is what the rules say."""

import re

from chalicelib.domain import rights, workflow
from infra import workflow_page


def test_the_page_of_states_and_roles_is_what_is_enforced() -> None:
    assert workflow_page.PAGE.read_text("utf-8") == workflow_page.text(), "run: make workflow"


def test_the_page_names_every_state_action_actor_and_operation() -> None:
    page, table = workflow_page.text(), workflow.table()
    named = set(re.findall(r"`(\w+)`", page))
    assert {*table["states"], *table["resolutions"], *table["actions"]} <= named
    assert {one for action in table["actions"].values() for one in action["who"]} <= named
    assert set(rights.operations()) <= named
