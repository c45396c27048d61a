"""A city's rules as they were loaded: one frozen version of areas, services, units and calendar.

Made from the bundle that ``infra.city`` validates and stores; nothing here reads a file.

Tests: tests/integration/test_city_load.py
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Self
from zoneinfo import ZoneInfo

from chalicelib.domain.city.business_hours import Calendar
from chalicelib.domain.city.hook import Hook, read_hook
from chalicelib.domain.city.limits import CODE_LIMITS, PERSON_LIMITS
from chalicelib.domain.city.service import (
    Number,
    Override,
    Service,
    read_numbers,
    read_override,
    read_service,
)
from chalicelib.domain.city.unit import Unit, read_unit
from chalicelib.domain.input import languages
from chalicelib.domain.input.languages import Text
from chalicelib.domain.input.redaction import of_country
from chalicelib.domain.timestamps import parse, shifted

EMERGENCY_NAME: Text = {"en": "Emergency", "id": "Darurat"}
# The message of a city's own catalogue that names its emergency number.
EMERGENCY = "number.emergency"


@dataclass(frozen=True)
class Area:
    """A city, district or ward (any depth); ``level`` is one of the city's levels."""

    code: str
    name: str
    level: str
    parent: str | None
    population: int | None = None


@dataclass(frozen=True)
class Level:
    """A rung of the escalation ladder, reached at ``share`` of the target since filing.

    ``tell``: who is alerted: "holder", or roles over the report's district.
    """

    share: float
    tell: tuple[str, ...]
    priority: str


