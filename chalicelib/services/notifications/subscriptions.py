"""Officials' subscriptions to the alerts topic, kept as the staff records say."""

from math import prod
from typing import Any

from chalicelib.services.notifications.officials import (
    MARKS_AT_MOST,
    PROTOCOLS,
    interests,
    narrowed,
)
from chalicelib.storage import city as store
from chalicelib.storage import topics


def policy(record: dict[str, Any]) -> dict[str, Any]:
    """An official's filter: the marks of alerts for them (``services.notifications.officials``)."""
    protected = ["false", "true"] if record.get("protected_unit") else ["false"]
    return within_limits(
        {
            "jurisdiction": [record["jurisdiction"]],
            "audience": interests(record),
            "protected": protected,
        }
    )


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
    """A policy that SNS takes: a mailbox of very many gets too much rather than nothing."""
    others = prod(len(values) for name, values in rule.items() if name != "audience")
    found = {**rule, "audience": narrowed(set(rule.get("audience", ())), MARKS_AT_MOST // others)}
    if not found["audience"] or prod(map(len, found.values())) > MARKS_AT_MOST:
        del found["audience"]
    return found


def _either(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    # A key that is missing restricts nothing, so only what both restrict is restricted.
    return within_limits({key: sorted({*one[key], *other[key]}) for key in one if key in other})
