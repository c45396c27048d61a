"""A city folder: every fault is named with its file, place and field; a good one makes a city."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.city.boundaries import Boundaries
from chalicelib.domain.city.city import City
from infra.city.__main__ import main
from infra.city.findings import CityErrors
from infra.city.load import Prepared, prepare
from tests.support.city_folder import Files, both, files, square, ward, write

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "infra" / "cities" / "demo"
JAKARTA = ROOT / "infra" / "cities" / "jakarta"
REAL = ROOT.parent / "shared" / "data" / "jakarta"


def faults(folder: Path, given: Files) -> list[str]:
    """What is wrong with a folder of these files."""
    with pytest.raises(CityErrors) as found:
        prepare(write(folder, given))
    return found.value.findings


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A folder without faults."""
    return write(tmp_path / "town", files())


def test_a_good_folder_makes_a_city_with_its_boundaries_and_staff(town: Path) -> None:
    made = prepare(town)
    city = City.from_json(made.bundle)
    assert city.district_and_path("W3") == ("D2", ("C", "D2", "W3"))
    assert city.unit_for("hole", "D2") == "unit-D2"
    assert city.unit_for("violence", "D2") == "bureau"
    assert city.units["bureau"].districts == {"D1", "D2"}
    own = city.overrides["D2", "hole"].resolve
    assert own is not None
    assert (own.hours, own.clock) == (8, "working")
    assert Boundaries.from_bytes(made.blob).locate(-6.195, 106.825).ward == "W2"
    assert [one["ref"] for one in made.staff] == ["s_officer-D1", "s_officer-D2", "s_bureau"]
    assert {one["issuer"] for one in made.staff} == {"https://id.town.example"}
    assert made.staff[2]["protected_unit"]


def test_the_same_folder_has_the_same_version_and_any_change_another(town: Path) -> None:
    first = prepare(town)
    assert prepare(town) == first
    assert len(first.bundle["version"]) == 12
    changed = files()
    changed["wards.geojson"]["features"][0]["geometry"] = square(106.7, -6.2)
    assert prepare(write(town, changed)).bundle["version"] != first.bundle["version"]
    changed = files()
    changed["services.json"]["services"][0]["resolve"]["hours"] = 25
    assert prepare(write(town, changed)).bundle["version"] != first.bundle["version"]


def test_the_issuer_and_the_jurisdiction_can_be_replaced_at_loading(town: Path) -> None:
    made = prepare(town, jurisdiction="other", issuer="https://else.example")
    assert made.bundle["jurisdiction"] == "other"
    assert {one["issuer"] for one in made.staff} == {"https://else.example"}


def test_a_fault_in_a_file_of_the_base_says_where_the_file_is_from(
    tmp_path: Path, town: Path
) -> None:
    """The base's overrides name districts that this city does not have."""
    (town / "overrides.csv").write_text(
        "district,service,acknowledge_hours,acknowledge_clock,resolve_hours,resolve_clock\n"
        "D9,hole,1,calendar,2,calendar\n"
    )
    own = {"base": "../town", "jurisdiction": "twin", "name": both("Twin")}
    with pytest.raises(CityErrors) as raised:
        prepare(write(tmp_path / "twin", {"city.json": own}))
    (line,) = [line for line in raised.value.findings if line.startswith("overrides.csv")]
    assert "(overrides.csv is taken from ../town: write an own one)" in line
    with pytest.raises(CityErrors) as raised:
        prepare(town)
    assert "taken from" not in "".join(raised.value.findings)


def test_officials_of_the_base_who_get_rights_here_are_a_warning(
    tmp_path: Path, town: Path
) -> None:
    own = {"base": "../town", "jurisdiction": "twin", "name": both("Twin")}
    line = prepare(write(tmp_path / "twin", {"city.json": own})).warnings[-1]
    assert line.startswith("staff.json")
    assert "official(s) get rights and alerts here too (staff.json is taken from ../town" in line
    assert not any("here too" in line for line in prepare(town).warnings)


def test_a_folder_takes_what_it_lacks_from_its_base(tmp_path: Path, town: Path) -> None:
    own = {"base": "../town", "jurisdiction": "twin", "name": both("Twin")}
    twin = prepare(write(tmp_path / "twin", {"city.json": own})).bundle
    base = prepare(town).bundle
    assert twin["jurisdiction"] == "twin"
    assert twin["services"] == base["services"]
    assert twin["areas"] == base["areas"]


