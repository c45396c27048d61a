"""A test city of two districts with two wards each, its people, and short ways to make them act.

    D1-W1 | D1-W2 | D2-W1 | D2-W2     squares of 0.01 degrees, from 106.80 E, 6.20 S to 6.19 S

``World`` publishes the city into the AWS of ``tests.support.aws`` and drives the services as the
routes do, each call with an idempotency key of its own.
"""

import hashlib
import itertools
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from chalicelib.domain import event_parts, hash_chain
from chalicelib.domain.city.boundaries import build
from chalicelib.domain.city.city import City
from chalicelib.domain.input.redaction import of_country
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.report_facts import fold, public_part
from chalicelib.domain.workflow.table import actions
from tests.support import photo_files

JURISDICTION = "testville"
ISSUER = "https://issuer.test"
START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)  # a Monday, 08:00 in the city
SOUTH, WEST, SIDE = -6.20, 106.80, 0.01
WARDS = ("D1-W1", "D1-W2", "D2-W1", "D2-W2")
_DAY = [["08:00", "12:00"], ["13:00", "17:00"]]


def both(name: str) -> dict[str, str]:
    """A name in both languages."""
    return {"en": name, "id": f"{name} (id)"}


def service(
    code: str, group: str, acknowledge: int, resolve: int, clock: str = "calendar", **more: Any
) -> dict[str, Any]:
    """A service with its deadlines in hours."""
    return {
        "code": code,
        "name": both(code),
        "group": group,
        "acknowledge": {"hours": acknowledge, "clock": clock},
        "resolve": {"hours": resolve, "clock": clock},
        "unit": "district",
        **more,
    }


def question(code: str, kind: str, *keys: str, required: bool = False) -> dict[str, Any]:
    """A question with its options."""
    options = [{"key": key, "name": both(key)} for key in keys]
    return {
        "code": code,
        "type": kind,
        "required": required,
        "label": both(code),
        "options": options,
    }


def unit(code: str, kind: str, *districts: str) -> dict[str, Any]:
    """A unit and the districts that it covers."""
    return {"code": code, "name": both(code), "kind": kind, "districts": list(districts)}


def member(  # noqa: PLR0913 (fields of a record, most with a default)
    ref: str,
    unit: str,
    roles: str,
    districts: str = "*",
    services: str = "*",
    home: str | None = None,
    permissions: tuple[str, ...] = (),
) -> dict[str, Any]:
    """A staff record; several roles, districts and services are separated by spaces."""
    grants = [
        {"role": role, "districts": districts.split(), "services": services.split()}
        for role in roles.split()
    ]
    return {
        "ref": f"s_{ref}",
        "issuer": ISSUER,
        "subject": f"subject-{ref}",
        "name": f"Official {ref}",
        "unit": unit,
        "home_district": home,
        "grants": grants,
        "permissions": list(permissions),
        "endpoints": [],
        "active": True,
    }


