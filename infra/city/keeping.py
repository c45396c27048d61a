"""How long a city keeps personal data: ``retention`` of city.json, checked against its rules."""

from chalicelib.domain.people.retention import CANCELLED, CLOSED, CONTACT, setting
from infra.city.fields import Fields
from infra.city.schemas.city import RETENTION


def retention(fields: Fields, rules: dict[str, int]) -> dict[str, int]:
    """The days of each class of data that has a limit.

    ``rules`` are the city's: within their windows people must be reachable and find their report.
    """
    days = {name: fields.whole(name) for name in RETENTION if fields.has(name)}
    window = rules.get("reopen_days", 0)
    for kind in (CONTACT, CLOSED, CANCELLED):
        name = setting(kind)
        if days.get(name, window) < window:
            fields.fault(name, f"must not be shorter than reopen_days, {window}")
    return days
