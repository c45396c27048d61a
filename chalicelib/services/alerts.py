"""Alerts to officials through SNS, and their subscriptions kept as the staff records say."""

import json
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.domain.city import City
from chalicelib.domain.times import parse
from chalicelib.services import cities, links
from chalicelib.services.texts import say
from chalicelib.storage import city as store
from chalicelib.storage import topics

PROTOCOLS = frozenset({"email", "email-json", "sms", "https", "sqs"})
LANGUAGE = "id"


def publish(message: dict[str, Any]) -> None:
    """Publish one outbox row: plain text for people, JSON for machines, attributes for filters."""
    city = cities.at(message["jurisdiction"], message["rules"])
    text = compose(message, city)
    document = {name: value for name, value in message.items() if name not in ("kind", "rules")}
    data = json.dumps({**document, "text": text, "link": _link(message)}, ensure_ascii=False)
    attributes = {
        "jurisdiction": message["jurisdiction"],
        "event": message["event"],
        "level": message["level"],
        "unit": message["unit"],
        "dedupe": message["dedupe"],
        "protected": "true" if message["protected"] else "false",
    }
    for name in ("district", "ward", "service"):
        if message.get(name):
            attributes[name] = message[name]
    texts = {"default": text, "sqs": data, "https": data, "http": data}
    topics.publish(say("alert.subject", LANGUAGE), texts, attributes)


def compose(message: dict[str, Any], city: City) -> str:
    """What an official reads on a phone; of a protected report nothing but that it waits."""
    if message["protected"]:
        return say("alert.protected", LANGUAGE, link=_link(message))
    due = parse(message["due_at"]).astimezone(ZoneInfo(city.time_zone))
    return say(
        "alert.text",
        LANGUAGE,
        level=say(f"alert.level.{message['level']}", LANGUAGE),
        service=city.services[message["service"]].name[LANGUAGE],
        ward=city.areas[message["ward"]].name,
        unit=city.units[message["unit"]].name[LANGUAGE],
        due=due.strftime("%d-%m-%Y %H:%M"),
        link=_link(message),
    )


def policy(record: dict[str, Any]) -> dict[str, Any]:
    """An official's filter: districts and services, or the unit alone for protected reports."""
    grants = record["grants"]
    districts = sorted({one for grant in grants for one in grant["districts"]})
    services = sorted({one for grant in grants for one in grant["services"]})
    found: dict[str, Any] = {"jurisdiction": [record["jurisdiction"]]}
    if record.get("protected_unit"):
        return {**found, "unit": [record["unit"]], "protected": ["true"]}
    if "*" not in districts:
        found["district"] = districts
    if "*" not in services:
        found["service"] = services
    return {**found, "protected": ["false"]}


def sync(jurisdiction: str, staff: list[dict[str, Any]]) -> dict[str, int]:
    """Subscribe, refilter and remove endpoints as the staff records say; how many of each.

    An endpoint of several records, of other cities too, gets what any of them would. A
    subscription that a record of this city had and none has any more is removed.
    """
    ours = {
        (one["protocol"], one["endpoint"])
        for record in staff
        for one in record.get("endpoints", ())
    }
    everybody = [(jurisdiction, record) for record in staff]
    for other in store.jurisdictions() if ours else ():
        if other != jurisdiction:
            everybody += [(other, record) for record in store.all_staff(other)]
    wanted: dict[tuple[str, str], dict[str, Any]] = {}
    for city, record in everybody:
        for one in record.get("endpoints", ()) if record.get("active", True) else ():
            key = (one["protocol"], one["endpoint"])
            if key in ours and one["protocol"] in PROTOCOLS:
                rule = policy({**record, "jurisdiction": city})
                wanted[key] = _either(wanted[key], rule) if key in wanted else rule
    known = topics.subscriptions()
    done = {"subscribed": 0, "filtered": 0, "removed": 0}
    for (protocol, endpoint), rule in wanted.items():
        if (protocol, endpoint) not in known:
            topics.subscribe(protocol, endpoint, rule)
            done["subscribed"] += 1
        elif known[protocol, endpoint].startswith("arn:"):
            topics.filter_by(known[protocol, endpoint], rule)
            done["filtered"] += 1
    for key in ours - wanted.keys():
        if known.get(key, "").startswith("arn:"):
            topics.unsubscribe(known[key])
            done["removed"] += 1
    return done


def _either(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    # A key that is missing restricts nothing, so only what both restrict is restricted.
    return {key: sorted({*one[key], *other[key]}) for key in one if key in other}


def _link(message: dict[str, Any]) -> str:
    return links.to(message["jurisdiction"], f"/v1/reports/{message['report']}")
