"""An import of many rows with every fault: pandas' counts, nothing twice, and no clock wakes.

``make test`` imports a small file, ``make check`` 10,000 rows. By hand, with another seed:
``IMPORT_SEED=7 .venv/bin/python -m pytest tests/integration/test_import_many.py -m long``.
"""

import copy
import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import app
from chalicelib import clock
from chalicelib.services.city import cities
from chalicelib.services.projections import monthly_counts
from chalicelib.services.reports import legacy_import
from chalicelib.storage import control, scorecards, timeline_rows
from chalicelib.storage.transactions import Unavailable
from infra.city import import_csv, importing
from infra.city.import_mapping_checks import checked
from infra.deploy.functions import FUNCTIONS
from tests.support import old_reports, personal_data_search
from tests.support.world import BUNDLE, JURISDICTION, STAFF, World, blob, city

OTHER = "othertown"
SCHEDULES = sorted(name for name, function in FUNCTIONS.items() if function.scheduled)
SEED = int(os.environ.get("IMPORT_SEED", "1"))


@pytest.fixture(name="world")
def fixture_world(aws: None) -> Iterator[World]:
    """The test city, and another one."""
    with personal_data_search.quick():
        world = World()
        bundle = {**copy.deepcopy(BUNDLE), "jurisdiction": OTHER}
        cities.publish(bundle, blob(), list(STAFF), world.now)
        clock.use(lambda: world.now)
        yield world


def run_import(world: World, path: Path) -> importing.Outcome:
    """Import the file once."""
    mapping = checked(old_reports.MAPPING, city())
    return importing.run(city(), import_csv.rows(path, mapping, city()), mapping, world.now)


def interrupted(world: World, path: Path, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import until a commit whose answer is lost: it is written if ``at`` is odd."""
    real, calls = legacy_import.commit, [0]

    def commit(writes: Any) -> None:
        calls[0] += 1
        if calls[0] == at:
            if at % 2:
                real(writes)
            raise Unavailable
        real(writes)

    with monkeypatch.context() as broken:
        broken.setattr(legacy_import, "commit", commit)
        with pytest.raises(Unavailable):
            run_import(world, path)


def timeline() -> list[dict[str, Any]]:
    """Every event."""
    return [json.loads(text) for text, _ in timeline_rows.whole_timeline()]


def tick(world: World) -> None:
    """Every schedule, at night and in the morning of the next day."""
    event = {
        "version": "0", "id": "-", "source": "aws.events", "detail-type": "Scheduled Event",
        "account": "0", "time": "", "region": "us-east-1", "resources": [], "detail": {},
    }  # fmt: skip
    for hour in (19, 25):  # two and eight in the morning in the city
        world.now = world.now.replace(hour=0, minute=36) + timedelta(hours=hour)
        for schedule in SCHEDULES:
            getattr(app, schedule)(event, None)


def check(world: World, folder: Path, many: int, stops: list[int], patch: Any) -> None:
    """Import a generated file in pieces; compare with pandas; let every clock tick."""
    text = old_reports.csv_text(SEED, many, world.now)
    path = folder / "old.csv"
    path.write_bytes(text.encode("latin-1"))
    expected = old_reports.Expected(text, world.now)
    assert set(expected.findings) == set(old_reports.FAULTS)
    for stop in stops:
        interrupted(world, path, stop, patch)
    rest = run_import(world, path)
    again = run_import(world, path)
    assert (again.imported, again.known) == (0, expected.imported)
    assert rest.imported + rest.known == expected.imported
    assert again.summary()["findings"] == dict(sorted(expected.findings.items()))
    assert (again.services, again.statuses) == (expected.services, expected.statuses)
    events = [event["report"] for event in timeline()]
    assert len(events) == len(set(events)) == expected.imported
    assert world.project() == expected.imported
    by_ward = {
        (month, area.split("/")[1]): Counter(row)
        for (_, month, area), row in world.tallies().items()
        if "/" in area
    }
    assert by_ward == expected.tallies
    assert monthly_counts.rebuild()["changed"] == 0
    tick(world)
    assert [event["report"] for event in timeline()] == events
    # The day's root of the record is published each day, of any city.
    assert {message["kind"] for _, message in control.outbox(9)} <= {"record_root"}
    for jurisdiction in (JURISDICTION, OTHER):
        assert scorecards.month(jurisdiction, "202611") is not None
        for source in control.DEAD_SOURCES:
            assert control.dead(jurisdiction, source, 9) == []


def test_three_hundred_rows_with_every_fault(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(world, tmp_path, 300, [1, 40, 77], monkeypatch)


@pytest.mark.long
def test_ten_thousand_rows_with_every_fault(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(world, tmp_path, 10_000, [2, 501, 3000, 4444], monkeypatch)
