"""Publishing a city folder: all or nothing, nothing twice, and old versions stay."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.services.city import cities, staff
from chalicelib.storage import city as store
from chalicelib.storage import topics
from infra.city.findings import CityErrors
from infra.city.load import load_folder
from tests.support import aws
from tests.support.city_folder import files, write

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


def test_an_official_who_left_the_folder_may_no_longer_act(tmp_path: Path) -> None:
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


def _open_report(folder: Path, ward: str = "W2") -> str:
    """A report in the town as it is loaded."""
    from chalicelib.domain.principal import Principal
    from chalicelib.services.platform.idempotency import KeyedOperation
    from chalicelib.services.reports import intake

    who = Principal("citizen", "town", uid="d_ann")
    lat, long = {"W1": (-6.195, 106.815), "W2": (-6.195, 106.825)}[ward]
    body = {"service": "hole", "lat": lat, "long": long}
    op = KeyedOperation("town", f"op-{ward}", "hash")
    origin = intake.Origin("192.0.2.1", ("en",))
    found: str = intake.file_report(who, op, body, origin, NOW).answer["id"]
    return found


def _recoded(successors: dict[str, Any] | None) -> dict[str, Any]:
    given = files()
    for feature in given["wards.geojson"]["features"]:
        if feature["properties"]["ward"] == "W2":
            feature["properties"]["ward"] = "W2a"
    if successors is not None:
        given["successors.json"] = successors
    return given


def test_a_version_that_strands_open_reports_is_not_loaded_and_they_are_named(
    tmp_path: Path,
) -> None:
    folder = write(tmp_path / "town", files())
    load_folder(folder, now=NOW)
    report = _open_report(folder)
    before = stored()
    with pytest.raises(CityErrors) as refused:
        load_folder(write(folder, _recoded(None)), now=NOW)
    (finding,) = refused.value.findings
    assert finding.startswith("successors.json: areas.W2: is gone and has no successor")
    assert report in finding
    assert stored() == before


def test_a_code_that_no_open_report_has_may_go_without_a_successor(tmp_path: Path) -> None:
    folder = write(tmp_path / "town", files())
    load_folder(folder, now=NOW)
    _open_report(folder, "W1")
    assert load_folder(write(folder, _recoded(None)), now=NOW).new


def test_the_loader_says_which_webhook_is_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By mistake, perhaps: its system would keep what is erased here."""
    from infra.city.__main__ import _show

    hooks = [{"code": code, "url": f"https://{code}.example.org/in"} for code in ("a1", "b2")]
    folder = write(tmp_path / "town", files() | {"webhooks.json": {"webhooks": hooks}})
    _show(load_folder(folder, now=NOW))
    assert "webhook" not in capsys.readouterr().out
    write(folder, files() | {"webhooks.json": {"webhooks": hooks[:1]}})
    _show(load_folder(folder, now=NOW))
    assert "webhook b2 is removed: its system is told nothing more" in capsys.readouterr().out
    _show(load_folder(folder, now=NOW))
    assert "webhook" not in capsys.readouterr().out


def test_the_loader_says_which_reports_moved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from infra.city.__main__ import _show

    folder = write(tmp_path / "town", files())
    load_folder(folder, now=NOW)
    report = _open_report(folder)
    done = load_folder(write(folder, _recoded({"areas": {"W2": "W2a"}})), now=NOW)
    assert done.moves.moved == [(report, "ward W2 → W2a")]
    _show(done)
    assert f"moved {report}: ward W2 → W2a" in capsys.readouterr().out
    assert load_folder(folder, now=NOW).moves.moved == []


def test_a_report_filed_by_the_old_version_while_the_new_one_spreads_follows_too(
    tmp_path: Path,
) -> None:
    folder = write(tmp_path / "town", files())
    load_folder(folder, now=NOW)
    filed: list[str] = []

    def settle() -> None:
        store.make_current("town", first, "2027-03-01T00:00:00.000Z")
        cities.forget()
        filed.append(_open_report(folder))
        store.make_current("town", second, "2027-03-01T00:00:00.000Z")
        cities.forget()

    first, second = store.current("town") or "", ""
    from infra.city.folder import prepare

    write(folder, _recoded({"areas": {"W2": "W2a"}}))
    second = prepare(folder).bundle["version"]
    done = load_folder(folder, now=NOW, settle=settle)
    assert [report for report, _ in done.moves.moved] == filed


@pytest.mark.parametrize(
    ("successors", "fault"),
    [
        ({"areas": {"W9": "nowhere"}}, "names 'nowhere'"),
        ({"areas": {"W1": "W3"}}, "still a code of this folder"),
        ({"areas": {"W8": "W9", "W9": "W8"}}, "comes back to itself"),
        ({"areas": {"W8": ["W1", "D1"]}}, "several levels"),
        ({"units": {"old": ["bureau", "unit-D1"]}}, "more than 1"),
        ({"services": {"old": []}}, "must be a code"),
        ({"streets": {}}, "is not known here"),
    ],
)
def test_a_successor_that_leads_nowhere_is_a_fault(
    tmp_path: Path, successors: dict[str, Any], fault: str
) -> None:
    from infra.city.folder import prepare

    folder = write(tmp_path / "town", {**files(), "successors.json": successors})
    with pytest.raises(CityErrors) as refused:
        prepare(folder)
    assert fault in str(refused.value)


def test_a_ward_that_was_divided_may_keep_its_code(tmp_path: Path) -> None:
    from infra.city.folder import prepare

    successors = {"areas": {"W1": ["W1", "W2"], "W0": "W1"}}
    made = prepare(write(tmp_path / "town", {**files(), "successors.json": successors}))
    assert made.bundle["successors"]["areas"] == {"W1": ["W1", "W2"], "W0": ["W1"]}
