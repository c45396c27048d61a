"""Officials' subscriptions to the alerts topic, kept as the staff records say."""

from math import prod
from typing import Any

from chalicelib.services.alerts import EVERYONE
from chalicelib.storage import city as store
from chalicelib.storage import topics

PROTOCOLS = frozenset({"email", "email-json", "sms", "https", "sqs"})
# SNS takes at most so many combinations of values in one policy.
_COMBINATIONS = 150
# What may go first where there are more: an alert too many does less harm than one too few.
_DISPENSABLE = ("service", "district", "audience")


def policy(record: dict[str, Any]) -> dict[str, Any]:
    """An official's filter: districts, services and audience, or the unit's protected reports."""
    grants = record["grants"]
    districts = sorted({one for grant in grants for one in grant["districts"]})
    services = sorted({one for grant in grants for one in grant["services"]})
    found: dict[str, Any] = {
        "jurisdiction": [record["jurisdiction"]],
        "audience": sorted(
            {
                EVERYONE,
                f"person:{record['ref']}",
                f"unit:{record['unit']}",
                *(grant["role"] for grant in grants),
            }
        ),
    }
    if record.get("protected_unit"):
        return {**found, "unit": [record["unit"]], "protected": ["true"]}
    if "*" not in districts:
        found["district"] = districts
    if "*" not in services:
        found["service"] = services
    return within_limits({**found, "protected": ["false"]})


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


def within_limits(rule: dict[str, Any]) -> dict[str, Any]:
    """A policy that SNS takes."""
    found = dict(rule)
    for name in _DISPENSABLE:
        if prod(len(values) for values in found.values()) <= _COMBINATIONS:
            break
        found.pop(name, None)
    return found


def _either(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    # A key that is missing restricts nothing, so only what both restrict is restricted.
    return within_limits({key: sorted({*one[key], *other[key]}) for key in one if key in other})