def test_features_that_the_mapping_leaves_out_are_not_wards(town: Path) -> None:
    given = files()
    given["wards.geojson"]["features"].append({**ward(4, 2), "properties": {"real": False}})
    assert prepare(write(town, given)).counts["ward"] == 3


def test_levels_may_be_given_by_files_of_their_own(town: Path) -> None:
    given = files()
    features = [
        {"type": "Feature", "properties": {"c": code, "n": code, "up": "C"}, "geometry": shape}
        for code, shape in (("D1", square(106.81, -6.2)), ("D2", square(106.83, -6.2)))
    ]
    given["districts.geojson"] = {"type": "FeatureCollection", "features": features}
    boundaries = given["city.json"]["boundaries"]
    entry = {"level": "district", "code": "c", "name": "n", "parent": "up"}
    del boundaries["files"][0]["areas"][0]
    boundaries["files"].insert(0, {"file": "districts.geojson", "areas": [entry]})
    assert City.from_json(prepare(write(town, given)).bundle).district_and_path("W1")[0] == "D1"


def test_a_city_may_have_more_levels(town: Path) -> None:
    given = files()
    given["city.json"]["levels"] = ["country", "city", "district", "ward"]
    areas = given["city.json"]["boundaries"]["areas"]
    areas[0]["parent"] = "N"
    areas.append({"level": "country", "code": "N", "name": "Country"})
    for entry in given["city.json"]["boundaries"]["files"][0]["areas"][:1]:
        entry["parent"] = "city"
    for feature in given["wards.geojson"]["features"]:
        feature["properties"]["city"] = "C"
    city = City.from_json(prepare(write(town, given)).bundle)
    assert city.district_and_path("W1") == ("D1", ("N", "C", "D1", "W1"))


Change = Callable[[Files], object]


def put(name: str, *path: Any) -> Callable[[Any], Change]:
    """A change of one value in a file: ``put("a.json", "x", 0)(value)``."""

    def of(value: Any) -> Change:
        def change(given: Files) -> None:
            place = given[name]
            for step in path[:-1]:
                place = place[step]
            if value is DROP:
                del place[path[-1]]
            else:
                place[path[-1]] = value

        return change

    return of


DROP = object()
WARD = ("wards.geojson", "features", 1)
RING = (*WARD, "geometry", "coordinates", 0)
LEVELS = ("city.json", "boundaries", "files", 0, "areas")
HOLE = ("services.json", "services", 0)
CITY, CALENDAR, SCORING = "city.json", "calendar.json", "scoring.json"
SERVICES, STAFF, UNITS = "services.json", "staff.json", "units.json"

