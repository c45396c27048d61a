"""A second version of the test city: one more unit, new codes, a ward divided, a district renamed.

    D1-W1 | D1-N2 | D2-W1 | DX-W | DX-E     D2 is DX now; D2-W2 was divided

``u-lamps`` is ``u-light``, the service ``lamp`` is ``lighting``, and ``u-parks`` is new.
"""

from copy import deepcopy
from typing import Any

from chalicelib.domain.city.boundaries import build
from tests.support.world import BUNDLE, SIDE, SOUTH, STAFF, WARDS, WEST, World, member, unit

VERSION = "bbbbbbbbbbbb"
SUCCESSORS: dict[str, dict[str, list[str]]] = {
    "areas": {"D1-W2": ["D1-N2"], "D2-W2": ["DX-W", "DX-E"], "D2": ["DX"]},
    "units": {"u-lamps": ["u-light"]},
    "services": {"lamp": ["lighting"]},
}
_CODES = {"D2": "DX", "u-lamps": "u-light", "lamp": "lighting"}


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _renamed(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one) for one in value]
    return _CODES.get(value, value)


def bundle(version: str = VERSION, **more: Any) -> dict[str, Any]:
    """The rules of the second version."""
    found: dict[str, Any] = _renamed(deepcopy(BUNDLE))
    found["areas"] = [area for area in found["areas"] if area["code"] not in ("D1-W2", "D2-W2")]
    wards = (("D1-N2", "D1"), ("DX-W", "DX"), ("DX-E", "DX"))
    found["areas"] += [
        {"code": code, "name": f"Ward {code}", "level": "ward", "parent": parent}
        for code, parent in wards
    ]
    found["units"].append(unit("u-parks", "agency", "D1", "DX"))
    return {**found, "version": version, "successors": SUCCESSORS, **more}


def staff(*without: str) -> list[dict[str, Any]]:
    """The officials of the first version, without some, and those of the new unit."""
    kept = [one for one in STAFF if one["ref"] not in {f"s_{name}" for name in without}]
    return [
        *(_renamed(deepcopy(one)) for one in kept),
        member("gardener", "u-parks", "officer field_worker", "*", "*"),
        member("novice", "u-d2", "officer field_worker", "DX", home="DX"),
    ]


def blob() -> bytes:
    """The shapes of the wards."""
    north, last = SOUTH + SIDE, WEST + 3 * SIDE
    edges = [
        *((ward, WEST + n * SIDE, WEST + (n + 1) * SIDE) for n, ward in enumerate(WARDS[:3])),
        ("DX-W", last, last + SIDE / 2),
        ("DX-E", last + SIDE / 2, last + SIDE),
    ]
    return build(
        [
            ("D1-N2" if ward == "D1-W2" else ward,
             [[[(west, SOUTH), (east, SOUTH), (east, north), (west, north), (west, SOUTH)]]])
            for ward, west, east in edges
        ]
    )  # fmt: skip


def publish(world: World, *without: str, **more: Any) -> Any:
    """Make the second version current and move the open reports; what was moved."""
    from chalicelib.services.city import cities
    from chalicelib.services.city import staff as officials
    from chalicelib.services.reports import city_migration

    cities.publish(bundle(**more), blob(), staff(*without), world.now)
    officials.forget()
    return city_migration.run(bundle()["jurisdiction"], world.now)


def official(ref: str) -> Any:
    """The principal of a record of the second version."""
    from chalicelib.services.city.staff import principal

    record = next(one for one in staff() if one["ref"] == f"s_{ref}")
    return principal(bundle()["jurisdiction"], record)
