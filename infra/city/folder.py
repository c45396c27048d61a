"""Reads a city folder: the bundle of rules, the boundary index and the staff.

With ``"base": "../demo"`` in city.json, files and fields of city.json that the folder lacks are
taken from the base folder. Rows under ``for_each_district`` in units.json and staff.json are
templates: one row for each district, with its code for ``{district}`` and its name for ``{name}``.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.domain.city.boundaries import build
from infra.city import areas as places
from infra.city import (
    catalogues,
    hooks,
    hours,
    measuring,
    offer,
    patterns,
    people,
    succession,
    topology,
    validate,
)
from infra.city.checking import check
from infra.city.documents import Node, read_csv, read_json
from infra.city.fields import Fields
from infra.city.findings import Findings

OVERRIDES = (
    "district",
    "service",
    "acknowledge_hours",
    "acknowledge_clock",
    "resolve_hours",
    "resolve_clock",
)
ESCALATION = "escalation.json"
PATTERNS = "patterns.json"
SUCCESSORS = "successors.json"

_TEMPLATES = "for_each_district"
_VERSION_DIGITS = 12


@dataclass(frozen=True)
class Prepared:
    """A checked folder: ``bundle`` for ``City.from_json``, the boundary index, the staff records,
    and ``warnings``, which do not prevent loading."""

    bundle: dict[str, Any]
    blob: bytes
    staff: list[dict[str, Any]]
    warnings: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """The number of areas, services, units and so on."""
        levels = dict.fromkeys(self.bundle["levels"], 0)
        for area in self.bundle["areas"]:
            levels[area["level"]] += 1
        parts = ("groups", "services", "units", "overrides")
        return {
            **levels,
            **{part: len(self.bundle[part]) for part in parts},
            "holidays": len(self.bundle["calendar"]["holidays"]),
            "ladders": len(self.bundle.get("escalation", {}).get("ladders", ())),
            "staff": len(self.staff),
            "boundary_bytes": len(self.blob),
        }

    def summary(self) -> list[str]:
        """The counts in words, for a terminal."""
        title = f"{self.bundle['jurisdiction']}, version {self.bundle['version']}"
        return [title, ", ".join(f"{name} {n}" for name, n in self.counts.items())]


def prepare(
    folder: Path,
    boundaries: Path | None = None,
    jurisdiction: str | None = None,
    issuer: str | None = None,
) -> Prepared:
    """Read and check a city folder. Raises ``CityErrors`` with all faults.

    ``boundaries`` is the folder of the GeoJSON files, if another one; ``jurisdiction`` replaces
    the city's own; ``issuer`` replaces that of every staff record.
    """
    findings = Findings()
    source = _Source(folder, findings)
    check(findings, "city.json", source.city)
    head = Fields(findings, "city.json", source.city)
    rules = validate.city(head)
    country = patterns.country(head)
    areas = places.read(
        head.inner("boundaries"), boundaries or source.shapes, rules["levels"], findings
    )
    topology.check(areas, findings)
    named = {c: a["name"] for c, a in areas.areas.items() if a["level"] == rules["levels"][-2:][0]}
    districts = set(named)
    if not districts:
        # Without districts and units the other files cannot be checked.
        findings.stop_if_any()
    units = validate.units(source.fields("units.json", "units", named), districts)
    offered = offer.services(source.fields("services.json"), units, districts)
    services = {service["code"]: service for service in offered["services"]}
    bundle = {
        **rules,
        **offered,
        "areas": _ordered(areas.areas, rules["levels"]),
        "units": units,
        "calendar": hours.calendar(source.fields("calendar.json")),
        "overrides": offer.overrides(source.overrides(), districts, set(services)),
        "scoring": measuring.scoring(source.fields("scoring.json")),
    }
    own = source.fields(PATTERNS) if source.has(PATTERNS) else None
    bundle["patterns"] = patterns.rules(country, own)
    if source.has(ESCALATION):
        codes = {group["code"] for group in offered["groups"]}
        bundle["escalation"] = measuring.escalation(source.fields(ESCALATION), codes)
    if source.has(SUCCESSORS):
        bundle["successors"] = succession.read(source.fields(SUCCESSORS), bundle)
    if source.has_own(hooks.FILE):
        sent = hooks.read(source.fields(hooks.FILE), services, districts, rules["time_zone"])
        bundle["webhooks"] = sent
    messages = catalogues.read(rules["languages"], source.catalogue, findings)
    if messages:
        bundle["messages"] = messages
    hours.check_reach(bundle, findings)
    staff = people.staff(
        source.fields("staff.json", "staff", named),
        {unit["code"] for unit in units},
        districts,
        services,
    )
    if "staff.json" in findings.inherited and staff:
        findings.warn("staff.json", "", f"{len(staff)} official(s) get rights and alerts here too")
    findings.stop_if_any()
    if jurisdiction:
        bundle["jurisdiction"] = jurisdiction
    if issuer:
        staff = [{**record, "issuer": issuer} for record in staff]
    blob = build(sorted(areas.shapes.items()))
    bundle["version"] = _version(bundle, blob)
    return Prepared(bundle, blob, staff, tuple(findings.warnings))


class _Source:
    """The folder's files, or its base's."""

    def __init__(self, folder: Path, findings: Findings) -> None:
        self._folder = folder
        self._findings = findings
        own = read_json(folder / "city.json", findings)
        findings.stop_if_any()
        self.city_base = own.get("base") if isinstance(own, Node) else None
        self._base = self._find_base(own)
        self.city = own
        self.shapes = folder
        if self._base and isinstance(own, Node):
            base = read_json(self._base / "city.json", findings)
            # Without ``base``: together they have every field that a city needs.
            both = {**base, **own} if isinstance(base, Node) else own
            self.city = Node({name: value for name, value in both.items() if name != "base"})
            self.city.line, self.city.repeated = own.line, own.repeated
            self.shapes = folder if "boundaries" in own else self._base

    def has(self, name: str) -> bool:
        """Whether an optional file exists."""
        return self._place(name).exists()

    def has_own(self, name: str) -> bool:
        """Whether the folder itself, not its base, has an optional file."""
        return (self._folder / name).exists()

    def fields(
        self,
        name: str,
        rows: str | None = None,
        districts: dict[str, str] | None = None,
        schema: str = "",
    ) -> Fields:
        """The object of a file, checked, with the templates of the list ``rows`` filled in.

        ``schema``: the name of its schema, if not that of the file.
        """
        value = read_json(self._place(name), self._findings)
        if value is None:
            return Fields(self._findings, name, {}).muted()
        if rows and isinstance(value, Node) and isinstance(value.get(_TEMPLATES), list):
            written = value.get(rows, [])
            made = [
                _filled(template, {"{district}": code, "{name}": title})
                for code, title in sorted((districts or {}).items())
                for template in value[_TEMPLATES]
            ]
            if isinstance(written, list):
                value[rows] = [*made, *written]
            del value[_TEMPLATES]
        sound = check(self._findings, name, value, schema)
        if not isinstance(value, Node):
            return Fields(self._findings, name, {}).muted()
        fields = Fields(self._findings, name, value)
        fields.sound = sound
        return fields

    def catalogue(self, language: str) -> Fields | None:
        """The city's own messages in a language (an optional file)."""
        name = f"{catalogues.FOLDER}/{language}.json"
        return self.fields(name, schema="messages.json") if self.has(name) else None

    def overrides(self) -> list[Fields]:
        """The rows of overrides.csv (an optional file)."""
        path = self._place("overrides.csv")
        if not self.has(path.name):
            return []
        rows: Sequence[Node] = read_csv(path, OVERRIDES, self._findings)
        return [Fields(self._findings, path.name, row) for row in rows]

    def _place(self, name: str) -> Path:
        own = self._folder / name
        if own.exists() or self._base is None:
            return own
        if (self._base / name).exists():
            self._findings.inherited[name] = str(self.city_base)
        return self._base / name

    def _find_base(self, own: Any) -> Path | None:
        named = own.get("base") if isinstance(own, Node) else None
        if named is None:
            return None
        base = self._folder / named if isinstance(named, str) else None
        if base is None or not (base / "city.json").is_file():
            self._findings.add("city.json", "base", f"is no city folder: {named!r}")
            return None
        return base


def _filled(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, str):
        for word, text in words.items():
            value = value.replace(word, text)
        return value
    if isinstance(value, list):
        return [_filled(inner, words) for inner in value]
    if isinstance(value, Node):
        made = Node({name: _filled(inner, words) for name, inner in value.items()})
        made.line, made.repeated = value.line, value.repeated
        return made
    return value


def _ordered(areas: dict[str, dict[str, Any]], levels: list[str]) -> list[dict[str, Any]]:
    rank = {level: number for number, level in enumerate(levels)}
    return sorted(areas.values(), key=lambda area: (rank.get(area["level"], 0), area["code"]))


def _version(bundle: dict[str, Any], blob: bytes) -> str:
    text = json.dumps(bundle, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode() + blob).hexdigest()[:_VERSION_DIGITS]
