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

# The audit of a month still reads reports closed three months before. More than a century is a
# mistake. The bucket deletes originals after 30 days in any case.
_SPANS = {
    CONTACT: (30, 36_500),
    CLOSED: (120, 36_500),
    CANCELLED: (30, 36_500),
    ORIGINALS: (1, 30),
    ADDRESSES: (60, 36_500),
}


def retention(one: Fields, rules: dict[str, int]) -> dict[str, int]:
    """The days of each class of data that has a limit.

    ``rules`` are the city's: within their windows people must be reachable and find their report.
    """
    days: dict[str, int] = {}
    for kind, (low, high) in _SPANS.items():
        name = setting(kind)
        if one.has(name):
            days[name] = int(one.number(name, low, high, whole=True))
    window = rules.get("reopen_days", 0)
    for kind in (CONTACT, CLOSED, CANCELLED):
        name = setting(kind)
        if days.get(name, window) < window:
            one.fault(name, f"must not be shorter than reopen_days, {window}")
    one.close()
    return days
