"""How long a city keeps personal data: ``retention`` of city.json, checked against its rules."""

from chalicelib.domain.people.retention import (
    ADDRESSES,
    CANCELLED,
    CLOSED,
    CONTACT,
    ORIGINALS,
    setting,
)
from infra.city.fields import Fields

# A judged month's audit still looks at what was closed three months before. Longer than a century
# is a slip of the pen. The bucket itself keeps no original for longer than 30 days.
_SPANS = {
    CONTACT: (30, 36_500),
    CLOSED: (120, 36_500),
    CANCELLED: (30, 36_500),
    ORIGINALS: (1, 30),
    ADDRESSES: (60, 36_500),
}


def retention(one: Fields, rules: dict[str, int]) -> dict[str, int]:
    """The days of each class that has any; ``rules`` are the city's, within whose windows people
    must still be reached and find their report."""
    found: dict[str, int] = {}
    for kind, (low, high) in _SPANS.items():
        name = setting(kind)
        if one.has(name):
            found[name] = int(one.number(name, low, high, whole=True))
    window = rules.get("reopen_days", 0)
    for kind in (CONTACT, CLOSED, CANCELLED):
        name = setting(kind)
        if found.get(name, window) < window:
            one.fault(name, f"must not be shorter than reopen_days, {window}")
    one.close()
    return found
