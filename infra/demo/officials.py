"""Who acts for the city: officials of the loaded staff records, and their tokens."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.row_types import StaffRecord
from infra.demo.client import Actor

_ANY = "*"
_TOKEN_LASTS = timedelta(hours=6)


@dataclass(frozen=True)
class Place:
    """The unit, district and service of a report, which decide who is competent."""

    unit: str
    district: str
    service: str


class Officials:
    """The active staff records of a city, found by role; choices depend on the seed."""

    def __init__(self, records: list[StaffRecord]) -> None:
        active = [record for record in records if record.get("active", True)]
        self._records = sorted(active, key=lambda record: str(record["ref"]))
        self._known: dict[tuple[str, Place], list[StaffRecord]] = {}

    def worker(self, place: Place, rng: random.Random, holder: str | None) -> Actor | None:
        """The person who holds the report, else a field worker or officer of the unit."""
        for record in self._records:
            if holder is not None and record["ref"] == holder:
                return _actor(record)
        return self.of_unit("field_worker", place, rng) or self.of_unit("officer", place, rng)

    def of_unit(self, role: str, place: Place, rng: random.Random) -> Actor | None:
        """An official of the report's unit with the role."""
        ours = [official for official in self._able(role, place) if official["unit"] == place.unit]
        return _actor(rng.choice(ours)) if ours else None

    def officer(self, role: str, place: Place, rng: random.Random) -> Actor | None:
        """An official with the role, of the report's unit if there is one."""
        able = self._able(role, place)
        actor = self.of_unit(role, place, rng)
        return actor or (_actor(rng.choice(able)) if able else None)

    def verifier(self, place: Place, rng: random.Random) -> Actor | None:
        """A verifier from outside the district and the unit."""
        able = [
            official
            for official in self._able("verifier", place)
            if official["unit"] != place.unit and official.get("home_district") != place.district
        ]
        return _actor(rng.choice(able)) if able else None

    def districts(self) -> list[str]:
        """The districts that are named in the officials' grants."""
        named = {
            district for r in self._records for g in r["grants"] for district in g["districts"]
        }
        return sorted(named - {_ANY})

    def person(self, place: Place, rng: random.Random) -> str | None:
        """The reference of a field worker of the unit, for an assignment."""
        ours = [
            official
            for official in self._able("field_worker", place)
            if official["unit"] == place.unit
        ]
        return str(rng.choice(ours)["ref"]) if ours else None

    def _able(self, role: str, place: Place) -> list[StaffRecord]:
        known = self._known.get((role, place))
        if known is None:
            known = [record for record in self._records if _reaches(record, role, place)]
            self._known[role, place] = known
        return known


class Tokens:
    """The ``Authorization`` of each actor; an official's token is renewed every six hours."""

    def __init__(self, issue: Callable[[str], str], now: Callable[[], datetime]) -> None:
        self._issue = issue
        self._now = now
        self._held: dict[str, tuple[datetime, str]] = {}

    def of(self, actor: Actor | None) -> str | None:
        """The header's value; ``None`` without an actor."""
        if actor is None:
            return None
        if actor.kind == "device":
            return f"Device {actor.name}"
        now = self._now()
        since, token = self._held.get(actor.name, (now, ""))
        if not token or now - since >= _TOKEN_LASTS:
            since, token = now, self._issue(actor.name)
            self._held[actor.name] = (since, token)
        return f"Bearer {token}"


def _actor(record: StaffRecord) -> Actor:
    return Actor("official", str(record["subject"]))


def _reaches(record: StaffRecord, role: str, place: Place) -> bool:
    return any(
        grant["role"] == role
        and {_ANY, place.district} & set(grant["districts"])
        and {_ANY, place.service} & set(grant["services"])
        for grant in record["grants"]
    )
