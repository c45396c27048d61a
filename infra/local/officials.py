"""Finds the official for ``make token`` by role, district and unit.

    subject("demo", "officer", district="31.71.01")      "officer-31.71.01"

An unknown role, district or unit is an error that lists the known ones.
"""

from collections.abc import Iterable
from datetime import datetime

from chalicelib.domain.row_types import GrantRecord
from infra.emulator.emulator import StackError

ANY = "*"


def subject(
    jurisdiction: str,
    role: str,
    district: str | None = None,
    unit: str | None = None,
    *,
    now: datetime,
) -> str:
    """The subject of the first active official who fits. Raises ``StackError``."""
    # Storage makes its AWS clients when it is imported, so it has to come after the stack.
    from chalicelib.errors import Problem
    from chalicelib.services.city import cities
    from chalicelib.storage import city as store

    try:
        city = cities.current(jurisdiction, now)
    except Problem:
        raise StackError(f"no city {jurisdiction} is loaded; run make run once") from None
    active = [
        official for official in store.all_staff(jurisdiction) if official.get("active", True)
    ]
    roles = sorted({grant["role"] for official in active for grant in official["grants"]})
    areas = {area.code: area.name for area in city.areas_of_level(-2)}
    units = {row.code: city.text(row.name) for row in city.units.values()}
    _known("ROLE", role, dict.fromkeys(roles, ""))
    if district is not None:
        _known("DISTRICT", district, areas)
    if unit is not None:
        _known("UNIT", unit, units)
    holders = [
        (official, grant)
        for official in active
        for grant in official["grants"]
        if grant["role"] == role
    ]
    for official, grant in holders:
        if (unit in (None, official["unit"])) and _reaches(grant, district):
            return str(official["subject"])
    held = [
        f"{official['unit']} in {', '.join(sorted(grant['districts']))}".replace(
            " *", " every district"
        )
        for official, grant in holders
    ]
    wanted = role + (f" of {unit}" if unit else "") + (f" in {district}" if district else "")
    raise StackError(f"no official is {wanted}. The city has {role}s of:\n{_lines(held)}")


def _reaches(grant: GrantRecord, district: str | None) -> bool:
    return district is None or bool({ANY, district} & set(grant["districts"]))


def _known(what: str, word: str, valid: dict[str, str]) -> None:
    if word not in valid:
        named = (f"{code}  {name}".rstrip() for code, name in valid.items())
        said = f"unknown {what} {word!r}" if word else f"no {what} is given"
        raise StackError(f"{said}; this city has:\n{_lines(named)}")


def _lines(words: Iterable[str]) -> str:
    return "\n".join(f"  {word}" for word in dict.fromkeys(words))
