"""Scorecard settings, escalation ladders and populations of a city folder."""

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.city.city import City, Level
from infra.city.findings import CityErrors
from infra.city.load import prepare
from tests.support.city_folder import Files, both, files, write

DEMO = Path(__file__).parents[2] / "infra" / "cities" / "demo"
RUNG = {"share": 1.0, "tell": ["holder"], "priority": "high"}


def ladder(*shares: float) -> list[dict[str, Any]]:
    """A ladder that tells the holder at these shares."""
    return [{**RUNG, "share": share} for share in shares]


def town(folder: Path, **changed: Any) -> City:
    """The city of the test folder with these files (``escalation={...}``)."""
    given = {**files(), **{f"{name}.json": value for name, value in changed.items()}}
    return City.from_json(prepare(write(folder / "town", given)).bundle)


def faults(folder: Path, **changed: Any) -> list[str]:
    """What is wrong with those files."""
    with pytest.raises(CityErrors) as found:
        town(folder, **changed)
    return found.value.findings


def test_a_ladder_is_read_as_it_stands(tmp_path: Path) -> None:
    """The ladder of a group, and that of the others."""
    own = [{"share": 0.25, "tell": ["holder", "dispatcher"], "priority": "urgent"}]
    given = {"per_hour": 3, "morning_hour": 0, "ladders": {"*": ladder(1, 2), "all": own}}
    city = town(tmp_path, escalation=given)
    assert (city.alerts_per_hour, city.morning_hour) == (3, 0)
    assert city.ladder("all") == (Level(0.25, ("holder", "dispatcher"), "urgent"),)
    assert [rung.share for rung in city.ladder("other")] == [1, 2]


def test_a_city_needs_no_ladder_and_a_ladder_no_hours(tmp_path: Path) -> None:
    """Without the file nothing escalates; the numbers have defaults."""
    assert town(tmp_path).ladder("all") == ()
    city = town(tmp_path, escalation={"ladders": {"*": ladder(1)}})
    assert (city.alerts_per_hour, city.morning_hour) == (20, 7)


def test_a_ladder_is_part_of_the_version(tmp_path: Path) -> None:
    """A report names the rules under which it is late."""
    one = town(tmp_path, escalation={"ladders": {"*": ladder(1)}})
    two = town(tmp_path, escalation={"ladders": {"*": ladder(1.5)}})
    assert one.version != two.version


def test_a_folder_takes_the_ladder_of_its_base(tmp_path: Path) -> None:
    """Like every other file."""
    town(tmp_path, escalation={"ladders": {"*": ladder(1, 3)}})
    twin = {"base": "../town", "jurisdiction": "twin", "name": both("Twin")}
    city = City.from_json(prepare(write(tmp_path / "twin", {"city.json": twin})).bundle)
    assert [rung.share for rung in city.ladder("all")] == [1, 3]


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({}, "escalation.json:1: ladders: is missing"),
        ({"ladders": {}}, "ladders.*: is missing"),
        ({"ladders": {"all": ladder(1)}}, "ladders.*: is missing"),
        ({"ladders": {"*": ladder(1), "fire": ladder(1)}}, "ladders.fire: is no group"),
        ({"ladders": {"*": []}}, "ladders.*: must have 1 to 8 rungs, not 0"),
        ({"ladders": {"*": ladder(*range(1, 10))}}, "ladders.*: must have 1 to 8 rungs, not 9"),
        ({"ladders": {"*": ladder(1, 1)}}, "ladders.*[1].share: must be more than 1"),
        ({"ladders": {"*": ladder(2, 1.5)}}, "ladders.*[1].share: must be more than 2"),
        ({"ladders": {"*": ladder(0)}}, "ladders.*[0].share: must be more than 0"),
        ({"ladders": {"*": ladder(-1)}}, "ladders.*[0].share"),
        ({"ladders": {"*": ladder(20.5)}}, "ladders.*[0].share"),
        ({"ladders": {"*": [{**RUNG, "tell": []}]}}, "ladders.*[0].tell: must name somebody"),
        ({"ladders": {"*": [{**RUNG, "tell": ["mayor"]}]}}, "ladders.*[0].tell"),
        ({"ladders": {"*": [{**RUNG, "tell": ["citizen"]}]}}, "ladders.*[0].tell"),
        ({"ladders": {"*": [{**RUNG, "tell": ["holder"] * 2}]}}, "tell: names 'holder' twice"),
        ({"ladders": {"*": [{**RUNG, "priority": "low"}]}}, "ladders.*[0].priority"),
        ({"ladders": {"*": [{"share": 1}]}}, "ladders.*[0].tell: is missing"),
        ({"ladders": {"*": [{**RUNG, "colour": "red"}]}}, "ladders.*[0].colour"),
        ({"ladders": {"*": "none"}}, "ladders.*: must be a list"),
        ({"ladders": {"*": ladder(1)}, "per_hour": 0}, "per_hour"),
        ({"ladders": {"*": ladder(1)}, "morning_hour": 24}, "morning_hour"),
        ({"ladders": {"*": ladder(1)}, "evening_hour": 20}, "evening_hour"),
    ],
)
def test_a_fault_of_a_ladder_is_named(tmp_path: Path, given: Files, where: str) -> None:
    """With its file and field."""
    found = faults(tmp_path, escalation=given)
    assert any(line.startswith("escalation.json:") and where in line for line in found), found