# what is changed, and the place and the field that the fault names
WRONG: list[tuple[Change, str, str]] = [
    (put(CITY, "time_zone")("Asia/Batavia"), CITY, "time_zone"),
    (put(CITY, "jurisdiction")("Big City"), CITY, "jurisdiction"),
    (put(CITY, "name")({"en": "Town"}), CITY, "name.id"),
    (put(CITY, "languages")(["Indonesia"]), CITY, "languages"),
    (put(CITY, "levels")(["ward"]), CITY, "levels"),
    (put(CITY, "emergency")(DROP), CITY, "emergency"),
    (put(CITY, "numbers")([{"name": both("x"), "number": "call us"}]), CITY, "numbers[0].number"),
    (put(*HOLE, "numbers")([{"number": "112"}]), SERVICES, "services[0].numbers[0].name"),
    (put(CITY, "limits", "cell")(DROP), CITY, "limits.cell"),
    (put(CITY, "limits", "cell", 0, "n")(0), CITY, "limits.cell[0].n"),
    (put(CITY, "limits", "flags")([{"n": 0, "seconds": 60}]), CITY, "limits.flags[0].n"),
    (put(CITY, "rules", "near_m")(DROP), CITY, "rules.near_m"),
    (put(CITY, "rules", "lapse_days")("14"), CITY, "rules.lapse_days"),
    (put(CITY, "retention")({"contact_days": 29}), CITY, "retention.contact_days"),
    (put(CITY, "retention")({"closed_days": 90}), CITY, "retention.closed_days"),
    (put(CITY, "retention")({"originals_days": 31}), CITY, "retention.originals_days"),
    (put(CITY, "retention")({"addresses_days": True}), CITY, "retention.addresses_days"),
    (put(CITY, "retention")({"photos_days": 60}), CITY, "retention.photos_days"),
    (put(CITY, "colour")("red"), CITY, "colour"),
    (put(CITY, "base")("../nowhere"), "city.json", "base"),
    (put(CITY, "boundaries", "files", 0, "file")("none.geojson"), "none.geojson", "is missing"),
    (put(*WARD, "geometry", "type")("Point"), "feature 2", "geometry.type"),
    (put(*WARD, "geometry")(None), "feature 2", "geometry.type"),
    (put(*RING)([[1, 1], [2, 2], [1, 1]]), "feature 2", "geometry.coordinates[0]"),
    (put(*RING, 4)([106.9, -6.2]), "feature 2", "geometry"),
    (put(*RING, 2)([106.9, -96.2]), "feature 2", "geometry.coordinates[0][2]"),
    (put(*RING, 2)([float("nan"), 1]), "feature 2", "geometry.coordinates[0][2]"),
    (put(*RING, 2)(["1", 1]), "feature 2", "geometry.coordinates[0][2]"),
    (put(*RING)([[1, 1], [2, 2], [3, 3], [1, 1]]), "feature 2", "geometry.coordinates[0]"),
    (put(*WARD, "properties", "ward")("W1"), "feature 2", "ward"),
    (put(*WARD, "properties", "ward")("W 1"), "feature 2", "ward"),
    (put(*WARD, "properties", "title")(" "), "feature 2", "title"),
    (put(*LEVELS, 0, "parent")("ward"), "feature 1", "parent"),
    (put(*LEVELS, 0, "level")("ward"), "feature 1", "in"),
    (put(*WARD, "properties", "in_title")("Other"), "feature 2", "in"),
    (put("wards.geojson", "features")([]), "city.json", "boundaries"),
    (put("wards.geojson", "crs")({"properties": {"name": "EPSG:32748"}}), "wards.geojson", "crs"),
    (put(*HOLE, "group")("none"), SERVICES, "services[0].group"),
    (put(*HOLE, "unit")("none"), SERVICES, "services[0].unit"),
    (put(*HOLE, "name", "id")(""), SERVICES, "services[0].name.id"),
    (put(*HOLE, "code")("violence"), SERVICES, "services[1].code"),
    (put(*HOLE, "resolve", "hours")(0), SERVICES, "services[0].resolve.hours"),
    (put(*HOLE, "resolve", "hours")(-1), SERVICES, "services[0].resolve.hours"),
    (put(*HOLE, "resolve", "clock")("lunar"), SERVICES, "services[0].resolve.clock"),
    (put(*HOLE, "public_decimals")(6), SERVICES, "services[0].public_decimals"),
    (put(*HOLE, "public_decimals")(2.5), SERVICES, "services[0].public_decimals"),
    (put(*HOLE, "public_decimals")(None), SERVICES, "services[0].public_decimals"),
    (put(*HOLE, "questions", 0, "type")("colour"), SERVICES, "services[0].questions[0].type"),
    (put(*HOLE, "questions", 0, "options")([]), SERVICES, "services[0].questions[0].options"),
    (put(*HOLE, "questions", 0, "label")({"en": "Size?"}), SERVICES, "label.id"),
    (put(SERVICES, "services", 1, "unit")("district"), SERVICES, "services[1].unit"),
    (put(SERVICES, "groups", 0, "name", "en")(5), SERVICES, "groups[0].name.en"),
    (put(UNITS, "units", 0, "kind")("club"), UNITS, "units[2].kind"),
    (put(UNITS, "units", 0, "districts")(["D9"]), UNITS, "units[2].districts"),
    (put(UNITS, "units", 0, "kind")("district"), UNITS, "units[2].districts"),
    (put(UNITS, "for_each_district")([]), UNITS, "units"),
    (put(CALENDAR, "working", "mon", 0, 0)("25:00"), CALENDAR, "working.mon[0]"),
    (put(CALENDAR, "working", "mon", 0, 1)("07:00"), CALENDAR, "working.mon[0]"),
    (put(CALENDAR, "working", "mon", 1, 0)("11:00"), CALENDAR, "working.mon[1]"),
    (put(CALENDAR, "working")({}), CALENDAR, "working"),
    (put(CALENDAR, "working", "funday")([]), CALENDAR, "working.funday"),
    (put(CALENDAR, "holidays", 0, "date")("2027-02-30"), CALENDAR, "holidays[0].date"),
    (put(CALENDAR, "holidays", 0, "name")("New Year"), CALENDAR, "holidays[0].name"),
    (put(SCORING, "weights", "on_time")(-1), SCORING, "weights.on_time"),
    (put(SCORING, "weights", "on_time")(61), SCORING, "weights"),
    (put(STAFF, "staff", 0, "unit")("none"), STAFF, "staff[2].unit"),
    (put(STAFF, "staff", 0, "home_district")("D9"), STAFF, "staff[2].home_district"),
    (put(STAFF, "staff", 0, "ref")("x y"), STAFF, "staff[2].ref"),
    (put(STAFF, "staff", 0, "ref")("s_officer-D1"), STAFF, "staff[2].ref"),
    (put(STAFF, "staff", 0, "subject")("officer-D1"), STAFF, "staff[2].subject"),
    (put(STAFF, "staff", 0, "grants", 0, "role")("king"), STAFF, "grants[0].role"),
    (put(STAFF, "staff", 0, "grants", 0, "services")(["x"]), STAFF, "grants[0].services"),
    (put(STAFF, "staff", 0, "grants", 0, "districts")([]), STAFF, "grants[0].districts"),
    (put(STAFF, "staff", 0, "permissions")(["all"]), STAFF, "staff[2].permissions"),
    (put(STAFF, "staff", 0, "grants", 0, "permissions")(["all"]), STAFF, "grants[0].permissions"),
    (
        put(STAFF, "staff", 0, "grants", 0)(
            {"role": "auditor", "districts": ["*"], "services": ["*"], "permissions": ["contact"]}
        ),
        STAFF,
        "grants[0].permissions",
    ),
    (
        put(STAFF, "for_each_district", 0, "endpoints", 0, "endpoint")("nobody"),
        STAFF,
        "staff[0].endpoints[0].endpoint",
    ),
    (put(STAFF, "issuer")(DROP), STAFF, "staff[2].issuer"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "place", "field"), WRONG, ids=lambda one: one if isinstance(one, str) else ""
)
def test_a_fault_names_its_file_place_and_field(
    tmp_path: Path, change: Change, place: str, field: str
) -> None:
    given = copy.deepcopy(files())
    change(given)
    found = faults(tmp_path / "town", given)
    assert any(place in line and field in line for line in found), found


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("D9,hole,,,8,working", "overrides.csv:2: district"),
        ("D1,none,,,8,working", "overrides.csv:2: service"),
        ("D1,hole,,,-8,working", "overrides.csv:2: resolve_hours"),
        ("D1,hole,,,nan,working", "overrides.csv:2: resolve_hours"),
        ("D1,hole,,,8,lunar", "overrides.csv:2: resolve_clock"),
        ("D1,hole,,,,", "overrides.csv:2"),
        ("D1,hole,,,8", "overrides.csv:2"),
        (",hole,,,8,working", "overrides.csv:2: district"),
        ("D1,,,,8,working", "overrides.csv:2: service"),
        ("D1,hole,,,8,", "overrides.csv:2: resolve_clock"),
        ("D1,hole,4,,,", "overrides.csv:2: acknowledge_clock"),
        ("D1,hole,,,8,working\nD1,hole,,,9,working", "overrides.csv:3: district, service"),
    ],
)
def test_a_fault_of_an_override_names_its_line(tmp_path: Path, row: str, field: str) -> None:
    given = files()
    head = given["overrides.csv"].partition("\n")[0]
    found = faults(tmp_path / "town", {**given, "overrides.csv": f"{head}\n{row}\n"})
    assert any(line.startswith(field) for line in found), found


