"""The city of the bench: a few districts with the demo city's services, targets and weights."""

from dataclasses import replace
from functools import cache
from pathlib import Path

from chalicelib.domain.city.city import Area, City
from chalicelib.domain.principal import Grant, Principal
from infra.city import folder

DEMO = Path(__file__).parents[2] / "infra" / "cities" / "demo"
DISTRICTS = ("d0", "d1", "d2", "d3", "d4", "d5")
# The district that plays the tricks; the others are honest.
GAMED = DISTRICTS[0]
WARDS = 3
PROVINCE, AGENCY, PROTECTED_UNIT = "bbws", "dinas_bina_marga", "p2tp2a"
PATROL, PROTECTED = "temuan_patroli", "violence_women_children"
_BUREAU = "biro_pemerintahan"
# 1e-7 degrees; a district is about 3.3 km wide, and districts do not touch.
_WEST, _NORTH, _SIDE, _STEP = 1_067_000_000, -61_000_000, 300_000, 400_000


@cache
def city() -> City:
    """The demo city's rules with ``DISTRICTS`` of ``WARDS`` wards instead of its own areas.

    It has no ladders of escalation, which alert people and change nothing that a scorecard counts.
    """
    demo = City.from_json(folder.prepare(DEMO).bundle)
    areas = [Area("c", "City", "city", None)]
    for code in DISTRICTS:
        areas.append(Area(code, code, "district", "c"))
        areas += [Area(ward, ward, "ward", code, 10_000) for ward in wards(code)]
    agencies = {code: unit for code, unit in demo.units.items() if unit.kind != "district"}
    everywhere = frozenset(DISTRICTS)
    units = {code: replace(unit, districts=everywhere) for code, unit in agencies.items()}
    any_district = next(unit for unit in demo.units.values() if unit.kind == "district")
    for code in DISTRICTS:
        own = replace(any_district, code=unit_of(code), districts=frozenset({code}))
        units[own.code] = own
    return replace(
        demo,
        jurisdiction="gaming",
        version="bench",
        levels=("city", "district", "ward"),
        areas={area.code: area for area in areas},
        units=units,
        overrides={},
        ladders={},
    )


def unit_of(district: str) -> str:
    """The unit that is a district's own."""
    return f"u-{district}"


def wards(district: str) -> list[str]:
    """The wards of a district."""
    return [f"{district}-w{number}" for number in range(WARDS)]


def spot(district: str, east: float, north: float) -> tuple[int, int]:
    """(lat7, long7) of a place in a district, by the shares of its sides."""
    west = _WEST + DISTRICTS.index(district) * _STEP
    return _NORTH + round(north * _SIDE), west + round(east * _SIDE)


@cache
def official(role: str, district: str) -> Principal:
    """An official by the part that they play: of the district, or called in from elsewhere."""
    own = {"officer": "officer", "worker": "field_worker", "colleague": "field_worker",
           "head": "district_head"}  # fmt: skip
    if role in own:
        return _staff(role, own[role], unit_of(district), district)
    if role in ("province", "agency", "protector"):
        unit = {"province": PROVINCE, "agency": AGENCY, "protector": PROTECTED_UNIT}[role]
        services = PROTECTED if role == "protector" else "*"
        return _staff(role, "officer", unit, None, services, "field_worker")
    return _staff(role, role, _BUREAU, None)


def _staff(
    name: str, role: str, unit: str, home: str | None, services: str = "*", *more: str
) -> Principal:
    grants = tuple(
        Grant(each, frozenset({home or "*"}), frozenset({services})) for each in (role, *more)
    )
    uid = f"s_{name}-{home or 'city'}"
    return Principal("staff", city().jurisdiction, uid, unit, home, grants)