def test_a_fault_of_a_rung_names_its_line(tmp_path: Path) -> None:
    """The line on which the rung begins."""
    rungs = ",\n".join(json.dumps(one) for one in ladder(1, 2, 2))
    write(
        tmp_path / "town", {**files(), "escalation.json": '{"ladders": {"*": [\n' + rungs + "]}}"}
    )
    with pytest.raises(CityErrors) as found:
        prepare(tmp_path / "town")
    assert [line.partition(": must")[0] for line in found.value.findings] == [
        "escalation.json:4: ladders.*[2].share"
    ]


WEIGHTS = {"weights": {"on_time": 60, "recurrence": 40}}
DEFAULTS = {
    "rank_from": 10,
    "score_from": 30,
    "audit_from": 30,
    "audit_prior": 5,
    "audit_sample": 12,
    "unaudited_pass_rate": 0.5,
    "reporter_cap": 25,
    "shrink_n": 20,
    "old_factor": 3,
    "recurrence_m": 30,
    "recurrence_days": 60,
}


def test_settings_that_are_left_out_have_their_defaults(tmp_path: Path) -> None:
    """They are in the bundle, so that everybody can see them."""
    assert town(tmp_path, scoring=WEIGHTS).scoring == {**WEIGHTS, **DEFAULTS, "bands": []}


BANDS = [
    {"code": "C", "name": both("Weak"), "from": 0},
    {"code": "B", "name": both("Fair"), "from": 50},
]


def test_bands_of_scores_are_taken_as_given(tmp_path: Path) -> None:
    assert town(tmp_path, scoring={**WEIGHTS, "bands": BANDS}).scoring["bands"] == BANDS


@pytest.mark.parametrize(
    ("number", "field", "value"), [(0, "from", 5), (1, "from", 0), (1, "code", "C"), (1, "name", 3)]
)
def test_a_wrong_band_is_named(tmp_path: Path, number: int, field: str, value: Any) -> None:
    """The first begins at 0, each later one higher, and no code is used twice."""
    bands = [dict(band) for band in BANDS]
    bands[number][field] = value
    found = faults(tmp_path, scoring={**WEIGHTS, "bands": bands})
    assert any(f"bands[{number}].{field}" in line for line in found), found


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_a_setting_is_taken_as_given(tmp_path: Path, name: str) -> None:
    """In place of the default."""
    value = {"unaudited_pass_rate": 0.75, "audit_from": 36, "recurrence_days": 45}.get(name, 17)
    assert town(tmp_path, scoring={**WEIGHTS, name: value}).scoring[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rank_from", 0),
        ("score_from", 0),
        ("rank_from", None),
        ("audit_sample", 0),
        ("audit_sample", 2.5),
        ("audit_from", 37),
        ("unaudited_pass_rate", 1.01),
        ("unaudited_pass_rate", True),
        ("reporter_cap", 0),
        ("shrink_n", -1),
        ("old_factor", 0.5),
        ("old_factor", "3"),
        ("recurrence_m", 0),
        ("recurrence_days", 61),
        ("weights", {"on_time": 50, "speed": 50}),
    ],
)
def test_a_setting_out_of_range_is_named(tmp_path: Path, name: str, value: Any) -> None:
    """With its file and field."""
    found = faults(tmp_path, scoring={**WEIGHTS, name: value})
    assert any(line.startswith(f"scoring.json:1: {name}") for line in found), found