@dataclass(frozen=True)
class City:
    """One version of a jurisdiction's rules.

    ``languages``: the languages of its texts; the first is the default.
    ``alerts_per_hour``: so many escalations of one unit are sent one by one in an hour; the rest
    are sent together. ``morning_hour``: the local hour at which the daily warnings go out.
    ``patterns``: the rules by which ``redaction.find_personal`` finds personal data in a text.
    ``successors``: the codes that replaced codes of older versions, as {"areas" | "units" |
    "services": {code: codes}} (``domain.actions.city_succession``).
    ``messages``: the city's own catalogues beside those that ship, {language: {key: text}}.
    ``retention``: how many days each class of personal data is kept (``domain.people.retention``);
    a class without a number is kept until somebody asks for erasure.
    ``hooks``: the webhooks, by code: other systems that are sent public events.
    """

    jurisdiction: str
    version: str
    name: Text
    time_zone: str
    emergency: str
    languages: tuple[str, ...]
    levels: tuple[str, ...]
    areas: dict[str, Area]
    groups: dict[str, Text]
    services: dict[str, Service]
    units: dict[str, Unit]
    calendar: Calendar
    overrides: dict[tuple[str, str], Override]
    scoring: dict[str, Any]
    limits: dict[str, list[dict[str, int]]]
    rules: dict[str, Any]
    ladders: dict[str, tuple[Level, ...]] = field(default_factory=dict)
    alerts_per_hour: int = 20
    morning_hour: int = 7
    numbers: tuple[Number, ...] = ()
    patterns: list[dict[str, Any]] = field(default_factory=list)
    successors: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    messages: dict[str, Text] = field(default_factory=dict)
    retention: dict[str, int] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)

    @classmethod
    def from_json(cls, bundle: dict[str, Any]) -> Self:
        """The city of a bundle. Raises ``KeyError`` or ``ValueError`` for an invalid bundle."""
        zone = bundle["time_zone"]
        escalation = bundle.get("escalation", {})
        overrides = [read_override(row) for row in bundle.get("overrides", ())]
        return cls(
            jurisdiction=bundle["jurisdiction"],
            version=bundle["version"],
            name=bundle["name"],
            time_zone=zone,
            emergency=bundle["emergency"],
            languages=tuple(bundle["languages"]),
            levels=tuple(bundle["levels"]),
            areas={
                row["code"]: Area(
                    row["code"], row["name"], row["level"], row.get("parent"), row.get("population")
                )
                for row in bundle["areas"]
            },
            groups={row["code"]: row["name"] for row in bundle["groups"]},
            services={row["code"]: read_service(row) for row in bundle["services"]},
            units={row["code"]: read_unit(row) for row in bundle["units"]},
            calendar=Calendar.from_json(bundle["calendar"], zone),
            overrides={(row.district, row.service): row for row in overrides},
            scoring=bundle["scoring"],
            limits=bundle["limits"],
            rules=bundle["rules"],
            ladders={
                group: tuple(
                    Level(float(row["share"]), tuple(row["tell"]), row["priority"]) for row in rungs
                )
                for group, rungs in escalation.get("ladders", {}).items()
            },
            patterns=bundle.get("patterns", of_country(None)),
            alerts_per_hour=escalation.get("per_hour", 20),
            morning_hour=escalation.get("morning_hour", 7),
            numbers=read_numbers(bundle),
            successors={
                kind: {code: tuple(heirs) for code, heirs in links.items()}
                for kind, links in bundle.get("successors", {}).items()
            },
            messages=bundle.get("messages", {}),
            retention=bundle.get("retention", {}),
            hooks={row["code"]: read_hook(row) for row in bundle.get("webhooks", ())},
        )

    @property
    def language(self) -> str:
        """The city's first language, for texts without a reader's choice."""
        return self.languages[0]

    def choose_language(self, *wanted: str) -> str:
        """The first of the wanted languages that the city has, else the city's first."""
        return languages.first_offered(wanted, self.languages) or self.language

    def language_order(self, language: str | None = None) -> tuple[str, ...]:
        """The languages in which to look for a text, the best first.

        The reader's language if the city has it, then the city's languages in their order.
        """
        first = (language,) if language in self.languages else ()
        return tuple(dict.fromkeys((*first, *self.languages)))

    def text(self, names: Text, language: str | None = None) -> str:
        """A name in ``language``, else in the first of the city's languages that has it."""
        return languages.pick(names, self.language_order(language))

    @cached_property
    def root(self) -> str:
        """The code of the area that is the whole city; the jurisdiction's if there are several."""
        tops = [area.code for area in self.areas.values() if area.parent is None]
        return tops[0] if len(tops) == 1 else self.jurisdiction

    def areas_of_level(self, level: int) -> list[Area]:
        """The areas of a level, counted from the wards (-1) up."""
        name = self.levels[max(level, -len(self.levels))]
        return [area for area in self.areas.values() if area.level == name]

    def person_limits(self, *kinds: str) -> dict[str, list[dict[str, int]]]:
        """How much of each kind (of ``PERSON_LIMITS``) one person may add."""
        return {kind: self.limits.get(kind, PERSON_LIMITS[kind]) for kind in kinds}

    def numbers_for(self, service: Service) -> tuple[Number, ...]:
        """The telephone numbers to show for a service.

        The service's own numbers. For a protected service also those of the city, the emergency
        number last and once.
        """
        if not service.protected:
            return service.numbers
        numbers = (*service.numbers, *self.numbers)
        if any(number.number == self.emergency for number in numbers):
            return numbers
        own = {tag: text[EMERGENCY] for tag, text in self.messages.items() if EMERGENCY in text}
        name = {tag: text for tag, text in (EMERGENCY_NAME | own).items() if tag in self.languages}
        name = name or {self.language: EMERGENCY_NAME["en"]}
        return (*numbers, Number(name, self.emergency))

    @property
    def code_limits(self) -> dict[str, list[dict[str, int]]]:
        """How many codes may be sent: by device, by contact and by network address."""
        return {kind: self.limits.get(kind, usual) for kind, usual in CODE_LIMITS.items()}

    @cached_property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return ZoneInfo(self.time_zone)

    def month(self, moment: datetime) -> str:
        """The month of a moment in the city's time zone, ``YYYYMM``."""
        return moment.astimezone(self.zone).strftime("%Y%m")

    def today(self, moment: datetime) -> str:
        """The day of a moment in the city's time zone, ``YYYYMMDD``."""
        return moment.astimezone(self.zone).strftime("%Y%m%d")

    def bounds(self, month: str) -> tuple[datetime, datetime]:
        """The first moment of a month (``YYYYMM``) in the city's time zone, and of the next."""
        return self.day(month, 1), self.day(shifted(month, 1), 1)

    def day(self, month: str, day: int) -> datetime:
        """The first moment of a day of a month, in the city's time zone."""
        local = datetime(int(month[:4]), int(month[4:]), day, tzinfo=self.zone)
        return local.astimezone(UTC)

    def month_of(self, text: str) -> str:
        """The month (``YYYYMM``, local) of a moment that ``timestamps.iso`` wrote."""
        return self.month(parse(text))

    def district_and_path(self, ward: str) -> tuple[str, tuple[str, ...]]:
        """(district, path from the city down to the ward) of an area of the last level."""
        if (known := self._districts_and_paths.get(ward)) is None:
            known = self._districts_and_paths[ward] = self._find_district_and_path(ward)
        return known

    @cached_property
    def _districts_and_paths(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        return {}

    def _find_district_and_path(self, ward: str) -> tuple[str, tuple[str, ...]]:
        path = [ward]
        while (parent := self.areas[path[0]].parent) is not None:
            path.insert(0, parent)
        level = self.levels[-2] if len(self.levels) > 1 else self.levels[-1]
        district = next((code for code in path if self.areas[code].level == level), ward)
        return district, tuple(path)

    def ladder(self, group: str) -> tuple[Level, ...]:
        """The escalation ladder of a service group, lowest level first."""
        return self.ladders.get(group) or self.ladders.get("*", ())

    def unit_for(self, service: str, district: str) -> str:
        """The code of the unit that is responsible for a service in a district."""
        unit = self.services[service].unit
        return self.district_unit(district) if unit == "district" else unit

    def district_unit(self, district: str) -> str:
        """The code of the unit that is a district's own."""
        return self._district_units[district]

    @cached_property
    def _district_units(self) -> dict[str, str]:
        return {
            district: unit.code
            for unit in self.units.values()
            if unit.kind == "district"
            for district in unit.districts
        }