@pytest.mark.parametrize("name", sorted(set(files()) - {"overrides.csv"}))
@pytest.mark.parametrize(
    ("text", "where"), [('{\n"a": }', ":2"), ("[]", ""), ("", ""), ('{"a": NaN}', "")]
)
def test_a_file_that_is_not_json_of_its_kind_is_named(
    tmp_path: Path, name: str, text: str, where: str
) -> None:
    found = faults(tmp_path / "town", {**files(), name: text})
    assert any(line.startswith(name + where) for line in found), found


@pytest.mark.parametrize("name", sorted(set(files()) - {"overrides.csv"}))
def test_a_missing_file_is_named(town: Path, name: str) -> None:
    (town / name).unlink()
    with pytest.raises(CityErrors) as found:
        prepare(town)
    assert f"{name}: is missing" in found.value.findings


def test_a_key_given_twice_is_a_fault(tmp_path: Path) -> None:
    text = json.dumps(files()["scoring.json"])
    given = {**files(), "scoring.json": text.replace("{", '{"rank_from": 9,', 1)}
    assert any("rank_from: is given twice" in line for line in faults(tmp_path / "town", given))


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    given = files()
    given["city.json"]["time_zone"] = "Nowhere"
    given["services.json"]["services"][0]["group"] = "none"
    given["staff.json"]["staff"][0]["unit"] = "none"
    given["wards.geojson"]["features"][2]["geometry"]["coordinates"][0][2:] = []
    found = faults(tmp_path / "town", given)
    for place in ("city.json", "services.json", "staff.json", "wards.geojson: feature 3"):
        assert any(line.startswith(place) for line in found), place