def populous(given: Files, counts: list[Any]) -> Files:
    """The folder with populations of its wards, as properties."""
    given["city.json"]["boundaries"]["files"][0]["areas"][1]["population"] = "people"
    for feature, count in zip(given["wards.geojson"]["features"], counts, strict=True):
        if count != "nothing":
            feature["properties"]["people"] = count
    return given


def people(folder: Path, given: Files) -> dict[str, int | None]:
    """The populations of the folder's areas."""
    city = City.from_json(prepare(write(folder / "town", given)).bundle)
    return {area.code: area.population for area in city.areas.values()}


def test_populations_come_from_properties_and_from_what_is_written(tmp_path: Path) -> None:
    """0 is nobody; null is unknown."""
    given = populous(files(), [1200, 0, None])
    given["city.json"]["boundaries"]["areas"][0]["population"] = 5000
    found = people(tmp_path, given)
    assert found == {"C": 5000, "D1": None, "D2": None, "W1": 1200, "W2": 0, "W3": None}
    assert people(tmp_path, populous(files(), [1200.0, 1, 2]))["W1"] == 1200
    assert set(people(tmp_path, files()).values()) == {None}


@pytest.mark.parametrize("count", ["nothing", -1, 1.5, "1200", True, 10**9])
def test_a_population_that_is_no_number_of_people_is_named(tmp_path: Path, count: Any) -> None:
    """With the feature that has it."""
    with pytest.raises(CityErrors) as found:
        people(tmp_path, populous(files(), [1200, count, 1]))
    assert any("feature 2: people" in line for line in found.value.findings)


def test_two_features_must_agree_on_a_districts_population(tmp_path: Path) -> None:
    """D1 has two wards."""
    given = populous(files(), [1, 2, 3])
    given["city.json"]["boundaries"]["files"][0]["areas"][0]["population"] = "people"
    with pytest.raises(CityErrors) as found:
        people(tmp_path, given)
    assert any(
        "'D1' has the population 2 here, but 1" in finding for finding in found.value.findings
    )


@pytest.mark.parametrize("count", [-1, 0.5, "many"])
def test_a_written_population_is_checked(tmp_path: Path, count: Any) -> None:
    """As a property is."""
    given = files()
    given["city.json"]["boundaries"]["areas"][0]["population"] = count
    with pytest.raises(CityErrors) as found:
        people(tmp_path, given)
    assert any("boundaries.areas[0].population" in line for line in found.value.findings)


def test_every_ward_of_the_demo_has_people_and_districts_are_left_to_sum() -> None:
    """Made up, but large enough for figures per 10,000."""
    city = City.from_json(prepare(DEMO).bundle)
    wards = [area.population for area in city.areas.values() if area.level == "ward"]
    assert all(count is not None and count > 1000 for count in wards)
    assert 10_000_000 < sum(count or 0 for count in wards) < 11_000_000
    assert {area.population for area in city.areas.values() if area.level != "ward"} == {None}


ORDER = {"normal": 0, "high": 1, "urgent": 2}


def test_the_demos_ladders_reach_the_governors_list_and_water_begins_early() -> None:
    """100 % holder and head, 150 % dispatcher, 200 % administration and auditor."""
    city = City.from_json(prepare(DEMO).bundle)
    assert [(one.share, one.tell) for one in city.ladder("roads")] == [
        (1.0, ("holder", "district_head")),
        (1.5, ("dispatcher",)),
        (2.0, ("city_admin", "auditor")),
    ]
    assert city.ladder("water")[0].share < 1
    for rungs in city.ladders.values():
        levels = [ORDER[rung.priority] for rung in rungs]
        assert levels == sorted(levels)


@pytest.mark.parametrize(
    ("hours", "top", "good"), [(24, 20, True), (3510, 2, True), (3511, 2, False), (352, 20, False)]
)
def test_a_target_must_fit_into_the_years_that_are_searched(
    tmp_path: Path, hours: float, top: float, good: bool
) -> None:
    """The town works 15 hours a week, 7 on Monday and 8 on Tuesday: 7,020 in nine years."""
    given = files()
    given["services.json"]["services"][0]["resolve"]["hours"] = hours
    services, escalation = given["services.json"], {"ladders": {"*": ladder(top)}}
    if good:
        assert town(tmp_path, services=services, escalation=escalation)
    else:
        found = faults(tmp_path, services=services, escalation=escalation)
        assert any(line.startswith("services.json: hole: ") for line in found), found
