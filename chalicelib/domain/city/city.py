"""A city's rules as they were loaded: one frozen version of areas, services, units and calendar.

Made from the bundle that ``infra.city`` validates and stores; nothing here reads a file.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Self
from zoneinfo import ZoneInfo

from chalicelib.domain.city.business_hours import Calendar
from chalicelib.domain.input import languages
from chalicelib.domain.input.redaction import of_country
from chalicelib.domain.timestamps import parse

Text = dict[str, str]

EMERGENCY_NAME: Text = {"en": "Emergency", "id": "Darurat"}
# The message of a city's own catalogue that names its emergency number.
EMERGENCY = "number.emergency"
# What one person may add in a day where the city's data say nothing else; ``report_comments`` is
# for one report, ``proposals`` are reports proposed for protection.
PERSON_LIMITS = {
    "flags": [{"n": 20, "seconds": 86_400}],
    "comments": [{"n": 60, "seconds": 86_400}],
    "report_comments": [{"n": 10, "seconds": 3_600}, {"n": 20, "seconds": 86_400}],
    "supports": [{"n": 100, "seconds": 86_400}],
    "follows": [{"n": 200, "seconds": 86_400}],
    "ratings": [{"n": 30, "seconds": 86_400}],
    "claims": [{"n": 20, "seconds": 86_400}],
    "proposals": [{"n": 5, "seconds": 86_400}],
}
CODE_LIMITS = {
    "codes": [{"n": 5, "seconds": 3_600}, {"n": 10, "seconds": 86_400}],
    "codes_contact": [{"n": 5, "seconds": 3_600}, {"n": 10, "seconds": 86_400}],
    "codes_address": [{"n": 20, "seconds": 3_600}],
}


@dataclass(frozen=True)
class Area:
    """A city, district or ward (any depth); ``level`` is one of the city's levels."""

    code: str
    name: str
    level: str
    parent: str | None
    population: int | None = None


@dataclass(frozen=True)
class Target:
    """A promise in hours, counted by the ``calendar`` or in ``working`` hours."""

    hours: float
    clock: str


# As GeoReport v2 names them.
QUESTION_TYPES = ("text", "number", "singlevaluelist", "multivaluelist", "datetime")


@dataclass(frozen=True)
class Option:
    """One answer that may be chosen."""

    key: str
    name: Text


@dataclass(frozen=True)
class Question:
    """What a service asks; ``type`` is one of ``QUESTION_TYPES``."""

    code: str
    type: str
    required: bool
    label: Text
    options: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Number:
    """A telephone number that helps: whose it is, and when somebody answers."""

    name: Text
    number: str
    hours: Text | None = None


@dataclass(frozen=True)
class Service:
    """A kind of problem, its promise, and who is responsible ("district" or a unit's code).

    ``public_decimals``: to how many decimals of a degree everybody may know the place (4 ≈ 11 m,
    3 ≈ 110 m, 2 ≈ 1.1 km; ``None``: as it was given). ``reception`` is GeoReport's type: what a
    client gets back at once ("realtime" an id, "batch" a token, "blackbox" nothing). ``public`` is
    what holds where a reporter says nothing: whether a report may be read by everybody.
    """

    code: str
    name: Text
    group: str
    acknowledge: Target
    resolve: Target
    unit: str
    description: Text = field(default_factory=dict)
    protected: bool = False
    public: bool = True
    public_decimals: int | None = None
    staff_only: bool = False
    active: bool = True
    keywords: tuple[str, ...] = ()
    reception: str = "realtime"
    questions: tuple[Question, ...] = ()
    numbers: tuple[Number, ...] = ()


@dataclass(frozen=True)
class Open311Server:
    """The Open311 server of a unit that works with a system of its own.

    ``services``: {code here: {"code": code there, "attributes": {code: value}}}, "*" for the rest,
    which keep their codes where it has none. ``updates``: it has mySociety's extension too.
    ``private``: it also gets what its reporter keeps private.
    """

    endpoint: str
    jurisdiction_id: str | None = None
    format: str = "json"
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    updates: bool = False
    private: bool = True


@dataclass(frozen=True)
class Unit:
    """Who works: kind district, agency, province or bureau; the districts that it covers."""

    code: str
    name: Text
    kind: str
    districts: frozenset[str]
    outside: Open311Server | None = None


@dataclass(frozen=True)
class Override:
    """A district's own promise for a service."""

    district: str
    service: str
    acknowledge: Target | None = None
    resolve: Target | None = None