def test_the_command_lists_the_faults_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = files()
    given["city.json"]["time_zone"] = "Nowhere"
    assert main(["check", str(write(tmp_path / "town", given))]) == 1
    assert "time_zone" in capsys.readouterr().err
    assert main(["check", str(write(tmp_path / "town", files()))]) == 0
    assert "nothing is wrong" in capsys.readouterr().out


def _whole(made: Prepared) -> City:
    """The city, after checking each of its wards and services."""
    city = City.from_json(made.bundle)
    for area in city.areas.values():
        if area.level == city.levels[-1]:
            district, _ = city.district_and_path(area.code)
            assert city.areas[district].level == "district"
            assert all(city.unit_for(one, district) in city.units for one in city.services)
    return city


def test_a_contact_lives_as_long_as_its_reporter_may_reopen(tmp_path: Path) -> None:
    given = files()
    given["city.json"]["rules"]["reopen_days"] = 90
    given["city.json"]["retention"] = {"contact_days": 60, "closed_days": 400}
    (found,) = faults(tmp_path / "town", given)
    assert "retention.contact_days" in found
    assert "reopen_days, 90" in found
    given["city.json"]["retention"]["contact_days"] = 90
    made = City.from_json(prepare(write(tmp_path / "town", given)).bundle)
    assert made.retention == {"contact_days": 90, "closed_days": 400}


def test_the_demo_city_has_jakartas_districts_and_two_wards_in_each() -> None:
    made = prepare(DEMO)
    city = _whole(made)
    assert made.counts["district"] == 44
    assert made.counts["ward"] == 88
    assert {"31.01.01", "31.71.01", "31.75.10"} <= city.areas.keys()
    assert len({one["subject"] for one in made.staff}) == len(made.staff)
    assert any(service.protected for service in city.services.values())


def test_the_real_jakarta_loads_with_the_demos_services() -> None:
    if not REAL.is_dir():
        pytest.skip("the real boundaries are not part of the product: ../shared/data is missing")
    made = prepare(JAKARTA, REAL)
    city = _whole(made)
    assert (made.counts["ward"], made.counts["district"]) == (267, 44)
    index = Boundaries.from_bytes(made.blob)
    for area in city.areas_of_level(-1):
        point = index.point_in(area.code)
        assert point is not None
        assert index.ward_at(*point) == area.code
    assert city.services.keys() == City.from_json(prepare(DEMO).bundle).services.keys()


def test_permissions_beside_the_grants_go_with_every_one_and_check_warns(
    town: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The older form loads; an auditor's grant gets none."""
    given = files()
    grants = given["staff.json"]["staff"][0]["grants"]
    grants.append({"role": "auditor", "districts": ["*"], "services": ["*"]})
    made = prepare(write(town, given))
    assert [one["permissions"] for one in made.staff[2]["grants"]] == [["contact"], []]
    assert "permissions" not in made.staff[2]
    assert [line for line in made.warnings if "staff[2].permissions" in line]
    assert main(["check", str(town)]) == 0
    assert "warning: staff.json" in capsys.readouterr().out
    del given["staff.json"]["staff"][0]["permissions"]
    grants[0]["permissions"] = ["contact"]
    made = prepare(write(town, given))
    assert (made.staff[2]["grants"][0]["permissions"], made.warnings) == (["contact"], ())


def test_events_of_an_endpoint_are_left_out_with_a_warning(town: Path) -> None:
    """They had no effect; an older folder still loads."""
    given = files()
    given["staff.json"]["for_each_district"][0]["endpoints"][0]["events"] = ["breach"]
    made = prepare(write(town, given))
    assert all("events" not in end for one in made.staff for end in one["endpoints"])
    assert [line for line in made.warnings if "endpoints[0].events" in line]