BUNDLE: dict[str, Any] = {
    "jurisdiction": JURISDICTION,
    "version": "aaaaaaaaaaaa",
    "name": both("Testville"),
    "time_zone": "Asia/Jakarta",
    "emergency": "112",
    "languages": ["id", "en"],
    "levels": ["city", "district", "ward"],
    "areas": [
        {"code": "TV", "name": "Testville", "level": "city", "parent": None},
        {"code": "D1", "name": "District one", "level": "district", "parent": "TV"},
        {"code": "D2", "name": "District two", "level": "district", "parent": "TV"},
        *(
            {"code": ward, "name": f"Ward {ward}", "level": "ward", "parent": ward[:2]}
            for ward in WARDS
        ),
    ],
    "groups": [
        {"code": code, "name": both(code)} for code in ("roads", "waste", "water", "safety")
    ],
    "services": [
        service("pothole", "roads", 24, 120, description={"en": "A hole", "id": "Lubang"}),
        service("litter", "waste", 4, 24),
        service("bridge", "roads", 48, 960),
        service("lamp", "roads", 8, 24, "working", unit="u-lamps"),
        service(
            "flood",
            "water",
            2,
            12,
            questions=[
                question("depth", "number", required=True),
                question("where", "singlevaluelist", "road", "house"),
                question("what", "multivaluelist", "people", "cars", "power"),
                question("since", "datetime"),
                question("story", "text"),
            ],
        ),
        service("violence", "safety", 1, 4, unit="u-safe", protected=True),
        service("misconduct", "safety", 8, 400, unit="u-safe", protected=True),
        service("inspection", "roads", 24, 240, staff_only=True),
        service("retired", "roads", 24, 240, active=False),
    ],
    "units": [
        unit("u-d1", "district", "D1"),
        unit("u-d2", "district", "D2"),
        unit("u-lamps", "agency", "D1", "D2"),
        unit("u-prov", "province", "D1", "D2"),
        unit("u-safe", "bureau", "D1", "D2"),
        unit("u-gov", "bureau", "D1", "D2"),
    ],
    "calendar": {
        "working": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), _DAY),
        "holidays": [{"date": "2026-11-10"}],
    },
    "overrides": [
        {"district": "D2", "service": "litter", "resolve": {"hours": 12, "clock": "calendar"}}
    ],
    "scoring": {},
    "patterns": of_country("ID"),
    "escalation": {
        "per_hour": 5,
        "morning_hour": 7,
        "ladders": {
            "*": [
                {"share": 1.0, "tell": ["holder", "district_head"], "priority": "high"},
                {"share": 1.5, "tell": ["dispatcher"], "priority": "high"},
                {"share": 2.0, "tell": ["city_admin", "auditor"], "priority": "urgent"},
            ]
        },
    },
    "limits": {},
    "rules": {
        "reopen_days": 30,
        "refuse_days": 14,
        "lapse_days": 14,
        "needs_info_days": 7,
        "near_m": 100,
        "duplicate_m": 250,
    },
}
STAFF: tuple[dict[str, Any], ...] = (
    member("officer1", "u-d1", "officer", "D1", home="D1", permissions=("contact",)),
    member("colleague1", "u-d1", "officer", "D1", home="D1"),
    member("worker1", "u-d1", "field_worker", "D1", home="D1"),
    member("mate1", "u-d1", "field_worker", "D1", home="D1"),
    member("head1", "u-d1", "district_head", "D1", home="D1"),
    member("officer2", "u-d2", "officer", "D2", home="D2"),
    member("worker2", "u-d2", "field_worker", "D2", home="D2"),
    member("head2", "u-d2", "district_head", "D2", home="D2"),
    member("dispatcher", "u-gov", "dispatcher"),
    member("verifier", "u-gov", "verifier"),
    member("verifier1", "u-d1", "officer verifier", "D1", home="D1"),
    member("verifier2", "u-d2", "verifier", "*", home="D2", permissions=("abuse",)),
    member("overseer", "u-gov", "verifier", "*", "violence misconduct"),
    member("admin", "u-gov", "city_admin"),
    member("auditor", "u-gov", "auditor"),
    member("lamps", "u-lamps", "officer", "*", "lamp"),
    member("lampist", "u-lamps", "field_worker", "*", "lamp"),
    member("province", "u-prov", "officer field_worker", "*", "*"),
    member("roadman", "u-prov", "field_worker", "*", "pothole"),
    member("safe", "u-safe", "officer", "*", "violence misconduct"),
    member("guard", "u-safe", "field_worker", "*", "violence misconduct"),
    member("cleaner", "u-safe", "officer", "D1", "litter"),
    member("litterer", "u-d1", "officer", "D1", "litter", home="D1"),
)


@cache
def blob(wards: tuple[str, ...] = WARDS) -> bytes:
    """The boundary index of the four wards, or of the same squares under other codes."""
    squares = []
    for number, ward in enumerate(wards):
        west, east = WEST + number * SIDE, WEST + (number + 1) * SIDE
        north = SOUTH + SIDE
        ring = [(west, SOUTH), (east, SOUTH), (east, north), (west, north), (west, SOUTH)]
        squares.append((ward, [[ring]]))
    return build(squares)


