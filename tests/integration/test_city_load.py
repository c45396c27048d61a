"""Publishing a city folder: all or nothing, nothing twice, and old versions stay."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.services import cities, staff
from chalicelib.storage import city as store
from chalicelib.storage import topics
from infra.city.findings import CityErrors
from infra.city.load import load_folder
from tests import aws
from tests.city_folder import files, write

NOW = datetime(2027, 3, 1, tzinfo=UTC)
MINE = {("email", f"officer-{district}@example.org") for district in ("D1", "D2")}

pytestmark = pytest.mark.usefixtures("aws")


def stored() -> str:
    """Everything that is stored of cities."""
    objects = {name: one.value for name, one in _objects().items()}
    return json.dumps(aws.rows("city"), sort_keys=True) + repr(sorted(objects.items()))


def _objects() -> dict[str, Any]:
    return {
        key: value
        for bucket in aws.backend("s3").buckets.values()
        for key, value in bucket.keys.items()
    }


def subscribed() -> set[tuple[str, str]]:
    """The endpoints of this folder that are subscribed."""
    return topics.subscriptions().keys() & MINE


def test_loading_twice_changes_nothing(tmp_path: Path) -> None:
    folder = write(tmp_path / "town", files())
    first = load_folder(folder, now=NOW)
    before = stored()
    second = load_folder(folder, now=NOW)
    assert (first.new, second.new) == (True, False)
    assert first.version == second.version
    assert stored() == before
    assert second.endpoints["subscribed"] == 0


def test_a_new_version_rules_and_the_old_one_stays_for_old_reports(tmp_path: Path) -> None:
    folder = write(tmp_path / "town", files())
    first = load_folder(folder, now=NOW)
    given = files()
    given["services.json"]["services"][0]["resolve"]["hours"] = 99
    second = load_folder(write(folder, given), now=NOW)
    assert second.new
    assert cities.current("town", NOW).services["hole"].resolve.hours == 99
    assert cities.at("town", first.version).services["hole"].resolve.hours == 24
    assert cities.boundaries("town", first.version).locate(-6.195, 106.825).ward == "W2"


def test_a_folder_with_a_fault_changes_nothing(tmp_path: Path) -> None:
    load_folder(write(tmp_path / "town", files()), now=NOW)
    before = stored()
    given = files()
    given["services.json"]["services"][0]["resolve"]["hours"] = 99
    given["staff.json"]["staff"][0]["unit"] = "none"
    with pytest.raises(CityErrors):
        load_folder(write(tmp_path / "town", given), now=NOW)
    assert stored() == before


def test_endpoints_follow_the_staff_records(tmp_path: Path) -> None:
    folder = write(tmp_path / "town", files())
    load_folder(folder, now=NOW)
    assert subscribed() == MINE
    given = files()
    del given["staff.json"]["for_each_district"][0]["endpoints"]
    load_folder(write(folder, given), now=NOW)
    assert subscribed() == set()


def test_who_is_no_longer_in_the_folder_may_no_longer_act(tmp_path: Path) -> None:
    folder = write(tmp_path / "town", files())
    load_folder(folder, now=NOW)
    assert staff.by_ref("town", "s_bureau")
    given = files()
    given["staff.json"]["staff"] = []
    load_folder(write(folder, given), now=NOW)
    staff.forget()
    assert staff.by_ref("town", "s_bureau") is None
    kept = store.staff_by_ref("town", "s_bureau")
    assert kept is not None
    before = stored()
    load_folder(folder, now=NOW)
    assert stored() == before


def test_the_issuer_of_the_officials_can_be_replaced(tmp_path: Path) -> None:
    folder = write(tmp_path / "town", files())
    load_folder(folder, now=NOW, issuer="http://127.0.0.1:9999/dev")
    found = staff.by_subject("town", "http://127.0.0.1:9999/dev", "officer-D1", NOW)
    assert found is not None
    assert found.roles("D1") == {"officer"}