@dataclass(frozen=True)
class Level:
    """A rung of the escalation ladder: at ``share`` of the target from filing, whom it tells.

    ``tell``: "holder", or roles over the report's district.
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

    @classmethod
    def from_json(cls, bundle: dict[str, Any]) -> Self:
        """The city of a bundle; ``KeyError`` or ``ValueError`` where it does not fit."""
        zone = bundle["time_zone"]
        escalation = bundle.get("escalation", {})
        overrides = [
            Override(
                one["district"],
                one["service"],
                _target(one.get("acknowledge")),
                _target(one.get("resolve")),
            )
            for one in bundle.get("overrides", ())
        ]
        return cls(
            jurisdiction=bundle["jurisdiction"],
            version=bundle["version"],
            name=bundle["name"],
            time_zone=zone,
            emergency=bundle["emergency"],
            languages=tuple(bundle["languages"]),
            levels=tuple(bundle["levels"]),
            areas={
                one["code"]: Area(
                    one["code"], one["name"], one["level"], one.get("parent"), one.get("population")
                )
                for one in bundle["areas"]
            },
            groups={one["code"]: one["name"] for one in bundle["groups"]},
            services={one["code"]: _service(one) for one in bundle["services"]},
            units={
                one["code"]: Unit(
                    one["code"],
                    one["name"],
                    one["kind"],
                    frozenset(one["districts"]),
                    Open311Server(**one["open311"]) if "open311" in one else None,
                )
                for one in bundle["units"]
            },
            calendar=Calendar.from_json(bundle["calendar"], zone),
            overrides={(one.district, one.service): one for one in overrides},
            scoring=bundle["scoring"],
            limits=bundle["limits"],
            rules=bundle["rules"],
            ladders={
                group: tuple(
                    Level(float(one["share"]), tuple(one["tell"]), one["priority"]) for one in rungs
                )
                for group, rungs in escalation.get("ladders", {}).items()
            },
            patterns=bundle.get("patterns", of_country(None)),
            alerts_per_hour=escalation.get("per_hour", 20),
            morning_hour=escalation.get("morning_hour", 7),
            numbers=_numbers(bundle),
            successors={
                kind: {code: tuple(heirs) for code, heirs in links.items()}
                for kind, links in bundle.get("successors", {}).items()
            },
            messages=bundle.get("messages", {}),
            retention=bundle.get("retention", {}),
        )

    @property
    def language(self) -> str:
        """The city's first language: of what it says to nobody in particular."""
        return self.languages[0]

    def choose_language(self, *wanted: str) -> str:
        """The first of the wanted languages that is the city's, else its own first."""
        return languages.first_offered(wanted, self.languages) or self.language

    def language_order(self, language: str | None = None) -> tuple[str, ...]:
        """The languages in which a text is looked for: the reader's if it is the city's, then the
        city's own, in their order."""
        first = (language,) if language in self.languages else ()
        return tuple(dict.fromkeys((*first, *self.languages)))

    def text(self, names: Text, language: str | None = None) -> str:
        """A name for a reader of ``language``, or for nobody in particular."""
        return languages.pick(names, self.language_order(language))

    @cached_property
    def root(self) -> str:
        """The code of the area that is the whole city (the jurisdiction's, if it has several)."""
        tops = [area.code for area in self.areas.values() if area.parent is None]
        return tops[0] if len(tops) == 1 else self.jurisdiction

    def areas_of_level(self, place: int) -> list[Area]:
        """The areas of a level, counted from the wards (-1) up."""
        wanted = self.levels[max(place, -len(self.levels))]
        return [area for area in self.areas.values() if area.level == wanted]

    def person_limits(self, *kinds: str) -> dict[str, list[dict[str, int]]]:
        """How much of each kind (of ``PERSON_LIMITS``) one person may add."""
        return {kind: self.limits.get(kind, PERSON_LIMITS[kind]) for kind in kinds}

    def numbers_for(self, service: Service) -> tuple[Number, ...]:
        """Whom to call: the service's own numbers, then those of the whole city for a protected
        one, the emergency number last and once."""
        if not service.protected:
            return service.numbers
        known = (*service.numbers, *self.numbers)
        if any(one.number == self.emergency for one in known):
            return known
        own = {one: text[EMERGENCY] for one, text in self.messages.items() if EMERGENCY in text}
        name = {one: text for one, text in (EMERGENCY_NAME | own).items() if one in self.languages}
        name = name or {self.language: EMERGENCY_NAME["en"]}
        return (*known, Number(name, self.emergency))

    @property
    def code_limits(self) -> dict[str, list[dict[str, int]]]:
        """How many codes go to contacts: by device, by contact and by network address."""
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
        year, number = int(month[:4]), int(month[4:])
        after = (year + number // 12, number % 12 + 1)
        first = datetime(year, number, 1, tzinfo=self.zone)
        return first.astimezone(UTC), datetime(*after, 1, tzinfo=self.zone).astimezone(UTC)

    def day(self, month: str, day: int) -> datetime:
        """The first moment of a day of a month, in the city's time zone."""
        local = datetime(int(month[:4]), int(month[4:]), day, tzinfo=self.zone)
        return local.astimezone(UTC)

    def month_of(self, text: str) -> str:
        """The month of a moment as ``timestamps.iso`` writes it."""
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
        wanted = self.services[service].unit
        return self.district_unit(district) if wanted == "district" else wanted

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


def _numbers(given: dict[str, Any]) -> tuple[Number, ...]:
    return tuple(
        Number(one["name"], one["number"], one.get("hours")) for one in given.get("numbers", ())
    )


def _target(given: dict[str, Any] | None) -> Target | None:
    return Target(float(given["hours"]), given["clock"]) if given else None


def _service(one: dict[str, Any]) -> Service:
    acknowledge, resolve = _target(one["acknowledge"]), _target(one["resolve"])
    assert acknowledge is not None
    assert resolve is not None
    return Service(
        code=one["code"],
        name=one["name"],
        group=one["group"],
        acknowledge=acknowledge,
        resolve=resolve,
        unit=one["unit"],
        description=one.get("description", {}),
        protected=one.get("protected", False),
        public=one.get("public", True),
        public_decimals=one.get("public_decimals"),
        staff_only=one.get("staff_only", False),
        active=one.get("active", True),
        keywords=tuple(one.get("keywords", ())),
        reception=one.get("reception", "realtime"),
        numbers=_numbers(one),
        questions=tuple(
            Question(
                asked["code"],
                asked["type"],
                asked.get("required", False),
                asked["label"],
                tuple(Option(o["key"], o["name"]) for o in asked.get("options", ())),
            )
            for asked in one.get("questions", ())
        ),
    )
