"""Officials' subscriptions to the alerts topic, kept in line with the staff records.

Tests: tests/integration/test_alerts.py
"""

from math import prod

from chalicelib.domain.row_types import StaffRecord
from chalicelib.services.notifications.officials import (
    MARKS_AT_MOST,
    PROTOCOLS,
    interests,
    limit_values,
)
from chalicelib.storage import city as store
from chalicelib.storage import topics

# An SNS filter policy: the values that match, for each attribute of a message.
Policy = dict[str, list[str]]


def policy(record: StaffRecord) -> Policy:
    """An official's SNS filter policy (marks: ``services.notifications.officials``)."""
    protected = ["false", "true"] if record.get("protected_unit") else ["false"]
    return within_limits(
        {
            "jurisdiction": [record["jurisdiction"]],
            "audience": interests(record),
            "protected": protected,
        }
    )


def sync(jurisdiction: str, staff: list[StaffRecord]) -> dict[str, int]:
    """Subscribe, refilter and remove endpoints as the staff records say. Returns how many of each.

    An endpoint of several records, also of other cities, gets what any of them would get. An
    endpoint in this city's records that no active record has any more is unsubscribed.
    """
    own_keys = {
        (endpoint_record["protocol"], endpoint_record["endpoint"])
        for record in staff
        for endpoint_record in record.get("endpoints", ())
    }
    everybody = [(jurisdiction, record) for record in staff]
    for other in store.jurisdictions() if own_keys else ():
        if other != jurisdiction:
            everybody += [(other, record) for record in store.all_staff(other)]
    wanted: dict[tuple[str, str], Policy] = {}
    for city, record in everybody:
        for endpoint_record in record.get("endpoints", ()) if record.get("active", True) else ():
            key = (endpoint_record["protocol"], endpoint_record["endpoint"])
            if key in own_keys and endpoint_record["protocol"] in PROTOCOLS:
                rule = policy({**record, "jurisdiction": city})
                wanted[key] = _either(wanted[key], rule) if key in wanted else rule
    existing = topics.subscriptions()
    done = {"subscribed": 0, "filtered": 0, "removed": 0}
    for (protocol, endpoint), rule in wanted.items():
        if (protocol, endpoint) not in existing:
            topics.subscribe(protocol, endpoint, rule)
            done["subscribed"] += 1
        elif existing[protocol, endpoint].startswith("arn:"):
            topics.filter_by(existing[protocol, endpoint], rule)
            done["filtered"] += 1
    for key in own_keys - wanted.keys():
        if existing.get(key, "").startswith("arn:"):
            topics.unsubscribe(existing[key])
            done["removed"] += 1
    return done


def within_limits(rule: Policy) -> Policy:
    """A policy within SNS's limits. It is made wider if needed: too much is better than nothing."""
    others = prod(len(values) for name, values in rule.items() if name != "audience")
    limited = {
        **rule,
        "audience": limit_values(set(rule.get("audience", ())), MARKS_AT_MOST // others),
    }
    if not limited["audience"] or prod(map(len, limited.values())) > MARKS_AT_MOST:
        del limited["audience"]
    return limited


def _either(first: Policy, second: Policy) -> Policy:
    # A missing key restricts nothing, so the union has only the keys that are in both.
    return within_limits(
        {key: sorted({*first[key], *second[key]}) for key in first if key in second}
    )
