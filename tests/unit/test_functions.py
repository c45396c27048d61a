"""The functions that ``app.py`` defines and their declarations in ``infra.deploy.functions``."""

import json
from pathlib import Path
from typing import Any

import pytest
from chalice.app import DynamoDBEventConfig, Rate, ScheduledEventConfig, SQSEventConfig

import app
from chalicelib.storage.control import LEASE_SECONDS
from infra.deploy import application, watching
from infra.deploy.functions import FUNCTIONS
from infra.deploy.names import QUEUES, logical
from infra.deploy.queues import queues

ENTRIES: dict[str, Any] = {source.name: source for source in app.app.event_sources}
# Clocks of two machines differ by less.
SPARE = 10
SCHEDULES = [name for name, declared in FUNCTIONS.items() if declared.scheduled]
DOCS = Path(__file__).parents[2] / "docs"
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


def period(name: str) -> int:
    """Seconds between two runs of a schedule."""
    expression = ENTRIES[name].schedule_expression
    if isinstance(expression, Rate):
        seconds = {Rate.MINUTES: 60, Rate.HOURS: 3600, "hour": 3600, "minute": 60}
        return int(expression.value) * seconds[expression.unit]
    first, step = expression.minutes.split("/")
    assert (first, expression.hours, 60 % int(step)) == ("0", "*", 0)
    return int(step) * 60


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_run_ends_before_the_next_and_silence_is_longer_than_a_period(name: str) -> None:
    limit = json.loads(CONFIG.read_text())["lambda_timeout"]
    seconds, silent_after = period(name), FUNCTIONS[name].silent_after
    assert (FUNCTIONS[name].timeout or limit) <= seconds
    assert silent_after is not None
    assert silent_after[0] % seconds == 0


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_page_of_operations_says_when_a_schedule_runs(name: str) -> None:
    minutes = period(name) // 60
    when = {1: "every minute", 60: "hourly"}.get(minutes, f"every {minutes} minutes")
    pages = [(DOCS / page).read_text() for page in ("operations.md", "architecture.md")]
    rows = [line for page in pages for line in page.splitlines() if line.startswith(f"| `{name}`")]
    assert rows
    assert [row for row in rows if not row.startswith(f"| `{name}` | {when}")] == []


def test_a_lease_outlasts_its_run_and_ends_before_a_queue_delivers_again() -> None:
    limit = json.loads(CONFIG.read_text())["lambda_timeout"]
    seconds = {name: declared.timeout or limit for name, declared in FUNCTIONS.items()}
    for name in ("project_timeline", "relay_outbox", "send_messages", "send_webhooks"):
        assert seconds[name] + SPARE < LEASE_SECONDS, name
    for name in ("MessagesQueue", "WebhooksQueue"):
        queue = queues("dev")[name]["Properties"]
        assert queue["VisibilityTimeout"] > LEASE_SECONDS + SPARE, name


def test_chalices_configuration_names_no_function_by_itself() -> None:
    """The package gets limits and policies from the declarations; both stages are alike."""
    stages = json.loads(CONFIG.read_text())["stages"]
    assert [name for name, stage in stages.items() if "lambda_functions" in stage] == []
    for name, stage in stages.items():
        assert stage.pop("environment_variables") == {"TANGGAP_STAGE": name}
    first, *others = stages.values()
    assert all(stage == first for stage in others)


@pytest.mark.parametrize("page", watching.PAGES)
def test_an_alarm_has_the_title_of_its_page(page: str) -> None:
    title = (DOCS / "incidents" / f"{page}.md").read_text().splitlines()[0]
    assert title == f"# {watching.PAGES[page]}"
