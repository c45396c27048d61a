"""The JSON Schemas of a city folder's files (draft 2020-12): the one declaration of their fields.

``python -m infra.city.schemas`` writes them to chalicelib/rules/schemas, from where the API serves
them and editors read them. The loader checks by them (``infra.city.checking``).
"""

from functools import cache

from infra.city.schemas.city import CITY
from infra.city.schemas.hooks import WEBHOOKS
from infra.city.schemas.measuring import CALENDAR, scoring
from infra.city.schemas.offer import SERVICES, UNITS
from infra.city.schemas.parts import COMMON, Schema
from infra.city.schemas.people import ESCALATION, STAFF
from infra.city.schemas.words import PATTERNS, SUCCESSORS, messages


@cache
def schemas() -> dict[str, Schema]:
    """The schemas by file name; ``messages.json`` is for each file of the folder messages."""
    return {
        "city.json": CITY,
        "services.json": SERVICES,
        "units.json": UNITS,
        "staff.json": STAFF,
        "calendar.json": CALENDAR,
        "scoring.json": scoring(),
        "escalation.json": ESCALATION,
        "patterns.json": PATTERNS,
        "successors.json": SUCCESSORS,
        "webhooks.json": WEBHOOKS,
        "messages.json": messages(),
        "common.json": COMMON,
    }