@cache
def city() -> City:
    """The rules, without any AWS."""
    return City.from_json(BUNDLE)


def official(ref: str) -> Principal:
    """The principal of a staff record, without any AWS."""
    from chalicelib.services.city.staff import principal

    record = next(one for one in STAFF if one["ref"] == f"s_{ref}")
    return principal(JURISDICTION, record)


def citizen(name: str) -> Principal:
    """A citizen's device."""
    return Principal("citizen", JURISDICTION, uid=f"d_{name}")


PUBLIC = Principal("public", JURISDICTION)


def spot(ward: str, east: float = 0.5, north: float = 0.5) -> dict[str, float]:
    """A point in a ward, by the shares of its sides."""
    number = WARDS.index(ward)
    return {"lat": SOUTH + north * SIDE, "long": WEST + (number + east) * SIDE}


class World:
    """The test city in an empty AWS, at a moment that tests move."""

    def __init__(self) -> None:
        from chalicelib.services.city import cities

        self.now = START
        self.keys = itertools.count(1)
        cities.publish(BUNDLE, blob(), list(STAFF), self.now)

    def advance(self, **span: float) -> None:
        """Let time pass: ``advance(days=3)``."""
        self.now += timedelta(**span)

    def operation(self, actor: Principal, route: str, body: Any, key: str | None = None) -> Any:
        """The operation of one more key, or of ``key``."""
        from chalicelib.services.platform.idempotency import keyed_operation

        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        return keyed_operation(actor, route, key or f"key-{next(self.keys)}", digest)

    def file(
        self,
        actor: Principal | None = None,
        service: str = "pothole",
        ward: str = "D1-W1",
        key: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """File a report and give its receipt."""
        from chalicelib.services.reports import intake

        who = actor or citizen("reporter")
        body = {"service": service, **spot(ward), **more}
        op = self.operation(who, "fileReport", body, key)
        return intake.file_report(
            who, op, body, intake.Origin("192.0.2.1", ("id",)), self.now
        ).answer

    def act(
        self,
        actor: Principal,
        report: str,
        action: str,
        version: int | None = None,
        key: str | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Act on the version given, or on the newest."""
        from chalicelib.services.reports import actions as reports_actions

        seen = self.head(report).version if version is None else version
        body = {"action": action, "version": seen, **fields}
        op = self.operation(actor, "actOnReport", [report, body], key)
        return reports_actions.act(actor, op, report, body, self.now).answer

    def protect(
        self, report: str, service: str = "misconduct", by: Principal | None = None
    ) -> dict[str, Any]:
        """Propose a report for protection, and have the protected unit take it."""
        self.act(by or official("worker1"), report, "protect", service=service, reason="It is.")
        return self.act(official("safe"), report, "take")

    def clock(self, report: str, action: str, **fields: Any) -> dict[str, Any]:
        """An action of the clock."""
        from chalicelib.domain.principal import system
        from chalicelib.services.reports import actions as reports_actions

        actor = system(JURISDICTION)
        op = self.operation(actor, action, [report, fields])
        return reports_actions.act_by_clock(
            actor, op, self.head(report), action, fields, self.now
        ).answer

    def sweep(self) -> dict[str, int]:
        """Run the SLA clock once."""
        from chalicelib.services.sla import sweep

        return sweep.sweep(self.now)

    def photo(
        self, actor: Principal, upload: bytes = photo_files.UPLOAD, *, processed: bool = True
    ) -> str:
        """A photo that the actor has uploaded."""
        from chalicelib.services.photos import storage_keys, tickets
        from chalicelib.storage import files

        op = self.operation(actor, "ticketPhoto", {})
        photo: str = tickets.issue(actor, op, "image/jpeg", self.now).answer["photo"]
        files.put(storage_keys.quarantined(JURISDICTION, photo), upload, "image/jpeg")
        if processed:
            self.process(photo)
        return photo

    def process(self, photo: str) -> None:
        """Process an upload as the photo function does."""
        from chalicelib.services.photos import processing

        with photo_files.quick():
            processing.develop(JURISDICTION, photo, self.now)

    def finished(self, worker: str = "worker1", unit: str | None = None, **more: Any) -> str:
        """A report that was filed, assigned and finished by ``worker``; its id."""
        report: str = self.file(**more)["id"]
        who = official(worker)
        boss = official({"u-lamps": "lamps"}.get(unit or "", "officer" + worker[-1]))
        self.act(boss, report, "assign", person=who.uid)
        self.act(who, report, "start")
        self.finish(who, report)
        return report

    def finish(self, worker: Principal, report: str) -> dict[str, Any]:
        """Say that the work is done, with an after photo and a note."""
        return self.act(worker, report, "finish", photos=[self.photo(worker)], note="Done.")

    def head(self, report: str) -> Report:
        """The report's head."""
        from chalicelib.storage import reports

        found = reports.get(JURISDICTION, report)
        assert found is not None
        return found

    def links(self, report: str) -> list[hash_chain.Entry]:
        """The report's events as stored."""
        from chalicelib.storage import timeline_rows

        return timeline_rows.chain(JURISDICTION, report, 0, 10_000)

    def events(self, report: str) -> list[dict[str, Any]]:
        """The report's events, oldest first."""
        return [whole(entry) for entry in self.links(report)]

    def project(self) -> int:
        """Project every event of the city, in the order of a scan; how many were new."""
        from chalicelib.services.projections import timeline_events
        from chalicelib.storage import timeline_rows

        return sum(
            timeline_events.apply(json.loads(text), self.now)
            for text, _ in timeline_rows.whole_timeline()
        )

    def tallies(self) -> dict[tuple[str, str, str], dict[str, int]]:
        """The live tallies without zeros."""
        from chalicelib.storage import tallies as stored_tallies

        rows = {(place, when, area): row for place, when, area, row in stored_tallies.scan_all()}
        kept = {key: {name: n for name, n in row.items() if n} for key, row in rows.items()}
        return {key: row for key, row in kept.items() if row}


def whole(entry: hash_chain.Entry) -> dict[str, Any]:
    """The event of an entry of the chain."""
    event: dict[str, Any] = json.loads(event_parts.whole(entry.text, entry.inside))
    return event


def faults(head: Report, links: list[hash_chain.Entry]) -> list[str]:
    """What is wrong with a report's head and timeline; empty when all invariants hold."""
    found = hash_chain.faults(links)
    events = [whole(entry) for entry in links]
    if [event["version"] for event in events] != list(range(1, head.version + 1)):
        found.append("the versions are not 1 to the head's")
    if links and links[-1].hash != head.tail:
        found.append("the head's tail is not its last event's hash")
    if fold(events) != public_part(head):
        found.append("the head is not the fold of its events")
    for before, after in itertools.pairwise(events):
        if after["before"] != before["after"]:
            found.append(f"event {after['version']} does not begin where the last one ended")
        if after["at"] < before["at"]:
            found.append(f"event {after['version']} is older than the one before")
        found += _illegal(before["after"], after)
    return found


def _illegal(before: dict[str, Any], event: dict[str, Any]) -> list[str]:
    action = actions(before["protected"], bool(before.get("secret"))).get(event["action"])
    if action is None:
        moved = before["state"] != event["after"]["state"]
        return [f"{event['action']} moved the report"] if moved else []
    legal = before["state"] in action.sources
    to = event["after"]["state"]
    if action.name in ("reopen", "reclassify", "transfer", "assign", "take"):
        legal &= to in ("assigned", "submitted") if action.name == "reopen" else to == "assigned"
    elif action.to == "back":
        legal &= to not in ("closed", before["state"])
    elif action.to == "same":
        same = (to, event["after"]["resolution"]) == (before["state"], before["resolution"])
        return [] if legal and same else [f"illegal: {before['state']} {event['action']} {to}"]
    else:
        legal &= to == action.to
    if action.resolutions is not None:
        legal &= before["resolution"] in action.resolutions
    closing = event["after"]["resolution"] if to == "closed" else None
    legal &= closing == (action.resolution if action.to == "closed" else None)
    return [] if legal else [f"illegal: {before['state']} {event['action']} {to}"]
