"""The functions that ``app.py`` defines and their declarations in ``infra.deploy.functions``."""

import json
from pathlib import Path
from typing import Any

import pytest
from chalice.app import DynamoDBEventConfig, ScheduledEventConfig, SQSEventConfig

import app
from chalicelib.storage.control import LEASE_SECONDS
from infra.deploy import application, watching
from infra.deploy.functions import FUNCTIONS
from infra.deploy.names import QUEUES, logical
from infra.deploy.queues import queues

ENTRIES: dict[str, Any] = {source.name: source for source in app.app.event_sources}
# Clocks of two machines differ by less.
SPARE = 10
CONFIG = Path(__file__).parents[2] / ".chalice" / "config.json"


def undeclared() -> list[str]:
    """Entry points without a declaration, and declarations without an entry point."""
    return sorted({"api_handler", *ENTRIES} ^ set(FUNCTIONS))


def test_every_entry_point_is_declared_and_every_declared_function_exists() -> None:
    assert undeclared() == []


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_a_function_is_declared_with_its_own_kind(name: str) -> None:
    entry, declared = ENTRIES[name], FUNCTIONS[name]
    assert declared.scheduled == isinstance(entry, ScheduledEventConfig), "silent_after"
    assert (declared.takes in QUEUES) == isinstance(entry, SQSEventConfig), "takes"
    if isinstance(entry, SQSEventConfig):
        assert entry.queue.endswith(declared.takes)
    if isinstance(entry, DynamoDBEventConfig):
        assert name == "project_timeline"


def test_only_schedules_have_an_alarm_of_silence_and_run_one_at_a_time() -> None:
    alarms = watching.alarms("dev")
    resources = application.template("dev")["Resources"]
    for name, declared in FUNCTIONS.items():
        function = application.resource(name)
        silent = f"{logical(name)}SilentAlarm" in alarms
        alone = "ReservedConcurrentExecutions" in resources[function]["Properties"]
        assert (silent, alone) == (declared.scheduled, declared.scheduled), name


def test_a_lease_outlasts_its_run_and_ends_before_a_queue_delivers_again() -> None:
    limit = json.loads(CONFIG.read_text())["lambda_timeout"]
    seconds = {name: declared.timeout or limit for name, declared in FUNCTIONS.items()}
    for name in ("project_timeline", "relay_outbox", "send_messages"):
        assert seconds[name] + SPARE < LEASE_SECONDS, name
    queue = queues("dev")["MessagesQueue"]["Properties"]
    assert queue["VisibilityTimeout"] > LEASE_SECONDS + SPARE


def test_chalices_configuration_names_no_function_by_itself() -> None:
    """The package gets limits and policies from the declarations; both stages are alike."""
    stages = json.loads(CONFIG.read_text())["stages"]
    assert [name for name, stage in stages.items() if "lambda_functions" in stage] == []
    for name, stage in stages.items():
        assert stage.pop("environment_variables") == {"TANGGAP_STAGE": name}
    first, *others = stages.values()
    assert all(stage == first for stage in others)
